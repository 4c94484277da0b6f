#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/session/serving.h"

#define A STORE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-a"
#define B STORE "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-b"

static void add_paths(struct bytes *b, const char *first, const char *second)
{
	add_number(b, second == NULL ? 1 : 2);
	add_word(b, first);
	if (second != NULL)
		add_word(b, second);
}

static void add_limits(void)
{
	for (int i = 0; i < 6; i++)
		add_number(&sent, 0);
}

static void ask_valid_paths(uint64_t lock, uint64_t substitute)
{
	add_number(&sent, SERVE_QUERY_VALID_PATHS);
	add_number(&sent, lock);
	add_number(&sent, substitute);
	add_paths(&sent, A, B);
}

static void a_question_is_asked_of_the_daemon_and_answered(void **state)
{
	struct talk *t = *state;

	fake_add(&t->fake, B, NULL, true);
	ask_valid_paths(1, 1);
	add_paths(&expected, B, NULL);
	assert_served(t);
	assert_string_equal(talk_heard(t), "AddTempRoot a\nAddTempRoot b\nQueryValidPaths [ a b ] 1\n");
}

/* Without --write nothing is fetched on the client's behalf either, whatever the grant says. */
static void without_write_nothing_is_written(void **state)
{
	struct talk *t = *state;

	t->command.write = false;
	ask_valid_paths(0, 1);
	add_number(&sent, SERVE_BUILD_PATHS);
	add_paths(&sent, A ".drv", NULL);
	add_limits();
	add_number(&expected, 0);
	add_number(&expected, 9);
	add_word(&expected, "nix-gateway: BuildPaths needs nix-store --serve --write");
	assert_served(t);
	assert_string_equal(talk_heard(t), "QueryValidPaths [ a b ] 0\n");
	assert_holds(talk_records(t), "\"operation\":\"BuildPaths\"");
	assert_log_holds(t, "nix-gateway: BuildPaths needs nix-store --serve --write\n");
}

static void an_info_is_written_as_this_protocol_has_it(void **state)
{
	struct talk *t = *state;

	fake_add(&t->fake, A, NULL, true)->references = B;
	add_number(&sent, SERVE_QUERY_PATH_INFOS);
	add_paths(&sent, A, B);
	add_word(&expected, A);
	add_word(&expected, "");                /* no deriver */
	add_paths(&expected, B, NULL);
	add_number(&expected, 120);
	add_number(&expected, 120);
	add_word(&expected, "sha256:0sg9f58l1jj88w6pdrfdpj5x9b1zrwszk84j81zvby36q9whhhqa");
	add_word(&expected, "");                /* no address */
	add_number(&expected, 0);
	add_word(&expected, "");                /* no more; B is not there */
	assert_served(t);
}

static void an_archive_is_passed_on_or_the_session_ends(void **state)
{
	struct talk *t = *state;
	struct bytes nar = nar_of_file("hello", 5, 0);

	fake_add(&t->fake, A, "hello", true);
	add_number(&sent, SERVE_DUMP_STORE_PATH);
	add_word(&sent, A);
	add_number(&sent, SERVE_DUMP_STORE_PATH);
	add_word(&sent, B);
	assert_int_equal(serve_all(t), ERR_DENIED);
	assert_string_equal(t->session.why, "path '" B "' is not on this builder");
	assert_int_equal(buf_len(talk_said(t)), nar.len);
	assert_memory_equal(buf_data(&t->said), nar.data, nar.len);
	bytes_free(&nar);
}

static void what_is_refused_is_a_failed_result_and_never_a_success(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a");
	t->grant.operations = ~(unsigned)OPS_BUILD;
	add_number(&sent, SERVE_BUILD_PATHS);
	add_paths(&sent, a.path, NULL);
	add_limits();
	assert_int_equal(serve_all(t), ERR_CLOSED);
	assert_int_equal(buf_data(talk_said(t))[0], 9);
	assert_log_holds(t, "nix-gateway: alice may not use BuildPaths");
	assert_string_equal(talk_heard(t), "");
}

static void a_bare_derivation_means_all_of_its_outputs(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a");
	stays = true;                           /* a client that has left is built for no more */
	fake_add(&t->fake, a.path, a.text, true);
	add_number(&sent, SERVE_BUILD_PATHS);
	add_paths(&sent, a.path, NULL);
	add_limits();
	add_number(&expected, 0);
	assert_served(t);
	assert_holds(talk_heard(t), "BuildPaths [ a.drv!* ] 0\n");
	assert_holds(talk_records(t), "\"event\":\"build\"");
}

/* The archive of an upload that is refused is read to its end, so that the next command is one. */
static void a_refused_upload_leaves_the_stream_in_step(void **state)
{
	struct talk *t = *state;
	struct bytes nar = nar_of_file("x", 1, 0);

	fake_add(&t->fake, B, NULL, true);
	for (int i = 0; i < 2; i++) {
		add_number(&sent, SERVE_ADD_TO_STORE_NAR);
		add_word(&sent, A);
		add_word(&sent, "");
		add_word(&sent, HASH);
		add_number(&sent, 0);
		add_number(&sent, 0);
		add_number(&sent, nar.len);
		add_number(&sent, 0);
		add_number(&sent, 0);
		add_word(&sent, "");
		add_raw(&sent, nar.data, nar.len);
		add_number(&expected, 0);
	}
	ask_valid_paths(0, 0);
	add_paths(&expected, B, NULL);
	assert_served(t);
	assert_log_holds(t, "nix-gateway: alice may not upload what is neither content-addressed nor signed");
	assert_null(strstr(talk_heard(t), "AddToStoreNar"));
	bytes_free(&nar);
}

static void what_is_no_archives_size_ends_the_session(void **state)
{
	static const uint64_t sizes[] = { 0, 8, 121, UINT64_MAX };
	struct talk *t;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		void *other;

		begin_serving(&other);
		t = other;
		add_number(&sent, SERVE_ADD_TO_STORE_NAR);
		add_word(&sent, A);
		add_word(&sent, "");
		add_word(&sent, HASH);
		add_number(&sent, 0);
		add_number(&sent, 0);
		add_number(&sent, sizes[i]);
		add_number(&sent, 0);
		add_number(&sent, 0);
		add_word(&sent, "");
		assert_int_equal(serve_all(t), ERR_PROTO);
		assert_holds(t->session.why, "is no archive's size");
		end_serving(&other);
	}
}

static void a_command_that_nobody_knows_ends_the_session(void **state)
{
	struct talk *t = *state;

	add_number(&sent, 77);
	assert_int_equal(serve_all(t), ERR_PROTO);
	assert_string_equal(t->session.why, "the serve operation 77 is not known here");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVING(a_question_is_asked_of_the_daemon_and_answered),
		SERVING(without_write_nothing_is_written),
		SERVING(an_info_is_written_as_this_protocol_has_it),
		SERVING(an_archive_is_passed_on_or_the_session_ends),
		SERVING(what_is_refused_is_a_failed_result_and_never_a_success),
		SERVING(a_bare_derivation_means_all_of_its_outputs),
		SERVING(a_refused_upload_leaves_the_stream_in_step),
		cmocka_unit_test(what_is_no_archives_size_ends_the_session),
		SERVING(a_command_that_nobody_knows_ends_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
