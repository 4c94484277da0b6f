#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/cli/sshd_settings.h"

static const struct account builder = { .uid = 7, .name = (char[]){ "builder" }, .home = (char[]){ "/var/empty" } };

static void assert_value(const char *text, const char *name, unsigned nth, const char *expected)
{
	char copy[256];
	struct sshd_settings s = { .text = copy };
	struct text value;

	snprintf(copy, sizeof copy, "%s", text);
	value = sshd_value_nth(&s, name, nth);
	if (expected == NULL)
		assert_null(value.bytes);
	else
		assert_true(value.bytes != NULL && text_is(value, expected));
}

static void a_setting_is_a_whole_word_at_the_start_of_a_line(void **unused)
{
	static const char text[] = "acceptenv LANG\nacceptenv LC_*\nport 22\nforcecommand /x serve --key a\nbanner\nlast none";

	(void)unused;
	assert_value(text, "port", 0, "22");
	assert_value(text, "forcecommand", 0, "/x serve --key a");
	assert_value(text, "acceptenv", 1, "LC_*");
	assert_value(text, "acceptenv", 2, NULL);
	assert_value(text, "accept", 0, NULL);
	assert_value(text, "banner", 0, "");
	assert_value(text, "last", 0, "none");
	assert_value("", "port", 0, NULL);
}

static void a_number_is_digits_alone(void **unused)
{
	char text[] = "a 12\nb 1x\nc \nd -1\ne 99999999999999999999\n";
	struct sshd_settings s = { .text = text }, none = { .text = NULL };

	(void)unused;
	assert_int_equal(sshd_number(&s, "a"), 12);
	assert_int_equal(sshd_number(&s, "b"), -1);
	assert_int_equal(sshd_number(&s, "c"), -1);
	assert_int_equal(sshd_number(&s, "d"), -1);
	assert_int_equal(sshd_number(&s, "e"), -1);
	assert_int_equal(sshd_number(&none, "a"), -1);
}

static void assert_command(const char *text, bool serve, bool key, const char *policy)
{
	char found[PATH_MAX];
	bool has_key;

	assert_int_equal(command_is_serve(text_of(text), &has_key, found), serve);
	assert_int_equal(has_key, key);
	assert_string_equal(found, policy);
}

static void the_gateways_serve_is_known_by_its_words(void **unused)
{
	(void)unused;
	assert_command("/usr/local/bin/nix-gateway serve", true, false, "");
	assert_command("nix-gateway serve --key alice --policy /p", true, true, "/p");
	assert_command("/x/nix-gateway serve --policy=/q --key=alice", true, true, "/q");
	assert_command("/x/nix-gateway check", false, false, "");
	assert_command("/x/nix-gateway", false, false, "");
	assert_command("/x/my-nix-gateway serve", false, false, "");
	assert_command("echo hello; /x/nix-gateway serve", false, false, "");
	assert_command("/x/nix-gateway serve; id", false, false, "");
	assert_command("/x/nix-gateway serve & id", false, false, "");
	assert_command("nix-daemon --stdio", false, false, "");
	assert_command("", false, false, "");
}

static void assert_path(const char *word, const char *expected)
{
	char path[PATH_MAX];

	assert_int_equal(keys_file_path(text_of(word), &builder, path), expected != NULL);
	if (expected != NULL)
		assert_string_equal(path, expected);
}

static void a_file_of_keys_is_named_as_sshd_names_it(void **unused)
{
	char endless[PATH_MAX + 8];

	(void)unused;
	assert_path("/etc/keys/%u", "/etc/keys/builder");
	assert_path("%h/.ssh/%U%%", "/var/empty/.ssh/7%");
	assert_path(".ssh/authorized_keys", "/var/empty/.ssh/authorized_keys");
	assert_path("/trailing%", "/trailing%");
	memset(endless, '/', sizeof endless);
	endless[sizeof endless - 1] = '\0';
	assert_path(endless, NULL);
}

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA alice"
#define BOUND "command=\"/x/nix-gateway serve --key alice\""

static void assert_keys(const char *text, unsigned count, unsigned named, const char *open, const char *unrestricted)
{
	struct keys_seen seen = { .count = 0 };

	keys_read_text(&seen, "f", text_of(text));
	assert_int_equal(seen.count, count);
	assert_int_equal(seen.named, named);
	assert_string_equal(seen.open, open);
	assert_string_equal(seen.unrestricted, unrestricted);
}

static void each_line_of_keys_is_judged_by_its_options(void **unused)
{
	(void)unused;
	assert_keys("", 0, 0, "", "");
	assert_keys("# " KEY "\n\n   \n", 0, 0, "", "");
	assert_keys("restrict," BOUND " " KEY, 1, 1, "", "");
	assert_keys("RESTRICT,Command=\"nix-gateway serve\" " KEY "\n", 1, 0, "", "");
	assert_keys("  restrict," BOUND "\t" KEY "\n" KEY "\n", 2, 1, "f:2", "f:2");
	assert_keys("\n" BOUND " " KEY "\n", 1, 1, "", "f:2");
	assert_keys("restrict,pty," BOUND " " KEY "\n", 1, 1, "", "f:1");
	assert_keys("restrict,environment=\"A=b\"," BOUND " " KEY "\n", 1, 1, "", "f:1");
	assert_keys("restrict,command=\"id\" " KEY "\n", 1, 0, "f:1", "");
	assert_keys("restrict,command=\"echo \\\"nix-gateway serve\\\"\" " KEY "\n", 1, 0, "f:1", "");
	assert_keys("restrict,from=\"a,command=\\\"b\" " KEY "\n", 1, 0, "f:1", "");
	assert_keys("restrict,command=\"nix-gateway serve", 1, 0, "", "");        /* cut: sshd takes no such line either */
	assert_keys("ecdsa-sha2-nistp256 AAAA\nsk-ssh-ed25519@openssh.com AAAA\n", 2, 0, "f:1", "f:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_setting_is_a_whole_word_at_the_start_of_a_line),
		cmocka_unit_test(a_number_is_digits_alone),
		cmocka_unit_test(the_gateways_serve_is_known_by_its_words),
		cmocka_unit_test(a_file_of_keys_is_named_as_sshd_names_it),
		cmocka_unit_test(each_line_of_keys_is_judged_by_its_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
