/* doctor_way: by which ways sshd leads from a login to the gateway: for the checks of sshd. */
#ifndef GATEWAY_CLI_DOCTOR_WAY_H
#define GATEWAY_CLI_DOCTOR_WAY_H

#include "gateway/cli/doctor.h"

#define IN_MATCH "in the account's Match block of sshd_config"

struct way {
	bool forced, forced_is_ours, forced_names_key;
	bool asks_us;                   /* AuthorizedKeysCommand is ours: each of its lines forces the gateway */
	char policy[PATH_MAX];          /* what the forced command says; "": nothing */
};

struct way find_way(const struct doctor *d);

/* Has sshd's setting a value that is not "none"? */
bool way_is_set(const struct doctor *d, const char *name);

/* `restrict` on every key is as good as sshd's own settings, where keys are all that lets in. */
bool way_is_restricted(const struct doctor *d);

#endif
