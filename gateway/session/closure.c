#include "gateway/session/closure.h"

#include "gateway/nix/shapes.h"
#include "gateway/nix/store_path.h"
#include "gateway/session/upstream.h"
#include "gateway/session/worker.h"

static enum err add(struct session *s, struct path_set *set, struct text path)
{
	enum err err = path_set_add(set, path, NULL);

	return err ? session_end(s, err, "failed", "the closure is too large: %s", err_text(err)) : ERR_NONE;
}

static enum err add_outputs(struct session *s, struct path_set *set, struct text drv)
{
	const struct op *op = upstream_op(s, OP_QUERY_DERIVATION_OUTPUT_MAP);
	const struct shape *item = op->reply->fields[0].item;
	const struct value *reply, *outputs;
	struct daemon_error error;
	enum err err = upstream_ask_path(s, op->number, drv, &reply, &error);

	if (err || error.failed)
		return err;
	outputs = value_of(reply, op->reply, "outputs");
	for (size_t i = 0; !err && i < outputs->count; i++) {
		struct text path = value_text(value_of(value_item(outputs, item, i), item, "path"));
		bool valid = false;

		if (path.len > 0)
			err = ask_valid(s, path, &valid);
		if (!err && valid)
			err = add(s, set, path);
	}
	return err;
}

static enum err add_references(struct session *s, struct path_set *set, struct text path, bool *whole, char *why)
{
	const struct op *op = upstream_op(s, OP_QUERY_PATH_INFO);
	const struct value *reply, *info, *references;
	struct daemon_error error;
	enum err err = upstream_ask_path(s, op->number, path, &reply, &error);

	if (err)
		return err;
	info = error.failed ? NULL : value_of(reply, op->reply, "info");
	*whole = info != NULL && info->number == 1;
	if (!*whole) {
		log_sentence(why, "path '%.*s' is not on this builder", (int)path.len, path.bytes);
		return ERR_NONE;
	}
	references = value_of(info->items, &shape_unkeyed_path_info, "references");
	for (size_t i = 0; !err && i < references->count; i++)
		err = add(s, set, value_text(&references->items[i]));
	return err;
}

enum err closure_find(struct session *s, const struct value *paths, bool with_outputs, struct path_set *set, bool *whole,
		      char *why)
{
	enum err err = ERR_NONE;

	*whole = true;
	for (size_t i = 0; !err && i < paths->count; i++)
		err = add(s, set, value_text(&paths->items[i]));
	for (size_t i = 0; !err && *whole && i < set->count; i++) {
		struct text path = set->items[i];

		err = add_references(s, set, path, whole, why);
		if (!err && *whole && with_outputs && store_path_is_drv(path))
			err = add_outputs(s, set, path);
	}
	return err;
}
