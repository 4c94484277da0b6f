/* put: values into bytes, the only encoding there is of each.
 * Errors  ERR_LIMIT: it would not fit under the buf's max. ERR_MEMORY. Either way nothing was put: all or nothing.
 * Source  NixOS/nix libutil/serialise.hh (operator <<), libstore/daemon.cc (TunnelLogger::stopWork). */
#ifndef GATEWAY_WIRE_PUT_H
#define GATEWAY_WIRE_PUT_H

#include "gateway/base/buf.h"
#include "gateway/wire/number.h"
#include "gateway/wire/tags.h"

MUST_USE enum err put_u64(struct buf *b, uint64_t value);
MUST_USE enum err put_bool(struct buf *b, bool value);
MUST_USE enum err put_string(struct buf *b, const void *bytes, size_t len);
MUST_USE enum err put_text(struct buf *b, const char *text);    /* a string that ends at its NUL */

/* Frames: a header is put only when its bytes are in hand, for an announced frame cannot be taken back. */
MUST_USE enum err put_frame(struct buf *b, const void *bytes, size_t len);      /* len 1 to 2^32-1 */
MUST_USE enum err put_frame_header(struct buf *b, size_t len);  /* for bytes that are sent from where they lie */
MUST_USE enum err put_frame_end(struct buf *b);

/* An error that ends the running operation, in the form of protocol 1.`minor`. `sentence` is shown to people as it is:
 * one line of printable ASCII without a percent sign, as log_sentence makes it. */
MUST_USE enum err put_error(struct buf *b, unsigned minor, const char *sentence);

#endif
