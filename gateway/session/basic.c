#include "gateway/session/basic.h"

#include <string.h>

#include "gateway/nix/shapes.h"
#include "gateway/session/facts_ask.h"
#include "gateway/session/judge.h"
#include "gateway/session/upstream.h"
#include "gateway/session/valid.h"

enum { TEXT_MAX_BYTES = 64 * 1024 * 1024 };     /* of a derivation that comes by value */

static struct text item_text(const struct value *list, const struct shape *item, size_t i, const char *name)
{
	return value_text(value_of(value_item(list, item, i), item, name));
}

/* --- from the request's values to a derivation --- */

static bool fill_outputs(struct arena *arena, const struct value *list, struct derivation *drv)
{
	const struct shape *item = &shape_output;

	drv->outputs = arena_array(arena, list->count, sizeof *drv->outputs);
	drv->output_count = list->count;
	for (size_t i = 0; drv->outputs != NULL && i < list->count; i++)
		drv->outputs[i] = (struct derivation_output){
			.name = item_text(list, item, i, "name"),
			.path = item_text(list, item, i, "path"),
			.method_algo = item_text(list, item, i, "methodAlgo"),
			.hash = item_text(list, item, i, "hash"),
		};
	return drv->outputs != NULL;
}

static bool fill_env(struct arena *arena, const struct value *list, struct derivation *drv)
{
	drv->env = arena_array(arena, list->count, sizeof *drv->env);
	drv->env_count = list->count;
	for (size_t i = 0; drv->env != NULL && i < list->count; i++)
		drv->env[i] = (struct derivation_variable){
			.name = item_text(list, &shape_variable, i, "name"),
			.value = item_text(list, &shape_variable, i, "value"),
		};
	return drv->env != NULL;
}

static struct text *fill_texts(struct arena *arena, const struct value *list, size_t *count)
{
	struct text *items = arena_array(arena, list->count, sizeof *items);

	*count = list->count;
	for (size_t i = 0; items != NULL && i < list->count; i++)
		items[i] = value_text(&list->items[i]);
	return items;
}

static bool fill(struct arena *arena, const struct value *request, const struct shape *shape, struct derivation *drv)
{
	*drv = (struct derivation){
		.platform = value_text(value_of(request, shape, "system")),
		.builder = value_text(value_of(request, shape, "builder")),
	};
	drv->input_srcs = fill_texts(arena, value_of(request, shape, "inputs"), &drv->input_src_count);
	drv->args = fill_texts(arena, value_of(request, shape, "arguments"), &drv->arg_count);
	return fill_outputs(arena, value_of(request, shape, "outputs"), drv) &&
	       fill_env(arena, value_of(request, shape, "environment"), drv) && drv->input_srcs != NULL &&
	       drv->args != NULL;
}

static enum err read_request(struct session *s, const struct value *request, const struct shape *shape,
			     struct basic *out, char *refusal)
{
	const char *store_dir = s->message_limits.store_dir, *fault = "";
	struct text path = value_text(value_of(request, shape, "drvPath"));
	struct facts facts;
	enum err err;

	if (!store_path_is_drv(path)) {
		log_sentence(refusal, "%s may not build what is no derivation (allowed: paths that end in .drv): %.*s",
			     s->key->name, (int)path.len, path.bytes);
		return ERR_DENIED;
	}
	if (!fill(&s->arena, request, shape, &out->drv))
		return session_no_memory(s);
	derivation_sort(&out->drv);
	err = derivation_check(&out->drv, store_dir, store_path_drv_name(path), &fault);
	if (!err)
		err = facts_gather(&s->arena, &out->drv, &facts, &fault);
	if (!err)
		err = facts_to_ask(&s->arena, &facts, path, &out->ask);
	if (err == ERR_MEMORY)
		return session_no_memory(s);
	out->ask.wanted = true;
	if (!err)
		return ERR_NONE;
	log_sentence(refusal, "%s may not build what cannot be judged (allowed: derivations as Nix writes them): %.*s: this "
			      "derivation %s", s->key->name, (int)path.len, path.bytes, fault);
	return ERR_DENIED;
}

/* --- content-addressed outputs --- */

/* No .drv closure follows from which a missing input could be built, so it is fetched or it is an end. */
static enum err fetch_input(struct session *s, struct text input, const struct build_ask *ask, char *refusal)
{
	const struct value *reply;
	struct daemon_error error = { .failed = true };
	bool unsigned_input = path_set_holds(&s->taken_off, input);
	enum err err = ERR_NONE;

