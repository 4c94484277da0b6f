/* message: one message of a given shape: from bytes to a tree of values, and back, each at its own minor version. What one
 * version has and the other has not is skipped or filled with nothing (0, "", no items); so decode + encode translates.
 * Owner   values, texts and items live in the arena that the caller lends, until it is reset. The decoder itself owns a
 *         little memory: init once, start for each message, free at the end.
 * Errors  ERR_PROTO: not of this shape; ERR_LIMIT: over a bound of the shape or of the message; ERR_MEMORY. Sticky;
 *         message_reason names the field. No count or length that a peer claims is believed: memory follows what arrived.
 * Source  NixOS/nix libstore: worker-protocol.cc, serve-protocol.cc; libutil/serialise.hh. */
#ifndef GATEWAY_NIX_MESSAGE_H
#define GATEWAY_NIX_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/nix/cut_text.h"
#include "gateway/nix/message_put.h"
#include "gateway/nix/shape.h"
#include "gateway/nix/value.h"
#include "gateway/nix/walk.h"
#include "gateway/wire/string.h"

enum {
	MESSAGE_MAX = 64 * 1024 * 1024,         /* bytes of one message on the wire, unless the limits say less */
	MESSAGE_REASON = 192,
};

struct message_limits {
	const char *store_dir;          /* borrows: every path must lie in it, in its one canonical spelling */
	size_t bytes_max;               /* 0: MESSAGE_MAX */
};

struct message {
	const struct shape *shape;
	const char *what;               /* borrows: what the reason calls the message */
	struct value *values;           /* shape->count of them; whole once message_done */
	unsigned minor;
	const struct message_limits *limits;    /* borrows */
	struct arena *arena;                    /* borrows */
	enum err failed;
	char reason[MESSAGE_REASON];
	size_t bytes;                   /* taken so far */
	struct walk walk;
	enum { CHOSEN_NOTHING, CHOSEN_NUMBER, CHOSEN_TEXT } chosen;     /* of a CHOICE */
	struct number number;
	struct string string;
	struct cut_text text;
};

void message_init(struct message *m, const struct message_limits *limits, struct arena *arena);
void message_free(struct message *m);   /* fine twice; the arena keeps what it has */

/* The next message. `what` names it in a reason: "path of WHAT is not a store path". Also mends a failed decoder. */
void message_start(struct message *m, const struct shape *shape, const char *what, unsigned minor);
/* Takes no byte behind the message. A shape without fields is done at once. */
MUST_USE enum err message_feed(struct message *m, const uint8_t *in, size_t n, size_t *used);
bool message_done(const struct message *m);
const char *message_reason(const struct message *m);

#endif
