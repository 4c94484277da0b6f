#include "tests/unit/env/place.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "gateway/env/process.h"

enum { NOT_PERMITTED = 77 };

/* Settling cannot be undone, so each test does it in a child that leaves without the sanitizer's last look round.
 * The child's exit status is the number of the first thing that is not as it should be. */
static int in_child(int (*work)(void))
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(work());
	assert_true(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void ignored(int number)
{
	(void)number;
}

/* As bad a start as an attacker could arrange. */
static void disarrange(void)
{
	struct rlimit cores = { .rlim_cur = 4096, .rlim_max = RLIM_INFINITY }, files;
	sigset_t all;

	(void)dup2(0, 7);
	(void)dup2(0, 99);
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, number % 2 == 0 ? SIG_IGN : ignored);
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	umask(0);
	(void)!chdir("/tmp");
	(void)getrlimit(RLIMIT_CORE, &files);
	cores.rlim_max = files.rlim_max;
	cores.rlim_cur = cores.rlim_cur < files.rlim_max ? cores.rlim_cur : files.rlim_max;
	(void)setrlimit(RLIMIT_CORE, &cores);
	(void)getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max < 256 ? files.rlim_max : 256;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static int settled(enum process_sigpipe sigpipe)
{
	char why[SENTENCE_MAX];

	disarrange();
	return process_settle(sigpipe, why) == ERR_NONE;
}

/* Is every signal default (but SIGPIPE as said) and none blocked? */
static int signals_are(void (*sigpipe)(int))
{
	sigset_t blocked;

	for (int number = 1; number < NSIG; number++) {
		struct sigaction now;

		if (sigaction(number, NULL, &now) != 0)
			continue;
		if (now.sa_handler != (number == SIGPIPE ? sigpipe : SIG_DFL))
			return 0;
	}
	(void)sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int number = 1; number < NSIG; number++)
		if (sigismember(&blocked, number) == 1)
			return 0;
	return 1;
}

static int settle_and_look(void)
{
	struct rlimit limit;
	char cwd[PATH_MAX];

	if (!settled(PROCESS_SIGPIPE_IGNORED))
		return 1;
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 2;
	if (umask(0) != 077)
		return 3;
	if (getcwd(cwd, sizeof cwd) == NULL || strcmp(cwd, "/") != 0)
		return 4;
	if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 || limit.rlim_max != 0)
		return 5;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur != (limit.rlim_max < PROCESS_FILES ? limit.rlim_max : PROCESS_FILES))
		return 6;
	return 0;
}

static int settle_and_look_at_signals(void)
{
	return settled(PROCESS_SIGPIPE_IGNORED) && signals_are(SIG_IGN) ? 0 : 1;
}

static int settle_without_ignoring(void)
{
	return settled(PROCESS_SIGPIPE_DEFAULT) && signals_are(SIG_DFL) ? 0 : 1;
}

static int settle_and_prepare_for_exec(void)
{
	if (!settled(PROCESS_SIGPIPE_IGNORED))
		return 1;
	process_before_exec();
	return signals_are(SIG_DFL) ? 0 : 2;
}

static int settle_with_many_files_allowed(void)
{
	struct rlimit before, after;
	char why[SENTENCE_MAX];

	(void)getrlimit(RLIMIT_NOFILE, &before);
	if (before.rlim_max < 2 * PROCESS_FILES)
		before.rlim_max = 2 * PROCESS_FILES;
	before.rlim_cur = before.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &before) != 0)
		return NOT_PERMITTED;
	if (process_settle(PROCESS_SIGPIPE_IGNORED, why) != ERR_NONE)
		return 1;
	(void)getrlimit(RLIMIT_NOFILE, &after);
	return after.rlim_cur == before.rlim_cur ? 0 : 2;
}

#ifdef __linux__
static int settle_and_ask_dumpable(void)
{
	return settled(PROCESS_SIGPIPE_IGNORED) && prctl(PR_GET_DUMPABLE) == 0 ? 0 : 1;
}
#endif

static void what_was_inherited_is_put_in_order(void **unused)
{
	(void)unused;
	assert_int_equal(in_child(settle_and_look), 0);
}

static void signals_are_default_and_sigpipe_as_asked(void **unused)
{
	(void)unused;
	assert_int_equal(in_child(settle_and_look_at_signals), 0);
	assert_int_equal(in_child(settle_without_ignoring), 0);
}

static void before_exec_sigpipe_is_default_again(void **unused)
{
	(void)unused;
	assert_int_equal(in_child(settle_and_prepare_for_exec), 0);
}

static void a_higher_limit_of_files_is_left_alone(void **unused)
{
	int status = in_child(settle_with_many_files_allowed);

	(void)unused;
	if (status == NOT_PERMITTED)
		skip();                 /* only who may raise the hard limit can show it */
	assert_int_equal(status, 0);
}

static void no_other_process_of_the_account_can_trace_us(void **unused)
{
	(void)unused;
#ifdef __linux__
	assert_int_equal(in_child(settle_and_ask_dumpable), 0);
#else
	skip();
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_inherited_is_put_in_order),
		cmocka_unit_test(signals_are_default_and_sigpipe_as_asked),
		cmocka_unit_test(before_exec_sigpipe_is_default_again),
		cmocka_unit_test(a_higher_limit_of_files_is_left_alone),
		cmocka_unit_test(no_other_process_of_the_account_can_trace_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
