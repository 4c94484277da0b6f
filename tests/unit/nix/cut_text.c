/* Texts that are cut: what is kept, what is dropped, and that the stream stays in step, at every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/nix/cut_text.h"
#include "tests/unit/nix/said.h"

enum { KEPT = 16 };

struct outcome {
	enum err err;
	bool done;
	size_t used, len;
	uint64_t dropped;
	char text[KEPT + 1];
};

static struct outcome play(size_t cut, size_t piece, size_t arena_max)
{
	struct outcome o = { .err = ERR_NONE };
	struct arena arena;
	struct string string;
	struct cut_text text;
	size_t n = buf_len(&said), next = cut;

	arena_init(&arena, arena_max);
	string_init(&string, &arena);
	string_start(&string, KEPT);
	cut_text_start(&text, KEPT);
	while (o.used < n && o.err == ERR_NONE && !cut_text_done(&text)) {
		size_t took;

		o.err = cut_text_feed(&text, &string, buf_data(&said) + o.used, next < n - o.used ? next : n - o.used, &took);
		o.used += took;
		next = piece;
	}
	o.done = cut_text_done(&text);
	if (o.done) {
		o.len = string.len;
		o.dropped = text.dropped;
		memcpy(o.text, string.bytes, o.len + 1);
	}
	string_free(&string);
	arena_free(&arena);
	return o;
}

static void the_first_bytes_are_kept_and_the_rest_is_counted(void **unused)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";

	(void)unused;
	for (size_t len = 0; len <= sizeof letters - 1; len++) {
		size_t kept = len < KEPT ? len : KEPT, whole;

		say_nothing_yet();
		assert_int_equal(put_string(&said, letters, len), ERR_NONE);
		whole = buf_len(&said);
		say(7);                         /* no longer the text's */
		for (size_t cut = 1; cut <= whole; cut++)
			for (size_t piece = 1; piece <= 100; piece += 99) {
				struct outcome o = play(cut, piece, 4096);

				assert_true(o.done);
				assert_int_equal(o.used, whole);
				assert_int_equal(o.len, kept);
				assert_int_equal(o.dropped, len - kept);
				assert_memory_equal(o.text, letters, kept);
				assert_int_equal(o.text[kept], '\0');
			}
	}
}

static void padding_is_zero_behind_what_is_dropped_too(void **unused)
{
	(void)unused;
	for (size_t len = 1; len < 30; len += 6) {
		say_nothing_yet();
		assert_int_equal(put_string(&said, "abcdefghijklmnopqrstuvwxyzabcd", len), ERR_NONE);
		said.memory[said.end - 1] = 1;
		for (size_t piece = 1; piece < 50; piece++)
			assert_int_equal(play(piece, piece, 4096).err, ERR_PROTO);
	}
}

static void a_text_without_end_is_neither_kept_nor_finished(void **unused)
{
	struct outcome o;

	(void)unused;
	say(UINT64_MAX);
	for (int i = 0; i < 100; i++)
		say(0);
	o = play(3, 3, 4096);
	assert_int_equal(o.err, ERR_NONE);
	assert_false(o.done);
	assert_int_equal(o.used, 101 * 8);
}

static void a_full_arena_is_an_error(void **unused)
{
	(void)unused;
	say(40);
	for (int i = 0; i < 5; i++)
		say(0);
	assert_int_equal(play(100, 100, KEPT).err, ERR_LIMIT);
	assert_int_equal(play(1, 1, KEPT).err, ERR_LIMIT);
	assert_int_equal(play(1, 1, 2 * KEPT).err, ERR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_bytes_are_kept_and_the_rest_is_counted),
		TEST(padding_is_zero_behind_what_is_dropped_too),
		TEST(a_text_without_end_is_neither_kept_nor_finished),
		TEST(a_full_arena_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
