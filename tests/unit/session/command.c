/* What a client may ask sshd to run: few things, in few spellings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/log.h"
#include "gateway/session/command.h"

static void assert_served(const char *line, enum command_kind kind, bool write)
{
	struct command command;
	char why[SENTENCE_MAX] = "";

	if (!command_parse(&command, line, why))
		fail_msg("'%s' was refused: %s", line, why);
	assert_int_equal(command.kind, kind);
	assert_int_equal(command.write, write);
	assert_null(command.store);
}

static void assert_refused(const char *line)
{
	struct command command;
	char why[SENTENCE_MAX] = "";

	if (command_parse(&command, line, why))
		fail_msg("'%s' was served", line);
	assert_non_null(strstr(why, "serves nix-daemon --stdio, nix-store --serve --write, info, machines and doctor"));
	assert_null(strchr(why, '\n'));
}

static void what_clients_send_is_served(void **unused)
{
	(void)unused;
	assert_served("nix-daemon --stdio", COMMAND_WORKER, true);
	assert_served("nix daemon --stdio", COMMAND_WORKER, true);
	assert_served("/run/current-system/sw/bin/nix-daemon --stdio", COMMAND_WORKER, true);
	assert_served("'nix-daemon' --stdio", COMMAND_WORKER, true);
	assert_served("n\\ix-daemon '--stdio'", COMMAND_WORKER, true);
	assert_served("nix-store --serve --write", COMMAND_SERVE, true);
	assert_served("/opt/x/nix-store --serve", COMMAND_SERVE, false);
	assert_served("info", COMMAND_INFO, false);
	assert_served("", COMMAND_INFO, false);
	assert_served(NULL, COMMAND_INFO, false);
}

static void assert_page(const char *line, enum command_page page)
{
	struct command command = { .page = PAGE_DOCTOR };
	char why[SENTENCE_MAX];

	assert_true(command_parse(&command, line, why));
	assert_int_equal(command.kind, COMMAND_INFO);
	assert_int_equal(command.page, page);
}

static void each_page_for_a_keys_owner_has_its_word(void **unused)
{
	(void)unused;
	assert_page(NULL, PAGE_INFO);
	assert_page("info", PAGE_INFO);
	assert_page("machines", PAGE_MACHINES);
	assert_page("/opt/x/doctor", PAGE_DOCTOR);
}

static void another_store_is_heard_in_every_quoting(void **unused)
{
	static const struct {
		const char *line, *store;
	} rows[] = {
		{ "nix-daemon --stdio --store 'local?root=/tmp/x'", "local?root=/tmp/x" },
		{ "nix-daemon --stdio --store local?root=/tmp/x&a=b", "local?root=/tmp/x&a=b" },
		{ "nix-store --serve --write --store 'it'\\''s'", "it's" },
	};
	struct command command;
	char why[SENTENCE_MAX];

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(command_parse(&command, rows[i].line, why));
		assert_string_equal(command.store, rows[i].store);
	}
}

static void everything_else_is_refused(void **unused)
{
	static const char *const lines[] = {
		"id", "nix-daemon", "nix-daemon --stdio; id", "nix-daemon --stdio\nid", "nix-daemon  --stdio", " nix-daemon --stdio",
		"nix-daemon --stdio ", "$(id)", "`id`", "nix-daemon --stdio | id", "nix-daemon --stdio --force-trusted",
		"nix-daemon --stdio --process-ops", "nix-daemon --stdio --option a b", "nix-daemon --stdio --store",
		"nix-daemon --stdio --store a b", "nix-daemon --stdio --store a --store b", "sudo nix-daemon --stdio",
		"nix --extra-experimental-features nix-command daemon --stdio", "nix daemon", "nix", "nix-store -r x",
		"nix-store --serve --write --write", "nix-store --write --serve", "/usr/lib/openssh/sftp-server",
		"info more", "info --store x", "doctor --json", "machines nixos", "machines --store x", "nix-daemon --stdio 'unclosed", "nix-daemon '' --stdio", "nix-daemon \"--stdio\"",
		"nix-daemon --stdio#", "nix-daemon --stdio*", "~/nix-daemon --stdio", "nix-daemon\t--stdio",
		"nix-daemon/ --stdio", "xnix-daemon --stdio", "nix-daemon --stdio > /tmp/x", "\x7f", "nix-daemon --stdio\\",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_refused(lines[i]);
}

static void length_and_number_of_words_are_bounded(void **unused)
{
	char line[COMMAND_MAX + 2];

	(void)unused;
	memset(line, 'a', sizeof line);
	line[COMMAND_MAX + 1] = '\0';
	assert_refused(line);
	line[COMMAND_MAX] = '\0';
	assert_refused(line);
	for (size_t i = 0; i < 100; i++)
		memcpy(line + 2 * i, "a ", 2);
	line[199] = '\0';
	assert_refused(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_clients_send_is_served),
		cmocka_unit_test(each_page_for_a_keys_owner_has_its_word),
		cmocka_unit_test(another_store_is_heard_in_every_quoting),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(length_and_number_of_words_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
