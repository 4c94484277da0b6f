/* string: one string of the wire (length, bytes, zero padding to 8), fed in pieces of any size.
 * Units   every length counts bytes; `len` leaves the padding out.
 * Owner   a finished string lives in the arena, with a NUL behind it that `len` does not count (it may hold NULs of its
 *         own). What arrives in pieces is gathered in `kept`, which grows with the bytes that came; the arena gives
 *         memory only for a whole string, so a length that is merely claimed costs nothing. At the last byte of a
 *         string in pieces both copies exist for a moment. Large gatherings are given back at once.
 * Errors  ERR_LIMIT: over max, or over what the arena has left; said before a byte is kept. ERR_PROTO: padding that is
 *         not zero. ERR_MEMORY. All sticky until the next string_start.
 * Source  NixOS/nix libutil/serialise.cc (readString, readPadding). */
#ifndef GATEWAY_WIRE_STRING_H
#define GATEWAY_WIRE_STRING_H

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/wire/number.h"

struct string {
	enum { STRING_LENGTH, STRING_BODY, STRING_PADDING, STRING_DONE } state;
	enum err failed;
	struct number head;
	size_t max, len;
	unsigned padding;               /* zero bytes still to come */
	struct buf kept;                /* owns; the part of the bytes that came so far */
	struct arena *arena;            /* borrows */
	char *bytes;                    /* lives in the arena; NULL until STRING_DONE */
};

void string_init(struct string *s, struct arena *arena);        /* once; then string_start for each string */
void string_start(struct string *s, size_t max);                /* the next string, of 0 to max bytes */
void string_free(struct string *s);                             /* fine twice; the arena keeps what it has */

/* Takes bytes up to the end of the string, never beyond; *used says how many. */
MUST_USE enum err string_feed(struct string *s, const uint8_t *in, size_t n, size_t *used);
bool string_done(const struct string *s);

#endif
