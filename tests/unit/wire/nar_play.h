/* nar_play: an archive through the decoder, in pieces of every kind, and what came of it. */
#ifndef TESTS_UNIT_WIRE_NAR_PLAY_H
#define TESTS_UNIT_WIRE_NAR_PLAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/wire/nar.h"
#include "tests/unit/nars.h"

enum { MUCH = 1 << 20 };

struct outcome {
	enum err err;
	bool done, executable;
	uint64_t size, length;
	enum nar_type root;
	const char *fault;
	struct bytes body;      /* all spans joined */
};

/* Each piece is copied to memory of exactly its size, so that the sanitizer sees a read beyond it. */
static inline void feed(struct nar *r, struct outcome *o, const uint8_t *in, size_t n)
{
	uint8_t *piece = malloc(n > 0 ? n : 1);
	size_t used;

	assert_non_null(piece);
	if (n > 0)
		memcpy(piece, in, n);
	o->err = nar_feed(r, piece, n, &used);
	assert_true(used <= n);
	assert_true(used == n || o->err != ERR_NONE || nar_done(r));
	add_raw(&o->body, r->body, r->body_len);
	free(piece);
}

/* Feeds `first` bytes, then pieces of `step`. */
static inline struct outcome play(const struct bytes *b, uint64_t max, size_t first, size_t step)
{
	struct nar *r = malloc(sizeof *r);
	struct outcome o = { .err = ERR_NONE };
	size_t at = 0, piece = first;

	assert_non_null(r);
	nar_init(r, max);
	while (at < b->len && o.err == ERR_NONE && !nar_done(r)) {
		size_t n = piece < b->len - at ? piece : b->len - at;

		feed(r, &o, b->data + at, n);
		assert_true(r->size <= max);
		at += n;
		piece = step;
	}
	o.done = nar_done(r);
	o.size = r->size;
	o.root = r->root;
	o.executable = r->root_executable;
	o.length = r->root_length;
	o.fault = r->fault;
	free(r);
	return o;
}

static inline void assert_same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->err, b->err);
	assert_int_equal(a->done, b->done);
	assert_int_equal(a->root, b->root);
	assert_int_equal(a->executable, b->executable);
	assert_ptr_equal(a->fault, b->fault);
	if (a->err != ERR_NONE)
		return;                 /* how much of a bad token was taken depends on the pieces */
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->length, b->length);
	assert_int_equal(a->body.len, b->body.len);
	if (a->body.len > 0)
		assert_memory_equal(a->body.data, b->body.data, a->body.len);
}

/* The outcome, which has to be the same whole, at every cut, and in pieces of 1 to 9 bytes. `b` is freed. */
static inline struct outcome everywhere(struct bytes b, uint64_t max)
{
	struct outcome whole = play(&b, max, b.len, b.len), other;

	for (size_t cut = 0; cut <= b.len; cut += b.len > 4096 ? 509 : 1) {
		other = play(&b, max, cut, b.len);
		assert_same(&whole, &other);
		bytes_free(&other.body);
	}
	for (size_t step = 1; step < 10; step++) {
		other = play(&b, max, step, step);
		assert_same(&whole, &other);
		bytes_free(&other.body);
	}
	bytes_free(&b);
	return whole;
}

static inline void assert_good(struct bytes b)
{
	size_t size = b.len;
	struct outcome o = everywhere(b, MUCH);

	assert_int_equal(o.err, ERR_NONE);
	assert_true(o.done);
	assert_null(o.fault);
	assert_int_equal(o.size, size);
	bytes_free(&o.body);
}

static inline void assert_bad(struct bytes b, enum err err, const char *fault)
{
	struct outcome o = everywhere(b, MUCH);

	assert_int_equal(o.err, err);
	assert_false(o.done);
	assert_non_null(o.fault);
	assert_non_null(strstr(o.fault, fault));
	bytes_free(&o.body);
}

static inline struct bytes nar_of_words(const char *words)
{
	struct bytes b = { .len = 0 };

	nar_start(&b);
	add_words(&b, words);
	return b;
}

#endif
