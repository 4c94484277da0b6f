/* check: every fault of a policy file as FILE:LINE: text, silent where there is none. */
#include <stdio.h>
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
	policy_free(policy);
	return EXIT_FINE;
}
