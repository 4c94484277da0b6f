#include "tests/unit/env/place.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "gateway/env/nix_version.h"

static char path_variable[] = "PATH=/usr/bin:/bin", marker[] = "MARKER=1.2.3";
static char *const clean[] = { path_variable, marker, NULL };

/* Runs a shell script in nix-daemon's place. version: "Lix " and the number, or the number alone. */
static enum err ask(const struct place *p, const char *script, char *version, char *why)
{
	char path[PATH_MAX], text[512];
	struct nix_version said;
	enum err err;

	snprintf(text, sizeof text, "#!/bin/sh\n%s\n", script);
	make_file(p, "/nix-daemon", 0755, text);
	err = nix_version(path_at(p, "/nix-daemon", path), clean, &said, why);
	snprintf(version, NIX_VERSION_MAX, "%s%.50s", said.lix ? "Lix " : "", said.number);
	return err;
}

static void assert_version(const struct place *p, const char *script, const char *expected)
{
	char version[NIX_VERSION_MAX], why[SENTENCE_MAX] = "";

	if (ask(p, script, version, why) != ERR_NONE)
		fail_msg("%s", why);
	assert_string_equal(version, expected);
}

static void assert_none(const struct place *p, const char *script, enum err err, const char *words)
{
	char version[NIX_VERSION_MAX], why[SENTENCE_MAX] = "";

	assert_int_equal(ask(p, script, version, why), err);
	assert_says(why, words);
	assert_string_equal(version, "");
}

static void what_the_kinds_of_nix_say_is_understood(void **state)
{
	assert_version(*state, "echo 'nix-daemon (Nix) 2.8.0'", "2.8.0");
	assert_version(*state, "echo 'nix-daemon (Lix, like Nix) 2.91.1'; echo 'System type: x86_64-linux'", "Lix 2.91.1");
	assert_version(*state, "echo 'nix (Determinate Nix 3.8.0) 2.30.1pre20250701_abc'", "2.30.1pre20250701_abc");
	assert_version(*state, "printf 'nix-daemon (Nix) 2.3'", "2.3");
}

static void it_is_asked_with_one_word_and_the_environment_given(void **state)
{
	setenv("FORGED", "9.9", 1);
	assert_version(*state, "test \"$#$1\" = 1--version && test -z \"$FORGED\" && echo Nix $MARKER", "1.2.3");
	assert_version(*state, "read line || echo stdin-is-empty >&2; echo Nix 1.0", "1.0");
}

static void other_words_are_no_version(void **state)
{
	assert_none(*state, "echo hello", ERR_PROTO, "--version' does not say a version");
	assert_none(*state, "true", ERR_PROTO, "does not say a version");
	assert_none(*state, "echo; echo Nix 2.8.0", ERR_PROTO, "does not say a version");
	assert_none(*state, "printf 'Nix 2.8\\033[1m\\n'", ERR_PROTO, "does not say a version");
	assert_none(*state, "printf 'Nix %0100d\\n' 1", ERR_PROTO, "does not say a version");
}

static void a_program_that_fails_or_is_not_there_has_none(void **state)
{
	struct nix_version version;
	char why[SENTENCE_MAX];

	assert_none(*state, "echo Nix 2.8.0; exit 1", ERR_IO, "--version' fails");
	assert_none(*state, "kill -9 $$", ERR_IO, "fails");
	assert_none(*state, "while :; do echo Nix 2.8.0; done", ERR_IO, "fails");       /* cut off, so by SIGPIPE */
	assert_int_equal(nix_version("/nonexistent/nix-daemon", clean, &version, why), ERR_IO);
}

static void a_program_that_never_ends_is_ended_with_all_it_started(void **state)
{
	char path[PATH_MAX], text[32] = "", version[NIX_VERSION_MAX], why[SENTENCE_MAX], script[PATH_MAX + 64];
	struct timespec before, after;
	int fd, gone = 0;
	pid_t left;

	path_at(*state, "/pid", path);
	snprintf(script, sizeof script, "sleep 60 & echo $! > %s; echo Nix 2.8.0; exit 0", path);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_int_equal(ask(*state, script, version, why), ERR_TIMEOUT);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_says(why, "does not answer");
	assert_true(after.tv_sec - before.tv_sec <= 4);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof text - 1) > 0);
	close(fd);
	left = (pid_t)strtol(text, NULL, 10);
	assert_true(left > 1);
	for (int i = 0; i < 200 && !gone; i++) {        /* whoever inherits it needs a moment to bury it */
		char state_file[64], line[256] = "";

		gone = kill(left, 0) != 0 && errno == ESRCH;
		snprintf(state_file, sizeof state_file, "/proc/%d/stat", (int)left);
		fd = open(state_file, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, line, sizeof line - 1) > 0 && strstr(line, ") Z ") != NULL)
			gone = 1;
		if (fd >= 0)
			close(fd);
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	assert_true(gone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(what_the_kinds_of_nix_say_is_understood),
		IN_PLACE(it_is_asked_with_one_word_and_the_environment_given),
		IN_PLACE(other_words_are_no_version),
		IN_PLACE(a_program_that_fails_or_is_not_there_has_none),
		IN_PLACE(a_program_that_never_ends_is_ended_with_all_it_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
