#include "policy/index.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 64 };

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* Eight bytes at a step. The names are the administrator's own: nobody gains by making them collide. */
static uint32_t hash_of(const char *name)
{
	size_t len = strlen(name);
	uint64_t hash = len, word;

	for (; len >= sizeof word; name += sizeof word, len -= sizeof word) {
		memcpy(&word, name, sizeof word);
		hash = mix(hash, word);
	}
	word = 0;
	memcpy(&word, name, len);
	hash = mix(hash, word);
	return (uint32_t)(hash ^ hash >> 32);
}

static struct index_slot *slot_for(const struct index *ix, const char *name, uint32_t hash)
{
	size_t at = hash & (ix->size - 1);

	while (ix->slots[at].name != NULL && (ix->slots[at].hash != hash || strcmp(ix->slots[at].name, name) != 0))
		at = (at + 1) & (ix->size - 1);
	return &ix->slots[at];
}

const struct index_slot *index_find(const struct index *ix, const char *name)
{
	const struct index_slot *slot = ix->size == 0 ? NULL : slot_for(ix, name, hash_of(name));

	return slot != NULL && slot->name != NULL ? slot : NULL;
}

/* By four: every growth puts all names in their places anew. */
static bool grow(struct index *ix)
{
	struct index bigger = { .size = ix->size == 0 ? FIRST_SIZE : ix->size * 4, .used = ix->used };

	bigger.slots = calloc(bigger.size, sizeof *bigger.slots);
	if (bigger.slots == NULL)
		return false;
	for (size_t i = 0; i < ix->size; i++) {
		if (ix->slots[i].name != NULL)
			*slot_for(&bigger, ix->slots[i].name, ix->slots[i].hash) = ix->slots[i];
	}
	free(ix->slots);
	*ix = bigger;
	return true;
}

bool index_add(struct index *ix, const char *name, uint32_t value, const struct index_slot **before)
{
	uint32_t hash = hash_of(name);
	struct index_slot *slot;

	*before = NULL;
	if (ix->used >= ix->size / 4 * 3 && !grow(ix))
		return false;
	slot = slot_for(ix, name, hash);
	if (slot->name != NULL) {
		*before = slot;
		return true;
	}
	*slot = (struct index_slot){ .name = name, .value = value, .hash = hash };
	ix->used++;
	return true;
}

void index_free(struct index *ix)
{
	free(ix->slots);
	*ix = (struct index){ .slots = NULL };
}
