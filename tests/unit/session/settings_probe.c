#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/session/settings.h"
#include "tests/unit/session/options.h"

enum { ALL = LOSS_CODE | LOSS_SANDBOX | LOSS_BELIEF };

static char names[SENTENCE_MAX];

static size_t probe(unsigned losses, const char *const (*settings)[2], size_t count)
{
	memset(names, 'x', sizeof names);
	return settings_probe(options(0, settings, count), set_options_shape(), losses, names);
}

static void assert_one(unsigned loss, const char *name)
{
	const char *const settings[][2] = { { name, "1" } };

	if (probe(loss, settings, 1) != 1)
		fail_msg("%s is not told", name);
	assert_string_equal(names, name);
	assert_int_equal(probe(ALL & ~loss, settings, 1), 0);
	assert_string_equal(names, "");
}

static void ordinary_settings_are_not_told(void **unused)
{
	static const char *const settings[][2] = { { "timeout", "1" }, { "cores", "2" }, { "keep-outputs", "true" },
						   { "hook", "x" }, { "sandbox2", "x" }, { "", "x" }, { "extra-", "x" },
						   { "extra-extra-sandbox", "x" }, { "Sandbox", "x" } };

	(void)unused;
	assert_int_equal(probe(ALL, NULL, 0), 0);
	assert_string_equal(names, "");
	assert_int_equal(probe(ALL, settings, sizeof settings / sizeof *settings), 0);
	assert_string_equal(names, "");
}

static void each_name_is_told_for_what_it_decides(void **unused)
{
	static const char *const code[] = { "build-hook", "post-build-hook", "pre-build-hook", "diff-hook", "run-diff-hook",
					    "external-builders", "builders", "plugin-files", "experimental-features" };
	static const char *const sandbox[] = { "sandbox", "sandbox-fallback", "sandbox-paths", "build-chroot-dirs",
					       "build-sandbox-paths", "build-use-sandbox", "build-use-chroot",
					       "sandbox-build-dir", "build-dir", "allowed-impure-host-deps",
					       "filter-syscalls", "allow-new-privileges", "build-users-group",
					       "auto-allocate-uids", "start-id", "id-count", "use-cgroups",
					       "require-drop-supplementary-groups", "ignored-acls",
					       "impersonate-linux-26", "darwin-log-sandbox-violations" };
	static const char *const belief[] = { "require-sigs", "trusted-public-keys", "binary-cache-public-keys",
					      "substituters", "trusted-substituters", "hashed-mirrors", "ssl-cert-file",
					      "netrc-file", "secret-key-files", "impure-env", "system",
					      "extra-platforms", "system-features", "store" };

	(void)unused;
	for (size_t i = 0; i < sizeof code / sizeof *code; i++)
		assert_one(LOSS_CODE, code[i]);
	for (size_t i = 0; i < sizeof sandbox / sizeof *sandbox; i++)
		assert_one(LOSS_SANDBOX, sandbox[i]);
	for (size_t i = 0; i < sizeof belief / sizeof *belief; i++)
		assert_one(LOSS_BELIEF, belief[i]);
}

static void o10_names_are_told_once_in_our_own_words(void **unused)
{
	static const char *const settings[][2] = { { "substituters", "a" }, { "cores", "2" }, { "sandbox", "false" },
						   { "post-build-hook", "/x" }, { "extra-sandbox-paths", "/" },
						   { "build-hook", "/x" }, { "post-build-hook", "/y" },
						   { "extra-substituters", "b" } };
	size_t count = sizeof settings / sizeof *settings;

	(void)unused;
	assert_int_equal(probe(ALL, settings, count), 5);
	assert_string_equal(names, "build-hook, post-build-hook, sandbox, sandbox-paths, substituters");
	assert_int_equal(probe(LOSS_CODE | LOSS_SANDBOX, settings, count), 4);
	assert_string_equal(names, "build-hook, post-build-hook, sandbox, sandbox-paths");
}

static void all_names_at_once_fit(void **unused)
{
	static const char list[] =
		"build-hook, post-build-hook, pre-build-hook, diff-hook, run-diff-hook, external-builders, builders, "
		"plugin-files, experimental-features, sandbox, build-use-sandbox, build-use-chroot, sandbox-fallback, "
		"sandbox-paths, build-sandbox-paths, build-chroot-dirs, sandbox-build-dir, build-dir, "
		"allowed-impure-host-deps, filter-syscalls, allow-new-privileges, build-users-group, auto-allocate-uids, "
		"start-id, id-count, use-cgroups, require-drop-supplementary-groups, ignored-acls, impersonate-linux-26, "
		"darwin-log-sandbox-violations, require-sigs, trusted-public-keys, binary-cache-public-keys, substituters, "
		"binary-caches, trusted-substituters, trusted-binary-caches, hashed-mirrors, ssl-cert-file, netrc-file, "
		"secret-key-files, impure-env, system, extra-platforms, system-features, store";
	static char copy[sizeof list];
	const char *settings[SETTINGS_MAX][2];
	size_t count = 0;

	(void)unused;
	memcpy(copy, list, sizeof list);
	for (char *at = copy; at != NULL;) {
		char *comma = strstr(at, ", ");

		settings[count][0] = at;
		settings[count++][1] = "";
		if (comma != NULL)
			*comma = '\0';
		at = comma == NULL ? NULL : comma + 2;
	}
	assert_int_equal(probe(ALL, (const char *const (*)[2])settings, count), count);
	assert_string_equal(names, list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_settings_are_not_told),
		cmocka_unit_test(each_name_is_told_for_what_it_decides),
		cmocka_unit_test(o10_names_are_told_once_in_our_own_words),
		cmocka_unit_test(all_names_at_once_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
