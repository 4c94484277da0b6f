#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "gateway/nix/derived_path.h"

#define DRV "/nix/store/q790zdjk75hm2cn42nh77pqw4gbv1b88-hello.drv"
#define OUT "/nix/store/q790zdjk75hm2cn42nh77pqw4gbv1b88-hello"

static enum err parse(const char *text, struct derived_path *d)
{
	return derived_path_parse("/nix/store", text_of(text), d);
}

static void the_four_forms_are_told_apart(void **unused)
{
	struct derived_path d;

	(void)unused;
	assert_int_equal(parse(OUT, &d), ERR_NONE);
	assert_false(d.built);
	assert_true(text_is(d.path, OUT));
	assert_int_equal(parse(DRV, &d), ERR_NONE);
	assert_false(d.built || d.all);
	assert_int_equal(parse(DRV "!*", &d), ERR_NONE);
	assert_true(d.built && d.all);
	assert_true(text_is(d.path, DRV));
	assert_int_equal(parse(DRV "!out,dev", &d), ERR_NONE);
	assert_true(d.built && !d.all);
	assert_true(text_is(d.path, DRV));
	assert_true(text_is(d.outputs, "out,dev"));
}

static void outputs_are_walked_and_looked_up(void **unused)
{
	struct derived_path d;
	struct text rest, name;

	(void)unused;
	assert_int_equal(parse(DRV "!out,dev,a+b", &d), ERR_NONE);
	rest = d.outputs;
	assert_true(derived_path_next(&rest, &name) && text_is(name, "out"));
	assert_true(derived_path_next(&rest, &name) && text_is(name, "dev"));
	assert_true(derived_path_next(&rest, &name) && text_is(name, "a+b"));
	assert_false(derived_path_next(&rest, &name));
	assert_true(derived_path_wants(&d, text_of("dev")));
	assert_false(derived_path_wants(&d, text_of("de")));
	assert_int_equal(parse(DRV "!*", &d), ERR_NONE);
	assert_true(derived_path_wants(&d, text_of("anything")));
	assert_int_equal(parse(DRV, &d), ERR_NONE);
	assert_false(derived_path_wants(&d, text_of("out")));
}

/* P12, and what readers of different age take for different things. */
static void every_other_form_is_refused(void **unused)
{
	static const char *const odd[] = {
		"", "!", "!*", DRV "!", DRV "!!", DRV "!out!out", DRV "!out!*", DRV "!*!out", DRV "!*,out",
		DRV "!out,*",
		DRV "!,", DRV "!,out", DRV "!out,", DRV "!out,,dev", DRV "!out,dev,out", DRV "!out,out", DRV "!out dev",
		DRV "^out", DRV "^*", DRV " !out", DRV "! out", DRV "!o/t", DRV "!o\nt", OUT "!out", OUT "!*",
		DRV "!out.drv!out", "/nix/./store/q790zdjk75hm2cn42nh77pqw4gbv1b88-hello.drv!*",
	};
	struct derived_path d;

	(void)unused;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		if (parse(odd[i], &d) != ERR_PROTO)
			fail_msg("taken: %s", odd[i]);
	assert_int_equal(derived_path_parse("/nix/store", (struct text){ DRV "!o\0t", sizeof DRV + 3 }, &d), ERR_PROTO);
	assert_int_equal(derived_path_parse("/nix/store", (struct text){ 0 }, &d), ERR_PROTO);
}

static void names_of_outputs_are_bounded_in_length_and_number(void **unused)
{
	char text[4096] = DRV "!";
	size_t len = strlen(text);
	struct derived_path d;

	(void)unused;
	memset(text + len, 'o', STORE_NAME_MAX + 1);
	assert_int_equal(derived_path_parse("/nix/store", (struct text){ text, len + STORE_NAME_MAX }, &d), ERR_NONE);
	assert_int_equal(derived_path_parse("/nix/store", (struct text){ text, len + STORE_NAME_MAX + 1 }, &d),
			 ERR_PROTO);
	for (unsigned i = 0; i <= DERIVED_OUTPUTS_MAX; i++) {
		len += (size_t)snprintf(text + len, sizeof text - len, "%so%u", i == 0 ? "" : ",", i);
		assert_int_equal(derived_path_parse("/nix/store", (struct text){ text, len }, &d),
				 i < DERIVED_OUTPUTS_MAX ? ERR_NONE : ERR_LIMIT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_four_forms_are_told_apart),
		cmocka_unit_test(outputs_are_walked_and_looked_up),
		cmocka_unit_test(every_other_form_is_refused),
		cmocka_unit_test(names_of_outputs_are_bounded_in_length_and_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
