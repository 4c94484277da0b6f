/* said: what one side says, written as numbers and texts. */
#ifndef TESTS_UNIT_NIX_SAID_H
#define TESTS_UNIT_NIX_SAID_H

#include "gateway/wire/put.h"

static struct buf said;

static inline void say(uint64_t number)
{
	assert_int_equal(put_u64(&said, number), ERR_NONE);
}

static inline void say_text(const char *text)
{
	assert_int_equal(put_text(&said, text), ERR_NONE);
}

static inline void say_nothing_yet(void)
{
	buf_take(&said, buf_len(&said));
}

static inline int fresh(void **unused)
{
	(void)unused;
	buf_init(&said, 1 << 27);
	return 0;
}

static inline int forget(void **unused)
{
	(void)unused;
	buf_free(&said);
	return 0;
}

static inline void assert_bytes(const struct buf *b, const void *bytes, size_t len)
{
	assert_int_equal(buf_len(b), len);
	if (len > 0)
		assert_memory_equal(buf_data(b), bytes, len);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh, forget)

#endif
