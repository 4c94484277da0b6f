/* env: the environment that a session's Nix would be given, NAME=value, a line each. */
#include <stdio.h>
#include <unistd.h>

#include "gateway/cli/builder.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/options.h"

static int print_environment(struct builder *b, const char *policy_path)
{
	char why[SENTENCE_MAX];
	int status = EXIT_FINE;

	if (!builder_load(b, NULL, policy_path, geteuid() == 0 ? POLICY_OWNER_CHECKED : POLICY_OWNER_IGNORED, why)) {
		log_say("%s", why);
		return EXIT_USAGE;
	}
	if (!builder_find_nix(b, why) || !builder_find_daemon(b, why)) {
		log_say("%s", why);             /* the environment is shown all the same, for whoever looks why */
		status = EXIT_REFUSED;
	}
	if (!builder_make_environment(b, why)) {
		log_say("%s", why);
		return EXIT_REFUSED;
	}
	for (size_t i = 0; i < b->environment.count; i++)
		puts(b->environment.items[i]);
	return status;
}

int command_env(int argc, char **argv)
{
	const char *path = POLICY_PATH;
	const struct option_row rows[] = { { .name = "--policy", .value = &path } };
	struct builder builder;
	size_t operands;
	int status;

	if (!options_read(argc, argv, rows, 1, NULL, 0, &operands))
		return EXIT_USAGE;
	builder_init(&builder);
	status = print_environment(&builder, path);
	builder_free(&builder);
	return status;
}
