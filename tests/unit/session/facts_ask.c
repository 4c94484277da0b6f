#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/session/facts_ask.h"
#include "tests/unit/nix/asked.h"

#define DRV "/nix/store/z430mzz5bvckilcqf0fmla6y8y1zc6iz-p.drv"

static struct build_ask ask_of(const struct facts *facts)
{
	struct build_ask ask;

	assert_int_equal(facts_to_ask(&arena, facts, text_of(DRV), &ask), ERR_NONE);
	return ask;
}

/* What a derivation with these variables asks policy. */
static struct build_ask asked_of(const struct asked_for *a)
{
	struct facts facts;

	assert_int_equal(gather(a, &facts), ERR_NONE);
	return ask_of(&facts);
}

static void a_plain_derivation_asks_for_its_system_alone(void **unused)
{
	struct build_ask ask = asked_of(ASK(VARIABLE("x", "y")));

	(void)unused;
	assert_string_equal(ask.drv, DRV);
	assert_string_equal(ask.system, "x86_64-linux");
	assert_false(ask.any_system || ask.wanted || ask.came_unsigned);
	assert_true(ask.own_program);
	assert_int_equal(ask.feature_count + ask.impure_env_var_count + ask.relaxations, 0);
	assert_null(ask.unknown_builtin);
	assert_null(ask.odd_url);
}

/* P3, P4 */
static void features_of_either_place_become_words(void **unused)
{
	struct build_ask ask = asked_of(ASK(VARIABLE("requiredSystemFeatures", "kvm big-parallel"),
					    VARIABLE("__json", "{\"requiredSystemFeatures\":[\"uid-range\"]}")));

	(void)unused;
	assert_int_equal(ask.feature_count, 3);
	assert_string_equal(ask.features[0], "big-parallel");
	assert_string_equal(ask.features[1], "kvm");
	assert_string_equal(ask.features[2], "uid-range");
}

static void each_kind_of_output_is_a_kind_of_the_grant(void **unused)
{
	static const struct {
		enum derivation_kind kind;
		bool makes_derivation;
		unsigned kinds;
	} rows[] = {
		{ DERIVATION_INPUT_ADDRESSED, false, KIND_INPUT_ADDRESSED },
		{ DERIVATION_DEFERRED, false, KIND_INPUT_ADDRESSED },
		{ DERIVATION_FIXED, false, KIND_FIXED_OUTPUT },
		{ DERIVATION_FLOATING, false, KIND_CONTENT_ADDRESSED },
		{ DERIVATION_IMPURE, false, KIND_IMPURE },
		{ DERIVATION_FLOATING, true, KIND_CONTENT_ADDRESSED | KIND_DYNAMIC },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct facts facts = { .kind = rows[i].kind, .makes_derivation = rows[i].makes_derivation };

		assert_int_equal(ask_of(&facts).kinds, rows[i].kinds);
	}
}

/* P6 */
static void known_builtins_run_anywhere_and_only_the_fetcher_is_no_program(void **unused)
{
	struct build_ask ask =
	    asked_of(&(struct asked_for){ .platform = "aarch64-linux", .builder = "builtin:fetchurl" });

	(void)unused;
	assert_true(ask.any_system);
	assert_false(ask.own_program);
	assert_null(ask.unknown_builtin);
	ask = asked_of(&(struct asked_for){ .platform = "builtin", .builder = "builtin:buildenv" });
	assert_true(ask.any_system && ask.own_program);
	ask = asked_of(&(struct asked_for){ .platform = "x86_64-linux", .builder = "builtin:evil" });
	assert_false(ask.any_system);
	assert_non_null(ask.unknown_builtin);
	ask = asked_of(&(struct asked_for){ .platform = "builtin", .builder = "/bin/sh" });
	assert_false(ask.any_system);
	assert_non_null(ask.unknown_builtin);
}

