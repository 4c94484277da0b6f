#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "gateway/nix/store_path.h"

#define HASH "q790zdjk75hm2cn42nh77pqw4gbv1b88"
#define STORE "/nix/store/"

static bool ok(const char *path)
{
	return store_path_ok("/nix/store", text_of(path));
}

static void canonical_paths_pass(void **unused)
{
	(void)unused;
	assert_true(ok(STORE HASH "-hello.txt"));
	assert_true(ok(STORE HASH "-a"));
	assert_true(ok(STORE HASH "-A+-._?=z09"));
	assert_true(ok(STORE HASH "-hello.drv"));
	assert_true(store_path_ok("/gnu/s", text_of("/gnu/s/" HASH "-x")));
}

/* U17 */
static void odd_spellings_are_refused(void **unused)
{
	static const char *const odd[] = {
		"", "/", "/nix/store", "/nix/store/", STORE HASH, STORE HASH "-", STORE HASH "x", STORE HASH "xname",
		"/nix/store//" HASH "-x", "//nix/store/" HASH "-x", "/nix/./store/" HASH "-x",
		"/nix/../nix/store/" HASH "-x", "/nix/store/../store/" HASH "-x", "/nix/store/./" HASH "-x",
		STORE HASH "-x/", STORE HASH "-x/bin", STORE HASH "-x/..", "nix/store/" HASH "-x",
		"/nix/storf/" HASH "-x", "/nix/store" HASH "-x", "/NIX/store/" HASH "-x",
		STORE "Q790zdjk75hm2cn42nh77pqw4gbv1b88-x", STORE "e790zdjk75hm2cn42nh77pqw4gbv1b88-x",
		STORE "790zdjk75hm2cn42nh77pqw4gbv1b88-x", STORE "qq790zdjk75hm2cn42nh77pqw4gbv1b88-x",
		STORE HASH "-.x", STORE HASH "-.", STORE HASH "-..", STORE HASH "-.-x", STORE HASH "-..-x",
		STORE HASH "-a b", STORE HASH "-a!b", STORE HASH "-a,b", STORE HASH "-a^b", STORE HASH "-a\n",
		STORE HASH "-\xc3\xa4", STORE HASH "-a~b", STORE HASH "-a%b", " " STORE HASH "-x", STORE HASH "-x ",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		if (ok(odd[i]))
			fail_msg("taken: %s", odd[i]);
	assert_false(store_path_ok("/nix/store", (struct text){ STORE HASH "-x\0", 46 }));
	assert_false(store_path_ok("/nix/store", (struct text){ 0 }));
}

static void names_are_at_most_211_bytes_long(void **unused)
{
	char path[sizeof STORE HASH + STORE_NAME_MAX + 2] = STORE HASH "-";
	size_t start = strlen(path);

	(void)unused;
	memset(path + start, 'n', STORE_NAME_MAX + 1);
	assert_false(store_path_ok("/nix/store", (struct text){ path, start + STORE_NAME_MAX + 1 }));
	assert_true(store_path_ok("/nix/store", (struct text){ path, start + STORE_NAME_MAX }));
}

static void a_path_is_at_most_512_bytes_long(void **unused)
{
	char dir[STORE_PATH_MAX + 1] = "/", path[2 * STORE_PATH_MAX];
	uint8_t inner[32] = { 0 };
	struct store_path_seed seed = { .type = "text", .inner = inner };
	struct store_path made;

	(void)unused;
	for (size_t len = STORE_PATH_MAX - 60; len < STORE_PATH_MAX; len++) {
		bool fits = len + 1 + sizeof HASH + 1 <= STORE_PATH_MAX;

		memset(dir + 1, 'd', len - 1);
		dir[len] = '\0';
		memcpy(path, dir, len);
		memcpy(path + len, "/" HASH "-x", sizeof "/" HASH "-x");
		assert_int_equal(store_path_ok(dir, text_of(path)), fits);
		assert_int_equal(store_path_make(dir, &seed, text_of("x"), &made), fits ? ERR_NONE : ERR_LIMIT);
	}
}

static void parts_of_a_path_are_found(void **unused)
{
	struct text drv = text_of(STORE HASH "-hello-2.1.drv"), plain = text_of(STORE HASH "-hello-2.1");

	(void)unused;
	assert_true(text_is(store_path_base(drv), HASH "-hello-2.1.drv"));
	assert_true(store_base_ok(store_path_base(drv)));
	assert_false(store_base_ok(drv));
	assert_true(text_is(store_path_name(drv), "hello-2.1.drv"));
	assert_true(store_path_is_drv(drv));
	assert_true(text_is(store_path_drv_name(drv), "hello-2.1"));
	assert_false(store_path_is_drv(plain));
	assert_true(text_is(store_path_name(plain), "hello-2.1"));
	assert_true(text_is(store_path_drv_name(plain), "hello-2.1"));
}

static void an_output_is_named_after_its_derivation(void **unused)
{
	char longest[STORE_NAME_MAX];
	struct store_name name;

	(void)unused;
	memset(longest, 'n', sizeof longest);
	assert_int_equal(output_path_name(text_of("hello"), text_of("out"), &name), ERR_NONE);
	assert_string_equal(name.bytes, "hello");
	assert_int_equal(output_path_name(text_of("hello"), text_of("dev"), &name), ERR_NONE);
	assert_string_equal(name.bytes, "hello-dev");
	assert_int_equal(output_path_name((struct text){ longest, 211 }, text_of("out"), &name), ERR_NONE);
	assert_int_equal(output_path_name((struct text){ longest, 208 }, text_of("d"), &name), ERR_NONE);
	assert_int_equal(output_path_name((struct text){ longest, 209 }, text_of("d"), &name), ERR_NONE);
	assert_int_equal(output_path_name((struct text){ longest, 210 }, text_of("d"), &name), ERR_LIMIT);
	assert_int_equal(output_path_name((struct text){ longest, 211 }, text_of("d"), &name), ERR_LIMIT);
}

static void no_path_is_made_of_a_bad_name_or_unsorted_references(void **unused)
{
	struct text refs[] = { { STORE HASH "-b", 45 }, { STORE HASH "-a", 45 } };
	uint8_t inner[32] = { 0 };
	struct store_path_seed seed = { .type = "text", .refs = refs, .ref_count = 1, .inner = inner };
	struct store_path made;

	(void)unused;
	assert_int_equal(store_path_make("/nix/store", &seed, text_of("x"), &made), ERR_NONE);
	assert_true(store_path_ok("/nix/store", store_path_text(&made)));
	assert_int_equal(store_path_make("/nix/store", &seed, text_of(".x"), &made), ERR_PROTO);
	assert_int_equal(store_path_make("/nix/store", &seed, text_of(""), &made), ERR_PROTO);
	seed.ref_count = 2;
	assert_int_equal(store_path_make("/nix/store", &seed, text_of("x"), &made), ERR_PROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_paths_pass),
		cmocka_unit_test(odd_spellings_are_refused),
		cmocka_unit_test(names_are_at_most_211_bytes_long),
		cmocka_unit_test(a_path_is_at_most_512_bytes_long),
		cmocka_unit_test(parts_of_a_path_are_found),
		cmocka_unit_test(an_output_is_named_after_its_derivation),
		cmocka_unit_test(no_path_is_made_of_a_bad_name_or_unsorted_references),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
