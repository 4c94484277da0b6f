#include "gateway/cli/visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/options.h"
#include "gateway/identity/auth_info.h"
#include "gateway/session/peer.h"
#include "gateway/session/refusal.h"

/* The client's address as sshd gives it: the first word of SSH_CONNECTION. */
static void find_peer(struct visit *v)
{
	const char *connection = getenv("SSH_CONNECTION");
	size_t len = connection == NULL ? 0 : strcspn(connection, " ");

	if (len > 0 && len < sizeof v->peer)
		snprintf(v->peer, sizeof v->peer, "%.*s", (int)len, connection);
}

void visit_init(struct visit *v)
{
	*v = (struct visit){ .policy_path = POLICY_PATH, .started_ms = clock_ms() };
	builder_init(&v->builder);
	audit_init(&v->audit);
	find_peer(v);
}

void visit_free(struct visit *v)
{
	audit_close(&v->audit);
	ssh_key_free(&v->identity);
	builder_free(&v->builder);
}

static struct audit_field text_field(const char *name, const char *text)
{
	return (struct audit_field){ .name = name, .kind = AUDIT_TEXT, .text = text };
}

static const char *protocol_name(const struct visit *v)
{
	return v->command.kind == COMMAND_WORKER ? "ssh-ng" : v->command.kind == COMMAND_SERVE ? "ssh" : "info";
}

/* The end of a session that was refused. Nothing hangs on these two records any more, so a failure is only said. */
static void record_refusal(struct visit *v, const char *reason, const struct rule *rule)
{
	char where[SENTENCE_MAX], why[SENTENCE_MAX];
	uint64_t seconds = (uint64_t)(clock_ms() - v->started_ms) / 1000;
	struct audit_field denied[] = {
		text_field("operation", "session"), text_field("subject", v->request),
		text_field("reason", reason), text_field("rule", NULL),
	};
	struct audit_field end[] = {
		text_field("outcome", "refused"), { .name = "seconds", .kind = AUDIT_NUMBER, .number = seconds },
		{ .name = "requests", .kind = AUDIT_NUMBER }, { .name = "bytes-in", .kind = AUDIT_NUMBER },
		{ .name = "bytes-out", .kind = AUDIT_NUMBER },  /* nothing was asked: whatever was said was a handshake */
	};

	if (rule != NULL && rule->line > 0) {
		snprintf(where, sizeof where, "%s:%u", v->policy_path, rule->line);
		denied[3].text = where;
	}
	if (audit_write(&v->audit, "denied", denied, sizeof denied / sizeof *denied, why) != ERR_NONE ||
	    audit_write(&v->audit, "session-end", end, sizeof end / sizeof *end, why) != ERR_NONE)
		log_say("the refusal was not recorded: %s", why);
}

static enum confine wanted_sandbox(const struct visit *v)
{
	return v->builder.policy == NULL ? CONFINE_AUTO : v->builder.policy->gateway.sandbox;
}

bool visit_confine(struct visit *v, char *why)
{
	const struct sandbox_plan plan = { .child = v->builder.backend.child };
	enum confine wanted = wanted_sandbox(v);
	char reason[SENTENCE_MAX];

	if (!v->confined && wanted != CONFINE_OFF && sandbox_enter(&plan, &v->locks, reason) != ERR_NONE)
		log_sentence(why, "%s; this builder's policy says sandbox = require", reason);
	v->confined = true;
	return wanted != CONFINE_REQUIRE || (v->locks & SANDBOX_CALLS) != 0;
}

const char *visit_sandbox(const struct visit *v)
{
	return wanted_sandbox(v) == CONFINE_OFF ? "off" : sandbox_name(v->locks);
}

/* A refusal is told in the client's protocol, so even that is not listened to unlocked. Where the policy does not allow it,
 * stderr has to do. */
