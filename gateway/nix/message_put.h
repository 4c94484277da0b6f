/* message_put: a message out of its values, the other half of message.
 * Errors  ERR_LIMIT, ERR_MEMORY: the whole would not go into the buf; nothing was put. */
#ifndef GATEWAY_NIX_MESSAGE_PUT_H
#define GATEWAY_NIX_MESSAGE_PUT_H

#include "gateway/base/buf.h"
#include "gateway/nix/value.h"

/* The values are not judged again: who makes values, makes good ones. */
MUST_USE enum err message_put(struct buf *out, const struct shape *shape, unsigned minor, const struct value *values);
size_t message_size(const struct shape *shape, unsigned minor, const struct value *values);    /* bytes it puts */

#endif
