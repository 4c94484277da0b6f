#include "policy/decide.h"

#include <string.h>

#include "policy/verdict.h"

#define NOT_IN_POLICY "is not in this builder's policy"

static const struct key *key_named(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->key_count; i++) {
		if (strcmp(p->keys[i].name, name) == 0)
			return &p->keys[i];
	}
	return NULL;
}

static bool has_principal(const struct caller *caller, const char *principal)
{
	for (size_t i = 0; i < caller->principal_count; i++) {
		if (strcmp(caller->principals[i], principal) == 0)
			return true;
	}
	return false;
}

/* The CA first: what a certificate says counts only under the CA that the section names. */
static bool certificate_matches(const struct key *key, const struct caller *caller)
{
	if (key->certificate_authority == NULL ||
	    strcmp(key->certificate_authority, caller->certificate_authority) != 0)
		return false;
	if (key->principal == NULL && key->key_id == NULL)
		return false; /* the loader lets no such section pass */
	if (key->principal != NULL && !has_principal(caller, key->principal))
		return false;
	return key->key_id == NULL || (caller->key_id != NULL && strcmp(key->key_id, caller->key_id) == 0);
}

/* The one section that a certificate matches. A certificate with two principals can match two: then neither is chosen,
 * for each would be a guess. */
static const struct key *key_of_certificate(const struct policy *p, const struct caller *caller, struct verdict *why)
{
	const struct key *found = NULL;

	for (size_t i = 0; i < p->key_count; i++) {
		if (!certificate_matches(&p->keys[i], caller))
			continue;
		if (found != NULL) {
			*why = verdict_refuse(p->keys[i].rule,
					      "this SSH certificate belongs to two keys of this builder's policy, "
					      "'%s' and '%s'; ask the builder's administrator",
					      found->name, p->keys[i].name);
			return NULL;
		}
		found = &p->keys[i];
	}
	if (found != NULL)
		*why = (struct verdict){ .allow = true, .rule = found->rule };
	return found;
}

static const struct key *key_with_fingerprint(const struct key *keys, size_t count, const char *fingerprint)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t f = 0; f < keys[i].fingerprints.count; f++) {
			if (strcmp(keys[i].fingerprints.items[f], fingerprint) == 0)
				return &keys[i];
		}
	}
	return NULL;
}

static struct verdict not_in_policy(const struct caller *caller)
{
	struct rule none = { .line = 0 };

	if (caller->certificate_authority != NULL)
		return verdict_refuse(
		    none, "this SSH key (%s) " NOT_IN_POLICY "; its certificate (CA %s) names no key of it either",
		    caller->fingerprint == NULL ? "of a certificate" : caller->fingerprint,
		    caller->certificate_authority);
	if (caller->fingerprint != NULL)
		return verdict_refuse(none, "this SSH key (%s) " NOT_IN_POLICY, caller->fingerprint);
	return verdict_refuse(
	    none, "sshd does not say which SSH key this is, and this builder's policy needs to know; its "
		  "administrator sets 'ExposeAuthInfo yes' in sshd_config, or 'nix-gateway serve --key NAME' for "
		  "the key");
}

static const struct key *identify(const struct policy *p, const struct caller *caller, struct verdict *why)
{
	const struct key *key = NULL;

	if (caller->key_name != NULL) {
		key = key_named(p, caller->key_name);
		if (key == NULL)
			*why =
			    verdict_refuse((struct rule){ .line = 0 }, "key '%.64s' " NOT_IN_POLICY, caller->key_name);
		return key;
	}
	if (caller->certificate_authority != NULL) {
		*why = (struct verdict){ .allow = true };
		key = key_of_certificate(p, caller, why);
		if (key != NULL || !why->allow)
			return key;
	}
	/* The fingerprint of a certificate is that of its inner key. Where that key is listed plainly, whoever holds it
	 * is known by it, whatever certificate came along: a certificate adds names to a key and takes none away. */
	if (caller->fingerprint != NULL)
		key = key_with_fingerprint(p->keys, p->key_count, caller->fingerprint);
	/* Nothing known at all: [key *] only where no section could have named the caller. */
	if (key == NULL &&
	    (caller->fingerprint != NULL || caller->certificate_authority != NULL || !p->knows_identities))
		key = key_named(p, "*");
	if (key == NULL)
		*why = not_in_policy(caller);
	return key;
}

const struct key *policy_identify(const struct policy *p, const struct caller *caller, struct verdict *why)
{
	const struct key *key = identify(p, caller, why);

	if (key != NULL)
		*why = (struct verdict){ .allow = true, .rule = key->rule };
	return key;
}

bool policy_could_be(const struct key *key, const struct caller *caller)
{
	return strcmp(key->name, "*") == 0 ||
	       (caller->key_name != NULL && strcmp(caller->key_name, key->name) == 0) ||
	       (caller->certificate_authority != NULL && certificate_matches(key, caller)) ||
	       (caller->fingerprint != NULL && key_with_fingerprint(key, 1, caller->fingerprint) != NULL);
}

bool policy_has_expired(const struct key *key, struct date today)
{
	const struct date *last = &key->expires;

	if (last->year == 0)
		return false;
	if (today.year != last->year)
		return today.year > last->year;
	return today.month != last->month ? today.month > last->month : today.day > last->day;
}

struct verdict policy_decide_session(const struct policy *p, const struct key *key, enum protocol protocol,
				     struct date today)
{
	struct rule by_protocol = key->grant->rules[GRANT_PROTOCOLS];
	unsigned allowed = key->grant->protocols;

	(void)p; /* what [gateway] limits is counted elsewhere; the contract keeps the place */
	if (policy_has_expired(key, today))
		return verdict_refuse(key->expires_rule, "key '%s' expired on %04d-%02d-%02d", key->name,
				      key->expires.year, key->expires.month, key->expires.day);
	if ((allowed & (unsigned)protocol) == 0)
		return verdict_refuse(by_protocol, "key '%s' may not use %s (allowed: %s)", key->name,
				      protocol == PROTOCOL_SSH ? "ssh://" : "ssh-ng://",
				      (allowed & PROTOCOL_SSH_NG) != 0 ? "ssh-ng"
				      : (allowed & PROTOCOL_SSH) != 0  ? "ssh"
								       : "none");
	return (struct verdict){ .allow = true, .rule = by_protocol.line != 0 ? by_protocol : key->rule };
}
