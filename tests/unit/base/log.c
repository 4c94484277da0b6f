/* The one door for foreign bytes: nothing gets through it that a terminal or a log would act on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/err.h"
#include "gateway/base/log.h"

static void plain_text_stays_as_it_is(void **unused)
{
	char out[SENTENCE_MAX];

	(void)unused;
	log_sentence(out, "key '%s' expired on %d", "bob", 2020);
	assert_string_equal(out, "key 'bob' expired on 2020");
}

static void whatever_acts_on_a_terminal_is_escaped(void **unused)
{
	char out[SENTENCE_MAX];

	(void)unused;
	log_sentence(out, "%s", "a\nb\x1b[0m\\ 100% \x7f\xc3\xa9");
	assert_string_equal(out, "a\\x0ab\\x1b[0m\\\\ 100\\x25 \\x7f\\xc3\\xa9");
}

static void a_nul_byte_is_shown(void **unused)
{
	char out[64];

	(void)unused;
	assert_int_equal(log_escape(out, sizeof out, "a\0b", 3), 6);
	assert_string_equal(out, "a\\x00b");
}

/* At every size: it fits, it is a text, no escape is cut in the middle, and what was left out is marked. */
static void what_is_too_long_is_cut_between_escapes(void **unused)
{
	static const char in[] = "ab\n\ncd\xff" "efgh";
	static const char whole[] = "ab\\x0a\\x0acd\\xffefgh";

	(void)unused;
	for (size_t size = 0; size < 40; size++) {
		char out[64];
		size_t len;

		memset(out, '#', sizeof out);
		len = log_escape(out, size, in, sizeof in - 1);
		assert_int_equal(out[size], '#');
		if (size == 0)
			continue;
		assert_int_equal(strlen(out), len);
		assert_true(len < size);
		if (size > sizeof whole - 1) {
			assert_string_equal(out, whole);
		} else if (size > 3) {
			assert_string_equal(out + len - 3, "...");
			assert_memory_equal(out, whole, len - 3);
			assert_true(len < 7 || strncmp(out + len - 4, "\\", 1) != 0);
		}
	}
}

static void every_error_has_a_text(void **unused)
{
	(void)unused;
	assert_string_equal(err_text(ERR_NONE), "no error");
	assert_string_equal(err_text(ERR_MEMORY), "out of memory");
	assert_string_equal(err_text((enum err)1000), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_stays_as_it_is),
		cmocka_unit_test(whatever_acts_on_a_terminal_is_escaped),
		cmocka_unit_test(a_nul_byte_is_shown),
		cmocka_unit_test(what_is_too_long_is_cut_between_escapes),
		cmocka_unit_test(every_error_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
