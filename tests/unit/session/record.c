#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/session/record.h"
#include "tests/unit/session/judging.h"

static void a_build_is_recorded_with_its_facts(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a", .features = "kvm big-parallel");
	hold_drv(t, &a, false);
	assert_int_equal(JUDGE(t, all_of(&a, "!*")), ERR_NONE);
	assert_int_equal(record_build(&t->session, text_of(all_of(&a, "!out")), "built", clock_ms() - 2500), ERR_NONE);
	assert_holds(talk_records(t), "\"event\":\"build\"");
	assert_holds(talk_records(t), a.path);
	assert_holds(talk_records(t), "\"system\":\"x86_64-linux\",\"features\":\"big-parallel kvm\",\"outcome\":\"built\","
				      "\"seconds\":2}\n");
}

/* Passed by before it was read, or no derivation at all: nothing was built. */
static void what_was_not_judged_leaves_no_record(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a");
	assert_int_equal(record_build(&t->session, text_of(a.path), "built", 0), ERR_NONE);
	assert_int_equal(record_build(&t->session, text_of("nonsense"), "built", 0), ERR_NONE);
	assert_string_equal(talk_records(t), "");
}

static void features_without_end_are_cut(void **state)
{
	static char large[5000];
	const char *const features[] = { "kvm", large, "more" };
	struct build_ask ask = { .drv = "x", .system = "y", .features = features, .feature_count = 3 };
	struct talk *t = *state;

	memset(large, 'f', sizeof large - 1);
	assert_int_equal(record_ask(&t->session, &ask, "built", clock_ms()), ERR_NONE);
	assert_holds(talk_records(t), "\"features\":\"kvm ffff");
	assert_null(strstr(talk_records(t), "more"));
}

static void what_cannot_be_recorded_ends_the_session(void **state)
{
	struct talk *t = *state;

	close(t->audit.file);
	t->audit.file = open("/dev/full", O_WRONLY);
	assert_int_equal(record_upload(&t->session, "upload", text_of(STORE "x"), 5), ERR_IO);
	assert_string_equal(t->session.outcome, "failed");
	assert_holds(t->session.why, "this builder cannot write its audit record");
}

static void an_upload_is_recorded_with_path_and_bytes(void **state)
{
	struct talk *t = *state;

	assert_int_equal(record_upload(&t->session, "rebuild", text_of(STORE "x"), 5), ERR_NONE);
	assert_holds(talk_records(t), "\"event\":\"rebuild\"");
	assert_holds(talk_records(t), "\"path\":\"" STORE "x\",\"bytes\":5}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_build_is_recorded_with_its_facts),
		TEST(what_was_not_judged_leaves_no_record),
		TEST(features_without_end_are_cut),
		TEST(what_cannot_be_recorded_ends_the_session),
		TEST(an_upload_is_recorded_with_path_and_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
