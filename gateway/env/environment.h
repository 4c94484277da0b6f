/* environment: what the programs we start are given, built from nothing. Not one variable of our own environment
 * passes: the client may have chosen any of them.
 * Owner   a struct environment owns its items until environment_free. A plan borrows all it names.
 * Errors  ERR_PROTO: an extra variable without a name, with a "=" in its name, or with a control byte in its name.
 *         ERR_LIMIT: more than ENVIRONMENT_MAX variables, or one longer than ENVIRONMENT_ITEM_MAX. ERR_MEMORY.
 *         *out is empty then. */
#ifndef GATEWAY_ENV_ENVIRONMENT_H
#define GATEWAY_ENV_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/err.h"
#include "gateway/env/account.h"

enum { ENVIRONMENT_MAX = 1024, ENVIRONMENT_ITEM_MAX = 64 * 1024 };

struct environment {
	char **items;           /* owns; count strings "NAME=value" and a NULL, as execve takes it */
	size_t count;
};

struct environment_pair {
	const char *name, *value;
};

struct environment_plan {
	const struct account *account;          /* HOME USER LOGNAME SHELL */
	const char *nix_folder;                 /* first in PATH; NULL: no Nix was found */
	bool daemon;                            /* NIX_REMOTE=daemon */
	const char *socket;                     /* NIX_DAEMON_SOCKET_PATH; NULL: where Nix looks by itself */
	const char *store_dir;                  /* NIX_STORE_DIR; NULL or "/nix/store": not set */
	const struct environment_pair *extra;   /* extra_count; each replaces what bears its name */
	size_t extra_count;
	const char *root;                       /* folders and files are looked for below it (tests); NULL: "" */
};

MUST_USE enum err environment_build(const struct environment_plan *plan, struct environment *out);
const char *environment_value(const struct environment *e, const char *name);  /* lent; NULL: not set */
void environment_free(struct environment *e);   /* leaves it empty; fine twice */

#endif
