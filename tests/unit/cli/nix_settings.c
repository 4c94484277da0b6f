#include "tests/unit/env/place.h"

#include "gateway/cli/nix_settings.h"

static struct nix_settings read_text(const struct place *p, const char *text)
{
	struct nix_settings s;
	char path[PATH_MAX], why[SENTENCE_MAX] = "";

	make_file(p, "/nix.conf", 0644, text);
	if (!nix_settings_read(path_at(p, "/nix.conf", path), &s, why))
		fail_msg("%s", why);
	return s;
}

static void assert_setting(const struct place *p, const char *text, enum nix_setting setting, const char *expected)
{
	struct nix_settings s = read_text(p, text);

	assert_string_equal(nix_setting_value(&s, setting), expected);
	nix_settings_free(&s);
	nix_settings_free(&s);
}

static void what_is_not_set_is_nixs_default(void **state)
{
	struct nix_settings s = read_text(*state, "# nothing\n");

	assert_string_equal(nix_setting_value(&s, NIX_SUBSTITUTERS), "https://cache.nixos.org/");
	assert_true(nix_setting_is_true(&s, NIX_REQUIRE_SIGS));
	assert_true(nix_setting_is_true(&s, NIX_SANDBOX_FALLBACK));
	assert_true(nix_setting_has(&s, NIX_SYSTEM_FEATURES, "big-parallel"));
	assert_non_null(strchr(nix_setting_value(&s, NIX_SYSTEM), '-'));
	assert_false(s.stated[NIX_SANDBOX]);
	nix_settings_free(&s);
	assert_string_equal(nix_setting_value(&s, NIX_SYSTEM), "");
}

static void the_last_line_stands_and_extra_adds_to_it(void **state)
{
	assert_setting(*state, "system = a\nsystem = b-c\n", NIX_SYSTEM, "b-c");
	assert_setting(*state, "system-features = a   b\n\textra-system-features = c # d\n", NIX_SYSTEM_FEATURES, "a b c");
	assert_setting(*state, "extra-system-features = c\nsystem-features = a\n", NIX_SYSTEM_FEATURES, "a");
	assert_setting(*state, "extra-extra-platforms = c\nextra-platforms = a\n", NIX_EXTRA_PLATFORMS, "a");
	assert_setting(*state, "extra-platforms = a\nextra-extra-platforms = c\n", NIX_EXTRA_PLATFORMS, "a c");
	assert_setting(*state, "substituters =\n", NIX_SUBSTITUTERS, "");
	assert_setting(*state, "extra-substituters = https://c\n", NIX_SUBSTITUTERS, "https://cache.nixos.org/ https://c");
	assert_setting(*state, "extra-sandbox = false\n", NIX_SANDBOX_FALLBACK, "true");
	assert_setting(*state, "build-use-sandbox = relaxed\n", NIX_SANDBOX, "relaxed");
	assert_setting(*state, "binary-caches = https://d\n", NIX_SUBSTITUTERS, "https://d");
}

static void a_word_of_a_list_is_whole(void **state)
{
	struct nix_settings s = read_text(*state, "system-features = kvm-like nixos-test\nsandbox = yes\n");

	assert_true(nix_setting_has(&s, NIX_SYSTEM_FEATURES, "nixos-test"));
	assert_false(nix_setting_has(&s, NIX_SYSTEM_FEATURES, "kvm"));
	assert_false(nix_setting_has(&s, NIX_SYSTEM_FEATURES, ""));
	assert_true(s.stated[NIX_SANDBOX] && nix_setting_is_true(&s, NIX_SANDBOX));
	nix_settings_free(&s);
}

static void a_file_that_nix_would_not_take_leaves_the_defaults(void **state)
{
	struct nix_settings s;
	char path[PATH_MAX], why[SENTENCE_MAX] = "";

	make_file(*state, "/nix.conf", 0644, "sandbox = false\nsystem\n");
	assert_false(nix_settings_read(path_at(*state, "/nix.conf", path), &s, why));
	assert_says(why, "nix.conf:2: ");
	assert_false(s.stated[NIX_SANDBOX]);
	assert_string_equal(nix_setting_value(&s, NIX_REQUIRE_SIGS), "true");
	nix_settings_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(what_is_not_set_is_nixs_default),
		IN_PLACE(the_last_line_stands_and_extra_adds_to_it),
		IN_PLACE(a_word_of_a_list_is_whole),
		IN_PLACE(a_file_that_nix_would_not_take_leaves_the_defaults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
