#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/session/upstream.h"
#include "tests/unit/session/talk.h"

/* What the daemon says, laid ready. */
static struct bytes said;

static void say(struct talk *t)
{
	talk_write(t->daemon, said.data, said.len);
	bytes_free(&said);
}

static void add_next(const char *line)
{
	add_number(&said, STDERR_NEXT);
	add_word(&said, line);
}

static void add_result(uint64_t type, const char *line)
{
	add_number(&said, STDERR_RESULT);
	add_number(&said, 1);           /* id */
	add_number(&said, type);
	add_number(&said, 1);           /* one field */
	add_number(&said, STDERR_FIELD_TEXT);
	add_word(&said, line);
}

static void add_error(const char *text)
{
	add_number(&said, STDERR_ERROR);
	add_word(&said, "Error");
	add_number(&said, 0);
	add_word(&said, "Error");
	add_word(&said, text);
	add_number(&said, 0);
	add_number(&said, 0);
}

static const char *log_of(struct talk *t)
{
	static char log[4096];
	ssize_t n = 0;

	session_flush(&t->session, &t->session.log, 100);
	assert_true(fcntl(t->log, F_SETFL, O_NONBLOCK) == 0);
	n = read(t->log, log, sizeof log - 1);
	log[n > 0 ? n : 0] = '\0';
	return log;
}

static void a_log_goes_to_a_worker_client_as_it_is(void **state)
{
	struct talk *t = *state;
	struct buf expected;

	talk_in_request(t, &worker_ops, 46);
	add_next("building\n");
	add_result(101, "line");
	buf_init(&expected, 4096);
	assert_int_equal(buf_put(&expected, said.data, said.len), ERR_NONE);
	add_number(&said, STDERR_LAST);
	say(t);
	assert_int_equal(upstream_loop(&t->session, LOG_TO_CLIENT, NULL), ERR_NONE);
	assert_said(t, &expected);
	buf_free(&expected);
}

static void the_log_of_our_own_questions_goes_nowhere(void **state)
{
	struct talk *t = *state;

	add_next("querying\n");
	add_number(&said, STDERR_LAST);
	say(t);
	assert_int_equal(upstream_loop(&t->session, LOG_NOWHERE, NULL), ERR_NONE);
	assert_said_nothing(t);
}

static void a_serve_client_gets_the_lines_on_stderr(void **state)
{
	struct talk *t = *state;

	t->command.kind = COMMAND_SERVE;
	add_next("one\n");
	add_next("two");
	add_result(101, "three");
	add_result(107, "four");
	add_result(105, "progress is none");
	add_number(&said, STDERR_STOP_ACTIVITY);
	add_number(&said, 1);
	add_number(&said, STDERR_LAST);
	say(t);
	assert_int_equal(upstream_loop(&t->session, LOG_TO_CLIENT, NULL), ERR_NONE);
	assert_string_equal(log_of(t), "one\ntwo\nthree\nfour\n");
	assert_said_nothing(t);
}

static void an_error_is_an_answer_and_its_text_is_escaped_for_our_sentences(void **state)
{
	struct talk *t = *state;
	struct daemon_error error;

	add_error("bad \x1b[1m%s\n");
	say(t);
	assert_int_equal(upstream_loop(&t->session, LOG_NOWHERE, &error), ERR_NONE);
	assert_true(error.failed);
	assert_string_equal(error.text, "bad \\x1b[1m\\x25s\\x0a");
	assert_null(t->session.outcome);
	assert_said_nothing(t);
}

static void without_another_place_an_error_is_passed_on(void **state)
{
	struct talk *t = *state;
	struct buf expected;

	add_error("bad");
	buf_init(&expected, 4096);
	assert_int_equal(buf_put(&expected, said.data, said.len), ERR_NONE);
	say(t);
	assert_int_equal(upstream_loop(&t->session, LOG_NOWHERE, NULL), ERR_NONE);
	assert_said(t, &expected);
	buf_free(&expected);
	t->command.kind = COMMAND_SERVE;
	add_error("bad");
	say(t);
	assert_int_equal(upstream_loop(&t->session, LOG_NOWHERE, NULL), ERR_NONE);
	assert_string_equal(log_of(t), "bad\n");
	assert_said_nothing(t);
}

/* D2: a daemon that wants bytes of the client, or says what nobody knows. */
static void what_no_daemon_has_to_say_ends_the_session(void **state)
{
	static const uint64_t tags[] = { STDERR_READ, STDERR_WRITE, 0, UINT64_MAX };
	struct talk *t = *state;

	for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
		t->session.outcome = NULL;
		t->session.state = SESSION_WORK;
		add_number(&said, tags[i]);
		say(t);
		assert_int_equal(upstream_loop(&t->session, LOG_TO_CLIENT, NULL), ERR_PROTO);
		assert_string_equal(t->session.outcome, "daemon-error");
		t->session.loop.minor = 0;      /* begins anew */
		buf_take(&t->session.daemon.rx, buf_len(&t->session.daemon.rx));
	}
	assert_said_nothing(t);
}

