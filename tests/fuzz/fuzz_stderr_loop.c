/* Any bytes as what a daemon says between a request and its answer. The first byte picks the version. Property: in pieces
 * or whole, the outcome is the same; nothing that is refused by name gets through; what was read is, written anew, a
 * message that reads the same in that version and in every other. */
#include "gateway/nix/hello.h"
#include "gateway/nix/stderr_loop.h"
#include "gateway/wire/put.h"
#include "tests/fuzz/holds.h"

static const struct message_limits limits = { .store_dir = "/nix/store" };

struct outcome {
	enum err err;
	size_t used, count;
	char reason[MESSAGE_REASON];
	struct buf again;               /* owns; every whole message, put anew */
};

static void one_message(struct outcome *o, struct stderr_loop *l, unsigned minor, const uint8_t *in, size_t n, size_t step)
{
	stderr_loop_start(l, minor);
	while (o->used < n && !o->err && !stderr_loop_done(l)) {
		size_t piece = step < n - o->used ? step : n - o->used, used = 0;

		o->err = stderr_loop_feed(l, in + o->used, piece, &used);
		HOLDS(used <= piece && (used == piece || o->err || stderr_loop_done(l)));
		o->used += used;
	}
	if (o->err || !stderr_loop_done(l))
		return;
	o->count++;
	HOLDS(l->row->shape != NULL && l->row->tag != STDERR_READ && l->row->tag != STDERR_WRITE);
	HOLDS(stderr_put(&o->again, (enum stderr_tag)l->row->tag, minor, l->message.values) == ERR_NONE);
}

/* The messages up to the first that is cut short or none. */
static struct outcome play(unsigned minor, const uint8_t *in, size_t n, size_t step)
{
	struct outcome o = { .err = ERR_NONE };
	struct stderr_loop loop;
	struct arena arena;

	arena_init(&arena, 1 << 26);
	buf_init(&o.again, 1 << 26);
	stderr_loop_init(&loop, &limits, &arena);
	for (size_t before = 1; before > 0 && !o.err && o.used < n; ) {
		before = o.count;
		arena_reset(&arena);
		one_message(&o, &loop, minor, in, n, step);
		before = o.count - before;
	}
	if (o.err)
		memcpy(o.reason, stderr_loop_reason(&loop), sizeof o.reason);
	HOLDS(!o.err || o.reason[0] != '\0');
	stderr_loop_free(&loop);
	arena_free(&arena);
	return o;
}

static void same(const struct outcome *a, const struct outcome *b)
{
	HOLDS(a->err == b->err && a->count == b->count && strcmp(a->reason, b->reason) == 0);
	HOLDS(buf_len(&a->again) == buf_len(&b->again));
	HOLDS(buf_len(&a->again) == 0 || memcmp(buf_data(&a->again), buf_data(&b->again), buf_len(&a->again)) == 0);
}

/* What came of it can be read again, and then changes no more. */
static void is_stable(const struct outcome *o, unsigned minor)
{
	struct outcome again = play(minor, buf_data(&o->again), buf_len(&o->again), SIZE_MAX);

	HOLDS(!again.err && again.count == o->count && again.used == buf_len(&o->again));
	HOLDS(again.used == 0 || memcmp(buf_data(&again.again), buf_data(&o->again), again.used) == 0);
	buf_free(&again.again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, dripped, pieces;
	unsigned minor;

	if (size < 1)
		return 0;
	minor = WORKER_MINOR_MIN + data[0] % (WORKER_MINOR_MAX - WORKER_MINOR_MIN + 1);
	whole = play(minor, data + 1, size - 1, SIZE_MAX);
	dripped = play(minor, data + 1, size - 1, 1);
	pieces = play(minor, data + 1, size - 1, 13);
	same(&whole, &dripped);
	same(&whole, &pieces);
	if (whole.count > 0)
		is_stable(&whole, minor);
	buf_free(&whole.again);
	buf_free(&dripped.again);
	buf_free(&pieces.again);
	return 0;
}
