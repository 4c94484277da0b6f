/* From inside: each thing that a parser taken over by a client would want, asked of the kernel, and seen to fail. Each case
 * is a process of its own, which must die of the call, or be refused by the call itself, before an argument of it counts. */
#include "gateway/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>

#include "gateway/base/log.h"

/* What a confined process ended with, besides a signal. */
enum { AS_EXPECTED = 0, NOT_CONFINED = 100, WENT_THROUGH = 101, NO_LANDLOCK = 102 };

static int held_pipe[2];        /* open before, as the client's descriptors are */
static pid_t child;             /* the backend's, where a case has one */

/* Runs `what` in a confined process. Returns what wait(2) says of it. */
static int confined(void (*what)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct sandbox_plan plan = { .child = child };
		unsigned held;
		char why[SENTENCE_MAX];

		if (sandbox_enter(&plan, &held, why) != ERR_NONE || (held & SANDBOX_CALLS) == 0)
			_exit(NOT_CONFINED);
		what();
		_exit(AS_EXPECTED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static void expect_exit(int status)
{
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), AS_EXPECTED);
}

/* --- what is gone --- */

static char root[] = "/";

static const struct forbidden {
	const char *name;
	long number;
	long arguments[4];
} forbidden[] = {
#define GONE(name, ...) { #name, SYS_##name, { __VA_ARGS__ } }
	GONE(openat, AT_FDCWD, (long)root, O_RDONLY),
	GONE(execve, (long)"/bin/true", 0, 0),
	GONE(execveat, -1, (long)root, 0, 0),
	GONE(socket, AF_UNIX, SOCK_STREAM, 0),
	GONE(socketpair, AF_UNIX, SOCK_STREAM, 0, 0),
	GONE(connect, 0, 0, 0),
	GONE(bind, 0, 0, 0),
	GONE(listen, 0, 1),
	GONE(accept4, 0, 0, 0, 0),
	GONE(sendto, 1, (long)root, 1, 0),
	GONE(sendmsg, 1, 0, 0),
	GONE(recvmsg, 0, 0, 0),
	GONE(clone, SIGCHLD, 0, 0, 0),
	GONE(ptrace, 0, 0, 0, 0),
	GONE(process_vm_readv, 1, 0, 0, 0),
	GONE(process_vm_writev, 1, 0, 0, 0),
	GONE(kill, 1, 0),
	GONE(tkill, 1, 0),
	GONE(tgkill, 1, 1, 0),
	GONE(wait4, -1, 0, 0, 0),
	GONE(prctl, PR_SET_DUMPABLE, 1, 0, 0),
	GONE(prlimit64, 0, RLIMIT_CORE, 0, 0),
	GONE(setuid, 0), GONE(setgid, 0), GONE(setresuid, -1, -1, -1), GONE(setgroups, 0, 0), GONE(capset, 0, 0),
	GONE(unlinkat, AT_FDCWD, (long)root, 0),
	GONE(renameat2, AT_FDCWD, (long)root, AT_FDCWD, (long)root),
	GONE(linkat, AT_FDCWD, (long)root, AT_FDCWD, (long)root),
	GONE(symlinkat, (long)root, AT_FDCWD, (long)root),
	GONE(mkdirat, AT_FDCWD, (long)root, 0),
	GONE(fchmod, 0, 0), GONE(fchown, 0, 0, 0),
	GONE(readlinkat, AT_FDCWD, (long)root, 0, 0),
	GONE(statx, AT_FDCWD, (long)root, 0, 0),
	GONE(fstat, 0, 0),
	GONE(getdents64, 0, 0, 0),
	GONE(chdir, (long)root), GONE(chroot, (long)root), GONE(fchdir, 0),
	GONE(mount, 0, 0, 0, 0), GONE(umount2, 0, 0), GONE(unshare, 0), GONE(setns, 0, 0), GONE(pivot_root, 0, 0),
	GONE(bpf, 0, 0, 0), GONE(perf_event_open, 0, 0, 0, 0), GONE(userfaultfd, 0), GONE(io_uring_setup, 1, 0),
	GONE(keyctl, 0, 0, 0, 0), GONE(add_key, 0, 0, 0, 0), GONE(memfd_create, (long)root, 0),
	GONE(open_by_handle_at, 0, 0, 0), GONE(personality, -1), GONE(init_module, 0, 0, 0), GONE(kexec_load, 0, 0, 0, 0),
	GONE(pidfd_open, 1, 0), GONE(pidfd_getfd, 0, 0, 0), GONE(pidfd_send_signal, 0, 0, 0, 0),
	GONE(dup, 0), GONE(dup3, 0, 1, 0), GONE(pipe2, 0, 0),
	GONE(tee, 0, 1, 0, 0), GONE(vmsplice, 1, 0, 0, 0), GONE(copy_file_range, 0, 0, 1, 0), GONE(sendfile, 1, 0, 0, 0),
	GONE(seccomp, 0, 0, 0), GONE(rt_sigaction, SIGSYS, 0, 0, 8), GONE(ioctl, 0, TIOCSTI, (long)root),
	GONE(fcntl, 0, F_DUPFD, 0), GONE(fcntl, 0, F_SETOWN, 1), GONE(fcntl, 0, F_NOTIFY, 0),
	GONE(mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS),
	GONE(mprotect, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC),
	GONE(pkey_mprotect, 0, 4096, PROT_EXEC, -1),
#ifdef SYS_open
	GONE(open, (long)root, O_RDONLY), GONE(creat, (long)root, 0), GONE(fork), GONE(vfork), GONE(stat, (long)root, 0),
	GONE(access, (long)root, 0), GONE(unlink, (long)root), GONE(rename, (long)root, (long)root),
	GONE(chmod, (long)root, 0), GONE(dup2, 0, 1),
#endif
#ifdef SYS_openat2
	GONE(openat2, AT_FDCWD, (long)root, 0, 0),
#endif
#ifdef SYS_clone3
	GONE(clone3, 0, 0),
#endif
#undef GONE
};

