#include "tests/unit/env/place.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "gateway/env/descriptors.h"

/* What closes descriptors runs in a child, for the test itself needs its own. Returns the child's exit status. */
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

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0 || errno != EBADF;
}

/* Opens a few descriptors, one of them far up and two behind a lowered limit. */
static void open_some(void)
{
	struct rlimit limit;

	for (int fd = 3; fd < 12; fd++)
		(void)dup2(0, fd);
	(void)dup2(0, 200);
	(void)dup2(0, 900);
	(void)dup2(0, 901);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = 64;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int all_from(int first, enum err (*close_them)(int))
{
	open_some();
	if (close_them(first) != ERR_NONE)
		return 1;
	for (int fd = 0; fd < 1024; fd++)
		if (is_open(fd) != (fd < first))
			return 2;
	return 0;
}

static int close_from_three(void)
{
	return all_from(3, descriptors_close_from);
}

static int close_listed_from_three(void)
{
	return all_from(3, descriptors_close_listed);
}

static int close_listed_from_five(void)
{
	return all_from(5, descriptors_close_listed);
}

static void every_descriptor_from_three_up_is_closed(void **unused)
{
	(void)unused;
	assert_int_equal(in_child(close_from_three), 0);
}

static void the_portable_way_closes_the_same(void **unused)
{
	(void)unused;
	assert_int_equal(in_child(close_listed_from_three), 0);
	assert_int_equal(in_child(close_listed_from_five), 0);
}

static int is_null(int fd)
{
	struct stat ours, null;

	return fstat(fd, &ours) == 0 && stat("/dev/null", &null) == 0 && ours.st_rdev == null.st_rdev &&
	       S_ISCHR(ours.st_mode) && (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
}

static int fill_after_closing(unsigned closed)
{
	int other = open("/", O_RDONLY | O_DIRECTORY), lowest;

	if (other < 3)
		return 1;
	for (int fd = 0; fd < 3; fd++)
		if ((closed & 1u << fd) != 0 ? close(fd) : dup2(other, fd) < 0)
			return 2;
	if (descriptors_fill_standard() != ERR_NONE)
		return 3;
	for (int fd = 0; fd < 3; fd++)
		if (is_null(fd) != ((closed & 1u << fd) != 0))
			return 4;
	lowest = open("/", O_RDONLY | O_DIRECTORY);     /* nothing was left open behind them */
	return lowest == other + 1 ? 0 : 5;
}

static int fill_none(void)
{
	return fill_after_closing(0);
}

static int fill_output(void)
{
	return fill_after_closing(2);
}

static int fill_outer(void)
{
	return fill_after_closing(5);
}

static int fill_all(void)
{
	return fill_after_closing(7);
}

static void closed_standard_descriptors_become_the_null_device(void **unused)
{
	(void)unused;
	assert_int_equal(in_child(fill_none), 0);
	assert_int_equal(in_child(fill_output), 0);
	assert_int_equal(in_child(fill_outer), 0);
	assert_int_equal(in_child(fill_all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_descriptor_from_three_up_is_closed),
		cmocka_unit_test(the_portable_way_closes_the_same),
		cmocka_unit_test(closed_standard_descriptors_become_the_null_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
