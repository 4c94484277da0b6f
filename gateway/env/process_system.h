/* process_system: what process does in a way of its own on each system: process_linux.c, process_darwin.c. */
#ifndef GATEWAY_ENV_PROCESS_SYSTEM_H
#define GATEWAY_ENV_PROCESS_SYSTEM_H

#include <sys/resource.h>
#include <sys/types.h>

#include "gateway/base/err.h"

/* No other process of this account may trace us from now on. ERR_IO, errno says why. */
MUST_USE enum err process_forbid_tracing(void);

/* In a child: it is killed when `parent`, which has forked it, is no more, however that ended; at once where it is no more
 * already. A system without such a thing leaves it to the child to notice that its input has ended. */
void process_end_with(pid_t parent);

/* So many open files can be had even where setrlimit refuses more that the hard limit would allow; 0: no such case. */
extern const rlim_t process_files_surely;

#endif
