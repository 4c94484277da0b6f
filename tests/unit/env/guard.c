#include "tests/unit/env/place.h"

#include "gateway/env/guard.h"

static void assert_guarded(const struct place *p, const char *at)
{
	char path[PATH_MAX], fault[GUARD_FAULT_MAX] = "";

	if (!guard_program(path_at(p, at, path), fault))
		fail_msg("%s", fault);
}

static void assert_not_guarded(const struct place *p, const char *at, const char *words)
{
	char path[PATH_MAX], fault[GUARD_FAULT_MAX] = "";

	assert_false(guard_program(path_at(p, at, path), fault));
	assert_says(fault, words);
}

static void make_link(const struct place *p, const char *at, const char *target)
{
	char path[PATH_MAX];

	assert_int_equal(symlink(target, path_at(p, at, path)), 0);
}

static void a_program_that_only_its_owner_can_write_is_guarded(void **state)
{
	make_file(*state, "/bin/program", 0755, "");
	assert_guarded(*state, "/bin/program");
	set_mode(*state, "/bin/program", 0500);
	assert_guarded(*state, "/bin/program");
}

static void a_program_that_others_can_write_is_not(void **state)
{
	make_file(*state, "/bin/program", 0775, "");
	assert_not_guarded(*state, "/bin/program", "/bin/program' can be written by others than its owner (mode 0775)");
	set_mode(*state, "/bin/program", 0757);
	assert_not_guarded(*state, "/bin/program", "(mode 0757)");
	set_mode(*state, "/bin/program", 01775);        /* sticky means nothing on a file */
	assert_not_guarded(*state, "/bin/program", "(mode 1775)");
}

static void a_folder_that_others_can_write_is_not(void **state)
{
	make_file(*state, "/above/bin/program", 0755, "");
	set_mode(*state, "/above/bin", 02775);
	assert_not_guarded(*state, "/above/bin/program", "/above/bin' can be written by others than its owner (mode 2");
	set_mode(*state, "/above/bin", 0755);
	set_mode(*state, "/above", 0777);
	assert_not_guarded(*state, "/above/bin/program", "/above' can be written by others than its owner (mode 0777)");
	set_mode(*state, "/above", 0755);
	assert_guarded(*state, "/above/bin/program");
}

static void a_sticky_folder_may_be_writable_by_others(void **state)
{
	make_file(*state, "/store/package/bin/program", 0555, "");
	set_mode(*state, "/store", 01775);
	assert_guarded(*state, "/store/package/bin/program");
	set_mode(*state, "/store", 01777);
	assert_guarded(*state, "/store/package/bin/program");
}

static void the_folder_that_really_holds_it_counts(void **state)
{
	make_file(*state, "/store/bin/nix", 0755, "");
	make_folder(*state, "/usr/bin");
	make_link(*state, "/usr/bin/program", "../../store/bin/nix");
	assert_guarded(*state, "/usr/bin/program");
	set_mode(*state, "/store/bin", 0775);
	assert_not_guarded(*state, "/usr/bin/program", "/store/bin' can be written");
	set_mode(*state, "/store/bin", 0755);
	set_mode(*state, "/usr/bin", 0775);     /* there the link could be exchanged */
	assert_not_guarded(*state, "/usr/bin/program", "/usr/bin' can be written");
}

static void the_folder_of_a_linked_folder_counts(void **state)
{
	make_file(*state, "/store/package/bin/program", 0755, "");
	make_folder(*state, "/home");
	make_link(*state, "/home/profile", "../store/package");
	assert_guarded(*state, "/home/profile/bin/program");
	set_mode(*state, "/store", 0777);
	assert_not_guarded(*state, "/home/profile/bin/program", "/store' can be written");
	set_mode(*state, "/store", 0755);
	set_mode(*state, "/home", 0770);
	assert_not_guarded(*state, "/home/profile/bin/program", "/home' can be written");
}

static void what_a_third_owner_has_is_not(void **state)
{
	static const char *const steps[] = { "/bin/program", "/bin", "" };
	const struct place *p = *state;
	char path[PATH_MAX];

	if (geteuid() != 0)
		skip();
	make_file(p, "/bin/program", 0755, "");
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		assert_int_equal(chown(path_at(p, steps[i], path), 12345, (gid_t)-1), 0);
		assert_not_guarded(p, "/bin/program", "' is owned by uid 12345, neither root nor us");
		assert_int_equal(chown(path, 0, (gid_t)-1), 0);
	}
	make_link(p, "/link", "bin/program");
	assert_guarded(p, "/link");
	assert_int_equal(lchown(path_at(p, "/link", path), 12345, (gid_t)-1), 0);
	assert_not_guarded(p, "/link", "/link' is owned by uid 12345");
}

static void what_is_no_program_is_not(void **state)
{
	char path[PATH_MAX];

	make_folder(*state, "/bin/folder");
	assert_not_guarded(*state, "/bin/folder", "is not a regular file");
	assert_int_equal(mkfifo(path_at(*state, "/bin/pipe", path), 0755), 0);
	assert_not_guarded(*state, "/bin/pipe", "is not a regular file");
	make_file(*state, "/bin/text", 0644, "");
	assert_not_guarded(*state, "/bin/text", "cannot be executed by us (mode 0644)");
	make_link(*state, "/bin/dangling", "nowhere");
	assert_not_guarded(*state, "/bin/dangling", "cannot be reached (No such file or directory)");
	make_link(*state, "/bin/loop", "loop");
	assert_not_guarded(*state, "/bin/loop", "cannot be reached");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(a_program_that_only_its_owner_can_write_is_guarded),
		IN_PLACE(a_program_that_others_can_write_is_not),
		IN_PLACE(a_folder_that_others_can_write_is_not),
		IN_PLACE(a_sticky_folder_may_be_writable_by_others),
		IN_PLACE(the_folder_that_really_holds_it_counts),
		IN_PLACE(the_folder_of_a_linked_folder_counts),
		IN_PLACE(what_a_third_owner_has_is_not),
		IN_PLACE(what_is_no_program_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
