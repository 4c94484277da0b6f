#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/session/uploading.h"

/* Both uploads whose refusal the daemon sends while more is coming: at once, or when it has the last byte. */
static void refuse(struct talk *t, const char *about, const char *error, bool early)
{
	t->fake.rules[0] = (struct fake_rule){ .about = about, .error = error, .early = early };
}

static void upload_two(struct talk *t)
{
	assert_int_equal(path_upload_next(&t->session, &up, addressed_file(t, "x")), ERR_NONE);
	if (!up.in.failed)
		assert_int_equal(path_upload_next(&t->session, &up, addressed_file(t, "y")), ERR_NONE);
	send_end(t);
	assert_int_equal(path_upload_settle(&t->session, &up), ERR_NONE);
	assert_int_equal(intake_finish(&t->session, &up.in), ERR_NONE);
	assert_int_equal(path_upload_settle(&t->session, &up), ERR_NONE);
}

/* U3: its words for a missing signature and for a reference that is not there. */
static void what_the_daemon_cannot_check_is_not_storable(void **state)
{
	static const char *const words[] = {
		"cannot add path '/nix/store/x' because it lacks a signature by a trusted key",
		"path '/nix/store/x' is not valid",
		"path '/nix/store/x' does not exist in the Lix database",
	};
	enum { WORDS = sizeof words / sizeof *words };
	struct talk *t = *state;

	for (size_t i = 0; i < 2 * WORDS; i++) {
		refuse(t, "AddToStoreNar x ", words[i % WORDS], i >= WORDS);
		begin_upload(t, true);
		upload_two(t);
		assert_false(up.in.failed);
		assert_int_equal(up.taken_off, 1);
		assert_holds(talk_heard(t), "AddToStoreNar y ");
		assert_int_equal(up.in.count, 0);
		assert_null(t->session.outcome);
		intake_free(&up.in);
	}
	assert_said_nothing(t);
}

static void without_a_rebuild_it_is_the_end_of_the_upload(void **state)
{
	struct talk *t = *state;

	refuse(t, "AddToStoreNar x ", "cannot add path 'x' because it lacks a signature by a trusted key", false);
	begin_upload(t, false);
	upload_two(t);
	assert_true(up.in.failed);
	assert_holds(up.in.why, "alice may not upload what is neither content-addressed nor signed");
	assert_int_equal(t->session.taken_off.count, 0);
}

static void any_other_error_ends_the_upload_and_is_passed_on_as_it_is(void **state)
{
	struct talk *t = *state;
	struct buf expected;
	struct arena arena;

	arena_init(&arena, 1 << 16);
	for (int early = 0; early < 2; early++) {
		struct value *error = values_new(&arena, &shape_error);

		refuse(t, "AddToStoreNar x ", "hash mismatch importing path 100%", early == 1);
		begin_upload(t, true);
		upload_two(t);
		assert_true(up.in.failed);
		assert_int_equal(t->session.taken_off.count, 0);
		value_set_text(error, &shape_error, "type", text_of("Error"));
		value_set_text(error, &shape_error, "name", text_of("Error"));
		value_set_text(error, &shape_error, "message", text_of("hash mismatch importing path 100%"));
		buf_init(&expected, 4096);
		assert_int_equal(stderr_put(&expected, STDERR_ERROR, 38, error), ERR_NONE);
		assert_said(t, &expected);
		buf_free(&expected);
		intake_free(&up.in);
	}
	arena_free(&arena);
}

/* The name is the client's choice: it must not decide how an error is taken. */
static void a_name_does_not_make_an_error_a_matter_of_signatures(void **state)
{
	struct talk *t = *state;

	refuse(t, "AddToStoreNar x ",
	       "hash mismatch importing path '/nix/store/00000000000000000000000000000000-signature'", false);
	begin_upload(t, true);
	upload_two(t);
	assert_true(up.in.failed);
	assert_int_equal(up.taken_off, 0);
}

