#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/nix/ops.h"
#include "gateway/session/settings.h"
#include "tests/unit/session/options.h"

/* --- what holds --- */

/* A builder with a value of its own everywhere. */
static const struct nix_conf builder = {
	.keep_failed = 1, .keep_going = 1, .fallback = 1, .substitute = 1, .max_jobs = 6, .cores = 8,
	.max_silent_time = 900, .timeout = 3600,
};
static const struct grant silent;
static const struct wish nothing;

static struct limit is(uint64_t value)
{
	return (struct limit){ .set = true, .value = value };
}

static struct set_options holds(const struct grant *grant, const struct nix_conf *conf, const struct wish *wish)
{
	struct set_options out;

	memset(&out, 0xee, sizeof out);
	settings_effective(grant, conf, wish, &out);
	return out;
}

static void a_silent_grant_and_client_leave_what_nix_conf_says(void **unused)
{
	struct set_options o = holds(&silent, &builder, &nothing);

	(void)unused;
	assert_int_equal(o.keep_failed, 1);
	assert_int_equal(o.keep_going, 1);
	assert_int_equal(o.try_fallback, 1);
	assert_int_equal(o.max_build_jobs, 6);
	assert_int_equal(o.max_silent_time, 900);
	assert_int_equal(o.build_cores, 8);
	assert_int_equal(o.use_substitutes, 1);
	assert_int_equal(o.timeout, 3600);
}

static void fields_that_are_no_limits_are_fixed(void **unused)
{
	struct set_options o = holds(&silent, &builder, &nothing);

	(void)unused;
	assert_int_equal(o.verbosity, 3);
	assert_int_equal(o.use_build_hook, 1);
	assert_int_equal(o.build_verbosity, 0);
	assert_int_equal(o.log_type, 0);
	assert_int_equal(o.print_build_trace, 0);
}

static void what_the_grant_sets_takes_the_place_of_nix_conf(void **unused)
{
	/* Each of them one of the values that could be mistaken for none. */
	struct grant less = { .keep_failed = is(0), .max_jobs = is(0), .use_substitutes = is(0), .timeout = is(1) };
	struct grant more = { .max_jobs = is(60), .cores = is(0), .max_silent_time = is(0), .timeout = is(0) };
	struct nix_conf mean = { .max_jobs = 1, .cores = 1 };
	struct grant kind = { .keep_failed = is(1), .use_substitutes = is(1) };
	struct set_options o = holds(&less, &builder, &nothing);

	(void)unused;
	assert_int_equal(o.keep_failed, 0);
	assert_int_equal(o.max_build_jobs, 0);
	assert_int_equal(o.use_substitutes, 0);
	assert_int_equal(o.timeout, 1);
	assert_int_equal(o.max_silent_time, 900);
	assert_int_equal(o.build_cores, 8);
	o = holds(&more, &builder, &nothing);
	assert_int_equal(o.max_build_jobs, 60);
	assert_int_equal(o.build_cores, 0);
	assert_int_equal(o.max_silent_time, 0);
	assert_int_equal(o.timeout, 0);
	o = holds(&kind, &mean, &nothing);
	assert_int_equal(o.keep_failed, 1);
	assert_int_equal(o.use_substitutes, 1);
	assert_int_equal(o.keep_going, 0);
	assert_int_equal(o.try_fallback, 0);
}

/* What holds of a limit where 0 is the most, for the times and for cores alike. */
static uint64_t of_three(struct limit grant, uint64_t conf, struct limit wish)
{
	struct grant g = { .timeout = grant, .max_silent_time = grant, .cores = grant };
	struct nix_conf c = { .timeout = conf, .max_silent_time = conf, .cores = conf };
	struct wish w = { .timeout = wish, .max_silent_time = wish, .cores = wish };
	struct set_options o = holds(&g, &c, &w);

	assert_int_equal(o.max_silent_time, o.timeout);
	assert_int_equal(o.build_cores, o.timeout);
	return o.timeout;
}

