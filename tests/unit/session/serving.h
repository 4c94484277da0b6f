/* serving: a serve client that sends its commands ahead and leaves, for tests. */
#ifndef TESTS_UNIT_SESSION_SERVING_H
#define TESTS_UNIT_SESSION_SERVING_H

#include "gateway/session/import.h"
#include "gateway/session/serve.h"
#include "tests/unit/session/heads.h"
#include "tests/unit/session/made_drv.h"

static struct bytes sent, expected;
static bool stays;              /* the client does not leave when it has said everything */

static inline int begin_serving(void **state)
{
	int status = talk_begin(state);
	struct talk *t = *state;

	t->command.kind = COMMAND_SERVE;
	t->command.write = true;
	t->session.client_minor = 7;
	t->session.state = SESSION_IDLE;
	return status;
}

static inline int end_serving(void **state)
{
	bytes_free(&sent);
	bytes_free(&expected);
	stays = false;
	return talk_end(state);
}

/* The client sends what is in `sent`; the session runs to its end. */
static inline enum err serve_all(struct talk *t)
{
	talk_write(t->client, sent.data, sent.len);
	if (stays)
		t->session.limits.idle_ms = 50;
	else
		shutdown(t->client, SHUT_WR);
	if (!t->fake.started)
		talk_start_daemon(t);
	return serve_serve(&t->session);
}

/* The stream held what is in `expected`, and the session ended well. */
static inline void assert_served(struct talk *t)
{
	const struct buf *said;

	assert_int_equal(serve_all(t), stays ? ERR_TIMEOUT : ERR_CLOSED);
	assert_string_equal(t->session.outcome, stays ? "idle" : "closed");
	said = talk_said(t);
	assert_int_equal(buf_len(said), expected.len);
	assert_memory_equal(buf_data(said), expected.data, expected.len);
}

static inline void assert_log_holds(struct talk *t, const char *text)
{
	char log[8192];
	ssize_t n;

	session_flush(&t->session, &t->session.log, 100);
	assert_true(fcntl(t->log, F_SETFL, O_NONBLOCK) == 0);
	n = read(t->log, log, sizeof log - 1);
	log[n > 0 ? n : 0] = '\0';
	assert_holds(log, text);
}

#define SERVING(name) cmocka_unit_test_setup_teardown(name, begin_serving, end_serving)

#endif
