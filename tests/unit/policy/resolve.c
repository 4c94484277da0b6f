#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/resolve.h"
#include "policy/resolve_check.h"

struct resolved {
	struct policy p;
	struct faults faults;
};

static struct resolved resolve_for(const struct caller *caller, const char *text)
{
	struct resolved r = { .p = { .pool = pool_new() } };
	struct ini_file ini;
	char *copy = pool_text(r.p.pool, text);

	ini_read(copy, strlen(copy), &ini, &r.faults);
	resolve(&ini, caller, &r.p, &r.faults);
	ini_free(&ini);
	return r;
}

static struct resolved resolve_text(const char *text)
{
	return resolve_for(NULL, text);
}

static void resolved_free(struct resolved *r)
{
	faults_free(&r->faults);
	pool_free(r->p.pool);
}

#define PRINT_A "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define PRINT_B "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBY"

static void the_later_of_default_role_and_key_wins_and_is_named(void **unused)
{
	struct resolved r = resolve_text("[key alice]\n"                /* sections may stand in any order */
					 "role = ci\n"
					 "protocols = ssh\n"
					 "[key bob]\n"
					 "role = ci\n"
					 "[key carol]\n"
					 "[role ci]\n"
					 "protocols = ssh-ng\n"
					 "[default]\n"
					 "protocols =\n"
					 "systems = *\n");
	const struct key *keys = r.p.keys;

	(void)unused;
	assert_false(faults_any(&r.faults));
	assert_int_equal(r.p.key_count, 3);
	assert_int_equal(keys[0].grant->protocols, PROTOCOL_SSH);
	assert_int_equal(keys[0].grant->rules[GRANT_PROTOCOLS].line, 3);
	assert_int_equal(keys[1].grant->protocols, PROTOCOL_SSH_NG);
	assert_int_equal(keys[1].grant->rules[GRANT_PROTOCOLS].line, 8);
	assert_int_equal(keys[2].grant->protocols, 0);
	assert_int_equal(keys[2].grant->rules[GRANT_PROTOCOLS].line, 10);
	for (size_t i = 0; i < 3; i++) {
		assert_true(keys[i].grant->systems.any);
		assert_int_equal(keys[i].grant->rules[GRANT_SYSTEMS].line, 11);
		assert_int_equal(keys[i].grant->rules[GRANT_FEATURES].line, 0);
	}
	assert_string_equal(keys[1].role, "ci");
	assert_int_equal(keys[1].rule.line, 4);
	resolved_free(&r);
}

/* A grant is large, and ten thousand keys of one role are one grant. */
static void keys_that_set_nothing_share_a_grant_and_others_do_not_change_it(void **unused)
{
	struct resolved r = resolve_text("[role ci]\n"
					 "cores = 4\n"
					 "features = kvm\n"
					 "[key alice]\n"
					 "role = ci\n"
					 "[key bob]\n"
					 "role = ci\n"
					 "cores = 2\n"
					 "[key carol]\n"
					 "role = ci\n"
					 "expires = 2087-01-31\n"
					 "[key dave]\n"
					 "[key erin]\n");
	const struct key *keys = r.p.keys;

	(void)unused;
	assert_false(faults_any(&r.faults));
	assert_ptr_equal(keys[0].grant, keys[2].grant);
	assert_ptr_equal(keys[3].grant, keys[4].grant);
	assert_int_equal(keys[0].grant->cores.value, 4);
	assert_int_equal(keys[1].grant->cores.value, 2);
	assert_int_equal(keys[1].grant->features.count, 1);
	assert_false(keys[3].grant->cores.set);
	resolved_free(&r);
}

