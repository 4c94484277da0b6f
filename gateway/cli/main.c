/* nix-gateway: the forced command of a Nix builder's account. See nix-gateway(8). */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "gateway/base/log.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/json_memory.h"
#include "gateway/cli/options.h"
#include "gateway/nix/ops.h"
#include "policy/model.h"

static int command_help(int argc, char **argv);
static int command_version(int argc, char **argv);
static int command_list_operations(int argc, char **argv);

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} commands[] = {
	{ "serve", command_serve, "[--key NAME] [--policy FILE]" },
	{ "authorized-keys", command_authorized_keys, "[--policy FILE] USER FINGERPRINT KEYTYPE KEY" },
	{ "check", command_check, "[--policy FILE]" },
	{ "doctor", command_doctor, "[--policy FILE] [--account NAME] [--json]" },
	{ "env", command_env, "[--policy FILE]" },
	{ "explain", command_explain, "--key NAME [--policy FILE] [--system S] [--feature F]... [DRV...]" },
	{ "machines", command_machines,
	  "--key NAME --host HOST [--policy FILE] [--account NAME] [--format machines|nixos|home-manager|ssh-config]" },
	{ "--help", command_help, "" },
	{ "--version", command_version, "" },
	{ "--list-operations", command_list_operations, "" },
};

enum { SCREEN = 79 };

/* A command and what stands behind it, broken between its options where the line would not fit a screen. */
static void print_usage(const char *name, const char *usage)
{
	int column = printf("  %s", name);

	for (const char *at = usage; *at != '\0'; at += strspn(at, " ")) {
		size_t len = *at == '[' ? strcspn(at, "]") : 0;

		len += strcspn(at + len, " ");
		if (column + 1 + (int)len > SCREEN)
			column = printf("\n     ") - 1;
		column += printf(" %.*s", (int)len, at);
		at += len;
	}
	putchar('\n');
}

static int command_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("nix-gateway: the forced command that makes a Nix builder safe to share\n");
	puts("usage: nix-gateway COMMAND, which is one of");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		print_usage(commands[i].name, commands[i].usage);
	puts("  -c COMMAND    as the account's login shell\n");
	puts("The policy is " POLICY_PATH " where no FILE is given.");
	puts("Manuals: nix-gateway(8), nix-gateway.policy(5), nix-gateway.protocol(7).");
	return EXIT_FINE;
}

static int command_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("nix-gateway " VERSION);
	return EXIT_FINE;
}

/* What of Nix's protocols is understood, and what right each operation needs. */
static int command_list_operations(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	ops_list(stdout);
	return EXIT_FINE;
}

/* sshd starts a login shell without a command under a name that begins with a dash. */
static bool is_login_shell(int argc, char **argv)
{
	return (argc == 1 && (argv[0][0] == '-' || getenv("SSH_CONNECTION") != NULL)) ||
	       (argc == 3 && strcmp(argv[1], "-c") == 0);
}

int main(int argc, char **argv)
{
	json_memory_strict();
	if (sodium_init() < 0) {
		log_say("libsodium finds no source of randomness");
		return EXIT_REFUSED;
	}
	if (argc >= 1 && is_login_shell(argc, argv))
		return login_shell(argc == 3 ? argv[2] : NULL);
	for (size_t i = 0; argc >= 2 && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 2, argv + 2);
	if (argc >= 2)
		log_say("unknown command '%s'; see nix-gateway --help", argv[1]);
	else
		log_say("a command is needed; see nix-gateway --help");
	return EXIT_USAGE;
}
