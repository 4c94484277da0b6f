#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/nix/content_address.h"

#define STORE "/nix/store/"
#define BOTH STORE "1f2cjlpvkbfgicg1dq9g7lzm09mv07iq-both.txt"
#define A_TXT STORE "z2gxprmwxdfyrb4rka1629bvxxa429ga-a.txt"
#define B_TXT STORE "sx5305c45zn199v0gv0x7vnh3z9q658x-b.txt"
#define SELF STORE "a5z1sqmm19i3vh967yb8s5b584jr8anm-self"
#define SELF_A STORE "19mw70w8drkgn53791gs2mwvyl34s5v6-a.txt"
#define S_NIX STORE "8jl0p1b1ib7dpa7rnqi7s9acmylaia1f-s.nix"
#define CA_NIX STORE "h9jbclczsfl9l525njxp6xvfh7ay5yi8-ca.nix"

/* What a Nix store said of paths of its own making: path, content address, references. */
struct sample {
	const char *path, *ca, *refs[2];
};

static const struct sample samples[] = {
	{ BOTH, "text:sha256:0gby2m65dz420mv5blwval6vhzgccqxwx0kk655xddxcln50cb61", { B_TXT, A_TXT } },
	{ SELF, "fixed:r:sha256:1hafaavppjvqdn7r6zwk3wa7ci204pd906w7ia1b0a5jmg52hm1v", { SELF_A, SELF } },
	{ S_NIX, "fixed:r:sha256:0gvzbwvva6b3i77sgr3wa89xwjflcxi8cxznbhf0bxizsrha2jf4", { NULL, NULL } },
	{ CA_NIX, "fixed:md5:3qpvw4gv4cika1q4rvcsvr7m02", { NULL, NULL } },
};

static enum err check(const char *path, const char *ca, const char *first, const char *second)
{
	struct text refs[2] = { { 0 } };
	size_t count = first == NULL ? 0 : second == NULL ? 1 : 2;
	struct content_address parsed;

	if (first != NULL)
		refs[0] = text_of(first);
	if (second != NULL)
		refs[1] = text_of(second);
	return content_address_check("/nix/store", text_of(path), text_of(ca), refs, count, &parsed);
}

static void paths_made_by_nix_follow_from_their_content_address(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		const struct sample *s = &samples[i];

		assert_int_equal(check(s->path, s->ca, s->refs[0], s->refs[1]), ERR_NONE);
	}
}

static void another_reference_name_or_hash_is_another_path(void **unused)
{
	const struct sample *text = &samples[0], *self = &samples[1], *source = &samples[2], *flat = &samples[3];

	(void)unused;
	assert_int_equal(check(BOTH, text->ca, B_TXT, NULL), ERR_PROTO);
	assert_int_equal(check(BOTH, text->ca, NULL, NULL), ERR_PROTO);
	assert_int_equal(check(BOTH, text->ca, A_TXT, B_TXT), ERR_PROTO);
	assert_int_equal(check(BOTH, text->ca, A_TXT, A_TXT), ERR_PROTO);
	assert_int_equal(check(BOTH, text->ca, "/nix/store/x", NULL), ERR_PROTO);
	assert_int_equal(check(BOTH "x", text->ca, B_TXT, A_TXT), ERR_PROTO);
	assert_int_equal(check(BOTH, source->ca, B_TXT, A_TXT), ERR_PROTO);
	assert_int_equal(check(SELF, self->ca, SELF_A, NULL), ERR_PROTO);
	assert_int_equal(check(SELF, self->ca, SELF, NULL), ERR_PROTO);
	assert_int_equal(check(S_NIX, source->ca, S_NIX, NULL), ERR_PROTO);
	assert_int_equal(check(S_NIX, source->ca, A_TXT, NULL), ERR_PROTO);
	assert_int_equal(check(CA_NIX, flat->ca, A_TXT, NULL), ERR_PROTO);
	assert_int_equal(check(CA_NIX, flat->ca, CA_NIX, NULL), ERR_PROTO);
	assert_int_equal(check(CA_NIX, "fixed:r:md5:3qpvw4gv4cika1q4rvcsvr7m02", NULL, NULL), ERR_PROTO);
}

/* Said twice, a reference would count once for one reader and twice for another. */
static void a_reference_to_itself_is_said_once(void **unused)
{
	struct text refs[] = { text_of(SELF_A), text_of(SELF), text_of(SELF) };
	struct content_address ca;

	(void)unused;
	for (size_t count = 2; count <= 3; count++)
		assert_int_equal(content_address_check("/nix/store", text_of(SELF), text_of(samples[1].ca), refs,
				 count, &ca),
				 count == 2 ? ERR_NONE : ERR_PROTO);
}