/* The head of an upload alone goes up. */
static enum err send_head(struct talk *t, const struct value *head)
{
	return intake_send(&t->session, &up.in, upstream_op(&t->session, OP_ADD_TO_STORE_NAR), head, text_of(PLAIN), 120);
}

/* Two requests on their way, before the daemon has said a word; and what it says of both. */
static void send_two(struct talk *t, const char *error)
{
	struct value none = { .count = 0 };
	struct value *values = values_new(&t->session.arena, &shape_error);
	struct buf b;

	talk_in_request(t, &worker_ops, 44);
	t->session.state = SESSION_UPLOAD;
	path_upload_init(&up, true);
	intake_init_framed(&up.in, 1 << 20);
	value_set_text(values, &shape_error, "message", text_of(error));
	buf_init(&b, 4096);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(stderr_put(&b, STDERR_ERROR, 38, values), ERR_NONE);
		assert_int_equal(send_head(t, addressed(t, "x", &none)), ERR_NONE);
	}
	talk_write(t->daemon, buf_data(&b), buf_len(&b));
	buf_take(&b, buf_len(&b) / 2);
	assert_int_equal(intake_await(&t->session, &up.in, 0), ERR_NONE);
	assert_true(up.in.failed);
	assert_said(t, &b);
	buf_free(&b);
}

static void the_client_is_told_of_the_first_failure_alone(void **state)
{
	struct talk *t = *state;

	send_two(t, "disk is full");
	assert_int_equal(intake_fail(&t->session, &up.in, text_of("y"), "another reason"), ERR_NONE);
	assert_said_nothing(t);
	assert_string_equal(up.in.why, "disk is full");
}

/* Cut short, the content makes the daemon give up; the client's is read to its end all the same. */
/* What is still under way then may log: the client would take it for a part of its next operation. */
static void behind_an_error_the_client_hears_nothing_more(void **state)
{
	struct talk *t = *state;
	struct value line = { .text = "a line\n", .len = 7 };
	struct value none = { .count = 0 };
	struct buf b;

	talk_in_request(t, &worker_ops, 44);
	t->session.state = SESSION_UPLOAD;
	path_upload_init(&up, true);
	intake_init_framed(&up.in, 1 << 20);
	assert_int_equal(send_head(t, addressed(t, "x", &none)), ERR_NONE);
	buf_init(&b, 4096);
	assert_int_equal(stderr_put(&b, STDERR_NEXT, 38, &line), ERR_NONE);
	talk_write(t->daemon, buf_data(&b), buf_len(&b));
	assert_int_equal(intake_fail(&t->session, &up.in, text_of("x"), "no"), ERR_NONE);
	assert_int_equal(stderr_put_last(&b), ERR_NONE);
	talk_write(t->daemon, buf_data(&b), buf_len(&b));
	assert_int_equal(intake_await(&t->session, &up.in, 0), ERR_NONE);
	assert_said_error(t, "no");
	buf_free(&b);
}

static void nothing_more_goes_up_of_what_is_refused_already(void **state)
{
	struct talk *t = *state;
	struct value *head;

	refuse(t, "AddToStoreNar x ", "path '/nix/store/x' is not valid", true);
	begin_upload(t, true);
	head = addressed_file(t, "x");
	assert_int_equal(send_head(t, head), ERR_NONE);
	assert_int_equal(intake_await(&t->session, &up.in, 0), ERR_NONE);
	assert_true(up.in.current_refused);
	nar_init(&t->session.nar, 120);
	assert_int_equal(intake_forward(&t->session, &up.in, true, text_of(PLAIN)), ERR_NONE);
	assert_true(nar_done(&t->session.nar));
	send_end(t);
	assert_int_equal(intake_finish(&t->session, &up.in), ERR_NONE);
	session_flush(&t->session, &t->session.daemon, 1000);
	fake_stop(&t->fake);
	assert_holds(t->fake.heard, " +0\n");
}

