/* Linux: seccomp lists the system calls that are left, by libseccomp; landlock takes away every file beside them. Either
 * would do against open(2). Only seccomp stops connect(2) to a Unix socket, which would be a second, unfiltered
 * connection to the daemon; only landlock still stands should a listed call turn out to reach a file. */
#include "gateway/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

#include "gateway/base/log.h"

/* --- limits: what even an allowed call may not do --- */

enum {
	MEMORY_MAX = 512 * 1024 * 1024, /* address space; far over what the bounds of messages add up to */
	FILES_MAX = 8                   /* no call opens any more, but poll(2) takes no more entries than this says */
};

/* A limit that was lower already stays. */
static struct rlimit lowered(struct rlimit now, rlim_t most)
{
	if (now.rlim_max < most)
		most = now.rlim_max;
	return (struct rlimit){ .rlim_cur = most, .rlim_max = most };
}

/* A macro, for what a resource is in C differs from library to library. */
#define LOWER(resource, most) \
	(getrlimit(resource, &limit) == 0 && (limit = lowered(limit, most), setrlimit(resource, &limit) == 0))

static bool set_limits(void)
{
	struct rlimit limit;

	return LOWER(RLIMIT_CORE, 0) && LOWER(RLIMIT_NPROC, 0) && LOWER(RLIMIT_NOFILE, FILES_MAX) &&
	       LOWER(RLIMIT_AS, MEMORY_MAX);
}

/* --- landlock: its numbers are the kernel's, and headers older than the kernel do not know them all --- */

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif

enum {
	RULESET_VERSION = 1 << 0,
	FILES_ABI_1 = (1 << 13) - 1,    /* execute, read, write, list, remove, make */
	FILES_REFER = 1 << 13, FILES_TRUNCATE = 1 << 14, FILES_IOCTL = 1 << 15,
	NET_BIND_TCP = 1 << 0, NET_CONNECT_TCP = 1 << 1,
	SCOPE_ABSTRACT_SOCKET = 1 << 0, SCOPE_SIGNAL = 1 << 1
};

struct ruleset {
	uint64_t files, net, scoped;
};

/* Everything this kernel can take away. A child is outside and must still hear our signal. */
static struct ruleset ruleset_of(long abi, bool has_child)
{
	struct ruleset rules = { .files = FILES_ABI_1 };

	if (abi >= 2)
		rules.files |= FILES_REFER;
	if (abi >= 3)
		rules.files |= FILES_TRUNCATE;
	if (abi >= 4)
		rules.net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 5)
		rules.files |= FILES_IOCTL;
	if (abi >= 6)
		rules.scoped = SCOPE_ABSTRACT_SOCKET | (has_child ? 0u : (unsigned)SCOPE_SIGNAL);
	return rules;
}

/* A kernel takes no more of the structure than it knows. */
static size_t ruleset_size(long abi)
{
	return abi >= 6 ? sizeof(struct ruleset) : abi >= 4 ? offsetof(struct ruleset, scoped) : offsetof(struct ruleset, net);
}

/* No rule is added to the set, so nothing of what it handles is allowed. */
static bool take_files(bool has_child)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION), fd;
	struct ruleset rules;
	bool taken;

	if (abi < 1)
		return false;
	rules = ruleset_of(abi, has_child);
	fd = syscall(SYS_landlock_create_ruleset, &rules, ruleset_size(abi), 0);
	if (fd < 0)
		return false;
	taken = syscall(SYS_landlock_restrict_self, (int)fd, 0) == 0;
	close((int)fd);
	return taken;
}

/* --- seccomp: what is not listed here kills the process --- */

static const int plain_calls[] = {
	/* bytes between the descriptors we hold */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(splice), SCMP_SYS(close), SCMP_SYS(restart_syscall),
	/* the spool, and the files of limits that all sessions share */
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(ftruncate),
	SCMP_SYS(ftruncate64), SCMP_SYS(flock), SCMP_SYS(fstatfs), SCMP_SYS(fstatfs64),
	/* memory; mmap and mprotect see below */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	/* time, chance, locks of the C library, the end */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(getrandom), SCMP_SYS(getpid),
	SCMP_SYS(futex), SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* how much memory there is, which qsort of glibc before 2.39 wants to know */
	SCMP_SYS(sysinfo),
};

