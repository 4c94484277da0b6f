#include "gateway/nix/walk.h"

#include <assert.h>

enum { FIRST_ELEMENTS = 4 };

static struct walk_level *top(struct walk *w)
{
	return w->levels + w->depth - 1;
}

bool walk_ended(const struct walk *w)
{
	return w->depth == 0;
}

const struct field *walk_field(const struct walk *w)
{
	const struct walk_level *l = w->levels + w->depth - 1;

	return l->shape->fields + l->field;
}

struct value *walk_value(const struct walk *w)
{
	const struct walk_level *l = w->levels + w->depth - 1;

	return l->into + l->field;
}

bool walk_may_leave(const struct walk *w)
{
	const struct walk_level *l = w->levels + w->depth - 1;

	return l->until_empty && l->field == 0;
}

/* Doubling, but never beyond what is still to come: the memory is at most a few times that of the elements that came. */
static bool grow(struct walk *w, struct walk_level *l)
{
	size_t width = l->shape->count, more = l->capacity == 0 ? FIRST_ELEMENTS : l->capacity;
	struct value *items;

	if (more > l->left)
		more = (size_t)l->left;
	items = arena_array(w->arena, (l->capacity + more) * width, sizeof *items);
	if (items == NULL)
		return false;
	for (size_t i = 0; i < l->list->count * width; i++)
		items[i] = l->list->items[i];
	l->list->items = items;
	l->capacity += more;
	return true;
}

/* Makes room for the element that is about to be read. */
static enum err next_element(struct walk *w)
{
	struct walk_level *l = top(w);

	l->field = 0;                   /* on an error too: it stands at a field that has a name */
	if (l->left == 0)
		return ERR_LIMIT;
	if (l->list->count == l->capacity && !grow(w, l))
		return ERR_MEMORY;
	l->into = l->list->items + l->list->count * l->shape->count;
	return ERR_NONE;
}

static enum err push(struct walk *w, uint64_t count)
{
	const struct field *field = walk_field(w);
	struct value *list = walk_value(w);

	assert(w->depth < SHAPE_DEPTH);
	w->levels[w->depth++] = (struct walk_level){ .shape = field->item, .list = list, .left = count,
		.until_empty = field->kind == KIND_UNTIL_EMPTY };
	return next_element(w);
}

static void pop(struct walk *w)
{
	w->depth--;
	top(w)->field++;
}

/* The element at the top is whole. */
static enum err end_element(struct walk *w)
{
	struct walk_level *l = top(w);

	if (l->list == NULL) {
		w->depth = 0;
		return ERR_NONE;
	}
	l->list->count++;
	l->left--;
	if (l->left > 0 || l->until_empty)
		return next_element(w);
	pop(w);
	return ERR_NONE;
}

static void skip_absent(struct walk *w)
{
	struct walk_level *l = top(w);

	while (l->field < l->shape->count && !field_present(l->shape->fields + l->field, w->minor))
		l->field++;
}

/* Through the ends of elements and lists, and into lists that begin without a count. */
static enum err settle(struct walk *w)
{
	enum err err = ERR_NONE;

	while (!err && w->depth > 0) {
		skip_absent(w);
		if (top(w)->field == top(w)->shape->count)
			err = end_element(w);
		else if (walk_field(w)->kind == KIND_UNTIL_EMPTY)
			err = push(w, walk_field(w)->max + 1);  /* what follows the last is looked at as one more */
		else
			break;
	}
	return err;
}

enum err walk_start(struct walk *w, struct arena *arena, const struct shape *shape, unsigned minor, struct value *values)
{
	*w = (struct walk){ .arena = arena, .minor = minor, .depth = 1 };
	w->levels[0] = (struct walk_level){ .shape = shape, .into = values };
	return settle(w);
}

enum err walk_next(struct walk *w)
{
	top(w)->field++;
	return settle(w);
}

enum err walk_into(struct walk *w, uint64_t count)
{
	enum err err;

	if (count == 0)
		return walk_next(w);
	err = push(w, count);
	return err ? err : settle(w);
}

enum err walk_out(struct walk *w)
{
	pop(w);
	return settle(w);
}
