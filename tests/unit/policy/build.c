#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/build.h"
#include "policy/operation.h"
#include "policy/resolve.h"
#include "policy/words.h"

#define DRV   "/nix/store/z430mzz5bvckilcqf0fmla6y8y1zc6iz-foo.drv"
#define ADMIN "; ask the builder's administrator"

/* A policy with one key, whose settings are handed in. */
struct world {
	struct policy p;
	struct faults faults;
};

/* [key alice] stands in line 1, so the first setting in line 2. */
static struct world world_of(const char *settings)
{
	struct world w = { .p = { .pool = pool_new() } };
	struct ini_file ini;
	char text[16384], *copy;

	assert_true(snprintf(text, sizeof text, "[key alice]\n%s", settings) < (int)sizeof text);
	copy = pool_text(w.p.pool, text);
	ini_read(copy, strlen(copy), &ini, &w.faults);
	resolve(&ini, NULL, &w.p, &w.faults);
	ini_free(&ini);
	if (faults_any(&w.faults))
		fail_msg("%s", w.faults.items[0].text);
	return w;
}

static struct verdict verdict_of(const char *settings, const struct build_ask *ask)
{
	struct world w = world_of(settings);
	struct verdict v = policy_decide_build(&w.p.keys[0], ask);

	pool_free(w.p.pool);
	return v;
}

static void assert_allowed(const char *settings, const struct build_ask *ask)
{
	struct verdict v = verdict_of(settings, ask);

	if (!v.allow)
		fail_msg("refused: %s", v.text);
}

static void assert_refused(const char *settings, const struct build_ask *ask, unsigned line, const char *text)
{
	struct verdict v = verdict_of(settings, ask);

	assert_false(v.allow);
	assert_string_equal(v.text, text);
	assert_int_equal(v.rule.line, line);
}

/* A plain derivation for x86_64-linux that every change starts from. */
static struct build_ask plain(void)
{
	return (struct build_ask){
		.drv = DRV, .system = "x86_64-linux", .kinds = KIND_INPUT_ADDRESSED, .own_program = true
	};
}

#define LINUX "systems = x86_64-linux\n"

/* P1 */
static void a_system_must_be_listed(void **unused)
{
	struct build_ask ask = plain();

	(void)unused;
	assert_allowed(LINUX, &ask);
	assert_allowed("systems = *\n", &ask);
	assert_int_equal(verdict_of(LINUX, &ask).rule.line, 2);
	ask.system = "i686-linux";
	assert_refused(LINUX, &ask, 2, "alice may not build for 'i686-linux' (allowed: x86_64-linux): " DRV ADMIN);
	assert_refused("", &ask, 0, "alice may not build for 'i686-linux' (allowed: none): " DRV ADMIN);
	ask.system = "x86_64-linu";
	assert_false(verdict_of(LINUX, &ask).allow);
	ask.system = "x86_64-linux2";
	assert_false(verdict_of(LINUX, &ask).allow);
	ask.system = "";
	assert_false(verdict_of(LINUX, &ask).allow);
	ask.system = "*";
	assert_false(verdict_of(LINUX, &ask).allow);
}

static void a_question_without_a_derivation_names_none(void **unused)
{
	struct build_ask ask = { .system = "i686-linux" };

	(void)unused;
	assert_refused(LINUX, &ask, 2, "alice may not build for 'i686-linux' (allowed: x86_64-linux)" ADMIN);
}

/* P6 */
static void known_builtins_run_on_any_system_and_others_nowhere(void **unused)
{
	struct build_ask ask = plain();

	(void)unused;
	ask.system = "aarch64-linux";
	ask.any_system = true;
	assert_allowed("", &ask);
	ask = plain();
	ask.unknown_builtin = "builtin:evil";
	assert_refused(
	    "systems = *\nderivations = *\n", &ask, 0,
	    "alice may not use the builtin builder 'builtin:evil' (allowed: builtin:fetchurl builtin:buildenv "
	    "builtin:unpack-channel): " DRV "; build it elsewhere");
}

/* P7 */
static void only_the_web_is_fetched_from(void **unused)
{
	struct build_ask ask = plain();

	(void)unused;
	ask.odd_url = "file:///etc/shadow";
	assert_refused(LINUX, &ask, 0,
		       "alice may not fetch 'file:///etc/shadow' (allowed: http:// https://): " DRV
		       "; give it another URL");
}

/* P3, P14 */
static void each_feature_must_be_listed(void **unused)
{
	static const char *const features[] = { "big-parallel", "kvm" }, *const recursive[] = { "recursive-nix" };
	struct build_ask ask = plain();

	(void)unused;
	ask.features = features;
	ask.feature_count = 2;
	assert_allowed(LINUX "features = kvm big-parallel\n", &ask);
	assert_allowed(LINUX "features = *\n", &ask);
	assert_refused(LINUX "features = big-parallel\n", &ask, 3,
		       "alice may not use the feature 'kvm' (allowed: big-parallel): " DRV ADMIN);
	assert_refused(LINUX, &ask, 0, "alice may not use the feature 'big-parallel' (allowed: none): " DRV ADMIN);
	ask.features = recursive;
	ask.feature_count = 1;
	assert_false(verdict_of(LINUX "features = kvm\n", &ask).allow);
}