/* Allowed where one argument is as said. Kernels read 32 bits of these, so the rest is not looked at. */
static const struct guarded {
	int call;
	unsigned argument;
	uint64_t mask, value;
} guarded_calls[] = {
#ifdef SYS_mmap2                        /* beside it, the old call may have its arguments in memory, where no filter looks */
	{ SCMP_SYS(mmap2), 2, PROT_EXEC, 0 },
#else
	{ SCMP_SYS(mmap), 2, PROT_EXEC, 0 },
#endif
	{ SCMP_SYS(mprotect), 2, PROT_EXEC, 0 },
	{ SCMP_SYS(fcntl), 1, UINT32_MAX, F_GETFL },
	{ SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETFL },
	{ SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETPIPE_SZ },
	{ SCMP_SYS(fcntl64), 1, UINT32_MAX, F_GETFL },
	{ SCMP_SYS(fcntl64), 1, UINT32_MAX, F_SETFL },
	{ SCMP_SYS(fcntl64), 1, UINT32_MAX, F_SETPIPE_SZ },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, FIONREAD },
	{ SCMP_SYS(ioctl), 1, UINT32_MAX, TIOCOUTQ },
};

static bool allow_guarded(scmp_filter_ctx filter, int call, unsigned argument, uint64_t mask, uint64_t value)
{
	const struct scmp_arg_cmp is = SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, mask, value);

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &is) == 0;
}

/* The child leads its process group: it is signalled as a group, and waited for alone. */
static bool allow_child(scmp_filter_ctx filter, pid_t child)
{
	return allow_guarded(filter, SCMP_SYS(kill), 0, UINT32_MAX, (uint32_t)-child) &&
	       allow_guarded(filter, SCMP_SYS(wait4), 0, UINT32_MAX, (uint32_t)child) &&
	       allow_guarded(filter, SCMP_SYS(waitpid), 0, UINT32_MAX, (uint32_t)child);
}

static bool fill(scmp_filter_ctx filter, pid_t child)
{
	bool whole = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0;

	for (size_t i = 0; whole && i < sizeof plain_calls / sizeof *plain_calls; i++)
		whole = seccomp_rule_add(filter, SCMP_ACT_ALLOW, plain_calls[i], 0) == 0;
	for (size_t i = 0; whole && i < sizeof guarded_calls / sizeof *guarded_calls; i++) {
		const struct guarded *g = &guarded_calls[i];

		whole = allow_guarded(filter, g->call, g->argument, g->mask, g->value);
	}
	return whole && (child <= 0 || allow_child(filter, child));
}

/* The calls of another architecture are refused with the rest: libseccomp lists none but our own. 0, or an errno. */
static int take_calls(pid_t child)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int status;

	if (filter == NULL)             /* this kernel has not the action that it begins with */
		return ENOSYS;
	status = fill(filter, child) ? seccomp_load(filter) : -EINVAL;
	seccomp_release(filter);
	return -status;
}

enum err sandbox_enter(const struct sandbox_plan *plan, unsigned *held, char *why)
{
	int error;

	*held = 0;
	if (!set_limits() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		log_sentence(why, "the process cannot be confined: %s", strerror(errno));
		return ERR_IO;
	}
	if (take_files(plan->child > 0))
		*held |= SANDBOX_FILES;
	error = take_calls(plan->child);
	if (error != 0) {
		log_sentence(why, "the process cannot be confined: seccomp: %s", strerror(error));
		return ERR_IO;
	}
	*held |= SANDBOX_CALLS;
	return ERR_NONE;
}

const char *sandbox_name(unsigned held)
{
	static const char *const names[] = {
		[0] = "none", [SANDBOX_CALLS] = "seccomp", [SANDBOX_FILES] = "landlock",
		[SANDBOX_CALLS | SANDBOX_FILES] = "seccomp+landlock",
	};

	return names[held & (SANDBOX_CALLS | SANDBOX_FILES)];
}