/* A client that is busy sending reads nothing: progress is thinned out then, lines are not. */
static void progress_is_left_out_for_a_client_that_does_not_read(void **state)
{
	static char much[SESSION_QUEUE + 1];
	struct talk *t = *state;
	enum loop_event event;
	size_t before;

	talk_in_request(t, &worker_ops, 46);
	assert_int_equal(buf_put(&t->session.client.tx, much, sizeof much), ERR_NONE);
	before = buf_len(&t->session.client.tx);
	add_result(105, "progress");
	assert_int_equal(buf_put(&t->session.daemon.rx, said.data, said.len), ERR_NONE);
	bytes_free(&said);
	assert_int_equal(upstream_step(&t->session, LOG_TO_CLIENT, &event), ERR_NONE);
	assert_int_equal(buf_len(&t->session.client.tx), before);
	add_result(101, "line");
	assert_int_equal(buf_put(&t->session.daemon.rx, said.data, said.len), ERR_NONE);
	assert_int_equal(upstream_step(&t->session, LOG_TO_CLIENT, &event), ERR_NONE);
	assert_int_equal(buf_len(&t->session.client.tx), before + said.len);
	bytes_free(&said);
}

static void a_log_without_end_ends_the_session_of_who_does_not_read_it(void **state)
{
	static char much[2 * 1024 * 1024];
	struct talk *t = *state;
	enum loop_event event;

	talk_in_request(t, &worker_ops, 46);
	assert_int_equal(buf_put(&t->session.client.tx, much, sizeof much), ERR_NONE);
	add_next("one line more");
	assert_int_equal(buf_put(&t->session.daemon.rx, said.data, said.len), ERR_NONE);
	bytes_free(&said);
	assert_int_equal(upstream_step(&t->session, LOG_TO_CLIENT, &event), ERR_LIMIT);
	assert_string_equal(t->session.outcome, "stalled");
}

static void a_step_stops_behind_the_end_and_takes_no_byte_of_the_reply(void **state)
{
	struct talk *t = *state;
	enum loop_event event;

	add_next("x");
	add_number(&said, STDERR_LAST);
	add_number(&said, 7);
	for (size_t cut = 0; cut <= said.len - 8; cut++) {
		struct buf *rx = &t->session.daemon.rx;

		assert_int_equal(buf_put(rx, said.data, cut), ERR_NONE);
		assert_int_equal(upstream_step(&t->session, LOG_NOWHERE, &event), ERR_NONE);
		assert_int_equal(event, cut == said.len - 8 ? LOOP_LAST : LOOP_GOES_ON);
		assert_int_equal(buf_put(rx, said.data + cut, said.len - cut), ERR_NONE);
		if (event == LOOP_GOES_ON)
			assert_int_equal(upstream_step(&t->session, LOG_NOWHERE, &event), ERR_NONE);
		assert_int_equal(event, LOOP_LAST);
		assert_int_equal(buf_len(rx), 8);
		buf_take(rx, 8);
	}
	bytes_free(&said);
}

static void an_operation_that_the_daemon_has_not_is_not_asked_for(void **state)
{
	struct talk *t = *state;
	struct value none[1] = { { .number = 0 } };
	const struct value *reply;
	struct daemon_error error;

	t->session.daemon_minor = 33;
	assert_null(upstream_op(&t->session, OP_BUILD_PATHS_WITH_RESULTS));
	assert_int_equal(upstream_ask(&t->session, OP_BUILD_PATHS_WITH_RESULTS, none, &reply, &error), ERR_PROTO);
	assert_int_equal(buf_len(&t->session.daemon.tx), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_log_goes_to_a_worker_client_as_it_is),
		TEST(the_log_of_our_own_questions_goes_nowhere),
		TEST(a_serve_client_gets_the_lines_on_stderr),
		TEST(an_error_is_an_answer_and_its_text_is_escaped_for_our_sentences),
		TEST(without_another_place_an_error_is_passed_on),
		TEST(what_no_daemon_has_to_say_ends_the_session),
		TEST(progress_is_left_out_for_a_client_that_does_not_read),
		TEST(a_log_without_end_ends_the_session_of_who_does_not_read_it),
		TEST(a_step_stops_behind_the_end_and_takes_no_byte_of_the_reply),
		TEST(an_operation_that_the_daemon_has_not_is_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
