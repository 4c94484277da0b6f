#include "tests/unit/env/place.h"

#include "gateway/env/environment.h"

static const struct account builder = { .uid = 7, .name = (char[]){ "builder" }, .home = (char[]){ "/home/builder" },
					.shell = (char[]){ "/sbin/nologin" } };

static struct environment built(struct environment_plan plan)
{
	struct environment e;

	plan.account = &builder;
	assert_int_equal(environment_build(&plan, &e), ERR_NONE);
	assert_null(e.items[e.count]);
	return e;
}

static void assert_value(const struct environment *e, const char *name, const char *value)
{
	const char *found = environment_value(e, name);

	if (value == NULL) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found, value);
}

static void the_whole_environment_is_these_variables(void **state)
{
	static const char *const expected[] = { "HOME=/home/builder", "USER=builder", "LOGNAME=builder",
						"SHELL=/sbin/nologin", "PATH=/opt/nix/bin:/usr/bin", "LANG=C.UTF-8" };
	const struct place *p = *state;
	struct environment e;

	make_folder(p, "/usr/bin");
	e = built((struct environment_plan){ .root = p->folder, .nix_folder = "/opt/nix/bin" });
	assert_int_equal(e.count, sizeof expected / sizeof *expected);
	for (size_t i = 0; i < e.count; i++)
		assert_string_equal(e.items[i], expected[i]);
	environment_free(&e);
	environment_free(&e);
	assert_null(e.items);
}

static void nothing_of_our_own_environment_passes(void **state)
{
	static const char *const names[] = { "LD_PRELOAD_", "NIX_CONFIG", "NIX_REMOTE", "BASH_ENV", "SSH_USER_AUTH",
					     "TMPDIR", "XDG_CONFIG_HOME", "NIX_SSL_CERT_FILE", "IFS", "TERM" };
	const struct place *p = *state;
	struct environment e;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(setenv(names[i], "forged", 1), 0);
	setenv("HOME", "/forged", 1);
	setenv("PATH", "/forged", 1);
	setenv("LANG", "forged", 1);
	setenv("SHELL", "/forged", 1);
	e = built((struct environment_plan){ .root = p->folder });
	for (size_t i = 0; i < e.count; i++)
		assert_null(strstr(e.items[i], "forged"));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_value(&e, names[i], NULL);
	environment_free(&e);
}

static void path_has_each_folder_that_exists_once(void **state)
{
	const struct place *p = *state;
	struct environment e;

	make_folder(p, "/run/current-system/sw/bin");
	make_folder(p, "/bin");
	make_folder(p, "/usr/sbin");
	make_file(p, "/sbin", 0755, "not a folder");
	e = built((struct environment_plan){ .root = p->folder, .nix_folder = "/run/current-system/sw/bin" });
	assert_value(&e, "PATH", "/run/current-system/sw/bin:/bin:/usr/sbin");
	environment_free(&e);
	e = built((struct environment_plan){ .root = p->folder, .nix_folder = "/usr" });
	assert_value(&e, "PATH", "/usr:/run/current-system/sw/bin:/bin:/usr/sbin");
	environment_free(&e);
	e = built((struct environment_plan){ .root = p->folder, .nix_folder = "/usr/sbin" });
	assert_value(&e, "PATH", "/usr/sbin:/run/current-system/sw/bin:/bin");
	environment_free(&e);
	e = built((struct environment_plan){ .root = p->folder });
	assert_value(&e, "PATH", "/run/current-system/sw/bin:/bin:/usr/sbin");
	environment_free(&e);
}

static void the_first_certificates_that_can_be_read_are_taken(void **state)
{
	/* From the last resort to the first choice: each one made takes the place of the one before. */
	static const char *const files[] = {
		"/opt/nix/etc/ssl/certs/ca-bundle.crt",
		"/home/builder/.local/state/nix/profile/etc/ssl/certs/ca-bundle.crt",
		"/home/builder/.nix-profile/etc/ssl/certs/ca-bundle.crt",
		"/nix/var/nix/profiles/default/etc/ssl/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem", "/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/certs/ca-certificates.crt"
	};
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct environment e;

		make_file(p, files[i], 0644, "certificates");
		e = built((struct environment_plan){ .root = p->folder, .nix_folder = "/opt/nix/bin" });
		assert_value(&e, "NIX_SSL_CERT_FILE", files[i]);
		environment_free(&e);
	}
}

static void certificates_that_cannot_be_read_are_passed_by(void **state)
{
	const struct place *p = *state;
	struct environment e;

	make_folder(p, "/etc/ssl/certs/ca-certificates.crt");
	make_file(p, "/etc/ssl/cert.pem", 0644, "certificates");
	if (geteuid() != 0)
		make_file(p, "/etc/pki/tls/certs/ca-bundle.crt", 0000, "certificates");
	e = built((struct environment_plan){ .root = p->folder });
	assert_value(&e, "NIX_SSL_CERT_FILE", "/etc/ssl/cert.pem");
	environment_free(&e);
}

