#include "gateway/env/process_system.h"

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

/* <sys/ptrace.h> is part of Apple's SDK alone; the call itself is in libSystem. ptrace(2): no process may attach from
 * now on, and one that already traces us sees us end. */
enum { DENY_ATTACH = 31 };
int ptrace(int request, pid_t pid, caddr_t address, int data);

/* setrlimit(2): the hard limit is said to be none, but a soft one above kern.maxfilesperproc is refused. */
const rlim_t process_files_surely = OPEN_MAX;

enum err process_forbid_tracing(void)
{
	return ptrace(DENY_ATTACH, 0, NULL, 0) == 0 ? ERR_NONE : ERR_IO;
}

void process_end_with(pid_t parent)
{
	(void)parent;
}
