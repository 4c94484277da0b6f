#include "gateway/session/gate.h"

#include <stdio.h>
#include <string.h>

#include "gateway/nix/shapes.h"
#include "gateway/session/valid.h"
#include "policy/operation.h"

/* What a grant has to have for each class. 0 for the two that no grant speaks of. */
static const unsigned needed_by_class[] = {
	[CLASS_QUERY] = OPS_QUERY,
	[CLASS_DOWNLOAD] = OPS_DOWNLOAD,
	[CLASS_UPLOAD] = OPS_UPLOAD,
	[CLASS_BUILD] = OPS_BUILD,
	[CLASS_SUBSTITUTE] = OPS_SUBSTITUTE,
	[CLASS_CHECK] = OPS_CHECK,
	[CLASS_LOG] = OPS_LOG,
	[CLASS_GC_ROOTS] = OPS_GC_ROOTS,
	[CLASS_GC] = OPS_GC,
	[CLASS_SIGN] = OPS_SIGN,
	[CLASS_LIST_ALL] = OPS_LIST_ALL,
	[CLASS_REALISATIONS] = OPS_REALISATIONS,
	[CLASS_ANSWERED] = 0,
	[CLASS_NEVER] = 0,
};

static struct value *field_of(struct value *request, const struct op *op, const char *name)
{
	size_t at = shape_index(op->request, name);

	return at < op->request->count ? request + at : NULL;
}

struct text gate_subject(const struct op *op, const struct value *request)
{
	const struct value *value;

	if (op->subject == NULL)
		return text_of("");
	value = value_of(request, op->request, op->subject);
	if (op->request->fields[shape_index(op->request, op->subject)].kind != KIND_ITEMS)
		return value_text(value);
	return value->count > 0 ? value_text(value->items) : text_of("");
}

static bool is_bare(struct text target)
{
	return !text_holds(target, '!') && !text_ends(target, ".drv");
}

/* Are all the bare paths among the targets there? */
static enum err all_valid(struct session *s, const struct value *targets, bool *all)
{
	struct text *paths = arena_array(&s->arena, targets->count, sizeof *paths);
	bool *valid = arena_array(&s->arena, targets->count, sizeof *valid);
	size_t n = 0;
	enum err err;

	*all = false;
	if (paths == NULL || valid == NULL)
		return session_no_memory(s);
	for (size_t i = 0; i < targets->count; i++)
		if (is_bare(value_text(&targets->items[i])))
			paths[n++] = value_text(&targets->items[i]);
	err = valid_ask(s, paths, n, valid);
	*all = !err;
	for (size_t i = 0; i < n; i++)
		*all &= valid[i];
	return err;
}

/* Derivations among the targets are built; bare paths are fetched where they are not there, and else only asked for. A
 * key that may neither fetch nor ask has nothing asked on its behalf. No target at all is a question as well. */
static enum err bits_of_targets(struct session *s, const struct value *targets, unsigned *needed)
{
	unsigned granted = s->key->grant->operations;
	size_t bare = 0;
	bool all = false;
	enum err err = ERR_NONE;

	for (size_t i = 0; i < targets->count; i++)
		bare += is_bare(value_text(&targets->items[i]));
	*needed = bare < targets->count ? OPS_BUILD : 0;
	if (bare == 0 && targets->count > 0)
		return ERR_NONE;
	if ((granted & OPS_SUBSTITUTE) == 0 && (granted & OPS_QUERY) != 0)
		err = all_valid(s, targets, &all);
	*needed |= all ? OPS_QUERY : OPS_SUBSTITUTE;
	return err;
}

static enum err needed_bits(struct session *s, struct value *request, unsigned *needed)
{
	const struct value *mode = field_of(request, s->op, "mode"), *targets = field_of(request, s->op, "targets");
	enum err err = ERR_NONE;

	*needed = needed_by_class[s->op->class];
	if (s->op->class == CLASS_BUILD && targets != NULL)
		err = bits_of_targets(s, targets, needed);
	if (mode != NULL && mode->number == BUILD_MODE_CHECK)
		*needed |= OPS_CHECK;
	return err;
}

/* What no grant can allow. */
static const char *never_allowed(const struct op *op, struct value *request)
{
	const struct value *repair = field_of(request, op, "repair"), *mode = field_of(request, op, "mode");

	if (op->class == CLASS_NEVER)
		return op->name;
	if ((repair != NULL && repair->number != 0) || (mode != NULL && mode->number == BUILD_MODE_REPAIR))
		return "repair";
	return NULL;
}

/* Asking what is valid is a query; asking to fetch it meanwhile is left out where that is not granted. */
static void narrow(struct session *s, struct value *request)
{
	struct value *substitute = field_of(request, s->op, "substitute"), *mode = field_of(request, s->op, "mode");

	s->build_mode = mode == NULL ? BUILD_MODE_NORMAL : mode->number;
	if (substitute != NULL && (s->key->grant->operations & OPS_SUBSTITUTE) == 0)
		substitute->number = 0;
}

enum err gate_judge(struct session *s, struct value *request, char refusal[SENTENCE_MAX])
{
	struct text subject = gate_subject(s->op, request);
	const char *never = never_allowed(s->op, request);
	char name[SENTENCE_MAX], what[128];
	struct verdict verdict = { .allow = false };
	unsigned needed;
	enum err err = needed_bits(s, request, &needed);

	if (err)
		return err;
	snprintf(name, sizeof name, "%.*s", (int)(subject.len < 1024 ? subject.len : 1024),
		 subject.bytes == NULL ? "" : subject.bytes);
	snprintf(what, sizeof what, "use %s", s->op->name);
	if (never != NULL)
		log_sentence(refusal, "%s may not use %s (allowed: to nobody)%s%s; leave it out", s->key->name, never,
			     name[0] == '\0' ? "" : ": ", name);
	else
		verdict = policy_decide_operation(s->key, needed, what, name[0] == '\0' ? NULL : name);
	if (verdict.allow) {
		narrow(s, request);
		return ERR_NONE;
	}
	if (never == NULL)
		log_sentence(refusal, "%s", verdict.text);
	err = session_record_denied(s, name[0] == '\0' ? NULL : name, refusal, &verdict.rule);
	return err ? err : ERR_DENIED;
}
