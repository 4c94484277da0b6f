/* nix: where this builder's Nix is. A folder is taken when it holds nix-daemon and nix-store, each a regular program
 * after following links, and guarded as guard.h says: nobody but root and ourselves can exchange it.
 * Owner   a struct nix owns its strings until nix_free. `why` holds SENTENCE_MAX bytes, not escaped yet.
 * Errors  ERR_IO: no Nix that may be taken; *why names each reason and the cure. ERR_MEMORY. On an error daemon is
 *         NULL, but `skipped` is filled and nix_free is still due. */
#ifndef GATEWAY_ENV_NIX_H
#define GATEWAY_ENV_NIX_H

#include <stddef.h>

#include "gateway/base/err.h"
#include "gateway/env/account.h"

enum { NIX_FOLDERS_MAX = 16 };

struct nix {
	char *folder;                   /* owns; as spelled, for PATH */
	char *daemon, *store;           /* own; absolute, not resolved: `nix` looks at the name it is called by */
	char *skipped[NIX_FOLDERS_MAX]; /* own; "FILE: reason" for each that was there but not taken */
	size_t skipped_count;
};

struct nix_search {
	const char *configured;         /* borrows; [gateway] nix: the only folder looked at. NULL: auto */
	const struct account *account;  /* borrows; its name stands for USER, its home for "~" */
	const char *const *folders;     /* borrows; NULL-terminated, at most NIX_FOLDERS_MAX. NULL: nix_folders */
};

/* Where Nix is looked for, in order; NULL-terminated. "~/" is the account's home, "/USER/" its name. */
extern const char *const nix_folders[];

MUST_USE enum err nix_find(const struct nix_search *search, struct nix *out, char *why);
void nix_free(struct nix *n);           /* leaves it empty; fine twice */

#endif
