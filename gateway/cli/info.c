#include "gateway/cli/info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/machines.h"
#include "gateway/cli/options.h"
#include "gateway/env/nix_version.h"
#include "gateway/session/greet.h"
#include "gateway/session/nix_conf_file.h"
#include "gateway/session/run.h"
#include "policy/settings.h"
#include "policy/words.h"

enum { HOST_MAX = 256 };

/* Foreign bytes (a key id, a reason with a path in it) are escaped here as everywhere. */
static void print_line(const char *name, const char *text)
{
	char safe[SENTENCE_MAX];

	log_escape(safe, sizeof safe, text, strlen(text));
	printf("%-13s%s\n", name, safe);
}

static void print_list(const char *name, const struct text_list *list)
{
	char text[WORDS_TEXT_MAX];

	print_line(name, words_of_list(list, text));
}

/* A set, or one of several, in the words of the policy. */
static void print_setting(const char *name, enum grant_setting setting, unsigned value)
{
	const struct setting *row = setting_of_grant(setting);
	char text[WORDS_TEXT_MAX];

	print_line(name, row->kind == VALUE_BITS ? words_of_bits(row->words, value, text) : row->words[value]);
}

static void print_identity(const struct visit *v)
{
	print_line("key", strcmp(v->key->name, "*") == 0 ? "* (whoever sshd lets in)" : v->key->name);
	print_line("fingerprint", v->identified ? v->identity.fingerprint :
						  "not known (ExposeAuthInfo is off in sshd_config)");
	if (v->identified && v->identity.certificate) {
		print_line("certificate", v->identity.key_id);
		print_line("authority", v->identity.ca_fingerprint);
	}
	if (v->key->role != NULL)
		print_line("role", v->key->role);
	if (v->key->expires.year != 0)
		printf("%-13s%04d-%02d-%02d\n", "expires", v->key->expires.year, v->key->expires.month,
		       v->key->expires.day);
}

static void print_grant(const struct grant *grant)
{
	print_setting("protocols", GRANT_PROTOCOLS, grant->protocols);
	print_list("systems", &grant->systems);
	print_list("features", &grant->features);
	if (grant->relay == RELAY_EXEC) {
		print_line("relay", "exec (environment and identity only: the Nix daemon judges the rest)");
		return;
	}
	print_setting("derivations", GRANT_DERIVATIONS, grant->derivations);
	print_setting("operations", GRANT_OPERATIONS, grant->operations);
	print_setting("trust", GRANT_TRUST, grant->trust);
}

static bool print_nix(struct visit *v)
{
	struct builder *b = &v->builder;
	char why[SENTENCE_MAX], line[SENTENCE_MAX];
	struct nix_version version;

	if (!builder_find_nix(b, why)) {
		print_line("nix", why);
		return false;
	}
	if (!builder_make_environment(b, why) ||
	    nix_version(b->nix.daemon, b->environment.items, &version, why) != ERR_NONE) {
		print_line("nix", why);
		return false;
	}
	snprintf(line, sizeof line, "%s (%s)", version.number, b->nix.folder);
	print_line("nix", line);
	return true;
}

/* Says hello to the daemon: that it answers, which version it is and what it thinks of our account, it says itself. */
static bool ask_daemon(struct visit *v, struct session *session, char *why)
{
	struct builder *b = &v->builder;

	if (!builder_reach_daemon(b, why))
		return false;
	session_init(session, b->policy, v->key, &v->audit, &v->command, -1, -1, -1);
	return session_inquire(session, &b->backend, why);
}

static bool print_daemon(struct visit *v)
{
	char text[SENTENCE_MAX], line[SENTENCE_MAX + DAEMON_VERSION_MAX + 32];
	struct session session = { .spool = -1 };
	bool answers;

	answers = ask_daemon(v, &session, text);
	if (!answers) {
		print_line("daemon", text);
	} else {
		backend_describe(&v->builder.backend, text, sizeof text);
		snprintf(line, sizeof line, "%s, Nix %s", text,
			 session.upstream.daemon_version[0] == '\0' ? "of unknown version" : session.upstream.daemon_version);
		print_line("daemon", line);
		print_line("account", trust_name(session.trust));
	}
	if (session.policy != NULL)
		session_free(&session);
	return answers;
}

/* The address at which the client has reached us: the third word of SSH_CONNECTION; else this machine's name. */
static void find_host(char host[HOST_MAX])
{
	const char *word = getenv("SSH_CONNECTION");

	for (int i = 0; i < 2 && word != NULL; i++) {
		word = strchr(word, ' ');
		word = word == NULL ? NULL : word + 1;
	}
	if (word != NULL)
		snprintf(host, HOST_MAX, "%.*s", (int)strcspn(word, " "), word);
	else if (gethostname(host, HOST_MAX) != 0)
		host[0] = '\0';
	host[HOST_MAX - 1] = '\0';
	if (!machine_host_is_fine(host))
		snprintf(host, HOST_MAX, "HOST");
}

/* The line for the caller's machines file. The caller has just checked this machine's key; we cannot know here which of
 * several sshd has shown, and a wrong one would do harm: `info` says none, and `machines` the usual one. */
static void print_machine(const struct visit *v, bool with_host_key)
{
	const struct sshd_settings usual = { .text = NULL };
	struct nix_settings offered;
	char host[HOST_MAX], why[SENTENCE_MAX];
	struct machine m = { .key = v->key->name, .grant = v->key->grant, .offered = &offered,
			     .user = v->builder.account.name, .host = host };

	find_host(host);
	(void)!nix_settings_read(NIX_CONF_PATH, &offered, why);         /* else Nix's defaults */
	if (with_host_key)
		(void)host_key_find(&usual, m.host_key);
	machine_print_line(stdout, &m);
	nix_settings_free(&offered);
}

int info_print_machine(struct visit *v)
{
	print_machine(v, true);
	return fflush(stdout) == 0 ? EXIT_FINE : EXIT_REFUSED;
}

/* What a session gets is found out by getting it. Last of all: nothing can be opened or started any more. */
static bool print_sandbox(struct visit *v)
{
	char why[SENTENCE_MAX];
	bool well = visit_confine(v, why);

	print_line("sandbox", well ? visit_sandbox(v) : why);
	return well;
}

int info_print(struct visit *v)
{
	bool daemon, nix, sandbox;

	print_line("nix-gateway", VERSION);
	print_identity(v);
	print_grant(v->key->grant);
	daemon = print_daemon(v);
	nix = print_nix(v);
	printf("%-13s", "machines");
	print_machine(v, false);
	sandbox = print_sandbox(v);
	return fflush(stdout) == 0 && daemon && nix && sandbox ? EXIT_FINE : EXIT_REFUSED;
}
