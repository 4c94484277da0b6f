/* Whatever the bytes: cutting them changes nothing, the content stays under max, and content framed anew comes out the
 * same. The first two bytes say how large max is; the rest is the stream. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/wire/frames.h"
#include "gateway/wire/put.h"
#include "tests/fuzz/holds.h"

struct outcome {
	enum err err;
	bool done;
	size_t taken;
	struct buf content, again;      /* own; the content, and the stream as we would frame it */
};

static void step_once(struct outcome *o, struct frames *f, const uint8_t *in, size_t n)
{
	const uint8_t *span;
	size_t used, len;

	o->err = frames_feed(f, in, n, &used, &span, &len);
	HOLDS(used > 0 && used <= n);
	HOLDS(len == 0 || (span >= in && span + len == in + used));
	HOLDS(!o->err || len == 0);
	HOLDS(!buf_put(&o->content, span, len));
	HOLDS(len == 0 || !put_frame(&o->again, span, len));
	o->taken += used;
}

static struct outcome play(const uint8_t *in, size_t n, uint64_t max, size_t step)
{
	struct outcome o = { .err = ERR_NONE };
	struct frames f;

	frames_init(&f, max);
	buf_init(&o.content, n);
	buf_init(&o.again, 9 * n + 8);
	while (o.taken < n && !o.err && !frames_done(&f)) {
		size_t end = step < n - o.taken ? o.taken + step : n;

		while (o.taken < end && !o.err && !frames_done(&f))
			step_once(&o, &f, in + o.taken, end - o.taken);
	}
	o.done = frames_done(&f);
	HOLDS(f.size == buf_len(&o.content) && f.size <= max);
	HOLDS(!o.done || !put_frame_end(&o.again));
	return o;
}

static void same(const struct outcome *a, const struct outcome *b)
{
	size_t len = buf_len(&a->content);

	HOLDS(a->err == b->err && a->done == b->done && len == buf_len(&b->content));
	HOLDS(len == 0 || memcmp(buf_data(&a->content), buf_data(&b->content), len) == 0);
}

static void forget(struct outcome *o)
{
	buf_free(&o->content);
	buf_free(&o->again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, dripped, again;
	uint64_t max;

	if (size < 2)
		return 0;
	max = data[1] == 0xff ? UINT64_MAX : (uint64_t)data[0] * 8 + data[1];
	data += 2;
	size -= 2;
	whole = play(data, size, max, size + 1);
	dripped = play(data, size, max, 1);
	same(&whole, &dripped);
	HOLDS(whole.taken == dripped.taken);
	if (whole.done) {
		again = play(buf_data(&dripped.again), buf_len(&dripped.again), max, 5);
		same(&whole, &again);
		forget(&again);
	}
	forget(&whole);
	forget(&dripped);
	return 0;
}
