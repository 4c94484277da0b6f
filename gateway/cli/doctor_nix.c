/* Is there a Nix, is it one of these days, does its daemon answer, and what does it think of the account? */
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/doctor.h"
#include "gateway/session/greet.h"

enum { SLOW_MS = 2000 };

static void judge_found(const struct doctor *d, struct finding *f)
{
	if (!d->nix.found) {
		finding_fail(f, "%s", d->nix.why);
		finding_mend(f, "install Nix, or name its folder: '[gateway] nix = FOLDER'");
	} else if (!d->nix.answers) {
		finding_fail(f, "%s", d->nix.why);
		finding_mend(f, "run it by hand as the account, and mend what it says");
	} else {
		finding_ok(f, "%s %s in %s", d->nix.version.lix ? "Lix" : "Nix", d->nix.version.number,
			   d->builder->nix.folder);
	}
}

/* The first release of each line without the flaws that let a user of the daemon become root, as the projects have named
 * them (CVE-2026-44028 and before). Newest first; a line that is not listed is older or newer than all. */
struct floor {
	unsigned major, minor, patch;
};

static const struct floor nix_floors[] = { { 2, 34, 7 }, { 2, 33, 6 }, { 2, 32, 8 }, { 2, 31, 5 },
					   { 2, 30, 5 }, { 2, 29, 4 }, { 2, 28, 7 }, { 0, 0, 0 } };
static const struct floor lix_floors[] = { { 2, 95, 2 }, { 2, 94, 2 }, { 2, 93, 4 }, { 0, 0, 0 } };

/* One number of a version; a dot behind it is taken too. What follows ("pre2025") is read over. */
static unsigned read_number(const char **at)
{
	unsigned long n = strtoul(*at, NULL, 10);

	*at += strspn(*at, "0123456789");
	if (**at == '.')
		(*at)++;
	return n > 9999 ? 9999 : (unsigned)n;
}

static struct floor version_numbers(const char *text)
{
	struct floor v;

	v.major = read_number(&text);
	v.minor = read_number(&text);
	v.patch = read_number(&text);
	return v;
}

/* The floor of the version's own line, or of the newest line below which it is; NULL: it is as new. */
static const struct floor *floor_missed(const struct floor *floors, const struct floor *v)
{
	if (v->major > floors->major || (v->major == floors->major && v->minor > floors->minor))
		return NULL;
	for (const struct floor *line = floors; line->major > 0; line++)
		if (v->major == line->major && v->minor == line->minor)
			return v->patch < line->patch ? line : NULL;
	return floors;
}

/* The daemon's own word where it gives one: the program beside us may be another. Lix is known by the program alone. */
static void judge_release(const struct doctor *d, struct finding *f)
{
	const char *text = d->daemon.answers && d->daemon.version[0] != '\0' ? d->daemon.version : d->nix.version.number;
	bool lix = d->nix.version.lix || strstr(text, "lix") != NULL;
	struct floor version = version_numbers(text);
	const struct floor *missed = floor_missed(lix ? lix_floors : nix_floors, &version);

	if (text[0] == '\0' || version.major == 0) {
		finding_warn(f, "the daemon's version is not known, so neither is whether its known flaws are mended");
		finding_mend(f, "ask '%s --version' as root", d->nix.found ? d->builder->nix.daemon : "nix-daemon");
	} else if (missed != NULL) {
		finding_warn(f, "%s %s is older than %u.%u.%u, the first without the known flaws as released by its "
				"project; distributions back-port", lix ? "Lix" : "Nix", text, missed->major, missed->minor,
			     missed->patch);
		finding_mend(f, "ask the distribution whether CVE-2026-44028 is mended in it, or take a newer one");
	} else {
		finding_ok(f, "%s %s has the mends that its project has published", lix ? "Lix" : "Nix", text);
	}
}

