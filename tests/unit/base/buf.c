/* The queue of bytes: what goes in comes out, in order, and never more than its bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/buf.h"

static void what_is_put_is_taken_in_order(void **unused)
{
	struct buf b;

	(void)unused;
	buf_init(&b, 100);
	assert_int_equal(buf_put(&b, "hello ", 6), ERR_NONE);
	assert_int_equal(buf_put(&b, "world", 5), ERR_NONE);
	assert_int_equal(buf_len(&b), 11);
	assert_memory_equal(buf_data(&b), "hello world", 11);
	buf_take(&b, 6);
	assert_memory_equal(buf_data(&b), "world", 5);
	buf_free(&b);
}

static void nothing_is_put_over_the_bound(void **unused)
{
	uint8_t *space;
	struct buf b;

	(void)unused;
	buf_init(&b, 8);
	assert_int_equal(buf_put(&b, "12345678", 8), ERR_NONE);
	assert_int_equal(buf_put(&b, "9", 1), ERR_LIMIT);
	assert_int_equal(buf_reserve(&b, 1, &space), ERR_LIMIT);
	assert_int_equal(buf_len(&b), 8);
	buf_take(&b, 3);
	assert_int_equal(buf_room(&b), 3);
	assert_int_equal(buf_put(&b, "abc", 3), ERR_NONE);
	assert_memory_equal(buf_data(&b), "45678abc", 8);
	buf_free(&b);
}

/* However the bytes are cut, a long stream passes through a short queue unharmed. */
static void a_long_stream_passes_through_a_short_queue(void **unused)
{
	uint8_t next_in = 0, next_out = 0;
	struct buf b;

	(void)unused;
	buf_init(&b, 3000);
	for (size_t round = 0; round < 2000; round++) {
		uint8_t piece[97];
		size_t len = round % sizeof piece, take;

		for (size_t i = 0; i < len; i++)
			piece[i] = next_in++;
		assert_int_equal(buf_put(&b, piece, len), ERR_NONE);
		take = round % 3 == 0 ? buf_len(&b) : buf_len(&b) / 2;
		for (size_t i = 0; i < take; i++)
			assert_int_equal(buf_data(&b)[i], next_out++);
		buf_take(&b, take);
	}
	buf_free(&b);
}

static void memory_follows_what_arrived(void **unused)
{
	struct buf b;

	(void)unused;
	buf_init(&b, (size_t)1 << 40);
	assert_int_equal(buf_put(&b, "x", 1), ERR_NONE);
	assert_true(b.size <= 4096);
	buf_free(&b);
}

static void reserved_space_counts_only_when_committed(void **unused)
{
	uint8_t *space = NULL;
	struct buf b;

	(void)unused;
	buf_init(&b, 100);
	assert_int_equal(buf_reserve(&b, 0, &space), ERR_NONE);
	assert_non_null(space);
	assert_int_equal(buf_reserve(&b, 50, &space), ERR_NONE);
	assert_int_equal(buf_len(&b), 0);
	memcpy(space, "abc", 3);
	buf_commit(&b, 3);
	assert_memory_equal(buf_data(&b), "abc", 3);
	buf_free(&b);
	buf_free(&b);
	assert_int_equal(buf_len(&b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_taken_in_order),
		cmocka_unit_test(nothing_is_put_over_the_bound),
		cmocka_unit_test(a_long_stream_passes_through_a_short_queue),
		cmocka_unit_test(memory_follows_what_arrived),
		cmocka_unit_test(reserved_space_counts_only_when_committed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
