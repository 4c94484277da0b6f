#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/nix/text.h"

static struct text words_of[] = { { "a", 1 }, { "a!", 2 }, { "b", 1 }, { "\x80", 1 } };

static void texts_are_compared_by_their_bytes(void **unused)
{
	(void)unused;
	assert_true(text_is(text_of("kvm"), "kvm"));
	assert_false(text_is(text_of("kvm "), "kvm"));
	assert_false(text_is((struct text){ "kvm\0", 4 }, "kvm"));
	assert_true(text_is((struct text){ 0 }, ""));
	assert_true(text_equal((struct text){ 0 }, text_of("")));
	assert_true(text_compare(text_of("a"), text_of("ab")) < 0);
	assert_true(text_compare(text_of("b"), text_of("ab")) > 0);
	assert_true(text_compare(text_of("~"), text_of("\xc3\xa4")) < 0);
	assert_int_equal(text_compare((struct text){ 0 }, text_of("")), 0);
}

static void beginnings_and_ends_are_found(void **unused)
{
	(void)unused;
	assert_true(text_starts(text_of("builtin:x"), "builtin:"));
	assert_false(text_starts(text_of("builtin"), "builtin:"));
	assert_true(text_ends(text_of("a.drv"), ".drv"));
	assert_false(text_ends(text_of("drv"), ".drv"));
	assert_true(text_holds((struct text){ "a\0b", 3 }, '\0'));
	assert_false(text_holds((struct text){ 0 }, '\0'));
}

static void a_list_ascends_or_it_does_not(void **unused)
{
	struct text same[] = { { "a", 1 }, { "a", 1 } }, down[] = { { "b", 1 }, { "a", 1 } };

	(void)unused;
	assert_true(texts_ascend(NULL, 0));
	assert_true(texts_ascend(same, 1));
	assert_true(texts_ascend(words_of, 4));
	assert_false(texts_ascend(same, 2));
	assert_false(texts_ascend(down, 2));
}

static void every_item_of_a_list_is_found_and_nothing_else(void **unused)
{
	(void)unused;
	for (size_t count = 0; count <= 4; count++)
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(texts_hold(words_of, count, words_of[i]), i < count);
	assert_false(texts_hold(words_of, 4, text_of("")));
	assert_false(texts_hold(words_of, 4, text_of("a ")));
}

static void words_are_parted_by_the_four_blanks(void **unused)
{
	struct text rest = text_of(" kvm\tbig-parallel\n\r\nuid\x0brange  "), word;

	(void)unused;
	assert_true(text_word(&rest, &word));
	assert_true(text_is(word, "kvm"));
	assert_true(text_word(&rest, &word));
	assert_true(text_is(word, "big-parallel"));
	assert_true(text_word(&rest, &word));
	assert_true(text_is(word, "uid\x0brange"));
	assert_false(text_word(&rest, &word));
	assert_false(text_word(&rest, &word));
	rest = (struct text){ 0 };
	assert_false(text_word(&rest, &word));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_compared_by_their_bytes),
		cmocka_unit_test(beginnings_and_ends_are_found),
		cmocka_unit_test(a_list_ascends_or_it_does_not),
		cmocka_unit_test(every_item_of_a_list_is_found_and_nothing_else),
		cmocka_unit_test(words_are_parted_by_the_four_blanks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