static void a_client_may_ask_for_less_time_and_fewer_cores_and_never_for_more(void **unused)
{
	struct limit none = { .set = false };

	(void)unused;
	/* The grant bounds, whatever nix.conf says. */
	assert_int_equal(of_three(is(100), 10, is(99)), 99);
	assert_int_equal(of_three(is(100), 10, is(100)), 100);
	assert_int_equal(of_three(is(100), 10, is(101)), 100);
	assert_int_equal(of_three(is(100), 10, is(0)), 100);
	assert_int_equal(of_three(is(100), 10, is(UINT64_MAX)), 100);
	assert_int_equal(of_three(is(0), 10, is(5)), 5);
	assert_int_equal(of_three(is(0), 10, is(500)), 500);
	assert_int_equal(of_three(is(0), 10, is(0)), 0);
	/* Else nix.conf does. */
	assert_int_equal(of_three(none, 10, is(9)), 9);
	assert_int_equal(of_three(none, 10, is(11)), 10);
	assert_int_equal(of_three(none, 10, is(0)), 10);
	assert_int_equal(of_three(none, 0, is(7)), 7);
	assert_int_equal(of_three(none, 0, is(0)), 0);
}

static uint64_t jobs(struct limit grant, uint64_t conf, struct limit wish)
{
	struct grant g = { .max_jobs = grant };
	struct nix_conf c = { .max_jobs = conf };

	return holds(&g, &c, &(struct wish){ .max_jobs = wish }).max_build_jobs;
}

static void no_jobs_are_fewer_than_one(void **unused)
{
	struct limit none = { .set = false };

	(void)unused;
	assert_int_equal(jobs(is(4), 9, is(9999)), 4);
	assert_int_equal(jobs(is(4), 9, is(3)), 3);
	assert_int_equal(jobs(is(4), 9, is(0)), 0);
	assert_int_equal(jobs(is(0), 9, is(3)), 0);
	assert_int_equal(jobs(none, 9, is(10)), 9);
	assert_int_equal(jobs(none, 9, is(1)), 1);
	assert_int_equal(jobs(none, 0, is(1)), 0);
}

static void failed_builds_are_kept_only_where_both_want_it(void **unused)
{
	(void)unused;
	for (uint64_t bound = 0; bound < 2; bound++)
		for (uint64_t wish = 0; wish < 2; wish++) {
			struct grant g = { .keep_failed = is(bound) };
			struct nix_conf conf = { .keep_failed = !bound }, own = { .keep_failed = bound };
			struct wish w = { .keep_failed = is(wish) };

			assert_int_equal(holds(&g, &conf, &w).keep_failed, bound & wish);
			assert_int_equal(holds(&silent, &own, &w).keep_failed, bound & wish);
		}
}

static void a_client_does_without_substitutes_only_where_the_grant_is_silent(void **unused)
{
	struct grant on = { .use_substitutes = is(1) }, off = { .use_substitutes = is(0) };
	struct nix_conf without = { .substitute = 0 };
	struct wish no = { .use_substitutes = is(0) }, yes = { .use_substitutes = is(1) };

	(void)unused;
	assert_int_equal(holds(&on, &without, &no).use_substitutes, 1);
	assert_int_equal(holds(&off, &builder, &yes).use_substitutes, 0);
	assert_int_equal(holds(&silent, &builder, &no).use_substitutes, 0);
	assert_int_equal(holds(&silent, &builder, &yes).use_substitutes, 1);
	assert_int_equal(holds(&silent, &without, &yes).use_substitutes, 0);
}

static void o11_fields_that_raise_limits_show_the_policys_values(void **unused)
{
	struct grant g = { .keep_failed = is(0), .max_jobs = is(2), .cores = is(3), .use_substitutes = is(1) };
	struct wish w = { .keep_failed = is(1), .max_jobs = is(9999), .cores = is(0), .use_substitutes = is(0) };
	struct set_options o = holds(&g, &builder, &w);

	(void)unused;
	assert_int_equal(o.keep_failed, 0);
	assert_int_equal(o.max_build_jobs, 2);
	assert_int_equal(o.build_cores, 3);
	assert_int_equal(o.use_substitutes, 1);
}

