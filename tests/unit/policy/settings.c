#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/settings.h"
#include "policy/values.h"

static void every_member_of_a_grant_has_one_row(void **unused)
{
	(void)unused;
	for (int grant = 0; grant < GRANT_SETTINGS; grant++) {
		const struct setting *s = setting_of_grant((enum grant_setting)grant);
		size_t rows = 0;

		assert_non_null(s);
		assert_int_equal(s->sections, SECTION_GRANTS);
		for (size_t i = 0; i < settings_count; i++)
			rows += settings[i].grant == grant;
		assert_int_equal(rows, 1);
	}
}

static void names_are_unique_in_each_section_and_found(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < settings_count; i++) {
		for (unsigned section = SECTION_GATEWAY; section <= SECTION_KEY; section <<= 1) {
			if ((settings[i].sections & section) != 0)
				assert_ptr_equal(setting_find(settings[i].name, (enum section_kind)section),
						 &settings[i]);
		}
		assert_int_equal(setting_number(&settings[i]), i);
	}
	assert_null(setting_find("systems", SECTION_GATEWAY));
	assert_null(setting_find("system", SECTION_KEY));
}

static void rows_have_what_their_kind_needs(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings[i];
		bool words = s->kind == VALUE_BITS || s->kind == VALUE_ONE_OF;
		bool form = s->kind == VALUE_LIST || s->kind == VALUE_FINGERPRINTS || s->kind == VALUE_TEXT;
		bool number = s->kind == VALUE_COUNT || s->kind == VALUE_SIZE || s->kind == VALUE_TIME;

		assert_int_equal(s->words != NULL, words);
		assert_int_equal(s->form != NULL && s->what != NULL, form);
		assert_int_equal(s->most > s->least, number);
		assert_true(s->sections != 0);
	}
}

static void defaults_are_those_of_the_manual(void **unused)
{
	struct pool *pool = pool_new();
	struct grant g;
	struct gateway_settings gateway;

	(void)unused;
	assert_true(default_grant(&g, pool));
	assert_int_equal(g.protocols, PROTOCOL_SSH_NG | PROTOCOL_SSH);
	assert_int_equal(g.systems.count, 0);
	assert_false(g.systems.any);
	assert_int_equal(g.derivations, KIND_INPUT_ADDRESSED | KIND_FIXED_OUTPUT);
	assert_int_equal(g.operations, OPS_QUERY | OPS_BUILD | OPS_UPLOAD | OPS_DOWNLOAD | OPS_SUBSTITUTE);
	assert_int_equal(g.relaxations, 0);
	assert_int_equal(g.trust, TRUST_NONE);
	assert_int_equal(g.unsigned_uploads, UNSIGNED_DEFAULT);
	assert_int_equal(g.impure_env_vars.count, 19);
	assert_string_equal(g.impure_env_vars.items[18], "NETRC");
	assert_true(g.idle_time.set);
	assert_int_equal(g.idle_time.value, 30 * 60);
	assert_int_equal(g.stall_time.value, 60);
	assert_false(g.timeout.set);
	assert_int_equal(g.relay, RELAY_FILTER);
	for (size_t i = 0; i < GRANT_SETTINGS; i++)
		assert_int_equal(g.rules[i].line, 0);

	assert_true(default_gateway(&gateway, pool));
	assert_null(gateway.nix);
	assert_int_equal(gateway.daemon, DAEMON_AUTO);
	assert_string_equal(gateway.store_dir, "/nix/store");
	assert_string_equal(gateway.state_dir, "/run/nix-gateway");
	assert_int_equal(gateway.audit, AUDIT_AUTO);
	assert_int_equal(gateway.account, ACCOUNT_ANY);
	pool_free(pool);
}

/* Reads `text` as the grant's setting `name`; returns the fault, "" if there is none. */
static const char *read_setting(const char *name, const char *text, struct grant *g)
{
	static char why[POLICY_TEXT_MAX];
	struct pool *pool = pool_new();
	struct faults faults = { .items = NULL };
	struct reading r = { .pool = pool, .faults = &faults, .line = 9 };
	bool fine;

	assert_true(default_grant(g, pool));
	fine = value_read(setting_find(name, SECTION_KEY), pool_text(pool, text), g, &r);
	assert_int_equal(fine, !faults_any(&faults));
	memcpy(why, faults.count > 0 ? faults.items[0].text : "", faults.count > 0 ? sizeof why : 1);
	faults_free(&faults);
	pool_free(pool);
	return why;
}

