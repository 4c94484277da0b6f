#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/nix/asked.h"

static enum builtin_builder builtin_of(const char *platform, const char *builder)
{
	struct asked_for a = { .platform = platform, .builder = builder };
	struct facts facts;

	assert_int_equal(gather(&a, &facts), ERR_NONE);
	assert_true(text_is(facts.system, platform));
	return facts.builtin;
}

/* P6 */
static void builtin_builders_are_known_by_name_whatever_the_system(void **unused)
{
	(void)unused;
	assert_int_equal(builtin_of("aarch64-linux", "builtin:fetchurl"), BUILTIN_FETCHURL);
	assert_int_equal(builtin_of("builtin", "builtin:buildenv"), BUILTIN_BUILDENV);
	assert_int_equal(builtin_of("builtin", "builtin:unpack-channel"), BUILTIN_UNPACK_CHANNEL);
	assert_int_equal(builtin_of("x86_64-linux", "builtin:evil"), BUILTIN_UNKNOWN);
	assert_int_equal(builtin_of("x86_64-linux", "builtin:"), BUILTIN_UNKNOWN);
	assert_int_equal(builtin_of("x86_64-linux", "builtin:fetchurl2"), BUILTIN_UNKNOWN);
	assert_int_equal(builtin_of("builtin", "/bin/sh"), BUILTIN_UNKNOWN);
	assert_int_equal(builtin_of("x86_64-linux", "/bin/sh"), BUILTIN_NONE);
	assert_int_equal(builtin_of("x86_64-linux", "./builtin:fetchurl"), BUILTIN_NONE);
	assert_int_equal(builtin_of("x86_64-linux", "builtinx"), BUILTIN_NONE);
}

static const char *odd_url(struct derivation_variable first, struct derivation_variable second)
{
	struct asked_for a = { .env = { first, second }, .platform = "builtin", .builder = "builtin:fetchurl" };
	const struct text *odd;
	struct facts facts;

	assert_int_equal(gather(&a, &facts), ERR_NONE);
	odd = facts_odd_url(&facts);
	return odd == NULL ? "" : odd->bytes;
}

#define VAR(...) (struct derivation_variable)VARIABLE(__VA_ARGS__)

/* P7 */
static void every_address_of_a_fetch_must_be_on_the_web(void **unused)
{
	static const struct derivation_variable none = { { "a", 1 }, { "file:///a", 9 } };

	(void)unused;
	assert_string_equal(odd_url(none, VAR("url", "https://example.org/x")), "");
	assert_string_equal(odd_url(VAR("url", "http://example.org/x"), VAR("urls", "http://a.b https://c.d/")), "");
	assert_string_equal(odd_url(none, VAR("url", "file:///etc/shadow")), "file:///etc/shadow");
	assert_string_equal(odd_url(none, VAR("url", "s3://bucket/x")), "s3://bucket/x");
	assert_string_equal(odd_url(none, VAR("url", "HTTP://example.org")), "HTTP://example.org");
	assert_string_equal(odd_url(none, VAR("url", "https:/etc")), "https:/etc");
	assert_string_equal(odd_url(none, VAR("url", " file:///etc/shadow")), "file:///etc/shadow");
	assert_string_equal(odd_url(none, VAR("url", "http://a.b\nfile:///x")), "file:///x");
	assert_string_equal(odd_url(VAR("url", "http://a.b"), VAR("urls", "http://a.b ftp://c")), "ftp://c");
	assert_string_equal(odd_url(VAR("__json", "{\"url\":\"file:///x\"}"), VAR("url", "http://a")), "file:///x");
	assert_string_equal(odd_url(VAR("__json", "{\"urls\":[\"http://b\",\"file:///y\"]}"), VAR("url", "http://a")),
			    "file:///y");
	assert_string_equal(odd_url(VAR("__json", "{\"url\":\"\\u0066ile:///x\"}"), none), "file:///x");
}

static void addresses_of_other_builders_are_nobodys_business(void **unused)
{
	struct facts facts;

	(void)unused;
	assert_int_equal(gather(ASK(VARIABLE("url", "file:///x"), VARIABLE("__json", "{\"url\":1}")), &facts),
			 ERR_NONE);
	assert_int_equal(facts.urls.count, 0);
	assert_null(facts_odd_url(&facts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(builtin_builders_are_known_by_name_whatever_the_system),
		TEST(every_address_of_a_fetch_must_be_on_the_web),
		TEST(addresses_of_other_builders_are_nobodys_business),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