static void the_daemon_is_named_where_it_is_used(void **state)
{
	const struct place *p = *state;
	struct environment e = built((struct environment_plan){ .root = p->folder, .store_dir = "/nix/store" });

	assert_value(&e, "NIX_REMOTE", NULL);
	assert_value(&e, "NIX_DAEMON_SOCKET_PATH", NULL);
	assert_value(&e, "NIX_STORE_DIR", NULL);
	environment_free(&e);
	e = built((struct environment_plan){ .root = p->folder, .daemon = true, .socket = "/run/nix.socket",
					     .store_dir = "/opt/store" });
	assert_value(&e, "NIX_REMOTE", "daemon");
	assert_value(&e, "NIX_DAEMON_SOCKET_PATH", "/run/nix.socket");
	assert_value(&e, "NIX_STORE_DIR", "/opt/store");
	environment_free(&e);
}

static void extra_variables_replace_those_of_their_name(void **state)
{
	static const struct environment_pair extra[] = { { "http_proxy", "http://proxy:3128" }, { "LANG", "C" },
							 { "LAN", "x" }, { "EMPTY", "" }, { "http_proxy", "a=b" } };
	const struct place *p = *state;
	struct environment e = built((struct environment_plan){ .root = p->folder, .extra = extra, .extra_count = 5 });

	assert_value(&e, "http_proxy", "a=b");
	assert_value(&e, "LANG", "C");
	assert_value(&e, "LAN", "x");
	assert_value(&e, "EMPTY", "");
	assert_value(&e, "HOME", "/home/builder");
	assert_int_equal(e.count, 9);
	environment_free(&e);
}

static void assert_refused(struct environment_pair extra, enum err err)
{
	struct environment_plan plan = { .account = &builder, .extra = &extra, .extra_count = 1 };
	struct environment e;

	assert_int_equal(environment_build(&plan, &e), err);
	assert_null(e.items);
	assert_int_equal(e.count, 0);
}

static void extra_variables_need_a_name(void **unused)
{
	static const char *const bad[] = { "", "A=B", "=", "A B", "A\n", "A\x7f" };

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_refused((struct environment_pair){ bad[i], "value" }, ERR_PROTO);
}

static void a_variable_is_bounded(void **unused)
{
	char *text = malloc(ENVIRONMENT_ITEM_MAX + 1);

	(void)unused;
	assert_non_null(text);
	memset(text, 'v', ENVIRONMENT_ITEM_MAX);
	text[ENVIRONMENT_ITEM_MAX] = '\0';
	assert_refused((struct environment_pair){ "A", text }, ERR_LIMIT);
	assert_refused((struct environment_pair){ text, "A" }, ERR_LIMIT);
	text[ENVIRONMENT_ITEM_MAX - 2] = '\0';
	assert_refused((struct environment_pair){ "A", text }, ERR_LIMIT);      /* one byte over, with "=" and NUL */
	free(text);
}

static void an_environment_is_bounded(void **state)
{
	enum { USUAL = 6 };             /* those of the account, PATH and LANG */
	const struct place *p = *state;
	struct environment_pair *many = calloc(ENVIRONMENT_MAX, sizeof *many);
	char (*names)[16] = calloc(ENVIRONMENT_MAX, sizeof *names);
	struct environment_plan plan = { .account = &builder, .root = p->folder, .extra = many,
					 .extra_count = ENVIRONMENT_MAX - USUAL };
	struct environment e;

	assert_non_null(many);
	assert_non_null(names);
	for (size_t i = 0; i < ENVIRONMENT_MAX; i++) {
		snprintf(names[i], sizeof names[i], "V%zu", i);
		many[i] = (struct environment_pair){ names[i], "v" };
	}
	assert_int_equal(environment_build(&plan, &e), ERR_NONE);
	assert_int_equal(e.count, ENVIRONMENT_MAX);
	assert_null(e.items[e.count]);
	environment_free(&e);
	plan.extra_count++;
	assert_int_equal(environment_build(&plan, &e), ERR_LIMIT);
	assert_null(e.items);
	free(many);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(the_whole_environment_is_these_variables),
		IN_PLACE(nothing_of_our_own_environment_passes),
		IN_PLACE(path_has_each_folder_that_exists_once),
		IN_PLACE(the_first_certificates_that_can_be_read_are_taken),
		IN_PLACE(certificates_that_cannot_be_read_are_passed_by),
		IN_PLACE(the_daemon_is_named_where_it_is_used),
		IN_PLACE(extra_variables_replace_those_of_their_name),
		cmocka_unit_test(extra_variables_need_a_name),
		cmocka_unit_test(a_variable_is_bounded),
		IN_PLACE(an_environment_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