static void numbers_that_the_daemon_cannot_read_become_the_largest_it_can(void **unused)
{
	struct limit most = is(UINT64_MAX), over = is(UINT32_MAX + 1ull);
	struct grant g = { .max_jobs = most, .cores = over, .timeout = most, .max_silent_time = over };
	struct set_options o = holds(&g, &builder, &nothing);

	(void)unused;
	assert_int_equal(o.max_build_jobs, UINT32_MAX);
	assert_int_equal(o.build_cores, UINT32_MAX);
	assert_int_equal(o.timeout, UINT32_MAX);
	assert_int_equal(o.max_silent_time, UINT32_MAX);
	g = (struct grant){ .max_jobs = is(UINT32_MAX) };
	assert_int_equal(holds(&g, &builder, &nothing).max_build_jobs, UINT32_MAX);
}

/* --- is it needed --- */

static void nothing_is_needed_where_nobody_asks_for_less(void **unused)
{
	struct wish more = { .keep_failed = is(1), .max_jobs = is(9999), .cores = is(0), .timeout = is(0),
			     .max_silent_time = is(901), .use_substitutes = is(1) };
	struct wish equal = { .keep_failed = is(1), .max_jobs = is(6), .cores = is(8), .timeout = is(3600),
			      .max_silent_time = is(900), .use_substitutes = is(1) };

	(void)unused;
	assert_false(settings_needed(&silent, &builder, &nothing));
	assert_false(settings_needed(&silent, &builder, &more));
	assert_false(settings_needed(&silent, &builder, &equal));
}

static void any_limit_of_the_grant_is_a_reason(void **unused)
{
	/* Also one that says just what nix.conf says, which may change while the session lasts. */
	const struct grant some[] = {
		{ .keep_failed = is(1) }, { .max_jobs = is(6) }, { .cores = is(8) }, { .timeout = is(3600) },
		{ .max_silent_time = is(900) }, { .use_substitutes = is(1) },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof some / sizeof *some; i++)
		assert_true(settings_needed(&some[i], &builder, &nothing));
}

static void any_smaller_wish_is_a_reason(void **unused)
{
	const struct wish some[] = {
		{ .keep_failed = is(0) }, { .max_jobs = is(5) }, { .cores = is(7) }, { .timeout = is(3599) },
		{ .max_silent_time = is(899) }, { .use_substitutes = is(0) },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof some / sizeof *some; i++)
		assert_true(settings_needed(&silent, &builder, &some[i]));
}

/* --- wishes --- */

static struct wish asked(uint64_t first, const char *const (*settings)[2], size_t count)
{
	struct wish wish;

	memset(&wish, 0xee, sizeof wish);
	wish_from_set_options(options(first, settings, count), set_options_shape(), &wish);
	return wish;
}

static void assert_is(struct limit limit, uint64_t value)
{
	assert_true(limit.set);
	assert_int_equal(limit.value, value);
}

static void the_fixed_fields_are_wishes(void **unused)
{
	struct wish w = asked(100, NULL, 0);

	(void)unused;
	assert_is(w.keep_failed, 100);
	assert_is(w.max_jobs, 104);
	assert_is(w.max_silent_time, 105);
	assert_is(w.cores, 110);
	assert_is(w.use_substitutes, 111);
	assert_false(w.timeout.set);
}

static void four_settings_are_wishes_behind_the_fixed_fields(void **unused)
{
	static const char *const settings[][2] = {
		{ "timeout", "1" }, { "max-silent-time", "2" }, { "cores", "3" }, { "max-jobs", "4" },
		{ "build-timeout", "5" }, { "keep-failed", "6" }, { "post-build-hook", "7" },
	};
	struct wish w = asked(100, settings, sizeof settings / sizeof *settings);

	(void)unused;
	assert_is(w.timeout, 1);
	assert_is(w.max_silent_time, 2);
	assert_is(w.cores, 3);
	assert_is(w.max_jobs, 4);
	assert_is(w.keep_failed, 100);
}