static const struct forbidden *asked;

static void ask(void)
{
	const long *a = asked->arguments;

	(void)syscall(asked->number, a[0], a[1], a[2], a[3], 0L, 0L);
	_exit(WENT_THROUGH);
}

static void each_call_that_is_not_listed_kills(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
		int status;

		asked = &forbidden[i];
		status = confined(ask);
		if (!killed(status))
			fail_msg("%s (%zu) did not kill the process: wait says %x", asked->name, i, (unsigned)status);
	}
}

#ifdef __x86_64__
static void call_as_x32(void)
{
	(void)syscall(0x40000000 | SYS_getpid);
	_exit(WENT_THROUGH);
}

/* The number that is getpid to 32 bits; to ours it is writev, which is allowed. */
static void call_as_i386(void)
{
	long result = 20;

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory");
	_exit(WENT_THROUGH);
}

static void calls_of_another_architecture_kill(void **state)
{
	int status;

	(void)state;
	assert_true(killed(confined(call_as_x32)));
	status = confined(call_as_i386);
	/* A kernel without the 32-bit calls ends the process by itself. */
	assert_true(killed(status) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV));
}
#endif

/* --- a system that has no seccomp: what remains, and what is said of it --- */

/* For this process there is none from here on. */
static bool hide_seccomp(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	bool hidden = filter != NULL &&
		      seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0) == 0 &&
		      seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
				       SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP, 0)) == 0 &&
		      seccomp_load(filter) == 0;

	seccomp_release(filter);
	return hidden;
}

static bool is_refused(long result)
{
	return result < 0 && (errno == EACCES || errno == EPERM || errno == EXDEV);
}

/* Each line is a way to a file or out of the process that is open to anybody else. Returns the first that was not refused. */
static int first_way_out(void)
{
	if (!is_refused(open("/etc/passwd", O_RDONLY)))
		return 1;
	if (!is_refused(open("/", O_RDONLY | O_DIRECTORY)))
		return 2;
	if (!is_refused(open("/tmp/nix-gateway-test", O_WRONLY | O_CREAT, 0600)))
		return 3;
	if (!is_refused(mkdir("/tmp/nix-gateway-test", 0700)))
		return 4;
	if (!is_refused(execl("/bin/true", "true", (char *)NULL)))
		return 5;
	return 0;
}

static void without_seccomp_it_fails_and_says_so_and_files_are_gone(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct sandbox_plan plan = { .child = 0 };
		char why[SENTENCE_MAX] = "";
		unsigned held = SANDBOX_CALLS;

		if (!hide_seccomp())
			_exit(NOT_CONFINED);
		if (sandbox_enter(&plan, &held, why) != ERR_IO || (held & SANDBOX_CALLS) != 0)
			_exit(10);
		if (strstr(why, "the process cannot be confined: seccomp: ") != why)
			_exit(11);
		if ((held & SANDBOX_FILES) == 0)
			_exit(NO_LANDLOCK);
		_exit(first_way_out());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_LANDLOCK)
		skip();
	assert_int_equal(WEXITSTATUS(status), AS_EXPECTED);
}

/* --- what is left --- */

