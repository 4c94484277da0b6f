/* model_store: the store behind a fuzzed session: some derivations and files that are always there, and what a session
 * adds. Names of what is there from the start have five letters each, so that one can be put in another's place.
 * Derivations are read by a reader of our own, which looks only for what a grant can refuse. */
#ifndef TESTS_FUZZ_MODEL_STORE_H
#define TESTS_FUZZ_MODEL_STORE_H

#include <stdio.h>

#include "gateway/nix/aterm.h"
#include "gateway/nix/content_address.h"
#include "tests/fuzz/holds.h"
#include "tests/fuzz/stances.h"

enum { MODEL_PATHS = 256, MODEL_NAME = 512, MODEL_TEXT = 16 * 1024 };

struct model_path {
	char path[MODEL_NAME];
	char *text;                     /* of a .drv: owns. NULL: an archive of one empty file */
	size_t len;
	bool valid, fetchable;
};

struct model_store {
	struct model_path paths[MODEL_PATHS];
	size_t count;
};

static struct model_path *model_find(struct model_store *m, const char *path, size_t len)
{
	for (size_t i = 0; i < m->count; i++)
		if (strlen(m->paths[i].path) == len && memcmp(m->paths[i].path, path, len) == 0)
			return &m->paths[i];
	return NULL;
}

static bool model_is_valid(struct model_store *m, const char *path, size_t len)
{
	const struct model_path *found = model_find(m, path, len);

	return found != NULL && found->valid;
}

/* A store that is full learns no more: nothing depends on it. */
static struct model_path *model_add(struct model_store *m, const char *path, size_t len)
{
	struct model_path *found = model_find(m, path, len);

	if (found != NULL || m->count == MODEL_PATHS || len >= MODEL_NAME)
		return found;
	found = &m->paths[m->count++];
	memcpy(found->path, path, len);
	found->path[len] = '\0';
	return found;
}

static void model_keep_text(struct model_path *p, const void *text, size_t len)
{
	free(p->text);
	p->text = text_from(text, len);
	p->len = len;
}

static void model_free(struct model_store *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->paths[i].text);
	m->count = 0;
}

static void model_copy(struct model_store *to, const struct model_store *from)
{
	*to = *from;
	for (size_t i = 0; i < to->count; i++)
		if (to->paths[i].text != NULL)
			to->paths[i].text = text_from((const uint8_t *)from->paths[i].text, from->paths[i].len);
}

/* --- what there is from the start --- */

struct recipe {
	const char *name, *system, *builder;
	const char *first, *last;       /* of its variables, with their commas */
	const char *inputs;             /* the name of another, whose "out" it needs; NULL: none */
	const char *method, *hash;      /* of its output; NULL: input-addressed */
	bool built;                     /* its output is valid */
};

static const struct recipe recipes[] = {
	{ .name = "plain" },
	{ .name = "built", .system = "riscv64-linux", .built = true },
	{ .name = "alien", .system = "riscv64-linux" },
	{ .name = "needs", .inputs = "alien" },
	{ .name = "quiet", .inputs = "built" },
	{ .name = "outer", .inputs = "needs" },
	{ .name = "virtu", .last = ",(\"requiredSystemFeatures\",\"kvm\")" },
	{ .name = "other", .last = ",(\"requiredSystemFeatures\",\"nixos-test\")" },
	{ .name = "loose", .first = "(\"__noChroot\",\"1\")," },
	{ .name = "float", .method = "r:sha256", .hash = "" },
	{ .name = "fixed", .method = "sha256", .hash = "0a430879c266f8b57f4092a0f935cf3facd48bbccde5760d4748ca405171e969" },
	{ .name = "fetch", .system = "builtin", .builder = "builtin:fetchurl", .last = ",(\"url\",\"http://h/\")" },
};

/* The outputs of "plain" lie at .../ppp...-plain: their hashes are nobody's. */
static void recipe_output(const struct recipe *r, char path[MODEL_NAME])
{
	char letter = r->name[0] == 'o' || r->name[0] == 'e' || r->name[0] == 'u' || r->name[0] == 't' ? 'x' : r->name[0];

	snprintf(path, MODEL_NAME, FUZZ_STORE "/%c%c%c%c%c%c%c%c00000000000000000000%04d-%s", letter, letter, letter, letter,
		 letter, letter, letter, letter, (int)(r - recipes), r->name);
}

static void recipe_path(const char *name, const char *text, char path[MODEL_NAME])
{
	struct store_path made;
	struct derivation *drv;
	struct arena arena;
	const char *why;

	arena_init(&arena, 1 << 20);
	HOLDS(aterm_parse(&arena, FUZZ_STORE, text_of(name), text, strlen(text), &drv, &why) == ERR_NONE);
	HOLDS(aterm_path(FUZZ_STORE, text_of(name), text, strlen(text), drv, &made) == ERR_NONE);
	memcpy(path, made.bytes, made.len + 1);
	arena_free(&arena);
}

static void recipe_fixed_output(const struct recipe *r, char path[MODEL_NAME])
{
	struct content_address ca = { .method = CONTENT_FLAT, .hash = { .algo = HASH_SHA256 } };
	struct store_path made;

	HOLDS(hex_decode(text_of(r->hash), ca.hash.bytes, SHA256_LEN));
	HOLDS(content_address_path(FUZZ_STORE, &ca, text_of(r->name), NULL, 0, false, &made) == ERR_NONE);
	memcpy(path, made.bytes, made.len + 1);
}

