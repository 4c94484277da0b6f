#include "gateway/cli/machines.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The builder's own system in Nix's words, e.g. "aarch64-darwin". */
static void print_own_system(FILE *to)
{
	struct utsname name;
	const char *machine, *kernel;

	if (uname(&name) != 0) {
		fputs("-", to);
		return;
	}
	machine = strcmp(name.machine, "arm64") == 0 ? "aarch64" : name.machine;
	kernel = strcmp(name.sysname, "Darwin") == 0 ? "darwin" : "linux";
	fprintf(to, "%s-%s", machine, kernel);
}

static void print_words(FILE *to, const struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		fprintf(to, "%s%s", i > 0 ? "," : "", list->items[i]);
	if (list->count == 0)
		fputs("-", to);
}

/* What Nix offers by itself where nix.conf does not say (system-features). */
static void print_usual_features(FILE *to)
{
	fputs("nixos-test,benchmark,big-parallel", to);
	if (access("/dev/kvm", R_OK | W_OK) == 0)
		fputs(",kvm", to);
}

void machines_line(FILE *to, const struct grant *grant, const char *user, const char *host)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	const char *scheme = (grant->protocols & PROTOCOL_SSH_NG) != 0 ? "ssh-ng" : "ssh";

	fprintf(to, "%s://%s@%s ", scheme, user, host);
	if (grant->systems.any)
		print_own_system(to);
	else
		print_words(to, &grant->systems);
	fprintf(to, " - %ld 1 ", processors > 0 ? processors : 1);
	if (grant->features.any)
		print_usual_features(to);
	else
		print_words(to, &grant->features);
	fputc(' ', to);
	print_words(to, &grant->mandatory_features);
	fputc('\n', to);
}