static void use_what_is_left(void)
{
	struct pollfd poll_in = { .fd = held_pipe[0], .events = POLLIN };
	struct timespec moment = { .tv_nsec = 1000 };
	char byte = 'x', *much;
	int waiting;

	if (write(held_pipe[1], &byte, 1) != 1 || poll(&poll_in, 1, 1000) != 1)
		_exit(1);
	if (ioctl(held_pipe[0], FIONREAD, &waiting) != 0 || waiting != 1 || read(held_pipe[0], &byte, 1) != 1)
		_exit(2);
	if (fcntl(held_pipe[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(held_pipe[0], F_GETFL) < 0)
		_exit(3);
	much = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (much == MAP_FAILED || munmap(much, 1 << 20) != 0)
		_exit(4);
	if (nanosleep(&moment, NULL) != 0 || clock_gettime(CLOCK_MONOTONIC, &moment) != 0 || time(NULL) <= 0)
		_exit(5);
	if (poll(&poll_in, 1, 0) != 0)
		_exit(6);
}

static void bytes_memory_and_time_are_left(void **state)
{
	(void)state;
	expect_exit(confined(use_what_is_left));
}

static int compare_numbers(const void *a, const void *b)
{
	const int *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* What a C library asks the system for behind our back: qsort of glibc before 2.39, how much memory there is. */
static void sort_much(void)
{
	enum { MANY = 100 * 1000 };
	int *numbers = calloc(MANY, sizeof *numbers);

	if (numbers == NULL)
		_exit(1);
	for (int i = 0; i < MANY; i++)
		numbers[i] = (MANY - i) * 7 % MANY;
	qsort(numbers, MANY, sizeof *numbers, compare_numbers);
	for (int i = 1; i < MANY; i++)
		if (numbers[i - 1] > numbers[i])
			_exit(2);
	free(numbers);
}

static void sorting_is_left(void **state)
{
	(void)state;
	expect_exit(confined(sort_much));
}

static void poll_six(void)
{
	struct pollfd polls[6] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };

	if (poll(polls, 6, 0) != 0)
		_exit(1);
}

static void poll_takes_all_ends_of_a_session(void **state)
{
	(void)state;
	expect_exit(confined(poll_six));
}

static void ask_for_too_much(void)
{
	if (mmap(NULL, (size_t)600 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED || errno != ENOMEM)
		_exit(1);
}

static void memory_has_its_limit(void **state)
{
	(void)state;
	expect_exit(confined(ask_for_too_much));
}

/* --- the backend's child --- */

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)setpgid(0, 0);
		sleep(30);
		_exit(0);
	}
	(void)setpgid(pid, pid);
	return pid;
}

static void end_group(void)
{
	if (kill(-child, SIGTERM) != 0)
		_exit(1);
}

static void end_child_alone(void)
{
	(void)kill(child, SIGTERM);
	_exit(WENT_THROUGH);
}

static void end_another(void)
{
	(void)kill(-(child - 1), 0);
	_exit(WENT_THROUGH);
}

/* Not its parent here, so there is none to wait for; but the call is let through. */
static void wait_for_child(void)
{
	if (waitpid(child, NULL, WNOHANG) != -1 || errno != ECHILD)
		_exit(1);
}

static void the_child_may_be_ended_and_no_other(void **state)
{
	int status;

	(void)state;
	child = start_sleeper();
	assert_true(killed(confined(end_child_alone)));
	assert_true(killed(confined(end_another)));
	expect_exit(confined(wait_for_child));
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	expect_exit(confined(end_group));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	child = 0;
}

static void names_say_what_holds(void **state)
{
	(void)state;
	assert_string_equal(sandbox_name(0), "none");
	assert_string_equal(sandbox_name(SANDBOX_CALLS), "seccomp");
	assert_string_equal(sandbox_name(SANDBOX_FILES), "landlock");
	assert_string_equal(sandbox_name(SANDBOX_CALLS | SANDBOX_FILES), "seccomp+landlock");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_that_is_not_listed_kills),
#ifdef __x86_64__
		cmocka_unit_test(calls_of_another_architecture_kill),
#endif
		cmocka_unit_test(without_seccomp_it_fails_and_says_so_and_files_are_gone),
		cmocka_unit_test(bytes_memory_and_time_are_left),
		cmocka_unit_test(sorting_is_left),
		cmocka_unit_test(poll_takes_all_ends_of_a_session),
		cmocka_unit_test(memory_has_its_limit),
		cmocka_unit_test(the_child_may_be_ended_and_no_other),
		cmocka_unit_test(names_say_what_holds),
	};

	if (pipe(held_pipe) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