/* P7 */
static void a_url_that_is_not_of_the_web_is_told(void **unused)
{
	struct asked_for a = { .env = { VARIABLE("url", "https://example.org/x"), VARIABLE("urls", "s3://b/x") },
			       .builder = "builtin:fetchurl" };

	(void)unused;
	assert_string_equal(asked_of(&a).odd_url, "s3://b/x");
	a.builder = "/bin/sh";
	assert_null(asked_of(&a).odd_url); /* then it is a word like any other */
}

/* P8: Nix heeds the variables of no other kind. */
static void variables_count_where_they_are_heeded(void **unused)
{
	struct text names[] = { text_of("AWS_SECRET_ACCESS_KEY"), text_of("http_proxy") };
	struct facts facts = { .kind = DERIVATION_FIXED, .impure_env_vars = { names, 2 } };
	struct build_ask ask = ask_of(&facts);

	(void)unused;
	assert_int_equal(ask.impure_env_var_count, 2);
	assert_string_equal(ask.impure_env_vars[0], "AWS_SECRET_ACCESS_KEY");
	assert_string_equal(ask.impure_env_vars[1], "http_proxy");
	facts.kind = DERIVATION_IMPURE;
	assert_int_equal(ask_of(&facts).impure_env_var_count, 2);
	facts.kind = DERIVATION_INPUT_ADDRESSED;
	assert_int_equal(ask_of(&facts).impure_env_var_count, 0);
	facts.kind = DERIVATION_FLOATING;
	assert_int_equal(ask_of(&facts).impure_env_var_count, 0);
}

/* P9 */
static void relaxations_are_those_beyond_the_usual(void **unused)
{
	(void)unused;
	assert_int_equal(asked_of(ASK(VARIABLE("__noChroot", "1"))).relaxations, RELAX_NO_CHROOT);
	assert_int_equal(asked_of(ASK(VARIABLE("__darwinAllowLocalNetworking", "1"))).relaxations,
			 RELAX_LOCAL_NETWORKING);
	assert_int_equal(asked_of(ASK(VARIABLE("__sandboxProfile", "(allow default)"))).relaxations,
			 RELAX_SANDBOX_PROFILE);
	assert_int_equal(asked_of(ASK(VARIABLE("__impureHostDeps", "/etc"))).relaxations, RELAX_IMPURE_HOST_DEPS);
	/* As nixpkgs puts them into every derivation on a Mac. */
	assert_int_equal(asked_of(ASK(VARIABLE("__impureHostDeps", "/dev/zero /usr/lib/libSystem.B.dylib"),
				      VARIABLE("__sandboxProfile", "")))
			     .relaxations,
			 0);
}

static void nothing_is_lent_by_the_facts(void **unused)
{
	char system[] = "x86_64-linux", feature[] = "kvm";
	struct text words[] = { text_of(feature) };
	struct facts facts = { .system = text_of(system), .features = { words, 1 } };
	struct build_ask ask = ask_of(&facts);

	(void)unused;
	memset(system, '#', sizeof system - 1);
	memset(feature, '#', sizeof feature - 1);
	assert_string_equal(ask.system, "x86_64-linux");
	assert_string_equal(ask.features[0], "kvm");
}

static void a_full_arena_is_an_error(void **unused)
{
	struct facts facts = { .system = text_of("x86_64-linux") };
	struct build_ask ask;
	struct arena small;

	(void)unused;
	arena_init(&small, 64);
	assert_int_equal(facts_to_ask(&small, &facts, text_of(DRV), &ask), ERR_MEMORY);
	arena_free(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_plain_derivation_asks_for_its_system_alone),
		TEST(features_of_either_place_become_words),
		TEST(each_kind_of_output_is_a_kind_of_the_grant),
		TEST(known_builtins_run_anywhere_and_only_the_fetcher_is_no_program),
		TEST(a_url_that_is_not_of_the_web_is_told),
		TEST(variables_count_where_they_are_heeded),
		TEST(relaxations_are_those_beyond_the_usual),
		TEST(nothing_is_lent_by_the_facts),
		TEST(a_full_arena_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
