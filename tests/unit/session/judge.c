#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/session/judging.h"

/* The first held, then read, then its outputs held and looked at; only then its inputs. */
static void the_walk_goes_from_the_wanted_outputs_down_the_inputs(void **state)
{
	struct talk *t = *state;
	struct made a, b;
	char needs[512];

	MAKE(&b, .name = "b");
	MAKE(&a, .name = "a", .needs = need(needs, sizeof needs, &b, "\"out\""));
	hold_drv(t, &a, false);
	hold_drv(t, &b, false);
	assert_int_equal(JUDGE(t, all_of(&a, "!out")), ERR_NONE);
	assert_string_equal(talk_heard(t), "AddTempRoot a.drv\nQueryValidPaths [ a.drv ] 0\nNarFromPath a.drv\n"
					   "AddTempRoot a\nQueryValidPaths [ a ] 0\n"
					   "AddTempRoot b.drv\nQueryValidPaths [ b.drv ] 0\nNarFromPath b.drv\n"
					   "AddTempRoot b\nQueryValidPaths [ b ] 0\n");
}

static void a_derivation_whose_wanted_outputs_are_valid_is_passed_by(void **state)
{
	struct talk *t = *state;
	struct made a, b;
	char needs[512];

	only_system(t, "none");
	MAKE(&b, .name = "b");
	MAKE(&a, .name = "a", .outputs = "dev out", .needs = need(needs, sizeof needs, &b, "\"out\""));
	hold_drv(t, &a, true);
	assert_int_equal(JUDGE(t, all_of(&a, "!out")), ERR_NONE);
	assert_null(strstr(talk_heard(t), "b.drv"));
	assert_int_equal(JUDGE(t, all_of(&a, "!dev")), ERR_DENIED);
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_DENIED);
	assert_int_equal(JUDGE(t, all_of(&a, "!dev,out")), ERR_DENIED);
}

static void a_check_runs_its_target_and_so_judges_it_though_it_is_valid(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a", .features = "gpu");
	hold_drv(t, &a, true);
	only_feature(t, "kvm");
	assert_int_equal(JUDGE(t, all_of(&a, "!out")), ERR_NONE);
	t->session.build_mode = BUILD_MODE_CHECK;
	assert_int_equal(JUDGE(t, all_of(&a, "!out")), ERR_DENIED);
	assert_holds(refusal, "use the feature 'gpu'");
}

static void what_is_wanted_by_several_is_wanted_together(void **state)
{
	struct talk *t = *state;
	struct made a, b, c;
	char needs[512], more[512], both[1100];

	only_feature(t, "kvm");
	MAKE(&c, .name = "c", .outputs = "dev out", .features = "gpu");
	MAKE(&b, .name = "b", .needs = need(needs, sizeof needs, &c, "\"dev\""));
	need(needs, sizeof needs, &b, "\"out\"");
	need(more, sizeof more, &c, "\"out\"");
	snprintf(both, sizeof both, "%s,%s", strcmp(b.path, c.path) < 0 ? needs : more,
		 strcmp(b.path, c.path) < 0 ? more : needs);
	MAKE(&a, .name = "a", .needs = both);
	hold_drv(t, &a, false);
	hold_drv(t, &b, false);
	hold_drv(t, &c, true);
	/* c's "out" is there when it is first met, one level before "dev" is asked for. */
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_DENIED);
	assert_holds(refusal, "use the feature 'gpu'");
	fake_add(&t->fake, c.dev, NULL, true);
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_NONE);
}

static void an_output_whose_path_is_not_known_is_never_passed_by(void **state)
{
	struct talk *t = *state;
	struct made a;

	only_system(t, "none");
	MAKE(&a, .name = "a", .floating = true);
	hold_drv(t, &a, true);
	assert_int_equal(JUDGE(t, all_of(&a, "!out")), ERR_DENIED);
	assert_holds(refusal, "build for 'x86_64-linux'");
	assert_int_equal(rule.line, 7);
}

static void a_derivation_that_is_not_there_is_refused_and_not_fetched(void **state)
{
	struct talk *t = *state;
	struct made a, b;
	char needs[512];

	MAKE(&b, .name = "b");
	MAKE(&a, .name = "a", .needs = need(needs, sizeof needs, &b, "\"out\""));
	hold_drv(t, &a, false);
	fake_add(&t->fake, b.path, b.text, false)->fetchable = true;
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_DENIED);
	assert_holds(refusal, "alice may not build what is not there to be judged");
	assert_holds(refusal, b.path);
	assert_holds(refusal, "nix copy --derivation");
	assert_null(strstr(talk_heard(t), "NarFromPath b.drv"));
	assert_null(strstr(talk_heard(t), "BuildPaths"));
}

