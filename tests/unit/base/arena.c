/* The arena: aligned, zeroed, bounded, and given back whole. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/arena.h"

static void every_piece_is_aligned_zeroed_and_its_own(void **unused)
{
	unsigned char *pieces[100];
	struct arena a;

	(void)unused;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < 100; i++) {
		pieces[i] = arena_alloc(&a, i * 7);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		for (size_t k = 0; k < i * 7; k++)
			assert_int_equal(pieces[i][k], 0);
		memset(pieces[i], (int)i, i * 7);
	}
	for (size_t i = 0; i < 100; i++)
		for (size_t k = 0; k < i * 7; k++)
			assert_int_equal(pieces[i][k], i);
	arena_free(&a);
}

static void no_more_is_lent_than_the_bound(void **unused)
{
	struct arena a;

	(void)unused;
	arena_init(&a, 1000);
	assert_null(arena_alloc(&a, 1001));
	assert_non_null(arena_alloc(&a, 900));
	assert_null(arena_alloc(&a, 200));
	assert_non_null(arena_alloc(&a, 50));
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, 900));
	arena_free(&a);
}

static void sizes_that_wrap_are_refused(void **unused)
{
	struct arena a;

	(void)unused;
	arena_init(&a, SIZE_MAX);
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_array(&a, SIZE_MAX / 2, 4));
	assert_null(arena_text(&a, "", SIZE_MAX));
	arena_free(&a);
}

static void a_text_ends_with_a_nul(void **unused)
{
	struct arena a;
	char *text;

	(void)unused;
	arena_init(&a, 1000);
	text = arena_text(&a, "abcdef", 3);
	assert_string_equal(text, "abc");
	text = arena_text(&a, NULL, 0);
	assert_string_equal(text, "");
	arena_free(&a);
}

/* What was written before a reset may not shine through after it. */
static void memory_lent_again_is_zeroed_again(void **unused)
{
	unsigned char *piece;
	struct arena a;

	(void)unused;
	arena_init(&a, 100000);
	memset(arena_alloc(&a, 5000), 0xff, 5000);
	arena_reset(&a);
	piece = arena_alloc(&a, 5000);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(piece[i], 0);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_piece_is_aligned_zeroed_and_its_own),
		cmocka_unit_test(no_more_is_lent_than_the_bound),
		cmocka_unit_test(sizes_that_wrap_are_refused),
		cmocka_unit_test(a_text_ends_with_a_nul),
		cmocka_unit_test(memory_lent_again_is_zeroed_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
