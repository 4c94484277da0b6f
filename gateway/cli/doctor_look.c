/* What doctor sees of policy, Nix, daemon and nix.conf. See doctor.h. */
#include <stdio.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/cli/doctor.h"
#include "gateway/session/nix_conf.h"
#include "gateway/session/run.h"

enum { PATIENCE_S = 60 };        /* with the daemon */

struct fault_list {
	const char *path;
	unsigned *count;
	char *first;
};

static void keep_fault(void *context, const struct policy_fault *fault)
{
	struct fault_list *list = context;

	if ((*list->count)++ == 0)
		log_sentence(list->first, "%s:%u: %s", list->path, fault->line > 0 ? fault->line : 1, fault->text);
}

void look_at_policy(struct doctor *d)
{
	struct fault_list faults = { d->policy_path, &d->policy.faults, d->policy.fault };
	struct fault_list warnings = { d->policy_path, &d->policy.warnings, d->policy.warning };

	if (d->builder->policy == NULL &&
	    !policy_load(d->policy_path, POLICY_OWNER_CHECKED, &d->builder->policy, keep_fault, &faults))
		return;
	policy_warnings(d->builder->policy, keep_fault, &warnings);
}

void look_at_nix(struct doctor *d)
{
	struct builder *b = d->builder;

	d->nix.found = builder_find_nix(b, d->nix.why);
	if (!d->nix.found || !builder_make_environment(b, d->nix.why))
		return;
	d->nix.answers = nix_version(b->nix.daemon, b->environment.items, &d->nix.version, d->nix.why) == ERR_NONE;
}

/* Says hello as a session does, without a client: nobody's session, and an audit of no places writes nothing. */
void look_at_daemon(struct doctor *d)
{
	struct builder *b = d->builder;
	struct session session = { .spool = -1 };
	struct command command = { .kind = COMMAND_INFO };
	const struct grant grant = { .idle_time = { true, PATIENCE_S }, .stall_time = { true, PATIENCE_S } };
	const struct key nobody = { .grant = &grant };
	int64_t began = clock_ms();
	struct audit nowhere;

	audit_init(&nowhere);
	if (!builder_reach_daemon(b, d->daemon.why))
		return;
	backend_describe(&b->backend, d->daemon.where, sizeof d->daemon.where);
	session_init(&session, b->policy, &nobody, &nowhere, &command, -1, -1, -1);
	d->daemon.answers = session_inquire(&session, &b->backend, d->daemon.why);
	d->daemon.trust = session.trust;
	snprintf(d->daemon.version, sizeof d->daemon.version, "%s", session.upstream.daemon_version);
	d->daemon.took_ms = clock_ms() - began;
	session_free(&session);
}

/* Twice: for its words, and as a session does, which minds its numbers too. */
void look_at_conf(struct doctor *d)
{
	struct nix_conf numbers;

	if (nix_settings_read(NIX_CONF_PATH, &d->conf, d->conf_fault))
		(void)!nix_conf_read(NIX_CONF_PATH, &numbers, d->conf_fault);
}
