/* Whatever the bytes: cutting them changes no verdict, nothing passes max, and what passes is the one encoding of its
 * tree. The first two bytes say how large max is; the rest is the archive. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/wire/nar.h"
#include "tests/fuzz/holds.h"

struct outcome {
	enum err err;
	bool done, executable;
	enum nar_type root;
	uint64_t size, length, body_len, body_sum;
	const char *fault;
};

static struct outcome play(const uint8_t *in, size_t n, uint64_t max, size_t step)
{
	struct outcome o = { .err = ERR_NONE };
	struct nar r;
	size_t at = 0, used;

	nar_init(&r, max);
	while (at < n && !o.err && !nar_done(&r)) {
		size_t piece = step < n - at ? step : n - at;

		o.err = nar_feed(&r, in + at, piece, &used);
		HOLDS(used <= piece && (used == piece || o.err || nar_done(&r)));
		HOLDS(r.size <= max && r.size == at + used);
		HOLDS(r.body_len == 0 || (r.body >= in + at && r.body + r.body_len <= in + at + used));
		for (size_t i = 0; i < r.body_len; i++)
			o.body_sum = o.body_sum * 31 + r.body[i];
		o.body_len += r.body_len;
		at += used;
	}
	o.done = nar_done(&r);
	o.executable = r.root_executable;
	o.root = r.root;
	o.size = r.size;
	o.length = r.root_length;
	o.fault = r.fault;
	HOLDS((o.fault != NULL) == (o.err != ERR_NONE));
	HOLDS(!o.done || (o.size % 8 == 0 && o.size >= NAR_SIZE_MIN && o.root != NAR_UNKNOWN));
	HOLDS(!o.done || o.body_len == (o.root == NAR_REGULAR ? o.length : 0));
	return o;
}

static void same(const struct outcome *a, const struct outcome *b)
{
	HOLDS(a->err == b->err && a->done == b->done && a->fault == b->fault && a->root == b->root);
	HOLDS(a->err || (a->size == b->size && a->length == b->length && a->executable == b->executable));
	HOLDS(a->err || (a->body_len == b->body_len && a->body_sum == b->body_sum));
}

/* A second, plain reader of what was judged good: it walks the tree and writes it anew, which must be what it read. */
struct walk {
	const uint8_t *in;
	uint8_t *out;
	size_t at, len, depth;
};

static const uint8_t *walk_text(struct walk *w, size_t *len)
{
	const uint8_t *text = w->in + w->at + 8;
	uint64_t n;

	HOLDS(w->len - w->at >= 8);
	n = wire_get_u64(w->in + w->at);
	HOLDS(n <= w->len - w->at - 8);
	*len = (size_t)n;
	wire_put_u64(w->out + w->at, n);
	memcpy(w->out + w->at + 8, text, *len);
	w->at += 8 + *len;
	while (w->at % 8 != 0)
		w->out[w->at++] = 0;
	return text;
}

static bool walk_is(struct walk *w, const char *word)
{
	size_t len, start = w->at;
	const uint8_t *text = walk_text(w, &len);

	if (len == strlen(word) && memcmp(text, word, len) == 0)
		return true;
	w->at = start;
	return false;
}

static void walk_folder(struct walk *w);

static void walk_node(struct walk *w)
{
	const uint8_t *text;
	size_t len;

	HOLDS(++w->depth <= 64);
	HOLDS(walk_is(w, "(") && walk_is(w, "type"));
	if (walk_is(w, "regular")) {
		if (walk_is(w, "executable"))
			HOLDS(walk_is(w, ""));
		HOLDS(walk_is(w, "contents"));
		(void)walk_text(w, &len);
	} else if (walk_is(w, "symlink")) {
		HOLDS(walk_is(w, "target"));
		text = walk_text(w, &len);
		HOLDS(len >= 1 && len <= 4095 && memchr(text, '\0', len) == NULL);
	} else {
		HOLDS(walk_is(w, "directory"));
		walk_folder(w);
	}
	HOLDS(walk_is(w, ")"));
	w->depth--;
}

static void walk_folder(struct walk *w)
{
	char last[256] = "";
	const uint8_t *text;
	size_t len;

	while (walk_is(w, "entry")) {
		char name[256] = "";

		HOLDS(walk_is(w, "(") && walk_is(w, "name"));
		text = walk_text(w, &len);
		HOLDS(len > 0 && len <= 255);
		memcpy(name, text, len);
		HOLDS(strlen(name) == len && strchr(name, '/') == NULL && strcmp(name, last) > 0);
		HOLDS(strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strstr(name, "~nix~case~hack~") == NULL);
		memcpy(last, name, sizeof last);
		HOLDS(walk_is(w, "node"));
		walk_node(w);
		HOLDS(walk_is(w, ")"));
	}
}

static void is_canonical(const uint8_t *in, size_t len)
{
	struct walk w = { .in = in, .out = malloc(len + 8), .len = len };

	HOLDS(w.out != NULL);
	HOLDS(walk_is(&w, "nix-archive-1"));
	walk_node(&w);
	HOLDS(w.at == len && memcmp(w.in, w.out, len) == 0);
	free(w.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, dripped, pieces;
	uint64_t max;

	if (size < 2)
		return 0;
	max = data[1] == 0xff ? UINT64_MAX : (uint64_t)data[0] * 8 + data[1];
	data += 2;
	size -= 2;
	whole = play(data, size, max, size + 1);
	dripped = play(data, size, max, 1);
	pieces = play(data, size, max, 13);
	same(&whole, &dripped);
	same(&whole, &pieces);
	if (whole.done)
		is_canonical(data, (size_t)whole.size);
	return 0;
}
