#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/pool.h"

enum { SMALL = 48, LARGE = 100 * 1000 };

static void assert_zero(const unsigned char *lent, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(lent[i], 0);
}

/* Lends and dirties small and large pieces, more than one block of the small ones. */
static void fill(struct pool *pool)
{
	for (int i = 0; i < 3000; i++) {
		size_t len = i % 500 == 0 ? LARGE : SMALL;
		unsigned char *lent = pool_alloc(pool, len);

		assert_non_null(lent);
		assert_zero(lent, len);
		memset(lent, 0xaa, len);
	}
}

static void what_a_pool_lends_again_is_zeroed_again(void **unused)
{
	struct pool *pool = pool_new();

	(void)unused;
	pool_reset(pool);
	for (int i = 0; i < 3; i++) {
		fill(pool);
		pool_reset(pool);
	}
	assert_zero(pool_alloc(pool, SMALL), SMALL);
	pool_free(pool);
}

/* The block that is used again may be one that was made for a large piece. */
static void a_pool_of_one_large_piece_can_be_reset(void **unused)
{
	struct pool *pool = pool_new();

	(void)unused;
	memset(pool_alloc(pool, LARGE), 0xaa, LARGE);
	pool_reset(pool);
	fill(pool);
	pool_free(pool);
}

static void what_was_taken_over_outlives_its_first_pool(void **unused)
{
	struct pool *to = pool_new(), *from = pool_new();
	char *kept[2];

	(void)unused;
	for (int i = 0; i < 2; i++) {
		kept[i] = pool_text(from, i == 0 ? "first" : "second");
		pool_take(to, from);
		fill(from);
		pool_reset(from);
	}
	pool_take(to, from);
	pool_free(from);
	fill(to);
	assert_string_equal(kept[0], "first");
	assert_string_equal(kept[1], "second");
	pool_free(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_pool_lends_again_is_zeroed_again),
		cmocka_unit_test(a_pool_of_one_large_piece_can_be_reset),
		cmocka_unit_test(what_was_taken_over_outlives_its_first_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