static void references_are_store_paths(void **unused)
{
	struct text ref = text_of("/etc/passwd");
	struct content_address ca;
	struct store_path made;

	(void)unused;
	assert_int_equal(content_address_parse(text_of(samples[0].ca), &ca), ERR_NONE);
	assert_int_equal(content_address_path("/nix/store", &ca, text_of("x"), &ref, 1, false, &made), ERR_NONE);
	assert_int_equal(check(made.bytes, samples[0].ca, ref.bytes, NULL), ERR_PROTO);
}

static void flat_files_and_weak_hashes_have_no_references(void **unused)
{
	struct text ref = text_of(A_TXT);

	(void)unused;
	for (enum content_method method = CONTENT_NAR; method <= CONTENT_FLAT; method++)
		for (enum hash_algo algo = HASH_MD5; algo <= HASH_SHA512; algo++) {
			struct content_address ca = { .method = method, .hash.algo = algo };
			enum err wanted = method == CONTENT_NAR && algo == HASH_SHA256 ? ERR_NONE : ERR_PROTO;
			struct store_path made;

			assert_int_equal(content_address_path("/nix/store", &ca, text_of("x"), &ref, 1, false, &made),
					 wanted);
			assert_int_equal(content_address_path("/nix/store", &ca, text_of("x"), NULL, 0, true, &made),
					 wanted);
			assert_int_equal(content_address_path("/nix/store", &ca, text_of("x"), NULL, 0, false, &made),
					 ERR_NONE);
		}
}

static void a_text_never_refers_to_itself(void **unused)
{
	struct content_address ca;
	struct store_path made;

	(void)unused;
	assert_int_equal(content_address_parse(text_of(samples[0].ca), &ca), ERR_NONE);
	assert_int_equal(content_address_path("/nix/store", &ca, text_of("x"), NULL, 0, false, &made), ERR_NONE);
	assert_int_equal(content_address_path("/nix/store", &ca, text_of("x"), NULL, 0, true, &made), ERR_PROTO);
}

static void a_derivation_is_taken_as_text_alone(void **unused)
{
	struct content_address ca;
	struct store_path made;

	(void)unused;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		assert_int_equal(content_address_parse(text_of(samples[i].ca), &ca), ERR_NONE);
		assert_int_equal(content_address_path("/nix/store", &ca, text_of("x.drv"), NULL, 0, false, &made),
				 ERR_NONE);
		assert_int_equal(check(made.bytes, samples[i].ca, NULL, NULL), i == 0 ? ERR_NONE : ERR_PROTO);
	}
}

/* "hello" as hello.txt, in every way there is. */
static void known_content_has_its_known_paths(void **unused)
{
	static const struct {
		enum content_method method;
		enum hash_algo algo;
		const char *hex, *path;
	} rows[] = {
		{ CONTENT_FLAT, HASH_SHA256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
		  STORE "iixxin28s82lrxs8v4lcf7nha2dkwprm-hello.txt" },
		{ CONTENT_TEXT, HASH_SHA256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
		  STORE "q790zdjk75hm2cn42nh77pqw4gbv1b88-hello.txt" },
		{ CONTENT_NAR, HASH_SHA256, "0a430879c266f8b57f4092a0f935cf3facd48bbccde5760d4748ca405171e969",
		  STORE "xfp2hphvk98rkk9ywlqpp587rjdcgnc2-hello.txt" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct content_address ca = { .method = rows[i].method, .hash.algo = rows[i].algo };
		struct store_path made;

		assert_true(hex_decode(text_of(rows[i].hex), ca.hash.bytes, hash_len(ca.hash.algo)));
		assert_int_equal(content_address_path("/nix/store", &ca, text_of("hello.txt"), NULL, 0, false, &made),
				 ERR_NONE);
		assert_string_equal(made.bytes, rows[i].path);
	}
}

#define SHA512 "fixed:r:sha512:1igw6jma2fig1c5x21kji2p42s4z47c4y4li0mhvlwcngg44qvc32r3i7d44gmlz2br4ifmni97z4parhgkml8mh612smj9ii2d9ax4"

static void what_is_parsed_renders_to_the_same_text(void **unused)
{
	static const char *const more[] = {
		"fixed:sha1:gqzg1q8hr60q1dqvnp0h5m2vcmdxqmng",
		"fixed:r:sha1:gqzg1q8hr60q1dqvnp0h5m2vcmdxqmng",
		SHA512,
	};
	char text[CONTENT_ADDRESS_MAX];
	struct content_address ca;

	(void)unused;
	for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
		assert_int_equal(content_address_parse(text_of(samples[i].ca), &ca), ERR_NONE);
		assert_int_equal(content_address_render(&ca, text), text_of(samples[i].ca).len);
		assert_string_equal(text, samples[i].ca);
	}
	for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
		assert_int_equal(content_address_parse(text_of(more[i]), &ca), ERR_NONE);
		assert_int_equal(content_address_render(&ca, text), text_of(more[i]).len);
		assert_string_equal(text, more[i]);
	}
}