static int tell(struct visit *v, const char *sentence)
{
	char why[SENTENCE_MAX];

	if (v->command.kind == COMMAND_WORKER && visit_confine(v, why))
		refusal_tell_worker(STDIN_FILENO, STDOUT_FILENO, sentence);
	return EXIT_REFUSED;
}

int visit_refuse(struct visit *v, const char *sentence, const struct rule *rule)
{
	log_say("%s", sentence);
	record_refusal(v, sentence, rule);
	return tell(v, sentence);
}

int visit_refuse_because(struct visit *v, const char *sentence, const char *reason)
{
	log_say("%s", sentence);
	record_refusal(v, reason, NULL);
	return tell(v, sentence);
}

bool visit_record(struct visit *v, const char *event, const struct audit_field *fields, size_t count, int *status)
{
	char why[SENTENCE_MAX], sentence[SENTENCE_MAX];

	if (audit_write(&v->audit, event, fields, count, why) == ERR_NONE)
		return true;
	log_sentence(sentence, "this builder cannot write its audit record (%s)", why);
	*status = visit_refuse(v, sentence, NULL);
	return false;
}

/* What is wrong with the policy goes to the system log, for the administrator; the client learns that it is so. */
static int refuse_without_policy(struct visit *v, const char *fault)
{
	static const char sentence[] = "this builder's policy does not load; its administrator sees why with "
				       "'nix-gateway check'";
	char why[SENTENCE_MAX];
	struct audit_field fields[] = { text_field("operation", "session"), text_field("subject", v->request),
					text_field("reason", fault) };

	if (audit_open(&v->audit, AUDIT_TO_SYSLOG, NULL, why) == ERR_NONE)
		(void)!audit_write(&v->audit, "denied", fields, sizeof fields / sizeof *fields, why);
	audit_close(&v->audit);
	(void)visit_refuse(v, sentence, NULL);
	return EXIT_USAGE;
}

static bool open_audit(struct visit *v, int *status)
{
	const struct gateway_settings *settings = &v->builder.policy->gateway;
	unsigned places = 0;
	char why[SENTENCE_MAX], sentence[SENTENCE_MAX];

	places |= (settings->audit & AUDIT_AUTO) != 0 ? AUDIT_TO_AUTO : 0;
	places |= (settings->audit & AUDIT_SYSLOG) != 0 ? AUDIT_TO_SYSLOG : 0;
	places |= (settings->audit & AUDIT_STDERR) != 0 ? AUDIT_TO_STDERR : 0;
	places |= (settings->audit & AUDIT_FILE) != 0 ? AUDIT_TO_FILE : 0;
	v->audit.peer = v->peer[0] == '\0' ? NULL : v->peer;
	if (audit_open(&v->audit, places, settings->audit_file, why) == ERR_NONE)
		return true;
	audit_close(&v->audit);
	log_sentence(sentence, "this builder cannot write its audit record (%s)", why);
	*status = visit_refuse(v, sentence, NULL);
	return false;
}

/* Reads what sshd says of the key. False: that is nothing sshd has made, and `why` says so. */
static bool read_identity(struct visit *v, char *why)
{
	const char *path = getenv("SSH_USER_AUTH");

	v->identified = path != NULL && auth_info_read(path, &v->identity, why) == ERR_NONE;
	return path == NULL || v->identified;
}

/* Where --key names the key already, a file that is none of sshd's making is no matter. */
static bool judge_identity(struct visit *v, bool sound, const char *why, int *status)
{
	if (v->identified)
		v->audit.fingerprint = v->identity.fingerprint;
	if (sound || (v->key_option != NULL && !v->key_option_is_claim))
		return true;
	*status = visit_refuse(v, why, NULL);
	return false;
}

static struct caller known_caller(const struct visit *v)
{
	struct caller caller = { .key_name = v->key_option };

	if (!v->identified)
		return caller;
	caller.fingerprint = v->identity.fingerprint;
	if (v->identity.certificate) {
		caller.certificate_authority = v->identity.ca_fingerprint;
		caller.key_id = v->identity.key_id;
		caller.principals = (const char *const *)v->identity.principals;
		caller.principal_count = v->identity.principal_count;
	}
	return caller;
}

