#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/session/results.h"
#include "tests/unit/session/made_drv.h"
#include "tests/unit/session/talk.h"

static const struct value *results;
static struct daemon_error error;

static enum err built(struct talk *t, unsigned daemon_minor, struct value targets)
{
	t->session.daemon_minor = daemon_minor;
	t->session.state = SESSION_WORK;
	if (!t->fake.started)
		talk_start_daemon(t);
	return results_build(&t->session, &targets, BUILD_MODE_CHECK, &results, &error);
}

static const struct value *result_field(size_t i, const char *name)
{
	return value_of(value_item(results, &shape_keyed_build_result, i), &shape_keyed_build_result, name);
}

static void a_daemon_with_results_is_asked_for_them(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a");
	t->fake.status = 9;
	t->fake.message = "it broke";
	assert_int_equal(built(t, 38, LIST(t, a.path, a.out)), ERR_NONE);
	assert_string_equal(talk_heard(t), "BuildPathsWithResults [ a.drv a ] 2\n");
	assert_int_equal(results->count, 2);
	assert_true(text_is(value_text(result_field(1, "path")), a.out));
	assert_int_equal(result_field(0, "status")->number, 9);
	assert_true(text_is(value_text(result_field(0, "message")), "it broke"));
}

static void for_an_older_daemon_they_are_made_from_its_outputs(void **state)
{
	struct talk *t = *state;
	struct made a;
	const struct value *outputs;
	char target[256];

	MAKE(&a, .name = "a", .outputs = "dev out");
	snprintf(target, sizeof target, "%s!out", a.path);
	t->fake.outputs[0] = (struct fake_output){ a.path, "dev", a.dev };
	t->fake.outputs[1] = (struct fake_output){ a.path, "out", a.out };
	assert_int_equal(built(t, 33, LIST(t, target, a.out)), ERR_NONE);
	assert_string_equal(talk_heard(t), "BuildPaths [ a.drv!out a ] 2\nQueryDerivationOutputMap a.drv\n");
	assert_int_equal(results->count, 2);
	assert_true(text_is(value_text(result_field(0, "path")), target));
	assert_int_equal(result_field(0, "status")->number, STATUS_BUILT);
	outputs = result_field(0, "builtOutputs");
	assert_int_equal(outputs->count, 1);
	assert_true(text_is(value_text(value_of(outputs->items, &shape_realisation, "id")),
			    "sha256:0000000000000000000000000000000000000000000000000000000000000000!out"));
	assert_true(text_is(value_text(value_of(outputs->items, &shape_realisation, "realisation")),
			    "{\"dependentRealisations\":{},\"id\":\"sha256:"
			    "0000000000000000000000000000000000000000000000000000000000000000!out\","
			    "\"outPath\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-a\",\"signatures\":[]}"));
	assert_int_equal(result_field(1, "builtOutputs")->count, 0);
}

static void an_error_of_the_daemon_is_told_and_the_session_goes_on(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a");
	t->fake.rules[0] = (struct fake_rule){ .about = "BuildPaths", .error = "no space" };
	assert_int_equal(built(t, 38, LIST(t, a.path)), ERR_NONE);
	assert_true(error.failed);
	assert_string_equal(error.text, "no space");
	assert_null(t->session.outcome);
}

static void a_status_that_clients_do_not_know_becomes_a_failure(void **state)
{
	struct talk *t = *state;
	struct value result[32] = { { .number = 0 } };
	struct value *copy;

	value_set_number(result, &shape_keyed_build_result, "status", STATUS_LAST + 1);
	value_set_text(result, &shape_keyed_build_result, "message", text_of("new"));
	assert_int_equal(result_copy(&t->session, result, &shape_keyed_build_result, &shape_serve_build_result, &copy),
			 ERR_NONE);
	assert_int_equal(value_of(copy, &shape_serve_build_result, "status")->number, STATUS_MISC_FAILURE);
	assert_true(text_is(value_text(value_of(copy, &shape_serve_build_result, "message")), "new"));
	value_set_number(result, &shape_keyed_build_result, "status", STATUS_LAST);
	assert_int_equal(result_copy(&t->session, result, &shape_keyed_build_result, &shape_build_result, &copy), ERR_NONE);
	assert_int_equal(value_of(copy, &shape_build_result, "status")->number, STATUS_LAST);
}

static void four_statuses_are_a_success(void **unused)
{
	(void)unused;
	for (uint64_t status = 0; status < 300; status++)
		assert_int_equal(status_is_success(status), status <= 2 || status == 13);
	assert_false(status_is_success(UINT64_MAX));
	assert_string_equal(status_name(0), "built");
	assert_string_equal(status_name(8), "timed-out");
	assert_string_equal(status_name(14), "no-substituters");
	assert_string_equal(status_name(15), "failed");
	assert_string_equal(status_name(UINT64_MAX), "failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_daemon_with_results_is_asked_for_them),
		TEST(for_an_older_daemon_they_are_made_from_its_outputs),
		TEST(an_error_of_the_daemon_is_told_and_the_session_goes_on),
		TEST(a_status_that_clients_do_not_know_becomes_a_failure),
		cmocka_unit_test(four_statuses_are_a_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
