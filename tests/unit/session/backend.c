#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/session/backend.h"

/* A folder for a socket, or for a program that plays nix-daemon. */
struct place {
	char folder[64], file[96];
	struct backend backend;
	struct gateway_settings settings;
};

static char why[SENTENCE_MAX];

static int begin(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	signal(SIGPIPE, SIG_IGN);
	if (p == NULL)
		return -1;
	snprintf(p->folder, sizeof p->folder, "/tmp/nix-gateway-backend.XXXXXX");
	if (mkdtemp(p->folder) == NULL)
		return -1;
	snprintf(p->file, sizeof p->file, "%s/daemon", p->folder);
	p->backend = (struct backend){ .fd = -1, .out = -1 };
	p->settings.daemon = DAEMON_PATH;
	p->settings.daemon_path = p->file;
	*state = p;
	return 0;
}

static int end(void **state)
{
	struct place *p = *state;

	backend_close(&p->backend);
	unlink(p->file);
	rmdir(p->folder);
	free(p);
	return 0;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void spawn(struct place *p, const char *script)
{
	static char path[] = "PATH=/usr/bin:/bin", word[] = "WORD=given", *environment[] = { path, word, NULL };
	FILE *file = fopen(p->file, "w");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", script);
	fclose(file);
	assert_int_equal(chmod(p->file, 0700), 0);
	p->settings.daemon = DAEMON_STDIO;
	assert_true(backend_open(&p->settings, &p->backend, why));
	assert_int_equal(p->backend.fd, -1);
	assert_true(backend_spawn(&p->backend, p->file, environment, why));
}

static const char *line_of(const struct backend *b)
{
	static char line[256];
	size_t n = 0;

	while (n < sizeof line - 1 && read(b->fd, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
	return line;
}

static void a_socket_is_connected_and_described(void **state)
{
	struct place *p = *state;
	int listener = listen_at(p->file);
	char text[256], wanted[256];

	assert_true(backend_open(&p->settings, &p->backend, why));
	assert_int_equal(p->backend.kind, BACKEND_SOCKET);
	assert_true(p->backend.fd >= 0);
	backend_describe(&p->backend, text, sizeof text);
	snprintf(wanted, sizeof wanted, "socket %s", p->file);
	assert_string_equal(text, wanted);
	close(listener);
}

static void a_socket_without_a_daemon_is_named_with_the_reason(void **state)
{
	struct place *p = *state;
	char wanted[256];

	assert_false(backend_open(&p->settings, &p->backend, why));
	snprintf(wanted, sizeof wanted, "the Nix daemon does not answer (%s: No such file or directory)", p->file);
	assert_string_equal(why, wanted);
	close(listen_at(p->file));
	assert_false(backend_open(&p->settings, &p->backend, why));
	assert_non_null(strstr(why, "Connection refused"));
	assert_int_equal(p->backend.fd, -1);
}

static void a_child_speaks_by_its_stdin_and_stdout_in_the_environment_it_was_given(void **state)
{
	struct place *p = *state;
	char text[64];

	spawn(p, "echo \"$# $1 $WORD ${HOME-none}\"; read -r line; echo \"got $line\"; exec sleep 60");
	assert_string_equal(line_of(&p->backend), "1 --stdio given none");
	assert_int_equal(write(p->backend.out, "hello\n", 6), 6);
	assert_string_equal(line_of(&p->backend), "got hello");
	backend_describe(&p->backend, text, sizeof text);
	assert_string_equal(text, "nix-daemon --stdio");
}

static void a_child_that_is_not_there_ends_like_a_daemon_that_leaves(void **state)
{
	static char missing[] = "/nonexistent/nix-daemon", *environment[] = { NULL };
	struct place *p = *state;
	char byte;

	p->backend = (struct backend){ .kind = BACKEND_STDIO, .fd = -1, .out = -1 };
	assert_true(backend_spawn(&p->backend, missing, environment, why));
	assert_int_equal(read(p->backend.fd, &byte, 1), 0);
}

/* What it has started goes with it: a build must not outlive its client. */
static void closing_ends_the_whole_group_at_once(void **state)
{
	struct place *p = *state;
	int64_t began = clock_ms();
	pid_t child, grandchild;

	/* The one it has started does not listen. */
	spawn(p, "trap '' TERM; sleep 60 & trap - TERM; echo $!; wait");
	grandchild = (pid_t)strtol(line_of(&p->backend), NULL, 10);
	child = p->backend.child;
	assert_int_equal(getpgid(grandchild), child);
	backend_close(&p->backend);
	assert_true(clock_ms() - began < 5000);
	assert_int_equal(kill(child, 0), -1);
	for (int i = 0; i < 200 && kill(-child, 0) == 0; i++)
		usleep(10 * 1000);
	assert_int_equal(kill(-child, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(p->backend.child, 0);
}

static void a_child_that_does_not_listen_is_ended_all_the_same(void **state)
{
	struct place *p = *state;
	pid_t child;

	spawn(p, "trap '' TERM; echo ready; while :; do sleep 60; done");
	assert_string_equal(line_of(&p->backend), "ready");
	child = p->backend.child;
	backend_close(&p->backend);
	assert_int_equal(kill(child, 0), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_socket_is_connected_and_described),
		TEST(a_socket_without_a_daemon_is_named_with_the_reason),
		TEST(a_child_speaks_by_its_stdin_and_stdout_in_the_environment_it_was_given),
		TEST(a_child_that_is_not_there_ends_like_a_daemon_that_leaves),
		TEST(closing_ends_the_whole_group_at_once),
		TEST(a_child_that_does_not_listen_is_ended_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
