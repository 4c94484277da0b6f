/* Base64: bytes have one text, and what is no such text is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/base64.h"

static bool decodes(const char *text)
{
	uint8_t out[16];
	size_t len;

	return base64_decode(text, strlen(text), out, sizeof out, &len);
}

static void a_text_is_decoded(void **unused)
{
	uint8_t out[16];
	size_t len;

	(void)unused;
	assert_true(base64_decode("aGVsbG8=", 8, out, sizeof out, &len));
	assert_int_equal(len, 5);
	assert_memory_equal(out, "hello", 5);
	assert_true(base64_decode("", 0, out, sizeof out, &len));
	assert_int_equal(len, 0);
}

static void bytes_have_one_text(void **unused)
{
	static const char *const refused[] = { "aGVsbG8", "aGVsbG8==", "aGVsbG9=", "aGVs bG8=", "aGVsbG8=\n", "aGVsbG8-", "=" };

	(void)unused;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		assert_false(decodes(refused[i]));
}

static void no_other_byte_is_taken_for_a_digit(void **unused)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	(void)unused;
	for (unsigned byte = 1; byte < 256; byte++) {
		char text[] = { 'A', (char)byte, 'A', 'A', '\0' };

		assert_int_equal(decodes(text), strchr(digits, (char)byte) != NULL);
	}
}

static void no_more_is_written_than_there_is_room_for(void **unused)
{
	uint8_t out[4];
	size_t len;

	(void)unused;
	assert_false(base64_decode("aGVsbG8=", 8, out, sizeof out, &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_decoded),
		cmocka_unit_test(bytes_have_one_text),
		cmocka_unit_test(no_other_byte_is_taken_for_a_digit),
		cmocka_unit_test(no_more_is_written_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
