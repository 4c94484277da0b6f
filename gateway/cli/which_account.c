#include "gateway/cli/which_account.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/host.h"

static bool take(const struct passwd *entry, struct which *out)
{
	int n = snprintf(out->name, sizeof out->name, "%s", entry->pw_name);

	out->uid = entry->pw_uid;
	out->gid = entry->pw_gid;
	return n > 0 && (size_t)n < sizeof out->name;
}

static bool has_shell(const struct passwd *entry, const char *program)
{
	char real[PATH_MAX];

	return program[0] != '\0' && entry->pw_shell != NULL && realpath(entry->pw_shell, real) != NULL &&
	       strcmp(real, program) == 0;
}

static unsigned count_by_shell(const char *program, struct which *out)
{
	const struct passwd *entry;
	unsigned found = 0;

	setpwent();
	while ((entry = getpwent()) != NULL)
		if (entry->pw_uid != 0 && has_shell(entry, program) && found++ == 0 && !take(entry, out))
			found--;
	endpwent();
	return found;
}

bool which_account(const char *named, const char *program, struct which *out, char *why)
{
	const struct passwd *entry = NULL;
	unsigned found;

	if (named != NULL)
		entry = getpwnam(named);
	else if (geteuid() != 0)
		entry = getpwuid(geteuid());
	if (entry != NULL && entry->pw_uid == 0) {
		log_sentence(why, "'%s' is the superuser; name the builder's account: --account NAME", entry->pw_name);
		return false;
	}
	if (entry != NULL && take(entry, out))
		return true;
	if (named != NULL || geteuid() != 0) {
		log_sentence(why, "there is no account '%s' here", named == NULL ? "of ours" : named);
		return false;
	}
	found = count_by_shell(program, out);
	if (found == 1)
		return true;
	log_sentence(why, "%s account has nix-gateway as its login shell; name the builder's: --account NAME",
		     found == 0 ? "no" : "more than one");
	return false;
}

bool which_become(const struct which *which, char *why)
{
	if (geteuid() == which->uid && getuid() == which->uid)
		return true;
	if (geteuid() != 0) {
		log_sentence(why, "only root and %s itself can ask for %s", which->name, which->name);
		return false;
	}
	if (!host_take_groups(which->name, which->gid) || setgid(which->gid) != 0 || setuid(which->uid) != 0) {
		log_sentence(why, "the rights of %s cannot be taken: %s", which->name, strerror(errno));
		return false;
	}
	if (geteuid() == which->uid && getuid() == which->uid && setuid(0) != 0)
		return true;
	log_sentence(why, "the rights of root cannot be left");
	return false;
}
