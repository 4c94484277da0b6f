#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/session/uploading.h"

#define OTHER STORE "11111111111111111111111111111111-other"

static void what_can_be_checked_goes_up_with_a_head_of_our_own(void **state)
{
	struct talk *t = *state;
	struct value *head;
	struct bytes nar = nar_of_file("x", 1, 0);

	begin_upload(t, true);
	head = addressed_file(t, "x");
	send_end(t);
	value_set_number(head, shape(t), "registrationTime", 1234);
	value_set_number(head, shape(t), "ultimate", 1);
	upload_all(t, head);
	assert_holds(talk_heard(t), "AddToStoreNar x - [ ] 0 120 0 [ ] fixed:r:sha256:");
	assert_int_equal(buf_len(&t->fake.content), nar.len);
	assert_memory_equal(buf_data(&t->fake.content), nar.data, nar.len);
	assert_false(up.in.failed);
	assert_said_nothing(t);
	assert_holds(talk_records(t), "\"event\":\"upload\"");
	bytes_free(&nar);
}

/* dontCheckSigs and the flags stand last: nothing that the client said of them is passed on. */
static void to_be_believed_takes_trust(void **state)
{
	struct talk *t = *state;
	struct value *head;

	begin_upload(t, true);
	head = addressed_file(t, "x");
	send_end(t);
	upload_all(t, head);
	assert_holds(talk_heard(t), " 0 0 +120\n");
	intake_free(&up.in);
	t->grant.trust = TRUST_FULL;
	begin_upload(t, true);
	(void)addressed_file(t, "x");
	send_end(t);
	assert_int_equal(path_upload_next(&t->session, &up, head_of(t, PLAIN)), ERR_NONE);
	assert_int_equal(intake_finish(&t->session, &up.in), ERR_NONE);
	assert_holds(talk_heard(t), "AddToStoreNar plain - [ ] 0 120 0 [ ] - 0 1 +120\n");
}

static void what_is_not_storable_is_taken_off_for_a_build_hook(void **state)
{
	struct talk *t = *state;
	struct value *head;
	struct buf expected;

	begin_upload(t, true);
	head = send_file(t, head_of(t, PLAIN), "x");
	send_end(t);
	upload_all(t, head);
	assert_string_equal(talk_heard(t), "QueryValidPaths [ plain ] 0\n");
	assert_true(path_set_holds(&t->session.taken_off, text_of(PLAIN)));
	assert_int_equal(up.taken_off, 1);
	assert_holds(talk_records(t), "\"event\":\"rebuild\"");
	assert_null(strstr(talk_records(t), "\"event\":\"upload\""));
	assert_int_equal(path_upload_tell(&t->session, &up), ERR_NONE);
	buf_init(&expected, 1024);
	assert_int_equal(stderr_put_line(&expected, "1 unsigned paths not stored, to be rebuilt here"), ERR_NONE);
	assert_said(t, &expected);
	buf_free(&expected);
}

static void for_anybody_else_it_is_refused_by_name_at_once(void **state)
{
	struct talk *t = *state;
	struct value *head;

	begin_upload(t, false);
	head = send_file(t, head_of(t, PLAIN), "x");
	assert_int_equal(path_upload_next(&t->session, &up, head), ERR_NONE);   /* the end has not come yet */
	assert_true(up.in.failed);
	assert_said_error(t, "alice may not upload what is neither content-addressed nor signed by a key that this builder "
			     "knows (allowed: both of these): " PLAIN "; sign it (nix store sign)");
	send_end(t);
	assert_int_equal(intake_finish(&t->session, &up.in), ERR_NONE);
	assert_said_nothing(t);
	assert_false(path_set_holds(&t->session.taken_off, text_of(PLAIN)));
	assert_holds(talk_records(t), "\"event\":\"denied\"");
	assert_int_equal(buf_len(&t->session.client.rx), 0);
}

static void what_is_there_already_is_well_whoever_brings_it(void **state)
{
	struct talk *t = *state;
	struct value *head;

	fake_add(&t->fake, PLAIN, NULL, true);
	for (int rebuild = 0; rebuild < 2; rebuild++) {
		begin_upload(t, rebuild == 1);
		head = send_file(t, head_of(t, PLAIN), "x");
		send_end(t);
		upload_all(t, head);
		assert_string_equal(talk_heard(t), "QueryValidPaths [ plain ] 0\n");
		assert_false(up.in.failed);
		assert_int_equal(up.taken_off, 0);
		intake_free(&up.in);
	}
	assert_false(path_set_holds(&t->session.taken_off, text_of(PLAIN)));
	assert_said_nothing(t);
}

