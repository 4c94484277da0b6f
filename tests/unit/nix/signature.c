#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "gateway/nix/signature.h"

#define STORE "/nix/store/"
#define KEY "alice-1:is7t+c6Dp931shCsxEBze0x8HsAa1cTDs3SpdcOCOJs="
#define BOTH STORE "1f2cjlpvkbfgicg1dq9g7lzm09mv07iq-both.txt"
#define A_TXT STORE "z2gxprmwxdfyrb4rka1629bvxxa429ga-a.txt"
#define B_TXT STORE "sx5305c45zn199v0gv0x7vnh3z9q658x-b.txt"

/* Made by `nix store sign` with a key that nobody uses. */
static const char signature[] =
	"alice-1:A8P60yZitTiD1/eSw92XoDz1R5oaDdUFSuLh/miocJ1Z3V976CfKATEu3J8nrTSOGEwjgfv5fzsceB3KprNyAw==";
static const char nar_hash[] = "64f434cde5ac67e7aaa32605dc621b96cdd9899f5f563c1f65876030bb89441d";

static struct text refs[] = { { B_TXT, sizeof B_TXT - 1 }, { A_TXT, sizeof A_TXT - 1 } };
static uint8_t hash[SHA256_LEN];

static struct signed_info info(void)
{
	assert_true(hex_decode(text_of(nar_hash), hash, sizeof hash));
	return (struct signed_info){
		.path = text_of(BOTH), .nar_hash = hash, .nar_size = 216, .refs = refs, .ref_count = 2,
	};
}

static bool verifies(const char *key, const char *text, const struct signed_info *i)
{
	struct public_key parsed;
	struct buf fingerprint;
	bool good;

	buf_init(&fingerprint, 4096);
	assert_int_equal(public_key_parse(text_of(key), &parsed), ERR_NONE);
	assert_int_equal(fingerprint_put(&fingerprint, i), ERR_NONE);
	good = signature_verifies(&parsed, 1, text_of(text), buf_data(&fingerprint), buf_len(&fingerprint));
	buf_free(&fingerprint);
	return good;
}

static void the_fingerprint_is_the_one_that_nix_signs(void **unused)
{
	static const char wanted[] = "1;" BOTH ";sha256:07a4i6xk0q47clgkqmjzky4xkkcn3didq196lfmffrxcwp6k9x34;216;"
				     B_TXT "," A_TXT;
	struct signed_info i = info();
	struct buf out;

	(void)unused;
	buf_init(&out, 4096);
	assert_int_equal(fingerprint_put(&out, &i), ERR_NONE);
	assert_int_equal(buf_len(&out), sizeof wanted - 1);
	assert_memory_equal(buf_data(&out), wanted, sizeof wanted - 1);
	buf_free(&out);
	i.ref_count = 0;
	i.nar_size = UINT64_MAX;
	assert_int_equal(fingerprint_put(&out, &i), ERR_NONE);
	assert_memory_equal(buf_data(&out) + buf_len(&out) - 22, ";18446744073709551615;", 22);
	buf_free(&out);
	assert_true(verifies(KEY, signature, &(struct signed_info){ text_of(BOTH), hash, 216, refs, 2 }));
}

/* U6 */
static void a_signature_over_other_fields_does_not_verify(void **unused)
{
	struct text fewer[] = { refs[1] }, other[] = { refs[0],
		text_of(STORE "zzgxprmwxdfyrb4rka1629bvxxa429ga-a.txt") };
	struct signed_info i = info();
	uint8_t other_hash[SHA256_LEN];

	(void)unused;
	assert_true(verifies(KEY, signature, &i));
	i.nar_size++;
	assert_false(verifies(KEY, signature, &i));
	i = info();
	i.path = text_of(STORE "1f2cjlpvkbfgicg1dq9g7lzm09mv07iq-both.txu");
	assert_false(verifies(KEY, signature, &i));
	i = info();
	i.refs = other;
	assert_false(verifies(KEY, signature, &i));
	i.refs = fewer;
	i.ref_count = 1;
	assert_false(verifies(KEY, signature, &i));
	i = info();
	memcpy(other_hash, hash, sizeof hash);
	other_hash[31] ^= 1;
	i.nar_hash = other_hash;
	assert_false(verifies(KEY, signature, &i));
}

/* U6: Nix sorts before it signs; what comes unsorted is refused, not sorted for the sender. */
static void references_out_of_order_or_an_empty_size_have_no_fingerprint(void **unused)
{
	struct text turned[] = { refs[1], refs[0] }, twice[] = { refs[0], refs[0] };
	struct signed_info i = info();
	struct buf out;

	(void)unused;
	buf_init(&out, 4096);
	i.refs = turned;
	assert_int_equal(fingerprint_put(&out, &i), ERR_PROTO);
	i.refs = twice;
	assert_int_equal(fingerprint_put(&out, &i), ERR_PROTO);
	i = info();
	i.nar_size = 0;
	assert_int_equal(fingerprint_put(&out, &i), ERR_PROTO);
	assert_int_equal(buf_len(&out), 0);
	buf_free(&out);
	buf_init(&out, 100);
	i = info();
	assert_int_equal(fingerprint_put(&out, &i), ERR_LIMIT);
	buf_free(&out);
}

