#include "gateway/nix/derivation.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/nix/content_address.h"

/* What is sorted or looked up begins with the text it is sorted by. */
_Static_assert(offsetof(struct derivation_output, name) == 0, "sorted by name");
_Static_assert(offsetof(struct derivation_input, path) == 0, "sorted by path");
_Static_assert(offsetof(struct derivation_variable, name) == 0, "sorted by name");

static void sort(void *items, size_t count, size_t size)
{
	if (count > 1)
		qsort(items, count, size, text_compare_items);
}

void derivation_sort(struct derivation *drv)
{
	sort(drv->outputs, drv->output_count, sizeof *drv->outputs);
	sort(drv->input_drvs, drv->input_drv_count, sizeof *drv->input_drvs);
	for (size_t i = 0; i < drv->input_drv_count; i++)
		sort(drv->input_drvs[i].outputs, drv->input_drvs[i].output_count, sizeof *drv->input_drvs[i].outputs);
	sort(drv->input_srcs, drv->input_src_count, sizeof *drv->input_srcs);
	sort(drv->env, drv->env_count, sizeof *drv->env);
}

static bool ascend(const void *items, size_t count, size_t size)
{
	const char *item = items;

	for (size_t i = 1; i < count; i++, item += size)
		if (text_compare_items(item, item + size) >= 0)
			return false;
	return true;
}

static enum err fault(enum err err, const char *text, const char **why)
{
	*why = text;
	return err;
}

static enum err check_counts(const struct derivation *drv, const char **why)
{
	if (drv->output_count == 0)
		return fault(ERR_PROTO, "has no output", why);
	if (drv->output_count > DERIVATION_OUTPUTS_MAX)
		return fault(ERR_LIMIT, "has too many outputs", why);
	if (drv->input_drv_count > DERIVATION_INPUTS_MAX ||
	    drv->input_src_count > DERIVATION_INPUTS_MAX - drv->input_drv_count)
		return fault(ERR_LIMIT, "has too many inputs", why);
	if (drv->arg_count > DERIVATION_ARGS_MAX)
		return fault(ERR_LIMIT, "has too many arguments", why);
	if (drv->env_count > DERIVATION_ENV_MAX)
		return fault(ERR_LIMIT, "has too many variables", why);
	return ERR_NONE;
}

static enum err check_order(const struct derivation *drv, const char **why)
{
	if (!ascend(drv->outputs, drv->output_count, sizeof *drv->outputs))
		return fault(ERR_PROTO, "has outputs out of order or twice", why);
	if (!ascend(drv->input_drvs, drv->input_drv_count, sizeof *drv->input_drvs))
		return fault(ERR_PROTO, "has input derivations out of order or twice", why);
	if (!ascend(drv->input_srcs, drv->input_src_count, sizeof *drv->input_srcs))
		return fault(ERR_PROTO, "has input sources out of order or twice", why);
	if (!ascend(drv->env, drv->env_count, sizeof *drv->env))
		return fault(ERR_PROTO, "has variables out of order or twice", why);
	return ERR_NONE;
}

static enum err check_input(const struct derivation_input *input, const char *store_dir, const char **why)
{
	if (!store_path_ok(store_dir, input->path) || !store_path_is_drv(input->path))
		return fault(ERR_PROTO, "has an input derivation that is no path of one", why);
	if (input->output_count == 0)
		return fault(ERR_PROTO, "has an input derivation of which it wants no output", why);
	if (input->output_count > DERIVATION_OUTPUTS_MAX)
		return fault(ERR_LIMIT, "wants too many outputs of an input derivation", why);
	if (!texts_ascend(input->outputs, input->output_count))
		return fault(ERR_PROTO, "wants outputs of an input derivation out of order or twice", why);
	for (size_t i = 0; i < input->output_count; i++)
		if (!output_name_ok(input->outputs[i]))
			return fault(ERR_PROTO, "wants an output of an input derivation that has no proper name", why);
	return ERR_NONE;
}

static enum err check_inputs(const struct derivation *drv, const char *store_dir, const char **why)
{
	for (size_t i = 0; i < drv->input_drv_count; i++) {
		enum err err = check_input(&drv->input_drvs[i], store_dir, why);

		if (err)
			return err;
	}
	for (size_t i = 0; i < drv->input_src_count; i++)
		if (!store_path_ok(store_dir, drv->input_srcs[i]))
			return fault(ERR_PROTO, "has an input source that is no store path", why);
	return ERR_NONE;
}

/* Compared with a policy's words and never escaped in a .drv: printable, and no blank, quote or backslash. */
static bool is_system(struct text platform)
{
	for (size_t i = 0; i < platform.len; i++) {
		char c = platform.bytes[i];

		if (c <= ' ' || c > '~' || c == '"' || c == '\\')
			return false;
	}
	return platform.len > 0;
}

/* A string that is handed to a program ends at a NUL for some readers and not for others. */
static enum err check_strings(const struct derivation *drv, const char **why)
{
	bool nul = text_holds(drv->builder, '\0');

	for (size_t i = 0; i < drv->arg_count && !nul; i++)
		nul = text_holds(drv->args[i], '\0');
	for (size_t i = 0; i < drv->env_count && !nul; i++)
		nul = text_holds(drv->env[i].name, '\0') || text_holds(drv->env[i].value, '\0');
	if (nul)
		return fault(ERR_PROTO, "has a NUL byte in a string", why);
	if (drv->platform.len > DERIVATION_SYSTEM_MAX)
		return fault(ERR_LIMIT, "names a system that is too long", why);
	if (!is_system(drv->platform))
		return fault(ERR_PROTO, "names no proper system", why);
	if (drv->builder.len > DERIVATION_BUILDER_MAX)
		return fault(ERR_LIMIT, "names a builder that is too long", why);
	return drv->builder.len > 0 ? ERR_NONE : fault(ERR_PROTO, "names no builder", why);
}

