/* Messages: the layouts that Nix itself writes, every cut of them, every bound, and every reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/nix/message.h"
#include "gateway/nix/ops.h"
#include "gateway/nix/shapes.h"
#include "tests/unit/nix/said.h"

#define BAR "/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar"
#define HASH "15e3c560894cbb27085cf65b5a2ecb18488c999497f4531b6907a7581ce6d527"

static const struct message_limits limits = { .store_dir = "/nix/store" };

struct outcome {
	enum err err;
	bool done;
	char reason[MESSAGE_REASON];
	struct buf again;               /* what the values are, written anew */
	size_t memory;                  /* bytes of the arena */
};

static void outcome_free(struct outcome *o)
{
	buf_free(&o->again);
}

/* Reads what was said: `cut` bytes, then `piece` at a time. */
static struct outcome play_limited(const struct shape *shape, unsigned minor, size_t cut, size_t piece, size_t arena_max,
				   const struct message_limits *within)
{
	struct outcome o = { .err = ERR_NONE };
	struct arena arena;
	struct message m;
	size_t at = 0, n = buf_len(&said), next = cut;

	arena_init(&arena, arena_max);
	message_init(&m, within, &arena);
	message_start(&m, shape, "Request", minor);
	o.err = m.failed;
	while (at < n && o.err == ERR_NONE && !message_done(&m)) {
		size_t part = next < n - at ? next : n - at, took;
		uint8_t *exact = malloc(part);          /* so that a read beyond it is seen */

		assert_non_null(exact);
		memcpy(exact, buf_data(&said) + at, part);
		o.err = message_feed(&m, exact, part, &took);
		assert_true(took <= part);
		at += took;
		next = piece;
		free(exact);
	}
	o.done = message_done(&m);
	o.memory = arena.used;
	snprintf(o.reason, sizeof o.reason, "%s", message_reason(&m));
	buf_init(&o.again, 1 << 26);
	if (o.done) {
		assert_int_equal(at, n);
		assert_int_equal(message_put(&o.again, shape, minor, m.values), ERR_NONE);
	}
	message_free(&m);
	arena_free(&arena);
	return o;
}

static struct outcome play(const struct shape *shape, unsigned minor, size_t cut, size_t piece)
{
	return play_limited(shape, minor, cut, piece, 1 << 28, &limits);
}

/* The same at every cut, and written anew byte for byte. */
static void assert_layout(const struct shape *shape, unsigned minor)
{
	for (size_t cut = 1; cut <= buf_len(&said); cut++)
		for (size_t piece = 1; piece <= 1000; piece += 999) {
			struct outcome o = play(shape, minor, cut, piece);

			assert_string_equal(o.reason, "");
			assert_true(o.done);
			assert_bytes(&o.again, buf_data(&said), buf_len(&said));
			outcome_free(&o);
		}
	say_nothing_yet();
}

static void assert_unfinished_at_every_end(const struct shape *shape, unsigned minor)
{
	struct buf whole = said;

	for (size_t len = 0; len < buf_len(&whole); len++) {
		struct outcome o;

		said = whole;
		said.end = said.start + len;
		o = play(shape, minor, 8, 8);
		assert_int_equal(o.err, ERR_NONE);
		assert_false(o.done);
		outcome_free(&o);
	}
	said = whole;
}

static void assert_refused(const struct shape *shape, enum err err, const char *reason)
{
	for (size_t piece = 1; piece <= 1 << 20; piece = piece * 3 + 4) {
		struct outcome o = play(shape, 38, piece, piece);

		assert_string_equal(o.reason, reason);
		assert_int_equal(o.err, err);
		assert_false(o.done);
		outcome_free(&o);
	}
	say_nothing_yet();
}

static const struct shape *request(unsigned number)
{
	const struct op *op = op_find(&worker_ops, 38, number);

	assert_non_null(op);
	return op->request;
}

