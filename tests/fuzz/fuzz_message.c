/* Any bytes as any message of the tables. The first byte picks a row, the second its direction and the version.
 * Property: in pieces or whole, the outcome is the same; what was read is, written anew, the very bytes that came; and
 * in every other version too it is a message. Memory stays in step with the input. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/nix/message.h"
#include "gateway/nix/ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct message_limits limits = { .store_dir = "/nix/store" };

struct subject {
	const struct op_table *table;
	const struct shape *shape;
	unsigned minor;
};

struct outcome {
	struct arena arena;
	struct message message;
	size_t used;
	struct buf again;
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

static struct subject pick(const uint8_t *data)
{
	struct subject s = { .table = &worker_ops };
	size_t row = data[0] % (worker_ops.count + serve_ops.count);
	const struct op *op;

	if (row >= worker_ops.count) {
		s.table = &serve_ops;
		row -= worker_ops.count;
	}
	op = s.table->ops + row;
	s.shape = data[1] % 2 == 0 ? op->request : op->reply;
	s.minor = s.table->minor_min + data[1] / 2 % (s.table->minor_max - s.table->minor_min + 1);
	return s;
}

static void play(struct outcome *o, const struct subject *s, unsigned minor, const uint8_t *in, size_t n, size_t piece)
{
	o->used = 0;
	arena_init(&o->arena, 1 << 26);
	message_init(&o->message, &limits, &o->arena);
	buf_init(&o->again, 1 << 26);
	message_start(&o->message, s->shape, "Message", minor);
	while (o->used < n && o->message.failed == ERR_NONE && !message_done(&o->message)) {
		size_t part = piece < n - o->used ? piece : n - o->used, took;

		must(message_feed(&o->message, in + o->used, part, &took) == o->message.failed || o->message.failed);
		must(took <= part);
		o->used += took;
	}
	if (message_done(&o->message))
		must(message_put(&o->again, s->shape, minor, o->message.values) == ERR_NONE);
}

static void outcome_free(struct outcome *o)
{
	message_free(&o->message);
	arena_free(&o->arena);
	buf_free(&o->again);
}

static void same(const struct outcome *a, const struct outcome *b)
{
	must(a->message.failed == b->message.failed);
	must(a->message.failed || a->used == b->used);  /* how far a refused piece was looked at, means nothing */
	must(strcmp(a->message.reason, b->message.reason) == 0);
	must(message_done(&a->message) == message_done(&b->message));
	must(buf_len(&a->again) == buf_len(&b->again));
	must(buf_len(&a->again) == 0 || memcmp(buf_data(&a->again), buf_data(&b->again), buf_len(&a->again)) == 0);
}

/* Texts over their bound lose their end, and only then is what is written not what was read. */
static void stable(const struct outcome *o, const struct subject *s, const uint8_t *in)
{
	struct outcome second;

	must(buf_len(&o->again) <= o->used);
	if (buf_len(&o->again) == o->used)
		must(o->used == 0 || memcmp(buf_data(&o->again), in, o->used) == 0);
	play(&second, s, s->minor, buf_data(&o->again), buf_len(&o->again), SIZE_MAX);
	must(message_done(&second.message) && second.used == buf_len(&o->again));
	must(second.used == 0 || memcmp(buf_data(&second.again), buf_data(&o->again), second.used) == 0);
	outcome_free(&second);
}

static void translates(const struct outcome *o, const struct subject *s)
{
	for (unsigned minor = s->table->minor_min; minor <= s->table->minor_max; minor++) {
		struct outcome other;
		struct buf bytes;

		buf_init(&bytes, 1 << 26);
		must(message_put(&bytes, s->shape, minor, o->message.values) == ERR_NONE);
		play(&other, s, minor, buf_data(&bytes), buf_len(&bytes), SIZE_MAX);
		must(message_done(&other.message) && other.used == buf_len(&bytes));
		outcome_free(&other);
		buf_free(&bytes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct subject s;
	struct outcome whole, dripped, pieces;

	if (size < 2)
		return 0;
	s = pick(data);
	play(&whole, &s, s.minor, data + 2, size - 2, SIZE_MAX);
	play(&dripped, &s, s.minor, data + 2, size - 2, 1);
	play(&pieces, &s, s.minor, data + 2, size - 2, 13);
	same(&whole, &dripped);
	same(&whole, &pieces);
	must(whole.arena.used <= 2048 + 64 * size);
	if (message_done(&whole.message)) {
		stable(&whole, &s, data + 2);
		translates(&whole, &s);
	}
	outcome_free(&whole);
	outcome_free(&dripped);
	outcome_free(&pieces);
	return 0;
}
