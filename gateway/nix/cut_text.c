#include "gateway/nix/cut_text.h"

#include <assert.h>

void cut_text_start(struct cut_text *c, size_t max)
{
	assert(max % NUMBER_SIZE == 0);         /* or what is kept would have padding of its own */
	*c = (struct cut_text){ .state = CUT_LENGTH, .max = max };
}

static void leave_kept(struct cut_text *c, const struct string *s)
{
	if (string_done(s))
		c->state = c->dropped > 0 ? CUT_DROPPED : CUT_DONE;
}

/* The string is told of the bytes it is to keep, and has none of the others to see. */
static enum err on_length(struct cut_text *c, struct string *s)
{
	uint64_t claimed = c->head.value, kept = claimed > c->max ? c->max : claimed;
	uint8_t head[NUMBER_SIZE];
	size_t used;
	enum err err;

	c->dropped = claimed - kept;
	c->left = c->dropped;
	c->padding = c->dropped > 0 ? wire_padding(claimed) : 0;
	wire_put_u64(head, kept);
	err = string_feed(s, head, sizeof head, &used);
	c->state = CUT_KEPT;
	leave_kept(c, s);
	return err;
}

static size_t drop(struct cut_text *c, size_t n)
{
	size_t take = n < c->left ? n : (size_t)c->left;

	c->left -= take;
	if (c->left == 0)
		c->state = c->padding > 0 ? CUT_PADDING : CUT_DONE;
	return take;
}

static enum err on_padding(struct cut_text *c, const uint8_t *in, size_t n, size_t *used)
{
	size_t take = n < c->padding ? n : c->padding;

	*used = take;
	c->padding -= take;
	if (c->padding == 0)
		c->state = CUT_DONE;
	return wire_is_zero(in, take) ? ERR_NONE : ERR_PROTO;
}

enum err cut_text_feed(struct cut_text *c, struct string *s, const uint8_t *in, size_t n, size_t *used)
{
	size_t at = 0, took;

	while (c->failed == ERR_NONE && c->state != CUT_DONE && at < n) {
		took = 0;
		if (c->state == CUT_LENGTH) {
			took = number_feed(&c->head, in + at, n - at);
			if (number_done(&c->head))
				c->failed = on_length(c, s);
		} else if (c->state == CUT_KEPT) {
			c->failed = string_feed(s, in + at, n - at, &took);
			leave_kept(c, s);
		} else if (c->state == CUT_DROPPED) {
			took = drop(c, n - at);
		} else {
			c->failed = on_padding(c, in + at, n - at, &took);
		}
		at += took;
	}
	*used = at;
	return c->failed;
}

bool cut_text_done(const struct cut_text *c)
{
	return c->failed == ERR_NONE && c->state == CUT_DONE;
}
