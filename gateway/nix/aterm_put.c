#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/nix/aterm.h"
#include "gateway/nix/hash.h"

/* Prints one .drv. The first error stays; from then on nothing is put. */
struct writer {
	struct buf *out;
	enum err failed;
};

static void put(struct writer *w, const char *bytes, size_t len)
{
	if (!w->failed)
		w->failed = buf_put(w->out, bytes, len);
}

static void put_word(struct writer *w, const char *word)
{
	put(w, word, strlen(word));
}

/* NULL: the byte stands for itself. */
static const char *escape_of(char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

static void put_quoted(struct writer *w, struct text t)
{
	size_t start = 0;

	put_word(w, "\"");
	for (size_t i = 0; i < t.len; i++) {
		const char *escape = escape_of(t.bytes[i]);

		if (escape == NULL)
			continue;
		put(w, t.bytes + start, i - start);
		put_word(w, escape);
		start = i + 1;
	}
	if (t.len > start)
		put(w, t.bytes + start, t.len - start);
	put_word(w, "\"");
}

static void put_texts(struct writer *w, const struct text *items, size_t count)
{
	put_word(w, "[");
	for (size_t i = 0; i < count; i++) {
		put_word(w, i == 0 ? "" : ",");
		put_quoted(w, items[i]);
	}
	put_word(w, "]");
}

static void put_outputs(struct writer *w, const struct derivation *drv)
{
	for (size_t i = 0; i < drv->output_count; i++) {
		const struct derivation_output *output = &drv->outputs[i];

		put_word(w, i == 0 ? "(" : ",(");
		put_quoted(w, output->name);
		put_word(w, ",");
		put_quoted(w, output->path);
		put_word(w, ",");
		put_quoted(w, output->method_algo);
		put_word(w, ",");
		put_quoted(w, output->hash);
		put_word(w, ")");
	}
}

static void put_inputs(struct writer *w, const struct derivation *drv)
{
	for (size_t i = 0; i < drv->input_drv_count; i++) {
		const struct derivation_input *input = &drv->input_drvs[i];

		put_word(w, i == 0 ? "(" : ",(");
		put_quoted(w, input->path);
		put_word(w, ",");
		put_texts(w, input->outputs, input->output_count);
		put_word(w, ")");
	}
}

static void put_env(struct writer *w, const struct derivation *drv)
{
	for (size_t i = 0; i < drv->env_count; i++) {
		put_word(w, i == 0 ? "(" : ",(");
		put_quoted(w, drv->env[i].name);
		put_word(w, ",");
		put_quoted(w, drv->env[i].value);
		put_word(w, ")");
	}
}

enum err aterm_put(struct buf *out, const struct derivation *drv)
{
	struct writer w = { .out = out };

	put_word(&w, "Derive([");
	put_outputs(&w, drv);
	put_word(&w, "],[");
	put_inputs(&w, drv);
	put_word(&w, "],");
	put_texts(&w, drv->input_srcs, drv->input_src_count);
	put_word(&w, ",");
	put_quoted(&w, drv->platform);
	put_word(&w, ",");
	put_quoted(&w, drv->builder);
	put_word(&w, ",");
	put_texts(&w, drv->args, drv->arg_count);
	put_word(&w, ",[");
	put_env(&w, drv);
	put_word(&w, "])");
	return w.failed;
}

/* Input derivations and sources in one ascending list; what is both, once. Returns how many. */
static size_t merge_references(const struct derivation *drv, struct text *refs)
{
	size_t i = 0, j = 0, count = 0;

	while (i < drv->input_drv_count || j < drv->input_src_count) {
		int order;

		if (i == drv->input_drv_count)
			order = 1;
		else if (j == drv->input_src_count)
			order = -1;
		else
			order = text_compare(drv->input_drvs[i].path, drv->input_srcs[j]);
		refs[count++] = order <= 0 ? drv->input_drvs[i].path : drv->input_srcs[j];
		i += order <= 0;
		j += order >= 0;
	}
	return count;
}

enum err aterm_path(const char *store_dir, struct text name, const void *bytes, size_t len,
		    const struct derivation *drv, struct store_path *out)
{
	struct text *refs = calloc(drv->input_drv_count + drv->input_src_count + 1, sizeof *refs);
	struct store_name file;
	uint8_t hash[SHA256_LEN];
	struct store_path_seed seed = { .type = "text", .refs = refs, .inner = hash };
	enum err err;

	if (refs == NULL)
		return ERR_MEMORY;
	seed.ref_count = merge_references(drv, refs);
	crypto_hash_sha256(hash, bytes, len);
	err = store_name_join(name, ".drv", &file);
	if (!err)
		err = store_path_make(store_dir, &seed, store_name_text(&file), out);
	free(refs);
	return err;
}

enum err aterm_path_check(const char *store_dir, struct text path, const void *bytes, size_t len,
			  const struct derivation *drv)
{
	struct store_path made;
	enum err err = aterm_path(store_dir, store_path_drv_name(path), bytes, len, drv, &made);

	return err || text_equal(store_path_text(&made), path) ? err : ERR_PROTO;
}

enum err derivation_path(const char *store_dir, struct text name, const struct derivation *drv, size_t max,
			 struct store_path *out)
{
	struct buf printed;
	enum err err;

	buf_init(&printed, max);
	err = aterm_put(&printed, drv);
	if (!err)
		err = aterm_path(store_dir, name, buf_data(&printed), buf_len(&printed), drv, out);
	buf_free(&printed);
	return err;
}