static const struct shape *reply(unsigned number)
{
	const struct op *op = op_find(&worker_ops, 38, number);

	assert_non_null(op);
	return op->reply;
}

static void a_result_of_the_serve_protocol_is_read(void **unused)
{
	static const uint8_t golden[] = {
		0x0c, 0, 0, 0, 0, 0, 0, 0,  0x0b, 0, 0, 0, 0, 0, 0, 0,
		'n', 'o', ' ', 'i', 'd', 'e', 'a', ' ',  'w', 'h', 'y', 0, 0, 0, 0, 0,
		3, 0, 0, 0, 0, 0, 0, 0,  1, 0, 0, 0, 0, 0, 0, 0,
		0x1e, 0, 0, 0, 0, 0, 0, 0,  0x32, 0, 0, 0, 0, 0, 0, 0,
	};

	(void)unused;
	assert_int_equal(buf_put(&said, golden, sizeof golden), ERR_NONE);
	assert_unfinished_at_every_end(&shape_serve_build_result, 5);
	assert_layout(&shape_serve_build_result, 5);
}

static void a_keyed_result_is_read(void **unused)
{
	(void)unused;
	say_text("/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar.drv!out");
	say(12);
	say_text("no idea why");
	say(3);
	say(1);
	say(30);
	say(50);
	say(0);
	assert_layout(&shape_keyed_build_result, 36);
}

static void a_result_of_1_37_has_its_times_in_their_place(void **unused)
{
	(void)unused;
	say(0);
	say_text("");
	say(1);
	say(0);
	say(30);
	say(50);
	say(1);
	say(500000000);
	say(1);
	say(604000000);
	say(1);
	say_text("sha256:6f869f9ea2823bda165e06076fd0de4366dead2c0e8d2dbbad277d4f15c373f5!bar");
	say_text("{\"dependentRealisations\":{}}");
	assert_unfinished_at_every_end(&shape_build_result, 37);
	assert_layout(&shape_build_result, 37);
}

static void a_path_and_its_info_are_read(void **unused)
{
	(void)unused;
	say_text(BAR);
	say_text(BAR ".drv");
	say_text(HASH);
	say(1);
	say_text(BAR);
	say(23423);
	say(34878);
	say(0);
	say(2);
	say_text("fake-sig-1:AAAA");
	say_text("fake-sig-2:BBBB");
	say_text("fixed:r:sha256:1lr187v6dck1rjh2j6svpikcfz53wyl3qrlcbb405zlh13x0khhh");
	assert_unfinished_at_every_end(&shape_path_info, 35);
	assert_layout(&shape_path_info, 35);
}

static void a_reply_that_may_be_missing_is_read(void **unused)
{
	(void)unused;
	say(0);
	assert_layout(reply(26), 38);
	say(1);
	say_text("");
	say_text(HASH);
	say(0);
	say(1755850000);
	say(120);
	say(1);
	say(0);
	say_text("");
	assert_unfinished_at_every_end(reply(26), 38);
	assert_layout(reply(26), 38);
}

static void say_serve_info(void)
{
	say_text(BAR);
	say_text("");
	say(0);
	say(120);
	say(120);
	say_text("sha256:1lr187v6dck1rjh2j6svpikcfz53wyl3qrlcbb405zlh13x0khhh");
	say_text("");
	say(0);
}

static void infos_of_the_serve_protocol_end_by_an_empty_path(void **unused)
{
	const struct shape *shape = serve_ops.ops[1].reply;

	(void)unused;
	say(0);
	assert_layout(shape, 7);
	for (int i = 0; i < 6; i++)
		say_serve_info();
	say(0);
	assert_unfinished_at_every_end(shape, 7);
	assert_layout(shape, 7);
	say_serve_info();
	say_text("x");
	assert_refused(shape, ERR_PROTO, "path of Request is not a store path");
}

