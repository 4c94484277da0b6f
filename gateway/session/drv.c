#include "gateway/session/drv.h"

#include <stdlib.h>

#include "gateway/session/facts_ask.h"
#include "gateway/session/session.h"
#include "gateway/session/upstream.h"

enum {
	KEPT_MEMORY = 512 * 1024 * 1024,
	SCRATCH_MEMORY = 256 * 1024 * 1024,
	READS_FLYING = 32                       /* archives asked for ahead of the one being read */
};

void drv_cache_init(struct drv_cache *cache)
{
	*cache = (struct drv_cache){ .drvs = NULL };
	arena_init(&cache->arena, KEPT_MEMORY);
	arena_init(&cache->scratch, SCRATCH_MEMORY);
	path_set_init(&cache->paths, &cache->arena, DRVS_MAX);
}

void drv_cache_free(struct drv_cache *cache)
{
	path_set_free(&cache->paths);
	free(cache->drvs);
	arena_free(&cache->scratch);
	arena_free(&cache->arena);
	drv_cache_init(cache);
}

struct drv *drv_find(const struct drv_cache *cache, struct text path)
{
	size_t at;

	return path_set_find(&cache->paths, path, &at) ? cache->drvs[at] : NULL;
}

/* --- from a parsed derivation to what is kept of it --- */

static enum err keep_text(struct arena *arena, struct text from, struct text *to)
{
	to->bytes = arena_text(arena, from.bytes, from.len);
	to->len = from.len;
	return to->bytes == NULL ? ERR_MEMORY : ERR_NONE;
}

static enum err keep_outputs(struct arena *arena, const struct derivation *from, struct drv *to)
{
	enum err err = ERR_NONE;

	to->outputs = arena_array(arena, from->output_count, sizeof *to->outputs);
	if (to->outputs == NULL)
		return ERR_MEMORY;
	to->output_count = from->output_count;
	for (size_t i = 0; !err && i < from->output_count; i++) {
		err = keep_text(arena, from->outputs[i].name, &to->outputs[i].name);
		if (!err)
			err = keep_text(arena, from->outputs[i].path, &to->outputs[i].path);
	}
	return err;
}

static enum err keep_input(struct arena *arena, const struct derivation_input *from, struct drv_input *to)
{
	enum err err = keep_text(arena, from->path, &to->path);

	to->outputs = arena_array(arena, from->output_count, sizeof *to->outputs);
	to->output_count = from->output_count;
	if (to->outputs == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; !err && i < from->output_count; i++)
		err = keep_text(arena, from->outputs[i], &to->outputs[i]);
	return err;
}

static enum err keep_inputs(struct arena *arena, const struct derivation *from, struct drv *to)
{
	enum err err = ERR_NONE;

	to->inputs = arena_array(arena, from->input_drv_count, sizeof *to->inputs);
	if (to->inputs == NULL)
		return ERR_MEMORY;
	to->input_count = from->input_drv_count;
	for (size_t i = 0; !err && i < from->input_drv_count; i++)
		err = keep_input(arena, &from->input_drvs[i], &to->inputs[i]);
	return err;
}

static enum err keep(struct drv_cache *cache, struct text path, const struct derivation *parsed,
		     const struct facts *facts)
{
	struct drv *drv = arena_alloc(&cache->arena, sizeof *drv);
	bool added;
	enum err err;

	if (drv == NULL)
		return ERR_MEMORY;
	if (cache->paths.count == cache->capacity) {
		size_t capacity = cache->capacity > 0 ? cache->capacity * 2 : 64;
		struct drv **drvs = realloc(cache->drvs, capacity * sizeof *drvs);

		if (drvs == NULL)
			return ERR_MEMORY;
		cache->drvs = drvs;
		cache->capacity = capacity;
	}
	drv->kind = parsed->kind;
	err = keep_outputs(&cache->arena, parsed, drv);
	if (!err)
		err = keep_inputs(&cache->arena, parsed, drv);
	if (!err)
		err = facts_to_ask(&cache->arena, facts, path, &drv->ask);
	if (!err)
		err = path_set_add(&cache->paths, path, &added);
	if (!err && added) {
		drv->path = cache->paths.items[cache->paths.count - 1];
		cache->drvs[cache->paths.count - 1] = drv;
	}
	return err;
}

/* --- from bytes to a parsed derivation --- */

static enum err parse(struct session *s, struct text path, const void *bytes, size_t len, struct derivation **parsed,
		      struct facts *facts, char *why)
{
	const char *store_dir = s->message_limits.store_dir, *fault = NULL;
	struct arena *scratch = &s->drvs.scratch;
	enum err err;

