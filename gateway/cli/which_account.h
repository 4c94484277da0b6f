/* which_account: whose builder a command is about, where it is not the account itself that asks.
 * Owner   a struct which holds its texts. `why`: SENTENCE_MAX bytes. */
#ifndef GATEWAY_CLI_WHICH_ACCOUNT_H
#define GATEWAY_CLI_WHICH_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

#include "gateway/base/log.h"

struct which {
	char name[256];
	uid_t uid;
	gid_t gid;
};

/* The account `named` on the command line; where that is NULL, for root the only one whose login shell is `program`, and
 * for all others their own. False with a sentence: there is none, or more than one, or it is root. */
MUST_USE bool which_account(const char *named, const char *program, struct which *out, char *why);

/* Takes the account's rights, and no others, for good. Nothing to do where we have them already. */
MUST_USE bool which_become(const struct which *which, char *why);

#endif
