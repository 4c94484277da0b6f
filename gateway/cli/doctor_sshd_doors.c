/* Does sshd offer anything besides the gateway: other ways in, other things to run, variables of the client's? */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cli/doctor_way.h"

/* Clients reach what the account reaches: also the daemon's socket, with the account's rights and past the gateway. */
static void judge_forwarding(const struct doctor *d, struct finding *f)
{
	static const char *const doors[] = { "allowstreamlocalforwarding", "allowtcpforwarding", "allowagentforwarding",
					     "x11forwarding" };

	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
		struct text value = sshd_value(&d->sshd, doors[i]);

		if (value.bytes == NULL || text_is(value, "no") || sshd_says(&d->sshd, "disableforwarding", "yes") ||
		    way_is_restricted(d))
			continue;
		finding_fail(f, "%s is '%.*s': a client gets past the gateway to what the account reaches, the daemon's socket "
				"too", doors[i], (int)value.len, value.bytes);
		finding_mend(f, "DisableForwarding yes " IN_MATCH);
		return;
	}
	finding_ok(f, "no ports, sockets or agents are passed on");
}

static void judge_tunnel(const struct doctor *d, struct finding *f)
{
	struct text value = sshd_value(&d->sshd, "permittunnel");

	if (value.bytes == NULL || text_is(value, "no")) {
		finding_ok(f, "no tunnels");
	} else {
		finding_fail(f, "PermitTunnel is '%.*s'", (int)value.len, value.bytes);
		finding_mend(f, "PermitTunnel no " IN_MATCH);
	}
}

static void judge_terminal(const struct doctor *d, struct finding *f)
{
	if (sshd_says(&d->sshd, "permittty", "no") || way_is_restricted(d)) {
		finding_ok(f, "no terminals");
	} else {
		finding_warn(f, "a client may have a terminal, which is of no use here: the gateway refuses it for the protocols");
		finding_mend(f, "PermitTTY no " IN_MATCH);
	}
}

static void judge_user_rc(const struct doctor *d, struct finding *f)
{
	if (sshd_says(&d->sshd, "permituserrc", "no") || way_is_restricted(d)) {
		finding_ok(f, "sshd runs no file of the account's");
	} else if (d->home.path[0] == '\0') {
		finding_warn(f, "sshd would run ~/.ssh/rc before the gateway, if there were one");
		finding_mend(f, "PermitUserRC no " IN_MATCH);
	} else {
		finding_fail(f, "sshd runs ~/.ssh/rc before the gateway, and the account could write one");
		finding_mend(f, "PermitUserRC no " IN_MATCH);
	}
}

static void judge_user_environment(const struct doctor *d, struct finding *f)
{
	struct text value = sshd_value(&d->sshd, "permituserenvironment");

	if (value.bytes == NULL || text_is(value, "no")) {
		finding_ok(f, "no variables from ~/.ssh/environment");
	} else {
		finding_fail(f, "PermitUserEnvironment is '%.*s': variables from a file reach the login shell and the loader",
			     (int)value.len, value.bytes);
		finding_mend(f, "PermitUserEnvironment no (it stands outside of Match blocks)");
	}
}

/* What a client must never set for the shell, the dynamic loader or sshd's word about keys. */
static const char *const dangerous[] = { "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "BASH_ENV",
					 "ENV", "ZDOTDIR", "GCONV_PATH", "LOCPATH", "PATH", "HOME", "SHELLOPTS",
					 "SSH_USER_AUTH", "SSH_ORIGINAL_COMMAND", "NIX_CONFIG", "NIX_REMOTE" };

/* The first of them that a pattern lets through; NULL: none. */
static const char *danger_in(const char *pattern)
{
	for (size_t i = 0; i < sizeof dangerous / sizeof *dangerous; i++)
		if (fnmatch(pattern, dangerous[i], 0) == 0)
			return dangerous[i];
	return NULL;
}

static bool is_harmless(struct text pattern)
{
	return text_is(pattern, "LANG") || text_starts(pattern, "LC_") || text_is(pattern, "none");
}

