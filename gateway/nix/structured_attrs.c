#include "gateway/nix/structured_attrs.h"

#include <jansson.h>
#include <sodium.h>

struct scan {
	size_t depth, values;
	bool in_string;
};

/* Parsers recurse by depth and allocate by value, so both are bounded on the bytes. What is no JSON is counted
 * somehow; the parser refuses it at the first byte that is not, and up to there the count is right. */
static enum err scan_byte(struct scan *s, const char *byte, bool *skip)
{
	*skip = s->in_string && *byte == '\\';
	if (*byte == '"')
		s->in_string = !s->in_string;
	if (s->in_string)
		return ERR_NONE;
	if (*byte == '[' || *byte == '{')
		s->depth++;
	else if ((*byte == ']' || *byte == '}') && s->depth > 0)
		s->depth--;
	if (*byte == '[' || *byte == '{' || *byte == ',')
		s->values++;
	return s->depth > JSON_DEPTH_MAX || s->values > JSON_VALUES_MAX ? ERR_LIMIT : ERR_NONE;
}

static enum err scan(struct text json)
{
	struct scan s = { 0 };
	enum err err = ERR_NONE;

	for (size_t i = 0; i < json.len && !err; i++) {
		bool skip;

		err = scan_byte(&s, json.bytes + i, &skip);
		i += skip;
	}
	return err;
}

enum err structured_attrs_parse(struct text json, struct structured_attrs *out)
{
	enum err err = scan(json);

	out->top = NULL;
	if (err)
		return err;
	/* Left to itself, jansson opens a file for its seed; none can be opened once a session is confined. */
	json_object_seed(randombytes_random() | 1);
	out->top = json_loadb(json.len == 0 ? "" : json.bytes, json.len, JSON_REJECT_DUPLICATES, NULL);
	if (out->top == NULL)
		return ERR_PROTO;
	if (!json_is_object(out->top)) {
		structured_attrs_free(out);
		return ERR_PROTO;
	}
	return ERR_NONE;
}

void structured_attrs_free(struct structured_attrs *attrs)
{
	json_decref(attrs->top);        /* NULL is fine */
	attrs->top = NULL;
}

static json_t *attr(const struct structured_attrs *attrs, const char *name)
{
	return json_object_get(attrs->top, name);       /* NULL is no object */
}

enum err structured_attr_bool(const struct structured_attrs *attrs, const char *name, bool *value)
{
	const json_t *found = attr(attrs, name);

	if (found == NULL)
		return ERR_NONE;
	if (!json_is_boolean(found))
		return ERR_PROTO;
	*value = json_is_true(found);
	return ERR_NONE;
}

static enum err copy_string(const json_t *string, struct arena *arena, struct text *out)
{
	size_t len;
	char *bytes;

	if (!json_is_string(string))
		return ERR_PROTO;
	len = json_string_length(string);
	bytes = arena_text(arena, json_string_value(string), len);
	if (bytes == NULL)
		return ERR_MEMORY;
	*out = (struct text){ .bytes = bytes, .len = len };
	return ERR_NONE;
}

enum err structured_attr_string(const struct structured_attrs *attrs, const char *name, struct arena *arena,
				struct text *value)
{
	const json_t *found = attr(attrs, name);

	return found == NULL ? ERR_NONE : copy_string(found, arena, value);
}

enum err structured_attr_count(const struct structured_attrs *attrs, const char *name, size_t *count)
{
	const json_t *found = attr(attrs, name);

	*count = found == NULL ? 0 : json_array_size(found);
	return found == NULL || json_is_array(found) ? ERR_NONE : ERR_PROTO;
}

enum err structured_attr_strings(const struct structured_attrs *attrs, const char *name, struct arena *arena,
				 struct text *items)
{
	const json_t *found = attr(attrs, name);
	enum err err = ERR_NONE;

	for (size_t i = 0; i < json_array_size(found) && !err; i++)
		err = copy_string(json_array_get(found, i), arena, &items[i]);
	return err;
}
