#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/session/session.h"
#include "gateway/session/settings.h"
#include "gateway/wire/put.h"

enum { LAST = 0x616c7473, FAILED = 0x63787470 };

/* A session with a daemon whose answers are laid ready and whose requests are read afterwards. */
struct talk {
	struct policy policy;
	struct key key;
	struct grant grant;
	struct command command;
	struct session session;
	struct settings_state state;
	int daemon;             /* its end of the connection */
};

static char store_dir[] = "/nix/store", alice[] = "alice";
static const struct wish nothing;

static int begin(void **state)
{
	struct talk *t = calloc(1, sizeof *t);
	int client[2], daemon[2];

	if (t == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, client) != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, daemon) != 0)
		return -1;
	t->policy.gateway.store_dir = store_dir;
	t->key.name = alice;
	t->key.grant = &t->grant;
	t->command.kind = COMMAND_WORKER;
	session_init(&t->session, &t->policy, &t->key, NULL, &t->command, client[0], client[1], -1);
	nix_conf_default(&t->session.settings.conf);
	peer_init(&t->session.daemon, "daemon", daemon[0], daemon[0]);
	t->session.daemon_minor = t->session.client_minor = 38;
	t->state.conf = (struct nix_conf){ .substitute = 1, .keep_going = 1, .max_jobs = 6, .cores = 8, .timeout = 3600 };
	t->daemon = daemon[1];
	*state = t;
	return 0;
}

static int end(void **state)
{
	struct talk *t = *state;

	session_free(&t->session);
	close(t->daemon);
	free(t);
	return 0;
}

static void answer(const struct talk *t, const struct buf *b)
{
	assert_int_equal(write(t->daemon, buf_data(b), buf_len(b)), (ssize_t)buf_len(b));
}

static void answer_done(const struct talk *t)
{
	struct buf b;

	buf_init(&b, 64);
	assert_int_equal(put_u64(&b, LAST), ERR_NONE);
	answer(t, &b);
	buf_free(&b);
}

static void answer_error(const struct talk *t, const char *message)
{
	struct buf b;

	buf_init(&b, 1024);
	assert_int_equal(put_u64(&b, FAILED), ERR_NONE);
	assert_int_equal(put_text(&b, "Error"), ERR_NONE);
	assert_int_equal(put_u64(&b, 0), ERR_NONE);     /* level */
	assert_int_equal(put_text(&b, "Error"), ERR_NONE);
	assert_int_equal(put_text(&b, message), ERR_NONE);
	assert_int_equal(put_u64(&b, 0), ERR_NONE);     /* no position */
	assert_int_equal(put_u64(&b, 0), ERR_NONE);     /* no traces */
	answer(t, &b);
	buf_free(&b);
}

/* What the daemon has heard is one request of exactly these fields. */
static void assert_heard(const struct talk *t, const uint64_t fields[12], const char *timeout)
{
	uint8_t heard[1024];
	ssize_t len = recv(t->daemon, heard, sizeof heard, MSG_DONTWAIT);
	struct buf b;

	buf_init(&b, sizeof heard);
	assert_int_equal(put_u64(&b, 19), ERR_NONE);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(put_u64(&b, fields[i]), ERR_NONE);
	assert_int_equal(put_u64(&b, 1), ERR_NONE);
	assert_int_equal(put_text(&b, "timeout"), ERR_NONE);
	assert_int_equal(put_text(&b, timeout), ERR_NONE);
	assert_int_equal(len, buf_len(&b));
	assert_memory_equal(heard, buf_data(&b), buf_len(&b));
	buf_free(&b);
}

static void assert_silence(const struct talk *t)
{
	uint8_t byte;

	assert_int_equal(recv(t->daemon, &byte, 1, MSG_DONTWAIT), -1);
}

static void nothing_is_sent_without_a_reason(void **state)
{
	struct talk *t = *state;
	struct wish more = { .timeout = { true, 0 }, .max_jobs = { true, 9999 } };

	assert_int_equal(settings_send(&t->session, &t->state, &nothing), ERR_NONE);
	assert_int_equal(settings_send(&t->session, &t->state, &more), ERR_NONE);
	assert_silence(t);
	assert_false(t->state.sent);
}

