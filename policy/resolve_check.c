#include "policy/resolve_check.h"

#include <string.h>

#include "policy/settings.h"

void resolve_check_identity(const struct key *key, struct faults *faults)
{
	unsigned line = key->rule.line;

	if (strcmp(key->name, "*") == 0 && (key->fingerprints.count > 0 || key->certificate_authority != NULL))
		faults_add(faults, line,
			   "[key *] is whoever no other section names: a fingerprint or certificate-authority "
			   "needs a section with a name");
	else if (key->certificate_authority == NULL && (key->principal != NULL || key->key_id != NULL))
		faults_add(faults, line, "[key %s] has a '%s' without the 'certificate-authority' that vouches for it",
			   key->name, key->principal != NULL ? "principal" : "key-id");
	else if (key->certificate_authority != NULL && key->principal == NULL && key->key_id == NULL)
		faults_add(faults, line,
			   "[key %s] has a 'certificate-authority' alone: say which of its certificates, by "
			   "'principal' or 'key-id'",
			   key->name);
}

void resolve_check_relay(const struct key *key, const struct gateway_settings *gateway, struct faults *faults)
{
	if (key->grant->relay != RELAY_EXEC)
		return;
	if (gateway->sandbox == CONFINE_REQUIRE)
		faults_add(faults, key->grant->rules[GRANT_RELAY].line,
			   "'relay = exec' leaves nothing of the gateway to confine, and [gateway] says sandbox = require");
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings[i];

		if (s->grant == NO_GRANT || s->with_exec || key->grant->rules[s->grant].line == 0 ||
		    setting_is_wide(s, key->grant))
			continue;
		faults_add(faults, key->grant->rules[s->grant].line,
			   "'%s' needs relay = filter: with relay = exec nothing "
			   "stands between the key and the daemon",
			   s->name);
	}
}

void resolve_check_trust(const struct key *key, const struct gateway_settings *gateway, struct faults *faults)
{
	if (key->grant->trust == TRUST_FULL && gateway->account == ACCOUNT_UNTRUSTED)
		faults_add(faults, key->grant->rules[GRANT_TRUST].line,
			   "'trust = full' needs an account that the daemon trusts, "
			   "and [gateway] says account = untrusted");
}
