#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/session/judging.h"

/* "a" needs "b", which the grant does not allow; a cache may have b's output. */
struct pair {
	struct made a, b;
	char needs[512];
	struct fake_path *b_out;
};

static struct pair p;

static void set_up(struct talk *t)
{
	MAKE(&p.b, .name = "b", .system = "i686-linux");
	MAKE(&p.a, .name = "a", .needs = need(p.needs, sizeof p.needs, &p.b, "\"out\""));
	hold_drv(t, &p.a, false);
	fake_add(&t->fake, p.b.path, p.b.text, true);
	p.b_out = fake_add(&t->fake, p.b.out, NULL, false);
	only_system(t, "x86_64-linux");
}

static void what_is_refused_but_can_be_fetched_is_fetched_first(void **state)
{
	struct talk *t = *state;
	const char *heard;

	set_up(t);
	p.b_out->fetchable = true;
	t->fake.will_build[0] = p.a.path;
	t->fake.will_substitute[0] = p.b.out;
	assert_int_equal(JUDGE(t, all_of(&p.a, "!*")), ERR_NONE);
	heard = talk_heard(t);
	assert_holds(heard, "QueryMissing [ a.drv!* ]\nBuildPaths [ b ] 0\nQueryValidPaths [ a.drv ] 0\n");
	assert_null(strstr(strstr(heard, "BuildPaths"), "NarFromPath"));
}

/* To build it would be what the policy refuses. */
static void nothing_is_fetched_where_a_refused_one_would_be_built_all_the_same(void **state)
{
	struct talk *t = *state;

	set_up(t);
	p.b_out->fetchable = true;
	t->fake.will_build[0] = p.a.path;
	t->fake.will_build[1] = p.b.path;
	t->fake.will_substitute[0] = p.b.out;
	assert_int_equal(JUDGE(t, all_of(&p.a, "!*")), ERR_DENIED);
	assert_null(strstr(talk_heard(t), "BuildPaths"));
	assert_holds(refusal, "i686-linux");
	assert_int_equal(rule.line, 7);
}

static void what_was_not_fetched_after_all_stays_refused_without_another_try(void **state)
{
	struct talk *t = *state;
	const char *heard, *first;

	set_up(t);
	t->fake.will_substitute[0] = p.b.out;
	assert_int_equal(JUDGE(t, all_of(&p.a, "!*")), ERR_DENIED);
	heard = talk_heard(t);
	first = strstr(heard, "QueryMissing");
	assert_non_null(first);
	assert_null(strstr(first + 1, "QueryMissing"));
	assert_holds(refusal, "i686-linux");
	assert_int_equal(rule.line, 7);
}

static void a_fetch_that_fails_leaves_the_refusal(void **state)
{
	struct talk *t = *state;

	set_up(t);
	t->fake.will_substitute[0] = p.b.out;
	t->fake.rules[0] = (struct fake_rule){ .about = "BuildPaths", .error = "the cache is down" };
	assert_int_equal(JUDGE(t, all_of(&p.a, "!*")), ERR_DENIED);
	assert_holds(refusal, "i686-linux");
	assert_null(t->session.outcome);
}

static void a_daemon_that_does_not_say_what_is_missing_leaves_the_refusal(void **state)
{
	struct talk *t = *state;

	set_up(t);
	t->fake.rules[0] = (struct fake_rule){ .about = "QueryMissing", .error = "no idea" };
	assert_int_equal(JUDGE(t, all_of(&p.a, "!*")), ERR_DENIED);
	assert_holds(refusal, "i686-linux");
	assert_null(t->session.outcome);
}

static void without_the_grant_nothing_is_fetched(void **state)
{
	struct talk *t = *state;

	set_up(t);
	p.b_out->fetchable = true;
	t->fake.will_substitute[0] = p.b.out;
	t->grant.operations = ~(unsigned)OPS_SUBSTITUTE;
	assert_int_equal(JUDGE(t, all_of(&p.a, "!*")), ERR_DENIED);
	assert_null(strstr(talk_heard(t), "QueryMissing"));
	assert_false(p.b_out->valid);
}

static void what_is_not_there_to_be_judged_is_not_worth_a_fetch(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a");
	t->fake.will_substitute[0] = a.out;
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_DENIED);
	assert_null(strstr(talk_heard(t), "QueryMissing"));
}

/* The daemon's own paths are held from before they are looked at, so that they stay. */
static void what_the_daemon_cannot_hold_ends_the_session(void **state)
{
	struct talk *t = *state;

	set_up(t);
	t->fake.rules[0] = (struct fake_rule){ .about = "AddTempRoot a.drv", .error = "disk is full" };
	assert_int_equal(JUDGE(t, all_of(&p.a, "!*")), ERR_PROTO);
	assert_string_equal(t->session.outcome, "daemon-error");
	assert_holds(t->session.why, "disk is full");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_refused_but_can_be_fetched_is_fetched_first),
		TEST(nothing_is_fetched_where_a_refused_one_would_be_built_all_the_same),
		TEST(what_was_not_fetched_after_all_stays_refused_without_another_try),
		TEST(a_fetch_that_fails_leaves_the_refusal),
		TEST(a_daemon_that_does_not_say_what_is_missing_leaves_the_refusal),
		TEST(without_the_grant_nothing_is_fetched),
		TEST(what_is_not_there_to_be_judged_is_not_worth_a_fetch),
		TEST(what_the_daemon_cannot_hold_ends_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
