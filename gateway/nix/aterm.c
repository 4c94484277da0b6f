#include "gateway/nix/aterm.h"

#include <string.h>

/* Reads one .drv. The first error stays; from then on nothing is taken. */
struct reader {
	const char *at, *end;
	char *memory;           /* where the next string is written; there is as much of it as there is input */
	struct arena *arena;
	enum err failed;
	const char *why;
};

static bool fail(struct reader *r, enum err err, const char *why)
{
	if (!r->failed) {
		r->failed = err;
		r->why = why;
	}
	return false;
}

static bool at(const struct reader *r, char byte)
{
	return !r->failed && r->at < r->end && *r->at == byte;
}

static bool take(struct reader *r, char byte)
{
	if (!at(r, byte))
		return fail(r, ERR_PROTO, "is not punctuated as Nix writes it");
	r->at++;
	return true;
}

/* The byte that an escape stands for; 0: Nix writes no such escape. */
static char unescaped(char c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return '\0';
	}
}

static bool take_escape(struct reader *r)
{
	char c;

	r->at++;
	if (r->at == r->end)
		return fail(r, ERR_PROTO, "has a string without an end");
	c = unescaped(*r->at);
	if (c == '\0')
		return fail(r, ERR_PROTO, "has an escape that Nix does not write");
	r->at++;
	*r->memory++ = c;
	return true;
}

/* A string in quotes. What has an escape may not stand for itself, or the string would have two spellings.
 * The quotes around it leave room for its NUL in as much memory as its text takes. */
static bool take_string(struct reader *r, struct text *out)
{
	char *start = r->memory;

	if (!take(r, '"'))
		return false;
	while (r->at < r->end && *r->at != '"') {
		char c = *r->at;

		if (c == '\\') {
			if (!take_escape(r))
				return false;
		} else if (c == '\n' || c == '\r' || c == '\t') {
			return fail(r, ERR_PROTO, "has a byte in a string that Nix writes as an escape");
		} else {
			*r->memory++ = c;
			r->at++;
		}
	}
	if (r->at == r->end)
		return fail(r, ERR_PROTO, "has a string without an end");
	r->at++;
	*out = (struct text){ .bytes = start, .len = (size_t)(r->memory - start) };
	*r->memory++ = '\0';
	return true;
}

struct list {
	void *items;
	size_t count, room;
};

/* Room for one more item. Doubling costs less than twice the memory that the final list takes. */
static void *list_grow(struct reader *r, struct list *l, size_t size)
{
	if (l->count == l->room) {
		size_t room = l->room == 0 ? 4 : 2 * l->room;
		void *items = arena_array(r->arena, room, size);

		if (items == NULL) {
			fail(r, ERR_MEMORY, "needs more memory than there is");
			return NULL;
		}
		if (l->count > 0)
			memcpy(items, l->items, l->count * size);
		l->items = items;
		l->room = room;
	}
	return (char *)l->items + l->count++ * size;
}

typedef bool take_item(struct reader *r, void *item);

/* "[item,item]" of at most max items, each `size` bytes when read. */
static struct list take_list(struct reader *r, take_item *read, size_t size, size_t max)
{
	struct list l = { 0 };

	if (!take(r, '['))
		return l;
	while (!r->failed && !(l.count == 0 && at(r, ']'))) {
		void *item;

		if (l.count == max) {
			fail(r, ERR_LIMIT, "has a list that is too long");
			break;
		}
		item = list_grow(r, &l, size);
		if (item == NULL || !read(r, item) || !at(r, ','))
			break;
		r->at++;
	}
	take(r, ']');
	return l;
}

static bool take_text(struct reader *r, void *item)
{
	return take_string(r, item);
}

static bool take_output(struct reader *r, void *item)
{
	struct derivation_output *output = item;

	return take(r, '(') && take_string(r, &output->name) && take(r, ',') && take_string(r, &output->path) &&
	       take(r, ',') && take_string(r, &output->method_algo) && take(r, ',') &&
	       take_string(r, &output->hash) && take(r, ')');
}

static bool take_input(struct reader *r, void *item)
{
	struct derivation_input *input = item;
	struct list outputs;

	if (!take(r, '(') || !take_string(r, &input->path) || !take(r, ','))
		return false;
	outputs = take_list(r, take_text, sizeof(struct text), DERIVATION_OUTPUTS_MAX);
	input->outputs = outputs.items;
	input->output_count = outputs.count;
	return take(r, ')');
}

static bool take_variable(struct reader *r, void *item)
{
	struct derivation_variable *variable = item;

	return take(r, '(') && take_string(r, &variable->name) && take(r, ',') && take_string(r, &variable->value) &&
	       take(r, ')');
}

static bool take_word(struct reader *r, const char *word)
{
	while (*word != '\0' && take(r, *word))
		word++;
	return *word == '\0';
}

static bool take_inputs(struct reader *r, struct derivation *drv)
{
	struct list l = take_list(r, take_input, sizeof *drv->input_drvs, DERIVATION_INPUTS_MAX);

	drv->input_drvs = l.items;
	drv->input_drv_count = l.count;
	if (!take(r, ','))
		return false;
	l = take_list(r, take_text, sizeof *drv->input_srcs, DERIVATION_INPUTS_MAX);
	drv->input_srcs = l.items;
	drv->input_src_count = l.count;
	return take(r, ',');
}

static bool take_derivation(struct reader *r, struct derivation *drv)
{
	struct list l;

	if (!take_word(r, "Derive("))
		return false;
	l = take_list(r, take_output, sizeof *drv->outputs, DERIVATION_OUTPUTS_MAX);
	drv->outputs = l.items;
	drv->output_count = l.count;
	if (!take(r, ',') || !take_inputs(r, drv) || !take_string(r, &drv->platform) || !take(r, ',') ||
	    !take_string(r, &drv->builder) || !take(r, ','))
		return false;
	l = take_list(r, take_text, sizeof *drv->args, DERIVATION_ARGS_MAX);
	drv->args = l.items;
	drv->arg_count = l.count;
	if (!take(r, ','))
		return false;
	l = take_list(r, take_variable, sizeof *drv->env, DERIVATION_ENV_MAX);
	drv->env = l.items;
	drv->env_count = l.count;
	return take(r, ')') && (r->at == r->end || fail(r, ERR_PROTO, "has bytes behind its end"));
}

static enum err read_all(struct reader *r, struct derivation *drv)
{
	struct text all = { .bytes = r->at, .len = (size_t)(r->end - r->at) };

	if (all.len > ATERM_MAX)
		fail(r, ERR_LIMIT, "is too large");
	else if (text_starts(all, "DrvWithVersion("))
		fail(r, ERR_DENIED, "is a dynamic one");
	else if (drv == NULL || (r->memory = arena_alloc(r->arena, all.len)) == NULL)
		fail(r, ERR_MEMORY, "needs more memory than there is");
	else
		take_derivation(r, drv);
	return r->failed;
}

enum err aterm_parse(struct arena *arena, const char *store_dir, struct text name, const void *bytes,
		     size_t len, struct derivation **out, const char **why)
{
	struct derivation *drv = arena_alloc(arena, sizeof *drv);
	struct reader r = { .at = len == 0 ? "" : bytes, .arena = arena };
	enum err err;

	*out = NULL;
	r.end = r.at + len;
	err = read_all(&r, drv);
	*why = r.why;
	if (!err)
		err = derivation_check(drv, store_dir, name, why);
	if (!err)
		*out = drv;
	return err;
}
