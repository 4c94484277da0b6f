#include "gateway/session/facts_ask.h"

_Static_assert((int)ASKS_NO_CHROOT == (int)RELAX_NO_CHROOT &&
		       (int)ASKS_IMPURE_HOST_DEPS == (int)RELAX_IMPURE_HOST_DEPS &&
		       (int)ASKS_SANDBOX_PROFILE == (int)RELAX_SANDBOX_PROFILE &&
		       (int)ASKS_LOCAL_NETWORKING == (int)RELAX_LOCAL_NETWORKING,
	       "what a derivation asks and what a grant relaxes have different bits");

static const unsigned kind_bits[] = {
	[DERIVATION_INPUT_ADDRESSED] = KIND_INPUT_ADDRESSED,
	[DERIVATION_DEFERRED] = KIND_INPUT_ADDRESSED,
	[DERIVATION_FIXED] = KIND_FIXED_OUTPUT,
	[DERIVATION_FLOATING] = KIND_CONTENT_ADDRESSED,
	[DERIVATION_IMPURE] = KIND_IMPURE,
};

static enum err copy_text(struct arena *arena, struct text text, const char **out)
{
	*out = arena_text(arena, text.bytes, text.len);
	return *out == NULL ? ERR_MEMORY : ERR_NONE;
}

static enum err copy_texts(struct arena *arena, const struct texts *from, const char *const **out, size_t *count)
{
	const char **items = arena_array(arena, from->count, sizeof *items);
	enum err err = items == NULL ? ERR_MEMORY : ERR_NONE;

	for (size_t i = 0; !err && i < from->count; i++)
		err = copy_text(arena, from->items[i], &items[i]);
	*out = items;
	*count = from->count;
	return err;
}

enum err facts_to_ask(struct arena *arena, const struct facts *facts, struct text drv, struct build_ask *out)
{
	bool heeded = facts->kind == DERIVATION_FIXED || facts->kind == DERIVATION_IMPURE;
	const struct text *odd = facts_odd_url(facts);
	enum err err;

	*out = (struct build_ask){
		.any_system = facts->builtin != BUILTIN_NONE && facts->builtin != BUILTIN_UNKNOWN,
		.kinds = kind_bits[facts->kind] | (facts->makes_derivation ? KIND_DYNAMIC : 0),
		.own_program = facts->builtin != BUILTIN_FETCHURL,
		.relaxations = facts_relaxations(facts),
	};
	err = copy_text(arena, drv, &out->drv);
	if (!err)
		err = copy_text(arena, facts->system, &out->system);
	if (!err)
		err = copy_texts(arena, &facts->features, &out->features, &out->feature_count);
	if (!err && heeded)
		err = copy_texts(arena, &facts->impure_env_vars, &out->impure_env_vars, &out->impure_env_var_count);
	if (!err && facts->builtin == BUILTIN_UNKNOWN)
		err = copy_text(arena, facts->builder, &out->unknown_builtin);
	if (!err && odd != NULL)
		err = copy_text(arena, *odd, &out->odd_url);
	return err;
}