static void a_key_has_its_identity_as_written(void **unused)
{
	struct resolved r = resolve_text("[key alice]\n"
					 "fingerprint = " PRINT_A "\n"
					 "fingerprint = " PRINT_B "\n"
					 "certificate-authority = " PRINT_A "\n"
					 "principal = alice\n"
					 "key-id = alice at home\n"
					 "expires = 2027-01-31\n");
	const struct key *key = r.p.keys;

	(void)unused;
	assert_false(faults_any(&r.faults));
	assert_int_equal(key->fingerprints.count, 2);
	assert_string_equal(key->fingerprints.items[0], PRINT_A);
	assert_string_equal(key->fingerprints.items[1], PRINT_B);
	assert_string_equal(key->certificate_authority, PRINT_A);
	assert_string_equal(key->principal, "alice");
	assert_string_equal(key->key_id, "alice at home");
	assert_int_equal(key->expires.year, 2027);
	assert_int_equal(key->expires_rule.line, 7);
	assert_true(r.p.knows_identities);
	resolved_free(&r);
}

static void a_policy_of_names_alone_knows_no_identities(void **unused)
{
	struct resolved r = resolve_text("[key alice]\n[key *]\n");

	(void)unused;
	assert_false(faults_any(&r.faults));
	assert_false(r.p.knows_identities);
	resolved_free(&r);
}

static void the_gateway_and_the_environment_are_read(void **unused)
{
	struct resolved r = resolve_text("[gateway]\n"
					 "nix = /opt/nix/bin\n"
					 "daemon = /run/nix.sock\n"
					 "audit = stderr /var/log/nix-gateway.log\n"
					 "[environment]\n"
					 "http_proxy = http://a b\n"
					 "EMPTY =\n");

	(void)unused;
	assert_false(faults_any(&r.faults));
	assert_string_equal(r.p.gateway.nix, "/opt/nix/bin");
	assert_int_equal(r.p.gateway.daemon, DAEMON_PATH);
	assert_string_equal(r.p.gateway.daemon_path, "/run/nix.sock");
	assert_int_equal(r.p.gateway.audit, AUDIT_STDERR | AUDIT_FILE);
	assert_string_equal(r.p.gateway.audit_file, "/var/log/nix-gateway.log");
	assert_int_equal(r.p.environment_count, 2);
	assert_string_equal(r.p.environment[0].name, "http_proxy");
	assert_string_equal(r.p.environment[0].value, "http://a b");
	assert_int_equal(r.p.environment[1].rule.line, 7);
	assert_string_equal(r.p.environment[1].value, "");
	resolved_free(&r);
}

static void all_faults_are_told_in_order(void **unused)
{
	struct resolved r = resolve_text("[key alice]\n"
					 "role = cj\n"
					 "sytems = *\n"
					 "fingerprint = x\n"
					 "[role ci]\n"
					 "max-upload = 1G\n");

	(void)unused;
	assert_int_equal(r.faults.count, 4);
	assert_int_equal(r.faults.items[0].line, 2);
	assert_int_equal(r.faults.items[1].line, 3);
	assert_int_equal(r.faults.items[2].line, 4);
	assert_int_equal(r.faults.items[3].line, 6);
	resolved_free(&r);
}

/* Before and behind the caller's own section; what others said must not shine through into its grant. */
static void of_a_policy_for_one_caller_only_its_keys_stay(void **unused)
{
	struct resolved r = resolve_for(&(struct caller){ .fingerprint = PRINT_A },
					"[default]\n"
					"features = kvm\n"
					"[key bob]\n"
					"systems = aarch64-linux riscv64-linux\n"
					"certificate-authority = " PRINT_A "\n"
					"principal = bob\n"
					"[key dave]\n"
					"operations = gc\n"
					"timeout = 1h\n"
					"[key alice]\n"
					"systems = i686-linux x86_64-linux\n"
					"fingerprint = " PRINT_A "\n"
					"cores = 3\n"
					"[key carol]\n"
					"fingerprint = " PRINT_B "\n"
					"systems = powerpc64-linux mips-linux\n"
					"cores = 4\n"
					"[key *]\n");
	const struct key *keys = r.p.keys;

	(void)unused;
	assert_false(faults_any(&r.faults));
	assert_int_equal(r.p.key_count, 2);
	assert_string_equal(keys[0].name, "alice");
	assert_int_equal(keys[0].rule.line, 10);
	assert_int_equal(keys[0].fingerprints.count, 1);
	assert_string_equal(keys[0].fingerprints.items[0], PRINT_A);
	assert_int_equal(keys[0].grant->systems.count, 2);
	assert_string_equal(keys[0].grant->systems.items[0], "i686-linux");
	assert_string_equal(keys[0].grant->systems.items[1], "x86_64-linux");
	assert_int_equal(keys[0].grant->rules[GRANT_SYSTEMS].line, 11);
	assert_int_equal(keys[0].grant->cores.value, 3);
	assert_false(keys[0].grant->timeout.set);
	assert_int_equal(keys[0].grant->rules[GRANT_TIMEOUT].line, 0);
	assert_int_equal(keys[0].grant->operations & OPS_GC, 0);
	assert_string_equal(keys[1].name, "*");
	assert_int_equal(keys[1].grant->systems.count, 0);
	assert_string_equal(keys[1].grant->features.items[0], "kvm");
	resolved_free(&r);
}

