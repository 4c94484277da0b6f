/* stderr_loop: what the daemon says between a request and its reply: log lines, activities, the end, an error.
 * READ and WRITE are known by name and refused: nothing that is forwarded has a use for them. An unknown tag is refused.
 * Owner   as message: values live in the lent arena, which the caller resets between messages.
 * Errors  as message.
 * Source  NixOS/nix libstore: worker-protocol.hh, worker-protocol-connection.cc (processStderrReturn), daemon.cc. */
#ifndef GATEWAY_NIX_STDERR_LOOP_H
#define GATEWAY_NIX_STDERR_LOOP_H

#include "gateway/nix/message.h"
#include "gateway/wire/tags.h"

enum { LOG_LINE_MAX = 64 * 1024, LOG_FIELDS_MAX = 64, ERROR_TEXT_MAX = 1024 * 1024, ERROR_TRACES_MAX = 256 };

struct stderr_row {
	uint64_t tag;
	const char *name;
	const struct shape *shape;      /* what follows the tag; NULL: refused */
};

extern const struct stderr_row stderr_rows[];
extern const size_t stderr_rows_count;

extern const struct shape shape_next;                   /* text */
extern const struct shape shape_start_activity;         /* id level type text fields parent */
extern const struct shape shape_stop_activity;          /* id */
extern const struct shape shape_result;                 /* id type fields */
/* type level name message position traces; below 1.26: message status */
extern const struct shape shape_error;

const struct stderr_row *stderr_row(enum stderr_tag tag);

/* The next message of the loop. Once stderr_loop_done: row, and message.values in the order of row->shape.
 * Texts of a log over LOG_LINE_MAX are cut there: a builder that never ends its line is no reason to end its session. */
struct stderr_loop {
	const struct stderr_row *row;   /* NULL: the tag is still awaited */
	unsigned minor;
	struct message message;         /* first the tag, then what follows it */
};

void stderr_loop_init(struct stderr_loop *l, const struct message_limits *limits, struct arena *arena);
void stderr_loop_free(struct stderr_loop *l);
void stderr_loop_start(struct stderr_loop *l, unsigned minor);  /* the next message */
MUST_USE enum err stderr_loop_feed(struct stderr_loop *l, const uint8_t *in, size_t n, size_t *used);
bool stderr_loop_done(const struct stderr_loop *l);
const char *stderr_loop_reason(const struct stderr_loop *l);

/* One message of the loop, tag and all, for a peer of that version. */
MUST_USE enum err stderr_put(struct buf *out, enum stderr_tag tag, unsigned minor, const struct value *values);
MUST_USE enum err stderr_put_last(struct buf *out);
/* A log line, or an error in the layout of the version, with "nix-gateway: " before the sentence. */
MUST_USE enum err stderr_put_line(struct buf *out, const char *sentence);
MUST_USE enum err stderr_put_error(struct buf *out, unsigned minor, const char *sentence);

#endif
