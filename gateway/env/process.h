/* process: the state a process inherits besides its environment, put in order.
 * Errors  ERR_IO: the step that failed is named in *why (SENTENCE_MAX bytes); the process must not go on.
 * Note    on Linux the process is not dumpable afterwards, so without being root it can no longer read its own
 *         /proc/self/exe, fd or maps: whoever needs its own path asks before. */
#ifndef GATEWAY_ENV_PROCESS_H
#define GATEWAY_ENV_PROCESS_H

#include "gateway/base/err.h"

enum process_sigpipe {
	PROCESS_SIGPIPE_DEFAULT,
	PROCESS_SIGPIPE_IGNORED         /* a peer that has gone is an EPIPE where it is written to, not our end */
};

enum { PROCESS_FILES = 65536 };         /* soft limit of open files that is asked for, within the hard one */

/* Once, first thing in main: descriptors from 3 up closed, 0 to 2 open, signals default and none blocked, umask 077,
 * cwd /, no core file, as many open files as we may have, not dumpable (no other session of this account traces us). */
MUST_USE enum err process_settle(enum process_sigpipe sigpipe, char *why);

/* In the process that is about to become another program: every signal default, none blocked. Safe after fork. */
void process_before_exec(void);

#endif
