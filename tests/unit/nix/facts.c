#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/nix/asked.h"

static const char *features_of(const struct asked_for *a)
{
	struct facts facts;

	assert_int_equal(gather(a, &facts), ERR_NONE);
	return joined(&facts.features);
}

/* P3, P4, P14 */
static void features_are_the_union_of_variables_and_structured_attributes(void **unused)
{
	(void)unused;
	assert_string_equal(features_of(ASK(VARIABLE("x", "y"))), "");
	assert_string_equal(features_of(ASK(VARIABLE("requiredSystemFeatures", "kvm"))), "kvm");
	assert_string_equal(features_of(ASK(VARIABLE("requiredSystemFeatures",
			    "\tuid-range\n kvm\rkvm recursive-nix "))),
			    "kvm|recursive-nix|uid-range");
	assert_string_equal(features_of(ASK(VARIABLE("__json", "{}"), VARIABLE("requiredSystemFeatures", "kvm"))),
			    "kvm");
	assert_string_equal(features_of(ASK(VARIABLE("__json", "{\"requiredSystemFeatures\":[\"kvm\"]}"))), "kvm");
	assert_string_equal(features_of(ASK(VARIABLE("__json", "{\"requiredSystemFeatures\":[\"kvm\",\"a\"]}"),
					    VARIABLE("requiredSystemFeatures", "big-parallel kvm"))),
					"a|big-parallel|kvm");
	assert_string_equal(features_of(ASK(VARIABLE("__json", "{\"requiredSystemFeatures\":[]}"),
					    VARIABLE("requiredSystemFeatures", ""))), "");
}

/* P5 */
static void escapes_in_structured_attributes_are_decoded(void **unused)
{
	(void)unused;
	assert_string_equal(features_of(ASK(VARIABLE("__json", "{\"requiredSystemFeatures\":[\"\\u006bvm\"]}"))),
			    "kvm");
	assert_string_equal(features_of(ASK(VARIABLE("__json", "{\"requ\\u0069redSystemFeatures\":[\"kvm\"]}"))),
			    "kvm");
	assert_string_equal(features_of(ASK(VARIABLE("__json", "{\"requiredSystemFeatures\":[\"kvm a\"]}"))), "kvm a");
	assert_string_equal(features_of(ASK(VARIABLE("__json", "{\"x\":{\"requiredSystemFeatures\":[\"kvm\"]}}"))), "");
}

static void structured_attributes_of_a_wrong_type_are_refused(void **unused)
{
	static const char *const odd[] = {
		"", "{", "[]", "{\"a\":1,\"a\":1}", "{\"requiredSystemFeatures\":\"kvm\"}",
		"{\"requiredSystemFeatures\":[1]}",
		"{\"requiredSystemFeatures\":[[\"kvm\"]]}", "{\"requiredSystemFeatures\":{\"kvm\":1}}",
		"{\"requiredSystemFeatures\":null}", "{\"requiredSystemFeatures\":true}", "{\"impureEnvVars\":\"A\"}",
		"{\"__impureHostDeps\":\"/etc\"}", "{\"__noChroot\":1}", "{\"__noChroot\":\"1\"}",
		"{\"__noChroot\":null}",
		"{\"__sandboxProfile\":[]}", "{\"__sandboxProfile\":null}", "{\"__darwinAllowLocalNetworking\":\"\"}",
		"{\"requiredSystemFeatures\":[\"kvm\"],\"requ\\u0069redSystemFeatures\":[]}",
		"{\"requiredSystemFeatures\":[\"kvm\\u0000\"]}",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		struct asked_for a = { .env = { { { "__json", 6 }, { odd[i], strlen(odd[i]) } } } };
		struct facts facts;

		if (gather(&a, &facts) != ERR_PROTO)
			fail_msg("taken: %s", odd[i]);
	}
}

static unsigned asked_by(const struct asked_for *a)
{
	struct facts facts;

	assert_int_equal(gather(a, &facts), ERR_NONE);
	return facts.asked;
}

