/* What is read and made before a session: policy, keys, environment, records. With less memory than that takes, there is an
 * error and nothing else: not a part of a policy, not a part of a record. */
#include "tests/unit/no_memory/scarce.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/audit/audit.h"
#include "gateway/base/log.h"
#include "gateway/env/environment.h"
#include "gateway/env/nix.h"
#include "gateway/identity/auth_info.h"
#include "policy/load.h"

static void count_fault(void *context, const struct policy_fault *fault)
{
	(void)fault;
	++*(size_t *)context;
}

/* A policy's file, and for whom it is loaded; NULL: whole. */
struct load {
	const char *path;
	const struct caller *caller;
};

static bool load_policy(void *context)
{
	const struct load *load = context;
	struct policy *p;
	size_t faults = 0;
	bool loaded, hit;

	scarce_begin();
	loaded = policy_load_for(load->caller, load->path, POLICY_OWNER_IGNORED, &p, count_fault, &faults);
	hit = scarce_end();
	if (loaded == hit || (p != NULL) != loaded || (faults == 0) != loaded)
		fail_msg("allocation %zu of %s: loaded %d, %zu faults", scarce.at, load->path, loaded, faults);
	policy_free(p);
	return hit;
}

static void a_policy_is_loaded_whole_or_is_a_fault(void **unused)
{
	static const char *const files[] = { "policy/examples/policy.ini", "policy/examples/named-keys.ini",
					     "policy/examples/team.ini" };
	static const struct caller alice = { .key_name = "alice" };

	(void)unused;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		assert_true(scarce_case(load_policy, &(struct load){ files[i], NULL }) > 10);
		assert_true(scarce_case(load_policy, &(struct load){ files[i], &alice }) > 10);
	}
}

/* A file that is wrong already: the faults that cannot be kept are still faults. */
static bool load_faulty_policy(void *context)
{
	struct policy *p;
	size_t faults = 0;
	bool loaded, hit;

	scarce_begin();
	loaded = policy_load(context, POLICY_OWNER_IGNORED, &p, count_fault, &faults);
	hit = scarce_end();
	assert_false(loaded);
	assert_null(p);
	assert_true(faults > 0);
	return hit;
}

static void a_faulty_policy_stays_one(void **unused)
{
	static char name[] = "/tmp/nix-gateway-unit.XXXXXX";
	static const char text[] = "[default]\nsystem = x\nsystems = a a\nfoo = 1\n[key a]\nrole = none\n[role x\n";
	int fd = mkstemp(name);

	(void)unused;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
	close(fd);
	assert_true(scarce_case(load_faulty_policy, name) > 3);
	unlink(name);
}

struct line {
	char type[64], base64[8192];
};

static struct line line_of(const char *path)
{
	FILE *file = fopen(path, "re");
	struct line line;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%63s %8191s", line.type, line.base64), 2);
	fclose(file);
	return line;
}

static bool parse_key(void *context)
{
	const struct line *line = context;
	struct ssh_identity who;
	char why[SENTENCE_MAX] = "";
	enum err err;
	bool hit;

	scarce_begin();
	err = ssh_key_parse_words(line->type, line->base64, &who, why);
	hit = scarce_end();
	assert_int_equal(err, hit ? ERR_MEMORY : ERR_NONE);
	assert_int_equal(who.fingerprint[0] == '\0', hit);
	assert_int_equal(why[0] != '\0', hit);
	ssh_key_free(&who);
	return hit;
}

static void a_key_is_known_whole_or_not_at_all(void **unused)
{
	static const char *const files[] = { "tests/corpus/ssh/ed25519.pub", "tests/corpus/ssh/rsa-cert.pub",
					     "tests/corpus/ssh/ed25519-cert-3.pub" };

	(void)unused;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct line line = line_of(files[i]);

		assert_true(scarce_case(parse_key, &line) > (i > 0 ? 2 : 0));
	}
}

static bool read_auth_info(void *context)
{
	struct ssh_identity who;
	char why[SENTENCE_MAX] = "";
	enum err err;
	bool hit;

	scarce_begin();
	err = auth_info_read(context, &who, why);
	hit = scarce_end();
	assert_int_equal(err != ERR_NONE, hit);
	assert_int_equal(who.fingerprint[0] == '\0', hit);
	assert_int_equal(why[0] != '\0', hit);
	ssh_key_free(&who);
	return hit;
}

static void what_sshd_says_is_known_whole_or_not_at_all(void **unused)
{
	char name[] = "/tmp/nix-gateway-unit.XXXXXX";
	struct line key = line_of("tests/corpus/ssh/ed25519-cert-3.pub");
	int fd = mkstemp(name);

	(void)unused;
	assert_true(fd >= 0);
	assert_true(dprintf(fd, "publickey %s %s\n", key.type, key.base64) > 0);
	close(fd);
	assert_true(scarce_case(read_auth_info, name) > 3);
	unlink(name);
}

