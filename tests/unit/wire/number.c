#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/wire/number.h"

static const uint8_t wire[] = { 0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x81, 0xee };

static void the_least_significant_byte_comes_first(void **unused)
{
	uint8_t out[9] = { 0, 0, 0, 0, 0, 0, 0, 0, 0xee };

	(void)unused;
	assert_true(wire_get_u64(wire) == 0x8102030405060708ULL);
	wire_put_u64(out, 0x8102030405060708ULL);
	assert_memory_equal(out, wire, sizeof out);
}

static void a_number_is_the_same_at_every_cut(void **unused)
{
	(void)unused;
	for (size_t cut = 0; cut <= sizeof wire; cut++) {
		struct number x;
		size_t first;

		number_init(&x);
		first = number_feed(&x, wire, cut);
		assert_int_equal(first, cut < 8 ? cut : 8);
		assert_int_equal(number_done(&x), cut >= 8);
		assert_int_equal(first + number_feed(&x, wire + first, sizeof wire - first), 8);
		assert_true(number_done(&x));
		assert_true(x.value == 0x8102030405060708ULL);
		assert_int_equal(number_feed(&x, wire, sizeof wire), 0);
		assert_true(x.value == 0x8102030405060708ULL);
	}
}

static void a_number_comes_byte_by_byte(void **unused)
{
	struct number x;

	(void)unused;
	number_init(&x);
	for (size_t i = 0; i < 8; i++) {
		assert_false(number_done(&x));
		assert_int_equal(number_feed(&x, wire + i, 1), 1);
	}
	assert_true(number_done(&x));
	assert_true(x.value == 0x8102030405060708ULL);
}

static void a_truth_is_0_or_1_alone(void **unused)
{
	static const uint64_t neither[] = { 2, 3, 255, 256, 1ULL << 32, (1ULL << 32) + 1, 1ULL << 63, UINT64_MAX };
	bool value = true;

	(void)unused;
	assert_int_equal(number_bool(0, &value), ERR_NONE);
	assert_false(value);
	assert_int_equal(number_bool(1, &value), ERR_NONE);
	assert_true(value);
	for (size_t i = 0; i < sizeof neither / sizeof *neither; i++) {
		value = true;
		assert_int_equal(number_bool(neither[i], &value), ERR_PROTO);
		assert_false(value);
	}
}

static void narrow_numbers_are_checked_before_they_are_narrowed(void **unused)
{
	uint8_t small = 1;
	uint32_t middle = 1;
	int64_t time = 1;
	size_t len = 1;

	(void)unused;
	assert_int_equal(number_u8(255, &small), ERR_NONE);
	assert_int_equal(small, 255);
	assert_int_equal(number_u8(256, &small), ERR_PROTO);
	assert_int_equal(small, 0);
	assert_int_equal(number_u8((1ULL << 32) + 9, &small), ERR_PROTO);
	assert_int_equal(number_u32(UINT32_MAX, &middle), ERR_NONE);
	assert_int_equal(middle, UINT32_MAX);
	assert_int_equal(number_u32((1ULL << 32) + 9, &middle), ERR_PROTO);
	assert_int_equal(middle, 0);
	assert_int_equal(number_time(INT64_MAX, &time), ERR_NONE);
	assert_true(time == INT64_MAX);
	assert_int_equal(number_time((uint64_t)INT64_MAX + 1, &time), ERR_PROTO);
	assert_int_equal(time, 0);
	assert_int_equal(number_length(5, 5, &len), ERR_NONE);
	assert_int_equal(len, 5);
	assert_int_equal(number_length(6, 5, &len), ERR_LIMIT);
	assert_int_equal(len, 0);
	assert_int_equal(number_length(UINT64_MAX, 5, &len), ERR_LIMIT);
	assert_int_equal(number_length((1ULL << 32) + 1, 5, &len), ERR_LIMIT);
}

static void padding_fills_to_eight(void **unused)
{
	static const size_t padding[] = { 0, 7, 6, 5, 4, 3, 2, 1, 0, 7 };

	(void)unused;
	for (size_t len = 0; len < sizeof padding / sizeof *padding; len++)
		assert_int_equal(wire_padding(len), padding[len]);
	assert_int_equal(wire_padding(UINT64_MAX), 1);
	assert_int_equal(wire_padding(UINT64_MAX - 7), 0);
}

static void zero_is_zero_in_every_byte(void **unused)
{
	uint8_t bytes[8] = { 0 };

	(void)unused;
	assert_true(wire_is_zero(bytes, 0));
	assert_true(wire_is_zero(bytes, sizeof bytes));
	for (size_t i = 0; i < sizeof bytes; i++) {
		bytes[i] = 0x80;
		assert_false(wire_is_zero(bytes, sizeof bytes));
		assert_true(wire_is_zero(bytes, i));
		bytes[i] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_significant_byte_comes_first),
		cmocka_unit_test(a_number_is_the_same_at_every_cut),
		cmocka_unit_test(a_number_comes_byte_by_byte),
		cmocka_unit_test(a_truth_is_0_or_1_alone),
		cmocka_unit_test(narrow_numbers_are_checked_before_they_are_narrowed),
		cmocka_unit_test(padding_fills_to_eight),
		cmocka_unit_test(zero_is_zero_in_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
