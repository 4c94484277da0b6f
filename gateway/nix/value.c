#include "gateway/nix/value.h"

#include <assert.h>

const struct value *value_of(const struct value *values, const struct shape *shape, const char *name)
{
	size_t i = shape_index(shape, name);

	assert(i < shape->count);
	return values + i;
}

struct value *value_at(struct value *values, const struct shape *shape, const char *name)
{
	size_t i = shape_index(shape, name);

	assert(i < shape->count);
	return values + i;
}

const struct value *value_item(const struct value *list, const struct shape *item, size_t i)
{
	assert(list->items != NULL && i < (list->count > 0 ? list->count : 1));
	return list->items + i * item->count;
}

struct text value_text(const struct value *value)
{
	return value->text == NULL ? text_of("") : (struct text){ value->text, value->len };
}

struct value *values_new(struct arena *arena, const struct shape *shape)
{
	return arena_array(arena, shape->count, sizeof(struct value));
}

void value_set_number(struct value *values, const struct shape *shape, const char *name, uint64_t number)
{
	value_at(values, shape, name)->number = number;
}

void value_set_text(struct value *values, const struct shape *shape, const char *name, struct text text)
{
	struct value *value = value_at(values, shape, name);

	value->text = text.bytes;
	value->len = text.len;
}

struct value *value_set_items(struct arena *arena, struct value *values, const struct shape *shape, const char *name,
			      size_t count)
{
	size_t i = shape_index(shape, name);
	const struct field *field = shape->fields + i;
	struct value *items;

	assert(i < shape->count && field->item != NULL);
	items = count > SIZE_MAX / FIELDS_MAX ? NULL : arena_array(arena, count * field->item->count, sizeof *items);
	if (items == NULL)
		return NULL;
	values[i].items = items;
	values[i].count = count;
	if (field->kind == KIND_OPTIONAL)
		values[i].number = count;
	return items;
}
