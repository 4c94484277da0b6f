#include "gateway/session/path_set.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { FIRST_SLOTS = 64 };

void path_set_init(struct path_set *set, struct arena *arena, size_t max)
{
	*set = (struct path_set){ .arena = arena, .max = max };
	crypto_shorthash_keygen(set->key);
}

void path_set_free(struct path_set *set)
{
	free(set->items);
	free(set->slots);
	*set = (struct path_set){ .arena = set->arena, .max = set->max };
}

void path_set_clear(struct path_set *set)
{
	struct arena *arena = set->arena;
	size_t max = set->max;

	path_set_free(set);
	arena_reset(arena);
	path_set_init(set, arena, max);
}

/* The slot of the path, or the free one where it would go. Never full: slots are kept at twice the items. */
static size_t slot_of(const struct path_set *set, struct text path)
{
	uint64_t hash;
	size_t at;

	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)path.bytes, path.len, set->key);
	for (at = (size_t)hash & (set->slot_count - 1); set->slots[at] != 0; at = (at + 1) & (set->slot_count - 1))
		if (text_equal(set->items[set->slots[at] - 1], path))
			break;
	return at;
}

static enum err grow(struct path_set *set)
{
	size_t capacity = set->capacity > 0 ? set->capacity * 2 : FIRST_SLOTS / 2;
	struct text *items = realloc(set->items, capacity * sizeof *items);
	size_t *slots;

	if (items == NULL)
		return ERR_MEMORY;
	set->items = items;
	slots = calloc(capacity * 2, sizeof *slots);
	if (slots == NULL)
		return ERR_MEMORY;
	free(set->slots);
	set->slots = slots;
	set->slot_count = capacity * 2;
	set->capacity = capacity;
	for (size_t i = 0; i < set->count; i++)
		set->slots[slot_of(set, set->items[i])] = i + 1;
	return ERR_NONE;
}

enum err path_set_add(struct path_set *set, struct text path, bool *added)
{
	char *copy;
	size_t slot;

	if (added != NULL)
		*added = false;
	if (path_set_holds(set, path))
		return ERR_NONE;
	if (set->count == set->max)
		return ERR_LIMIT;
	if (set->count == set->capacity && grow(set) != ERR_NONE)
		return ERR_MEMORY;
	copy = arena_text(set->arena, path.bytes, path.len);
	if (copy == NULL)
		return ERR_MEMORY;
	slot = slot_of(set, path);
	set->items[set->count++] = (struct text){ copy, path.len };
	set->slots[slot] = set->count;
	if (added != NULL)
		*added = true;
	return ERR_NONE;
}

bool path_set_find(const struct path_set *set, struct text path, size_t *at)
{
	size_t slot = set->count > 0 ? slot_of(set, path) : 0;

	if (set->count == 0 || set->slots[slot] == 0)
		return false;
	*at = set->slots[slot] - 1;
	return true;
}

bool path_set_holds(const struct path_set *set, struct text path)
{
	size_t at;

	return path_set_find(set, path, &at);
}
