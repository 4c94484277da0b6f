#include "gateway/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16 * 1024, ALIGN = alignof(max_align_t) };

struct arena_block {
	struct arena_block *next;       /* owns */
	size_t size, used;              /* bytes of memory, and how many are lent */
	alignas(max_align_t) unsigned char memory[];
};

void arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){ .max = max };
}

static void free_blocks(struct arena_block *block)
{
	while (block != NULL) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
}

void arena_reset(struct arena *a)
{
	struct arena_block *keep = a->blocks;

	if (keep != NULL) {
		free_blocks(keep->next);
		keep->next = NULL;
		keep->used = 0;
		if (keep->size > BLOCK_SIZE) {
			free(keep);
			keep = NULL;
		}
	}
	a->blocks = keep;
	a->used = 0;
}

void arena_free(struct arena *a)
{
	free_blocks(a->blocks);
	arena_init(a, a->max);
}

static struct arena_block *block_with_room(struct arena *a, size_t len)
{
	size_t size = len > BLOCK_SIZE ? len : BLOCK_SIZE;
	struct arena_block *block = a->blocks;

	if (block != NULL && len <= block->size - block->used)
		return block;
	block = malloc(sizeof *block + size);   /* len <= max: far from wrapping */
	if (block == NULL)
		return NULL;
	*block = (struct arena_block){ .next = a->blocks, .size = size };
	a->blocks = block;
	return block;
}

void *arena_alloc(struct arena *a, size_t len)
{
	size_t rounded;
	struct arena_block *block;
	void *lent;

	if (len > SIZE_MAX / 2)
		return NULL;
	rounded = (len + (len == 0) + ALIGN - 1) / ALIGN * ALIGN;
	if (rounded > a->max - a->used)
		return NULL;
	block = block_with_room(a, rounded);
	if (block == NULL)
		return NULL;
	lent = block->memory + block->used;
	block->used += rounded;
	a->used += rounded;
	return memset(lent, 0, rounded);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	if (size > 0 && count > a->max / size)
		return NULL;
	return arena_alloc(a, count * size);
}

char *arena_text(struct arena *a, const void *bytes, size_t len)
{
	char *text = len < SIZE_MAX / 2 ? arena_alloc(a, len + 1) : NULL;

	if (text != NULL && len > 0)
		memcpy(text, bytes, len);
	return text;
}
