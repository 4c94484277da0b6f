#include "gateway/session/results.h"

#include <stdio.h>
#include <string.h>

#include "gateway/nix/derived_path.h"
#include "gateway/nix/shapes.h"
#include "gateway/session/upstream.h"

/* The id of an output without its derivation's hash, as newer daemons write it for older clients. */
#define NO_HASH "sha256:0000000000000000000000000000000000000000000000000000000000000000"

bool status_is_success(uint64_t status)
{
	return status <= STATUS_ALREADY_VALID || status == STATUS_RESOLVES_TO_ALREADY_VALID;
}

const char *status_name(uint64_t status)
{
	static const char *const names[] = {
		"built", "substituted", "already-valid", "permanent-failure", "input-rejected", "output-rejected",
		"transient-failure", "cached-failure", "timed-out", "failed", "dependency-failed", "log-limit-exceeded",
		"not-deterministic", "resolves-to-already-valid", "no-substituters",
	};

	return status < sizeof names / sizeof *names ? names[status] : "failed";
}

/* One output of a result: its id and the JSON object that describes it. */
static enum err set_output(struct session *s, struct value *output, struct text name, struct text path)
{
	struct text base = store_path_base(path);
	size_t size = sizeof NO_HASH + name.len + 1;
	char *id = arena_alloc(&s->arena, size), *json = arena_alloc(&s->arena, size + base.len + 128);

	if (id == NULL || json == NULL)
		return session_no_memory(s);
	snprintf(id, size, NO_HASH "!%.*s", (int)name.len, name.bytes);
	snprintf(json, size + base.len + 128,
		 "{\"dependentRealisations\":{},\"id\":\"%s\",\"outPath\":\"%.*s\",\"signatures\":[]}", id, (int)base.len,
		 base.bytes);
	value_set_text(output, &shape_realisation, "id", text_of(id));
	value_set_text(output, &shape_realisation, "realisation", text_of(json));
	return ERR_NONE;
}

/* The outputs that were wanted, with their paths as the daemon knows them. */
static enum err set_outputs(struct session *s, struct value *result, const struct derived_path *wanted)
{
	const struct op *op = upstream_op(s, OP_QUERY_DERIVATION_OUTPUT_MAP);
	const struct shape *item = op->reply->fields[0].item;
	const struct value *reply, *outputs;
	struct value *made;
	struct daemon_error error;
	size_t count = 0;
	enum err err = upstream_ask_path(s, OP_QUERY_DERIVATION_OUTPUT_MAP, wanted->path, &reply, &error);

	if (err || error.failed)
		return err;
	outputs = value_of(reply, op->reply, "outputs");
	made = value_set_items(&s->arena, result, &shape_keyed_build_result, "builtOutputs", outputs->count);
	if (made == NULL)
		return outputs->count == 0 ? ERR_NONE : session_no_memory(s);
	for (size_t i = 0; !err && i < outputs->count; i++) {
		const struct value *output = value_item(outputs, item, i);
		struct text name = value_text(value_of(output, item, "name"));
		struct text path = value_text(value_of(output, item, "path"));

		if (path.len > 0 && derived_path_wants(wanted, name))
			err = set_output(s, made + shape_realisation.count * count++, name, path);
	}
	value_at(result, &shape_keyed_build_result, "builtOutputs")->count = count;
	return err;
}

static enum err make_results(struct session *s, const struct value *targets, const struct value **results)
{
	static const struct field list_field = { .name = "results", .kind = KIND_ITEMS, .max = DERIVED_MAX,
						 .item = &shape_keyed_build_result };
	static const struct shape list = { "results", &list_field, 1 };
	struct value *reply = values_new(&s->arena, &list), *items;
	enum err err = ERR_NONE;

	if (reply == NULL)
		return session_no_memory(s);
	items = value_set_items(&s->arena, reply, &list, "results", targets->count);
	if (items == NULL && targets->count > 0)
		return session_no_memory(s);
	for (size_t i = 0; !err && i < targets->count; i++) {
		struct value *result = items + shape_keyed_build_result.count * i;
		struct derived_path wanted;

		value_set_text(result, &shape_keyed_build_result, "path", value_text(&targets->items[i]));
		value_set_number(result, &shape_keyed_build_result, "timesBuilt", 1);
		if (derived_path_parse(s->message_limits.store_dir, value_text(&targets->items[i]), &wanted) == ERR_NONE &&
		    wanted.built)
			err = set_outputs(s, result, &wanted);
	}
	*results = reply;
	return err;
}

enum err results_build(struct session *s, const struct value *targets, uint64_t mode, const struct value **results,
		       struct daemon_error *error)
{
	const struct op *with_results = upstream_op(s, OP_BUILD_PATHS_WITH_RESULTS);
	const struct op *op = with_results != NULL ? with_results : upstream_op(s, OP_BUILD_PATHS);
	struct value *request = values_new(&s->arena, op->request);
	const struct value *reply;
	enum err err;

	if (request == NULL)
		return session_no_memory(s);
	*value_at(request, op->request, "targets") = *targets;
	value_set_number(request, op->request, "mode", mode);
	err = upstream_send(s, op, request);
	if (!err)
		err = upstream_loop(s, LOG_TO_CLIENT, error);
	if (err || error->failed)
		return err;
	err = session_read(s, &s->daemon, op->reply, op->name, &reply);
	if (err || with_results == NULL)
		return err ? err : make_results(s, targets, results);
	*results = value_of(reply, op->reply, "results");
	return ERR_NONE;
}

enum err result_copy(struct session *s, const struct value *result, const struct shape *from, const struct shape *to,
		     struct value **copy)
{
	*copy = values_new(&s->arena, to);
	if (*copy == NULL)
		return session_no_memory(s);
	for (size_t i = 0; i < to->count; i++) {
		size_t at = shape_index(from, to->fields[i].name);

		if (at < from->count)
			(*copy)[i] = result[at];
	}
	if (value_of(*copy, to, "status")->number > STATUS_LAST)
		value_set_number(*copy, to, "status", STATUS_MISC_FAILURE);
	return ERR_NONE;
}