static void mandatory_features_are_asked_of_what_is_wanted_alone(void **unused)
{
	static const char *const features[] = { "kvm" };
	struct build_ask ask = plain();

	(void)unused;
#define MANDATORY LINUX "mandatory-features = kvm nixos-test\n"
	assert_allowed(MANDATORY, &ask);
	ask.wanted = true;
	assert_refused(MANDATORY, &ask, 3,
		       "alice may not build without the feature 'kvm' (allowed: with kvm nixos-test): " DRV ADMIN);
	ask.features = features;
	ask.feature_count = 1;
	assert_refused(
	    MANDATORY, &ask, 3,
	    "alice may not build without the feature 'nixos-test' (allowed: with kvm nixos-test): " DRV ADMIN);
	assert_allowed(LINUX "mandatory-features = kvm\n", &ask); /* and may be used for that */
}

/* P11, P12, P13 */
static void each_kind_must_be_granted(void **unused)
{
	struct build_ask ask = plain();

	(void)unused;
	ask.kinds = KIND_FIXED_OUTPUT;
	assert_allowed(LINUX, &ask);
	ask.kinds = KIND_CONTENT_ADDRESSED;
	assert_refused(
	    LINUX, &ask, 0,
	    "alice may not build content-addressed derivations (allowed: input-addressed fixed-output): " DRV ADMIN);
	assert_allowed(LINUX "derivations = content-addressed\n", &ask);
	ask.kinds = KIND_IMPURE;
	assert_refused(LINUX "derivations = content-addressed\n", &ask, 3,
		       "alice may not build impure derivations (allowed: content-addressed): " DRV ADMIN);
	ask.kinds = KIND_CONTENT_ADDRESSED | KIND_DYNAMIC;
	assert_refused(LINUX "derivations = content-addressed\n", &ask, 3,
		       "alice may not build dynamic derivations (allowed: content-addressed): " DRV ADMIN);
	assert_allowed(LINUX "derivations = *\n", &ask);
	ask.kinds = KIND_INPUT_ADDRESSED;
	assert_false(verdict_of(LINUX "derivations =\n", &ask).allow);
}

/* P10 */
static void a_fixed_output_may_be_for_the_builtin_fetcher_alone(void **unused)
{
	struct build_ask ask = plain();

	(void)unused;
#define BUILTIN LINUX "fixed-output = builtin\n"
	assert_allowed(BUILTIN, &ask); /* has no fixed output */
	ask.kinds = KIND_FIXED_OUTPUT;
	assert_refused(
	    BUILTIN, &ask, 3,
	    "alice may not build a fixed output by a program of its own (allowed: builtin:fetchurl): " DRV ADMIN);
	assert_allowed(LINUX "fixed-output = any\n", &ask);
	ask.own_program = false;
	assert_allowed(BUILTIN, &ask);
}

/* P9 */
static void each_relaxation_must_be_granted(void **unused)
{
	struct build_ask ask = plain();

	(void)unused;
	ask.relaxations = RELAX_NO_CHROOT | RELAX_LOCAL_NETWORKING;
	assert_refused(LINUX, &ask, 0, "alice may not relax the sandbox by 'no-chroot' (allowed: none): " DRV ADMIN);
	assert_refused(LINUX "relaxations = no-chroot\n", &ask, 3,
		       "alice may not relax the sandbox by 'local-networking' (allowed: no-chroot): " DRV ADMIN);
	assert_allowed(LINUX "relaxations = no-chroot local-networking\n", &ask);
	assert_allowed(LINUX "relaxations = *\n", &ask);
}

static void ask_for_variable(struct build_ask *ask, const char *const *name)
{
	ask->kinds = KIND_FIXED_OUTPUT;
	ask->impure_env_vars = name;
	ask->impure_env_var_count = 1;
}

/* P8 */
static void each_variable_must_be_listed(void **unused)
{
	static const char *const proxy = "http_proxy", *const mirror = "NIX_MIRRORS_gnu",
				 *const secret = "AWS_SECRET_ACCESS_KEY", *const bare = "NIX_MIRRORS_",
				 *const near = "NIX_MIRRORS";
	struct build_ask ask = plain();

	(void)unused;
	ask_for_variable(&ask, &proxy);
	assert_allowed(LINUX, &ask); /* the default: what nixpkgs' fetchers ask for */
	assert_refused(
	    LINUX "impure-env-vars = HTTP_PROXY NIX_MIRRORS_*\n", &ask, 3,
	    "alice may not read the variable 'http_proxy' of the builder (allowed: HTTP_PROXY NIX_MIRRORS_*): " DRV
		ADMIN);
	ask_for_variable(&ask, &mirror);
	assert_allowed(LINUX, &ask);
	ask_for_variable(&ask, &bare);
	assert_allowed(LINUX, &ask);
	ask_for_variable(&ask, &near);
	assert_false(verdict_of(LINUX, &ask).allow);
	ask_for_variable(&ask, &secret);
	assert_false(verdict_of(LINUX, &ask).allow);
	assert_false(verdict_of(LINUX "impure-env-vars =\n", &ask).allow);
	assert_allowed(LINUX "impure-env-vars = *\n", &ask);
}