static void the_end_may_stand_behind_the_last_item_that_is_allowed(void **unused)
{
	static const struct field fields[] = {
		{ .name = "paths", .kind = KIND_UNTIL_EMPTY, .max = 3, .item = &shape_path },
	};
	static const struct shape shape = { "three", fields, 1 };

	(void)unused;
	for (int i = 0; i < 3; i++)
		say_text(BAR);
	say(0);
	assert_layout(&shape, 7);
	for (int i = 0; i < 4; i++)
		say_text(BAR);
	say(0);
	assert_refused(&shape, ERR_LIMIT, "path of Request comes more often than is allowed");
}

static void a_failed_build_of_the_serve_protocol_has_a_message(void **unused)
{
	const struct shape *shape = serve_ops.ops[5].reply;

	(void)unused;
	assert_string_equal(serve_ops.ops[5].name, "BuildPaths");
	say(0);
	assert_layout(shape, 7);
	say(9);
	say_text("it failed");
	assert_layout(shape, 7);
	say(256);
	assert_refused(shape, ERR_PROTO, "status of Request is a number out of its range");
}

static void a_derivation_is_read(void **unused)
{
	(void)unused;
	say_text(BAR ".drv");
	say(1);
	say_text("out");
	say_text(BAR);
	say_text("");
	say_text("");
	say(2);
	say_text(BAR);
	say_text(BAR);
	say_text("x86_64-linux");
	say_text("/bin/sh");
	say(2);
	say_text("-c");
	say_text("");
	say(1);
	say_text("out");
	say_text(BAR);
	say(0);
	assert_unfinished_at_every_end(request(36), 38);
	assert_layout(request(36), 38);
}

static void a_message_without_fields_is_done_at_once(void **unused)
{
	struct outcome o;

	(void)unused;
	o = play(&shape_none, 38, 1, 1);
	assert_true(o.done);
	outcome_free(&o);
}

static void paths_have_one_spelling(void **unused)
{
	static const char *const bad[] = {
		"", "/nix/./store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar", BAR "/",
		"/nix/store//g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar",
		"/gnu/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar", "g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar", BAR "\n",
		"/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3e-bar",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		say_text(bad[i]);
		assert_refused(&shape_path, ERR_PROTO, "path of Request is not a store path");
	}
	assert_int_equal(put_string(&said, BAR, sizeof BAR), ERR_NONE);         /* with its NUL */
	assert_refused(&shape_path, ERR_PROTO, "path of Request is not a store path");
}

static void what_cannot_be_built_is_refused(void **unused)
{
	static const char *const bad[] = { BAR ".drv!", BAR ".drv!a!b", BAR "!out", "!out", "" };

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		say(1);
		say_text(bad[i]);
		assert_refused(request(40), ERR_PROTO, "path of Request is nothing that can be built");
	}
}

static void a_boolean_is_0_or_1(void **unused)
{
	(void)unused;
	say(2);
	say(0);
	assert_refused(request(44), ERR_PROTO, "repair of Request is neither 0 nor 1");
	say(0);
	say(UINT64_C(1) << 32);
	assert_refused(request(44), ERR_PROTO, "dontCheckSigs of Request is neither 0 nor 1");
}

static void numbers_stay_in_their_range(void **unused)
{
	(void)unused;
	say(0);
	say(3);
	assert_refused(request(9), ERR_PROTO, "mode of Request is a number out of its range");
	say(4);
	assert_refused(request(20), ERR_PROTO, "action of Request is a number out of its range");
	say_text(BAR);
	say_text("");
	say_text(HASH);
	say(0);
	say(UINT64_C(1) << 63);
	assert_refused(request(39), ERR_PROTO, "registrationTime of Request is a number out of its range");
	say(2);
	assert_refused(reply(26), ERR_PROTO, "info of Request is a number out of its range");
}

