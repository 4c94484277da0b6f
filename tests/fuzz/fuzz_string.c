/* Whatever the bytes: cutting them changes nothing, memory follows what came, and a string put anew is the bytes it was
 * read from. The first byte says how long a string may be; the rest is strings, one behind the other. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/wire/put.h"
#include "gateway/wire/string.h"
#include "tests/fuzz/holds.h"

struct outcome {
	enum err err;
	size_t taken, count;
	bool done;              /* the last string was whole */
	struct buf again;       /* owns; every whole string, put anew */
};

static void one_string(struct outcome *o, struct string *s, const uint8_t *in, size_t n, size_t step)
{
	size_t used;

	o->done = false;
	while (o->taken < n && !o->err && !o->done) {
		size_t piece = step < n - o->taken ? step : n - o->taken;

		o->err = string_feed(s, in + o->taken, piece, &used);
		o->done = string_done(s);
		HOLDS(used <= piece && (used == piece || o->err || o->done));
		o->taken += used;
		HOLDS(s->kept.size <= 1024 || s->kept.size <= 2 * o->taken);
	}
	if (!o->done)
		return;
	HOLDS(s->len <= s->max && s->bytes[s->len] == '\0');
	HOLDS(!put_string(&o->again, s->bytes, s->len));
	HOLDS(buf_len(&o->again) == o->taken && memcmp(buf_data(&o->again), in, o->taken) == 0);
	o->count++;
}

static struct outcome play(const uint8_t *in, size_t n, size_t max, size_t step)
{
	struct outcome o = { .err = ERR_NONE, .done = true };
	struct arena arena;
	struct string s;

	arena_init(&arena, 4096);
	string_init(&s, &arena);
	buf_init(&o.again, n);
	while (o.taken < n && o.done) {
		string_start(&s, max);
		one_string(&o, &s, in, n, step);
	}
	string_free(&s);
	arena_free(&arena);
	buf_free(&o.again);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, dripped;
	size_t max;

	if (size < 1)
		return 0;
	max = data[0] == 0xff ? SIZE_MAX : (size_t)data[0] * data[0];
	whole = play(data + 1, size - 1, max, size);
	dripped = play(data + 1, size - 1, max, 1);
	HOLDS(whole.err == dripped.err && whole.count == dripped.count && whole.done == dripped.done);
	return 0;
}
