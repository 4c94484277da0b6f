#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/nix/hash.h"

static void algorithms_are_known_by_their_exact_names(void **unused)
{
	static const char *const others[] = { "", "SHA256", "sha-256", "sha256 ", "sha2567", "blake3", "sha", "md" };
	enum hash_algo algo;

	(void)unused;
	for (enum hash_algo i = HASH_MD5; i <= HASH_SHA512; i++) {
		assert_true(hash_algo_named(text_of(hash_name(i)), &algo));
		assert_int_equal(algo, i);
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_false(hash_algo_named(text_of(others[i]), &algo));
	assert_int_equal(hash_len(HASH_MD5), 16);
	assert_int_equal(hash_len(HASH_SHA1), 20);
	assert_int_equal(hash_len(HASH_SHA256), 32);
	assert_int_equal(hash_len(HASH_SHA512), 64);
}

static void hexadecimal_is_lower_case_and_of_exact_length(void **unused)
{
	static const char *const bad[] = { "00ffa", "00ffa5b", "00FFa5", "00ffg5", "00ff a", "00ff`5", "00ff/5",
		"00ff:5" };
	uint8_t bytes[3];
	char text[7];

	(void)unused;
	assert_true(hex_decode(text_of("00ffa5"), bytes, sizeof bytes));
	hex_encode(bytes, sizeof bytes, text);
	assert_string_equal(text, "00ffa5");
	assert_int_equal(bytes[1], 0xff);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(hex_decode(text_of(bad[i]), bytes, sizeof bytes));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(algorithms_are_known_by_their_exact_names),
		cmocka_unit_test(hexadecimal_is_lower_case_and_of_exact_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
