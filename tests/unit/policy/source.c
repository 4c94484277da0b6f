#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/path.h"
#include "policy/source.h"

/* A folder of its own for each test, below /tmp, which is sticky and everybody's. */
static char base[64];

static const char *in_base(const char *name)
{
	static char paths[4][128];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", base, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_base(name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(in_base(name), 0644), 0);
}

static int setup(void **unused)
{
	(void)unused;
	snprintf(base, sizeof base, "/tmp/policy-source-XXXXXX");
	umask(022);
	if (mkdtemp(base) == NULL || chmod(base, 0755) != 0 || mkdir(in_base("etc"), 0755) != 0)
		return -1;
	write_file("etc/policy.ini", "[key *]\n");
	return 0;
}

static int teardown(void **unused)
{
	char command[] = "rm", flags[] = "-rf";
	char *args[] = { command, flags, base, NULL };
	pid_t child = fork();

	(void)unused;
	if (child == 0) {
		execvp(command, args);
		_exit(127);
	}
	return child < 0 || waitpid(child, NULL, 0) < 0 ? -1 : 0;
}

/* Reads the file as a program of `owner`; returns the fault, "" if there is none. */
static const char *read_as(const char *path, uid_t owner)
{
	static char why[POLICY_TEXT_MAX];
	struct pool *pool = pool_new();
	struct faults faults = { .items = NULL };
	struct source source;
	bool fine = source_read(path, POLICY_OWNER_CHECKED, owner, pool, &source, &faults);

	assert_int_equal(fine, !faults_any(&faults));
	assert_int_equal(fine, source.text != NULL);
	if (fine)
		assert_int_equal(source.text[source.len], '\0');
	memcpy(why, fine ? "" : faults.items[0].text, fine ? 1 : sizeof why);
	faults_free(&faults);
	pool_free(pool);
	return why;
}

static const char *read_it(const char *path)
{
	return read_as(path, getuid());
}

static bool ignored(const char *path)
{
	struct pool *pool = pool_new();
	struct faults faults = { .items = NULL };
	struct source source;
	bool fine = source_read(path, POLICY_OWNER_IGNORED, getuid(), pool, &source, &faults);

	faults_free(&faults);
	pool_free(pool);
	return fine;
}

static void assert_refused(const char *why, const char *part)
{
	if (strstr(why, part) == NULL)
		fail_msg("'%s' does not say '%s'", why, part);
}

static void a_file_of_our_own_is_read(void **unused)
{
	(void)unused;
	assert_string_equal(read_it(in_base("etc/policy.ini")), "");
	assert_string_equal(read_it(in_base("etc/../etc/./policy.ini")), "");
	assert_int_equal(chdir(in_base("etc")), 0);
	assert_string_equal(read_it("policy.ini"), "");
	assert_string_equal(read_it("../etc//policy.ini"), "");
	assert_int_equal(chdir("/"), 0);
}

/* I6 */
static void a_file_that_others_can_write_is_refused(void **unused)
{
	(void)unused;
	assert_int_equal(chmod(in_base("etc/policy.ini"), 0666), 0);
	assert_refused(read_it(in_base("etc/policy.ini")), "policy.ini can be written by everybody: chmod go-w");
	assert_true(ignored(in_base("etc/policy.ini")));
	assert_int_equal(chmod(in_base("etc/policy.ini"), 0664), 0);
	assert_refused(read_it(in_base("etc/policy.ini")), "policy.ini can be written by its group");
}

static void a_folder_that_others_can_write_is_refused(void **unused)
{
	(void)unused;
	assert_int_equal(chmod(in_base("etc"), 0775), 0);
	assert_refused(read_it(in_base("etc/policy.ini")), "/etc can be written by its group: chmod go-w");
	assert_int_equal(chmod(in_base("etc"), 0777), 0);
	assert_refused(read_it(in_base("etc/policy.ini")), "/etc can be written by everybody");
	assert_int_equal(chmod(in_base("etc"), 0755), 0);
	assert_int_equal(chmod(base, 0777), 0);
	assert_refused(read_it(in_base("etc/policy.ini")), "can be written by everybody");
}