static void what_nothing_enforces_loads_only_where_it_takes_nothing_away(void **unused)
{
	struct grant g;

	(void)unused;
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings[i];

		if (s->grant == NO_GRANT || s->enforced)
			continue;
		if (s->permissive != NULL)
			assert_string_equal(read_setting(s->name, s->permissive, &g), "");
		if (s->initial != NULL)
			assert_non_null(
			    strstr(read_setting(s->name, s->initial, &g), "not supported by this version yet"));
	}
	assert_non_null(strstr(read_setting("max-upload", "5G", &g), "'max-upload' is not supported"));
	assert_non_null(strstr(read_setting("weight", "2", &g), "'weight' is not supported"));
	assert_non_null(strstr(read_setting("remote-stores", "ssh-ng://other", &g), "not supported"));
}

static void what_is_enforced_loads_with_any_value(void **unused)
{
	struct grant g;

	(void)unused;
	assert_string_equal(read_setting("protocols", "ssh-ng", &g), "");
	assert_int_equal(g.protocols, PROTOCOL_SSH_NG);
	assert_string_equal(read_setting("protocols", "ssh", &g), "");
	assert_int_equal(g.protocols, PROTOCOL_SSH);
	assert_string_equal(read_setting("protocols", "", &g), "");
	assert_int_equal(g.protocols, 0);
	assert_string_equal(read_setting("protocols", "*", &g), "");
	assert_int_equal(g.protocols, PROTOCOL_SSH | PROTOCOL_SSH_NG);
	assert_string_equal(read_setting("systems", "x86_64-linux i686-linux", &g), "");
	assert_int_equal(g.systems.count, 2);
	assert_string_equal(read_setting("derivations", "content-addressed", &g), "");
	assert_int_equal(g.derivations, KIND_CONTENT_ADDRESSED);
	assert_string_equal(read_setting("trust", "signed", &g), "");
	assert_int_equal(g.trust, TRUST_SIGNED);
	assert_string_equal(read_setting("unsigned-uploads", "refuse", &g), "");
	assert_int_equal(g.unsigned_uploads, UNSIGNED_REFUSE);
	assert_string_equal(read_setting("relay", "exec", &g), "");
	assert_int_equal(g.relay, RELAY_EXEC);
	assert_string_equal(read_setting("keep-failed", "true", &g), "");
	assert_true(g.keep_failed.set && g.keep_failed.value == 1);
}

/* To ask for every feature would be asked of each derivation; to believe every key is trust = full. */
static void everything_is_no_value_for_what_must_be_named(void **unused)
{
	struct grant g;

	(void)unused;
	assert_non_null(strstr(read_setting("mandatory-features", "*", &g), "'*' is not a feature"));
	assert_non_null(strstr(read_setting("trusted-public-keys", "*", &g), "'*' is not a public key"));
	assert_non_null(strstr(read_setting("remote-stores", "*", &g), "'*' is not a store's URI"));
}

/* Numbers are read whether enforced or not; what was read is seen in `base` though the loader then refuses it. */
static void numbers_have_units(void **unused)
{
	struct grant g;

	(void)unused;
	read_setting("timeout", "2h", &g);
	assert_int_equal(g.timeout.value, 7200);
	read_setting("timeout", "90", &g);
	assert_int_equal(g.timeout.value, 90);
	read_setting("session-time", "3d", &g);
	assert_int_equal(g.session_time.value, 3 * 86400);
	read_setting("max-upload", "3K", &g);
	assert_int_equal(g.max_upload.value, 3072);
	read_setting("max-upload", "2T", &g);
	assert_true(g.max_upload.value == UINT64_C(2) << 40);
	read_setting("use-substitutes", "false", &g);
	assert_true(g.use_substitutes.set);
	assert_int_equal(g.use_substitutes.value, 0);
	assert_non_null(strstr(read_setting("timeout", "2G", &g), "is not a time"));
	assert_non_null(strstr(read_setting("max-upload", "2h", &g), "is not a size"));
	assert_non_null(strstr(read_setting("max-upload", "2k", &g), "is not a size"));
	assert_non_null(strstr(read_setting("cores", "2K", &g), "is not a number"));
	assert_non_null(strstr(read_setting("max-upload", "16777217T", &g), "too large"));
	assert_non_null(strstr(read_setting("timeout", "0", &g), "too small"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_of_a_grant_has_one_row),
		cmocka_unit_test(names_are_unique_in_each_section_and_found),
		cmocka_unit_test(rows_have_what_their_kind_needs),
		cmocka_unit_test(defaults_are_those_of_the_manual),
		cmocka_unit_test(what_nothing_enforces_loads_only_where_it_takes_nothing_away),
		cmocka_unit_test(what_is_enforced_loads_with_any_value),
		cmocka_unit_test(everything_is_no_value_for_what_must_be_named),
		cmocka_unit_test(numbers_have_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
