#include "gateway/cli/machines.h"

#include <string.h>
#include <unistd.h>

#include <sodium.h>

enum { HOST_MAX = 255, BASE64_MAX = HOST_KEY_MAX * 4 / 3 + 8 };

bool machine_host_is_fine(const char *host)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";
	const char *colon = strchr(host, ':');

	return host[0] != '\0' && host[0] != '-' && strlen(host) <= HOST_MAX && host[strspn(host, plain)] == '\0' &&
	       (colon == NULL || strchr(colon + 1, ':') != NULL);       /* one colon alone would be a port */
}

/* --- what the formats have in common --- */

static const char *protocol_of(const struct machine *m)
{
	return (m->grant->protocols & PROTOCOL_SSH_NG) != 0 ? "ssh-ng" : "ssh";
}

/* An address of IPv6 in a URI stands in brackets. */
static bool needs_brackets(const struct machine *m)
{
	return strchr(m->host, ':') != NULL;
}

static void print_host(FILE *to, const struct machine *m)
{
	fprintf(to, needs_brackets(m) ? "[%s]" : "%s", m->host);
}

/* One build for each processor, within the grant. */
static unsigned long long jobs_of(const struct machine *m)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned long long jobs = processors > 0 ? (unsigned long long)processors : 1;
	const struct limit *most = &m->grant->max_builds;

	return most->set && most->value > 0 && most->value < jobs ? most->value : jobs;
}

/* "" where there is no key. */
static const char *host_key_base64(const struct machine *m, char text[BASE64_MAX])
{
	text[0] = '\0';
	if (m->host_key[0] != '\0')
		sodium_bin2base64(text, BASE64_MAX, (const unsigned char *)m->host_key, strlen(m->host_key),
				  sodium_base64_VARIANT_ORIGINAL);
	return text;
}

/* Calls `print` for each word: of the grant, or where that says any, of nix.conf's settings a and b. */
typedef void print_word_fn(FILE *to, struct text word, bool first);

static bool each_word(FILE *to, const struct machine *m, const struct text_list *list, enum nix_setting a,
		      enum nix_setting b, print_word_fn *print)
{
	const enum nix_setting settings[] = { a, b };
	bool first = true;
	struct text word;

	for (size_t i = 0; i < list->count; i++, first = false)
		print(to, text_of(list->items[i]), first);
	for (size_t i = 0; list->any && i < (a == b ? 1 : 2); i++) {
		struct text rest = text_of(nix_setting_value(m->offered, settings[i]));

		for (; text_word(&rest, &word); first = false)
			print(to, word, first);
	}
	return !first;
}

static bool each_system(FILE *to, const struct machine *m, print_word_fn *print)
{
	return each_word(to, m, &m->grant->systems, NIX_SYSTEM, NIX_EXTRA_PLATFORMS, print);
}

static bool each_feature(FILE *to, const struct machine *m, print_word_fn *print)
{
	return each_word(to, m, &m->grant->features, NIX_SYSTEM_FEATURES, NIX_SYSTEM_FEATURES, print);
}

/* What a derivation must ask for cannot be "whatever is offered". */
static bool each_mandatory(FILE *to, const struct machine *m, print_word_fn *print)
{
	const struct text_list list = { .items = m->grant->mandatory_features.items,
					.count = m->grant->mandatory_features.count };

	return each_word(to, m, &list, NIX_SYSTEM_FEATURES, NIX_SYSTEM_FEATURES, print);
}

/* --- a line of a machines file --- */

static void print_comma_word(FILE *to, struct text word, bool first)
{
	fprintf(to, "%s%.*s", first ? "" : ",", (int)word.len, word.bytes);
}

void machine_print_line(FILE *to, const struct machine *m)
{
	char base64[BASE64_MAX];

	fprintf(to, "%s://%s@", protocol_of(m), m->user);
	print_host(to, m);
	fputc(' ', to);
	if (!each_system(to, m, print_comma_word))
		fputc('-', to);
	fprintf(to, " - %llu 1 ", jobs_of(m));
	if (!each_feature(to, m, print_comma_word))
		fputc('-', to);
	fputc(' ', to);
	if (!each_mandatory(to, m, print_comma_word))
		fputc('-', to);
	if (m->host_key[0] != '\0')
		fprintf(to, " %s", host_key_base64(m, base64));
	fputc('\n', to);
}

