#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/faults.h"

static void faults_come_out_in_the_order_of_their_lines(void **unused)
{
	struct faults f = { .items = NULL };

	(void)unused;
	assert_false(faults_any(&f));
	faults_add(&f, 7, "seven");
	faults_add(&f, 2, "two");
	faults_add(&f, 7, "seven again");
	faults_add(&f, 0, "the file");
	assert_int_equal(f.count, 4);
	assert_string_equal(f.items[0].text, "the file");
	assert_string_equal(f.items[1].text, "two");
	assert_string_equal(f.items[2].text, "seven");
	assert_string_equal(f.items[3].text, "seven again");
	assert_true(faults_any(&f));
	faults_free(&f);
}

static void the_same_sentence_about_the_same_line_is_kept_once(void **unused)
{
	struct faults f = { .items = NULL };

	(void)unused;
	faults_add(&f, 3, "bad");
	faults_add(&f, 3, "other");
	faults_add(&f, 3, "bad");
	faults_add(&f, 4, "bad");
	assert_int_equal(f.count, 3);
	assert_int_equal(f.left_out, 0);
	faults_free(&f);
}

static void over_the_bound_the_lowest_lines_stay_and_the_rest_is_counted(void **unused)
{
	struct faults f = { .items = NULL };

	(void)unused;
	for (unsigned line = 2 * FAULTS_MAX; line > 0; line--)
		faults_add(&f, line, "bad");
	assert_int_equal(f.count, FAULTS_MAX);
	assert_int_equal(f.left_out, FAULTS_MAX);
	assert_true(faults_full(&f));
	for (unsigned i = 0; i < FAULTS_MAX; i++)
		assert_int_equal(f.items[i].line, i + 1);
	faults_free(&f);
}

static void foreign_bytes_are_escaped_and_long_ones_cut(void **unused)
{
	char longer[3 * POLICY_TEXT_MAX];
	struct faults f = { .items = NULL };

	(void)unused;
	memset(longer, '\x1b', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	faults_add(&f, 1, "'%s'", "a\x1b[2J\n\xff");
	faults_add(&f, 2, "'%s'", longer);
	assert_string_equal(f.items[0].text, "'a\\x1b[2J\\x0a\\xff'");
	assert_true(strlen(f.items[1].text) < POLICY_TEXT_MAX);
	assert_string_equal(f.items[1].text + strlen(f.items[1].text) - 7, "\\x1b...");
	faults_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_come_out_in_the_order_of_their_lines),
		cmocka_unit_test(the_same_sentence_about_the_same_line_is_kept_once),
		cmocka_unit_test(over_the_bound_the_lowest_lines_stay_and_the_rest_is_counted),
		cmocka_unit_test(foreign_bytes_are_escaped_and_long_ones_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
