/* What a daemon says between request and reply: every kind of message, every cut, and what has no place there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/nix/stderr_loop.h"
#include "tests/unit/nix/said.h"

static const struct message_limits limits = { .store_dir = "/nix/store" };

struct stage {
	struct arena arena;
	struct stderr_loop loop;
};

static void stage_init(struct stage *s)
{
	arena_init(&s->arena, 1 << 24);
	stderr_loop_init(&s->loop, &limits, &s->arena);
}

static void stage_free(struct stage *s)
{
	stderr_loop_free(&s->loop);
	arena_free(&s->arena);
}

/* Reads one message out of what was said, `cut` bytes first, then `piece` at a time; returns what it took. */
static size_t play(struct stage *s, unsigned minor, size_t cut, size_t piece)
{
	size_t at = 0, n = buf_len(&said), next = cut;

	arena_reset(&s->arena);
	stderr_loop_start(&s->loop, minor);
	while (at < n && !stderr_loop_done(&s->loop) && s->loop.message.failed == ERR_NONE) {
		size_t took;
		enum err err = stderr_loop_feed(&s->loop, buf_data(&said) + at, next < n - at ? next : n - at, &took);

		assert_int_equal(err, s->loop.message.failed);
		at += took;
		next = piece;
	}
	return at;
}

/* One whole message, the same at every cut, and written anew byte for byte. */
static void assert_message(unsigned minor, const char *name)
{
	size_t whole = buf_len(&said);
	struct stage s;
	struct buf again;

	stage_init(&s);
	say(STDERR_LAST);               /* what follows is left alone */
	for (size_t cut = 1; cut <= whole; cut++)
		for (size_t piece = 1; piece <= 10000; piece += 9999) {
			assert_int_equal(play(&s, minor, cut, piece), whole);
			assert_true(stderr_loop_done(&s.loop));
			assert_string_equal(s.loop.row->name, name);
			buf_init(&again, 1 << 20);
			assert_int_equal(stderr_put(&again, (enum stderr_tag)s.loop.row->tag, minor, s.loop.message.values),
					 ERR_NONE);
			assert_bytes(&again, buf_data(&said), whole);
			buf_free(&again);
		}
	stage_free(&s);
	say_nothing_yet();
}

static void every_kind_of_message_is_read(void **unused)
{
	(void)unused;
	say(STDERR_NEXT);
	say_text("warning: dumping very large path\n");
	assert_message(38, "Next");

	say(STDERR_START_ACTIVITY);
	say(99);
	say(3);
	say(105);
	say_text("building");
	say(4);
	say(1);
	say_text("/nix/store/g1w7hy3qg1w7hy3qg1w7hy3qg1w7hy3q-bar.drv");
	say(1);
	say_text("");
	say(0);
	say(1);
	say(0);
	say(UINT64_MAX);
	say(0);
	assert_message(38, "StartActivity");

	say(STDERR_STOP_ACTIVITY);
	say(99);
	assert_message(38, "StopActivity");

	say(STDERR_RESULT);
	say(99);
	say(101);
	say(1);
	say(1);
	say_text("a line of the build");
	assert_message(38, "Result");

	say(STDERR_LAST);
	assert_message(38, "Last");
}

static void an_error_has_the_layout_of_its_version(void **unused)
{
	static const uint8_t structured[] = {
		0x70, 0x74, 0x78, 0x63, 0, 0, 0, 0,  5, 0, 0, 0, 0, 0, 0, 0,  'E', 'r', 'r', 'o', 'r', 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,  5, 0, 0, 0, 0, 0, 0, 0,  'E', 'r', 'r', 'o', 'r', 0, 0, 0,
		3, 0, 0, 0, 0, 0, 0, 0,  'b', 'a', 'd', 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,  1, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0,  5, 0, 0, 0, 0, 0, 0, 0,  't', 'r', 'a', 'c', 'e', 0, 0, 0,
	};
	static const uint8_t plain[] = {
		0x70, 0x74, 0x78, 0x63, 0, 0, 0, 0,  3, 0, 0, 0, 0, 0, 0, 0,  'b', 'a', 'd', 0, 0, 0, 0, 0,
		1, 0, 0, 0, 0, 0, 0, 0,
	};

	(void)unused;
	assert_int_equal(buf_put(&said, structured, sizeof structured), ERR_NONE);
	assert_message(26, "Error");
	assert_int_equal(buf_put(&said, structured, sizeof structured), ERR_NONE);
	assert_message(38, "Error");
	assert_int_equal(buf_put(&said, plain, sizeof plain), ERR_NONE);
	assert_message(25, "Error");
}

