/* builder: what this machine offers a session: the account, its policy, its Nix and the environment that follows.
 * Owner   a struct builder owns all of it until builder_free. */
#ifndef GATEWAY_CLI_BUILDER_H
#define GATEWAY_CLI_BUILDER_H

#include <stdbool.h>

#include "gateway/base/log.h"
#include "gateway/env/account.h"
#include "gateway/env/environment.h"
#include "gateway/env/nix.h"
#include "gateway/session/backend.h"
#include "policy/load.h"

struct builder {
	struct account account;
	struct policy *policy;          /* owns; NULL until loaded */
	struct nix nix;                 /* nix.daemon NULL: none was found */
	struct backend backend;
	bool daemon_found;
	struct environment environment;
};

/* A builder of nothing, so that builder_free is fine at any time. */
void builder_init(struct builder *b);
void builder_free(struct builder *b);

/* The steps in their order; each false with a sentence in `why` (SENTENCE_MAX bytes). A caller, or NULL: as for
 * policy_load_for. */
bool builder_load(struct builder *b, const struct caller *caller, const char *policy_path, enum policy_trustee trustee,
		  char *why);
bool builder_find_nix(struct builder *b, char *why);
bool builder_find_daemon(struct builder *b, char *why);
bool builder_make_environment(struct builder *b, char *why);

/* The daemon, ready to be spoken to: its socket, or where there is none, a child of ours, for which alone Nix itself is
 * needed. */
bool builder_reach_daemon(struct builder *b, char *why);

#endif
