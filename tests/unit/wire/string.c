#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/wire/string.h"
#include "tests/unit/nars.h"

/* "", "hi", "white rabbit", three Chinese characters, "oh no " */
static const uint8_t golden[] = {
	0, 0, 0, 0, 0, 0, 0, 0,
	2, 0, 0, 0, 0, 0, 0, 0, 'h', 'i', 0, 0, 0, 0, 0, 0,
	12, 0, 0, 0, 0, 0, 0, 0, 'w', 'h', 'i', 't', 'e', ' ', 'r', 'a', 'b', 'b', 'i', 't', 0, 0, 0, 0,
	9, 0, 0, 0, 0, 0, 0, 0, 0xe5, 0xa4, 0xa7, 0xe7, 0x99, 0xbd, 0xe5, 0x85, 0x94, 0, 0, 0, 0, 0, 0, 0,
	6, 0, 0, 0, 0, 0, 0, 0, 'o', 'h', ' ', 'n', 'o', ' ', 0, 0,
};
static const char *const words[] = { "", "hi", "white rabbit", "\xe5\xa4\xa7\xe7\x99\xbd\xe5\x85\x94", "oh no " };

/* Feeds from `in` in pieces of `step`, each in memory of its own size, until done, failed or out of bytes.
 * Returns how many bytes were taken. */
static size_t feed(struct string *s, const uint8_t *in, size_t n, size_t step, enum err *err)
{
	size_t at = 0;

	*err = ERR_NONE;
	while (at < n && !*err && !string_done(s)) {
		size_t len = step < n - at ? step : n - at, used;
		uint8_t *piece = malloc(len);

		assert_non_null(piece);
		memcpy(piece, in + at, len);
		*err = string_feed(s, piece, len, &used);
		assert_true(used == len || string_done(s) || *err);
		at += used;
		free(piece);
	}
	return at;
}

static void known_strings_in_pieces_of_every_size(void **unused)
{
	(void)unused;
	for (size_t step = 1; step <= sizeof golden; step++) {
		struct arena arena;
		struct string s;
		size_t at = 0;
		enum err err;

		arena_init(&arena, 4096);
		string_init(&s, &arena);
		for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
			string_start(&s, 12);
			at += feed(&s, golden + at, sizeof golden - at, step, &err);
			assert_int_equal(err, ERR_NONE);
			assert_true(string_done(&s));
			assert_int_equal(s.len, strlen(words[i]));
			assert_string_equal(s.bytes, words[i]);         /* so there is a NUL, too */
		}
		assert_int_equal(at, sizeof golden);
		string_free(&s);
		arena_free(&arena);
	}
}

/* One string through a decoder of its own: its error, and that nothing but a whole string is done. */
static enum err verdict(const struct bytes *b, size_t max, size_t first, size_t *taken)
{
	struct arena arena;
	struct string s;
	size_t used;
	enum err err;

	arena_init(&arena, 1 << 20);
	string_init(&s, &arena);
	string_start(&s, max);
	*taken = feed(&s, b->data, first, first > 0 ? first : 1, &err);
	if (!err && !string_done(&s))
		*taken += feed(&s, b->data + first, b->len - first, b->len, &err);
	assert_int_equal(string_done(&s), !err && *taken > 0 && s.bytes != NULL && s.padding == 0);
	if (err) {
		assert_int_equal(string_feed(&s, golden, sizeof golden, &used), err);   /* an error stays */
		assert_int_equal(used, 0);
	}
	if (!err && !string_done(&s))
		err = ERR_CLOSED;       /* for the tests: too short */
	string_free(&s);
	arena_free(&arena);
	return err;
}

static void every_length_at_every_cut(void **unused)
{
	char text[40];
	size_t taken;

	(void)unused;
	memset(text, 's', sizeof text);
	for (size_t len = 0; len <= sizeof text; len++) {
		struct bytes b = { .len = 0 };
		size_t size;

		add_bytes(&b, text, len);
		size = b.len;
		assert_int_equal(verdict(&b, len, 0, &taken), ERR_NONE);        /* done without a byte more */
		add_raw(&b, "behind", 6);
		for (size_t cut = 0; cut <= b.len; cut++) {
			assert_int_equal(verdict(&b, len, cut, &taken), ERR_NONE);
			assert_int_equal(taken, size);
			if (len > 0)
				assert_int_equal(verdict(&b, len - 1, cut, &taken), ERR_LIMIT);
		}
		for (b.len = 0; b.len < size; b.len++) {
			assert_int_equal(verdict(&b, len, b.len / 2, &taken), ERR_CLOSED);
			assert_int_equal(taken, b.len);
		}
		bytes_free(&b);
	}
}

