#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "policy/decide.h"
#include "policy/load.h"

struct listener {
	policy_fault_fn *warning;
	void *context;
};

__attribute__((format(printf, 3, 4)))
static void warn(const struct listener *l, unsigned line, const char *format, ...)
{
	struct policy_fault fault = { .line = line };
	va_list args;

	va_start(args, format);
	vsnprintf(fault.text, sizeof fault.text, format, args);         /* names are plain already */
	va_end(args);
	l->warning(l->context, &fault);
}

struct date policy_today(void)
{
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm) == NULL)
		return (struct date){ .year = 9999, .month = 12, .day = 31 };   /* no clock: every key has expired */
	return (struct date){ .year = tm.tm_year + 1900, .month = tm.tm_mon + 1, .day = tm.tm_mday };
}

/* What of a key's own lines has no use. */
static void warn_of_key(const struct listener *l, const struct key *key, struct date today)
{
	if (policy_has_expired(key, today))
		warn(l, key->expires_rule.line, "[key %s] has expired", key->name);
	if (key->grant->protocols == 0)
		warn(l, key->grant->rules[GRANT_PROTOCOLS].line, "[key %s] may use no protocol", key->name);
}

static bool builds_for_nothing(const struct grant *g)
{
	return g->relay == RELAY_FILTER && (g->operations & OPS_BUILD) != 0 && !g->systems.any && g->systems.count == 0;
}

static bool trusts_fully(const struct grant *g)
{
	return g->trust == TRUST_FULL && g->relay == RELAY_FILTER;
}

static bool judges_nothing(const struct grant *g)
{
	return g->relay == RELAY_EXEC;
}

static bool keys_are_idle(const struct grant *g)
{
	return g->trusted_public_keys.count > 0 && g->trust != TRUST_SIGNED;
}

static bool signs_for_nobody(const struct grant *g)
{
	return g->trusted_public_keys.count == 0 && g->trust == TRUST_SIGNED;
}

static bool uploads_are_trusted(const struct grant *g)
{
	return g->unsigned_uploads != UNSIGNED_DEFAULT && g->trust == TRUST_FULL;
}

static bool rebuild_is_no_right(const struct grant *g)
{
	return g->unsigned_uploads == UNSIGNED_REBUILD && (g->operations & OPS_BUILD) == 0;
}

/* What a grant says that a person may not have meant; `setting` is the line they will look at. */
static const struct remark {
	enum grant_setting setting;
	bool (*holds)(const struct grant *grant);
	const char *text;
} remarks[] = {
	{ GRANT_SYSTEMS, builds_for_nothing, "may build for no system: give it 'systems'" },
	{ GRANT_TRUST, trusts_fully,
	  "may define any store path that others of this builder will use ('trust = full')" },
	{ GRANT_RELAY, judges_nothing,
	  "goes to the Nix daemon unseen ('relay = exec'): nothing of what it asks is judged" },
	{ GRANT_TRUSTED_PUBLIC_KEYS, keys_are_idle, "has 'trusted-public-keys' without effect: they need trust = signed" },
	{ GRANT_TRUST, signs_for_nobody, "has 'trust = signed' without effect: it needs 'trusted-public-keys'" },
	{ GRANT_UNSIGNED_UPLOADS, uploads_are_trusted, "has 'unsigned-uploads' without effect: 'trust = full' takes all" },
	{ GRANT_UNSIGNED_UPLOADS, rebuild_is_no_right,
	  "may not build, so nothing that it uploads unsigned can be rebuilt" },
};

/* A line of [default] or of a role is remarked on once, however many keys it is for. */
static void warn_of_grants(const struct listener *l, const struct policy *p, const struct remark *remark)
{
	unsigned told = 0;

	for (size_t i = 0; i < p->key_count; i++) {
		const struct key *key = &p->keys[i];
		unsigned line = key->grant->rules[remark->setting].line;

		if (!remark->holds(key->grant) || (line != 0 && line == told))
			continue;
		warn(l, line != 0 ? line : key->rule.line, "[key %s] %s", key->name, remark->text);
		told = line;
	}
}

/* Is a program started for some session that the variables reach for certain? */
static bool starts_programs(const struct policy *p)
{
	bool starts = p->gateway.daemon == DAEMON_STDIO;

	for (size_t i = 0; i < p->key_count && !starts; i++)
		starts = p->keys[i].grant->relay == RELAY_EXEC || p->keys[i].grant->remote_stores.count > 0;
	return starts;
}

static void warn_of_environment(const struct listener *l, const struct policy *p)
{
	if (p->environment_count == 0 || starts_programs(p))
		return;
	warn(l, p->environment[0].rule.line, "[environment] has no effect%s: %s",
	     p->gateway.daemon == DAEMON_AUTO ? " where the daemon has its socket" : "",
	     "builds run in the daemon's own environment, and this gateway starts no program");
}

void policy_warnings(const struct policy *p, policy_fault_fn *warning, void *context)
{
	struct listener l = { .warning = warning, .context = context };
	struct date today = policy_today();

	if (p->key_count == 0)
		warn(&l, 0, "has no [key] section: every session is refused");
	warn_of_environment(&l, p);
	for (size_t i = 0; i < p->key_count; i++)
		warn_of_key(&l, &p->keys[i], today);
	for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++)
		warn_of_grants(&l, p, &remarks[i]);
}