static void recipe_make(struct model_store *m, const struct recipe *r)
{
	char out[MODEL_NAME] = "", inputs[MODEL_NAME] = "", text[4096], path[MODEL_NAME];
	bool floats = r->hash != NULL && r->hash[0] == '\0';
	struct model_path *added;

	if (r->hash != NULL && !floats)
		recipe_fixed_output(r, out);
	else if (!floats)
		recipe_output(r, out);
	for (size_t i = 0; r->inputs != NULL && i < m->count; i++)
		if (strstr(m->paths[i].path, r->inputs) != NULL && m->paths[i].text != NULL)
			snprintf(inputs, sizeof inputs, "(\"%.200s\",[\"out\"])", m->paths[i].path);
	HOLDS(r->inputs == NULL || inputs[0] != '\0');
	snprintf(text, sizeof text,
		 "Derive([(\"out\",\"%s\",\"%s\",\"%s\")],[%s],[],\"%s\",\"%s\",[],[%s(\"name\",\"%s\"),(\"out\",\"%s\")%s])", out,
		 r->method == NULL ? "" : r->method, r->hash == NULL ? "" : r->hash, inputs,
		 r->system == NULL ? "x86_64-linux" : r->system, r->builder == NULL ? "/bin/sh" : r->builder,
		 r->first == NULL ? "" : r->first, r->name, out, r->last == NULL ? "" : r->last);
	recipe_path(r->name, text, path);
	added = model_add(m, path, strlen(path));
	HOLDS(added != NULL);
	added->valid = true;
	model_keep_text(added, text, strlen(text));
	if (floats)
		return;
	added = model_add(m, out, strlen(out));
	HOLDS(added != NULL);
	added->valid = r->built;
}

/* "liars" is valid and its text is another's; "there" is a file; "cache" can be fetched. */
static void model_stock(struct model_store *m)
{
	static const char liars[] = FUZZ_STORE "/11111111111111111111111111111111-liars.drv";
	static const char there[] = FUZZ_STORE "/22222222222222222222222222222222-there";
	static const char cache[] = FUZZ_STORE "/33333333333333333333333333333333-cache";
	struct model_path *p;

	for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++)
		recipe_make(m, &recipes[i]);
	p = model_add(m, liars, sizeof liars - 1);
	p->valid = true;
	model_keep_text(p, m->paths[0].text, m->paths[0].len);
	model_add(m, there, sizeof there - 1)->valid = true;
	model_add(m, cache, sizeof cache - 1)->fetchable = true;
}

/* --- what a grant can refuse about a derivation --- */

/* The string between the quotes at *at; moved behind it. No string of ours holds an escaped quote. */
static bool scan_string(const char **at, const char **start, size_t *len)
{
	if (**at != '"')
		return false;
	*start = *at + 1;
	for (*at = *start; **at != '"'; (*at)++) {
		if (**at == '\\')
			(*at)++;
		if (**at == '\0')
			return false;
	}
	*len = (size_t)(*at - *start);
	(*at)++;
	return true;
}

struct scanned {
	bool any_output_valid;
	const char *inputs[16];         /* point into the text */
	size_t input_lens[16], input_count;
	const char *system;
	size_t system_len;
	const char *builder;
	size_t builder_len;
};

/* "Derive([(name,path,..)..],[(drv,[..])..],[..],system,builder": strings are told apart by how deep they stand. */
static bool scan(struct model_store *m, const char *text, struct scanned *out)
{
	const char *at = text, *start;
	size_t len, depth = 0, list = 0, place = 0;

	*out = (struct scanned){ .input_count = 0 };
	if (strncmp(text, "Derive(", 7) != 0)
		return false;
	for (at += 7; *at != '\0' && list < 5;) {
		if (*at != '"') {
			depth += *at == '[' || *at == '(';
			place = *at == '(' ? 0 : *at == ',' ? place + 1 : place;
			if (*at == ']' || *at == ')')
				depth--;
			list += *at == ',' && depth == 0;
			at++;
			continue;
		}
		if (!scan_string(&at, &start, &len))
			return false;
		if (list == 0 && depth == 2 && place == 1)
			out->any_output_valid |= model_is_valid(m, start, len);
		if (list == 1 && depth == 2 && place == 0 && out->input_count < 16) {
			out->inputs[out->input_count] = start;
			out->input_lens[out->input_count++] = len;
		}
		if (list == 3)
			out->system = start, out->system_len = len;
		if (list == 4)
			out->builder = start, out->builder_len = len;
	}
	return list == 5 && out->system != NULL && out->builder != NULL;
}

static bool says(const char *start, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(start, word, len) == 0;
}

/* May this stance have it run, and whatever has to run for it? */
static bool model_may_run(struct model_store *m, const struct stance *stance, const char *drv, size_t len, unsigned depth)
{
	const struct model_path *found = model_find(m, drv, len);
	struct scanned s;

	if (found == NULL || !found->valid || found->text == NULL || !scan(m, found->text, &s) || depth > 16)
		return false;
	if (s.any_output_valid || stance->full)
		return true;
	if (!says(s.system, s.system_len, "x86_64-linux") && !says(s.builder, s.builder_len, "builtin:fetchurl"))
		return false;
	if (strstr(found->text, "(\"__noChroot\",\"1\")") != NULL || strstr(found->text, "nixos-test") != NULL ||
	    (!stance->kvm && strstr(found->text, "\"kvm\"") != NULL) ||
	    (!stance->floating && strstr(found->text, "\"r:sha256\",\"\"") != NULL))
		return false;
	for (size_t i = 0; i < s.input_count; i++)
		if (!model_may_run(m, stance, s.inputs[i], s.input_lens[i], depth + 1))
			return false;
	return true;
}

#endif