static void judge_daemon(const struct doctor *d, struct finding *f)
{
	if (!d->daemon.answers) {
		finding_fail(f, "%s", d->daemon.why);
		if (strstr(d->daemon.why, "closed the connection") != NULL)
			finding_mend(f, "put the account into allowed-users of nix.conf and restart the daemon");
		else
			finding_mend(f, "start it (systemctl start nix-daemon.socket), or say '[gateway] daemon = PATH'");
	} else if (d->daemon.took_ms > SLOW_MS) {
		finding_warn(f, "%s answers after %lld ms only", d->daemon.where, (long long)d->daemon.took_ms);
		finding_mend(f, "see what the machine is busy with: clients give up on builders that are slow");
	} else {
		finding_ok(f, "%s answers within %lld ms", d->daemon.where, (long long)d->daemon.took_ms);
	}
}

/* The first key of the policy that wants the account trusted; NULL: none does. */
static const struct key *key_that_wants_trust(const struct policy *p)
{
	for (size_t i = 0; i < p->key_count; i++)
		if (p->keys[i].grant->relay == RELAY_FILTER && p->keys[i].grant->trust == TRUST_FULL)
			return &p->keys[i];
	return NULL;
}

static bool key_uses_exec(const struct policy *p)
{
	for (size_t i = 0; i < p->key_count; i++)
		if (p->keys[i].grant->relay == RELAY_EXEC)
			return true;
	return false;
}

static void judge_trusted(const struct doctor *d, struct finding *f)
{
	const struct policy *p = d->builder->policy;
	const struct key *wants = key_that_wants_trust(p);
	const char *name = d->builder->account.name;

	if (p->gateway.account == ACCOUNT_UNTRUSTED) {
		finding_fail(f, "the daemon trusts the account, and the policy wants it untrusted: no session starts");
		finding_mend(f, "take %s, and its groups, out of trusted-users in nix.conf and restart the daemon", name);
	} else if (key_uses_exec(p)) {
		finding_fail(f, "the daemon trusts the account, and a key with 'relay = exec' can do what root can");
		finding_mend(f, "take %s out of trusted-users in nix.conf, or give the key 'relay = filter'", name);
	} else if (wants == NULL && p->gateway.account != ACCOUNT_TRUSTED) {
		finding_warn(f, "the daemon trusts the account, and no key of the policy needs it");
		finding_mend(f, "take %s out of trusted-users in nix.conf, restart the daemon, and say '[gateway] account = "
				"untrusted'", name);
	} else {
		finding_ok(f, "trusted, as %s%s%s", wants == NULL ? "the policy" : "[key ",
			   wants == NULL ? "" : wants->name, wants == NULL ? " says" : "] with 'trust = full' needs it");
	}
}

static void judge_untrusted(const struct doctor *d, struct finding *f)
{
	const struct policy *p = d->builder->policy;
	const struct key *wants = key_that_wants_trust(p);
	const char *name = d->builder->account.name;

	if (p->gateway.account == ACCOUNT_TRUSTED) {
		finding_fail(f, "the daemon does not trust the account, and the policy wants it trusted: no session starts");
		finding_mend(f, "put %s into trusted-users in nix.conf, or say '[gateway] account = any'", name);
	} else if (wants != NULL) {
		finding_warn(f, "the daemon does not trust the account, so 'trust = full' of [key %s] comes to nothing",
			     wants->name);
		finding_mend(f, "put %s into trusted-users in nix.conf, or lower that key's trust", name);
	} else {
		finding_ok(f, "untrusted, as it should be");
	}
}

static void judge_account(const struct doctor *d, struct finding *f)
{
	if (!d->daemon.answers)
		finding_warn(f, "what the daemon thinks of the account is not known: it does not answer");
	else if (d->daemon.trust == HELLO_TRUST_TRUSTED)
		judge_trusted(d, f);
	else if (d->daemon.trust == HELLO_TRUST_NOT_TRUSTED)
		judge_untrusted(d, f);
	else
		finding_warn(f, "the daemon does not say what it thinks of the account");
}

const struct check checks_of_nix[] = {
	{ "nix", judge_found, FOR_OWNER | FOR_ACCOUNT | FOR_ROOT, true },
	{ "release", judge_release, FOR_ACCOUNT | FOR_ROOT, true },
	{ "daemon", judge_daemon, FOR_OWNER | FOR_ACCOUNT | FOR_ROOT, true },
	{ "account", judge_account, FOR_ACCOUNT | FOR_ROOT, true },
	{ .name = NULL },
};