static void judge_variables(const struct doctor *d, struct finding *f)
{
	struct text line, word;

	finding_ok(f, "none of the client's variables but LANG and LC_*");
	for (unsigned i = 0; (line = sshd_value_nth(&d->sshd, "acceptenv", i)).bytes != NULL; i++) {
		while (text_word(&line, &word)) {
			char pattern[128];
			const char *danger;

			if (is_harmless(word) || word.len >= sizeof pattern)
				continue;
			memcpy(pattern, word.bytes, word.len);
			pattern[word.len] = '\0';
			danger = danger_in(pattern);
			if (danger != NULL)
				finding_fail(f, "AcceptEnv %s lets a client set %s for what runs before the gateway", pattern, danger);
			else
				finding_warn(f, "AcceptEnv %s lets a client set variables; the gateway passes none on", pattern);
			finding_mend(f, "AcceptEnv none " IN_MATCH ", or take the pattern out of the lines above it");
		}
	}
}

/* Does each of the lists, one of which is enough, begin with a key? */
static bool keys_are_asked_for(const struct doctor *d)
{
	struct text methods = sshd_value(&d->sshd, "authenticationmethods"), list;
	bool always = methods.bytes != NULL;

	while (always && text_word(&methods, &list))
		always = text_starts(list, "publickey");
	return always;
}

static void judge_authentication(const struct doctor *d, struct finding *f)
{
	static const struct {
		const char *setting, *shown;
	} others[] = {
		{ "passwordauthentication", "a password" }, { "kbdinteractiveauthentication", "a password" },
		{ "hostbasedauthentication", "the word of another host" }, { "gssapiauthentication", "a ticket of Kerberos" },
	};

	finding_ok(f, "by public key");
	for (size_t i = 0; !keys_are_asked_for(d) && i < sizeof others / sizeof *others; i++) {
		if (!sshd_says(&d->sshd, others[i].setting, "yes"))
			continue;
		finding_warn(f, "%s would do as well, and says nothing of a key", others[i].shown);
		finding_mend(f, "AuthenticationMethods publickey " IN_MATCH);
	}
	if (sshd_says(&d->sshd, "permitemptypasswords", "yes")) {
		finding_fail(f, "PermitEmptyPasswords is 'yes'");
		finding_mend(f, "PermitEmptyPasswords no");
	}
	if (sshd_says(&d->sshd, "pubkeyauthentication", "no")) {
		finding_fail(f, "PubkeyAuthentication is 'no': nobody can log in by key");
		finding_mend(f, "PubkeyAuthentication yes");
	}
}

enum { SESSIONS_MAX = 10, STARTUPS_MIN = 10 };

static void judge_sessions(const struct doctor *d, struct finding *f)
{
	long sessions = sshd_number(&d->sshd, "maxsessions");
	struct text startups = sshd_value(&d->sshd, "maxstartups");
	long start = startups.len == 0 ? -1 : strtol(startups.bytes, NULL, 10);

	finding_ok(f, "%ld sessions a connection; connections are dropped from %ld that have not logged in", sessions, start);
	if (sessions == 0) {
		finding_fail(f, "MaxSessions is 0: no session starts");
		finding_mend(f, "MaxSessions 4 " IN_MATCH);
	} else if (sessions > SESSIONS_MAX) {
		finding_warn(f, "MaxSessions is %ld: one connection may hold as many processes", sessions);
		finding_mend(f, "MaxSessions 4 " IN_MATCH);
	}
	if (start >= 0 && start < STARTUPS_MIN) {
		finding_warn(f, "MaxStartups begins with %ld: clients that come all at once are dropped before they log in", start);
		finding_mend(f, "MaxStartups 100:30:200 (it stands outside of Match blocks)");
	}
}

static void judge_alive(const struct doctor *d, struct finding *f)
{
	if (sshd_number(&d->sshd, "clientaliveinterval") > 0) {
		finding_ok(f, "clients whose machine has died are let go");
	} else {
		finding_warn(f, "a client whose machine has died keeps its session for hours");
		finding_mend(f, "ClientAliveInterval 30 and ClientAliveCountMax 4 " IN_MATCH);
	}
}

const struct check checks_of_sshd_doors[] = {
	{ "sshd-authentication", judge_authentication, FOR_ROOT, false },
	{ "sshd-forwarding", judge_forwarding, FOR_ROOT, false },
	{ "sshd-tunnel", judge_tunnel, FOR_ROOT, false },
	{ "sshd-terminal", judge_terminal, FOR_ROOT, false },
	{ "sshd-user-rc", judge_user_rc, FOR_ROOT, false },
	{ "sshd-variables", judge_variables, FOR_ROOT, false },
	{ "sshd-user-environment", judge_user_environment, FOR_ROOT, false },
	{ "sshd-sessions", judge_sessions, FOR_ROOT, false },
	{ "sshd-alive", judge_alive, FOR_ROOT, false },
	{ .name = NULL },
};