/* Where the client may have written --key itself (we are the login shell, and its command is our argument), the name
 * counts only if what sshd says of the key leads to the same section. */
static bool claim_holds(const struct visit *v, const struct key *claimed)
{
	struct caller caller = known_caller(v);
	struct verdict why;
	const struct key *known;

	if (!v->key_option_is_claim || !v->identified)
		return true;
	caller.key_name = NULL;
	known = policy_identify(v->builder.policy, &caller, &why);
	return known == NULL || strcmp(known->name, "*") == 0 || known == claimed;
}

static bool identify(struct visit *v, int *status)
{
	struct caller caller = known_caller(v);
	struct verdict why;
	char sentence[SENTENCE_MAX];

	v->key = policy_identify(v->builder.policy, &caller, &why);
	if (v->key == NULL) {
		*status = visit_refuse(v, why.text, &why.rule);
		return false;
	}
	if (claim_holds(v, v->key)) {
		v->audit.key = v->key->name;
		return true;
	}
	log_sentence(sentence, "this SSH key (%s) is not key '%s'; leave --key out, or force the command in sshd",
		     v->identity.fingerprint, v->key->name);
	*status = visit_refuse(v, sentence, NULL);
	return false;
}

static bool decide(struct visit *v, int *status)
{
	enum protocol protocol = v->command.kind == COMMAND_WORKER ? PROTOCOL_SSH_NG :
				 v->command.kind == COMMAND_SERVE  ? PROTOCOL_SSH :
								     (enum protocol)v->key->grant->protocols;
	struct verdict verdict = policy_decide_session(v->builder.policy, v->key, protocol, policy_today());
	char sentence[SENTENCE_MAX];

	if (!verdict.allow) {
		*status = visit_refuse(v, verdict.text, &verdict.rule);
		return false;
	}
	if (v->command.store == NULL)
		return true;
	log_sentence(sentence, "%s may not use another store (allowed: none): %s; ask the builder's administrator",
		     v->key->name, v->command.store);
	*status = visit_refuse(v, sentence, &v->key->grant->rules[GRANT_REMOTE_STORES]);
	return false;
}

/* The command and the way it came: judged when it is known who asked, so that the audit can name the key. */
static bool judge_request(struct visit *v, bool parsed, const char *why, int *status)
{
	char sentence[SENTENCE_MAX];

	if (!parsed) {
		*status = visit_refuse(v, why, NULL);
		return false;
	}
	if (v->command.kind == COMMAND_INFO || (!isatty(STDIN_FILENO) && !isatty(STDOUT_FILENO)))
		return decide(v, status);
	log_sentence(sentence, "a terminal would garble the %s protocol; ask without one (ssh -T)", protocol_name(v));
	v->command.kind = COMMAND_INFO;
	*status = visit_refuse(v, sentence, NULL);
	return false;
}

/* A session has use for its own key alone; the pages that people ask for look at others too. */
static bool load_policy(struct visit *v, int *status)
{
	struct caller caller = known_caller(v);
	char why[SENTENCE_MAX];

	if (builder_load(&v->builder, v->command.kind == COMMAND_INFO ? NULL : &caller, v->policy_path,
			 POLICY_OWNER_CHECKED, why))
		return true;
	*status = refuse_without_policy(v, why);
	return false;
}

bool visit_admit(struct visit *v, int *status)
{
	char request_fault[SENTENCE_MAX] = "", identity_fault[SENTENCE_MAX] = "";
	bool parsed = command_parse(&v->command, v->request, request_fault);
	bool sound = read_identity(v, identity_fault);

	if (!parsed)
		v->command.kind = COMMAND_INFO;         /* no protocol was asked for: none is spoken */
	return load_policy(v, status) && open_audit(v, status) && judge_identity(v, sound, identity_fault, status) &&
	       identify(v, status) && judge_request(v, parsed, request_fault, status);
}