static void what_contradicts_itself_never_reaches_the_daemon(void **state)
{
	struct talk *t = *state;
	struct value *head;

	begin_upload(t, true);
	head = addressed_file(t, "x");
	send_end(t);
	*value_at(head, shape(t), "references") = LIST(t, OTHER);
	upload_all(t, head);
	assert_true(up.in.failed);
	assert_string_equal(talk_heard(t), "");
	assert_holds(up.in.why, "is not the path that its content address");
}

/* What it refers to is undecided until the daemon was asked; only then it is known whether this one can be stored. */
static void what_refers_to_a_doubtful_path_waits_for_its_fate(void **state)
{
	struct talk *t = *state;
	struct value *head, one;

	begin_upload(t, true);
	assert_int_equal(path_upload_next(&t->session, &up, send_file(t, head_of(t, PLAIN), "x")), ERR_NONE);
	assert_string_equal(talk_heard(t), "");
	one = LIST(t, PLAIN);
	head = send_file(t, addressed(t, "x", &one), "x");
	send_end(t);
	upload_all(t, head);
	assert_string_equal(talk_heard(t), "QueryValidPaths [ plain ] 0\nQueryValidPaths [ x ] 0\n");
	assert_int_equal(up.taken_off, 2);
}

static void a_size_that_was_announced_otherwise_is_refused(void **state)
{
	static const uint64_t sizes[] = { 128, 112, 96, 0, UINT64_MAX };
	struct talk *t = *state;

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		for (int stored = 0; stored < 2; stored++) {
			struct value none = { .count = 0 };
			struct value *head;

			begin_upload(t, true);
			head = send_file(t, stored ? addressed(t, "x", &none) : head_of(t, PLAIN), "x");
			send_end(t);
			value_set_number(head, shape(t), "narSize", sizes[i]);
			upload_all(t, head);
			assert_true(up.in.failed);
			buf_take(&t->said, buf_len(talk_said(t)));
			intake_free(&up.in);
		}
	}
	assert_int_equal(t->session.taken_off.count, 0);
}

static void bytes_behind_the_end_are_refused(void **state)
{
	struct talk *t = *state;
	struct value *head;

	begin_upload(t, true);
	head = addressed_file(t, "x");
	send_frame(t, "more", 4);
	send_end(t);
	upload_all(t, head);
	assert_true(up.in.failed);
	assert_said_error(t, "bytes follow the end of AddMultipleToStore");
	assert_int_equal(buf_len(&t->session.client.rx), 0);
}

static void an_archive_that_ends_too_early_is_refused_and_the_daemon_stays_in_step(void **state)
{
	struct talk *t = *state;
	struct value none = { .count = 0 }, *head;
	struct bytes nar = nar_of_file("x", 1, 0);

	begin_upload(t, true);
	head = addressed(t, "x", &none);
	send_frame(t, nar.data, nar.len - 16);
	send_end(t);
	upload_all(t, head);
	assert_true(up.in.failed);
	assert_holds(up.in.why, "ends too early");
	assert_holds(talk_heard(t), " +104\n");
	assert_int_equal(up.in.count, 0);
	bytes_free(&nar);
}

static void an_archive_that_is_not_canonical_is_refused_in_its_middle(void **state)
{
	struct talk *t = *state;
	struct bytes nar = nar_of_file("x", 1, 0);
	struct value none = { .count = 0 }, *head;

	begin_upload(t, true);
	head = addressed(t, "x", &none);
	nar.data[nar.len - 17] = 1;     /* padding of the content */
	value_set_number(head, shape(t), "narSize", nar.len);
	send_frame(t, nar.data, nar.len);
	send_end(t);
	upload_all(t, head);
	assert_holds(up.in.why, "is not in canonical form");
	assert_null(strstr(talk_heard(t), " +120\n"));
	bytes_free(&nar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UPLOAD(what_can_be_checked_goes_up_with_a_head_of_our_own),
		UPLOAD(to_be_believed_takes_trust),
		UPLOAD(what_is_not_storable_is_taken_off_for_a_build_hook),
		UPLOAD(for_anybody_else_it_is_refused_by_name_at_once),
		UPLOAD(what_is_there_already_is_well_whoever_brings_it),
		UPLOAD(what_contradicts_itself_never_reaches_the_daemon),
		UPLOAD(what_refers_to_a_doubtful_path_waits_for_its_fate),
		UPLOAD(a_size_that_was_announced_otherwise_is_refused),
		UPLOAD(bytes_behind_the_end_are_refused),
		UPLOAD(an_archive_that_ends_too_early_is_refused_and_the_daemon_stays_in_step),
		UPLOAD(an_archive_that_is_not_canonical_is_refused_in_its_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
