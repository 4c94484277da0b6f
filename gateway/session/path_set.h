/* path_set: store paths, each once, in the order in which they came: what a walk has seen, and what it still has to see.
 * Looked up by a keyed hash, so that nobody can choose paths that collide.
 * Owner   the set owns its tables; the texts are copied into the arena that was lent, which must outlive the set.
 * Errors  ERR_LIMIT: more than max. ERR_MEMORY. The set is unchanged then. */
#ifndef GATEWAY_SESSION_PATH_SET_H
#define GATEWAY_SESSION_PATH_SET_H

#include "gateway/base/arena.h"
#include "gateway/nix/text.h"

struct path_set {
	struct arena *arena;            /* borrows */
	struct text *items;             /* owns; count of them, in the order in which they came */
	size_t count, capacity, max;
	size_t *slots;                  /* owns; 1 + index into items, 0: free; slot_count of them, a power of two */
	size_t slot_count;
	unsigned char key[16];
};

void path_set_init(struct path_set *set, struct arena *arena, size_t max);
void path_set_free(struct path_set *set);
/* Empties the set and its arena, which must be its own. */
void path_set_clear(struct path_set *set);

/* *added (may be NULL): it was not there before. */
MUST_USE enum err path_set_add(struct path_set *set, struct text path, bool *added);
bool path_set_holds(const struct path_set *set, struct text path);
/* The same, and its place among the items. */
bool path_set_find(const struct path_set *set, struct text path, size_t *at);

#endif
