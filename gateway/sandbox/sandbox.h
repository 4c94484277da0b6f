/* sandbox: locks this process in before it hears a byte of the client. Afterwards it moves bytes between the
 * descriptors it holds, and nothing else: whoever takes over a parser finds no file, no socket and no program to reach.
 * One file per platform implements this header; a platform without its file does not build.
 *
 * Whatever is needed later must be open or looked up before: the daemon, the audit, the spool, the time zone.
 * Nothing here can be undone. The process must have one thread.
 * Owner   `why` has SENTENCE_MAX bytes.
 * Errors  ERR_IO: the lock that matters (SANDBOX_CALLS) is not in force, and *why says what the system answered. The
 *         others may be in force all the same; *held tells. */
#ifndef GATEWAY_SANDBOX_SANDBOX_H
#define GATEWAY_SANDBOX_SANDBOX_H

#include <sys/types.h>

#include "gateway/base/err.h"

enum sandbox_lock {
	SANDBOX_CALLS = 1 << 0,         /* only the listed system calls (seccomp), or operations (seatbelt) */
	SANDBOX_FILES = 1 << 1          /* no file, whatever the call (landlock); where SANDBOX_CALLS does not cover that */
};

struct sandbox_plan {
	pid_t child;                    /* may be ended and waited for, its whole process group; 0: there is none */
};

MUST_USE enum err sandbox_enter(const struct sandbox_plan *plan, unsigned *held, char *why);

/* What holds a process under these locks, for audit and people: "seccomp+landlock", "seatbelt", "none". Static. */
const char *sandbox_name(unsigned held);

#endif
