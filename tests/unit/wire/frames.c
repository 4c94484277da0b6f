#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/wire/frames.h"
#include "tests/unit/nars.h"

static void add_frame(struct bytes *b, const char *content)
{
	add_number(b, strlen(content));
	add_raw(b, content, strlen(content));
}

struct outcome {
	enum err err;
	bool done;
	size_t taken;
	struct bytes content;
};

/* Feeds `first` bytes, then pieces of `step`, each in memory of its own size, to the end of stream or input. */
static struct outcome play(const struct bytes *b, uint64_t max, size_t first, size_t step)
{
	struct outcome o = { .err = ERR_NONE };
	struct frames f;
	size_t piece = first;

	frames_init(&f, max);
	while (o.taken < b->len && !o.err && !frames_done(&f)) {
		size_t n = piece < b->len - o.taken ? piece : b->len - o.taken, at = 0, used, len;
		uint8_t *in = malloc(n > 0 ? n : 1);
		const uint8_t *span;

		assert_non_null(in);
		memcpy(in, b->data + o.taken, n);
		while (at < n && !o.err && !frames_done(&f)) {
			o.err = frames_feed(&f, in + at, n - at, &used, &span, &len);
			assert_true(used > 0 && used <= n - at);
			assert_true(len == 0 || (span >= in + at && span + len == in + at + used));
			add_raw(&o.content, span, len);
			at += used;
		}
		o.taken += at;
		free(in);
		piece = step;
	}
	o.done = frames_done(&f);
	assert_int_equal(f.size, o.content.len);
	return o;
}

/* The outcome, which has to be the same whole, at every cut and byte by byte. `b` is freed. */
static struct outcome everywhere(struct bytes b, uint64_t max)
{
	struct outcome whole = play(&b, max, b.len, b.len);

	for (size_t cut = 0; cut <= 2 * b.len; cut++) {
		struct outcome other = cut <= b.len ? play(&b, max, cut, b.len) : play(&b, max, cut - b.len, cut - b.len);

		assert_int_equal(whole.err, other.err);
		assert_int_equal(whole.done, other.done);
		assert_int_equal(whole.taken, other.taken);
		assert_int_equal(whole.content.len, other.content.len);
		if (whole.content.len > 0)
			assert_memory_equal(whole.content.data, other.content.data, whole.content.len);
		bytes_free(&other.content);
	}
	bytes_free(&b);
	return whole;
}

static struct bytes three_frames(void)
{
	struct bytes b = { .len = 0 };

	add_frame(&b, "a");
	add_frame(&b, "NAR tokens straddle");
	add_frame(&b, " frames");
	add_number(&b, 0);
	return b;
}

static void content_comes_out_without_its_frames(void **unused)
{
	struct bytes b = three_frames();
	size_t size = b.len;
	struct outcome o;

	(void)unused;
	add_raw(&b, "the next request", 16);
	o = everywhere(b, 27);
	assert_int_equal(o.err, ERR_NONE);
	assert_true(o.done);
	assert_int_equal(o.taken, size);
	assert_int_equal(o.content.len, 27);
	assert_memory_equal(o.content.data, "aNAR tokens straddle frames", 27);
	bytes_free(&o.content);
}

static void an_empty_stream_is_its_end_alone(void **unused)
{
	struct bytes b = { .len = 0 };
	struct outcome o;

	(void)unused;
	add_number(&b, 0);
	o = everywhere(b, 0);
	assert_true(o.done);
	assert_int_equal(o.content.len, 0);
}

static void a_truncated_stream_is_never_done(void **unused)
{
	struct bytes b = three_frames();

	(void)unused;
	for (size_t len = 0; len < b.len; len++) {
		struct bytes part = { .data = b.data, .len = len, .size = len };
		struct outcome o = play(&part, 100, len, len);

		assert_int_equal(o.err, ERR_NONE);
		assert_false(o.done);
		bytes_free(&o.content);
	}
	bytes_free(&b);
}

static void a_frame_over_the_bound_is_refused_at_its_header(void **unused)
{
	(void)unused;
	for (uint64_t max = 0; max < 27; max++) {
		struct outcome o = everywhere(three_frames(), max);

		assert_int_equal(o.err, ERR_LIMIT);
		assert_false(o.done);
		assert_int_equal(o.content.len, max < 1 ? 0 : max < 20 ? 1 : 20);
		bytes_free(&o.content);
	}
}

static void giant_frames_are_refused_or_come_in_small_steps(void **unused)
{
	static const uint64_t claims[] = { 1ULL << 32, 1ULL << 40, 1ULL << 63, UINT64_MAX };
	struct bytes b = { .len = 0 };
	struct outcome o;

	(void)unused;
	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
		struct bytes giant = { .len = 0 };

		add_number(&giant, claims[i]);
		add_raw(&giant, "hello", 5);
		o = everywhere(giant, UINT64_MAX);
		assert_int_equal(o.err, ERR_LIMIT);
		assert_int_equal(o.content.len, 0);
	}
	add_number(&b, UINT32_MAX);
	add_raw(&b, "hello", 5);
	o = everywhere(b, UINT64_MAX);
	assert_int_equal(o.err, ERR_NONE);
	assert_int_equal(o.content.len, 5);
	assert_false(o.done);
	bytes_free(&o.content);
}

static void many_frames_cannot_wrap_the_bound(void **unused)
{
	struct frames f;
	struct bytes head = { .len = 0 };
	const uint8_t *span;
	size_t used, len;

	(void)unused;
	frames_init(&f, UINT64_MAX);
	f.size = UINT64_MAX - 3;        /* as after so much content */
	add_number(&head, 4);
	assert_int_equal(frames_feed(&f, head.data, head.len, &used, &span, &len), ERR_LIMIT);
	assert_int_equal(frames_feed(&f, head.data, head.len, &used, &span, &len), ERR_LIMIT);   /* it stays */
	assert_int_equal(used, 0);
	bytes_free(&head);
}

static void nothing_behind_the_end_is_taken(void **unused)
{
	struct frames f;
	const uint8_t *span;
	size_t used, len;
	uint8_t end[9] = { 0 };

	(void)unused;
	frames_init(&f, 100);
	assert_int_equal(frames_feed(&f, end, sizeof end, &used, &span, &len), ERR_NONE);
	assert_int_equal(used, 8);
	assert_true(frames_done(&f));
	assert_int_equal(frames_feed(&f, end + 8, 1, &used, &span, &len), ERR_NONE);
	assert_int_equal(used, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_comes_out_without_its_frames),
		cmocka_unit_test(an_empty_stream_is_its_end_alone),
		cmocka_unit_test(a_truncated_stream_is_never_done),
		cmocka_unit_test(a_frame_over_the_bound_is_refused_at_its_header),
		cmocka_unit_test(giant_frames_are_refused_or_come_in_small_steps),
		cmocka_unit_test(many_frames_cannot_wrap_the_bound),
		cmocka_unit_test(nothing_behind_the_end_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