static void a_grants_limit_is_sent_once_with_nix_confs_values_for_the_rest(void **state)
{
	static const uint64_t fields[12] = { 0, 1, 0, 3, 2, 0, 1, 0, 0, 0, 8, 1 };
	struct talk *t = *state;

	t->grant.max_jobs = (struct limit){ true, 2 };
	answer_done(t);
	assert_int_equal(settings_send(&t->session, &t->state, &nothing), ERR_NONE);
	assert_heard(t, fields, "3600");
	assert_int_equal(settings_send(&t->session, &t->state, &nothing), ERR_NONE);
	assert_int_equal(settings_send(&t->session, &t->state, &(struct wish){ .max_jobs = { true, 3 } }), ERR_NONE);
	assert_silence(t);
	assert_null(t->session.outcome);
}

static void a_smaller_wish_is_sent_and_taken_back_when_it_is_over(void **state)
{
	static const uint64_t less[12] = { 0, 1, 0, 3, 6, 60, 1, 0, 0, 0, 8, 1 };
	static const uint64_t usual[12] = { 0, 1, 0, 3, 6, 0, 1, 0, 0, 0, 8, 1 };
	struct wish wish = { .max_silent_time = { true, 60 }, .timeout = { true, 120 }, .keep_failed = { true, 1 } };
	struct talk *t = *state;

	answer_done(t);
	assert_int_equal(settings_send(&t->session, &t->state, &wish), ERR_NONE);
	assert_heard(t, less, "120");
	assert_int_equal(settings_send(&t->session, &t->state, &wish), ERR_NONE);
	assert_silence(t);
	answer_done(t);
	assert_int_equal(settings_send(&t->session, &t->state, &nothing), ERR_NONE);
	assert_heard(t, usual, "3600");
	assert_int_equal(settings_send(&t->session, &t->state, &nothing), ERR_NONE);
	assert_silence(t);
}

static void a_wish_for_another_timeout_alone_is_sent(void **state)
{
	static const uint64_t fields[12] = { 0, 1, 0, 3, 6, 0, 1, 0, 0, 0, 8, 1 };
	struct talk *t = *state;

	t->grant.timeout = (struct limit){ true, UINT64_MAX };
	answer_done(t);
	assert_int_equal(settings_send(&t->session, &t->state, &nothing), ERR_NONE);
	assert_heard(t, fields, "4294967295");
	answer_done(t);
	assert_int_equal(settings_send(&t->session, &t->state, &(struct wish){ .timeout = { true, 5 } }), ERR_NONE);
	assert_heard(t, fields, "5");
}

static void a_daemon_that_refuses_ends_the_session(void **state)
{
	struct talk *t = *state;

	t->grant.cores = (struct limit){ true, 2 };
	answer_error(t, "not today");
	assert_int_equal(settings_send(&t->session, &t->state, &nothing), ERR_DENIED);
	assert_string_equal(t->session.outcome, "daemon-error");
	assert_string_equal(t->session.why, "the Nix daemon does not take the limits of this key: not today");
	assert_false(t->state.sent);
}

static void a_daemon_that_leaves_ends_the_session(void **state)
{
	struct talk *t = *state;

	t->grant.cores = (struct limit){ true, 2 };
	assert_int_equal(shutdown(t->daemon, SHUT_WR), 0);
	assert_int_equal(settings_send(&t->session, &t->state, &nothing), ERR_CLOSED);
	assert_string_equal(t->session.outcome, "daemon-gone");
	assert_false(t->state.sent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_sent_without_a_reason),
		TEST(a_grants_limit_is_sent_once_with_nix_confs_values_for_the_rest),
		TEST(a_smaller_wish_is_sent_and_taken_back_when_it_is_over),
		TEST(a_wish_for_another_timeout_alone_is_sent),
		TEST(a_daemon_that_refuses_ends_the_session),
		TEST(a_daemon_that_leaves_ends_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
