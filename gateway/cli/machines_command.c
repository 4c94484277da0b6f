/* machines: how a client names this builder, printed for its administrator to pass on. */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/cli/commands.h"
#include "gateway/cli/machines.h"
#include "gateway/cli/options.h"
#include "gateway/cli/program.h"
#include "gateway/cli/sshd_ask.h"
#include "gateway/cli/which_account.h"
#include "gateway/session/nix_conf_file.h"
#include "policy/decide.h"
#include "policy/load.h"

struct wanted {
	const char *key, *host, *policy_path, *format, *account;
};

static void say_fault(void *context, const struct policy_fault *fault)
{
	log_say("%s:%u: %s", (const char *)context, fault->line > 0 ? fault->line : 1, fault->text);
}

/* Root can ask sshd which key it shows; for others it is the one that is usually there. */
static void find_host_key(struct machine *m)
{
	struct sshd_settings sshd = { .text = NULL };
	char why[SENTENCE_MAX];

	if (geteuid() == 0 && !sshd_ask(m->user, &sshd, why))
		log_say("%s; the usual host key is taken", why);
	if (!host_key_find(&sshd, m->host_key))
		log_say("no host key can be read here: the client's known_hosts has to know this host");
	free(sshd.text);
}

static int print_for(const struct wanted *w, const struct policy *policy, const char *user)
{
	struct caller caller = { .key_name = w->key };
	struct nix_settings offered;
	struct verdict verdict;
	const struct key *key = policy_identify(policy, &caller, &verdict);
	struct machine m = { .key = w->key, .user = user, .host = w->host, .offered = &offered };
	char why[SENTENCE_MAX];
	bool known;

	if (key == NULL) {
		log_say("%s", verdict.text);
		return EXIT_USAGE;
	}
	verdict = policy_decide_session(policy, key, (enum protocol)key->grant->protocols, policy_today());
	if (!verdict.allow) {
		log_say("%s", verdict.text);
		return EXIT_REFUSED;
	}
	m.grant = key->grant;
	if (!nix_settings_read(NIX_CONF_PATH, &offered, why))
		log_say("%s; Nix's defaults are taken", why);
	find_host_key(&m);
	known = machine_print(stdout, &m, w->format);
	nix_settings_free(&offered);
	if (known)
		return fflush(stdout) == 0 ? EXIT_FINE : EXIT_REFUSED;
	log_say("there is no format '%s': machines, nixos, home-manager or ssh-config", w->format);
	return EXIT_USAGE;
}

static bool read_wanted(int argc, char **argv, struct wanted *w)
{
	const struct option_row rows[] = {
		{ .name = "--key", .value = &w->key },
		{ .name = "--host", .value = &w->host },
		{ .name = "--policy", .value = &w->policy_path },
		{ .name = "--format", .value = &w->format },
		{ .name = "--account", .value = &w->account },
	};
	size_t operands;

	if (!options_read(argc, argv, rows, sizeof rows / sizeof *rows, NULL, 0, &operands))
		return false;
	if (w->key == NULL || w->host == NULL)
		log_say("machines needs --key NAME, the section of the policy, and --host HOST, as clients know this machine");
	else if (!machine_host_is_fine(w->host))
		log_say("'%s' is no host's name or address; a port is for the client's ssh_config", w->host);
	else
		return true;
	return false;
}

int command_machines(int argc, char **argv)
{
	struct wanted w = { .policy_path = POLICY_PATH, .format = "machines" };
	enum policy_trustee trustee = geteuid() == 0 ? POLICY_OWNER_CHECKED : POLICY_OWNER_IGNORED;
	char program[PATH_MAX], place[SENTENCE_MAX], why[SENTENCE_MAX];
	struct policy *policy = NULL;
	struct which which;
	int status;

	if (!read_wanted(argc, argv, &w))
		return EXIT_USAGE;
	if (!program_path(program, sizeof program))
		program[0] = '\0';
	if (!which_account(w.account, program, &which, why)) {
		log_say("%s", why);
		return EXIT_USAGE;
	}
	snprintf(place, sizeof place, "%s", w.policy_path);
	if (!policy_load(w.policy_path, trustee, &policy, say_fault, place))
		return EXIT_USAGE;
	status = print_for(&w, policy, which.name);
	policy_free(policy);
	return status;
}