/* --- Nix --- */

/* A string of the Nix language. */
static void print_string(FILE *to, struct text t)
{
	fputc('"', to);
	for (size_t i = 0; i < t.len; i++) {
		if (strchr("\"\\$", t.bytes[i]) != NULL)
			fputc('\\', to);
		fputc(t.bytes[i], to);
	}
	fputc('"', to);
}

static void print_list_word(FILE *to, struct text word, bool first)
{
	(void)first;
	print_string(to, word);
	fputc(' ', to);
}

static void print_set(FILE *to, int indent, const char *name, const char *value)
{
	fprintf(to, "%*s%s = ", indent, "", name);
	print_string(to, text_of(value));
	fputs(";\n", to);
}

static void print_list(FILE *to, const struct machine *m, const char *name,
		       bool (*each)(FILE *, const struct machine *, print_word_fn *))
{
	fprintf(to, "      %s = [ ", name);
	(void)each(to, m, print_list_word);
	fputs("];\n", to);
}

/* NixOS and home-manager have the same options; both write them into a machines file. */
static void print_build_machines(FILE *to, const struct machine *m)
{
	char base64[BASE64_MAX], host[HOST_MAX + 3];

	snprintf(host, sizeof host, needs_brackets(m) ? "[%s]" : "%s", m->host);
	fputs("  nix.distributedBuilds = true;\n"
	      "  nix.buildMachines = [\n"
	      "    {\n", to);
	print_set(to, 6, "hostName", host);
	print_set(to, 6, "protocol", protocol_of(m));
	print_set(to, 6, "sshUser", m->user);
	fprintf(to, "      # sshKey = \"/root/.ssh/id_ed25519\";  # the private half of the key '%s'\n", m->key);
	print_list(to, m, "systems", each_system);
	fprintf(to, "      maxJobs = %llu;\n      speedFactor = 1;\n", jobs_of(m));
	print_list(to, m, "supportedFeatures", each_feature);
	print_list(to, m, "mandatoryFeatures", each_mandatory);
	if (m->host_key[0] != '\0')
		print_set(to, 6, "publicHostKey", host_key_base64(m, base64));
	fputs("    }\n"
	      "  ];\n", to);
}

static void print_nixos(FILE *to, const struct machine *m)
{
	fputs("{\n", to);
	print_build_machines(to, m);
	fputs("}\n", to);
}

static void print_home_manager(FILE *to, const struct machine *m)
{
	fputs("{\n", to);
	print_build_machines(to, m);
	fputs("  programs.ssh.enable = true;\n  programs.ssh.matchBlocks.", to);
	print_string(to, text_of(m->host));
	fputs(" = {\n", to);
	print_set(to, 4, "user", m->user);
	fputs("    identitiesOnly = true;\n"
	      "    # identityFile = \"~/.ssh/id_ed25519\";\n"
	      "    serverAliveInterval = 30;\n"
	      "    extraOptions.RequestTTY = \"no\";\n"
	      "  };\n"
	      "}\n", to);
}

/* --- ssh_config --- */

static void print_ssh_config(FILE *to, const struct machine *m)
{
	fprintf(to, "Host %s\n\tUser %s\n\tIdentitiesOnly yes\n", m->host, m->user);
	fprintf(to, "\t# IdentityFile ~/.ssh/id_ed25519     the private half of the key '%s'\n", m->key);
	fputs("\tRequestTTY no\n\tForwardAgent no\n\tServerAliveInterval 30\n\tServerAliveCountMax 4\n", to);
	if (m->host_key[0] != '\0')
		fprintf(to, "# for known_hosts:\n# %s %s\n", m->host, m->host_key);
}

static const struct {
	const char *name;
	void (*print)(FILE *to, const struct machine *m);
} formats[] = {
	{ "machines", machine_print_line },
	{ "nixos", print_nixos },
	{ "home-manager", print_home_manager },
	{ "ssh-config", print_ssh_config },
};

bool machine_print(FILE *to, const struct machine *m, const char *format)
{
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		if (strcmp(format, formats[i].name) != 0)
			continue;
		formats[i].print(to, m);
		return true;
	}
	return false;
}
