#include "tests/unit/env/place.h"

#include "gateway/env/account.h"

static struct passwd usual(void)
{
	static char name[] = "builder", home[] = "/var/empty", shell[] = "/bin/sh";

	return (struct passwd){ .pw_name = name, .pw_dir = home, .pw_shell = shell, .pw_uid = 7 };
}

static void assert_refused(const struct passwd *entry, const char *words)
{
	char why[SENTENCE_MAX] = "";
	struct account a;

	assert_int_equal(account_from_entry(entry, &a, why), ERR_DENIED);
	assert_says(why, words);
	assert_null(a.name);
	assert_null(a.home);
}

static void the_account_is_what_passwd_says_and_not_the_environment(void **unused)
{
	const struct passwd *entry = getpwuid(getuid());
	char why[SENTENCE_MAX];
	struct account a;

	(void)unused;
	assert_non_null(entry);
	setenv("HOME", "/forged", 1);
	setenv("USER", "forged", 1);
	setenv("SHELL", "/forged", 1);
	assert_int_equal(account_read(getuid(), &a, why), ERR_NONE);
	entry = getpwuid(getuid());
	assert_string_equal(a.name, entry->pw_name);
	assert_string_equal(a.home, entry->pw_dir);
	assert_true(a.uid == getuid());
	account_free(&a);
	account_free(&a);
	assert_null(a.name);
}

static void an_unknown_uid_is_refused(void **unused)
{
	char why[SENTENCE_MAX] = "";
	struct account a;

	(void)unused;
	assert_int_equal(account_read(3999999999u, &a, why), ERR_IO);
	assert_says(why, "uid 3999999999 has no passwd entry");
	assert_null(a.name);
}

static void an_entry_is_copied(void **unused)
{
	struct passwd entry = usual();
	char why[SENTENCE_MAX], empty[] = "";
	struct account a;

	(void)unused;
	assert_int_equal(account_from_entry(&entry, &a, why), ERR_NONE);
	assert_string_equal(a.home, "/var/empty");
	assert_ptr_not_equal(a.home, entry.pw_dir);
	account_free(&a);
	entry.pw_shell = empty;
	assert_int_equal(account_from_entry(&entry, &a, why), ERR_NONE);
	assert_string_equal(a.shell, "/bin/sh");        /* as passwd(5) has it */
	account_free(&a);
}

static void names_that_would_change_a_path_are_refused(void **unused)
{
	static char bad[][8] = { "", ".", "..", "a/b", "/", "a\nb", "a\x7f" };
	struct passwd entry = usual();

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		entry.pw_name = bad[i];
		assert_refused(&entry, "no usable name");
	}
	entry.pw_name = NULL;
	assert_refused(&entry, "no usable name");
}

static void a_home_or_shell_that_is_not_absolute_is_refused(void **unused)
{
	static char relative[] = "home", newline[] = "/a\nb", empty[] = "";
	struct passwd entry = usual();

	(void)unused;
	entry.pw_dir = relative;
	assert_refused(&entry, "no usable home folder ('home')");
	entry.pw_dir = newline;
	assert_refused(&entry, "no usable home folder");
	entry.pw_dir = empty;
	assert_refused(&entry, "no usable home folder");
	entry = usual();
	entry.pw_shell = relative;
	assert_refused(&entry, "no usable shell");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_account_is_what_passwd_says_and_not_the_environment),
		cmocka_unit_test(an_unknown_uid_is_refused),
		cmocka_unit_test(an_entry_is_copied),
		cmocka_unit_test(names_that_would_change_a_path_are_refused),
		cmocka_unit_test(a_home_or_shell_that_is_not_absolute_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
