/* cut_text: a string of the wire of which the first `max` bytes are kept, while the rest passes by: for what people read,
 * where its writer knows no bounds.
 * Units   bytes. max is a multiple of 8.
 * Owner   as string, which does the keeping: the caller's, started with the same max.
 * Errors  as string, but for a length over max, which is none. Sticky until the next start. */
#ifndef GATEWAY_NIX_CUT_TEXT_H
#define GATEWAY_NIX_CUT_TEXT_H

#include "gateway/wire/string.h"

struct cut_text {
	enum { CUT_LENGTH, CUT_KEPT, CUT_DROPPED, CUT_PADDING, CUT_DONE } state;
	enum err failed;
	struct number head;
	size_t max;
	uint64_t dropped;               /* bytes that are not kept */
	uint64_t left;                  /* of them, those still to come */
	size_t padding;                 /* zero bytes behind those */
};

void cut_text_start(struct cut_text *c, size_t max);
/* Takes bytes up to the end of the string, never beyond. Once done, `s` holds what was kept. */
MUST_USE enum err cut_text_feed(struct cut_text *c, struct string *s, const uint8_t *in, size_t n, size_t *used);
bool cut_text_done(const struct cut_text *c);

#endif