/* U5 */
static void the_key_that_the_signature_names_decides(void **unused)
{
	struct signed_info i = info();
	unsigned char public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
	char other[128] = "alice-1:";

	(void)unused;
	crypto_sign_keypair(public, secret);
	sodium_bin2base64(other + 8, sizeof other - 8, public, sizeof public, sodium_base64_VARIANT_ORIGINAL);
	assert_false(verifies(other, signature, &i));
	assert_false(verifies("alice-2:is7t+c6Dp931shCsxEBze0x8HsAa1cTDs3SpdcOCOJs=", signature, &i));
	assert_false(verifies("alice:is7t+c6Dp931shCsxEBze0x8HsAa1cTDs3SpdcOCOJs=", signature, &i));
}

static void a_second_key_verifies_as_well_as_the_first(void **unused)
{
	static char other[] = "bob:is7t+c6Dp931shCsxEBze0x8HsAa1cTDs3SpdcOCOJw=", key[] = KEY;
	char *const texts[] = { other, key };
	struct signed_info i = info();
	struct public_key *keys;
	struct arena arena;
	struct buf fingerprint;
	size_t bad = 99;

	(void)unused;
	arena_init(&arena, 4096);
	buf_init(&fingerprint, 4096);
	assert_int_equal(public_keys_parse(&arena, texts, 2, &keys, &bad), ERR_NONE);
	assert_int_equal(bad, 99);
	assert_int_equal(fingerprint_put(&fingerprint, &i), ERR_NONE);
	assert_true(signature_verifies(keys, 2, text_of(signature), buf_data(&fingerprint), buf_len(&fingerprint)));
	assert_false(signature_verifies(keys, 1, text_of(signature), buf_data(&fingerprint), buf_len(&fingerprint)));
	assert_false(signature_verifies(NULL, 0, text_of(signature), buf_data(&fingerprint), buf_len(&fingerprint)));
	buf_free(&fingerprint);
	arena_free(&arena);
}

static void two_keys_of_one_name_are_refused(void **unused)
{
	static char key[] = KEY, other[] = "bob:is7t+c6Dp931shCsxEBze0x8HsAa1cTDs3SpdcOCOJs=", broken[] = "carol:AAAA";
	char *const twice[] = { key, other, key }, *const bad_one[] = { key, broken };
	struct public_key *keys;
	struct arena arena;
	size_t bad;

	(void)unused;
	arena_init(&arena, 4096);
	assert_int_equal(public_keys_parse(&arena, twice, 3, &keys, &bad), ERR_PROTO);
	assert_int_equal(bad, 2);
	assert_null(keys);
	assert_int_equal(public_keys_parse(&arena, bad_one, 2, &keys, &bad), ERR_PROTO);
	assert_int_equal(bad, 1);
	assert_int_equal(public_keys_parse(&arena, twice, 2, &keys, NULL), ERR_NONE);
	arena_free(&arena);
}

#define BASE "is7t+c6Dp931shCsxEBze0x8HsAa1cTDs3SpdcOCOJs"

static void a_key_has_one_spelling(void **unused)
{
	static const char *const odd[] = {
		"", ":", "alice-1", "alice-1:", ":" BASE "=", "a b:" BASE "=", "a\x01:" BASE "=", "alice-1:" BASE,
		"alice-1:" BASE "==", "alice-1:" BASE "= ", "alice-1: " BASE "=", "alice-1::" BASE "=",
		"alice-1:is7t+c6Dp931shCsxEBze0x8HsAa1cTDs3SpdcOCOJt=",         /* bits left over */
		"alice-1:is7t-c6Dp931shCsxEBze0x8HsAa1cTDs3SpdcOCOJs=",         /* the other base64 */
		"alice-1:is7t+c6Dp931shCsxEBze0x8HsAa1cTDs3SpdcO\nOJs=",
		"alice-1:AAAA", KEY KEY,
	};
	struct public_key key;
	struct signature s;

	(void)unused;
	assert_int_equal(public_key_parse(text_of(KEY), &key), ERR_NONE);
	assert_true(text_is(key.name, "alice-1"));
	assert_int_equal(signature_parse(text_of(signature), &s), ERR_NONE);
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		if (public_key_parse(text_of(odd[i]), &key) != ERR_PROTO)
			fail_msg("taken: %s", odd[i]);
		assert_int_equal(signature_parse(text_of(odd[i]), &s), ERR_PROTO);
	}
	assert_int_equal(signature_parse(text_of(KEY), &s), ERR_PROTO);
	assert_int_equal(public_key_parse(text_of(signature), &key), ERR_PROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fingerprint_is_the_one_that_nix_signs),
		cmocka_unit_test(a_signature_over_other_fields_does_not_verify),
		cmocka_unit_test(references_out_of_order_or_an_empty_size_have_no_fingerprint),
		cmocka_unit_test(the_key_that_the_signature_names_decides),
		cmocka_unit_test(a_second_key_verifies_as_well_as_the_first),
		cmocka_unit_test(two_keys_of_one_name_are_refused),
		cmocka_unit_test(a_key_has_one_spelling),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