static void each_byte_of_padding_has_to_be_zero(void **unused)
{
	size_t taken;

	(void)unused;
	for (size_t len = 1; len < 8; len++) {
		for (size_t at = 8 + len; at < 16; at++) {
			struct bytes b = { .len = 0 };

			add_bytes(&b, "sssssss", len);
			b.data[at] = 1;
			for (size_t cut = 0; cut <= b.len; cut++)
				assert_int_equal(verdict(&b, 100, cut, &taken), ERR_PROTO);
			bytes_free(&b);
		}
	}
}

static void a_claimed_length_costs_nothing_before_bytes_come(void **unused)
{
	const size_t claimed = 64 * 1024 * 1024;
	struct bytes b = { .len = 0 };
	struct arena arena;
	struct string s;
	size_t used;

	(void)unused;
	arena_init(&arena, 2 * claimed);
	string_init(&s, &arena);
	string_start(&s, claimed);
	add_number(&b, claimed);
	assert_int_equal(string_feed(&s, b.data, b.len, &used), ERR_NONE);
	assert_null(s.kept.memory);
	assert_null(arena.blocks);
	for (size_t i = 1; i <= 10000; i++) {
		assert_int_equal(string_feed(&s, (const uint8_t *)"x", 1, &used), ERR_NONE);
		assert_true(s.kept.size <= 1024 || s.kept.size <= 2 * i);
	}
	assert_null(arena.blocks);
	string_free(&s);
	arena_free(&arena);
	bytes_free(&b);
}

static void huge_lengths_are_refused_at_the_length(void **unused)
{
	static const uint64_t claims[] = { 101, 1ULL << 32, (1ULL << 32) + 5, 3ULL << 30, 1ULL << 40, 1ULL << 63,
					   UINT64_MAX - 7, UINT64_MAX };
	size_t taken;

	(void)unused;
	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
		struct bytes b = { .len = 0 };

		add_number(&b, claims[i]);
		add_raw(&b, "hello\0\0\0", 8);
		for (size_t cut = 0; cut <= b.len; cut++) {
			assert_int_equal(verdict(&b, 100, cut, &taken), ERR_LIMIT);
			assert_int_equal(taken, 8);
		}
		assert_int_equal(verdict(&b, SIZE_MAX, 0, &taken),
				 claims[i] < (1 << 20) ? ERR_CLOSED : ERR_LIMIT);       /* the arena is a bound as well */
		bytes_free(&b);
	}
}

static void a_long_string_in_pieces_is_whole_and_its_gathering_is_given_back(void **unused)
{
	const size_t len = 300 * 1000 + 3;
	uint8_t *text = malloc(len);
	struct bytes b = { .len = 0 };
	struct arena arena;
	struct string s;
	enum err err;

	(void)unused;
	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = (uint8_t)(i * 7 + i / 251);
	add_bytes(&b, text, len);
	arena_init(&arena, 1 << 20);
	string_init(&s, &arena);
	string_start(&s, len);
	assert_int_equal(feed(&s, b.data, b.len, 4093, &err), b.len);
	assert_true(string_done(&s));
	assert_int_equal(s.len, len);
	assert_memory_equal(s.bytes, text, len);
	assert_null(s.kept.memory);
	string_start(&s, 2);
	assert_int_equal(feed(&s, golden + 8, 16, 3, &err), 16);
	assert_string_equal(s.bytes, "hi");
	string_free(&s);
	arena_free(&arena);
	bytes_free(&b);
	free(text);
}

static void a_string_given_up_half_way_leaves_nothing_to_the_next(void **unused)
{
	struct arena arena;
	struct string s;
	enum err err;

	(void)unused;
	arena_init(&arena, 4096);
	string_init(&s, &arena);
	string_start(&s, 100);
	feed(&s, golden + 24, 18, 5, &err);     /* "white rabb" */
	assert_int_equal(buf_len(&s.kept), 10);
	string_start(&s, 100);
	assert_int_equal(feed(&s, golden + 8, 16, 9, &err), 16);
	assert_int_equal(s.len, 2);
	assert_string_equal(s.bytes, "hi");
	string_free(&s);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_strings_in_pieces_of_every_size),
		cmocka_unit_test(every_length_at_every_cut),
		cmocka_unit_test(each_byte_of_padding_has_to_be_zero),
		cmocka_unit_test(a_claimed_length_costs_nothing_before_bytes_come),
		cmocka_unit_test(huge_lengths_are_refused_at_the_length),
		cmocka_unit_test(a_long_string_in_pieces_is_whole_and_its_gathering_is_given_back),
		cmocka_unit_test(a_string_given_up_half_way_leaves_nothing_to_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
