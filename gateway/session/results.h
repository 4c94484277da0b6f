/* results: what a build came to. BuildPathsWithResults also for daemons older than it (1.34): they get BuildPaths, and
 * the results are made from what they then say of the outputs.
 * Owner   replies live in s->arena.
 * Errors  as session.h. */
#ifndef GATEWAY_SESSION_RESULTS_H
#define GATEWAY_SESSION_RESULTS_H

#include "gateway/session/upstream.h"

/* Statuses of a BuildResult. Clients refuse those they do not know, so what is over the last one becomes MISC_FAILURE. */
enum build_status {
	STATUS_BUILT = 0, STATUS_SUBSTITUTED = 1, STATUS_ALREADY_VALID = 2, STATUS_MISC_FAILURE = 9,
	STATUS_RESOLVES_TO_ALREADY_VALID = 13, STATUS_LAST = 14
};

bool status_is_success(uint64_t status);
const char *status_name(uint64_t status);       /* "built", "substituted", ... for the audit */

/* Has the targets (a list of derived paths) built, with the log going to the client. *results: the items of a reply of
 * BuildPathsWithResults, one per target where the daemon is old. error->failed: the daemon answered with an ERROR. */
MUST_USE enum err results_build(struct session *s, const struct value *targets, uint64_t mode,
				const struct value **results, struct daemon_error *error);

/* A result (values of `from`) in the words of another shape: worker, keyed or serve; what `to` has not is left out. */
MUST_USE enum err result_copy(struct session *s, const struct value *result, const struct shape *from,
			      const struct shape *to, struct value **copy);

#endif
