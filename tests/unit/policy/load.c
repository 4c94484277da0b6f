/* The policies of tests/e2e/policies and policy/examples. A bad one has one fault, and says in its first line which:
 * "; expect LINE: part of the text". Run from the top of the source. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/load.h"

struct told {
	struct policy_fault faults[8];
	size_t count;
};

static void listen(void *context, const struct policy_fault *fault)
{
	struct told *told = context;

	if (told->count < sizeof told->faults / sizeof *told->faults)
		told->faults[told->count] = *fault;
	told->count++;
}

/* Calls `check` for every *.ini in a folder; returns how many there were. */
static size_t for_each(const char *folder, void (*check)(const char *path))
{
	DIR *dir = opendir(folder);
	size_t count = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		const char *dot = strrchr(entry->d_name, '.');
		char path[512];

		if (dot == NULL || strcmp(dot, ".ini") != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		check(path);
		count++;
	}
	closedir(dir);
	return count;
}

static void assert_one_fault(const char *path)
{
	FILE *file = fopen(path, "r");
	char first[512], *text;
	struct told told = { .count = 0 };
	struct policy *p;
	unsigned long line;

	assert_non_null(file);
	assert_non_null(fgets(first, sizeof first, file));
	fclose(file);
	first[strcspn(first, "\n")] = '\0';
	if (strncmp(first, "; expect ", 9) != 0)
		fail_msg("%s does not say what to expect", path);
	line = strtoul(first + 9, &text, 10);
	assert_true(strncmp(text, ": ", 2) == 0);

	if (policy_load(path, POLICY_OWNER_IGNORED, &p, listen, &told))
		fail_msg("%s loads", path);
	assert_null(p);
	if (told.count != 1)
		fail_msg("%s has %zu faults", path, told.count);
	if (told.faults[0].line != line || strstr(told.faults[0].text, text + 2) == NULL)
		fail_msg("%s:%u: %s", path, told.faults[0].line, told.faults[0].text);
}

static void assert_loads(const char *path)
{
	struct told told = { .count = 0 };
	struct policy *p;

	if (!policy_load(path, POLICY_OWNER_IGNORED, &p, listen, &told))
		fail_msg("%s:%u: %s", path, told.faults[0].line, told.faults[0].text);
	assert_int_equal(told.count, 0);
	assert_string_equal(p->path, path);
	assert_true(p->key_count > 0);
	policy_free(p);
}

static void assert_loads_without_warning(const char *path)
{
	struct told told = { .count = 0 };
	struct policy *p;

	assert_loads(path);
	assert_true(policy_load(path, POLICY_OWNER_IGNORED, &p, NULL, NULL));
	policy_warnings(p, listen, &told);
	if (told.count != 0)
		fail_msg("%s:%u: warning: %s", path, told.faults[0].line, told.faults[0].text);
	policy_free(p);
}

static void every_bad_policy_is_refused_for_its_one_fault(void **unused)
{
	(void)unused;
	assert_true(for_each("tests/e2e/policies/bad", assert_one_fault) >= 30);
}

static void every_good_policy_loads(void **unused)
{
	(void)unused;
	assert_true(for_each("tests/e2e/policies/good", assert_loads) >= 5);
}

static void what_we_ship_loads_without_a_warning(void **unused)
{
	(void)unused;
	assert_true(for_each("policy/examples", assert_loads_without_warning) >= 3);
}

static void a_long_line_is_there_to_its_last_word(void **unused)
{
	struct policy *p;

	(void)unused;
	assert_true(policy_load("tests/e2e/policies/good/long-line.ini", POLICY_OWNER_IGNORED, &p, NULL, NULL));
	assert_int_equal(p->keys[0].fingerprints.count, 45);
	assert_int_equal(p->keys[0].expires.year, 2090);
	policy_free(p);
}

static void a_policy_that_is_not_there_has_one_fault(void **unused)
{
	struct told told = { .count = 0 };
	struct policy *p;

	(void)unused;
	assert_false(policy_load("tests/e2e/policies/none.ini", POLICY_OWNER_CHECKED, &p, listen, &told));
	assert_null(p);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.faults[0].line, 0);
}

/* Writes a policy to a file of its own, loads it, and gives back what was said: faults or, if it loads, warnings. */
static struct told told_of(const char *text)
{
	char path[] = "/tmp/policy-load-XXXXXX";
	int fd = mkstemp(path);
	struct told told = { .count = 0 };
	struct policy *p;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	if (policy_load(path, POLICY_OWNER_IGNORED, &p, listen, &told)) {
		policy_warnings(p, listen, &told);
		policy_free(p);
	}
	unlink(path);
	return told;
}

static void more_faults_than_a_person_reads_are_counted(void **unused)
{
	static char text[64 * 1024];
	size_t used = (size_t)snprintf(text, sizeof text, "[default]\n");
	struct told told;

	(void)unused;
	for (int i = 0; i < 250; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "x%d = y\n", i);
	told = told_of(text);
	assert_int_equal(told.count, 101);
	assert_int_equal(told.faults[0].line, 2);
}

static void a_person_is_warned_of_what_has_no_use_or_is_very_wide(void **unused)
{
	struct told told;

	(void)unused;
	told = told_of("[key bob]\nexpires = 2020-01-01\n");
	assert_int_equal(told.count, 1);
	assert_int_equal(told.faults[0].line, 2);
	assert_string_equal(told.faults[0].text, "[key bob] has expired");
	told = told_of("[default]\ntrust = full\n[key a]\n[key b]\n");
	assert_int_equal(told.count, 1);
	assert_int_equal(told.faults[0].line, 2);
	told = told_of("[gateway]\nnix = auto\n");
	assert_int_equal(told.count, 1);
	assert_non_null(strstr(told.faults[0].text, "no [key] section"));
	told = told_of("[key a]\nprotocols =\n");
	assert_int_equal(told.count, 1);
	told = told_of("[environment]\nA = b\n[gateway]\ndaemon = socket\n[key a]\n");
	assert_int_equal(told.count, 0);        /* relay = exec starts the daemon's program with it */
}

static void an_environment_for_nobody_is_warned_of(void **unused)
{
	char name[] = "a";
	struct variable variable = { .name = name, .value = name, .rule = { 7 } };
	struct key key = { .name = name, .grant = { .relay = RELAY_FILTER, .protocols = PROTOCOL_SSH } };
	struct policy p = { .gateway = { .daemon = DAEMON_SOCKET }, .environment = &variable, .environment_count = 1,
			    .keys = &key, .key_count = 1 };
	struct told told = { .count = 0 };

	(void)unused;
	policy_warnings(&p, listen, &told);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.faults[0].line, 7);
	p.gateway.daemon = DAEMON_STDIO;
	policy_warnings(&p, listen, &told);
	assert_int_equal(told.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bad_policy_is_refused_for_its_one_fault),
		cmocka_unit_test(every_good_policy_loads),
		cmocka_unit_test(what_we_ship_loads_without_a_warning),
		cmocka_unit_test(a_long_line_is_there_to_its_last_word),
		cmocka_unit_test(a_policy_that_is_not_there_has_one_fault),
		cmocka_unit_test(more_faults_than_a_person_reads_are_counted),
		cmocka_unit_test(a_person_is_warned_of_what_has_no_use_or_is_very_wide),
		cmocka_unit_test(an_environment_for_nobody_is_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