static void assert_refused(enum err err, const char *reason)
{
	struct stage s;

	stage_init(&s);
	for (size_t piece = 1; piece <= 4096; piece = 3 * piece + 1) {
		play(&s, 38, piece, piece);
		assert_int_equal(s.loop.message.failed, err);
		assert_string_equal(stderr_loop_reason(&s.loop), reason);
		assert_false(stderr_loop_done(&s.loop));
	}
	stage_free(&s);
	say_nothing_yet();
}

static void what_has_no_place_in_the_loop_is_refused(void **unused)
{
	(void)unused;
	say(STDERR_READ);
	say(32768);
	assert_refused(ERR_PROTO, "the daemon's message 'Read' has no place here");
	say(STDERR_WRITE);
	say_text("bulk");
	assert_refused(ERR_PROTO, "the daemon's message 'Write' has no place here");
	say(1);
	assert_refused(ERR_PROTO, "the daemon's message is of no kind that is known");
	say(UINT64_C(0x100000000) + STDERR_LAST);
	assert_refused(ERR_PROTO, "the daemon's message is of no kind that is known");
	say(STDERR_RESULT);
	say(1);
	say(UINT64_C(1) << 32);
	assert_refused(ERR_PROTO, "type of Result is a number out of its range");
	say(STDERR_RESULT);
	say(1);
	say(101);
	say(1);
	say(2);
	assert_refused(ERR_PROTO, "value of Result is neither a number nor a text");
	say(STDERR_RESULT);
	say(1);
	say(101);
	say(LOG_FIELDS_MAX + 1);
	assert_refused(ERR_LIMIT, "fields of Result has more items than are allowed");
	say(STDERR_ERROR);
	say_text("Error");
	say(0);
	say_text("Error");
	say_text("bad");
	say(1);
	assert_refused(ERR_PROTO, "position of Error is a number out of its range");
}

/* A builder may print a line of any length; the session lives, and the line is cut. */
static void a_line_too_long_is_cut_and_the_stream_stays_in_step(void **unused)
{
	static char line[LOG_LINE_MAX + 12345];
	struct stage s;

	(void)unused;
	memset(line, 'x', sizeof line);
	say(STDERR_RESULT);
	say(1);
	say(101);
	say(2);
	say(1);
	assert_int_equal(put_string(&said, line, sizeof line), ERR_NONE);
	say(0);
	say(5);
	say(STDERR_LAST);
	stage_init(&s);
	for (size_t piece = 1; piece <= 1 << 20; piece = piece * 7 + 1) {
		const struct value *fields;

		assert_int_equal(play(&s, 38, piece, piece), buf_len(&said) - 8);
		fields = value_of(s.loop.message.values, &shape_result, "fields");
		assert_int_equal(fields->count, 2);
		assert_int_equal(fields->items[0].len, LOG_LINE_MAX);
		assert_int_equal(fields->items[0].number, 12345);
		assert_memory_equal(fields->items[0].text, line, LOG_LINE_MAX);
		assert_null(fields->items[1].text);
		assert_int_equal(fields->items[1].number, 5);
	}
	stage_free(&s);
}

static void sentences_of_ours_carry_our_name(void **unused)
{
	struct buf out;

	(void)unused;
	buf_init(&out, 4096);
	assert_int_equal(stderr_put_line(&out, "3 unsigned paths not stored"), ERR_NONE);
	assert_int_equal(stderr_put_error(&out, 38, "no"), ERR_NONE);
	assert_int_equal(stderr_put_last(&out), ERR_NONE);
	say(STDERR_NEXT);
	say_text("nix-gateway: 3 unsigned paths not stored\n");
	assert_int_equal(put_error(&said, 38, "nix-gateway: no"), ERR_NONE);
	say(STDERR_LAST);
	assert_bytes(&out, buf_data(&said), buf_len(&said));
	buf_free(&out);
}

static void tags_and_names_are_unique(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < stderr_rows_count; i++)
		for (size_t j = 0; j < i; j++) {
			assert_int_not_equal(stderr_rows[i].tag, stderr_rows[j].tag);
			assert_string_not_equal(stderr_rows[i].name, stderr_rows[j].name);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_kind_of_message_is_read),
		TEST(an_error_has_the_layout_of_its_version),
		TEST(what_has_no_place_in_the_loop_is_refused),
		TEST(a_line_too_long_is_cut_and_the_stream_stays_in_step),
		TEST(sentences_of_ours_carry_our_name),
		TEST(tags_and_names_are_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