static void no_more_fly_than_there_is_room_for(void **state)
{
	struct talk *t = *state;
	struct value none = { .count = 0 }, *head;

	talk_in_request(t, &worker_ops, 44);
	t->session.state = SESSION_UPLOAD;
	path_upload_init(&up, true);
	intake_init_framed(&up.in, 1 << 20);
	head = addressed(t, "x", &none);
	for (int i = 0; i < FLYING_MAX; i++)
		assert_int_equal(send_head(t, head), ERR_NONE);
	shutdown(t->daemon, SHUT_WR);   /* for the next one an answer has to come first */
	assert_int_equal(send_head(t, head), ERR_CLOSED);
	assert_int_equal(up.in.count, FLYING_MAX);
}

/* Content-addressed paths of 130 names: more than may be under way at a time. */
static void more_paths_than_may_fly_at_once_all_land(void **state)
{
	struct talk *t = *state;
	char name[16];

	begin_upload(t, true);
	for (int i = 0; i < 130; i++) {
		snprintf(name, sizeof name, "p%d", i);
		assert_int_equal(path_upload_next(&t->session, &up, addressed_file(t, name)), ERR_NONE);
		assert_in_range(up.in.count, 0, FLYING_MAX);
		arena_reset(&t->session.arena);
	}
	send_end(t);
	assert_int_equal(intake_finish(&t->session, &up.in), ERR_NONE);
	assert_false(up.in.failed);
	assert_holds(talk_heard(t), "AddToStoreNar p129 ");
	assert_said_nothing(t);
}

static void a_daemon_that_leaves_ends_the_session(void **state)
{
	struct talk *t = *state;

	begin_upload(t, true);
	assert_int_equal(path_upload_next(&t->session, &up, addressed_file(t, "x")), ERR_NONE);
	assert_int_equal(intake_await(&t->session, &up.in, 0), ERR_NONE);
	fake_stop(&t->fake);
	assert_int_equal(path_upload_next(&t->session, &up, addressed_file(t, "y")), ERR_NONE);
	assert_int_equal(intake_await(&t->session, &up.in, 0), ERR_CLOSED);
	assert_string_equal(t->session.outcome, "daemon-gone");
}

static void a_client_that_leaves_in_the_middle_ends_the_session(void **state)
{
	struct talk *t = *state;
	struct value none = { .count = 0 }, *head;

	begin_upload(t, true);
	head = addressed(t, "x", &none);
	send_frame(t, "\r\0\0\0\0\0\0\0nix-archive-1", 21);
	shutdown(t->client, SHUT_WR);
	assert_int_equal(path_upload_next(&t->session, &up, head), ERR_CLOSED);
	assert_string_equal(t->session.outcome, "client-gone");
}

static void a_client_that_stalls_in_the_middle_is_cut(void **state)
{
	struct talk *t = *state;
	struct value none = { .count = 0 }, *head;

	begin_upload(t, true);
	t->session.limits.stall_ms = 50;
	head = addressed(t, "x", &none);
	send_frame(t, "\r\0\0\0\0\0\0\0nix-archive-1", 21);
	assert_int_equal(path_upload_next(&t->session, &up, head), ERR_TIMEOUT);
	assert_string_equal(t->session.outcome, "stalled");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UPLOAD(what_the_daemon_cannot_check_is_not_storable),
		UPLOAD(without_a_rebuild_it_is_the_end_of_the_upload),
		UPLOAD(any_other_error_ends_the_upload_and_is_passed_on_as_it_is),
		UPLOAD(a_name_does_not_make_an_error_a_matter_of_signatures),
		UPLOAD(the_client_is_told_of_the_first_failure_alone),
		UPLOAD(behind_an_error_the_client_hears_nothing_more),
		UPLOAD(nothing_more_goes_up_of_what_is_refused_already),
		UPLOAD(no_more_fly_than_there_is_room_for),
		UPLOAD(more_paths_than_may_fly_at_once_all_land),
		UPLOAD(a_daemon_that_leaves_ends_the_session),
		UPLOAD(a_client_that_leaves_in_the_middle_ends_the_session),
		UPLOAD(a_client_that_stalls_in_the_middle_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