	arena_reset(scratch);
	err = aterm_parse(scratch, store_dir, store_path_drv_name(path), bytes, len, parsed, &fault);
	if (!err) {
		err = aterm_path_check(store_dir, path, bytes, len, *parsed);
		if (err)
			fault = "is not the text that its path names";
	}
	if (!err)
		err = facts_gather(scratch, *parsed, facts, &fault);
	if (err == ERR_MEMORY)
		return session_end(s, err, "failed", "%s", err_text(err));
	if (!err)
		return ERR_NONE;
	log_sentence(why, "%s may not build what cannot be judged (allowed: derivations as Nix writes them): %.*s: this "
			  "derivation %s", s->key->name, (int)path.len, path.bytes, fault);
	return ERR_DENIED;
}

enum err drv_check(struct session *s, struct text path, const void *bytes, size_t len, char *why)
{
	struct derivation *parsed;
	struct facts facts;

	return parse(s, path, bytes, len, &parsed, &facts, why);
}

static enum err add(struct session *s, struct text path, const struct buf *file, char *why)
{
	struct derivation *parsed;
	struct facts facts;
	enum err err;

	s->drvs.bytes += buf_len(file);
	if (s->drvs.bytes > DRV_BYTES_MAX)
		return session_end(s, ERR_LIMIT, "failed", "more derivations than can be judged");
	err = parse(s, path, buf_data(file), buf_len(file), &parsed, &facts, why);
	if (err)
		return err;
	err = keep(&s->drvs, path, parsed, &facts);
	return err ? session_end(s, err, "failed", "derivations cannot be kept: %s", err_text(err)) : ERR_NONE;
}

/* --- from the daemon --- */

/* The archive of one file, of which the content alone is kept. */
static enum err read_file(struct session *s, struct text path, struct buf *file)
{
	struct daemon_error error;
	enum err err = upstream_loop(s, LOG_NOWHERE, &error);

	if (!err && error.failed)
		err = session_end(s, ERR_PROTO, "daemon-error", "the Nix daemon does not give out %.*s: %s", (int)path.len,
				  path.bytes, error.text);
	nar_init(&s->nar, ATERM_MAX + 1024);
	while (!err && !nar_done(&s->nar)) {
		size_t used = 0;

		err = session_await(s, &s->daemon);
		if (err)
			return err;
		err = nar_feed(&s->nar, buf_data(&s->daemon.rx), buf_len(&s->daemon.rx), &used);
		if (!err && s->nar.body_len > 0)
			err = buf_put(file, s->nar.body, s->nar.body_len);
		if (err)
			return session_end(s, err, "daemon-error", "the Nix daemon broke off %.*s: %s", (int)path.len,
					   path.bytes, s->nar.fault == NULL ? err_text(err) : s->nar.fault);
		buf_take(&s->daemon.rx, used);
	}
	return err;
}

static enum err request_file(struct session *s, struct text path)
{
	struct value request = { .text = path.bytes, .len = path.len };

	return upstream_send(s, upstream_op(s, OP_NAR_FROM_PATH), &request);
}

/* All archives that were asked for are read, whatever is found out meanwhile: so both sides stay in step. */
static enum err read_files(struct session *s, const struct text *paths, size_t count, char *why)
{
	char ignored[SENTENCE_MAX];
	struct buf file;
	bool denied = false;
	enum err err = ERR_NONE;

	buf_init(&file, ATERM_MAX);
	for (size_t asked = 0, i = 0; !err && i < count; i++) {
		while (!err && asked < count && asked < i + READS_FLYING)
			err = request_file(s, paths[asked++]);
		if (!err)
			err = read_file(s, paths[i], &file);
		if (!err)
			err = add(s, paths[i], &file, denied ? ignored : why);
		if (err == ERR_DENIED) {
			denied = true;
			err = ERR_NONE;
		}
		buf_take(&file, buf_len(&file));
	}
	buf_free(&file);
	return !err && denied ? ERR_DENIED : err;
}

enum err drv_read_all(struct session *s, const struct text *paths, size_t count, char *why)
{
	struct text *missing = arena_array(&s->arena, count, sizeof *missing);
	size_t n = 0;

	if (missing == NULL)
		return session_no_memory(s);
	for (size_t i = 0; i < count; i++)
		if (drv_find(&s->drvs, paths[i]) == NULL)
			missing[n++] = paths[i];
	return read_files(s, missing, n, why);
}

enum err drv_wanted(const struct drv *drv, const struct text *names, size_t count, uint64_t *wanted, char *why)
{
	*wanted = 0;
	for (size_t i = 0; names != NULL && i < count; i++) {
		size_t at = 0;

		while (at < drv->output_count && !text_equal(drv->outputs[at].name, names[i]))
			at++;
		if (at == drv->output_count) {
			log_sentence(why, "%.*s has no output '%.*s'", (int)drv->path.len, drv->path.bytes,
				     (int)names[i].len, names[i].bytes);
			return ERR_DENIED;
		}
		*wanted |= UINT64_C(1) << at;
	}
	if (names == NULL)
		*wanted = drv->output_count == 64 ? UINT64_MAX : (UINT64_C(1) << drv->output_count) - 1;
	return ERR_NONE;
}
