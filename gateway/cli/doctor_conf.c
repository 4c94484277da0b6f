/* What nix.conf says of builds: what keeps them apart from the builder and from each other. */
#include <string.h>

#include "gateway/cli/doctor.h"
#include "gateway/cli/host.h"

static void judge_file(const struct doctor *d, struct finding *f)
{
	if (d->conf_fault[0] != '\0') {
		finding_fail(f, "%s", d->conf_fault);
		finding_mend(f, "mend the line: no session starts while Nix cannot read it");
	} else if (d->conf.partial) {
		finding_warn(f, "a file of nix.conf cannot be read by the account: what it sets is not seen here, and not by "
				"the gateway");
		finding_mend(f, "keep only secrets in it, and limits and systems in a file that all may read");
	} else {
		finding_ok(f, "nix.conf is read whole");
	}
}

static void judge_sandbox(const struct doctor *d, struct finding *f)
{
	const char *value = nix_setting_value(&d->conf, NIX_SANDBOX);
	bool on = nix_setting_is_true(&d->conf, NIX_SANDBOX);

	if (on) {
		finding_ok(f, "builds run in Nix's sandbox");
	} else if (strcmp(host_nix_sandbox, "false") == 0) {
		finding_warn(f, "builds run without a sandbox, which is Nix's default on macOS: they see this machine as its "
				"build users do");
		finding_mend(f, "say 'sandbox = true' in nix.conf, where what is built here allows it");
	} else if (strcmp(value, "relaxed") == 0) {
		finding_warn(f, "sandbox = relaxed: a derivation may ask to run outside of it; the gateway refuses that to keys "
				"without 'relaxations = no-chroot'");
		finding_mend(f, "say 'sandbox = true' in nix.conf");
	} else {
		finding_fail(f, "sandbox = %s: builds of strangers run on this machine with nothing around them", value);
		finding_mend(f, "say 'sandbox = true' in nix.conf and restart the daemon");
	}
}

static void judge_fallback(const struct doctor *d, struct finding *f)
{
	if (nix_setting_is_true(&d->conf, NIX_SANDBOX_FALLBACK)) {
		finding_warn(f, "where the kernel refuses a sandbox, builds silently run without one%s",
			     d->conf.stated[NIX_SANDBOX_FALLBACK] ? "" : ": Nix's default");
		finding_mend(f, "say 'sandbox-fallback = false' in nix.conf");
	} else {
		finding_ok(f, "no sandbox, no build");
	}
}

static void judge_signatures(const struct doctor *d, struct finding *f)
{
	if (nix_setting_is_true(&d->conf, NIX_REQUIRE_SIGS)) {
		finding_ok(f, "the daemon checks signatures");
	} else {
		finding_fail(f, "require-sigs = %s: the daemon takes any signature for a good one",
			     nix_setting_value(&d->conf, NIX_REQUIRE_SIGS));
		finding_mend(f, "take require-sigs out of nix.conf and restart the daemon");
	}
}

static void judge_build_users(const struct doctor *d, struct finding *f)
{
	if (nix_setting_value(&d->conf, NIX_BUILD_USERS_GROUP)[0] == '\0') {
		finding_fail(f, "build-users-group is empty: builds run as the daemon itself");
		finding_mend(f, "say 'build-users-group = nixbld' in nix.conf, and give that group members");
	} else {
		finding_ok(f, "builds run as members of %s", nix_setting_value(&d->conf, NIX_BUILD_USERS_GROUP));
	}
	if (nix_setting_is_true(&d->conf, NIX_ALLOW_NEW_PRIVILEGES)) {
		finding_fail(f, "allow-new-privileges is on: setuid programs work in builds");
		finding_mend(f, "take allow-new-privileges out of nix.conf");
	}
}

static void judge_substituters(const struct doctor *d, struct finding *f)
{
	const char *value = nix_setting_value(&d->conf, NIX_SUBSTITUTERS);

	if (!nix_setting_is_true(&d->conf, NIX_SUBSTITUTE) || value[0] == '\0') {
		finding_warn(f, "there are none: all that comes unsigned is built here again, down to the compiler");
		finding_mend(f, "say 'substituters = https://cache.nixos.org/' in nix.conf, or the cache your clients use");
	} else if (strstr(value, "trusted=1") != NULL || strstr(value, "trusted=true") != NULL) {
		finding_warn(f, "what one of them serves is believed without a signature: %s", value);
		finding_mend(f, "take 'trusted=1' off its address, and put its key into trusted-public-keys");
	} else {
		finding_ok(f, "%s", value);
	}
}

static void judge_hook(const struct doctor *d, struct finding *f)
{
	const char *value = nix_setting_value(&d->conf, NIX_POST_BUILD_HOOK);

	if (value[0] == '\0') {
		finding_ok(f, "nothing runs behind builds");
	} else {
		finding_warn(f, "%s runs as root behind each build, whoever asked for it", value);
		finding_mend(f, "see that it signs or publishes nothing that a stranger's build has made");
	}
}

const struct check checks_of_conf[] = {
	{ "nix-conf", judge_file, FOR_ACCOUNT | FOR_ROOT, false },
	{ "sandbox", judge_sandbox, FOR_ACCOUNT | FOR_ROOT, false },
	{ "sandbox-fallback", judge_fallback, FOR_ACCOUNT | FOR_ROOT, false },
	{ "signatures", judge_signatures, FOR_ACCOUNT | FOR_ROOT, false },
	{ "build-users", judge_build_users, FOR_ACCOUNT | FOR_ROOT, false },
	{ "substituters", judge_substituters, FOR_ACCOUNT | FOR_ROOT, false },
	{ "post-build-hook", judge_hook, FOR_ACCOUNT | FOR_ROOT, false },
	{ .name = NULL },
};
