#include "gateway/session/judge.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/nix/shapes.h"
#include "gateway/session/upstream.h"
#include "gateway/session/valid.h"

/* A derivation on the way down: the outputs that somebody wants, and those that were dealt with. */
struct node {
	uint64_t wanted, done;
	bool target;            /* the request names it */
	bool expanded;          /* its inputs are on the list */
	bool refused;
	bool listed;            /* it is on the level in hand */
};

/* Somebody wants these outputs of a derivation: names NULL: all of them. */
struct edge {
	size_t node;
	const struct text *names;
	size_t count;
};

struct descent {
	struct session *s;
	struct path_set paths;          /* item i is nodes[i] */
	struct node *nodes;             /* owns */
	size_t node_capacity;
	struct edge *edges;             /* owns; edge_count: the level in hand and what it adds behind it */
	size_t edge_count, edge_capacity;
	bool refused;
	char *refusal;                  /* borrows; the first refusal */
	struct rule *rule;
};

/* What is dealt with in one step: the edges that led here, and the derivations they lead to, each once. */
struct level {
	struct edge *edges;             /* owns */
	size_t edge_count;
	size_t *nodes;                  /* in the session's arena */
	struct text *drvs;              /* their paths */
	size_t count;
};

static bool make_room(void **items, size_t *capacity, size_t count, size_t size)
{
	size_t wanted = *capacity > 0 ? *capacity * 2 : 64;
	void *grown;

	if (count < *capacity)
		return true;
	grown = realloc(*items, wanted * size);
	if (grown == NULL)
		return false;
	*items = grown;
	*capacity = wanted;
	return true;
}

static enum err want(struct descent *w, struct text drv, const struct text *names, size_t count, bool target)
{
	bool added;
	size_t at;
	enum err err;

	if (!make_room((void **)&w->nodes, &w->node_capacity, w->paths.count, sizeof *w->nodes) ||
	    !make_room((void **)&w->edges, &w->edge_capacity, w->edge_count, sizeof *w->edges))
		return session_no_memory(w->s);
	err = path_set_add(&w->paths, drv, &added);
	if (err || !path_set_find(&w->paths, drv, &at))
		return session_end(w->s, err, "failed", "more derivations than can be judged: %s", err_text(err));
	if (added)
		w->nodes[at] = (struct node){ .target = false };
	w->nodes[at].target |= target;
	w->edges[w->edge_count++] = (struct edge){ .node = at, .names = names, .count = count };
	return ERR_NONE;
}

/* --- one level of the walk --- */

static enum err refuse_missing(struct descent *w, struct text drv)
{
	log_sentence(w->refusal, "%s may not build what is not there to be judged (allowed: derivations on this builder): "
				 "%.*s; %s", w->s->key->name, (int)drv.len, drv.bytes,
		     path_set_holds(&w->s->taken_off, drv) ?
			     "it refers to what came unsigned: sign that, or have the builder trust its cache" :
			     "copy it to the builder with its inputs (nix copy --derivation)");
	*w->rule = (struct rule){ .line = 0 };
	return ERR_DENIED;
}

/* Takes over the edges that were gathered, so that what is added from now on is the next level. */
static enum err take_level(struct descent *w, struct level *level)
{
	*level = (struct level){ .edges = w->edges, .edge_count = w->edge_count };
	w->edges = NULL;
	w->edge_count = w->edge_capacity = 0;
	level->nodes = arena_array(&w->s->arena, level->edge_count, sizeof *level->nodes);
	level->drvs = arena_array(&w->s->arena, level->edge_count, sizeof *level->drvs);
	if (level->nodes == NULL || level->drvs == NULL)
		return session_no_memory(w->s);
	for (size_t i = 0; i < level->edge_count; i++) {
		size_t at = level->edges[i].node;

		if (w->nodes[at].listed)
			continue;
		w->nodes[at].listed = true;
		level->drvs[level->count] = w->paths.items[at];
		level->nodes[level->count++] = at;
	}
	for (size_t i = 0; i < level->count; i++)
		w->nodes[level->nodes[i]].listed = false;
	return ERR_NONE;
}

/* The derivations of the level are held and read. What is not there is refused, not substituted unseen. */
static enum err read_level(struct descent *w, const struct level *level)
{
	struct session *s = w->s;
	bool *valid = arena_array(&s->arena, level->count, sizeof *valid);
	char why[SENTENCE_MAX];
	enum err err;

	if (valid == NULL)
		return session_no_memory(s);
	err = valid_hold(s, level->drvs, level->count);
	if (!err)
		err = valid_ask(s, level->drvs, level->count, valid);
	for (size_t i = 0; !err && i < level->count; i++)
		if (!valid[i])
			return refuse_missing(w, level->drvs[i]);
	if (!err)
		err = drv_read_all(s, level->drvs, level->count, why);
	if (err != ERR_DENIED)
		return err;
	memcpy(w->refusal, why, sizeof why);
	*w->rule = (struct rule){ .line = 0 };
	return err;
}

