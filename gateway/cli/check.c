/* check: every fault of a policy file as FILE:LINE: text, silent where there is none. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/cli/commands.h"
#include "gateway/cli/options.h"
#include "policy/load.h"

struct report {
	const char *path;
	FILE *to;
	const char *grade;
};

/* A fault of the file as a whole (its owner, its end) is reported at its first line, where an editor can go. */
static void print_fault(void *context, const struct policy_fault *fault)
{
	const struct report *report = context;

	fprintf(report->to, "%s:%u: %s%s\n", report->path, fault->line > 0 ? fault->line : 1, report->grade,
		fault->text);
}

/* Root reads everything; the account does not. A group other than root's is taken to have been given on purpose. */
static bool is_roots_alone(const char *path)
{
	struct stat st;
	mode_t mode;

	if (stat(path, &st) != 0)
		return false;           /* whoever loads the policy says so better */
	mode = S_ISDIR(st.st_mode) ? S_IXGRP | S_IXOTH : S_IRGRP | S_IROTH;
	return (st.st_mode & mode & (st.st_gid == 0 ? S_IROTH | S_IXOTH : mode)) == 0;
}

/* A policy that root finds in order and that no session can read. */
static void warn_of_readers(const char *path, struct report *warnings)
{
	struct policy_fault fault = { .line = 0 };
	char step[PATH_MAX];

	if (strlen(path) >= sizeof step)
		return;
	for (size_t i = 1; i <= strlen(path); i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(step, path, i);
		step[i] = '\0';
		if (!is_roots_alone(step))
			continue;
		snprintf(fault.text, sizeof fault.text, "the builder's account must read this and cannot: chmod %s '%.900s'",
			 path[i] == '/' ? "a+x" : "a+r", step);
		print_fault(warnings, &fault);
	}
}

int command_check(int argc, char **argv)
{
	const char *path = POLICY_PATH;
	const struct option_row rows[] = { { .name = "--policy", .value = &path } };
	struct report faults = { .to = stdout, .grade = "" }, warnings = { .to = stderr, .grade = "warning: " };
	struct policy *policy = NULL;
	size_t operands;

	if (!options_read(argc, argv, rows, 1, NULL, 0, &operands))
		return EXIT_USAGE;
	faults.path = warnings.path = path;
	if (!policy_load(path, geteuid() == 0 ? POLICY_OWNER_CHECKED : POLICY_OWNER_IGNORED, &policy, print_fault,
			 &faults))
		return EXIT_REFUSED;
	policy_warnings(policy, print_fault, &warnings);
	if (geteuid() == 0)
		warn_of_readers(path, &warnings);
	policy_free(policy);
	return EXIT_FINE;
}
