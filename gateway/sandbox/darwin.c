/* macOS: seatbelt, which Nix itself builds under. A profile says which operations are left; what an open descriptor can
 * do by itself (read, write, wait) is not among them and goes on. <sandbox.h> calls this deprecated and is part of
 * Apple's SDK alone, hence the declarations. */
#include "gateway/sandbox/sandbox.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "gateway/base/log.h"

int sandbox_init(const char *profile, uint64_t flags, char **error);
void sandbox_free_error(char *error);

enum {
	PROFILE_MAX = 1024,
	FILES_MAX = 8           /* no more descriptors than are held */
};

/* Denied by the first rule, and so not to be found below: every file by its path, in any way; every socket (connect,
 * bind), so that no second, unfiltered connection to the daemon can be had; fork and exec; mach ports and services;
 * shared memory; other processes. Two newer operations concern descriptors alone, and releases that do not know them
 * would refuse the whole profile for their names. */
static const char rules[] =
	"(version 1)"
	"(deny default)"
	"(allow sysctl-read)"
	"(allow signal (target self))"
	"(if (defined? 'system-fcntl) (allow system-fcntl))"
	"(if (defined? 'file-lock) (allow file-lock))";

/* With a child there is one more thing to do: to end it. The narrowest rule that this release knows; behind the widest
 * there is still kill(2)'s own, which leaves processes of the account alone. */
static const char *const child_rules[] = { "(allow signal (target children))", "(allow signal)" };

/* A limit that was lower already stays. */
static bool set_limit(int resource, rlim_t most)
{
	struct rlimit now;

	if (getrlimit(resource, &now) != 0)
		return false;
	if (now.rlim_max < most)
		most = now.rlim_max;
	now = (struct rlimit){ .rlim_cur = most, .rlim_max = most };
	return setrlimit(resource, &now) == 0;
}

/* Seatbelt's own words go to `why`; a profile that it does not understand has changed nothing. */
static bool take_operations(const char *more, char *why)
{
	char profile[PROFILE_MAX];
	char *error = NULL;

	snprintf(profile, sizeof profile, "%s%s", rules, more);
	if (sandbox_init(profile, 0, &error) == 0)
		return true;
	log_sentence(why, "the process cannot be confined: seatbelt: %s", error != NULL ? error : "no reason given");
	if (error != NULL)
		sandbox_free_error(error);
	return false;
}

enum err sandbox_enter(const struct sandbox_plan *plan, unsigned *held, char *why)
{
	bool taken = false;

	*held = 0;
	if (!set_limit(RLIMIT_CORE, 0) || !set_limit(RLIMIT_NPROC, 0) || !set_limit(RLIMIT_NOFILE, FILES_MAX)) {
		log_sentence(why, "the process cannot be confined: %s", strerror(errno));
		return ERR_IO;
	}
	if (plan->child <= 0)
		taken = take_operations("", why);
	for (size_t i = 0; plan->child > 0 && !taken && i < sizeof child_rules / sizeof *child_rules; i++)
		taken = take_operations(child_rules[i], why);
	if (!taken)
		return ERR_IO;
	*held = SANDBOX_CALLS;          /* files are among the operations */
	return ERR_NONE;
}

const char *sandbox_name(unsigned held)
{
	return (held & SANDBOX_CALLS) != 0 ? "seatbelt" : "none";
}
