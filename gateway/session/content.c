#include "gateway/session/content.h"

enum { DRAIN_MAX = 256 * 1024 * 1024, DRAIN_MS = 30 * 1000 };

void content_init_framed(struct content *c, uint64_t max)
{
	*c = (struct content){ .framed = true };
	frames_init(&c->frames, max);
}

void content_init_sized(struct content *c, uint64_t size)
{
	*c = (struct content){ .left = size };
}

bool content_done(const struct content *c)
{
	return c->framed ? frames_done(&c->frames) : c->left == 0;
}

/* Takes frame headers off the queue until content, or the end of the stream, is at its front. */
static enum err take_headers(struct session *s, struct content *c)
{
	struct buf *rx = &s->client.rx;

	while (!frames_done(&c->frames) && c->frames.left == 0 && buf_len(rx) > 0) {
		size_t want = NUMBER_SIZE - c->frames.head.have, used = 0, len = 0;
		const uint8_t *bytes;
		enum err err = frames_feed(&c->frames, buf_data(rx), want < buf_len(rx) ? want : buf_len(rx), &used, &bytes,
					   &len);

		if (err)
			return session_end(s, err, "protocol-error", "the client has sent more than %s may hold",
					   s->op->name);
		buf_take(rx, used);
	}
	return ERR_NONE;
}

enum err content_look(struct session *s, struct content *c, const uint8_t **bytes, size_t *len)
{
	enum err err = c->framed ? take_headers(s, c) : ERR_NONE;
	uint64_t left = c->framed ? c->frames.left : c->left;

	*len = 0;
	if (err)
		return err;
	*bytes = buf_data(&s->client.rx);
	*len = left < buf_len(&s->client.rx) ? (size_t)left : buf_len(&s->client.rx);
	return ERR_NONE;
}

enum err content_peek(struct session *s, struct content *c, const uint8_t **bytes, size_t *len)
{
	for (;;) {
		enum err err = content_look(s, c, bytes, len);

		if (err || *len > 0 || content_done(c))
			return err;
		err = session_await(s, &s->client);
		if (err)
			return err;
	}
}

void content_take(struct session *s, struct content *c, size_t len)
{
	const uint8_t *span;
	size_t used = 0, span_len = 0;

	if (len == 0)
		return;
	if (c->framed)
		(void)!frames_feed(&c->frames, buf_data(&s->client.rx), len, &used, &span, &span_len);
	else
		c->left -= len;
	buf_take(&s->client.rx, len);
	c->taken += len;
}

/* A client of frames stops soon, for it is told; one that has announced a size cannot be, and sends all of it: that must
 * only not take for ever. */
static bool drains_too_long(const struct content *c, const struct pace *pace, uint64_t drained, int64_t since_ms)
{
	return c->framed ? drained > DRAIN_MAX || clock_ms() - since_ms > DRAIN_MS : pace_is_lost(pace);
}

enum err content_drain(struct session *s, struct content *c)
{
	int64_t since = clock_ms();
	uint64_t start = c->taken;
	struct pace pace;

	pace_begin(&pace);
	while (!content_done(c)) {
		int64_t before = clock_ms();
		const uint8_t *bytes;
		size_t len;
		enum err err = content_peek(s, c, &bytes, &len);

		if (err)
			return err;
		content_take(s, c, len);
		pace_moved(&pace, len, s->limits.stall_ms);
		pace_waited(&pace, clock_ms() - before);
		if (drains_too_long(c, &pace, c->taken - start, since))
			return session_end(s, ERR_LIMIT, "refused", "the client goes on sending what was refused");
	}
	return ERR_NONE;
}

enum err content_read(struct session *s, struct content *c, const struct shape *shape, const char *what,
		      unsigned minor, const struct value **values)
{
	message_start(&s->message, shape, what, minor);
	while (!message_done(&s->message)) {
		const uint8_t *bytes;
		size_t len, used = 0;
		enum err err = content_peek(s, c, &bytes, &len);

		if (err)
			return err;
		if (len == 0)
			return session_end(s, ERR_PROTO, "protocol-error", "the client's %s ends too early", what);
		err = message_feed(&s->message, bytes, len, &used);
		content_take(s, c, used);
		if (err)
			return session_end(s, err, "protocol-error", "the client has sent what is no %s: %s", what,
					   message_reason(&s->message));
	}
	*values = s->message.values;
	return ERR_NONE;
}
