/* The set of paths: each once, in the order in which they came, however many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/session/path_set.h"

static struct text path(char *buffer, size_t size, unsigned i)
{
	snprintf(buffer, size, "/nix/store/%032u-p%u", i * 7919u, i);
	return text_of(buffer);
}

static void each_path_is_kept_once_and_in_order(void **unused)
{
	struct arena arena;
	struct path_set set;
	char name[64];

	(void)unused;
	arena_init(&arena, 1 << 24);
	path_set_init(&set, &arena, 10000);
	for (unsigned i = 0; i < 5000; i++) {
		bool added;

		assert_false(path_set_holds(&set, path(name, sizeof name, i)));
		assert_int_equal(path_set_add(&set, path(name, sizeof name, i), &added), ERR_NONE);
		assert_true(added);
		assert_int_equal(path_set_add(&set, path(name, sizeof name, i), &added), ERR_NONE);
		assert_false(added);
	}
	assert_int_equal(set.count, 5000);
	for (unsigned i = 0; i < 5000; i++) {
		size_t at;

		assert_true(path_set_find(&set, path(name, sizeof name, i), &at));
		assert_int_equal(at, i);
		assert_true(text_equal(set.items[i], path(name, sizeof name, i)));
	}
	assert_false(path_set_holds(&set, path(name, sizeof name, 5000)));
	path_set_free(&set);
	assert_false(path_set_holds(&set, path(name, sizeof name, 1)));
	arena_free(&arena);
}

static void no_more_than_the_bound(void **unused)
{
	struct arena arena;
	struct path_set set;
	char name[64];

	(void)unused;
	arena_init(&arena, 1 << 20);
	path_set_init(&set, &arena, 2);
	assert_int_equal(path_set_add(&set, path(name, sizeof name, 1), NULL), ERR_NONE);
	assert_int_equal(path_set_add(&set, path(name, sizeof name, 2), NULL), ERR_NONE);
	assert_int_equal(path_set_add(&set, path(name, sizeof name, 3), NULL), ERR_LIMIT);
	assert_int_equal(path_set_add(&set, path(name, sizeof name, 2), NULL), ERR_NONE);
	assert_int_equal(set.count, 2);
	path_set_free(&set);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_path_is_kept_once_and_in_order),
		cmocka_unit_test(no_more_than_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
