#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/session/import.h"
#include "gateway/session/serve.h"
#include "gateway/session/worker.h"
#include "tests/unit/nix/sample.h"
#include "tests/unit/session/talk.h"

/* How a session goes: what is granted, and how the daemon takes it. */
struct course {
	unsigned operations;
	enum trust trust;
	unsigned daemon_minor;
	bool refuses;           /* the daemon answers everything with an ERROR */
};

static const struct course courses[] = {
	{ ~0U, TRUST_NONE, 38, false }, { ~0U, TRUST_NONE, 38, true }, { 0, TRUST_NONE, 38, false },
	{ ~0U, TRUST_FULL, 32, false }, { ~0U, TRUST_FULL, 34, true }, { OPS_QUERY | OPS_BUILD, TRUST_NONE, 34, false },
};

static void put_bulk(struct talk *t, const struct op *op, const struct value *values)
{
	static const char zero[512];
	size_t at = shape_index(op->request, "narSize");

	if (op->bulk == BULK_FRAMED || op->bulk == BULK_EXPORT)
		talk_write(t->client, zero, 8);
	if (op->bulk == BULK_NAR)
		talk_write(t->client, zero, values[at].number < sizeof zero ? (size_t)values[at].number : sizeof zero);
}

/* The same request three times over, then the client leaves. Which states follow which is asserted within. */
static void run_course(const struct course *c, const struct op_table *table, const struct op *op, uint64_t seed)
{
	struct talk *t;
	void *state;
	enum err err;

	assert_int_equal(talk_begin(&state), 0);
	t = state;
	t->grant.operations = c->operations;
	t->grant.trust = c->trust;
	t->session.trust = HELLO_TRUST_TRUSTED;
	t->session.daemon_minor = c->daemon_minor;
	t->session.state = SESSION_IDLE;
	t->session.client_minor = table->minor_max;
	t->command.kind = table == &serve_ops ? COMMAND_SERVE : COMMAND_WORKER;
	t->command.write = true;
	fake_add(&t->fake, SAMPLE_PATH, NULL, true);
	fake_add(&t->fake, SAMPLE_DRV, "Derive(", true);
	if (c->refuses)
		t->fake.rules[0] = (struct fake_rule){ .about = "", .error = "no" };
	talk_start_daemon(t);
	for (int i = 0; i < 3; i++) {
		struct value *values = sample_values(&t->session.arena, op->request, seed + (uint64_t)i);
		size_t at = shape_index(op->request, "narSize");

		if (at < op->request->count)
			values[at].number = 120;
		talk_request(t, table, op->number, values);
		put_bulk(t, op, values);
	}
	shutdown(t->client, SHUT_WR);
	t->session.spool = import_open_spool();
	err = table == &serve_ops ? serve_serve(&t->session) : worker_serve(&t->session);
	assert_int_not_equal(err, ERR_NONE);
	assert_int_equal(t->session.state, SESSION_CLOSED);
	assert_non_null(t->session.outcome);
	if (strcmp(t->session.outcome, "failed") == 0)
		fail_msg("%s %s: %s", table->protocol, op->name, t->session.why);
	talk_end(&state);
}

static void run_table(const struct op_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		for (size_t k = 0; k < sizeof courses / sizeof *courses; k++)
			run_course(&courses[k], table, &table->ops[i], i + 100 * k);
}

static void no_request_of_a_worker_client_leads_into_a_state_that_may_not_follow(void **unused)
{
	(void)unused;
	run_table(&worker_ops);
}

static void no_request_of_a_serve_client_leads_into_a_state_that_may_not_follow(void **unused)
{
	(void)unused;
	run_table(&serve_ops);
}

static void a_closed_session_stays_closed_and_keeps_its_first_reason(void **state)
{
	struct talk *t = *state;

	assert_int_equal(session_end(&t->session, ERR_LIMIT, "failed", "first %s", "\n"), ERR_LIMIT);
	assert_int_equal(session_end(&t->session, ERR_IO, "other", "second"), ERR_IO);
	assert_string_equal(t->session.outcome, "failed");
	assert_string_equal(t->session.why, "first \\x0a");
	assert_string_equal(session_state_name(t->session.state), "closed");
}

static void silence_has_its_limit_in_every_state(void **state)
{
	static const struct {
		enum session_state state;
		const char *outcome;
	} rows[] = { { SESSION_HELLO, "stalled" }, { SESSION_IDLE, "idle" }, { SESSION_REQUEST, "stalled" },
		     { SESSION_UPLOAD, "stalled" } };
	struct talk *t = *state;

	for (size_t i = 0; i < 4; i++) {
		t->session.outcome = NULL;
		t->session.state = rows[i].state;
		t->session.limits = (struct session_limits){ -1, -1, -1, -1, 0 };
		*(rows[i].state == SESSION_HELLO ? &t->session.limits.handshake_ms :
		  rows[i].state == SESSION_IDLE ? &t->session.limits.idle_ms : &t->session.limits.stall_ms) = 0;
		assert_int_equal(session_check_patience(&t->session, &t->session.client, clock_ms() - 5), ERR_TIMEOUT);
		assert_string_equal(t->session.outcome, rows[i].outcome);
	}
}