static void a_hash_is_64_hexadecimal_digits(void **unused)
{
	static const struct { const char *hash, *reason; enum err err; } bad[] = {
		{ "15e3", "narHash of Request is not 64 hexadecimal digits", ERR_PROTO },
		{ "15E3C560894cbb27085cf65b5a2ecb18488c999497f4531b6907a7581ce6d527",
		  "narHash of Request is not 64 hexadecimal digits", ERR_PROTO },
		{ "sha256:" HASH, "narHash of Request is longer than is allowed", ERR_LIMIT },
	};

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		say_text(BAR);
		say_text("");
		say_text(bad[i].hash);
		assert_refused(request(39), bad[i].err, bad[i].reason);
	}
}

static void padding_is_zero(void **unused)
{
	(void)unused;
	say_text(BAR);
	((uint8_t *)said.memory)[said.end - 1] = 1;
	assert_refused(&shape_path, ERR_PROTO, "path of Request is padded with other than zero");
}

static void claimed_counts_and_lengths_are_bounded_before_anything_is_kept(void **unused)
{
	static const struct { uint64_t claim; enum err err; } claims[] = {
		{ PATHS_MAX + 1, ERR_LIMIT }, { UINT64_MAX, ERR_LIMIT }, { UINT64_C(1) << 60, ERR_LIMIT },
		{ PATHS_MAX, ERR_NONE },
	};
	struct outcome o;

	(void)unused;
	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
		say_nothing_yet();
		say(claims[i].claim);
		o = play(request(31), 38, 8, 8);
		assert_int_equal(o.err, claims[i].err);
		assert_string_equal(o.reason, claims[i].err ? "paths of Request has more items than are allowed" : "");
		assert_true(o.memory < 1024);
		outcome_free(&o);
	}
	say_nothing_yet();
	say_text("name");
	say(UINT64_C(1) << 40);
	assert_refused(request(8), ERR_LIMIT, "content of Request is longer than is allowed");
	say_text("name");
	say(TEXT_FILE_MAX);
	o = play(request(8), 38, 8, 8);
	assert_int_equal(o.err, ERR_NONE);
	assert_true(o.memory < 1024);
	outcome_free(&o);
}

/* What a list takes is in step with what has come, at any number of items. */
static void memory_follows_the_items_that_came(void **unused)
{
	size_t sent = 0;

	(void)unused;
	say(PATHS_MAX);
	for (size_t goal = 1; goal <= 4096; goal *= 2) {
		struct outcome o;

		for (; sent < goal; sent++)
			say_text(BAR);
		o = play(request(31), 38, 1 << 20, 1 << 20);
		assert_int_equal(o.err, ERR_NONE);
		assert_true(o.memory <= 512 + sent * (64 + 4 * sizeof(struct value)));
		outcome_free(&o);
	}
}

static void a_message_is_bounded_as_a_whole(void **unused)
{
	static const struct message_limits small = { .store_dir = "/nix/store", .bytes_max = 200 };
	struct outcome o;

	(void)unused;
	say(3);
	for (int i = 0; i < 3; i++)
		say_text(BAR);
	say(0);
	assert_int_equal(buf_len(&said), 16 + 3 * 56);          /* 184 */
	o = play_limited(request(31), 38, 7, 7, 1 << 20, &small);
	assert_true(o.done);
	outcome_free(&o);
	say_nothing_yet();
	say(4);
	for (int i = 0; i < 4; i++)
		say_text(BAR);
	for (size_t piece = 1; piece < 300; piece += 13) {
		o = play_limited(request(31), 38, piece, piece, 1 << 20, &small);
		assert_int_equal(o.err, ERR_LIMIT);
		assert_string_equal(o.reason, "Request is longer than 200 bytes");
		outcome_free(&o);
	}
}

