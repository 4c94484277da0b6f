#include "gateway/base/buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 1024 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_free(struct buf *b)
{
	free(b->memory);
	buf_init(b, b->max);
}

const uint8_t *buf_data(const struct buf *b)
{
	return b->memory == NULL ? NULL : b->memory + b->start;
}

size_t buf_len(const struct buf *b)
{
	return b->end - b->start;
}

size_t buf_room(const struct buf *b)
{
	return b->max - buf_len(b);
}

static void move_to_front(struct buf *b)
{
	if (b->start == 0)
		return;
	memmove(b->memory, b->memory + b->start, buf_len(b));
	b->end -= b->start;
	b->start = 0;
}

/* Doubling keeps the cost of growing in line with the bytes that arrived; max bounds it. */
static enum err grow(struct buf *b, size_t wanted)
{
	size_t size = b->size > 0 ? b->size : FIRST_SIZE;
	uint8_t *memory;

	while (size < wanted)
		size = size > b->max / 2 ? b->max : size * 2;
	memory = realloc(b->memory, size);
	if (memory == NULL)
		return ERR_MEMORY;
	b->memory = memory;
	b->size = size;
	return ERR_NONE;
}

enum err buf_reserve(struct buf *b, size_t len, uint8_t **space)
{
	if (len > buf_room(b))
		return ERR_LIMIT;
	if (len > b->size - b->end || b->memory == NULL) {
		move_to_front(b);
		if (len > b->size - b->end || b->memory == NULL) {
			enum err err = grow(b, b->end + len);   /* at most max: checked above */

			if (err)
				return err;
		}
	}
	*space = b->memory + b->end;
	return ERR_NONE;
}

void buf_commit(struct buf *b, size_t used)
{
	assert(used <= b->size - b->end);
	b->end += used;
}

enum err buf_put(struct buf *b, const void *bytes, size_t len)
{
	uint8_t *space;
	enum err err;

	if (len == 0)
		return ERR_NONE;
	err = buf_reserve(b, len, &space);
	if (err)
		return err;
	memcpy(space, bytes, len);
	buf_commit(b, len);
	return ERR_NONE;
}

void buf_take(struct buf *b, size_t len)
{
	assert(len <= buf_len(b));
	b->start += len;
	if (b->start == b->end)
		b->start = b->end = 0;
}
