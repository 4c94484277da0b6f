#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/session/import.h"
#include "tests/unit/session/uploading.h"

static void send_archive(struct talk *t, struct value *head, struct bytes nar)
{
	value_set_number(head, shape(t), "narSize", nar.len);
	send_frame(t, nar.data, nar.len);
	send_end(t);
	bytes_free(&nar);
}

static void a_derivation_is_read_whole_and_goes_up_as_it_came(void **state)
{
	struct talk *t = *state;
	struct made a;
	struct value *head;
	struct bytes nar;

	MAKE(&a, .name = "a");
	nar = nar_of_file(a.text, strlen(a.text), 0);
	begin_upload(t, true);
	head = head_of_text(t, a.path, a.text);
	send_archive(t, head, nar_of_file(a.text, strlen(a.text), 0));
	upload_all(t, head);
	assert_false(up.in.failed);
	assert_holds(talk_heard(t), "AddToStoreNar a.drv - [ ] 0 ");
	assert_int_equal(buf_len(&t->fake.content), nar.len);
	assert_memory_equal(buf_data(&t->fake.content), nar.data, nar.len);
	bytes_free(&nar);
}

/* The daemon must not hear of it: some have come down over a broken one. */
static void assert_kept_from_the_daemon(struct talk *t, const char *reason)
{
	assert_true(up.in.failed);
	assert_holds(up.in.why, reason);
	assert_null(strstr(talk_heard(t), "AddToStoreNar"));
	assert_int_equal(buf_len(&t->session.client.rx), 0);
	intake_free(&up.in);
	buf_take(&t->said, buf_len(talk_said(t)));
}

static void a_broken_derivation_never_reaches_the_daemon(void **state)
{
	static const char *const broken[] = { "Derive(", "", "Derive([],[],[],\"x\",\"y\",[],[])" };
	struct talk *t = *state;
	struct made a, b;
	struct value *head;

	MAKE(&a, .name = "a");
	MAKE(&b, .name = "b");
	for (size_t i = 0; i < 3; i++) {
		begin_upload(t, true);
		head = head_of(t, a.path);
		send_archive(t, head, nar_of_file(broken[i], strlen(broken[i]), 0));
		t->grant.trust = TRUST_FULL;    /* else it would not get so far */
		upload_all(t, head);
		assert_kept_from_the_daemon(t, "this derivation ");
	}
	begin_upload(t, true);
	head = head_of_text(t, a.path, a.text);
	send_archive(t, head, nar_of_file(b.text, strlen(b.text), 0));
	upload_all(t, head);
	assert_kept_from_the_daemon(t, a.path);
}

static void what_is_named_as_a_derivation_is_a_plain_file(void **state)
{
	struct talk *t = *state;
	struct made a;
	struct value *head;

	MAKE(&a, .name = "a");
	begin_upload(t, true);
	head = head_of_text(t, a.path, a.text);
	send_archive(t, head, nar_of_file(a.text, strlen(a.text), 1));
	upload_all(t, head);
	assert_kept_from_the_daemon(t, "is no plain file");
	begin_upload(t, true);
	head = head_of_text(t, a.path, a.text);
	send_archive(t, head, nar_of_name("x", 1));
	upload_all(t, head);
	assert_kept_from_the_daemon(t, "is no plain file");
}

static void an_unsigned_derivation_is_read_before_it_is_taken_off(void **state)
{
	struct talk *t = *state;
	struct made a;
	struct value *head;

	MAKE(&a, .name = "a");
	begin_upload(t, true);
	head = head_of(t, a.path);
	send_archive(t, head, nar_of_file(a.text, strlen(a.text), 0));
	upload_all(t, head);
	assert_false(up.in.failed);
	assert_string_equal(talk_heard(t), "QueryValidPaths [ a.drv ] 0\n");
	intake_free(&up.in);
	begin_upload(t, true);
	head = head_of(t, a.path);
	send_archive(t, head, nar_of_file("no derivation", 13, 0));
	upload_all(t, head);
	assert_kept_from_the_daemon(t, "this derivation ");
}

/* An archive in the spool, as ImportPaths leaves it: judged, and its end known. */
static void spool(struct talk *t, const struct bytes *nar)
{
	size_t used;

	t->session.spool = import_open_spool();
	assert_true(t->session.spool >= 0);
	talk_write(t->session.spool, nar->data, nar->len);
	talk_write(t->session.spool, "left over", 9);
	nar_init(&t->session.nar, 1 << 20);
	assert_int_equal(nar_feed(&t->session.nar, nar->data, nar->len, &used), ERR_NONE);
	intake_free(&up.in);
	intake_init_sized(&up.in, 0);
}

static void what_was_spooled_goes_up_to_its_end_and_no_further(void **state)
{
	char large[100000];
	struct talk *t = *state;
	struct value none = { .count = 0 }, *head;
	struct bytes nar;

	memset(large, 'x', sizeof large);
	nar = nar_of_file(large, sizeof large, 0);
	begin_upload(t, false);
	spool(t, &nar);
	head = addressed(t, "x", &none);
	value_set_number(head, shape(t), "narSize", nar.len);
	assert_int_equal(path_upload_spooled(&t->session, &up, head), ERR_NONE);
	assert_int_equal(intake_finish(&t->session, &up.in), ERR_NONE);
	assert_false(up.in.failed);
	assert_int_equal(buf_len(&t->fake.content), nar.len);
	assert_memory_equal(buf_data(&t->fake.content), nar.data, nar.len);
	bytes_free(&nar);
}

static void a_spooled_path_that_is_not_storable_is_refused(void **state)
{
	struct talk *t = *state;
	struct bytes nar = nar_of_file("x", 1, 0);
	struct made a;

	MAKE(&a, .name = "a");
	t->command.kind = COMMAND_SERVE;
	begin_upload(t, false);
	spool(t, &nar);
	assert_int_equal(path_upload_spooled(&t->session, &up, head_of(t, PLAIN)), ERR_NONE);
	assert_true(up.in.failed);
	assert_string_equal(talk_heard(t), "QueryValidPaths [ plain ] 0\n");
	assert_said_nothing(t);         /* a serve client's stream has no place for it: `why` is for the caller */
	intake_free(&up.in);
	begin_upload(t, false);
	t->grant.trust = TRUST_FULL;
	assert_int_equal(path_upload_spooled(&t->session, &up, head_of(t, a.path)), ERR_NONE);
	assert_holds(up.in.why, "is a derivation, and those are not imported");
	assert_string_equal(talk_heard(t), "");
	bytes_free(&nar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UPLOAD(a_derivation_is_read_whole_and_goes_up_as_it_came),
		UPLOAD(a_broken_derivation_never_reaches_the_daemon),
		UPLOAD(what_is_named_as_a_derivation_is_a_plain_file),
		UPLOAD(an_unsigned_derivation_is_read_before_it_is_taken_off),
		UPLOAD(what_was_spooled_goes_up_to_its_end_and_no_further),
		UPLOAD(a_spooled_path_that_is_not_storable_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
