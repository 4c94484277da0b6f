#include "tests/unit/env/place.h"

#include "gateway/env/nix.h"

/* A table of folders below the place, as nix_find takes it. */
struct table {
	char text[4][PATH_MAX];
	const char *folders[5];
};

static struct table *table_of(const struct place *p, const char *first, const char *second, const char *third)
{
	const char *const at[] = { first, second, third };
	struct table *t = calloc(1, sizeof *t);

	assert_non_null(t);
	for (size_t i = 0; i < 3 && at[i] != NULL; i++)
		t->folders[i] = at[i][0] == '~' ? at[i] : path_at(p, at[i], t->text[i]);
	return t;
}

static void make_nix(const struct place *p, const char *folder, mode_t mode)
{
	char at[PATH_MAX], path[PATH_MAX];

	snprintf(at, sizeof at, "%s/nix", folder);
	make_file(p, at, mode, "");
	snprintf(at, sizeof at, "%s/nix-daemon", folder);
	assert_int_equal(symlink("nix", path_at(p, at, path)), 0);
	snprintf(at, sizeof at, "%s/nix-store", folder);
	assert_int_equal(symlink("nix", path_at(p, at, path)), 0);
}

/* Finds in the three folders, frees the table; home is /home of the place. */
static enum err find(const struct place *p, struct table *t, struct nix *n, char *why)
{
	char home[PATH_MAX], name[] = "builder", shell[] = "/bin/sh";
	struct account account = { .name = name, .home = home, .shell = shell };
	struct nix_search search = { .account = &account, .folders = t->folders };
	enum err err;

	path_at(p, "/home", home);
	err = nix_find(&search, n, why);
	free(t);
	return err;
}

static enum err find_configured(const char *folder, struct nix *n, char *why)
{
	struct nix_search search = { .configured = folder };

	return nix_find(&search, n, why);
}

static void assert_folder(const struct place *p, struct nix *n, const char *at)
{
	char path[PATH_MAX], program[PATH_MAX + 16];

	assert_string_equal(n->folder, path_at(p, at, path));
	snprintf(program, sizeof program, "%s/nix-daemon", path);
	assert_string_equal(n->daemon, program);        /* the link itself, for it is called by its name */
	snprintf(program, sizeof program, "%s/nix-store", path);
	assert_string_equal(n->store, program);
	nix_free(n);
	assert_null(n->daemon);
}

static void the_first_folder_that_has_it_is_taken(void **state)
{
	char why[SENTENCE_MAX];
	struct nix n;

	make_folder(*state, "/a");
	make_nix(*state, "/b", 0755);
	make_nix(*state, "/c", 0755);
	assert_int_equal(find(*state, table_of(*state, "/a", "/b", "/c"), &n, why), ERR_NONE);
	assert_int_equal(n.skipped_count, 0);
	assert_folder(*state, &n, "/b");
	assert_int_equal(find(*state, table_of(*state, "/missing", "/c", "/b"), &n, why), ERR_NONE);
	assert_folder(*state, &n, "/c");
}

static void home_and_user_are_the_accounts(void **state)
{
	char why[SENTENCE_MAX];
	struct nix n;

	make_nix(*state, "/home/.nix-profile/bin", 0755);
	assert_int_equal(find(*state, table_of(*state, "/a", "~/.nix-profile/bin", NULL), &n, why), ERR_NONE);
	assert_folder(*state, &n, "/home/.nix-profile/bin");
	make_nix(*state, "/per-user/builder/bin", 0755);
	assert_int_equal(find(*state, table_of(*state, "/per-user/USER/bin", NULL, NULL), &n, why), ERR_NONE);
	assert_folder(*state, &n, "/per-user/builder/bin");
}

static void the_usual_folders_are_looked_at_in_their_order(void **unused)
{
	static const char *const expected[] = {
		"/run/current-system/sw/bin", "/nix/var/nix/profiles/default/bin", "/etc/profiles/per-user/USER/bin",
		"~/.nix-profile/bin", "~/.local/state/nix/profile/bin", "/usr/local/bin", "/usr/bin",
		"/opt/homebrew/bin"
	};
	size_t count = sizeof expected / sizeof *expected;

	(void)unused;
	for (size_t i = 0; i < count; i++)
		assert_string_equal(nix_folders[i], expected[i]);
	assert_null(nix_folders[count]);
	assert_true(count <= NIX_FOLDERS_MAX);
}

static void one_that_others_can_write_is_skipped_and_named(void **state)
{
	char why[SENTENCE_MAX];
	struct nix n;

	make_nix(*state, "/a", 0775);
	make_nix(*state, "/b", 0755);
	assert_int_equal(find(*state, table_of(*state, "/a", "/b", NULL), &n, why), ERR_NONE);
	assert_int_equal(n.skipped_count, 1);
	assert_says(n.skipped[0], "/a/nix-daemon: '");
	assert_says(n.skipped[0], "can be written by others than its owner (mode 0775)");
	assert_folder(*state, &n, "/b");
}