static void an_output_that_came_unsigned_has_a_cure_of_its_own(void **unused)
{
	struct build_ask ask = plain();

	(void)unused;
	ask.system = "i686-linux";
	ask.came_unsigned = true;
	assert_refused(LINUX, &ask, 2,
		       "alice may not build for 'i686-linux' (allowed: x86_64-linux): " DRV
		       "; its output came unsigned: sign it, or have the builder trust its cache");
}

/* A sentence always ends in its cure, however long what it quotes; and a quote cannot leave its line. */
static void foreign_bytes_neither_push_the_cure_out_nor_forge_a_line(void **unused)
{
	static char system[5000], drv[5000], features[8000];
	struct build_ask ask = plain();
	struct verdict v;
	size_t used = (size_t)snprintf(features, sizeof features, LINUX "features =");

	(void)unused;
	for (int i = 0; i < 300; i++)
		used += (size_t)snprintf(features + used, sizeof features - used, " feature-%d", i);
	snprintf(features + used, sizeof features - used, "\n");
	memset(system, 's', sizeof system - 1);
	memset(drv, 'd', sizeof drv - 1);
	ask.drv = drv;
	ask.features = (const char *const[]){ system };
	ask.feature_count = 1;
	v = verdict_of(features, &ask);
	assert_false(v.allow);
	assert_non_null(strstr(v.text, "(allowed: feature-0 feature-1 "));
	assert_non_null(strstr(v.text, " more): ddd"));
	assert_string_equal(v.text + strlen(v.text) - strlen(ADMIN), ADMIN);

	ask.system = "a\x1b[2J\n%s\\\xff";
	ask.drv = DRV;
	assert_refused(LINUX, &ask, 2, "alice may not build for 'a?[2J??s?\?' (allowed: x86_64-linux): " DRV ADMIN);
}

static void a_list_is_cut_between_words_and_says_so(void **unused)
{
	enum { SHOWN = WORDS_TEXT_MAX - 32 };
	static char longest[SHOWN + 1], half[SHOWN / 2], other_half[SHOWN / 2 + 1], text[WORDS_TEXT_MAX];
	char x[] = "x", *items[] = { half, other_half, x };
	struct text_list list = { .items = items, .count = 2 };

	(void)unused;
	memset(longest, 'w', SHOWN);
	memset(half, 'h', sizeof half - 1);
	memset(other_half, 'o', sizeof other_half - 1);
	assert_int_equal(strlen(words_of_list(&list, text)), SHOWN); /* as much as fits is the whole */
	list.count = 3;
	assert_string_equal(words_of_list(&list, text) + SHOWN, " and 1 more");
	items[1] = longest; /* x would fit, and is not the next */
	assert_string_equal(words_of_list(&list, text) + strlen(half), " and 2 more");
	items[0] = longest;
	longest[SHOWN - 1] = '\0';
	assert_int_equal(strlen(words_of_list(&list, text)), SHOWN - 1 + strlen(" and 2 more"));
	list.count = 0;
	assert_string_equal(words_of_list(&list, text), "none");
	list.any = true;
	assert_string_equal(words_of_list(&list, text), "*");
}

static void an_operation_is_refused_by_its_line(void **unused)
{
	struct world w = world_of("operations = query download\n");
	struct verdict v = policy_decide_operation(&w.p.keys[0], OPS_QUERY | OPS_BUILD, "use BuildPaths", DRV);

	(void)unused;
	assert_false(v.allow);
	assert_int_equal(v.rule.line, 2);
	assert_string_equal(v.text, "alice may not use BuildPaths (allowed: query download): " DRV ADMIN);
	v = policy_decide_operation(&w.p.keys[0], OPS_BUILD, "build", NULL);
	assert_string_equal(v.text, "alice may not build (allowed: query download)" ADMIN);
	assert_true(policy_decide_operation(&w.p.keys[0], OPS_QUERY, "ask", NULL).allow);
	pool_free(w.p.pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_system_must_be_listed),
		cmocka_unit_test(a_question_without_a_derivation_names_none),
		cmocka_unit_test(known_builtins_run_on_any_system_and_others_nowhere),
		cmocka_unit_test(only_the_web_is_fetched_from),
		cmocka_unit_test(each_feature_must_be_listed),
		cmocka_unit_test(mandatory_features_are_asked_of_what_is_wanted_alone),
		cmocka_unit_test(each_kind_must_be_granted),
		cmocka_unit_test(a_fixed_output_may_be_for_the_builtin_fetcher_alone),
		cmocka_unit_test(each_relaxation_must_be_granted),
		cmocka_unit_test(each_variable_must_be_listed),
		cmocka_unit_test(an_output_that_came_unsigned_has_a_cure_of_its_own),
		cmocka_unit_test(foreign_bytes_neither_push_the_cure_out_nor_forge_a_line),
		cmocka_unit_test(a_list_is_cut_between_words_and_says_so),
		cmocka_unit_test(an_operation_is_refused_by_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
