/* authorized-keys: for sshd's AuthorizedKeysCommand "%u %f %t %k": the line that lets a key of the policy in, bound to
 * its name. A key the policy does not name gets no line and no error: other sources of keys are sshd's affair. */
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/options.h"
#include "gateway/cli/program.h"
#include "gateway/identity/ssh_key.h"
#include "policy/decide.h"
#include "policy/load.h"

struct asked {
	const char *user, *fingerprint, *type, *base64;
};

/* sshd asks for every account that somebody knocks at. A superuser's session would make the daemon trust it. */
static bool is_builder_account(const char *user)
{
	const struct passwd *entry = getpwnam(user);

	if (entry != NULL && entry->pw_uid != 0)
		return true;
	log_say("no key of the policy opens the account '%s'", user);
	return false;
}

/* In a line of authorized_keys, between quotes and for a shell behind it: nothing that either would change. */
static bool is_safe_path(const char *path)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-@=,:";

	return path[0] == '/' && path[strspn(path, safe)] == '\0';
}

/* The key that sshd shows must be the one whose fingerprint it tells. */
static bool key_is_sound(const struct asked *asked)
{
	struct ssh_identity identity;
	char why[SENTENCE_MAX];
	bool same;

	if (ssh_key_parse_words(asked->type, asked->base64, &identity, why) != ERR_NONE) {
		log_say("%s", why);
		return false;
	}
	same = strcmp(identity.fingerprint, asked->fingerprint) == 0;
	ssh_key_free(&identity);
	if (!same)
		log_say("the key is not the one of the fingerprint %s; nix-gateway(8) has the line for sshd_config",
			asked->fingerprint);
	return same;
}

static int print_line_for(const struct asked *asked, const struct caller *caller, const struct policy *policy,
			  const char *policy_path)
{
	struct verdict why;
	const struct key *key = policy_identify(policy, caller, &why);
	char program[PATH_MAX] = "";

	/* [key *] is for whom sshd has let in already; it lets nobody in. */
	if (key == NULL || strcmp(key->name, "*") == 0)
		return EXIT_FINE;
	if (!program_path(program, sizeof program) || !is_safe_path(program) || !is_safe_path(policy_path)) {
		log_say("'%s' or '%s' cannot stand in a line of authorized_keys: give the program and the policy absolute "
			"paths of letters, digits and /._+-@=,:", program, policy_path);
		return EXIT_USAGE;
	}
	printf("restrict,command=\"%s serve --key %s", program, key->name);
	if (strcmp(policy_path, POLICY_PATH) != 0)
		printf(" --policy %s", policy_path);
	printf("\" %s %s\n", asked->type, asked->base64);
	return EXIT_FINE;
}

static void say_fault(void *context, const struct policy_fault *fault)
{
	log_say("%s:%u: %s", (const char *)context, fault->line > 0 ? fault->line : 1, fault->text);
}

int command_authorized_keys(int argc, char **argv)
{
	const char *path = POLICY_PATH, *words[4];
	const struct option_row rows[] = { { .name = "--policy", .value = &path } };
	struct policy *policy = NULL;
	struct asked asked;
	struct caller caller;
	size_t count;
	char place[PATH_MAX];
	int status;

	if (!options_read(argc, argv, rows, 1, words, 4, &count))
		return EXIT_USAGE;
	if (count != 4) {
		log_say("authorized-keys needs USER FINGERPRINT KEYTYPE KEY; nix-gateway(8) has the line for sshd_config");
		return EXIT_USAGE;
	}
	asked = (struct asked){ words[0], words[1], words[2], words[3] };
	caller = (struct caller){ .fingerprint = asked.fingerprint };
	if (!is_builder_account(asked.user) || !key_is_sound(&asked))
		return EXIT_FINE;
	snprintf(place, sizeof place, "%s", path);
	if (!policy_load_for(&caller, path, POLICY_OWNER_CHECKED, &policy, say_fault, place))
		return EXIT_USAGE;
	status = print_line_for(&asked, &caller, policy, path);
	policy_free(policy);
	return status;
}
