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

static struct date today_utc(void)
{
	time_t now = time(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm) == NULL)
		return (struct date){ .year = 0 };
	return (struct date){ .year = tm.tm_year + 1900, .month = tm.tm_mon + 1, .day = tm.tm_mday };
}

static void warn_of_key(const struct listener *l, const struct key *key, struct date today)
{
	if (policy_has_expired(key, today))
		warn(l, key->expires_rule.line, "[key %s] has expired", key->name);
	if (key->grant.protocols == 0)
		warn(l, key->grant.rules[GRANT_PROTOCOLS].line, "[key %s] may use no protocol", key->name);
}

/* trust = full of a role stands in one line, however many keys have the role. */
static void warn_of_trust(const struct listener *l, const struct policy *p)
{
	unsigned told = 0;

	for (size_t i = 0; i < p->key_count; i++) {
		unsigned line = p->keys[i].grant.rules[GRANT_TRUST].line;

		if (p->keys[i].grant.trust != TRUST_FULL || line == told)
			continue;
		warn(l, line, "'trust = full': [key %s] may define any store path", p->keys[i].name);
		told = line;
	}
}

/* Is a program started for some session that the variables could reach? */
static bool starts_programs(const struct policy *p)
{
	bool starts = p->gateway.daemon == DAEMON_AUTO || p->gateway.daemon == DAEMON_STDIO;

	for (size_t i = 0; i < p->key_count && !starts; i++)
		starts = p->keys[i].grant.relay == RELAY_EXEC || p->keys[i].grant.remote_stores.count > 0;
	return starts;
}

void policy_warnings(const struct policy *p, policy_fault_fn *warning, void *context)
{
	struct listener l = { .warning = warning, .context = context };
	struct date today = today_utc();

	if (p->key_count == 0)
		warn(&l, 0, "has no [key] section: every session is refused");
	if (p->environment_count > 0 && !starts_programs(p))
		warn(&l, p->environment[0].rule.line, "[environment] has no effect: this gateway starts no program");
	for (size_t i = 0; i < p->key_count; i++)
		warn_of_key(&l, &p->keys[i], today);
	warn_of_trust(&l, p);
}