	if ((s->key->grant->operations & OPS_SUBSTITUTE) != 0)
		err = upstream_ask_path(s, OP_ENSURE_PATH, input, &reply, &error);
	if (err || !error.failed)
		return err;
	log_sentence(refusal, "%s may not build without an input (allowed: inputs on this builder, or in its caches): %s needs "
			      "%.*s; %s", s->key->name, ask->drv, (int)input.len, input.bytes,
		     unsigned_input ? "its output came unsigned: sign it, or have the builder trust its cache" :
				      "copy it to the builder first");
	return ERR_DENIED;
}

static enum err have_inputs(struct session *s, const struct basic *basic, char *refusal)
{
	const struct derivation *drv = &basic->drv;
	bool *valid = arena_array(&s->arena, drv->input_src_count, sizeof *valid);
	enum err err;

	if (valid == NULL)
		return session_no_memory(s);
	err = valid_ask(s, drv->input_srcs, drv->input_src_count, valid);
	for (size_t i = 0; !err && i < drv->input_src_count; i++)
		if (!valid[i])
			err = fetch_input(s, drv->input_srcs[i], &basic->ask, refusal);
	return err;
}

static enum err judge_content_addressed(struct session *s, struct text path, struct basic *out, char *refusal,
					struct rule *rule)
{
	enum err err = judge_ask(s, &out->ask, refusal, rule);

	if (err)
		return err;
	*rule = (struct rule){ .line = 0 };
	err = derivation_path(s->message_limits.store_dir, store_path_drv_name(path), &out->drv, TEXT_MAX_BYTES,
			      &out->drv_path);
	if (err)
		return session_end(s, err, "failed", "a derivation cannot be printed: %s", err_text(err));
	return have_inputs(s, out, refusal);
}

/* --- input-addressed outputs --- */

/* Has the builder's own copy the outputs that the client names? */
static bool same_outputs(const struct drv *stored, const struct derivation *claimed)
{
	if (stored->output_count != claimed->output_count)
		return false;
	for (size_t i = 0; i < stored->output_count; i++)
		if (!text_equal(stored->outputs[i].name, claimed->outputs[i].name) ||
		    !text_equal(stored->outputs[i].path, claimed->outputs[i].path) || claimed->outputs[i].path.len == 0)
			return false;
	return true;
}

static enum err find_stored(struct session *s, struct text path, struct basic *out, char *refusal)
{
	const struct drv *stored;
	bool valid;
	enum err err = valid_ask(s, &path, 1, &valid);

	if (err || !valid)
		return err;
	err = drv_read_all(s, &path, 1, refusal);
	if (err)
		return err;
	stored = drv_find(&s->drvs, path);
	out->stored = stored != NULL && same_outputs(stored, &out->drv);
	return ERR_NONE;
}

static enum err judge_input_addressed(struct session *s, struct text path, struct basic *out, char *refusal,
				      struct rule *rule)
{
	enum err err = find_stored(s, path, out, refusal);

	if (err || out->stored)
		return err;
	if (s->key->grant->trust == TRUST_FULL) {
		memcpy(out->drv_path.bytes, path.bytes, path.len);
		out->drv_path.bytes[path.len] = '\0';
		out->drv_path.len = path.len;
		return judge_ask(s, &out->ask, refusal, rule);
	}
	*rule = s->key->grant->rules[GRANT_TRUST];
	log_sentence(refusal, "%s may not say what an input-addressed derivation comes to (allowed: derivations that are on "
			      "this builder, and content-addressed outputs): %.*s; use ssh-ng:// and Nix 2.16 or newer",
		     s->key->name, (int)path.len, path.bytes);
	return ERR_DENIED;
}

enum err basic_judge(struct session *s, const struct value *request, const struct shape *shape, struct basic *out,
		     char *refusal, struct rule *rule)
{
	struct text path = value_text(value_of(request, shape, "drvPath"));
	enum err err;

	*out = (struct basic){ .stored = false };
	*rule = (struct rule){ .line = 0 };
	err = read_request(s, request, shape, out, refusal);
	if (err)
		return err;
	if (out->drv.kind == DERIVATION_INPUT_ADDRESSED || out->drv.kind == DERIVATION_DEFERRED)
		return judge_input_addressed(s, path, out, refusal, rule);
	return judge_content_addressed(s, path, out, refusal, rule);
}
