/* frames: the framed stream, ( number n, n bytes )* and a final 0, fed in pieces of any size. Where one frame ends and
 * the next begins means nothing: the content comes out in spans, to be framed anew by whoever sends it on.
 * Units   bytes; `size` counts content alone, neither headers nor the end.
 * Owner   nothing is kept: a span is a part of the input it was found in.
 * Errors  ERR_LIMIT: a frame of 2^32 bytes or more, or one that would take the content over max; said at its header.
 *         Sticky.
 * Source  NixOS/nix libutil/serialise.hh (FramedSource). */
#ifndef GATEWAY_WIRE_FRAMES_H
#define GATEWAY_WIRE_FRAMES_H

#include "gateway/wire/number.h"

struct frames {
	enum { FRAMES_HEAD, FRAMES_BODY, FRAMES_DONE } state;
	enum err failed;
	struct number head;
	uint64_t left;          /* bytes of the running frame that are still to come */
	uint64_t size;          /* content handed out so far */
	uint64_t max;           /* most bytes of content */
};

void frames_init(struct frames *f, uint64_t max);

/* One step: takes a header, or a header and what has come of its frame. *content lends *content_len bytes of `in`; 0
 * when the step found none. Call again with the rest, until all of `in` is used or frames_done. Takes at least one byte
 * when n > 0, unless done or failed; nothing behind the end of the stream. */
MUST_USE enum err frames_feed(struct frames *f, const uint8_t *in, size_t n, size_t *used, const uint8_t **content,
			      size_t *content_len);
bool frames_done(const struct frames *f);

#endif