/* Also where none of its keys is the caller's: who is nobody gets [key *] only in a policy that names nobody. */
static void what_no_caller_is_still_makes_a_policy_know_identities(void **unused)
{
	struct resolved r = resolve_for(&(struct caller){ .key_name = NULL }, "[key a]\nfingerprint = " PRINT_A "\n[key *]\n");

	(void)unused;
	assert_int_equal(r.p.key_count, 1);
	assert_true(r.p.knows_identities);
	resolved_free(&r);
}

/* Each has its fault in sections that are not the caller's, and is told as it is of the whole policy. */
static void no_fault_of_another_key_goes_unnoticed(void **unused)
{
#define SIGNED(name) "[key " name "]\ncertificate-authority = " PRINT_A "\n"
	static const char *const texts[] = {
		"[key bob]\nrole = none\n",
		"[key bob]\nsytems = *\n",
		"[key bob]\nsystems = a b! c\n",
		"[key bob]\ncores = 1\ncores = 1\n",
		"[key bob]\nprincipal = bob\n",
		"[key bob]\nmax-upload = 1G\n",
		"[key bob]\nrelay = exec\nsystems = x\n",
		"[key bob]\nsystems = x\n[key carol]\nrelay = exec\nsystems = y\n[key dave]\nrelay = exec\ncores = 2\n",
		"[role r]\nrelay = exec\ncores = 2\n[key bob]\nrole = r\n[key carol]\nrole = r\n",
		"[gateway]\naccount = untrusted\n[key bob]\ntrust = none\n[key carol]\ntrust = full\n",
		"[gateway]\nsandbox = require\n[key bob]\nrelay = exec\n",
		"[key bob]\nfingerprint = " PRINT_B "\n[key carol]\nfingerprint = " PRINT_B "\n",
		"[key bob]\nfingerprint = " PRINT_B "\nfingerprint = " PRINT_B "\n",
		SIGNED("bob") "principal = b\n" SIGNED("carol") "principal = b\nsystems = x\n",
		SIGNED("bob") "principal = b\nkey-id = k\n[key dave]\n" SIGNED("carol") "key-id = k\n",
		"[key bob]\nrelay = exec\nsystems = x\n[key carol]\nfoo = 1\n",
	};
	static const struct caller callers[] = { { .key_name = "alice" }, { .fingerprint = PRINT_A }, { .key_name = NULL } };

	(void)unused;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct resolved whole = resolve_text(texts[i]);

		assert_true(faults_any(&whole.faults));
		for (size_t c = 0; c < sizeof callers / sizeof *callers; c++) {
			struct resolved one = resolve_for(&callers[c], texts[i]);

			if (one.faults.count != whole.faults.count)
				fail_msg("%zu faults instead of %zu: %s", one.faults.count, whole.faults.count, texts[i]);
			for (size_t f = 0; f < one.faults.count; f++) {
				assert_int_equal(one.faults.items[f].line, whole.faults.items[f].line);
				assert_string_equal(one.faults.items[f].text, whole.faults.items[f].text);
			}
			resolved_free(&one);
		}
		resolved_free(&whole);
	}
}

