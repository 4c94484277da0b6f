#include "gateway/nix/shape.h"

#include <string.h>

#define KIND_NAME(name, text) [KIND_##name] = text,

const char *kind_name(enum kind kind)
{
	static const char *const names[] = { KIND_LIST(KIND_NAME) };

	return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

bool field_present(const struct field *field, unsigned minor)
{
	return minor >= field->since && (field->until == 0 || minor <= field->until);
}

uint64_t field_max(const struct field *field)
{
	switch (field->kind) {
	case KIND_BOOL:
		return 1;
	case KIND_TIME:
		return INT64_MAX;
	case KIND_PATH:
	case KIND_MAYBE_PATH:
		return STORE_PATH_MAX;
	case KIND_NAR_HASH:
		return NAR_HASH_LEN;
	default:
		return field->max;
	}
}

size_t shape_index(const struct shape *shape, const char *name)
{
	size_t i = 0;

	while (i < shape->count && strcmp(shape->fields[i].name, name) != 0)
		i++;
	return i;
}
