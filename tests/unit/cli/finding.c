#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/cli/finding.h"

static void assert_printed(const struct finding *f, bool json, const char *expected)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(to);
	finding_print(f, "home", json, to);
	fclose(to);
	assert_string_equal(text, expected);
	free(text);
}

static void the_worst_that_was_said_stands_with_its_cure(void **unused)
{
	struct finding f = { .grade = GRADE_OK };

	(void)unused;
	finding_ok(&f, "fine");
	assert_printed(&f, false, "ok    home: fine\n");
	finding_warn(&f, "not %s", "good");
	finding_mend(&f, "try");
	assert_printed(&f, false, "warn  home: not good; mend: try\n");
	finding_fail(&f, "bad");
	assert_printed(&f, false, "FAIL  home: bad\n");
	finding_mend(&f, "cure %d", 1);
	finding_fail(&f, "bad as well");
	finding_mend(&f, "cure 2");
	finding_ok(&f, "fine again");
	finding_mend(&f, "cure 3");
	assert_printed(&f, false, "FAIL  home: bad; mend: cure 1\n");
}

static void foreign_bytes_are_escaped_in_both_forms(void **unused)
{
	struct finding f = { .grade = GRADE_OK };

	(void)unused;
	finding_warn(&f, "%s", "a\n\"b\x1b");
	assert_printed(&f, false, "warn  home: a\\x0a\"b\\x1b\n");
	assert_printed(&f, true, "{\"check\":\"home\",\"result\":\"warn\",\"text\":\"a\\\\x0a\\\"b\\\\x1b\"}\n");
	finding_mend(&f, "m");
	assert_printed(&f, true,
		       "{\"check\":\"home\",\"result\":\"warn\",\"text\":\"a\\\\x0a\\\"b\\\\x1b\",\"mend\":\"m\"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worst_that_was_said_stands_with_its_cure),
		cmocka_unit_test(foreign_bytes_are_escaped_in_both_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
