#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "policy/index.h"

static void a_name_is_found_with_the_value_it_came_with(void **unused)
{
	struct index ix = { .slots = NULL };
	const struct index_slot *before;

	(void)unused;
	assert_null(index_find(&ix, "alice"));
	assert_true(index_add(&ix, "alice", 7, &before));
	assert_null(before);
	assert_int_equal(index_find(&ix, "alice")->value, 7);
	assert_null(index_find(&ix, "alic"));
	assert_null(index_find(&ix, "alicf"));
	assert_null(index_find(&ix, ""));
	index_free(&ix);
}

static void a_name_given_twice_keeps_its_first_value(void **unused)
{
	struct index ix = { .slots = NULL };
	const struct index_slot *before;

	(void)unused;
	assert_true(index_add(&ix, "alice", 1, &before));
	assert_true(index_add(&ix, "alice", 2, &before));
	assert_non_null(before);
	assert_int_equal(before->value, 1);
	assert_int_equal(ix.used, 1);
	index_free(&ix);
}

static void ten_thousand_names_are_all_found_again(void **unused)
{
	static char names[10000][16];
	struct index ix = { .slots = NULL };
	const struct index_slot *before;

	(void)unused;
	for (uint32_t i = 0; i < 10000; i++) {
		snprintf(names[i], sizeof names[i], "user%u", i);
		assert_true(index_add(&ix, names[i], i, &before));
		assert_null(before);
	}
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(index_find(&ix, names[i])->value, i);
	index_free(&ix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_found_with_the_value_it_came_with),
		cmocka_unit_test(a_name_given_twice_keeps_its_first_value),
		cmocka_unit_test(ten_thousand_names_are_all_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
