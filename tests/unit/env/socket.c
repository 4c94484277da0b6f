#include "tests/unit/env/place.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "gateway/env/socket.h"

static int bound(const struct place *p, const char *at)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(snprintf(address.sun_path, sizeof address.sun_path, "%s%s", p->folder, at) > 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void assert_no_daemon(const char *path, enum err err, const char *reason)
{
	char why[SENTENCE_MAX] = "", expected[SENTENCE_MAX];
	int fd = 0;

	assert_int_equal(daemon_connect(path, &fd, why), err);
	assert_int_equal(fd, -1);
	snprintf(expected, sizeof expected, "%s: %s", path, reason);
	assert_string_equal(why, expected);
}

static void a_listening_daemon_is_connected_to(void **state)
{
	char path[PATH_MAX], why[SENTENCE_MAX], byte = 0;
	int listener = bound(*state, "/socket"), fd = -1, accepted;

	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(daemon_connect(path_at(*state, "/socket", path), &fd, why), ERR_NONE);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	accepted = accept(listener, NULL, NULL);
	assert_true(accepted >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(accepted, &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close(accepted);
	close(fd);
	close(listener);
}

static void a_socket_nobody_listens_on_is_refused(void **state)
{
	char path[PATH_MAX];
	int listener = bound(*state, "/socket");

	assert_no_daemon(path_at(*state, "/socket", path), ERR_IO, "Connection refused");
	close(listener);
	assert_no_daemon(path, ERR_IO, "Connection refused");
}

static void a_path_that_is_no_socket_is_refused(void **state)
{
	char path[PATH_MAX];

	assert_no_daemon(path_at(*state, "/missing", path), ERR_IO, "No such file or directory");
	make_file(*state, "/file", 0644, "");
	assert_no_daemon(path_at(*state, "/file", path), ERR_IO, "not a socket");
	make_folder(*state, "/folder");
	assert_no_daemon(path_at(*state, "/folder", path), ERR_IO, "not a socket");
	assert_int_equal(mkfifo(path_at(*state, "/pipe", path), 0600), 0);
	assert_no_daemon(path, ERR_IO, "not a socket");
	assert_no_daemon("socket", ERR_IO, "not an absolute path");
	assert_no_daemon("", ERR_IO, "not an absolute path");
}

static void a_path_too_long_for_a_socket_is_named(void **unused)
{
	const size_t most = sizeof((struct sockaddr_un *)NULL)->sun_path - 1;
	char path[160], why[SENTENCE_MAX];
	int fd;

	(void)unused;
	memset(path, 'p', sizeof path);
	path[0] = '/';
	path[most + 1] = '\0';
	assert_int_equal(daemon_connect(path, &fd, why), ERR_LIMIT);
	assert_int_equal(fd, -1);
	assert_says(why, path);
	assert_says(why, "too long for a socket's path");
	path[most] = '\0';
	assert_no_daemon(path, ERR_IO, "No such file or directory");
}

static void a_daemon_that_takes_nobody_is_given_up(void **state)
{
	char path[PATH_MAX], why[SENTENCE_MAX] = "";
	int listener = bound(*state, "/socket"), held[16], count = 0;
	struct timespec before, after;
	enum err err = ERR_NONE;

	assert_int_equal(listen(listener, 1), 0);
	path_at(*state, "/socket", path);
	clock_gettime(CLOCK_MONOTONIC, &before);
	while (count < 16 && (err = daemon_connect_within(path, 100, &held[count], why)) == ERR_NONE)
		count++;
	clock_gettime(CLOCK_MONOTONIC, &after);
	if (err == ERR_NONE)
		skip();                 /* a system that queues more than it was told to */
	assert_true(count > 0);
	assert_int_equal(err, ERR_TIMEOUT);
	assert_says(why, ": Connection timed out");
	assert_true(after.tv_sec - before.tv_sec <= 2);
	while (count > 0)
		close(held[--count]);
	close(listener);
}

static void a_daemon_that_takes_us_late_is_waited_for(void **state)
{
	char path[PATH_MAX], why[SENTENCE_MAX];
	int listener = bound(*state, "/socket"), held[16], count = 0, fd = -1;
	pid_t child;

	assert_int_equal(listen(listener, 1), 0);
	path_at(*state, "/socket", path);
	while (count < 16 && daemon_connect_within(path, 0, &held[count], why) == ERR_NONE)
		count++;
	child = fork();
	if (child == 0) {
		struct timespec moment = { .tv_nsec = 100000000 };

		nanosleep(&moment, NULL);
		for (int i = 0; i < 2; i++)
			if (accept(listener, NULL, NULL) < 0)
				_exit(1);
		nanosleep(&moment, NULL);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(daemon_connect(path, &fd, why), ERR_NONE);
	close(fd);
	while (count > 0)
		close(held[--count]);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(a_listening_daemon_is_connected_to),
		IN_PLACE(a_socket_nobody_listens_on_is_refused),
		IN_PLACE(a_path_that_is_no_socket_is_refused),
		cmocka_unit_test(a_path_too_long_for_a_socket_is_named),
		IN_PLACE(a_daemon_that_takes_nobody_is_given_up),
		IN_PLACE(a_daemon_that_takes_us_late_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
