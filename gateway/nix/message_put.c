#include "gateway/nix/message_put.h"

#include "gateway/wire/put.h"

/* Where the bytes go. Without a buf they are only counted, so that a message goes in whole or not at all. */
struct sink {
	struct buf *out;
	size_t size;
	enum err failed;
};

static void sink_number(struct sink *s, uint64_t number)
{
	s->size += NUMBER_SIZE;
	if (s->out != NULL && !s->failed)
		s->failed = put_u64(s->out, number);
}

static void sink_text(struct sink *s, const struct value *value)
{
	struct text text = value_text(value);

	s->size += NUMBER_SIZE + text.len + wire_padding(text.len);
	if (s->out != NULL && !s->failed)
		s->failed = put_string(s->out, text.bytes, text.len);
}

static void sink_shape(struct sink *s, const struct shape *shape, unsigned minor, const struct value *values);

static void sink_items(struct sink *s, const struct shape *item, unsigned minor, const struct value *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sink_shape(s, item, minor, list->items == NULL ? NULL : list->items + i * item->count);
}

static void sink_field(struct sink *s, const struct field *field, unsigned minor, const struct value *value)
{
	switch (field->kind) {
	case KIND_NUMBER:
	case KIND_BOOL:
	case KIND_TIME:
		sink_number(s, value->number);
		break;
	case KIND_ITEMS:
		sink_number(s, value->count);
		sink_items(s, field->item, minor, value, value->count);
		break;
	case KIND_UNTIL_EMPTY:
		sink_items(s, field->item, minor, value, value->count);
		sink_number(s, 0);
		break;
	case KIND_OPTIONAL:
		sink_number(s, value->number);
		sink_items(s, field->item, minor, value, value->number != 0);
		break;
	case KIND_CHOICE:
		sink_number(s, value->text != NULL);
		if (value->text == NULL)
			sink_number(s, value->number);
		else
			sink_text(s, value);
		break;
	default:
		sink_text(s, value);
	}
}

/* values NULL: an element that nobody filled, so nothing in every field. Depth is bounded: shapes are a static tree. */
static void sink_shape(struct sink *s, const struct shape *shape, unsigned minor, const struct value *values)
{
	static const struct value nothing;

	for (size_t i = 0; i < shape->count; i++)
		if (field_present(shape->fields + i, minor))
			sink_field(s, shape->fields + i, minor, values == NULL ? &nothing : values + i);
}

size_t message_size(const struct shape *shape, unsigned minor, const struct value *values)
{
	struct sink s = { .out = NULL };

	sink_shape(&s, shape, minor, values);
	return s.size;
}

enum err message_put(struct buf *out, const struct shape *shape, unsigned minor, const struct value *values)
{
	struct sink s = { .out = out };
	size_t size = message_size(shape, minor, values);
	uint8_t *space;
	enum err err = size == 0 ? ERR_NONE : buf_reserve(out, size, &space);

	if (err)
		return err;
	sink_shape(&s, shape, minor, values);
	return s.failed;
}