static void what_is_no_number_is_no_wish(void **unused)
{
	static const char *const settings[][2] = {
		{ "timeout", "" }, { "timeout", "1h" }, { "timeout", "-1" }, { "timeout", " 1" }, { "timeout", "1 " },
		{ "timeout", "18446744073709551616" }, { "max-jobs", "auto" }, { "Timeout", "1" }, { "timeouts", "1" },
		{ "extra-timeout", "1" },
	};
	struct wish w = asked(100, settings, sizeof settings / sizeof *settings);

	(void)unused;
	assert_false(w.timeout.set);
	assert_is(w.max_jobs, 104);
}

static void a_number_with_a_nul_in_it_is_no_wish(void **unused)
{
	static const char *const settings[][2] = { { "timeout", "12" } };
	struct value *request = options(0, settings, 1);
	struct wish w;

	(void)unused;
	request[12].items[1] = (struct value){ .text = "1\0002", .len = 3 };
	wish_from_set_options(request, set_options_shape(), &w);
	assert_false(w.timeout.set);
}

static void the_options_of_a_serve_build_are_wishes(void **unused)
{
	static const uint64_t commands[] = { 6, 8 };

	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		const struct shape *shape = op_find(&serve_ops, 7, commands[i])->request;
		struct value request[FIELDS_MAX];
		struct wish w;

		memset(request, 0, sizeof request);
		value_set_number(request, shape, "maxSilentTime", 10);
		value_set_number(request, shape, "buildTimeout", 20);
		value_set_number(request, shape, "nrRepeats", 5);
		value_set_number(request, shape, "keepFailed", 1);
		memset(&w, 0xee, sizeof w);
		wish_from_serve_options(request, shape, 7, &w);
		assert_is(w.max_silent_time, 10);
		assert_is(w.timeout, 20);
		assert_is(w.keep_failed, 1);
		assert_false(w.max_jobs.set || w.cores.set || w.use_substitutes.set);
	}
}

static void a_serve_client_that_cannot_speak_of_failed_builds_does_not(void **unused)
{
	const struct shape *shape = op_find(&serve_ops, 6, 6)->request;
	struct value request[FIELDS_MAX];
	struct wish w;

	(void)unused;
	memset(request, 0, sizeof request);
	wish_from_serve_options(request, shape, 6, &w);
	assert_false(w.keep_failed.set);
	wish_from_serve_options(request, shape, 7, &w);
	assert_is(w.keep_failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_grant_and_client_leave_what_nix_conf_says),
		cmocka_unit_test(fields_that_are_no_limits_are_fixed),
		cmocka_unit_test(what_the_grant_sets_takes_the_place_of_nix_conf),
		cmocka_unit_test(a_client_may_ask_for_less_time_and_fewer_cores_and_never_for_more),
		cmocka_unit_test(no_jobs_are_fewer_than_one),
		cmocka_unit_test(failed_builds_are_kept_only_where_both_want_it),
		cmocka_unit_test(a_client_does_without_substitutes_only_where_the_grant_is_silent),
		cmocka_unit_test(o11_fields_that_raise_limits_show_the_policys_values),
		cmocka_unit_test(numbers_that_the_daemon_cannot_read_become_the_largest_it_can),
		cmocka_unit_test(nothing_is_needed_where_nobody_asks_for_less),
		cmocka_unit_test(any_limit_of_the_grant_is_a_reason),
		cmocka_unit_test(any_smaller_wish_is_a_reason),
		cmocka_unit_test(the_fixed_fields_are_wishes),
		cmocka_unit_test(four_settings_are_wishes_behind_the_fixed_fields),
		cmocka_unit_test(what_is_no_number_is_no_wish),
		cmocka_unit_test(a_number_with_a_nul_in_it_is_no_wish),
		cmocka_unit_test(the_options_of_a_serve_build_are_wishes),
		cmocka_unit_test(a_serve_client_that_cannot_speak_of_failed_builds_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
