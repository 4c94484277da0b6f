#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/wire/put.h"
#include "tests/unit/nars.h"

static void assert_put(struct buf *b, const void *wanted, size_t len)
{
	assert_int_equal(buf_len(b), len);
	assert_memory_equal(buf_data(b), wanted, len);
	buf_free(b);
}

static void numbers_and_truths(void **unused)
{
	static const uint8_t wanted[] = { 0xff, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct buf b;

	(void)unused;
	buf_init(&b, sizeof wanted);
	assert_int_equal(put_u64(&b, 0x80000000000000ffULL), ERR_NONE);
	assert_int_equal(put_bool(&b, true), ERR_NONE);
	assert_int_equal(put_bool(&b, false), ERR_NONE);
	assert_int_equal(put_u64(&b, 0), ERR_LIMIT);
	assert_put(&b, wanted, sizeof wanted);
}

static void strings_are_padded_with_zeros(void **unused)
{
	static const uint8_t wanted[] = {
		0, 0, 0, 0, 0, 0, 0, 0,
		2, 0, 0, 0, 0, 0, 0, 0, 'h', 'i', 0, 0, 0, 0, 0, 0,
		8, 0, 0, 0, 0, 0, 0, 0, 'e', 'i', 'g', 'h', 't', 0, '-', '-',
	};
	struct buf b;

	(void)unused;
	buf_init(&b, 4096);
	assert_int_equal(put_text(&b, ""), ERR_NONE);
	assert_int_equal(put_text(&b, "hi"), ERR_NONE);
	assert_int_equal(put_string(&b, "eight\0--", 8), ERR_NONE);
	assert_put(&b, wanted, sizeof wanted);
	assert_int_equal(put_string(&b, NULL, 0), ERR_NONE);
	assert_put(&b, wanted, 8);
}

static void every_length_is_what_a_reader_expects(void **unused)
{
	char text[40];

	(void)unused;
	memset(text, 's', sizeof text);
	for (size_t len = 0; len <= sizeof text; len++) {
		struct bytes wanted = { .len = 0 };
		struct buf b;

		add_bytes(&wanted, text, len);
		buf_init(&b, wanted.len);
		assert_int_equal(put_string(&b, text, len), ERR_NONE);
		assert_put(&b, wanted.data, wanted.len);
		bytes_free(&wanted);
	}
}

static void a_value_is_put_whole_or_not_at_all(void **unused)
{
	static const char sentence[] = "alice may not do that";
	size_t whole;
	struct buf b;

	(void)unused;
	buf_init(&b, 4096);
	assert_int_equal(put_error(&b, 38, sentence), ERR_NONE);
	whole = buf_len(&b);
	buf_free(&b);
	for (size_t max = 0; max < whole; max++) {
		buf_init(&b, max);
		assert_int_equal(put_error(&b, 38, sentence), ERR_LIMIT);
		assert_int_equal(buf_len(&b), 0);
		assert_int_equal(put_frame(&b, sentence, max < 8 ? 1 : max - 7), ERR_LIMIT);
		assert_int_equal(buf_len(&b), 0);
		assert_int_equal(put_string(&b, sentence, 17), max < 32 ? ERR_LIMIT : ERR_NONE);
		assert_int_equal(buf_len(&b), max < 32 ? 0 : 32);
		assert_int_equal(put_string(&b, sentence, SIZE_MAX), ERR_LIMIT);
		assert_int_equal(put_string(&b, sentence, SIZE_MAX - 15), ERR_LIMIT);
		assert_int_equal(put_string(&b, sentence, SIZE_MAX - 7), ERR_LIMIT);
		buf_free(&b);
	}
}

static void frames_have_no_padding(void **unused)
{
	static const uint8_t wanted[] = { 3, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 'c', 5, 0, 0, 0, 0, 0, 0, 0,
					  0, 0, 0, 0, 0, 0, 0, 0 };
	struct buf b;

	(void)unused;
	buf_init(&b, 4096);
	assert_int_equal(put_frame(&b, "abc", 3), ERR_NONE);
	assert_int_equal(put_frame_header(&b, 5), ERR_NONE);
	assert_int_equal(put_frame_end(&b), ERR_NONE);
	assert_put(&b, wanted, sizeof wanted);
}

static void an_error_before_26_is_a_message_and_a_status(void **unused)
{
	static const uint8_t wanted[] = {
		0x70, 0x74, 0x78, 0x63, 0, 0, 0, 0,
		2, 0, 0, 0, 0, 0, 0, 0, 'n', 'o', 0, 0, 0, 0, 0, 0,
		1, 0, 0, 0, 0, 0, 0, 0,
	};
	struct buf b;

	(void)unused;
	buf_init(&b, 4096);
	assert_int_equal(put_error(&b, 10, "no"), ERR_NONE);
	assert_put(&b, wanted, sizeof wanted);
	assert_int_equal(put_error(&b, 25, "no"), ERR_NONE);
	assert_put(&b, wanted, sizeof wanted);
}

static void an_error_from_26_on_is_a_structure(void **unused)
{
	static const uint8_t wanted[] = {
		0x70, 0x74, 0x78, 0x63, 0, 0, 0, 0,
		5, 0, 0, 0, 0, 0, 0, 0, 'E', 'r', 'r', 'o', 'r', 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,
		5, 0, 0, 0, 0, 0, 0, 0, 'E', 'r', 'r', 'o', 'r', 0, 0, 0,
		2, 0, 0, 0, 0, 0, 0, 0, 'n', 'o', 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,
	};
	struct buf b;

	(void)unused;
	buf_init(&b, 4096);
	assert_int_equal(put_error(&b, 26, "no"), ERR_NONE);
	assert_put(&b, wanted, sizeof wanted);
	assert_int_equal(put_error(&b, 38, "no"), ERR_NONE);
	assert_put(&b, wanted, sizeof wanted);
}

static void tags_are_what_daemons_send(void **unused)
{
	(void)unused;
	assert_int_equal(STDERR_NEXT, 0x6f6c6d67);
	assert_int_equal(STDERR_READ, 0x64617461);
	assert_int_equal(STDERR_WRITE, 0x64617416);
	assert_int_equal(STDERR_START_ACTIVITY, 0x53545254);
	assert_int_equal(STDERR_STOP_ACTIVITY, 0x53544f50);
	assert_int_equal(STDERR_RESULT, 0x52534c54);
	assert_int_equal(STDERR_LAST, 0x616c7473);
	assert_int_equal(STDERR_ERROR, 0x63787470);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_truths),
		cmocka_unit_test(strings_are_padded_with_zeros),
		cmocka_unit_test(every_length_is_what_a_reader_expects),
		cmocka_unit_test(a_value_is_put_whole_or_not_at_all),
		cmocka_unit_test(frames_have_no_padding),
		cmocka_unit_test(an_error_before_26_is_a_message_and_a_status),
		cmocka_unit_test(an_error_from_26_on_is_a_structure),
		cmocka_unit_test(tags_are_what_daemons_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