static bool build_environment(void *context)
{
	struct environment env;
	enum err err;
	bool hit;

	scarce_begin();
	err = environment_build(context, &env);
	hit = scarce_end();
	assert_int_equal(err, hit ? ERR_MEMORY : ERR_NONE);
	assert_int_equal(env.count == 0, hit);
	assert_int_equal(env.items == NULL, hit);
	environment_free(&env);
	return hit;
}

static void an_environment_is_whole_or_empty(void **unused)
{
	char name[] = "alice", home[] = "/home/alice", shell[] = "/bin/sh";
	struct account account = { .name = name, .home = home, .shell = shell };
	struct environment_pair extra[] = { { "http_proxy", "http://proxy" }, { "LANG", "C" } };
	struct environment_plan plan = { .account = &account, .nix_folder = "/nix/bin", .daemon = true,
					 .socket = "/run/nix", .store_dir = "/store", .extra = extra, .extra_count = 2 };

	(void)unused;
	assert_true(scarce_case(build_environment, &plan) > 8);
}

static bool read_account(void *context)
{
	struct account account;
	char why[SENTENCE_MAX] = "";
	enum err err;
	bool hit;

	(void)context;
	scarce_begin();
	err = account_read(getuid(), &account, why);
	hit = scarce_end();
	assert_int_equal(err, hit ? ERR_MEMORY : ERR_NONE);
	assert_int_equal(account.name == NULL || account.home == NULL || account.shell == NULL, hit);
	assert_int_equal(why[0] != '\0', hit);
	account_free(&account);
	return hit;
}

static void an_account_is_known_whole_or_not_at_all(void **unused)
{
	(void)unused;
	assert_true(scarce_case(read_account, NULL) > 2);
}

static bool find_nix(void *context)
{
	struct nix nix;
	char why[SENTENCE_MAX] = "";
	enum err err;
	bool hit;

	scarce_begin();
	err = nix_find(context, &nix, why);
	hit = scarce_end();
	if (hit) {
		assert_int_equal(err, ERR_MEMORY);
		assert_null(nix.daemon);
		assert_string_not_equal(why, "");
	}
	nix_free(&nix);
	return hit;
}

static void a_search_for_nix_names_its_end(void **unused)
{
	static const char *const nowhere[] = { "/nowhere/bin", "~/nowhere", "/etc", "/USER/bin", NULL };
	char name[] = "alice", home[] = "/home/alice", shell[] = "/bin/sh";
	struct account account = { .name = name, .home = home, .shell = shell };
	struct nix_search search = { .account = &account, .folders = nowhere };

	(void)unused;
	assert_true(scarce_case(find_nix, &search) > 4);
}

static bool write_record(void *context)
{
	const struct audit_field fields[] = { { .name = "drv", .text = "a\n\"b" },
					      { .name = "seconds", .kind = AUDIT_NUMBER, .number = 7 } };
	struct audit *audit = context;
	off_t before = lseek(audit->file, 0, SEEK_END);
	char why[SENTENCE_MAX] = "";
	enum err err;
	bool hit;

	scarce_begin();
	err = audit_write(audit, "build", fields, 2, why);
	hit = scarce_end();
	assert_int_equal(err != ERR_NONE, hit);
	assert_int_equal(why[0] != '\0', hit);
	assert_int_equal(lseek(audit->file, 0, SEEK_END) == before, hit);
	return hit;
}

static void a_record_is_written_whole_or_is_an_error(void **unused)
{
	char name[] = "/tmp/nix-gateway-unit.XXXXXX";
	struct audit audit;

	(void)unused;
	audit_init(&audit);
	audit.places = AUDIT_TO_FILE;
	audit.path = name;
	audit.key = "alice";
	audit.file = mkstemp(name);
	assert_true(audit.file >= 0);
	unlink(name);
	assert_true(scarce_case(write_record, &audit) > 0);
	audit_close(&audit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_is_loaded_whole_or_is_a_fault),
		cmocka_unit_test(a_faulty_policy_stays_one),
		cmocka_unit_test(a_key_is_known_whole_or_not_at_all),
		cmocka_unit_test(what_sshd_says_is_known_whole_or_not_at_all),
		cmocka_unit_test(an_environment_is_whole_or_empty),
		cmocka_unit_test(an_account_is_known_whole_or_not_at_all),
		cmocka_unit_test(a_search_for_nix_names_its_end),
		cmocka_unit_test(a_record_is_written_whole_or_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
