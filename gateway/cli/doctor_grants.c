/* The policy itself, and what it grants against what this builder offers. */
#include <string.h>

#include "gateway/cli/doctor.h"
#include "policy/decide.h"
#include "policy/words.h"

static void judge_policy(const struct doctor *d, struct finding *f)
{
	if (d->policy.faults > 0) {
		finding_fail(f, "it does not load for the account: %s%s", d->policy.fault,
			     d->policy.faults > 1 ? ", and more" : "");
		finding_mend(f, "nix-gateway check --policy %s", d->policy_path);
	} else if (d->policy.warnings > 0) {
		finding_warn(f, "%s%s", d->policy.warning, d->policy.warnings > 1 ? ", and more" : "");
		finding_mend(f, "see all of it: nix-gateway check --policy %s", d->policy_path);
	} else {
		finding_ok(f, "%s loads, with %zu keys", d->policy_path, d->builder->policy->key_count);
	}
}

/* A key's owner asks: are they known, and for how long? */
static void judge_key(const struct doctor *d, struct finding *f)
{
	const struct key *key = d->key;
	struct verdict verdict = policy_decide_session(d->builder->policy, key, (enum protocol)key->grant->protocols,
						       policy_today());

	if (!verdict.allow)
		finding_fail(f, "%s", verdict.text);
	else if (key->grant->protocols == PROTOCOL_SSH) {
		finding_warn(f, "you are %s, and may use ssh:// only", key->name);
		finding_mend(f, "ask for ssh-ng://: by it more can be judged, and so allowed");
	} else if (key->expires.year != 0)
		finding_ok(f, "you are %s until %04d-%02d-%02d", key->name, key->expires.year, key->expires.month,
			   key->expires.day);
	else
		finding_ok(f, "you are %s", key->name);
}

/* --- what is granted and not offered --- */

static bool is_offered_system(const struct doctor *d, const char *word)
{
	return nix_setting_has(&d->conf, NIX_SYSTEM, word) || nix_setting_has(&d->conf, NIX_EXTRA_PLATFORMS, word);
}

static bool is_offered_feature(const struct doctor *d, const char *word)
{
	return nix_setting_has(&d->conf, NIX_SYSTEM_FEATURES, word);
}

struct missing {
	const char *word, *key; /* borrow from the policy; the first */
	unsigned count;
};

/* A word that several keys are granted counts for each: they share the line where they share the grant. */
static void find_missing(const struct doctor *d, const struct key *key, const struct text_list *list,
			 bool (*is_offered)(const struct doctor *, const char *), struct missing *m)
{
	for (size_t i = 0; i < list->count; i++) {
		if (is_offered(d, list->items[i]))
			continue;
		if (m->count++ == 0) {
			m->word = list->items[i];
			m->key = key->name;
		}
	}
}

static struct missing all_missing(const struct doctor *d, bool systems)
{
	const struct policy *p = d->builder->policy;
	struct missing m = { .count = 0 };

	for (size_t i = 0; i < p->key_count; i++) {
		const struct key *key = &p->keys[i];

		if ((d->key != NULL && key != d->key) || key->grant->relay != RELAY_FILTER)
			continue;
		find_missing(d, key, systems ? &key->grant->systems : &key->grant->features,
			     systems ? is_offered_system : is_offered_feature, &m);
	}
	return m;
}

static void judge_systems(const struct doctor *d, struct finding *f)
{
	struct missing m = all_missing(d, true);
	const char *own = nix_setting_value(&d->conf, NIX_SYSTEM), *extra = nix_setting_value(&d->conf, NIX_EXTRA_PLATFORMS);

	if (m.count > 0) {
		finding_warn(f, "[key %s] may build for %s, which this builder does not by itself; it does for %s %s", m.key,
			     m.word, own, extra);
		finding_mend(f, "take it out of 'systems', or have nix.conf know it (extra-platforms, or builders of its own)");
	} else {
		finding_ok(f, "this builder builds for %s%s%s", own, extra[0] == '\0' ? "" : " ", extra);
	}
}

static void judge_features(const struct doctor *d, struct finding *f)
{
	struct missing m = all_missing(d, false);
	const char *offered = nix_setting_value(&d->conf, NIX_SYSTEM_FEATURES);

	if (m.count > 0) {
		finding_warn(f, "[key %s] may ask for the feature %s, which this builder does not offer; it offers %s", m.key,
			     m.word, offered);
		finding_mend(f, "take it out of 'features', or put it into system-features of nix.conf");
	} else {
		finding_ok(f, "this builder offers %s", offered[0] == '\0' ? "none" : offered);
	}
}

const struct check checks_of_grants[] = {
	{ "policy", judge_policy, FOR_ACCOUNT | FOR_ROOT, false },
	{ "key", judge_key, FOR_OWNER, true },
	{ "systems", judge_systems, FOR_OWNER | FOR_ACCOUNT | FOR_ROOT, true },
	{ "features", judge_features, FOR_OWNER | FOR_ACCOUNT | FOR_ROOT, true },
	{ .name = NULL },
};
