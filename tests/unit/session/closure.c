#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/session/closure.h"
#include "tests/unit/session/talk.h"

#define A STORE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-a"
#define B STORE "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-b"
#define C STORE "cccccccccccccccccccccccccccccccc-c.drv"
#define D STORE "dddddddddddddddddddddddddddddddd-d"

static struct path_set set;
static char why[SENTENCE_MAX];

static bool found(struct talk *t, const char *path, bool with_outputs)
{
	struct value paths = LIST(t, path);
	bool whole;

	if (!t->fake.started)
		talk_start_daemon(t);
	t->session.state = SESSION_WORK;
	path_set_init(&set, &t->session.arena, CLOSURE_MAX);
	assert_int_equal(closure_find(&t->session, &paths, with_outputs, &set, &whole, why), ERR_NONE);
	return whole;
}

static void each_path_is_asked_for_once_though_they_refer_to_each_other(void **state)
{
	struct talk *t = *state;

	fake_add(&t->fake, A, NULL, true)->references = B;
	fake_add(&t->fake, B, NULL, true)->references = A;
	assert_true(found(t, A, false));
	assert_int_equal(set.count, 2);
	assert_string_equal(talk_heard(t), "QueryPathInfo a\nQueryPathInfo b\n");
	path_set_free(&set);
}

static void a_path_that_is_not_there_is_named(void **state)
{
	struct talk *t = *state;

	fake_add(&t->fake, A, NULL, true)->references = B;
	assert_false(found(t, A, false));
	assert_string_equal(why, "path '" B "' is not on this builder");
	assert_null(t->session.outcome);
	path_set_free(&set);
}

static void outputs_of_derivations_are_added_where_they_are_valid(void **state)
{
	struct talk *t = *state;

	fake_add(&t->fake, C, NULL, true);
	fake_add(&t->fake, A, NULL, true)->references = B;
	fake_add(&t->fake, B, NULL, true);
	t->fake.outputs[0] = (struct fake_output){ C, "out", A };
	t->fake.outputs[1] = (struct fake_output){ C, "dev", D };
	t->fake.outputs[2] = (struct fake_output){ C, "unknown", "" };
	assert_true(found(t, C, false));
	assert_int_equal(set.count, 1);
	path_set_free(&set);
	assert_true(found(t, C, true));
	assert_int_equal(set.count, 3);
	assert_true(path_set_holds(&set, text_of(A)) && path_set_holds(&set, text_of(B)));
	path_set_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_path_is_asked_for_once_though_they_refer_to_each_other),
		TEST(a_path_that_is_not_there_is_named),
		TEST(outputs_of_derivations_are_added_where_they_are_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