#define SHA256 "0gby2m65dz420mv5blwval6vhzgccqxwx0kk655xddxcln50cb61"
#define SHA1 "gqzg1q8hr60q1dqvnp0h5m2vcmdxqmng"

/* U14 */
static void other_content_addresses_are_refused(void **unused)
{
	static const char *const odd[] = {
		"", ":", "text", "text:", "text:sha256", "text:sha256:", "sha256:" SHA256, "r:sha256:" SHA256,
		"text:sha1:" SHA1, "text:md5:3qpvw4gv4cika1q4rvcsvr7m02", "text:r:sha256:" SHA256,
		"fixed:git:sha1:" SHA1, "fixed:git:sha256:" SHA256, "fixed:blake3:" SHA256, "fixed:r:blake3:" SHA256,
		"fixed::sha256:" SHA256, "fixed:r::sha256:" SHA256, "fixed:r:r:sha256:" SHA256, "Fixed:sha256:" SHA256,
		"fixed:SHA256:" SHA256, "fixed:sha256:" SHA1, "fixed:sha1:" SHA256, "fixed:sha256: " SHA256,
		"fixed:sha256:" SHA256 " ", " fixed:sha256:" SHA256, "fixed:sha256:" SHA256 ":",
		"fixed:sha256:2gby2m65dz420mv5blwval6vhzgccqxwx0kk655xddxcln50cb61",
		"fixed:sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
		"fixed:sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
	};
	struct content_address ca;

	(void)unused;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		if (content_address_parse(text_of(odd[i]), &ca) != ERR_PROTO)
			fail_msg("taken: %s", odd[i]);
	assert_int_equal(content_address_parse((struct text){ 0 }, &ca), ERR_PROTO);
}

static void methods_have_two_spellings_that_are_not_mixed(void **unused)
{
	static const char *const uploads[] = { "text:sha256", "fixed:r:sha256", "fixed:sha256" };
	static const char *const outputs[] = { "text:sha256", "r:sha256", "sha256" };
	static const char *const odd[] = {
		"", "text:sha1", "git:sha1", "fixed:git:sha1", "blake3", "r:blake3", "r:", "fixed:", "text:", "sha256:",
		"fixed:sha256:", "r:r:sha256",
	};
	enum content_method method;
	enum hash_algo algo;

	(void)unused;
	for (enum content_method i = CONTENT_TEXT; i <= CONTENT_FLAT; i++) {
		assert_int_equal(content_method_parse(text_of(uploads[i]), &method, &algo), ERR_NONE);
		assert_int_equal(method, i);
		assert_int_equal(content_method_parse_output(text_of(outputs[i]), &method, &algo), ERR_NONE);
		assert_int_equal(method, i);
		assert_int_equal(algo, HASH_SHA256);
		if (i != CONTENT_TEXT) {
			assert_int_equal(content_method_parse(text_of(outputs[i]), &method, &algo), ERR_PROTO);
			assert_int_equal(content_method_parse_output(text_of(uploads[i]), &method, &algo), ERR_PROTO);
		}
	}
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		assert_int_equal(content_method_parse(text_of(odd[i]), &method, &algo), ERR_PROTO);
		assert_int_equal(content_method_parse_output(text_of(odd[i]), &method, &algo), ERR_PROTO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_made_by_nix_follow_from_their_content_address),
		cmocka_unit_test(another_reference_name_or_hash_is_another_path),
		cmocka_unit_test(a_reference_to_itself_is_said_once),
		cmocka_unit_test(references_are_store_paths),
		cmocka_unit_test(flat_files_and_weak_hashes_have_no_references),
		cmocka_unit_test(a_text_never_refers_to_itself),
		cmocka_unit_test(a_derivation_is_taken_as_text_alone),
		cmocka_unit_test(known_content_has_its_known_paths),
		cmocka_unit_test(what_is_parsed_renders_to_the_same_text),
		cmocka_unit_test(other_content_addresses_are_refused),
		cmocka_unit_test(methods_have_two_spellings_that_are_not_mixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