/* It was brought, and could not be stored: to bring it again would be of no use. */
static void a_derivation_that_was_taken_off_the_wire_is_refused_with_another_cure(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a");
	assert_int_equal(path_set_add(&t->session.taken_off, text_of(a.path), NULL), ERR_NONE);
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_DENIED);
	assert_holds(refusal, "it refers to what came unsigned: sign that");
}

static void what_is_refused_deep_in_the_closure_is_refused(void **state)
{
	struct talk *t = *state;
	struct made made[4];
	char needs[512];

	MAKE(&made[3], .name = "d", .system = "i686-linux");
	for (int i = 2; i >= 0; i--)
		MAKE(&made[i], .name = (const char *const[]){ "a", "b", "c" }[i],
		     .needs = need(needs, sizeof needs, &made[i + 1], "\"out\""));
	for (int i = 0; i < 4; i++)
		hold_drv(t, &made[i], false);
	only_system(t, "x86_64-linux");
	t->grant.operations = OPS_BUILD;
	assert_int_equal(JUDGE(t, all_of(&made[0], "!*")), ERR_DENIED);
	assert_holds(refusal, "alice may not build for 'i686-linux' (allowed: x86_64-linux): ");
	assert_holds(refusal, made[3].path);
	assert_int_equal(rule.line, 7);
	assert_null(strstr(talk_heard(t), "QueryMissing"));
}

/* The rule goes into the audit: it must outlive the levels that are read behind the refusal. */
static void the_rule_of_a_refusal_stands_though_the_walk_goes_on(void **state)
{
	struct talk *t = *state;
	struct made a, b;
	char needs[512];

	MAKE(&b, .name = "b");
	MAKE(&a, .name = "a", .features = "gpu", .needs = need(needs, sizeof needs, &b, "\"out\""));
	hold_drv(t, &a, false);
	hold_drv(t, &b, false);
	only_feature(t, "kvm");
	t->grant.operations = OPS_BUILD;
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_DENIED);
	assert_holds(refusal, "use the feature 'gpu'");
	assert_int_equal(rule.line, 8);
}

static void a_target_that_is_named_twice_hides_no_other(void **state)
{
	struct talk *t = *state;
	struct made a, b;

	MAKE(&a, .name = "a");
	MAKE(&b, .name = "b", .system = "i686-linux");
	hold_drv(t, &a, true);
	hold_drv(t, &b, false);
	only_system(t, "x86_64-linux");
	assert_int_equal(JUDGE(t, all_of(&a, "!*"), all_of(&a, "!out"), all_of(&b, "!*")), ERR_DENIED);
	assert_holds(refusal, "i686-linux");
}

static void a_target_that_is_named_twice_is_not_judged_in_anothers_place(void **state)
{
	struct talk *t = *state;
	struct made a, b;

	MAKE(&a, .name = "a");
	MAKE(&b, .name = "b", .system = "i686-linux");
	hold_drv(t, &a, false);
	hold_drv(t, &b, false);
	only_system(t, "x86_64-linux");
	assert_int_equal(JUDGE(t, all_of(&a, "!*"), all_of(&b, "!*"), all_of(&a, "!out")), ERR_DENIED);
	assert_holds(refusal, "i686-linux");
	assert_true(text_is(drv_find(&t->session.drvs, text_of(b.path))->path, b.path));
}

static void an_input_that_two_share_is_read_once(void **state)
{
	struct talk *t = *state;
	struct made a, b, c;
	char needs[512];
	const char *heard;

	MAKE(&c, .name = "c");
	MAKE(&a, .name = "a", .needs = need(needs, sizeof needs, &c, "\"out\""));
	MAKE(&b, .name = "b", .needs = needs);
	hold_drv(t, &a, false);
	hold_drv(t, &b, false);
	hold_drv(t, &c, false);
	assert_int_equal(JUDGE(t, all_of(&a, "!*"), all_of(&b, "!*")), ERR_NONE);
	heard = strstr(talk_heard(t), "NarFromPath c.drv");
	assert_non_null(heard);
	assert_null(strstr(heard + 1, "NarFromPath c.drv"));
}

