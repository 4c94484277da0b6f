/* content: the bulk behind a request, taken from the client's queue piece by piece: framed, or a known number of bytes.
 * What content_peek lends stays in the queue until content_take, and is valid until the next call that waits.
 * Errors  as session.h: a stream that breaks its framing, or ends early, ends the session. */
#ifndef GATEWAY_SESSION_CONTENT_H
#define GATEWAY_SESSION_CONTENT_H

#include "gateway/session/session.h"
#include "gateway/wire/frames.h"

struct content {
	bool framed;
	struct frames frames;   /* framed */
	uint64_t left;          /* else: bytes still to come */
	uint64_t taken;
};

void content_init_framed(struct content *c, uint64_t max);
void content_init_sized(struct content *c, uint64_t size);

/* What is there of the content without waiting; *len 0: nothing yet, or content_done. */
MUST_USE enum err content_look(struct session *s, struct content *c, const uint8_t **bytes, size_t *len);
/* The same, but waits until there is something, or the end: *len 0 then. */
MUST_USE enum err content_peek(struct session *s, struct content *c, const uint8_t **bytes, size_t *len);
void content_take(struct session *s, struct content *c, size_t len);
bool content_done(const struct content *c);

/* Reads the rest into the void, within bounds of size and time where it is framed: after a refusal the client stops soon
 * by itself. Of a known size it has to send all, within a bound of time. */
MUST_USE enum err content_drain(struct session *s, struct content *c);

/* Decodes one message that is part of the content. */
MUST_USE enum err content_read(struct session *s, struct content *c, const struct shape *shape, const char *what,
			       unsigned minor, const struct value **values);

#endif
