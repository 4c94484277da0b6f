#include "gateway/cli/info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/machines.h"
#include "gateway/cli/options.h"
#include "gateway/env/nix_version.h"

enum { HOST_MAX = 256 };

/* Foreign bytes (a key id, a reason with a path in it) are escaped here as everywhere. */
static void print_line(const char *name, const char *text)
{
	char safe[SENTENCE_MAX];

	log_escape(safe, sizeof safe, text, strlen(text));
	printf("%-13s%s\n", name, safe);
}

static void print_words(const char *name, const struct text_list *list)
{
	printf("%-13s", name);
	if (list->any)
		fputs("*", stdout);
	for (size_t i = 0; i < list->count; i++)
		printf("%s%s", i > 0 ? " " : "", list->items[i]);
	fputs(list->any || list->count > 0 ? "\n" : "none\n", stdout);
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
	bool ng = (grant->protocols & PROTOCOL_SSH_NG) != 0, old = (grant->protocols & PROTOCOL_SSH) != 0;

	printf("%-13s%s%s%s\n", "protocols", ng ? "ssh-ng" : "", ng && old ? " " : "", old ? "ssh" : "");
	print_words("systems", &grant->systems);
	print_words("features", &grant->features);
	print_line("relay", grant->relay == RELAY_EXEC ? "exec (environment and identity only)" : "filter");
}

static bool print_nix(struct visit *v)
{
	struct builder *b = &v->builder;
	char why[SENTENCE_MAX], version[NIX_VERSION_MAX], line[SENTENCE_MAX];

	if (!builder_find_nix(b, why)) {
		print_line("nix", why);
		return false;
	}
	if (!builder_make_environment(b, why) ||
	    nix_version(b->nix.daemon, b->environment.items, version, why) != ERR_NONE) {
		print_line("nix", why);
		return false;
	}
	snprintf(line, sizeof line, "%s (%s)", version, b->nix.folder);
	print_line("nix", line);
	return true;
}

static bool print_daemon(struct visit *v)
{
	char text[SENTENCE_MAX];
	bool found = builder_find_daemon(&v->builder, text);

	if (found)
		backend_describe(&v->builder.backend, text, sizeof text);
	print_line("daemon", text);
	return found;
}

/* The address at which the client has reached us: the third word of SSH_CONNECTION; else this machine's name. */
static void find_host(char host[HOST_MAX])
{
	const char *connection = getenv("SSH_CONNECTION");
	const char *word = connection;

	for (int i = 0; i < 2 && word != NULL; i++) {
		word = strchr(word, ' ');
		word = word == NULL ? NULL : word + 1;
	}
	if (word != NULL && strcspn(word, " ") > 0) {
		const char *bracket = memchr(word, ':', strcspn(word, " ")) != NULL ? "[]" : "";

		snprintf(host, HOST_MAX, "%.1s%.*s%s", bracket, (int)strcspn(word, " "), word,
			 bracket[0] == '\0' ? "" : bracket + 1);
	} else if (gethostname(host, HOST_MAX) != 0) {
		snprintf(host, HOST_MAX, "HOST");
	}
	host[HOST_MAX - 1] = '\0';
}

int info_print(struct visit *v)
{
	char host[HOST_MAX];
	bool daemon, nix;

	find_host(host);
	print_line("nix-gateway", VERSION);
	print_identity(v);
	print_grant(v->key->grant);
	daemon = print_daemon(v);
	nix = print_nix(v);
	printf("%-13s", "machines");
	machines_line(stdout, v->key->grant, v->builder.account.name, host);
	return fflush(stdout) == 0 && daemon && nix ? EXIT_FINE : EXIT_REFUSED;
}
