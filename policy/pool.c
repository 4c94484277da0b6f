#include "policy/pool.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 64 * 1024, ALIGN = alignof(max_align_t) };

struct block {
	struct block *next;     /* owns */
	size_t size, used;      /* bytes of memory, and how many are lent */
	alignas(max_align_t) unsigned char memory[];
};

struct pool {
	struct block *blocks;   /* owns; the one that is filled comes first */
};

struct pool *pool_new(void)
{
	return calloc(1, sizeof(struct pool));
}

static void free_blocks(struct block *block)
{
	for (struct block *next; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
}

void pool_free(struct pool *pool)
{
	if (pool == NULL)
		return;
	free_blocks(pool->blocks);
	free(pool);
}

void pool_reset(struct pool *pool)
{
	struct block *first = pool->blocks;

	if (first == NULL)
		return;
	free_blocks(first->next);
	first->next = NULL;
	memset(first->memory, 0, first->used);
	first->used = 0;
}

void pool_take(struct pool *pool, struct pool *from)
{
	struct block **end = &pool->blocks;

	while (*end != NULL)
		end = &(*end)->next;
	*end = from->blocks;
	from->blocks = NULL;
}

static struct block *block_new(struct pool *pool, size_t size)
{
	struct block *block = size < SIZE_MAX - sizeof *block ? calloc(1, sizeof *block + size) : NULL;

	if (block == NULL)
		return NULL;
	block->size = size;
	block->next = pool->blocks;
	pool->blocks = block;
	return block;
}

/* A large piece gets a block of its own behind the first, so that what is left of the first is not lost. */
static void *alloc_alone(struct pool *pool, size_t len)
{
	struct block *first = pool->blocks, *block = block_new(pool, len);

	if (block == NULL)
		return NULL;
	block->used = len;
	if (first != NULL) {
		block->next = first->next;
		first->next = block;
		pool->blocks = first;
	}
	return block->memory;
}

void *pool_alloc(struct pool *pool, size_t len)
{
	struct block *block = pool->blocks;
	void *lent;

	if (len > BLOCK_SIZE / 4)
		return alloc_alone(pool, len);
	len = (len + (len == 0) + ALIGN - 1) / ALIGN * ALIGN;
	if (block == NULL || len > block->size - block->used)
		block = block_new(pool, BLOCK_SIZE);
	if (block == NULL)
		return NULL;
	lent = block->memory + block->used;
	block->used += len;
	return lent;
}

void *pool_array(struct pool *pool, size_t count, size_t size)
{
	if (size > 0 && count > SIZE_MAX / size)
		return NULL;
	return pool_alloc(pool, count * size);
}

char *pool_text(struct pool *pool, const char *text)
{
	size_t len = strlen(text);
	char *copy = pool_alloc(pool, len + 1);

	if (copy != NULL)
		memcpy(copy, text, len + 1);
	return copy;
}
