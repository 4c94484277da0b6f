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

/* The whole policy, and what a session loads of it: for a key that none of these policies is about. */
static const struct caller nobody = { .key_name = "nobody" };
static const struct caller *const callers[] = { NULL, &nobody };

static void assert_one_fault(const char *path)
{
	FILE *file = fopen(path, "r");
	char first[512], *text;
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

	for (size_t i = 0; i < sizeof callers / sizeof *callers; i++) {
		struct told told = { .count = 0 };

		if (policy_load_for(callers[i], path, POLICY_OWNER_IGNORED, &p, listen, &told))
			fail_msg("%s loads", path);
		assert_null(p);
		if (told.count != 1)
			fail_msg("%s has %zu faults", path, told.count);
		if (told.faults[0].line != line || strstr(told.faults[0].text, text + 2) == NULL)
			fail_msg("%s:%u: %s", path, told.faults[0].line, told.faults[0].text);
	}
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

/* The one thing our examples are warned of is what they show on purpose. */
static void assert_loads_with_the_warnings_it_means(const char *path)
{
	struct told told = { .count = 0 };
	bool team = strstr(path, "team.ini") != NULL;
	struct policy *p;

	assert_loads(path);
	assert_true(policy_load(path, POLICY_OWNER_IGNORED, &p, NULL, NULL));
	policy_warnings(p, listen, &told);
	policy_free(p);
	if (told.count != (team ? 1 : 0))
		fail_msg("%s:%u: warning: %s", path, told.faults[0].line, told.faults[0].text);
	if (team)
		assert_non_null(strstr(told.faults[0].text, "[key hydra] may define any store path"));
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

static void what_we_ship_loads_without_a_warning_by_mistake(void **unused)
{
	(void)unused;
	assert_true(for_each("policy/examples", assert_loads_with_the_warnings_it_means) >= 3);
}

static void the_shipped_policy_opens_builds_and_no_more(void **unused)
{
	struct policy *p;
	const struct grant *g;

	(void)unused;
	assert_true(policy_load("policy/examples/policy.ini", POLICY_OWNER_IGNORED, &p, NULL, NULL));
	assert_int_equal(p->key_count, 1);
	assert_string_equal(p->keys[0].name, "*");
	g = p->keys[0].grant;
	assert_true(g->systems.any && g->features.any);
	assert_int_equal(g->trust, TRUST_NONE);
	assert_int_equal(g->relay, RELAY_FILTER);
	assert_int_equal(g->rules[GRANT_RELAY].line, 0);
	assert_int_equal(g->relaxations, 0);
	assert_int_equal(g->operations, OPS_QUERY | OPS_BUILD | OPS_UPLOAD | OPS_DOWNLOAD | OPS_SUBSTITUTE);
	policy_free(p);
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

/* The text is warned of in one line only, with these words. */
static void assert_warned(const char *text, unsigned line, const char *words)
{
	struct told told = told_of(text);

	if (told.count != 1)
		fail_msg("%zu warnings: %s", told.count, text);
	assert_int_equal(told.faults[0].line, line);
	if (strstr(told.faults[0].text, words) == NULL)
		fail_msg("%s", told.faults[0].text);
}

static void a_person_is_warned_of_what_has_no_use(void **unused)
{
	(void)unused;
	assert_warned("[key b]\nexpires = 2020-01-01\nsystems = *\n", 2, "[key b] has expired");
	assert_warned("[gateway]\nnix = auto\n", 0, "no [key] section");
	assert_warned("[key a]\nsystems = *\nprotocols =\n", 3, "[key a] may use no protocol");
	assert_warned("[default]\n[key a]\n", 2, "[key a] may build for no system");
	assert_warned("[key a]\nsystems =\n", 2, "[key a] may build for no system");
	assert_warned("[key a]\nsystems = *\ntrust = signed\n", 3, "needs 'trusted-public-keys'");
	assert_warned("[key a]\nsystems = *\ntrusted-public-keys = c-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=\n", 3,
		      "they need trust = signed");
	assert_warned("[key a]\noperations = upload\nunsigned-uploads = rebuild\n", 3, "may not build");
	assert_int_equal(told_of("[key a]\noperations = query download\n").count, 0);
	assert_int_equal(told_of("[key a]\nsystems = *\nunsigned-uploads = refuse\n").count, 0);
}

static void a_person_is_warned_once_of_what_is_very_wide(void **unused)
{
	(void)unused;
	assert_warned("[default]\nsystems = *\ntrust = full\n[key a]\n[key b]\n", 3, "may define any store path");
	assert_warned("[default]\nrelay = exec\n[key a]\n[key b]\n", 2, "nothing of what it asks is judged");
	assert_warned("[key a]\nrelay = exec\ntrust = full\n", 2, "[key a] goes to the Nix daemon unseen");
	assert_int_equal(told_of("[key a]\nrelay = exec\n[key b]\nrelay = exec\n").count, 2);
}

static void an_environment_for_nobody_is_warned_of(void **unused)
{
#define PROXY "[environment]\nA = b\n"
#define KEY   "[key a]\nsystems = *\n"
	(void)unused;
	assert_warned(PROXY KEY, 2, "no effect where the daemon has its socket");
	assert_warned(PROXY "[gateway]\ndaemon = socket\n" KEY, 2, "[environment] has no effect: builds run");
	assert_warned(PROXY "[gateway]\ndaemon = /run/nix.sock\n" KEY, 2, "[environment] has no effect: builds run");
	assert_int_equal(told_of(PROXY "[gateway]\ndaemon = stdio\n" KEY).count, 0);
	assert_warned(PROXY KEY "relay = exec\n", 5, "relay = exec");       /* that starts the daemon's program with it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bad_policy_is_refused_for_its_one_fault),
		cmocka_unit_test(every_good_policy_loads),
		cmocka_unit_test(what_we_ship_loads_without_a_warning_by_mistake),
		cmocka_unit_test(the_shipped_policy_opens_builds_and_no_more),
		cmocka_unit_test(a_long_line_is_there_to_its_last_word),
		cmocka_unit_test(a_policy_that_is_not_there_has_one_fault),
		cmocka_unit_test(more_faults_than_a_person_reads_are_counted),
		cmocka_unit_test(a_person_is_warned_of_what_has_no_use),
		cmocka_unit_test(a_person_is_warned_once_of_what_is_very_wide),
		cmocka_unit_test(an_environment_for_nobody_is_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