static void a_narrow_setting_needs_the_filter(void **unused)
{
	struct grant grant = { .relay = RELAY_EXEC, .protocols = PROTOCOL_SSH };
	struct gateway_settings gateway = { .sandbox = CONFINE_AUTO };
	struct key key = { .grant = &grant };
	struct faults faults = { .items = NULL };

	(void)unused;
	resolve_check_relay(&key, &gateway, &faults);
	assert_false(faults_any(&faults));              /* nothing was set, so nothing is promised */
	grant.rules[GRANT_PROTOCOLS].line = 3;      /* decided before the session starts */
	grant.rules[GRANT_RELAY].line = 4;
	grant.rules[GRANT_SYSTEMS].line = 5;
	grant.systems.any = true;
	resolve_check_relay(&key, &gateway, &faults);
	assert_false(faults_any(&faults));
	grant.systems.any = false;
	grant.rules[GRANT_TIMEOUT].line = 6;
	resolve_check_relay(&key, &gateway, &faults);
	assert_int_equal(faults.count, 2);
	assert_int_equal(faults.items[0].line, 5);
	assert_string_equal(faults.items[0].text,
			    "'systems' needs relay = filter: with relay = exec nothing stands between "
			    "the key and the daemon");
	assert_int_equal(faults.items[1].line, 6);
	faults_free(&faults);
	grant.relay = RELAY_FILTER;
	resolve_check_relay(&key, &gateway, &faults);
	assert_false(faults_any(&faults));
}

/* What becomes Nix itself cannot be confined as the gateway is. */
static void exec_contradicts_a_required_sandbox(void **unused)
{
	struct grant grant = { .relay = RELAY_EXEC };
	struct gateway_settings gateway = { .sandbox = CONFINE_REQUIRE };
	struct key key = { .grant = &grant };
	struct faults faults = { .items = NULL };

	(void)unused;
	grant.rules[GRANT_RELAY].line = 4;
	resolve_check_relay(&key, &gateway, &faults);
	assert_int_equal(faults.count, 1);
	assert_int_equal(faults.items[0].line, 4);
	assert_string_equal(faults.items[0].text, "'relay = exec' leaves nothing of the gateway to confine, and [gateway] "
						  "says sandbox = require");
	grant.relay = RELAY_FILTER;
	resolve_check_relay(&key, &gateway, &faults);
	assert_int_equal(faults.count, 1);
	faults_free(&faults);
}

static void full_trust_needs_a_trusted_account(void **unused)
{
	struct grant grant = { .trust = TRUST_FULL };
	struct key key = { .grant = &grant };
	struct gateway_settings gateway = { .account = ACCOUNT_ANY };
	struct faults faults = { .items = NULL };

	(void)unused;
	grant.rules[GRANT_TRUST].line = 8;
	resolve_check_trust(&key, &gateway, &faults);
	assert_false(faults_any(&faults));
	gateway.account = ACCOUNT_UNTRUSTED;
	resolve_check_trust(&key, &gateway, &faults);
	assert_int_equal(faults.count, 1);
	assert_int_equal(faults.items[0].line, 8);
	grant.trust = TRUST_SIGNED;
	faults_free(&faults);
	resolve_check_trust(&key, &gateway, &faults);
	assert_false(faults_any(&faults));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_later_of_default_role_and_key_wins_and_is_named),
		cmocka_unit_test(keys_that_set_nothing_share_a_grant_and_others_do_not_change_it),
		cmocka_unit_test(a_key_has_its_identity_as_written),
		cmocka_unit_test(a_policy_of_names_alone_knows_no_identities),
		cmocka_unit_test(the_gateway_and_the_environment_are_read),
		cmocka_unit_test(all_faults_are_told_in_order),
		cmocka_unit_test(of_a_policy_for_one_caller_only_its_keys_stay),
		cmocka_unit_test(what_no_caller_is_still_makes_a_policy_know_identities),
		cmocka_unit_test(no_fault_of_another_key_goes_unnoticed),
		cmocka_unit_test(a_narrow_setting_needs_the_filter),
		cmocka_unit_test(exec_contradicts_a_required_sandbox),
		cmocka_unit_test(full_trust_needs_a_trusted_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