/* P9 */
static void relaxations_are_seen_in_both_encodings(void **unused)
{
	(void)unused;
	assert_int_equal(asked_by(ASK(VARIABLE("__noChroot", "1"))), ASKS_NO_CHROOT);
	assert_int_equal(asked_by(ASK(VARIABLE("__noChroot", "yes"))), ASKS_NO_CHROOT);
	assert_int_equal(asked_by(ASK(VARIABLE("__noChroot", " "))), ASKS_NO_CHROOT);
	assert_int_equal(asked_by(ASK(VARIABLE("__noChroot", ""))), 0);
	assert_int_equal(asked_by(ASK(VARIABLE("__noChroot", "0"))), 0);
	assert_int_equal(asked_by(ASK(VARIABLE("__noChroot", "false"))), 0);
	assert_int_equal(asked_by(ASK(VARIABLE("__darwinAllowLocalNetworking", "1"))), ASKS_LOCAL_NETWORKING);
	assert_int_equal(asked_by(ASK(VARIABLE("__darwinAllowLocalNetworking", ""))), 0);
	assert_int_equal(asked_by(ASK(VARIABLE("__sandboxProfile", "(allow network*)"))), ASKS_SANDBOX_PROFILE);
	assert_int_equal(asked_by(ASK(VARIABLE("__sandboxProfile", ""))), 0);
	assert_int_equal(asked_by(ASK(VARIABLE("__sandboxProfile", " \n\t\n"))), 0);
	assert_int_equal(asked_by(ASK(VARIABLE("__impureHostDeps", "/bin/sh"))), ASKS_IMPURE_HOST_DEPS);
	assert_int_equal(asked_by(ASK(VARIABLE("__impureHostDeps", "  "))), 0);
	assert_int_equal(asked_by(ASK(VARIABLE("__json", "{\"__noChroot\":true}"))), ASKS_NO_CHROOT);
	assert_int_equal(asked_by(ASK(VARIABLE("__json", "{\"__noChroot\":false}"))), 0);
	assert_int_equal(asked_by(ASK(VARIABLE("__json", "{\"__noChroot\":false}"), VARIABLE("__noChroot", "1"))),
			 ASKS_NO_CHROOT);
	assert_int_equal(asked_by(ASK(VARIABLE("__json", "{\"__noChroot\":true}"), VARIABLE("__noChroot", ""))),
			 ASKS_NO_CHROOT);
	assert_int_equal(asked_by(ASK(VARIABLE("__json", "{\"__sandboxProfile\":\"(x)\"}"))), ASKS_SANDBOX_PROFILE);
	assert_int_equal(asked_by(ASK(VARIABLE("__json", "{\"__sandboxProfile\":\"\"}"))), 0);
	assert_int_equal(asked_by(ASK(VARIABLE("__json", "{\"__impureHostDeps\":[\"/etc\"]}"))), ASKS_IMPURE_HOST_DEPS);
	assert_int_equal(asked_by(ASK(VARIABLE("__json", "{\"__darwinAllowLocalNetworking\":true}"))),
			 ASKS_LOCAL_NETWORKING);
}

/* P8 */
static void variables_of_the_daemon_that_are_asked_for_are_listed(void **unused)
{
	struct facts facts;

	(void)unused;
	assert_int_equal(gather(ASK(VARIABLE("impureEnvVars", "http_proxy AWS_SECRET_ACCESS_KEY http_proxy"),
				    VARIABLE("__json", "{\"impureEnvVars\":[\"NETRC\",\"\"]}")), &facts), ERR_NONE);
	assert_string_equal(joined(&facts.impure_env_vars), "|AWS_SECRET_ACCESS_KEY|NETRC|http_proxy");
	assert_int_equal(facts.asked, 0);
}

static void host_deps_of_every_derivation_on_a_mac_are_usual(void **unused)
{
	static const struct {
		const char *words;
		bool usual;
	} rows[] = {
		{ "/bin/sh /usr/lib/libSystem.B.dylib /dev/zero /dev/random /dev/urandom", true },
		{ "/System/Library/Frameworks/Foundation.framework /usr/lib /System/Library", true },
		{ "/usr/lib/..x /usr/lib/a.b", true }, { "/bin/sh /etc", false }, { "/usr/library", false },
		{ "/usr/lib/../../etc", false }, { "/usr/lib/..", false }, { "/usr/lib/./x", false },
		{ "/usr/lib//x", false },
		{ "/usr/lib/", false }, { "//usr/lib", false }, { "/usr", false }, { "/", false }, { "usr/lib", false },
		{ "/dev/zeros", false }, { "/dev", false }, { "/System/LibraryX", false }, { "/bin/bash", false },
		{ "/USR/LIB", false }, { "/usr/lib/x/../../../private/etc", false },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct asked_for a = { .env = { { text_of("__impureHostDeps"), text_of(rows[i].words) } } };
		struct facts facts;

		assert_int_equal(gather(&a, &facts), ERR_NONE);
		if (facts_host_deps_are_usual(&facts) != rows[i].usual)
			fail_msg("%s", rows[i].words);
		assert_int_equal(facts.asked, ASKS_IMPURE_HOST_DEPS);
		assert_int_equal(facts_relaxations(&facts), rows[i].usual ? 0 : ASKS_IMPURE_HOST_DEPS);
	}
}

static void words_are_bounded(void **unused)
{
	static char words[2 * 16384 + 3];
	struct asked_for a = { .env = { { text_of("requiredSystemFeatures"), { words, 2 * 16384 } } } };
	struct facts facts;

	(void)unused;
	for (size_t i = 0; i < sizeof words - 1; i += 2)
		memcpy(words + i, "a ", 2);
	assert_int_equal(gather(&a, &facts), ERR_NONE);
	assert_string_equal(joined(&facts.features), "a");
	a.env[0].value.len += 2;
	assert_int_equal(gather(&a, &facts), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(features_are_the_union_of_variables_and_structured_attributes),
		TEST(escapes_in_structured_attributes_are_decoded),
		TEST(structured_attributes_of_a_wrong_type_are_refused),
		TEST(relaxations_are_seen_in_both_encodings),
		TEST(variables_of_the_daemon_that_are_asked_for_are_listed),
		TEST(host_deps_of_every_derivation_on_a_mac_are_usual),
		TEST(words_are_bounded),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