static void a_full_arena_is_an_error_like_any_other(void **unused)
{
	(void)unused;
	say(20);
	for (int i = 0; i < 20; i++)
		say_text(BAR);
	say(0);
	for (size_t max = 0; max < 4000; max += 16) {
		struct outcome whole = play_limited(request(31), 38, 4000, 4000, max, &limits);
		struct outcome dripped = play_limited(request(31), 38, 1, 1, max, &limits);

		assert_int_equal(whole.err, dripped.err);
		assert_string_equal(whole.reason, dripped.reason);
		assert_true(whole.memory <= max);
		if (max < 1000)
			assert_false(whole.done);
		outcome_free(&whole);
		outcome_free(&dripped);
	}
}

static void a_failed_decoder_stays_failed_until_the_next_message(void **unused)
{
	struct arena arena;
	struct message m;
	size_t took;

	(void)unused;
	arena_init(&arena, 1 << 16);
	message_init(&m, &limits, &arena);
	message_start(&m, request(44), "Request", 38);
	say(2);
	say(0);
	assert_int_equal(message_feed(&m, buf_data(&said), 16, &took), ERR_PROTO);
	assert_int_equal(took, 8);
	assert_int_equal(message_feed(&m, buf_data(&said) + 8, 8, &took), ERR_PROTO);
	assert_int_equal(took, 0);
	assert_false(message_done(&m));
	message_start(&m, request(44), "Request", 38);
	assert_int_equal(message_feed(&m, buf_data(&said) + 8, 8, &took), ERR_NONE);
	assert_int_equal(message_feed(&m, buf_data(&said) + 8, 8, &took), ERR_NONE);
	assert_true(message_done(&m));
	message_free(&m);
	arena_free(&arena);
}

static void values_made_by_hand_are_put_whole_or_not_at_all(void **unused)
{
	const struct shape *shape = request(46);
	struct arena arena;
	struct buf out;
	struct value *values, *targets;

	(void)unused;
	arena_init(&arena, 1 << 16);
	values = values_new(&arena, shape);
	assert_non_null(values);
	targets = value_set_items(&arena, values, shape, "targets", 2);
	assert_non_null(targets);
	value_set_text(targets, &shape_derived, "path", text_of(BAR ".drv!*"));
	value_set_text(targets + shape_derived.count, &shape_derived, "path", text_of(BAR));
	value_set_number(values, shape, "mode", BUILD_MODE_CHECK);
	say(2);
	say_text(BAR ".drv!*");
	say_text(BAR);
	say(2);
	buf_init(&out, buf_len(&said) - 1);
	assert_int_equal(message_put(&out, shape, 38, values), ERR_LIMIT);
	assert_int_equal(buf_len(&out), 0);
	buf_free(&out);
	buf_init(&out, buf_len(&said));
	assert_int_equal(message_put(&out, shape, 38, values), ERR_NONE);
	assert_bytes(&out, buf_data(&said), buf_len(&said));
	buf_free(&out);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_result_of_the_serve_protocol_is_read),
		TEST(a_keyed_result_is_read),
		TEST(a_result_of_1_37_has_its_times_in_their_place),
		TEST(a_path_and_its_info_are_read),
		TEST(a_reply_that_may_be_missing_is_read),
		TEST(infos_of_the_serve_protocol_end_by_an_empty_path),
		TEST(the_end_may_stand_behind_the_last_item_that_is_allowed),
		TEST(a_failed_build_of_the_serve_protocol_has_a_message),
		TEST(a_derivation_is_read),
		TEST(a_message_without_fields_is_done_at_once),
		TEST(paths_have_one_spelling),
		TEST(what_cannot_be_built_is_refused),
		TEST(a_boolean_is_0_or_1),
		TEST(numbers_stay_in_their_range),
		TEST(a_hash_is_64_hexadecimal_digits),
		TEST(padding_is_zero),
		TEST(claimed_counts_and_lengths_are_bounded_before_anything_is_kept),
		TEST(memory_follows_the_items_that_came),
		TEST(a_message_is_bounded_as_a_whole),
		TEST(a_full_arena_is_an_error_like_any_other),
		TEST(a_failed_decoder_stays_failed_until_the_next_message),
		TEST(values_made_by_hand_are_put_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