/* The paths of the outputs that are wanted and not dealt with; how many. *unknown: one has no path yet. */
static size_t wanted_paths(const struct drv *drv, const struct node *node, struct text *paths, bool *unknown)
{
	size_t n = 0;

	*unknown = false;
	for (size_t i = 0; i < drv->output_count; i++) {
		if ((node->wanted & ~node->done & UINT64_C(1) << i) == 0)
			continue;
		if (drv->outputs[i].path.len == 0)
			*unknown = true;
		else
			paths[n++] = drv->outputs[i].path;
	}
	return n;
}

enum err judge_ask(struct session *s, const struct build_ask *ask, char *refusal, struct rule *rule)
{
	struct verdict verdict = policy_decide_build(s->key, ask);

	if (verdict.allow)
		return ERR_NONE;
	log_sentence(refusal, "%s", verdict.text);
	*rule = verdict.rule;
	return ERR_DENIED;
}

static bool came_unsigned(const struct session *s, const struct drv *drv)
{
	for (size_t i = 0; i < drv->output_count; i++)
		if (path_set_holds(&s->taken_off, drv->outputs[i].path))
			return true;
	return false;
}

/* It would run: it is judged, and so will be what it is built from. */
static enum err judge_node(struct descent *w, size_t at, const struct drv *drv)
{
	struct node *node = &w->nodes[at];
	struct build_ask ask = drv->ask;
	char ignored[SENTENCE_MAX];
	struct rule other;
	enum err err;

	ask.wanted = node->target;
	ask.came_unsigned = came_unsigned(w->s, drv);
	err = judge_ask(w->s, &ask, w->refused ? ignored : w->refusal, w->refused ? &other : w->rule);
	node->refused = err == ERR_DENIED;
	w->refused |= node->refused;
	if (node->expanded)
		return ERR_NONE;
	node->expanded = true;
	err = ERR_NONE;
	for (size_t i = 0; !err && i < drv->input_count; i++)
		err = want(w, drv->inputs[i].path, drv->inputs[i].outputs, drv->inputs[i].output_count, false);
	return err;
}

/* Marks what the edges of the level want. */
static enum err mark_wanted(struct descent *w, const struct level *level)
{
	for (size_t i = 0; i < level->edge_count; i++) {
		const struct edge *edge = &level->edges[i];
		const struct drv *drv = drv_find(&w->s->drvs, w->paths.items[edge->node]);
		uint64_t wanted = 0;
		char why[SENTENCE_MAX];

		if (drv_wanted(drv, edge->names, edge->count, &wanted, why) == ERR_DENIED) {
			memcpy(w->refusal, why, sizeof why);
			*w->rule = (struct rule){ .line = 0 };
			return ERR_DENIED;
		}
		w->nodes[edge->node].wanted |= wanted;
	}
	return ERR_NONE;
}

/* The paths that the level wants, node by node; `ends[i]` is where those of node i end. */
static enum err list_wanted(struct descent *w, const struct level *level, struct text **paths, size_t *ends)
{
	size_t room = 0, n = 0;
	bool unknown;

	for (size_t i = 0; i < level->count; i++)
		room += drv_find(&w->s->drvs, level->drvs[i])->output_count;
	*paths = arena_array(&w->s->arena, room, sizeof **paths);
	if (*paths == NULL)
		return session_no_memory(w->s);
	for (size_t i = 0; i < level->count; i++) {
		n += wanted_paths(drv_find(&w->s->drvs, level->drvs[i]), &w->nodes[level->nodes[i]], *paths + n, &unknown);
		ends[i] = n;
	}
	return ERR_NONE;
}

/* Does it have to run for what is wanted of it? `valid`: of each of its wanted paths, from `from` to `to`. */
static bool runs(const struct descent *w, size_t at, const struct drv *drv, const bool *valid, size_t from, size_t to)
{
	struct text paths[DERIVATION_OUTPUTS_MAX];
	bool missing;

	(void)wanted_paths(drv, &w->nodes[at], paths, &missing);
	for (size_t i = from; i < to; i++)
		missing |= !valid[i];
	return missing;
}

static enum err judge_level(struct descent *w, const struct level *level)
{
	struct session *s = w->s;
	size_t *ends = arena_array(&s->arena, level->count, sizeof *ends), total;
	struct text *paths = NULL;
	bool *valid = NULL;
	enum err err;