static void the_daemon_may_work_in_silence(void **state)
{
	struct talk *t = *state;

	talk_in_request(t, &worker_ops, 46);
	t->session.state = SESSION_WORK;
	assert_int_equal(session_check_patience(&t->session, &t->session.daemon, 0), ERR_NONE);
	t->session.state = SESSION_HELLO;
	assert_int_equal(session_check_patience(&t->session, &t->session.daemon, 0), ERR_TIMEOUT);
}

static void the_daemon_may_not_think_for_ever_about_a_question(void **state)
{
	struct talk *t = *state;

	talk_in_request(t, &worker_ops, 1);
	t->session.state = SESSION_WORK;
	t->session.limits.question_ms = 1000;
	assert_int_equal(session_check_patience(&t->session, &t->session.daemon, clock_ms()), ERR_NONE);
	assert_int_equal(session_check_patience(&t->session, &t->session.daemon, clock_ms() - 2000), ERR_TIMEOUT);
	assert_string_equal(t->session.outcome, "stalled");
}

/* Whatever the session is at, and whoever is waited for. */
static void a_session_ends_when_its_time_is_over(void **state)
{
	static const enum session_state states[] = { SESSION_IDLE, SESSION_REQUEST, SESSION_UPLOAD, SESSION_WORK };
	struct talk *t = *state;

	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		t->session.outcome = NULL;
		t->session.limits.session_ms = 0;
		t->session.started_ms = clock_ms() - 7000;
		t->session.state = states[i];
		assert_int_equal(session_move_lazily(&t->session), ERR_NONE);
		t->session.limits.session_ms = 6000;
		assert_int_equal((i % 2 == 0 ? session_move : session_move_lazily)(&t->session), ERR_TIMEOUT);
		assert_string_equal(t->session.outcome, "session-time");
		assert_holds(t->session.why, " may not stay any longer (allowed: 6 seconds); begin a new session");
	}
}

/* It could be taken for the answer to the next request. */
static void a_daemon_that_speaks_unasked_or_leaves_ends_the_session(void **state)
{
	struct talk *t = *state;

	t->session.state = SESSION_IDLE;
	talk_write(t->daemon, "stla\0\0\0\0", 8);
	assert_int_equal(session_await(&t->session, &t->session.client), ERR_PROTO);
	assert_string_equal(t->session.outcome, "daemon-error");
	buf_take(&t->session.daemon.rx, 8);
	t->session.outcome = NULL;
	t->session.state = SESSION_IDLE;
	shutdown(t->daemon, SHUT_WR);
	assert_int_equal(session_await(&t->session, &t->session.client), ERR_CLOSED);
	assert_string_equal(t->session.outcome, "daemon-gone");
}

/* A build is worth nothing without its client; the answer to a question may still be heard. */
static void a_client_that_leaves_during_a_build_ends_it_at_once(void **state)
{
	struct talk *t = *state;

	shutdown(t->client, SHUT_WR);
	talk_in_request(t, &worker_ops, 31);
	t->session.state = SESSION_WORK;
	assert_int_equal(session_move(&t->session), ERR_NONE);
	assert_int_equal(session_move(&t->session), ERR_NONE);
	talk_in_request(t, &worker_ops, 46);
	t->session.state = SESSION_WORK;
	assert_int_equal(session_await(&t->session, &t->session.daemon), ERR_CLOSED);
	assert_string_equal(t->session.outcome, "client-gone");
}

static void a_client_that_takes_nothing_is_cut(void **state)
{
	static char much[SESSION_QUEUE + 1];
	struct talk *t = *state;

	t->session.state = SESSION_REPLY;
	t->session.limits.stall_ms = 30;
	for (int i = 0; i < 4; i++)
		assert_int_equal(buf_put(&t->session.client.tx, much, sizeof much), ERR_NONE);
	peer_write(&t->session.client);
	usleep(60 * 1000);
	assert_int_equal(session_room(&t->session, &t->session.client), ERR_TIMEOUT);
	assert_string_equal(t->session.outcome, "stalled");
}

static void what_is_no_message_ends_the_session_and_names_its_sender(void **state)
{
	struct talk *t = *state;
	const struct value *values;

	talk_in_request(t, &worker_ops, 1);
	talk_write(t->client, "\x03\0\0\0\0\0\0\0abc\0\0\0\0\0", 16);
	assert_int_equal(session_read(&t->session, &t->session.client, &shape_path, "IsValidPath", &values), ERR_PROTO);
	assert_string_equal(t->session.outcome, "protocol-error");
	assert_holds(t->session.why, "the client has sent what is no IsValidPath: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_request_of_a_worker_client_leads_into_a_state_that_may_not_follow),
		cmocka_unit_test(no_request_of_a_serve_client_leads_into_a_state_that_may_not_follow),
		TEST(a_closed_session_stays_closed_and_keeps_its_first_reason),
		TEST(silence_has_its_limit_in_every_state),
		TEST(the_daemon_may_work_in_silence),
		TEST(the_daemon_may_not_think_for_ever_about_a_question),
		TEST(a_session_ends_when_its_time_is_over),
		TEST(a_daemon_that_speaks_unasked_or_leaves_ends_the_session),
		TEST(a_client_that_leaves_during_a_build_ends_it_at_once),
		TEST(a_client_that_takes_nothing_is_cut),
		TEST(what_is_no_message_ends_the_session_and_names_its_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
