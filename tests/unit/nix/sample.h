/* sample: values made up for any shape, and their comparison. The same seed gives the same values. */
#ifndef TESTS_UNIT_NIX_SAMPLE_H
#define TESTS_UNIT_NIX_SAMPLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/nix/message.h"

#define SAMPLE_PATH "/nix/store/xfp2hphvk98rkk9ywlqpp587rjdcgnc2-hello.txt"
#define SAMPLE_DRV "/nix/store/xfp2hphvk98rkk9ywlqpp587rjdcgnc2-hello.drv"

struct sample {
	struct arena *arena;
	uint64_t state;
};

static inline uint64_t sample_next(struct sample *s)
{
	s->state = s->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return s->state >> 33;
}

static inline void sample_fields(struct sample *s, const struct shape *shape, struct value *values);

static inline void sample_text(struct value *value, const char *text)
{
	value->text = text;
	value->len = strlen(text);
}

static inline void sample_string(struct sample *s, struct value *value, uint64_t max)
{
	size_t len = (size_t)(sample_next(s) % (max < 40 ? max + 1 : 41));
	char *text = arena_alloc(s->arena, len + 1);

	for (size_t i = 0; text != NULL && i < len; i++)
		text[i] = (char)sample_next(s);
	value->text = text;
	value->len = len;
}

static inline void sample_list(struct sample *s, const struct field *field, struct value *value, size_t count)
{
	value->count = count;
	value->items = arena_array(s->arena, count * field->item->count + 1, sizeof *value);
	for (size_t i = 0; value->items != NULL && i < count; i++)
		sample_fields(s, field->item, value->items + i * field->item->count);
}

static inline void sample_field(struct sample *s, const struct field *field, struct value *value)
{
	static const char *const paths[] = { SAMPLE_PATH, SAMPLE_DRV };
	static const char *const derived[] = { SAMPLE_PATH, SAMPLE_DRV "!*", SAMPLE_DRV "!dev,out" };

	switch (field->kind) {
	case KIND_NUMBER:
	case KIND_BOOL:
	case KIND_TIME:
		value->number = field_max(field) == UINT64_MAX ? sample_next(s) : sample_next(s) % (field_max(field) + 1);
		break;
	case KIND_PATH:
		sample_text(value, paths[sample_next(s) % 2]);
		break;
	case KIND_MAYBE_PATH:
		sample_text(value, sample_next(s) % 2 == 0 ? "" : SAMPLE_PATH);
		break;
	case KIND_DERIVED:
		sample_text(value, derived[sample_next(s) % 3]);
		break;
	case KIND_NAR_HASH:
		sample_text(value, "0a430879c266f8b57f4092a0f935cf3facd48bbccde5760d4748ca405171e969");
		break;
	case KIND_ITEMS:
	case KIND_UNTIL_EMPTY:
		sample_list(s, field, value, (size_t)(sample_next(s) % 8));
		break;
	case KIND_OPTIONAL:
		value->number = sample_next(s) % 2 == 0 ? 0 : 1 + sample_next(s) % field->max;
		sample_list(s, field, value, value->number != 0);
		break;
	case KIND_CHOICE:
		if (sample_next(s) % 2 == 0)
			value->number = sample_next(s);
		else
			sample_string(s, value, field->max);
		break;
	default:
		sample_string(s, value, field_max(field));
	}
}

static inline void sample_fields(struct sample *s, const struct shape *shape, struct value *values)
{
	for (size_t i = 0; i < shape->count; i++)
		sample_field(s, shape->fields + i, values + i);
}

static inline struct value *sample_values(struct arena *arena, const struct shape *shape, uint64_t seed)
{
	struct sample s = { .arena = arena, .state = seed };
	struct value *values = arena_array(arena, shape->count + 1, sizeof *values);

	if (values != NULL)
		sample_fields(&s, shape, values);
	return values;
}

static inline bool same_values(const struct shape *shape, unsigned minor, const struct value *a, const struct value *b);

static inline bool same_items(const struct shape *item, unsigned minor, const struct value *a, const struct value *b,
			      size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!same_values(item, minor, value_item(a, item, i), value_item(b, item, i)))
			return false;
	return true;
}

static inline bool same_value(const struct field *field, unsigned minor, const struct value *a, const struct value *b)
{
	switch (field->kind) {
	case KIND_NUMBER:
	case KIND_BOOL:
	case KIND_TIME:
		return a->number == b->number;
	case KIND_ITEMS:
	case KIND_UNTIL_EMPTY:
		return a->count == b->count && same_items(field->item, minor, a, b, a->count);
	case KIND_OPTIONAL:
		return a->number == b->number && same_items(field->item, minor, a, b, a->number != 0);
	case KIND_CHOICE:
		if (a->text == NULL || b->text == NULL)
			return a->text == b->text && a->number == b->number;
		return text_equal(value_text(a), value_text(b));
	default:
		return text_equal(value_text(a), value_text(b));
	}
}

/* As far as the version has the fields. */
static inline bool same_values(const struct shape *shape, unsigned minor, const struct value *a, const struct value *b)
{
	for (size_t i = 0; i < shape->count; i++)
		if (field_present(shape->fields + i, minor) && !same_value(shape->fields + i, minor, a + i, b + i))
			return false;
	return true;
}

#endif
