#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/session/serving.h"

#define EXPORT_MAGIC 0x4558494e
#define B STORE "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-b"

/* One exported path behind its archive. */
static void add_exported(const char *content, const char *path, uint64_t magic)
{
	struct bytes nar = nar_of_file(content, strlen(content), 0);

	add_number(&sent, 1);
	add_raw(&sent, nar.data, nar.len);
	add_number(&sent, magic);
	add_word(&sent, path);
	add_number(&sent, 1);
	add_word(&sent, B);
	add_word(&sent, "");
	add_number(&sent, 0);
	bytes_free(&nar);
}

static void begin_import(struct talk *t)
{
	t->session.spool = import_open_spool();
	add_number(&sent, SERVE_IMPORT_PATHS);
}

static void what_is_believed_goes_up_with_the_hash_and_size_of_what_came(void **state)
{
	struct talk *t = *state;
	struct bytes nar = nar_of_file("hello", 5, 0);

	t->grant.trust = TRUST_FULL;
	begin_import(t);
	add_exported("hello", PLAIN, EXPORT_MAGIC);
	add_number(&sent, 0);
	add_number(&expected, 1);
	assert_served(t);
	assert_string_equal(talk_heard(t), "AddToStoreNar plain - [ b ] 0 120 0 [ ] - 0 1 +120\n");
	assert_memory_equal(buf_data(&t->fake.content), nar.data, nar.len);
	bytes_free(&nar);
}

/* The format has neither address nor signature, so of a key that is not trusted nothing can be checked. */
static void of_anybody_else_it_is_refused_and_the_stream_stays_in_step(void **state)
{
	struct talk *t = *state;

	begin_import(t);
	add_exported("one", PLAIN, EXPORT_MAGIC);
	add_exported("two", PLAIN "-2", EXPORT_MAGIC);
	add_number(&sent, 0);
	add_number(&sent, SERVE_QUERY_VALID_PATHS);
	for (int i = 0; i < 3; i++)
		add_number(&sent, 0);
	add_number(&expected, 0);
	add_number(&expected, 0);
	assert_served(t);
	assert_log_holds(t, PLAIN "; sign it (nix store sign)\n");
	assert_null(strstr(talk_heard(t), "AddToStoreNar"));
}

static void of_anybody_else_nothing_is_kept_on_disk(void **state)
{
	struct talk *t = *state;

	begin_import(t);
	add_exported("one", PLAIN, EXPORT_MAGIC);
	add_number(&sent, 0);
	add_number(&expected, 0);
	assert_served(t);
	assert_int_equal(lseek(t->session.spool, 0, SEEK_END), 0);
}

static void what_is_there_already_is_well(void **state)
{
	struct talk *t = *state;

	fake_add(&t->fake, PLAIN, NULL, true);
	begin_import(t);
	add_exported("one", PLAIN, EXPORT_MAGIC);
	add_number(&sent, 0);
	add_number(&expected, 1);
	assert_served(t);
	assert_string_equal(talk_heard(t), "QueryValidPaths [ plain ] 0\n");
}

static void what_is_no_export_stream_ends_the_session(void **state)
{
	struct talk *t = *state;

	begin_import(t);
	add_exported("one", PLAIN, 7);
	add_number(&sent, 0);
	assert_int_equal(serve_all(t), ERR_PROTO);
	assert_string_equal(t->session.why, "the client has sent what is no export stream");
}

static void a_number_other_than_yes_and_no_ends_the_session(void **state)
{
	struct talk *t = *state;

	begin_import(t);
	add_number(&sent, 2);
	assert_int_equal(serve_all(t), ERR_PROTO);
	assert_string_equal(t->session.outcome, "protocol-error");
}

static void an_archive_that_is_not_canonical_ends_the_session(void **state)
{
	struct talk *t = *state;

	begin_import(t);
	add_number(&sent, 1);
	add_word(&sent, "nix-archive-2");
	assert_int_equal(serve_all(t), ERR_PROTO);
	assert_holds(t->session.why, "an imported archive is not in canonical form");
}

static void a_spool_has_no_name_and_is_empty_again_for_each_path(void **state)
{
	struct talk *t = *state;
	struct bytes nar = nar_of_file("x", 1, 0);
	struct stat st;

	t->grant.trust = TRUST_FULL;
	begin_import(t);
	add_exported("a long first content, longer than the second", PLAIN, EXPORT_MAGIC);
	add_exported("x", PLAIN "-2", EXPORT_MAGIC);
	add_number(&sent, 0);
	add_number(&expected, 1);
	assert_served(t);
	assert_int_equal(fstat(t->session.spool, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_mode & 0077, 0);
	assert_holds(talk_heard(t), "AddToStoreNar plain-2 - [ b ] 0 120 0 [ ] - 0 1 +120\n");
	assert_memory_equal(buf_data(&t->fake.content), nar.data, nar.len);
	bytes_free(&nar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVING(what_is_believed_goes_up_with_the_hash_and_size_of_what_came),
		SERVING(of_anybody_else_it_is_refused_and_the_stream_stays_in_step),
		SERVING(of_anybody_else_nothing_is_kept_on_disk),
		SERVING(what_is_there_already_is_well),
		SERVING(what_is_no_export_stream_ends_the_session),
		SERVING(a_number_other_than_yes_and_no_ends_the_session),
		SERVING(an_archive_that_is_not_canonical_ends_the_session),
		SERVING(a_spool_has_no_name_and_is_empty_again_for_each_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