static void when_none_can_be_taken_every_reason_is_named(void **state)
{
	char why[SENTENCE_MAX];
	struct nix n;

	make_nix(*state, "/a", 0775);
	make_nix(*state, "/b", 0755);
	set_mode(*state, "/b", 0777);
	make_folder(*state, "/c/nix-daemon");
	assert_int_equal(find(*state, table_of(*state, "/a", "/b", "/c"), &n, why), ERR_IO);
	assert_null(n.daemon);
	assert_null(n.folder);
	assert_int_equal(n.skipped_count, 3);
	assert_says(why, "no Nix on this builder can be taken (");
	assert_says(why, "(mode 0775); ");
	assert_says(why, "/b' can be written by others than its owner (mode 0777); ");
	assert_says(why, "/c/nix-daemon' is not a regular file)");
	assert_says(why, "set '[gateway] nix = FOLDER'");
	nix_free(&n);
	nix_free(&n);
}

static void when_there_is_none_the_cure_is_named(void **state)
{
	char why[SENTENCE_MAX];
	struct nix n;

	assert_int_equal(find(*state, table_of(*state, "/a", "/b", "~/c"), &n, why), ERR_IO);
	assert_string_equal(why, "no Nix was found on this builder: set '[gateway] nix = FOLDER' in the policy to the "
				 "folder that holds nix-daemon");
	nix_free(&n);
}

static void the_cure_is_kept_however_long_the_reasons_are(void **state)
{
	const struct place *p = *state;
	char why[SENTENCE_MAX], folder[200], at[4][256];
	struct table *t = calloc(1, sizeof *t);
	struct nix n;

	assert_non_null(t);
	memset(folder, 'f', sizeof folder - 1);
	folder[sizeof folder - 1] = '\0';
	for (size_t i = 0; i < 4; i++) {
		snprintf(at[i], sizeof at[i], "/%zu/%s", i, folder);
		make_nix(p, at[i], 0777);
		t->folders[i] = path_at(p, at[i], t->text[i]);
	}
	assert_int_equal(find(p, t, &n, why), ERR_IO);
	assert_int_equal(n.skipped_count, 4);
	assert_says(why, "...");
	assert_says(why, "to the folder that holds nix-daemon");
	nix_free(&n);
}

static void a_daemon_without_its_store_program_is_not_taken(void **state)
{
	char why[SENTENCE_MAX];
	struct nix n;

	make_file(*state, "/a/nix-daemon", 0755, "");
	assert_int_equal(find(*state, table_of(*state, "/a", NULL, NULL), &n, why), ERR_IO);
	assert_says(why, "/a/nix-store: ");
	nix_free(&n);
}

static void a_configured_folder_is_the_only_one(void **state)
{
	char why[SENTENCE_MAX], path[PATH_MAX];
	struct nix n;

	make_nix(*state, "/opt/nix/bin", 0755);
	assert_int_equal(find_configured(path_at(*state, "/opt/nix/bin//", path), &n, why), ERR_NONE);
	assert_folder(*state, &n, "/opt/nix/bin");      /* without the slashes: it goes into PATH */
	assert_int_equal(find_configured(path_at(*state, "/opt", path), &n, why), ERR_IO);
	assert_says(why, "/opt/nix-daemon: there is no such file");
	assert_says(why, "[gateway] nix = FOLDER");
	nix_free(&n);
	assert_int_equal(find_configured("opt/nix/bin", &n, why), ERR_IO);
	assert_says(why, "opt/nix/bin: not an absolute path");
	nix_free(&n);
}

static void a_folder_that_cannot_stand_in_path_is_not_taken(void **state)
{
	char why[SENTENCE_MAX], path[PATH_MAX];
	struct nix n;

	make_nix(*state, "/a:b", 0755);
	assert_int_equal(find_configured(path_at(*state, "/a:b", path), &n, why), ERR_IO);
	assert_says(why, "a folder with a colon cannot stand in PATH");
	nix_free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(the_first_folder_that_has_it_is_taken),
		IN_PLACE(home_and_user_are_the_accounts),
		cmocka_unit_test(the_usual_folders_are_looked_at_in_their_order),
		IN_PLACE(one_that_others_can_write_is_skipped_and_named),
		IN_PLACE(when_none_can_be_taken_every_reason_is_named),
		IN_PLACE(when_there_is_none_the_cure_is_named),
		IN_PLACE(the_cure_is_kept_however_long_the_reasons_are),
		IN_PLACE(a_daemon_without_its_store_program_is_not_taken),
		IN_PLACE(a_configured_folder_is_the_only_one),
		IN_PLACE(a_folder_that_cannot_stand_in_path_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
