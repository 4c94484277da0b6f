/* Property: JSON that is taken is an object of bounded depth; printed and read again, it names the same features. */
#include <jansson.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/nix/structured_attrs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char NAME[] = "requiredSystemFeatures";

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static size_t depth_of(json_t *value)
{
	size_t deepest = 0, index;
	const char *key;
	json_t *item;

	json_object_foreach(value, key, item) {         /* no turn for what is no object */
		size_t depth = depth_of(item);

		deepest = depth > deepest ? depth : deepest;
	}
	json_array_foreach(value, index, item) {        /* likewise */
		size_t depth = depth_of(item);

		deepest = depth > deepest ? depth : deepest;
	}
	return deepest + (json_is_object(value) || json_is_array(value) ? 1 : 0);
}

/* The same tree, printed and parsed again, has the same strings. */
static void check_again(const struct structured_attrs *attrs, struct arena *arena, const struct text *items,
			size_t count)
{
	char *printed = json_dumps(attrs->top, JSON_COMPACT);
	struct structured_attrs again;
	struct text *others = arena_array(arena, count, sizeof *others);
	size_t found;

	demand(printed != NULL && others != NULL);
	demand(structured_attrs_parse(text_of(printed), &again) == ERR_NONE);
	demand(structured_attr_count(&again, NAME, &found) == ERR_NONE && found == count);
	demand(structured_attr_strings(&again, NAME, arena, others) == ERR_NONE);
	for (size_t i = 0; i < count; i++)
		demand(text_equal(items[i], others[i]));
	structured_attrs_free(&again);
	free(printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct structured_attrs attrs;
	struct arena arena;
	struct text *items;
	size_t count;

	demand(sodium_init() >= 0);
	if (structured_attrs_parse((struct text){ (const char *)data, size }, &attrs)) {
		demand(attrs.top == NULL);
		return 0;
	}
	arena_init(&arena, 64 * 1024 * 1024);
	demand(json_is_object(attrs.top) && depth_of(attrs.top) <= JSON_DEPTH_MAX);
	if (structured_attr_count(&attrs, NAME, &count) == ERR_NONE) {
		items = arena_array(&arena, count, sizeof *items);
		demand(items != NULL);
		if (structured_attr_strings(&attrs, NAME, &arena, items) == ERR_NONE)
			check_again(&attrs, &arena, items, count);
	}
	structured_attrs_free(&attrs);
	arena_free(&arena);
	return 0;
}
