/* buf: a queue of bytes, put in at the end and taken from the front.
 * Units   every length counts bytes.
 * Owner   the buf owns its memory; it grows only as bytes are put, never over `max`. buf_data lends until the next put.
 * Errors  ERR_LIMIT: the bytes would not fit under max; nothing was put. ERR_MEMORY likewise. */
#ifndef GATEWAY_BASE_BUF_H
#define GATEWAY_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"

struct buf {
	uint8_t *memory;        /* owns; NULL while nothing was ever put */
	size_t size;            /* bytes of memory */
	size_t start, end;      /* start <= end <= size: what is queued */
	size_t max;             /* most bytes that may be queued at once */
};

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);           /* wiped to an empty buf of the same max; fine twice */

const uint8_t *buf_data(const struct buf *b);   /* buf_len(b) bytes; may be NULL when that is 0 */
size_t buf_len(const struct buf *b);
size_t buf_room(const struct buf *b);           /* bytes that can still be put under max */

MUST_USE enum err buf_put(struct buf *b, const void *bytes, size_t len);
void buf_take(struct buf *b, size_t len);       /* drops len <= buf_len bytes from the front */

/* Lends `len` writable bytes behind the queue (for read(2)); buf_commit then queues the first `used` of them. */
MUST_USE enum err buf_reserve(struct buf *b, size_t len, uint8_t **space);
void buf_commit(struct buf *b, size_t used);

#endif
