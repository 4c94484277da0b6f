#include "gateway/session/storable.h"

#include <string.h>

#include "gateway/nix/content_address.h"
#include "gateway/nix/shapes.h"
#include "gateway/nix/signature.h"
#include "gateway/session/upstream.h"

static const struct shape *head_shape(const struct session *s)
{
	return upstream_op(s, OP_ADD_TO_STORE_NAR)->request;
}

static struct text *references_of(struct session *s, const struct value *list)
{
	struct text *items = arena_array(&s->arena, list->count, sizeof *items);

	for (size_t i = 0; items != NULL && i < list->count; i++)
		items[i] = value_text(&list->items[i]);
	return items;
}

bool storable_refers_to(const struct value *head, const struct path_set *set, struct text *reference)
{
	const struct value *references = value_of(head, &shape_path_info, "references");
	struct text path = value_text(value_of(head, &shape_path_info, "path"));

	for (size_t i = 0; set->count > 0 && i < references->count; i++) {
		*reference = value_text(&references->items[i]);
		if (!text_equal(*reference, path) && path_set_holds(set, *reference))
			return true;
	}
	return false;
}

bool storable_rebuilds(const struct grant *grant)
{
	if (grant->unsigned_uploads == UNSIGNED_DEFAULT)
		return (grant->operations & OPS_BUILD) != 0;
	return grant->unsigned_uploads == UNSIGNED_REBUILD;
}

/* Leaves the wanted ones of a path's signatures. */
static void keep(struct value *signatures, const bool *wanted)
{
	size_t kept = 0;

	for (size_t i = 0; i < signatures->count; i++)
		if (wanted[i])
			signatures->items[kept++] = signatures->items[i];
	signatures->count = kept;
}

/* A text that is no signature stays with the path for good, and some readers then take the path for broken. */
static void drop_malformed(struct value *signatures)
{
	bool whole[SIGNATURES_MAX];
	struct signature signature;

	for (size_t i = 0; i < signatures->count; i++)
		whole[i] = signature_parse(value_text(&signatures->items[i]), &signature) == ERR_NONE;
	keep(signatures, whole);
}

/* Which of the signatures are of keys of the grant; is any? */
static bool signed_by_grant(struct session *s, const struct value *head, const struct text *refs, size_t ref_count,
			    bool verified[SIGNATURES_MAX])
{
	const struct text_list *list = &s->key->grant->trusted_public_keys;
	const struct value *signatures = value_of(head, head_shape(s), "signatures");
	struct public_key *keys;
	uint8_t hash[SHA256_LEN];
	struct signed_info info = {
		.path = value_text(value_of(head, head_shape(s), "path")),
		.nar_hash = hash,
		.nar_size = value_of(head, head_shape(s), "narSize")->number,
		.refs = refs,
		.ref_count = ref_count,
	};
	struct buf fingerprint;
	bool any = false;

	memset(verified, 0, SIGNATURES_MAX * sizeof *verified);
	if (s->key->grant->trust != TRUST_SIGNED || list->count == 0 ||
	    public_keys_parse(&s->arena, list->items, list->count, &keys, NULL) != ERR_NONE ||
	    !hex_decode(value_text(value_of(head, head_shape(s), "narHash")), hash, sizeof hash))
		return false;
	buf_init(&fingerprint, MESSAGE_MAX);
	if (fingerprint_put(&fingerprint, &info) == ERR_NONE)
		for (size_t i = 0; i < signatures->count; i++) {
			verified[i] = signature_verifies(keys, list->count, value_text(&signatures->items[i]),
							 buf_data(&fingerprint), buf_len(&fingerprint));
			any |= verified[i];
		}
	buf_free(&fingerprint);
	return any;
}

/* What holds whatever the trust: the head may not contradict itself. */
static bool is_sound(struct session *s, const struct value *head, const struct text *refs, size_t ref_count, char *why,
		     enum err *err)
{
	const struct shape *shape = head_shape(s);
	struct text path = value_text(value_of(head, shape, "path")), ca = value_text(value_of(head, shape, "ca"));
	struct text deriver = value_text(value_of(head, shape, "deriver"));
	struct content_address address;

	if (!texts_ascend(refs, ref_count)) {
		log_sentence(why, "the references of %.*s are not in their order", (int)path.len, path.bytes);
		return false;
	}
	if (deriver.len > 0 && !store_path_is_drv(deriver)) {
		log_sentence(why, "the deriver of %.*s is no derivation", (int)path.len, path.bytes);
		return false;
	}
	if (ca.len == 0)
		return true;
	*err = content_address_check(s->message_limits.store_dir, path, ca, refs, ref_count, &address);
	if (*err == ERR_NONE)
		return true;
	if (*err == ERR_MEMORY) {
		*err = session_no_memory(s);
		return false;
	}
	*err = ERR_NONE;
	log_sentence(why, "%.*s is not the path that its content address %.*s gives", (int)path.len, path.bytes,
		     (int)ca.len, ca.bytes);
	return false;
}

/* Where signatures are the daemon's to check, all go up; where they are not, those alone that were checked here. */
static enum storable judge_partly_trusted(struct session *s, struct value *head, const struct text *refs,
					  size_t ref_count)
{
	struct value *signatures = value_at(head, head_shape(s), "signatures");
	bool verified[SIGNATURES_MAX], believed, addressed = value_of(head, head_shape(s), "ca")->len > 0;
	struct text reference;

	if (storable_refers_to(head, &s->taken_off, &reference))
		return STORABLE_NOT;
	believed = signed_by_grant(s, head, refs, ref_count, verified);
	if (addressed || believed)
		keep(signatures, verified);
	if (addressed)
		return STORABLE_CHECKED;
	if (believed)
		return STORABLE_BELIEVED;
	return signatures->count > 0 ? STORABLE_CHECKED : STORABLE_NOT;
}

enum err storable_judge(struct session *s, struct value *head, enum storable *out, char *why)
{
	const struct shape *shape = head_shape(s);
	const struct value *references = value_of(head, shape, "references");
	struct text *refs = references_of(s, references);
	enum err err = ERR_NONE;
	bool asked_belief = value_of(head, shape, "dontCheckSigs")->number == 1;

	*out = STORABLE_NEVER;
	if (refs == NULL)
		return session_no_memory(s);
	drop_malformed(value_at(head, shape, "signatures"));
	if (!is_sound(s, head, refs, references->count, why, &err))
		return err;
	if (s->key->grant->trust == TRUST_FULL)
		*out = asked_belief ? STORABLE_BELIEVED : STORABLE_CHECKED;
	else
		*out = judge_partly_trusted(s, head, refs, references->count);
	return ERR_NONE;
}
