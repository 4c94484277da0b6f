#include "gateway/nix/facts.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/nix/structured_attrs.h"

enum { WORDS_MAX = 16384 };     /* words of one attribute, both ways of saying it together */

/* Where attributes are looked up, and the first error; from then on nothing is. */
struct source {
	struct arena *arena;
	const struct derivation *drv;
	struct structured_attrs attrs;  /* owns; empty where the derivation has none */
	enum err failed;
	const char *why;
};

static void fail(struct source *s, enum err err, const char *why)
{
	if (err && !s->failed) {
		s->failed = err;
		s->why = why;
	}
}

static const char WRONG_TYPE[] = "has a structured attribute of the wrong type";

static struct text env_text(const struct source *s, const char *name)
{
	const struct text *value = derivation_env(s->drv, name);

	return value == NULL ? (struct text){ 0 } : *value;
}

/* Nix takes "1" alone for yes; whatever else is not plainly no counts as yes here. */
static bool asked(struct source *s, const char *name)
{
	struct text env = env_text(s, name);
	bool value = false;

	fail(s, structured_attr_bool(&s->attrs, name, &value), WRONG_TYPE);
	return value || !(env.len == 0 || text_is(env, "0") || text_is(env, "false"));
}

/* A profile of blanks asks for nothing. */
static bool asked_text(struct source *s, const char *name)
{
	struct text env = env_text(s, name), structured = { 0 }, word;

	fail(s, structured_attr_string(&s->attrs, name, s->arena, &structured), WRONG_TYPE);
	return text_word(&env, &word) || text_word(&structured, &word);
}

static size_t count_words(struct text t)
{
	struct text word;
	size_t count = 0;

	while (count <= WORDS_MAX && text_word(&t, &word))
		count++;
	return count;
}

/* Writes the words of t behind `items`; returns the place behind them. */
static struct text *put_words(struct text *items, struct text t)
{
	while (text_word(&t, items))
		items++;
	return items;
}

/* Sorts, and leaves each item once. */
static void make_set(struct texts *set)
{
	size_t kept = 0;

	if (set->count > 1)
		qsort(set->items, set->count, sizeof *set->items, text_compare_items);
	for (size_t i = 0; i < set->count; i++)
		if (kept == 0 || !text_equal(set->items[kept - 1], set->items[i]))
			set->items[kept++] = set->items[i];
	set->count = kept;
}

/* The words of the variable and of two texts more, and the strings of the structured attribute. */
static struct texts gather(struct source *s, const char *name, struct text more, struct text yet_more)
{
	struct text env = env_text(s, name), *end;
	struct texts set = { 0 };
	size_t words = count_words(env) + count_words(more) + count_words(yet_more), strings = 0;

	fail(s, structured_attr_count(&s->attrs, name, &strings), WRONG_TYPE);
	if (words > WORDS_MAX || strings > WORDS_MAX)
		fail(s, ERR_LIMIT, "has an attribute with too many words");
	if (s->failed || words + strings == 0)
		return set;
	/* One more: the last look for a word writes an empty one. */
	set.items = arena_array(s->arena, words + strings + 1, sizeof *set.items);
	if (set.items == NULL) {
		fail(s, ERR_MEMORY, "needs more memory than there is");
		return set;
	}
	set.count = words + strings;
	end = put_words(put_words(put_words(set.items, env), more), yet_more);
	fail(s, structured_attr_strings(&s->attrs, name, s->arena, end), WRONG_TYPE);
	make_set(&set);
	return set;
}

static struct texts gather_words(struct source *s, const char *name)
{
	return gather(s, name, (struct text){ 0 }, (struct text){ 0 });
}

