#include "gateway/wire/string.h"

enum { KEEP_SIZE = 64 * 1024 };         /* a gathering up to this size serves the next string as well */

void string_init(struct string *s, struct arena *arena)
{
	*s = (struct string){ .arena = arena };
	buf_init(&s->kept, 0);
}

void string_start(struct string *s, size_t max)
{
	s->state = STRING_LENGTH;
	s->failed = ERR_NONE;
	number_init(&s->head);
	s->max = max;
	s->len = 0;
	s->padding = 0;
	s->bytes = NULL;
	buf_take(&s->kept, buf_len(&s->kept));
}

void string_free(struct string *s)
{
	buf_free(&s->kept);
}

static enum err finish(struct string *s, const uint8_t *bytes)
{
	s->bytes = arena_text(s->arena, bytes, s->len);
	if (s->bytes == NULL)
		return ERR_MEMORY;
	s->state = s->padding > 0 ? STRING_PADDING : STRING_DONE;
	return ERR_NONE;
}

/* The arena is asked here too: what it cannot hold in the end is not gathered first. */
static enum err on_length(struct string *s)
{
	size_t left = s->arena->max - s->arena->used;
	enum err err = number_length(s->head.value, s->max, &s->len);

	if (err)
		return err;
	if (s->len >= left)
		return ERR_LIMIT;
	s->padding = (unsigned)wire_padding(s->len);
	s->kept.max = s->len;
	s->state = STRING_BODY;
	return s->len == 0 ? finish(s, NULL) : ERR_NONE;
}

/* The usual string lies in the input as a whole and goes to the arena directly. */
static enum err on_body(struct string *s, const uint8_t *in, size_t n, size_t *used)
{
	size_t missing = s->len - buf_len(&s->kept), take = n < missing ? n : missing;
	enum err err;

	*used = take;
	if (take == s->len)
		return finish(s, in);
	err = buf_put(&s->kept, in, take);
	if (err || take < missing)
		return err;
	err = finish(s, buf_data(&s->kept));
	if (s->kept.size > KEEP_SIZE)
		buf_free(&s->kept);
	return err;
}

static enum err on_padding(struct string *s, const uint8_t *in, size_t n, size_t *used)
{
	unsigned take = n < s->padding ? (unsigned)n : s->padding;

	*used = take;
	if (!wire_is_zero(in, take))
		return ERR_PROTO;
	s->padding -= take;
	if (s->padding == 0)
		s->state = STRING_DONE;
	return ERR_NONE;
}

enum err string_feed(struct string *s, const uint8_t *in, size_t n, size_t *used)
{
	size_t at = 0, took;

	while (s->failed == ERR_NONE && s->state != STRING_DONE && at < n) {
		took = 0;
		if (s->state == STRING_LENGTH) {
			took = number_feed(&s->head, in + at, n - at);
			if (number_done(&s->head))
				s->failed = on_length(s);
		} else if (s->state == STRING_BODY) {
			s->failed = on_body(s, in + at, n - at, &took);
		} else {
			s->failed = on_padding(s, in + at, n - at, &took);
		}
		at += took;
	}
	*used = at;
	return s->failed;
}

bool string_done(const struct string *s)
{
	return s->failed == ERR_NONE && s->state == STRING_DONE;
}
