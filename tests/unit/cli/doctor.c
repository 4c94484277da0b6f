/* The judges of doctor, with made-up builders: what the end-to-end tests cannot have on this machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/cli/doctor.h"
#include "gateway/sandbox/sandbox.h"

struct made {
	struct doctor doctor;
	struct builder builder;
	struct policy policy;
	struct key key;
	struct grant grant;
	char name[16], folder[16], program[32];
};

static int make(void **state)
{
	struct made *m = calloc(1, sizeof *m);

	if (m == NULL)
		return -1;
	memcpy(m->name, "builder", sizeof "builder");
	memcpy(m->folder, "/usr/bin", sizeof "/usr/bin");
	memcpy(m->program, "/usr/bin/nix-daemon", sizeof "/usr/bin/nix-daemon");
	m->builder.account.name = m->builder.account.home = m->builder.account.shell = m->name;
	m->builder.nix.folder = m->folder;
	m->builder.nix.daemon = m->program;
	m->builder.policy = &m->policy;
	m->key.name = m->name;
	m->key.grant = &m->grant;
	m->policy.keys = &m->key;
	m->policy.key_count = 1;
	m->grant.systems.any = m->grant.features.any = true;
	m->doctor.builder = &m->builder;
	m->doctor.audience = FOR_ROOT;
	m->doctor.policy_path = POLICY_PATH;
	m->doctor.program = "/usr/local/bin/nix-gateway";
	m->doctor.nix.found = m->doctor.nix.answers = m->doctor.daemon.answers = true;
	*state = m;
	return 0;
}

static int discard(void **state)
{
	free(*state);
	return 0;
}

static struct finding judged(const struct made *m, const struct check *checks, const char *name)
{
	struct finding f = { .grade = GRADE_OK };

	for (; checks->name != NULL; checks++)
		if (strcmp(checks->name, name) == 0)
			checks->judge(&m->doctor, &f);
	assert_true(f.text[0] != '\0');
	return f;
}

static void assert_release(struct made *m, const char *version, bool lix, enum grade grade, const char *words)
{
	struct finding f;

	snprintf(m->doctor.daemon.version, sizeof m->doctor.daemon.version, "%s", version);
	m->doctor.nix.version.lix = lix;
	f = judged(m, checks_of_nix, "release");
	if (f.grade != grade || strstr(f.text, words) == NULL)
		fail_msg("%s: %d %s", version, (int)f.grade, f.text);
}

static void each_line_of_nix_has_a_first_mended_release(void **state)
{
	assert_release(*state, "2.34.7", false, GRADE_OK, "Nix 2.34.7");
	assert_release(*state, "2.34.6", false, GRADE_WARN, "older than 2.34.7");
	assert_release(*state, "2.34.10pre20260501_abc", false, GRADE_OK, "");
	assert_release(*state, "2.35.0", false, GRADE_OK, "");
	assert_release(*state, "3.0.1", false, GRADE_OK, "");
	assert_release(*state, "2.30.4", false, GRADE_WARN, "older than 2.30.5");
	assert_release(*state, "2.28.7", false, GRADE_OK, "");
	assert_release(*state, "2.27.99", false, GRADE_WARN, "older than 2.34.7");
	assert_release(*state, "2.8.0", false, GRADE_WARN, "as released by its project; distributions back-port");
	assert_release(*state, "2.26", false, GRADE_WARN, "older than");
	assert_release(*state, "unknown", false, GRADE_WARN, "is not known");
	assert_release(*state, "0.0", false, GRADE_WARN, "is not known");
}

static void lix_counts_by_itself(void **state)
{
	assert_release(*state, "2.93.4", true, GRADE_OK, "Lix 2.93.4");
	assert_release(*state, "2.93.3", true, GRADE_WARN, "Lix 2.93.3 is older than 2.93.4");
	assert_release(*state, "2.95.2", true, GRADE_OK, "");
	assert_release(*state, "2.94.0-lix", false, GRADE_WARN, "Lix");
	assert_release(*state, "2.91.1", true, GRADE_WARN, "older than 2.95.2");
}

static void the_program_is_believed_where_the_daemon_says_nothing(void **state)
{
	struct made *m = *state;

	snprintf(m->doctor.nix.version.number, sizeof m->doctor.nix.version.number, "2.34.8");
	assert_release(m, "", false, GRADE_OK, "Nix 2.34.8");
	m->doctor.daemon.answers = false;
	assert_release(m, "2.3.0", false, GRADE_OK, "Nix 2.34.8");
}

static void a_daemon_that_takes_its_time_is_remarked_on(void **state)
{
	struct made *m = *state;

	m->doctor.daemon.took_ms = 1999;
	assert_int_equal(judged(m, checks_of_nix, "daemon").grade, GRADE_OK);
	m->doctor.daemon.took_ms = 2001;
	assert_int_equal(judged(m, checks_of_nix, "daemon").grade, GRADE_WARN);
}

static void assert_account(struct made *m, enum account_trust wanted, enum hello_trust trust, enum grade grade)
{
	struct finding f;

	m->policy.gateway.account = wanted;
	m->doctor.daemon.trust = trust;
	f = judged(m, checks_of_nix, "account");
	if (f.grade != grade)
		fail_msg("%d", (int)f.grade);
	assert_int_equal(f.mend[0] != '\0', grade != GRADE_OK && trust != HELLO_TRUST_UNKNOWN);
}

static void the_accounts_trust_is_measured_by_policy_and_keys(void **state)
{
	struct made *m = *state;

	assert_account(m, ACCOUNT_ANY, HELLO_TRUST_NOT_TRUSTED, GRADE_OK);
	assert_account(m, ACCOUNT_ANY, HELLO_TRUST_TRUSTED, GRADE_WARN);
	assert_account(m, ACCOUNT_ANY, HELLO_TRUST_UNKNOWN, GRADE_WARN);
	assert_account(m, ACCOUNT_TRUSTED, HELLO_TRUST_TRUSTED, GRADE_OK);
	assert_account(m, ACCOUNT_TRUSTED, HELLO_TRUST_NOT_TRUSTED, GRADE_FAIL);
	assert_account(m, ACCOUNT_UNTRUSTED, HELLO_TRUST_TRUSTED, GRADE_FAIL);
	assert_account(m, ACCOUNT_UNTRUSTED, HELLO_TRUST_NOT_TRUSTED, GRADE_OK);
	m->grant.trust = TRUST_FULL;
	assert_account(m, ACCOUNT_ANY, HELLO_TRUST_TRUSTED, GRADE_OK);
	assert_account(m, ACCOUNT_ANY, HELLO_TRUST_NOT_TRUSTED, GRADE_WARN);
	m->grant.relay = RELAY_EXEC;
	assert_account(m, ACCOUNT_ANY, HELLO_TRUST_TRUSTED, GRADE_FAIL);
}

static void what_locks_sessions_in_is_measured_by_the_policy(void **state)
{
	static const struct {
		enum confine wanted;
		unsigned locks;
		enum grade grade;
	} rows[] = {
		{ CONFINE_AUTO, SANDBOX_CALLS | SANDBOX_FILES, GRADE_OK },
		{ CONFINE_REQUIRE, SANDBOX_CALLS, GRADE_OK },
		{ CONFINE_AUTO, SANDBOX_FILES, GRADE_WARN },
		{ CONFINE_REQUIRE, SANDBOX_FILES, GRADE_FAIL },
		{ CONFINE_OFF, 0, GRADE_WARN },
	};
	struct made *m = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		m->policy.gateway.sandbox = rows[i].wanted;
		m->doctor.confinement.locks = rows[i].locks;
		assert_int_equal(judged(m, checks_of_confinement, "confinement").grade, rows[i].grade);
	}
}

static void no_cure_is_a_command_that_the_account_could_have_written(void **state)
{
	struct made *m = *state;
	struct finding f;

	m->doctor.home.fault = "belongs to the account";
	snprintf(m->doctor.home.path, sizeof m->doctor.home.path, "/srv/home");
	assert_string_equal(judged(m, checks_of_account, "home").mend, "chown root '/srv/home' && chmod go-w '/srv/home'");
	snprintf(m->doctor.home.path, sizeof m->doctor.home.path, "/srv/a'; reboot; '");
	f = judged(m, checks_of_account, "home");
	assert_int_equal(f.grade, GRADE_FAIL);
	assert_null(strstr(f.mend, "reboot"));
}

static void every_check_says_something_of_a_builder_of_nothing(void **state)
{
	const struct check *const all[] = { checks_of_nix, checks_of_conf, checks_of_account, check_of_sshd,
					    checks_of_sshd_way, checks_of_sshd_doors, checks_of_confinement };
	struct made *m = *state;

	snprintf(m->doctor.sshd_fault, sizeof m->doctor.sshd_fault, "there is no sshd");
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		for (const struct check *check = all[i]; check->name != NULL; check++) {
			struct finding f = { .grade = GRADE_OK };

			check->judge(&m->doctor, &f);
			if (f.text[0] == '\0')
				fail_msg("%s", check->name);
		}
}

#define MADE(test) cmocka_unit_test_setup_teardown(test, make, discard)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MADE(each_line_of_nix_has_a_first_mended_release),
		MADE(lix_counts_by_itself),
		MADE(the_program_is_believed_where_the_daemon_says_nothing),
		MADE(a_daemon_that_takes_its_time_is_remarked_on),
		MADE(the_accounts_trust_is_measured_by_policy_and_keys),
		MADE(what_locks_sessions_in_is_measured_by_the_policy),
		MADE(no_cure_is_a_command_that_the_account_could_have_written),
		MADE(every_check_says_something_of_a_builder_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
