#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "gateway/nix/hash.h"
#include "gateway/nix/nix32.h"

static const char HEX[] = "0a430879c266f8b57f4092a0f935cf3facd48bbccde5760d4748ca405171e969";
static const char NIX32[] = "0sg9f58l1jj88w6pdrfdpj5x9b1zrwszk84j81zvby36q9whhhqa";

static void a_known_hash_is_written_as_nix_writes_it(void **unused)
{
	uint8_t hash[SHA256_LEN], back[SHA256_LEN];
	char text[53] = "";

	(void)unused;
	assert_true(hex_decode(text_of(HEX), hash, sizeof hash));
	assert_int_equal(nix32_len(sizeof hash), 52);
	nix32_encode(hash, sizeof hash, text);
	assert_string_equal(text, NIX32);
	assert_true(nix32_decode(NIX32, 52, back, sizeof back));
	assert_memory_equal(back, hash, sizeof hash);
}

static void every_length_comes_back_as_it_went(void **unused)
{
	uint8_t hash[HASH_MAX], back[HASH_MAX];
	char text[NIX32_MAX];

	(void)unused;
	for (size_t i = 0; i < sizeof hash; i++)
		hash[i] = (uint8_t)(i * 37 + 201);
	for (size_t len = 1; len <= sizeof hash; len++) {
		nix32_encode(hash, len, text);
		assert_true(nix32_decode(text, nix32_len(len), back, len));
		assert_memory_equal(back, hash, len);
	}
	assert_int_equal(nix32_len(sizeof hash), NIX32_MAX);
}

static void another_length_is_refused(void **unused)
{
	uint8_t hash[SHA256_LEN];

	(void)unused;
	assert_false(nix32_decode(NIX32, 51, hash, sizeof hash));
	assert_false(nix32_decode("00sg9f58l1jj88w6pdrfdpj5x9b1zrwszk84j81zvby36q9whhhqa", 53, hash, sizeof hash));
	assert_false(nix32_decode("", 0, hash, sizeof hash));
}

static void characters_outside_the_alphabet_are_refused(void **unused)
{
	static const char others[] = "eoutABZ-=/.! \x80\n";

	(void)unused;
	for (size_t i = 0; i < sizeof others; i++) {
		char text[53];
		uint8_t hash[SHA256_LEN];

		memcpy(text, NIX32, sizeof text);
		text[17] = others[i];   /* the last of them is the NUL */
		assert_false(nix32_is_digit(others[i]));
		assert_false(nix32_decode(text, 52, hash, sizeof hash));
	}
}

/* 52 characters hold 260 bits: the first may only be 0 or 1. */
static void bits_that_are_left_over_must_be_zero(void **unused)
{
	static const char digits[] = "0123456789abcdfghijklmnpqrsvwxyz";
	char text[53];
	uint8_t hash[SHA256_LEN];

	(void)unused;
	memcpy(text, NIX32, sizeof text);
	for (size_t i = 0; i < 32; i++) {
		text[0] = digits[i];
		assert_int_equal(nix32_decode(text, 52, hash, sizeof hash), i < 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_known_hash_is_written_as_nix_writes_it),
		cmocka_unit_test(every_length_comes_back_as_it_went),
		cmocka_unit_test(another_length_is_refused),
		cmocka_unit_test(characters_outside_the_alphabet_are_refused),
		cmocka_unit_test(bits_that_are_left_over_must_be_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
