/* Does sshd send everybody who logs in to the account to the gateway, and does it say who that is? */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/doctor_way.h"

static void judge_seen(const struct doctor *d, struct finding *f)
{
	if (d->sshd.text != NULL) {
		finding_ok(f, "sshd says what it does for %s", d->builder->account.name);
	} else if (d->audience != FOR_ROOT) {
		finding_warn(f, "this is what the account %s sees by itself; what sshd does for it, only root may ask",
			     d->builder->account.name);
		finding_mend(f, "as root: nix-gateway doctor --account NAME, with the name of the builder's account");
	} else {
		finding_fail(f, "%s", d->sshd_fault);
		finding_mend(f, "mend sshd_config (sshd -t), or install sshd");
	}
}

/* Does one of the lines of a setting name one of the words? Of USER@HOST the first part counts, and must stand alone where
 * the whole is to keep out: from where somebody will come is not known here. */
static bool lists(const struct doctor *d, const char *setting, const char *words, bool keeps_out)
{
	struct text line, pattern;

	for (unsigned i = 0; (line = sshd_value_nth(&d->sshd, setting, i)).bytes != NULL; i++) {
		while (text_word(&line, &pattern)) {
			struct text rest = text_of(words), word;
			const char *at = memchr(pattern.bytes, '@', pattern.len);
			char glob[256], name[256];

			if (pattern.len >= sizeof glob || (at != NULL && keeps_out))
				continue;
			snprintf(glob, sizeof glob, "%.*s", (int)(at == NULL ? pattern.len : (size_t)(at - pattern.bytes)),
				 pattern.bytes);
			while (text_word(&rest, &word)) {
				snprintf(name, sizeof name, "%.*s", (int)(word.len < 255 ? word.len : 255), word.bytes);
				if (fnmatch(glob, name, 0) == 0)
					return true;
			}
		}
	}
	return false;
}

static void judge_login(const struct doctor *d, struct finding *f)
{
	static const struct {
		const char *name, *shown;
		bool groups, keeps_out;
	} lists_of[] = {
		{ "denyusers", "DenyUsers", false, true }, { "allowusers", "AllowUsers", false, false },
		{ "denygroups", "DenyGroups", true, true }, { "allowgroups", "AllowGroups", true, false },
	};
	const char *name = d->builder->account.name;

	if (d->locked && sshd_says(&d->sshd, "usepam", "no")) {
		finding_fail(f, "the account is locked (its password begins with '!'), and sshd does not ask PAM: nobody is let in");
		finding_mend(f, "usermod -p '*' %s, which is no password either; or UsePAM yes", name);
	}
	for (size_t i = 0; i < sizeof lists_of / sizeof *lists_of; i++) {
		if (sshd_value(&d->sshd, lists_of[i].name).bytes == NULL ||
		    lists(d, lists_of[i].name, lists_of[i].groups ? d->groups : name, lists_of[i].keeps_out) !=
			    lists_of[i].keeps_out)
			continue;
		finding_fail(f, "%s of sshd_config keeps the account out", lists_of[i].shown);
		finding_mend(f, lists_of[i].keeps_out ? "take %s, or its group, out of it" : "put %s, or a group of its, into it",
			     name);
	}
	finding_ok(f, "sshd lets the account log in");
}

static void judge_forced(const struct doctor *d, const struct way *way, struct finding *f)
{
	struct text command = sshd_value(&d->sshd, "forcecommand"), program = command, word;

	if (!way->forced_is_ours) {
		finding_fail(f, "ForceCommand is '%.*s', which is not the gateway", (int)command.len, command.bytes);
		finding_mend(f, "ForceCommand %s serve", d->program[0] == '\0' ? "nix-gateway" : d->program);
		return;
	}
	if (text_word(&program, &word) && word.bytes[0] == '/' && word.len < PATH_MAX) {
		char path[PATH_MAX];

		memcpy(path, word.bytes, word.len);
		path[word.len] = '\0';
		if (access(path, X_OK) != 0) {
			finding_fail(f, "ForceCommand names %s, which the account cannot run", path);
			finding_mend(f, "install the gateway there, or name where it is");
			return;
		}
	}
	if (strcmp(way->policy[0] == '\0' ? POLICY_PATH : way->policy, d->policy_path) != 0) {
		finding_warn(f, "sessions use the policy %s, and this is about %s",
			     way->policy[0] == '\0' ? POLICY_PATH : way->policy, d->policy_path);
		finding_mend(f, "ask again with --policy");
	} else {
		finding_ok(f, "every command becomes '%.*s'", (int)command.len, command.bytes);
	}
}

