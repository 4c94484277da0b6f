#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/forms.h"

#define GOOD "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void a_fingerprint_is_43_characters_of_base64_that_make_32_bytes(void **unused)
{
	char text[64];

	(void)unused;
	assert_true(form_fingerprint(GOOD));
	assert_true(form_fingerprint("SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"));
	assert_false(form_fingerprint(GOOD "A"));
	assert_false(form_fingerprint(GOOD "="));
	assert_false(form_fingerprint("sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
	assert_false(form_fingerprint(""));
	for (size_t cut = 0; cut < sizeof GOOD - 1; cut++) {
		snprintf(text, sizeof text, "%.*s", (int)cut, GOOD);
		assert_false(form_fingerprint(text));
	}
	for (size_t at = 0; at < sizeof GOOD - 1; at++) {
		snprintf(text, sizeof text, "%s", GOOD);
		text[at] = '-';
		assert_false(form_fingerprint(text));
	}
	snprintf(text, sizeof text, "%s", GOOD);
	text[sizeof GOOD - 2] = 'B';            /* bits behind the 32nd byte */
	assert_false(form_fingerprint(text));
}

static void a_path_is_absolute_and_without_detours(void **unused)
{
	(void)unused;
	assert_true(form_path("/nix/store"));
	assert_true(form_path("/a"));
	assert_true(form_path("/a/.b/..c"));
	assert_false(form_path("/"));
	assert_false(form_path(""));
	assert_false(form_path("nix/store"));
	assert_false(form_path("/nix//store"));
	assert_false(form_path("/nix/store/"));
	assert_false(form_path("/nix/./store"));
	assert_false(form_path("/nix/../store"));
	assert_false(form_path("/nix/.."));
	assert_false(form_path("/nix/a b"));
}

static void a_date_is_a_day_that_exists(void **unused)
{
	struct date d = { .year = 0 };

	(void)unused;
	assert_true(form_date("2028-02-29", &d));
	assert_int_equal(d.year, 2028);
	assert_int_equal(d.month, 2);
	assert_int_equal(d.day, 29);
	assert_true(form_date("2000-02-29", &d));
	assert_false(form_date("2100-02-29", &d));
	assert_false(form_date("2027-04-31", &d));
	assert_false(form_date("2027-13-01", &d));
	assert_false(form_date("2027-00-01", &d));
	assert_false(form_date("2027-01-00", &d));
	assert_false(form_date("2027-1-1", &d));
	assert_false(form_date("2027-01-31 ", &d));
	assert_false(form_date("2027/01/31", &d));
	assert_false(form_date("+027-01-31", &d));
	assert_false(form_date("", &d));
}

static void a_number_over_64_bits_is_none(void **unused)
{
	uint64_t n;
	const char *unit;

	(void)unused;
	assert_true(form_number("18446744073709551615", &n, &unit));
	assert_true(n == UINT64_MAX);
	assert_string_equal(unit, "");
	assert_true(form_number("12G", &n, &unit));
	assert_int_equal(n, 12);
	assert_string_equal(unit, "G");
	assert_false(form_number("18446744073709551616", &n, &unit));
	assert_false(form_number("99999999999999999999", &n, &unit));
	assert_false(form_number("-1", &n, &unit));
	assert_false(form_number("+1", &n, &unit));
	assert_false(form_number("G", &n, &unit));
	assert_false(form_number("", &n, &unit));
}

static void other_words_are_what_nix_takes(void **unused)
{
	(void)unused;
	assert_true(form_system("x86_64-linux"));
	assert_true(form_feature("gccarch-x86-64-v3"));
	assert_false(form_system("-linux"));
	assert_false(form_system("a,b"));
	assert_false(form_feature("\"kvm\""));
	assert_true(form_variables("NIX_MIRRORS_*"));
	assert_false(form_variables("*"));
	assert_false(form_variables("A*B"));
	assert_false(form_variable("NIX_MIRRORS_*"));
	assert_false(form_variable("1A"));
	assert_true(form_public_key("cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="));
	assert_false(form_public_key("6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="));
	assert_false(form_public_key("a:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShj="));
	assert_false(form_public_key(":6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY="));
	assert_true(form_uri("ssh-ng://host"));
	assert_true(form_uri("daemon"));
	assert_true(form_uri("/mnt/store"));
	assert_false(form_uri("host"));
	assert_true(form_word("alice"));
	assert_false(form_word("alice,bob"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fingerprint_is_43_characters_of_base64_that_make_32_bytes),
		cmocka_unit_test(a_path_is_absolute_and_without_detours),
		cmocka_unit_test(a_date_is_a_day_that_exists),
		cmocka_unit_test(a_number_over_64_bits_is_none),
		cmocka_unit_test(other_words_are_what_nix_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
