/* value: what stands in the fields of a message: a tree, read off the wire by message or made by hand.
 * Owner   values and items live in an arena; texts are lent by whoever made the value.
 * Errors  NULL: the arena is full. A field's name must be one of the shape's: another is a fault in us (assert). */
#ifndef GATEWAY_NIX_VALUE_H
#define GATEWAY_NIX_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/nix/shape.h"
#include "gateway/nix/text.h"

/* What stands in one field. Which members count is told by the field's kind:
 *   NUMBER BOOL TIME             number
 *   STRING PATH ...              text (a NUL behind it; NULL is as good as ""), len
 *   TEXT                         the same, and number: how many bytes were dropped behind it
 *   ITEMS UNTIL_EMPTY            items: count elements of item->count values each, one behind the other
 *   OPTIONAL                     number; items: item->count values, where number is not 0
 *   CHOICE                       text, len, number as TEXT; or number alone, where text is NULL */
struct value {
	uint64_t number;
	const char *text;
	struct value *items;
	union {
		size_t len;             /* bytes of text */
		size_t count;           /* elements of items */
	};
};

/* Values by name. */
const struct value *value_of(const struct value *values, const struct shape *shape, const char *name);
struct value *value_at(struct value *values, const struct shape *shape, const char *name);      /* to be written */
/* The values of element i of a field of kind ITEMS, UNTIL_EMPTY or OPTIONAL (i 0), as `field->item` orders them. */
const struct value *value_item(const struct value *list, const struct shape *item, size_t i);
struct text value_text(const struct value *value);      /* of a field that is a text: "" where it has none */

/* Values made by hand, all of them nothing at first. */
MUST_USE struct value *values_new(struct arena *arena, const struct shape *shape);
void value_set_number(struct value *values, const struct shape *shape, const char *name, uint64_t number);
void value_set_text(struct value *values, const struct shape *shape, const char *name, struct text text);
/* Gives the list (or optional, count 1) so many empty elements and returns the first value of the first. */
MUST_USE struct value *value_set_items(struct arena *arena, struct value *values, const struct shape *shape,
		const char *name, size_t count);

#endif
