/* walk: through the fields of a shape in the order of the wire, into lists and out again, making the values on the way.
 * Owner   values live in the lent arena.
 * Errors  ERR_LIMIT: more elements than the field takes. ERR_MEMORY: the arena is full. Where it stands then, is the field
 *         to be named. A list grows as its elements come; none is given memory for a count that was merely claimed. */
#ifndef GATEWAY_NIX_WALK_H
#define GATEWAY_NIX_WALK_H

#include "gateway/nix/value.h"

/* Where it stands within one shape. */
struct walk_level {
	const struct shape *shape;
	struct value *into;             /* the values of the element being read */
	size_t field;
	struct value *list;             /* the value this level fills; NULL at the bottom */
	uint64_t left;                  /* elements still to come, the one being read included; UNTIL_EMPTY: at most */
	size_t capacity;                /* elements that list->items has room for */
	bool until_empty;
};

struct walk {
	struct arena *arena;            /* borrows */
	unsigned minor;
	size_t depth;                   /* levels in use; 0: at the end */
	struct walk_level levels[SHAPE_DEPTH];
};

/* After each of the three it stands at a field that has bytes of its own, or at the end. */
MUST_USE enum err walk_start(struct walk *w, struct arena *arena, const struct shape *shape, unsigned minor,
			     struct value *values);
MUST_USE enum err walk_next(struct walk *w);                    /* the field is whole */
MUST_USE enum err walk_into(struct walk *w, uint64_t count);    /* the field's count is read: its elements follow, if any */
MUST_USE enum err walk_out(struct walk *w);                     /* in place of an element came the end of its list */

bool walk_ended(const struct walk *w);
const struct field *walk_field(const struct walk *w);
struct value *walk_value(const struct walk *w);
bool walk_may_leave(const struct walk *w);      /* at the first field of an element of UNTIL_EMPTY */

#endif