static void a_sticky_folder_counts_only_where_it_is_roots(void **unused)
{
	(void)unused;
	assert_int_equal(chmod(in_base("etc"), 01777), 0);
	if (getuid() != 0) {
		assert_refused(read_it(in_base("etc/policy.ini")), "can be written by everybody");
		return;
	}
	assert_string_equal(read_it(in_base("etc/policy.ini")), "");
	assert_int_equal(chown(in_base("etc"), 54321, 0), 0);
	assert_refused(read_as(in_base("etc/policy.ini"), 54321), "can be written by everybody");
}

static void another_owner_is_refused_and_named(void **unused)
{
	(void)unused;
	if (getuid() != 0) {
		/* Ours, read by a program of another's. */
		assert_refused(read_as(in_base("etc/policy.ini"), 54321), "belongs to uid");
		return;
	}
	assert_int_equal(chown(in_base("etc/policy.ini"), 54321, 0), 0);
	assert_refused(read_as(in_base("etc/policy.ini"), 0), "policy.ini belongs to uid 54321");
	assert_string_equal(read_as(in_base("etc/policy.ini"), 54321), "");
	assert_int_equal(chown(in_base("etc/policy.ini"), 0, 0), 0);
	assert_int_equal(chown(in_base("etc"), 54321, 0), 0);
	assert_refused(read_as(in_base("etc/policy.ini"), 0), "/etc belongs to uid 54321");
}

static void a_link_is_followed_where_all_its_folders_are_safe(void **unused)
{
	(void)unused;
	assert_int_equal(mkdir(in_base("far"), 0755), 0);
	assert_int_equal(symlink("../etc/policy.ini", in_base("far/link")), 0);
	assert_int_equal(symlink(in_base("far"), in_base("folder")), 0);
	assert_string_equal(read_it(in_base("far/link")), "");
	assert_string_equal(read_it(in_base("folder/link")), "");
	assert_int_equal(chmod(in_base("etc"), 0777), 0);
	assert_refused(read_it(in_base("folder/link")), "/etc can be written by everybody");
	assert_int_equal(chmod(in_base("etc"), 0755), 0);
	/* Who can exchange the link chooses the policy. */
	assert_int_equal(chmod(in_base("far"), 0777), 0);
	assert_refused(read_it(in_base("folder/link")), "/far can be written by everybody");
}

static void links_in_a_circle_end(void **unused)
{
	(void)unused;
	assert_int_equal(symlink("circle", in_base("circle")), 0);
	assert_refused(read_it(in_base("circle")), "cannot be opened");
}

static void what_is_no_file_of_text_is_refused_at_once(void **unused)
{
	(void)unused;
	assert_int_equal(mkfifo(in_base("fifo"), 0644), 0);
	assert_refused(read_it(in_base("fifo")), "not a regular file");
	assert_refused(read_it(in_base("etc")), "not a regular file");
	assert_refused(read_it("/dev/null"), "not a regular file");
	assert_refused(read_it(in_base("none")), "cannot be opened: No such file or directory");
	write_file("empty", "");
	assert_refused(read_it(in_base("empty")), "is empty");
	write_file("big", "x");
	assert_int_equal(truncate(in_base("big"), SOURCE_MAX + 1), 0);
	assert_refused(read_it(in_base("big")), "is over 16 MiB");
}

static void the_file_judged_is_the_file_that_was_opened(void **unused)
{
	struct faults faults = { .items = NULL };
	struct stat other;

	(void)unused;
	write_file("etc/other.ini", "[key *]\nsystems = *\n");
	assert_int_equal(stat(in_base("etc/other.ini"), &other), 0);
	assert_true(path_is_safe(in_base("etc/other.ini"), &other, getuid(), &faults));
	assert_false(path_is_safe(in_base("etc/policy.ini"), &other, getuid(), &faults));
	assert_refused(faults.items[0].text, "was exchanged");
	faults_free(&faults);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(a_file_of_our_own_is_read),
		EACH(a_file_that_others_can_write_is_refused),
		EACH(a_folder_that_others_can_write_is_refused),
		EACH(a_sticky_folder_counts_only_where_it_is_roots),
		EACH(another_owner_is_refused_and_named),
		EACH(a_link_is_followed_where_all_its_folders_are_safe),
		EACH(links_in_a_circle_end),
		EACH(what_is_no_file_of_text_is_refused_at_once),
		EACH(the_file_judged_is_the_file_that_was_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