static void a_text_that_is_not_its_paths_is_refused(void **state)
{
	struct talk *t = *state;
	struct made a, b;

	MAKE(&a, .name = "a");
	MAKE(&b, .name = "b");
	fake_add(&t->fake, a.path, b.text, true);
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_DENIED);
	assert_holds(refusal, "alice may not build what cannot be judged");
	fake_add(&t->fake, b.path, "Derive(", true);
	assert_int_equal(JUDGE(t, all_of(&b, "!*")), ERR_DENIED);
	assert_holds(refusal, b.path);
	assert_null(t->session.outcome);
}

static void an_output_that_it_has_not_is_refused(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a");
	hold_drv(t, &a, true);
	assert_int_equal(JUDGE(t, all_of(&a, "!out,lib")), ERR_DENIED);
	assert_holds(refusal, "has no output 'lib'");
	assert_null(t->session.outcome);
}

/* No two texts can hold each other's hashes, but the walk must end whatever a daemon hands out. */
static void a_cycle_ends(void **state)
{
	struct talk *t = *state;
	struct made a;
	struct drv *kept;
	struct text out = text_of("out");

	MAKE(&a, .name = "a");
	hold_drv(t, &a, false);
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_NONE);
	kept = drv_find(&t->session.drvs, text_of(a.path));
	kept->inputs = &(struct drv_input){ .path = text_of(a.path), .outputs = &out, .output_count = 1 };
	kept->input_count = 1;
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_NONE);
}

static void mandatory_features_are_asked_of_targets_alone_whatever_was_judged_before(void **state)
{
	static char kvm[] = "kvm", *words[] = { kvm };
	struct talk *t = *state;
	struct made a, b;
	char needs[512];

	MAKE(&b, .name = "b");
	MAKE(&a, .name = "a", .features = "kvm", .needs = need(needs, sizeof needs, &b, "\"out\""));
	hold_drv(t, &a, false);
	hold_drv(t, &b, false);
	t->grant.mandatory_features = (struct text_list){ .items = words, .count = 1 };
	t->grant.operations = OPS_BUILD;
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_NONE);
	talk_heard(t);
	assert_int_equal(JUDGE(t, all_of(&b, "!*")), ERR_DENIED);
	assert_null(strstr(talk_heard(t), "NarFromPath"));      /* read once in a session */
	assert_int_equal(JUDGE(t, all_of(&a, "!*"), all_of(&b, "!*")), ERR_DENIED);
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_NONE);
}

static void bare_paths_are_nothing_to_judge_but_bare_derivations_are(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a");
	hold_drv(t, &a, false);
	only_system(t, "none");
	assert_int_equal(JUDGE(t, a.out), ERR_NONE);
	assert_string_equal(talk_heard(t), "");
	assert_int_equal(JUDGE(t, a.path), ERR_DENIED);
}

static void what_came_unsigned_is_said_with_the_refusal(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a", .system = "i686-linux");
	hold_drv(t, &a, false);
	only_system(t, "x86_64-linux");
	assert_int_equal(path_set_add(&t->session.taken_off, text_of(a.out), NULL), ERR_NONE);
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_DENIED);
	assert_holds(refusal, "; its output came unsigned: sign it, or have the builder trust its cache");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_walk_goes_from_the_wanted_outputs_down_the_inputs),
		TEST(a_derivation_whose_wanted_outputs_are_valid_is_passed_by),
		TEST(a_check_runs_its_target_and_so_judges_it_though_it_is_valid),
		TEST(what_is_wanted_by_several_is_wanted_together),
		TEST(an_output_whose_path_is_not_known_is_never_passed_by),
		TEST(a_derivation_that_is_not_there_is_refused_and_not_fetched),
		TEST(a_derivation_that_was_taken_off_the_wire_is_refused_with_another_cure),
		TEST(what_is_refused_deep_in_the_closure_is_refused),
		TEST(the_rule_of_a_refusal_stands_though_the_walk_goes_on),
		TEST(a_target_that_is_named_twice_hides_no_other),
		TEST(a_target_that_is_named_twice_is_not_judged_in_anothers_place),
		TEST(an_input_that_two_share_is_read_once),
		TEST(a_text_that_is_not_its_paths_is_refused),
		TEST(an_output_that_it_has_not_is_refused),
		TEST(a_cycle_ends),
		TEST(mandatory_features_are_asked_of_targets_alone_whatever_was_judged_before),
		TEST(bare_paths_are_nothing_to_judge_but_bare_derivations_are),
		TEST(what_came_unsigned_is_said_with_the_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
