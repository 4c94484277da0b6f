#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/session/pace.h"

enum { SECOND = 1000, STALL = 60 * SECOND };

static struct pace begun(void)
{
	struct pace p;

	pace_begin(&p);
	return p;
}

/* A second, and what came in it. Returns how many of them it lasts, up to `most`. */
static int lasts(struct pace *p, uint64_t bytes, int most)
{
	int seconds = 0;

	while (seconds < most && !pace_is_lost(p)) {
		pace_moved(p, bytes, STALL);
		pace_waited(p, SECOND);
		seconds++;
	}
	return seconds;
}

static void the_grace_is_everybodys(void **unused)
{
	struct pace p = begun();

	(void)unused;
	assert_false(pace_would_be_lost(&p, PACE_GRACE_MS));
	assert_true(pace_would_be_lost(&p, PACE_GRACE_MS + 1));
	pace_waited(&p, PACE_GRACE_MS);
	assert_false(pace_is_lost(&p));
	pace_waited(&p, 1);
	assert_true(pace_is_lost(&p));
}

static void a_byte_a_second_is_too_slow_and_the_rate_is_not(void **unused)
{
	struct pace slow = begun(), steady = begun(), nearly = begun();

	(void)unused;
	assert_int_equal(lasts(&slow, 1, 1000), 31);
	assert_int_equal(lasts(&steady, PACE_RATE, 100000), 100000);
	assert_true(lasts(&nearly, PACE_RATE - PACE_RATE / 10, 1000) < 302);
}

static void small_pieces_count_as_much_as_large_ones(void **unused)
{
	struct pace p = begun();

	(void)unused;
	for (int ms = 0; ms < 100 * SECOND; ms++) {
		pace_moved(&p, PACE_RATE / SECOND + 1, STALL);
		pace_waited(&p, 1);
	}
	assert_false(pace_is_lost(&p));
}

/* What an upload of any size buys is a pause, and no hours. */
static void what_is_saved_up_is_bounded(void **unused)
{
	static const uint64_t sizes[] = { 10 << 20, UINT64_C(1) << 40, UINT64_MAX };

	(void)unused;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct pace p = begun();

		pace_moved(&p, sizes[i], STALL);
		assert_false(pace_would_be_lost(&p, PACE_GRACE_MS + STALL));
		assert_int_equal(lasts(&p, 1, 1000), (PACE_GRACE_MS + STALL) / SECOND + 1);
	}
}

static void who_is_too_slow_stays_so(void **unused)
{
	struct pace p = begun();

	(void)unused;
	pace_waited(&p, INT64_MAX);
	assert_true(pace_is_lost(&p));
	pace_moved(&p, UINT64_MAX, INT64_MAX);
	assert_true(pace_is_lost(&p) && pace_would_be_lost(&p, 0));
}

static void a_clock_that_stands_still_costs_nothing(void **unused)
{
	struct pace p = begun();

	(void)unused;
	pace_waited(&p, 0);
	pace_waited(&p, -5);
	assert_false(pace_would_be_lost(&p, PACE_GRACE_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_grace_is_everybodys),
		cmocka_unit_test(a_byte_a_second_is_too_slow_and_the_rate_is_not),
		cmocka_unit_test(small_pieces_count_as_much_as_large_ones),
		cmocka_unit_test(what_is_saved_up_is_bounded),
		cmocka_unit_test(who_is_too_slow_stays_so),
		cmocka_unit_test(a_clock_that_stands_still_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
