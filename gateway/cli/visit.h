/* visit: one run of `serve`: who came, what they asked for, and what is known of the builder by then.
 * The steps are taken in their order; the first that fails refuses the session with a sentence people read. */
#ifndef GATEWAY_CLI_VISIT_H
#define GATEWAY_CLI_VISIT_H

#include <stdbool.h>

#include "gateway/audit/audit.h"
#include "gateway/cli/builder.h"
#include "gateway/identity/ssh_key.h"
#include "gateway/sandbox/sandbox.h"
#include "gateway/session/command.h"
#include "policy/decide.h"

struct visit {
	const char *key_option;         /* borrows; --key, NULL: not given */
	const char *policy_path;        /* borrows */
	const char *request;            /* borrows; what the client asked for; NULL: nothing */
	bool key_option_is_claim;       /* the client itself may have written it: it must agree with what sshd says */

	struct command command;
	struct builder builder;
	struct ssh_identity identity;
	bool identified;                /* sshd told us the key: identity is filled */
	const struct key *key;          /* borrows from the policy */
	struct audit audit;
	bool confined;                  /* visit_confine was here: nothing can be opened or started any more */
	unsigned locks;                 /* enum sandbox_lock; what came of it */
	char peer[64];                  /* the client's address; "" where sshd did not say */
	int64_t started_ms;
};

void visit_init(struct visit *v);
void visit_free(struct visit *v);

/* Everything up to the key's right to be here: policy, identity, command, session verdict, audit.
 * False: the session was refused and *status is the exit status. */
bool visit_admit(struct visit *v, int *status);

/* Locks the process in, as the policy has it; the last step before the client is listened to. A backend's child is known by
 * then. False with a sentence in `why` (SENTENCE_MAX bytes): the policy requires what cannot be had. */
bool visit_confine(struct visit *v, char *why);
/* What holds the process, for the audit and people; static. */
const char *visit_sandbox(const struct visit *v);

/* Refuses: one sentence on stderr, in the audit, and for the worker protocol on the wire. Returns the exit status. */
int visit_refuse(struct visit *v, const char *sentence, const struct rule *rule);
/* The same where the reason is for the administrator alone, who finds it in the audit. */
int visit_refuse_because(struct visit *v, const char *sentence, const char *reason);

/* Writes one record; on failure refuses the session and returns false with *status set. */
bool visit_record(struct visit *v, const char *event, const struct audit_field *fields, size_t count, int *status);

#endif