static enum builtin_builder builtin_builder(const struct derivation *drv)
{
	if (!text_starts(drv->builder, "builtin:"))
		return text_is(drv->platform, "builtin") ? BUILTIN_UNKNOWN : BUILTIN_NONE;
	if (text_is(drv->builder, "builtin:fetchurl"))
		return BUILTIN_FETCHURL;
	if (text_is(drv->builder, "builtin:buildenv"))
		return BUILTIN_BUILDENV;
	return text_is(drv->builder, "builtin:unpack-channel") ? BUILTIN_UNPACK_CHANNEL : BUILTIN_UNKNOWN;
}

/* Nix takes "url" whole. Split at its blanks, each part must do: no address on the web has a blank. */
static struct texts gather_urls(struct source *s)
{
	struct text structured = { 0 };

	fail(s, structured_attr_string(&s->attrs, "url", s->arena, &structured), WRONG_TYPE);
	return gather(s, "urls", env_text(s, "url"), structured);
}

static unsigned gather_asked(struct source *s, const struct facts *facts)
{
	unsigned bits = facts->host_deps.count > 0 ? ASKS_IMPURE_HOST_DEPS : 0;

	if (asked(s, "__noChroot"))
		bits |= ASKS_NO_CHROOT;
	if (asked_text(s, "__sandboxProfile"))
		bits |= ASKS_SANDBOX_PROFILE;
	if (asked(s, "__darwinAllowLocalNetworking"))
		bits |= ASKS_LOCAL_NETWORKING;
	return bits;
}

enum err facts_gather(struct arena *arena, const struct derivation *drv, struct facts *out, const char **why)
{
	struct source s = { .arena = arena, .drv = drv };
	const struct text *json = derivation_env(drv, "__json");

	if (json != NULL)
		fail(&s, structured_attrs_parse(*json, &s.attrs), "has structured attributes that are no strict JSON");
	*out = (struct facts){
		.system = drv->platform, .builder = drv->builder, .builtin = builtin_builder(drv), .kind = drv->kind,
		.makes_derivation = drv->makes_derivation,
	};
	out->features = gather_words(&s, "requiredSystemFeatures");
	out->impure_env_vars = gather_words(&s, "impureEnvVars");
	out->host_deps = gather_words(&s, "__impureHostDeps");
	if (out->builtin == BUILTIN_FETCHURL)
		out->urls = gather_urls(&s);
	out->asked = gather_asked(&s, out);
	structured_attrs_free(&s.attrs);
	*why = s.why;
	return s.failed;
}

/* Are there parts that lead elsewhere than the text says? */
static bool is_straight(struct text path)
{
	size_t start = 1;       /* of the running part: behind the first slash */

	for (size_t i = start; i <= path.len; i++) {
		if (i < path.len && path.bytes[i] != '/')
			continue;
		struct text part = text_part(path, start, i);

		if (part.len == 0 || text_is(part, ".") || text_is(part, ".."))
			return false;
		start = i + 1;
	}
	return true;
}

static bool is_within(struct text path, const char *folder)
{
	size_t len = strlen(folder);

	return text_starts(path, folder) && (path.len == len || path.bytes[len] == '/') && is_straight(path);
}

bool facts_host_deps_are_usual(const struct facts *facts)
{
	static const char *const usual[] = {
		"/dev/zero", "/dev/random", "/dev/urandom", "/bin/sh", "/usr/lib", "/System/Library",
	};

	for (size_t i = 0; i < facts->host_deps.count; i++) {
		bool found = false;

		for (size_t j = 0; j < sizeof usual / sizeof *usual; j++)
			found |= is_within(facts->host_deps.items[i], usual[j]);
		if (!found)
			return false;
	}
	return true;
}

unsigned facts_relaxations(const struct facts *facts)
{
	return facts_host_deps_are_usual(facts) ? facts->asked & ~(unsigned)ASKS_IMPURE_HOST_DEPS : facts->asked;
}

const struct text *facts_odd_url(const struct facts *facts)
{
	for (size_t i = 0; i < facts->urls.count; i++)
		if (!text_starts(facts->urls.items[i], "http://") && !text_starts(facts->urls.items[i], "https://"))
			return &facts->urls.items[i];
	return NULL;
}
