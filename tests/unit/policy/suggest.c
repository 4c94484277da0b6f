#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/suggest.h"

static const char *nearest(const char *wanted)
{
	static const char *const candidates[] = { "systems", "features", "timeout", "trust", "nix", "cores", NULL };
	struct suggest s = suggest_for(wanted);

	for (size_t i = 0; candidates[i] != NULL; i++)
		suggest_try(&s, candidates[i]);
	return s.best;
}

static void one_slip_of_the_finger_is_recognised(void **unused)
{
	(void)unused;
	assert_string_equal(nearest("sytems"), "systems");      /* left out */
	assert_string_equal(nearest("systemss"), "systems");    /* inserted */
	assert_string_equal(nearest("festures"), "features");   /* changed */
	assert_string_equal(nearest("tiemout"), "timeout");     /* swapped */
	assert_string_equal(nearest("SYSTEMS"), "systems");     /* case */
	assert_string_equal(nearest("nxi"), "nix");
}

static void what_is_far_gets_no_suggestion(void **unused)
{
	char longer[200];

	(void)unused;
	memset(longer, 's', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	assert_null(nearest("colour"));
	assert_null(nearest("xyz"));
	assert_null(nearest(""));
	assert_null(nearest(longer));
}

static void the_nearest_of_several_wins(void **unused)
{
	struct suggest s = suggest_for("max-build");

	(void)unused;
	suggest_try(&s, "max-bulids");
	suggest_try(&s, "max-builds");
	suggest_try(&s, "max-buildss");
	assert_string_equal(s.best, "max-builds");
	assert_int_equal(s.distance, 1);
}

static void the_sentence_is_empty_without_a_suggestion(void **unused)
{
	char text[SUGGEST_TEXT_MAX];
	struct suggest s = suggest_for("trsut");

	(void)unused;
	assert_string_equal(suggest_text(&s, text), "");
	suggest_try(&s, "trust");
	assert_string_equal(suggest_text(&s, text), "; did you mean 'trust'?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_slip_of_the_finger_is_recognised),
		cmocka_unit_test(what_is_far_gets_no_suggestion),
		cmocka_unit_test(the_nearest_of_several_wins),
		cmocka_unit_test(the_sentence_is_empty_without_a_suggestion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