static void judge_command(const struct doctor *d, struct finding *f)
{
	struct way way = find_way(d);

	if (way.forced) {
		judge_forced(d, &way, f);
	} else if (d->shell.ours) {
		finding_ok(f, "the login shell is the gateway: it serves whatever is asked for");
	} else if (d->keys.open[0] != '\0') {
		finding_fail(f, "%s lets in a key without the gateway", d->keys.open);
		finding_mend(f, "ForceCommand %s serve " IN_MATCH ", or command=\"...\" in front of the key",
			     d->program[0] == '\0' ? "nix-gateway" : d->program);
	} else if (way_is_set(d, "trustedusercakeys")) {
		finding_fail(f, "TrustedUserCAKeys lets in certificates, and nothing forces the gateway on them");
		finding_mend(f, "ForceCommand %s serve " IN_MATCH, d->program[0] == '\0' ? "nix-gateway" : d->program);
	} else if (way_is_set(d, "authorizedkeyscommand") && !way.asks_us) {
		finding_warn(f, "what lines AuthorizedKeysCommand gives is not known: each needs command=\"nix-gateway serve\"");
		finding_mend(f, "ForceCommand %s serve " IN_MATCH, d->program[0] == '\0' ? "nix-gateway" : d->program);
	} else {
		finding_ok(f, "each of the account's keys is bound to the gateway (%u in files)", d->keys.count);
	}
}

static void judge_identity(const struct doctor *d, struct finding *f)
{
	struct way way = find_way(d);
	bool named = way.forced ? way.forced_names_key : (way.asks_us || d->keys.count > 0) && d->keys.named == d->keys.count;

	if (sshd_says(&d->sshd, "exposeauthinfo", "yes")) {
		finding_ok(f, "sshd tells which key has logged in");
	} else if (named) {
		finding_ok(f, "the forced command names the key");
	} else if (d->builder->policy != NULL && d->builder->policy->knows_identities) {
		finding_fail(f, "the policy tells keys apart, and sshd does not say which one it was: no session starts");
		finding_mend(f, "ExposeAuthInfo yes " IN_MATCH);
	} else {
		finding_warn(f, "sshd does not say which key has logged in: records cannot name it");
		finding_mend(f, "ExposeAuthInfo yes " IN_MATCH);
	}
}

static void judge_key_files(const struct doctor *d, struct finding *f)
{
	struct way way = find_way(d);

	if (d->keys.writable[0] != '\0') {
		finding_fail(f, "%s could be changed by the account: it could let anybody in", d->keys.writable);
		finding_mend(f, "AuthorizedKeysFile /etc/nix-gateway/authorized_keys " IN_MATCH ", a file of root's, mode 644");
	} else if (d->keys.unreadable[0] != '\0') {
		finding_fail(f, "%s cannot be read by the account, as which sshd reads it: nobody is let in",
			     d->keys.unreadable);
		finding_mend(f, "chmod a+r '%s'", d->keys.unreadable);
	} else if (d->keys.count == 0 && !way.asks_us && !way_is_set(d, "authorizedkeyscommand") &&
		   !way_is_set(d, "trustedusercakeys")) {
		finding_fail(f, "no key may log in%s%s", d->keys.missing[0] == '\0' ? "" : ": there is no ", d->keys.missing);
		finding_mend(f, "write the public keys, one a line, into the file that AuthorizedKeysFile names");
	} else {
		finding_ok(f, "nobody but root says who may log in (%u keys in files)", d->keys.count);
	}
}

/* Whether there is anything for the other checks of sshd to look at. */
const struct check check_of_sshd[] = {
	{ "sshd", judge_seen, FOR_ACCOUNT | FOR_ROOT, false },
	{ .name = NULL },
};

const struct check checks_of_sshd_way[] = {
	{ "sshd-login", judge_login, FOR_ROOT, false },
	{ "sshd-command", judge_command, FOR_ROOT, false },
	{ "sshd-identity", judge_identity, FOR_ROOT, false },
	{ "sshd-keys", judge_key_files, FOR_ROOT, false },
	{ .name = NULL },
};
