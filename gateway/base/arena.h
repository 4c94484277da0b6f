/* arena: memory that lives as long as one request and is given back in one step.
 * Owner   the arena owns all of it; what arena_alloc lends dies with arena_reset or arena_free.
 * Errors  NULL: the bytes would not fit under max, or the system has none. The arena stays usable. */
#ifndef GATEWAY_BASE_ARENA_H
#define GATEWAY_BASE_ARENA_H

#include <stddef.h>

#include "gateway/base/err.h"

struct arena_block;

struct arena {
	struct arena_block *blocks;     /* owns; newest first */
	size_t used;                    /* bytes lent since the last reset, alignment included */
	size_t max;                     /* most bytes lent at once */
};

void arena_init(struct arena *a, size_t max);
void arena_reset(struct arena *a);      /* keeps one small block, so a request of usual size allocates nothing */
void arena_free(struct arena *a);

MUST_USE void *arena_alloc(struct arena *a, size_t len);       /* zeroed, aligned for any type; len 0 gives one byte */
MUST_USE void *arena_array(struct arena *a, size_t count, size_t size);        /* count * size may not wrap: NULL */
MUST_USE char *arena_text(struct arena *a, const void *bytes, size_t len);     /* a copy with a NUL behind it */

#endif