	if (ends == NULL)
		return session_no_memory(s);
	err = mark_wanted(w, level);
	if (!err)
		err = list_wanted(w, level, &paths, ends);
	if (err)
		return err;
	total = ends[level->count - 1];
	valid = arena_array(&s->arena, total, sizeof *valid);
	if (valid == NULL)
		return session_no_memory(s);
	err = valid_hold(s, paths, total);
	if (!err)
		err = valid_ask(s, paths, total, valid);
	for (size_t i = 0; !err && i < level->count; i++) {
		size_t at = level->nodes[i];
		const struct drv *drv = drv_find(&s->drvs, level->drvs[i]);
		/* A check runs what the request names, valid or not. */
		bool must_run = runs(w, at, drv, valid, i > 0 ? ends[i - 1] : 0, ends[i]) ||
				(s->build_mode == BUILD_MODE_CHECK && w->nodes[at].target);

		w->nodes[at].done = w->nodes[at].wanted;
		if (must_run)
			err = judge_node(w, at, drv);
	}
	return err;
}

/* --- the whole walk --- */

static enum err want_targets(struct descent *w, const struct value *targets)
{
	enum err err = ERR_NONE;

	for (size_t i = 0; !err && i < targets->count; i++) {
		struct text name, *names = NULL, rest;
		struct derived_path d;
		size_t n = 0;

		if (derived_path_parse(w->s->message_limits.store_dir, value_text(&targets->items[i]), &d) != ERR_NONE)
			return session_end(w->s, ERR_PROTO, "protocol-error", "the client asks for what is no derived path");
		if (!store_path_is_drv(d.path))
			continue;
		rest = d.outputs;
		if (d.built && !d.all) {
			names = arena_array(&w->s->arena, DERIVED_OUTPUTS_MAX, sizeof *names);
			if (names == NULL)
				return session_no_memory(w->s);
			while (n < DERIVED_OUTPUTS_MAX && derived_path_next(&rest, &name))
				names[n++] = name;
		}
		err = want(w, d.path, names, n, true);
	}
	return err;
}

static enum err descend(struct descent *w, const struct value *targets)
{
	enum err err = want_targets(w, targets);

	while (!err && w->edge_count > 0) {
		struct level level;

		err = take_level(w, &level);
		if (!err)
			err = read_level(w, &level);
		if (!err)
			err = judge_level(w, &level);
		free(level.edges);
	}
	return !err && w->refused ? ERR_DENIED : err;
}

static void descent_free(struct descent *w)
{
	path_set_free(&w->paths);
	free(w->nodes);
	free(w->edges);
}

/* --- what policy refuses may still be fetched --- */

static bool will_build_refused(const struct descent *w, const struct value *will_build)
{
	for (size_t i = 0; i < will_build->count; i++) {
		size_t at;

		if (path_set_find(&w->paths, value_text(&will_build->items[i]), &at) && w->nodes[at].refused)
			return true;
	}
	return false;
}

/* Fetches the paths, with the log going to the client; whatever fails in that, the second walk finds missing. */
static enum err substitute(struct session *s, const struct value *paths)
{
	const struct op *op = upstream_op(s, OP_BUILD_PATHS);
	struct value *request = values_new(&s->arena, op->request);
	const struct value *reply;
	struct daemon_error error = { .failed = false };
	enum err err;

	if (request == NULL)
		return session_no_memory(s);
	*value_at(request, op->request, "targets") = *paths;
	err = upstream_send(s, op, request);
	if (!err)
		err = upstream_loop(s, LOG_TO_CLIENT, &error);
	if (err || error.failed)
		return err;
	return session_read(s, &s->daemon, op->reply, op->name, &reply);
}

/* *fetched: it was worth it, and the walk is to be repeated. */
static enum err try_substitution(struct descent *w, const struct value *targets, bool *fetched)
{
	struct session *s = w->s;
	const struct op *op = upstream_op(s, OP_QUERY_MISSING);
	struct value *question = values_new(&s->arena, op->request);
	const struct value *reply, *paths;
	struct daemon_error error;
	enum err err;

	*fetched = false;
	if ((s->key->grant->operations & OPS_SUBSTITUTE) == 0)
		return ERR_NONE;
	if (question == NULL)
		return session_no_memory(s);
	*value_at(question, op->request, "targets") = *targets;
	err = upstream_ask(s, op->number, question, &reply, &error);
	if (err || error.failed || will_build_refused(w, value_of(reply, op->reply, "willBuild")))
		return err;
	paths = value_of(reply, op->reply, "willSubstitute");
	*fetched = paths->count > 0;
	return *fetched ? substitute(s, paths) : ERR_NONE;
}

enum err judge_targets(struct session *s, const struct value *targets, char *refusal, struct rule *rule)
{
	bool again = true;

	*rule = (struct rule){ .line = 0 };
	for (int round = 0;; round++) {
		struct descent w = { .s = s, .refusal = refusal, .rule = rule };
		enum err err;

		path_set_init(&w.paths, &s->arena, DRVS_MAX);
		err = descend(&w, targets);
		if (err == ERR_DENIED && w.refused && round == 0 && s->outcome == NULL) {
			enum err failed = try_substitution(&w, targets, &again);

			err = failed ? failed : err;
		} else {
			again = false;
		}
		descent_free(&w);
		if (err != ERR_DENIED || !again)
			return err;
	}
}
