/* index: which names were seen before, in constant time each, for files of ten thousand keys.
 * Owner   the index owns its slots; the names are borrowed until index_free.
 * Errors  false: no memory. */
#ifndef POLICY_INDEX_H
#define POLICY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_slot {
	const char *name;       /* borrows; NULL: free */
	uint32_t value, hash;
};

struct index {
	struct index_slot *slots;       /* owns; size of them, a power of two, at most three quarters used */
	size_t size, used;
};

const struct index_slot *index_find(const struct index *ix, const char *name);  /* NULL: not there */
/* Adds a name with its value. Was it there already, *before is its slot (lent until the next call) and nothing is
 * added; else *before is NULL. */
bool index_add(struct index *ix, const char *name, uint32_t value, const struct index_slot **before);
void index_free(struct index *ix);

#endif
