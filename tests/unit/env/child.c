#include "tests/unit/env/place.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>

#include "gateway/env/child.h"

static char path_variable[] = "PATH=/usr/bin:/bin", marker[] = "MARKER=here";
static char *const clean[] = { path_variable, marker, NULL };

struct said {
	char out[64], err[64];
	int status;
};

static enum err run_in(const char *folder, const char *script, int64_t limit_ms, struct said *said)
{
	const char *const words[] = { "-shell", "-c", script, NULL };
	struct child_plan plan = { .program = "/bin/sh", .arguments = words, .environment = clean, .folder = folder,
				   .limit_ms = limit_ms };
	struct child_output out = { .bytes = said->out, .size = sizeof said->out - 1 };
	struct child_output err = { .bytes = said->err, .size = sizeof said->err - 1 };
	enum err result = child_run(&plan, &out, &err, &said->status);

	said->out[out.len] = said->err[err.len] = '\0';
	return result;
}

static void both_streams_and_the_status_are_told_apart(void **unused)
{
	struct said said;

	(void)unused;
	assert_int_equal(run_in(NULL, "echo one; echo two >&2; exit 3", 5000, &said), ERR_NONE);
	assert_string_equal(said.out, "one\n");
	assert_string_equal(said.err, "two\n");
	assert_int_equal(said.status, 3);
	assert_int_equal(run_in(NULL, "kill -9 $$", 5000, &said), ERR_NONE);
	assert_int_equal(said.status, 128 + SIGKILL);
}

static void it_gets_the_environment_the_folder_and_nothing_to_read(void **state)
{
	const struct place *p = *state;
	struct said said;

	setenv("FORGED", "yes", 1);
	assert_int_equal(run_in(p->folder, "pwd; echo $MARKER$FORGED; read x || echo end", 5000, &said), ERR_NONE);
	assert_string_equal(said.out + strlen(p->folder), "\nhere\nend\n");
	assert_int_equal(run_in("/nonexistent", "echo all the same", 5000, &said), ERR_NONE);
	assert_string_equal(said.out, "all the same\n");
}

static void what_is_over_the_bound_is_not_read(void **unused)
{
	struct said said;

	(void)unused;
	assert_int_equal(run_in(NULL, "while :; do echo 0123456789; done", 5000, &said), ERR_NONE);
	assert_int_equal(strlen(said.out), sizeof said.out - 1);
	assert_int_equal(said.status, 128 + SIGPIPE);
}

static void a_program_that_is_none_is_told_by_its_status(void **unused)
{
	const char *const words[] = { "none", NULL };
	struct child_plan plan = { .program = "/nonexistent", .arguments = words, .environment = clean, .limit_ms = 5000 };
	int status;

	(void)unused;
	assert_int_equal(child_run(&plan, NULL, NULL, &status), ERR_NONE);
	assert_int_equal(status, 127);
}

/* The process whose number the script wrote into its stdout is gone, or waits to be buried. */
static void assert_gone(const struct said *said)
{
	pid_t left = (pid_t)strtol(said->out, NULL, 10);
	bool gone = false;

	assert_true(left > 1);
	for (int i = 0; i < 200 && !gone; i++) {
		char state_file[64], line[256] = "";
		FILE *state;

		gone = kill(left, 0) != 0 && errno == ESRCH;
		snprintf(state_file, sizeof state_file, "/proc/%d/stat", (int)left);
		state = fopen(state_file, "r");
		if (state != NULL) {
			gone |= fgets(line, sizeof line, state) != NULL && strstr(line, ") Z ") != NULL;
			fclose(state);
		}
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	assert_true(gone);
}

static void nothing_of_it_is_left(void **unused)
{
	struct said said;

	(void)unused;
	assert_int_equal(run_in(NULL, "sleep 60 & echo $!", 200, &said), ERR_TIMEOUT);          /* it holds the output */
	assert_gone(&said);
	assert_int_equal(run_in(NULL, "sleep 60 >/dev/null 2>&1 & echo $!", 5000, &said), ERR_NONE);
	assert_gone(&said);
	assert_int_equal(run_in(NULL, "echo $$; exec >&- 2>&-; sleep 60", 200, &said), ERR_TIMEOUT);
	assert_gone(&said);
}

enum { HAS_NONE, HAS_ONE, CANNOT_TELL };

/* Somebody who sits at a terminal, and has a program run. */
static int sit_at_a_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct said said;
	FILE *own;

	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 || setsid() < 0 ||
	    open(ptsname(master), O_RDWR) < 0)
		return CANNOT_TELL;
	own = fopen("/dev/tty", "r+");
	if (own == NULL)
		return CANNOT_TELL;
	fclose(own);
	if (run_in(NULL, "if true <>/dev/tty; then exit 5; fi; exit 6", 5000, &said) != ERR_NONE)
		return CANNOT_TELL;
	return said.status == 5 ? HAS_ONE : HAS_NONE;
}

/* What it typed there, the shell of whoever sits there would run. */
static void it_has_no_terminal(void **unused)
{
	pid_t sitting = fork();
	int status = 0;

	(void)unused;
	if (sitting == 0)
		_exit(sit_at_a_terminal());
	assert_int_equal(waitpid(sitting, &status, 0), sitting);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT_TELL)
		skip();
	assert_int_equal(WEXITSTATUS(status), HAS_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_streams_and_the_status_are_told_apart),
		IN_PLACE(it_gets_the_environment_the_folder_and_nothing_to_read),
		cmocka_unit_test(what_is_over_the_bound_is_not_read),
		cmocka_unit_test(a_program_that_is_none_is_told_by_its_status),
		cmocka_unit_test(nothing_of_it_is_left),
		cmocka_unit_test(it_has_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
