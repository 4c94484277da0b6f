/* child: another program, run to its end within bounds: no shell, only the environment given, so much time, so much of
 * what it says, no terminal, and nothing of its process group left afterwards.
 * Owner   all that a plan names, and the outputs' bytes, are the caller's.
 * Units   milliseconds; an output's size and len count bytes.
 * Errors  ERR_IO: it could not be started, errno says why. ERR_TIMEOUT: it, or somebody who kept its output open, was not
 *         done in time; its whole process group is ended then. A program that fails is no error: see `status`. */
#ifndef GATEWAY_ENV_CHILD_H
#define GATEWAY_ENV_CHILD_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"

struct child_output {
	char *bytes;
	size_t size, len;               /* what is over `size` is not read: the program meets a closed pipe */
};

struct child_plan {
	const char *program;            /* absolute */
	const char *const *arguments;   /* the first is the name it is called by; ends in NULL */
	char *const *environment;       /* all it gets; ends in NULL */
	const char *folder;             /* where it starts, if it can; NULL: where we are */
	int64_t limit_ms;
};

/* out, err: where stdout and stderr go; NULL: nowhere. stdin is empty. *status: what it ended with, as a shell has it:
 * 127: it is no program that runs; 128 and the number of the signal that ended it. */
MUST_USE enum err child_run(const struct child_plan *plan, struct child_output *out, struct child_output *err,
			    int *status);

#endif
