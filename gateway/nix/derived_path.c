#include "gateway/nix/derived_path.h"

/* The place of `byte`, or t.len. */
static size_t find(struct text t, char byte)
{
	size_t i = 0;

	while (i < t.len && t.bytes[i] != byte)
		i++;
	return i;
}

bool derived_path_next(struct text *rest, struct text *name)
{
	size_t end = find(*rest, ',');

	if (rest->len == 0)
		return false;
	*name = text_part(*rest, 0, end);
	*rest = text_part(*rest, end + (end < rest->len), rest->len);
	return true;
}

static enum err check_names(struct text outputs)
{
	struct text seen[DERIVED_OUTPUTS_MAX], name;
	size_t count = 0;

	if (outputs.len == 0 || text_ends(outputs, ","))
		return ERR_PROTO;
	while (derived_path_next(&outputs, &name)) {
		if (!output_name_ok(name))
			return ERR_PROTO;
		if (count == DERIVED_OUTPUTS_MAX)
			return ERR_LIMIT;
		for (size_t i = 0; i < count; i++)
			if (text_equal(seen[i], name))
				return ERR_PROTO;
		seen[count++] = name;
	}
	return ERR_NONE;
}

enum err derived_path_parse(const char *store_dir, struct text text, struct derived_path *out)
{
	size_t mark = find(text, '!');
	struct text outputs = { 0 };

	*out = (struct derived_path){ .path = text_part(text, 0, mark), .built = mark < text.len };
	if (!store_path_ok(store_dir, out->path))
		return ERR_PROTO;
	if (!out->built)
		return ERR_NONE;
	if (!store_path_is_drv(out->path))
		return ERR_PROTO;
	outputs = text_part(text, mark + 1, text.len);
	out->all = text_is(outputs, "*");
	if (out->all)
		return ERR_NONE;
	out->outputs = outputs;
	return check_names(outputs);
}

bool derived_path_wants(const struct derived_path *d, struct text output)
{
	struct text rest = d->outputs, name;

	if (d->all)
		return true;
	while (derived_path_next(&rest, &name))
		if (text_equal(name, output))
			return true;
	return false;
}