/* An output's kind follows from which of its fields are filled. */
static bool output_kind(const struct derivation_output *output, enum derivation_kind *kind)
{
	bool path = output->path.len > 0, method = output->method_algo.len > 0, hash = output->hash.len > 0;

	if (!method)
		*kind = path ? DERIVATION_INPUT_ADDRESSED : DERIVATION_DEFERRED;
	else if (path)
		*kind = DERIVATION_FIXED;
	else
		*kind = hash ? DERIVATION_IMPURE : DERIVATION_FLOATING;
	if (*kind == DERIVATION_IMPURE)
		return text_is(output->hash, "impure");
	return hash == (*kind == DERIVATION_FIXED);
}

/* Every fixed output has to be called "out", so there is one of them at most. */
static enum err check_fixed(const struct derivation_output *output, const struct content_address *ca,
			    const char *store_dir, struct text name, const char **why)
{
	struct content_address fixed = *ca;
	struct store_path made;
	enum err err;

	if (!text_is(output->name, "out"))
		return fault(ERR_PROTO, "has a fixed output that is not called 'out'", why);
	if (!hex_decode(output->hash, fixed.hash.bytes, hash_len(fixed.hash.algo)))
		return fault(ERR_PROTO, "has a fixed output whose hash is none", why);
	err = content_address_path(store_dir, &fixed, name, NULL, 0, false, &made);
	if (err)
		return fault(err, "has a fixed output that no path can be made for", why);
	if (!text_equal(store_path_text(&made), output->path))
		return fault(ERR_PROTO, "has a fixed output whose path is not the one of its hash", why);
	return ERR_NONE;
}

/* The path has the name that this derivation gives it, and the builder is told the same path. */
static enum err check_output_path(const struct derivation *drv, const struct derivation_output *output,
				  const char *store_dir, struct text name, const char **why)
{
	struct store_name wanted;
	const struct derivation_variable *variable;

	if (!store_path_ok(store_dir, output->path))
		return fault(ERR_PROTO, "has an output whose path is no store path", why);
	if (output_path_name(name, output->name, &wanted) ||
	    !text_equal(store_path_name(output->path), store_name_text(&wanted)))
		return fault(ERR_PROTO, "has an output whose path is named otherwise", why);
	variable = drv->env_count == 0 ? NULL : bsearch(&output->name, drv->env, drv->env_count, sizeof *drv->env,
							text_compare_items);
	if (variable == NULL || !text_equal(variable->value, output->path))
		return fault(ERR_PROTO, "has an output whose path its variables do not tell", why);
	return ERR_NONE;
}

/* Will the output's path be named as one of a derivation? Daemons read such a path as one, whatever made it. */
static bool names_derivation(struct text name, struct text output)
{
	return text_ends(text_is(output, "out") ? name : output, ".drv");
}

static enum err check_output(struct derivation *drv, const struct derivation_output *output, const char *store_dir,
			     struct text name, const char **why)
{
	struct content_address ca = { 0 };
	enum derivation_kind kind;
	enum err err = ERR_NONE;

	if (!output_name_ok(output->name))
		return fault(ERR_PROTO, "has an output without a proper name", why);
	if (!output_kind(output, &kind))
		return fault(ERR_PROTO, "has an output of no known kind", why);
	if (kind != drv->kind && output != drv->outputs)
		return fault(ERR_PROTO, "mixes kinds of outputs", why);
	drv->kind = kind;
	drv->makes_derivation |= names_derivation(name, output->name);
	if (output->method_algo.len > 0) {
		if (content_method_parse_output(output->method_algo, &ca.method, &ca.hash.algo))
			return fault(ERR_PROTO, "hashes an output in a way that is not supported here", why);
		drv->makes_derivation |= ca.method == CONTENT_TEXT;
	}
	if (output->path.len > 0)
		err = check_output_path(drv, output, store_dir, name, why);
	if (!err && kind == DERIVATION_FIXED)
		err = check_fixed(output, &ca, store_dir, name, why);
	return err;
}

enum err derivation_check(struct derivation *drv, const char *store_dir, struct text name, const char **why)
{
	enum err err = check_counts(drv, why);

	drv->kind = DERIVATION_INPUT_ADDRESSED;
	drv->makes_derivation = false;
	if (!err && !store_name_ok(name))
		err = fault(ERR_PROTO, "has no proper name", why);
	if (!err)
		err = check_order(drv, why);
	if (!err)
		err = check_inputs(drv, store_dir, why);
	if (!err)
		err = check_strings(drv, why);
	for (size_t i = 0; i < drv->output_count && !err; i++)
		err = check_output(drv, &drv->outputs[i], store_dir, name, why);
	return err;
}

const struct text *derivation_env(const struct derivation *drv, const char *name)
{
	struct text wanted = text_of(name);
	const struct derivation_variable *found;

	if (drv->env_count == 0)
		return NULL;
	found = bsearch(&wanted, drv->env, drv->env_count, sizeof *drv->env, text_compare_items);
	return found == NULL ? NULL : &found->value;
}

const struct derivation_output *derivation_output(const struct derivation *drv, struct text name)
{
	if (drv->output_count == 0)
		return NULL;
	return bsearch(&name, drv->outputs, drv->output_count, sizeof *drv->outputs, text_compare_items);
}
