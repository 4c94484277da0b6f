#include "gateway/nix/signature.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/base64.h"
#include "gateway/nix/nix32.h"

/* A name is shown to people and compared; nothing that could be taken for something else. */
static bool name_ok(struct text name)
{
	if (name.len == 0 || name.len > KEY_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.bytes[i] <= ' ' || name.bytes[i] > '~')
			return false;
	return true;
}

/* "NAME:BASE64" of exactly `len` bytes. */
static enum err parse(struct text text, struct text *name, uint8_t *bytes, size_t len)
{
	struct text coded;
	size_t colon = 0, decoded;

	while (colon < text.len && text.bytes[colon] != ':')
		colon++;
	if (colon == text.len)
		return ERR_PROTO;
	*name = text_part(text, 0, colon);
	coded = text_part(text, colon + 1, text.len);
	if (!name_ok(*name) || coded.len != sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL) - 1)
		return ERR_PROTO;
	return base64_decode(coded.bytes, coded.len, bytes, len, &decoded) && decoded == len ? ERR_NONE : ERR_PROTO;
}

enum err public_key_parse(struct text text, struct public_key *out)
{
	return parse(text, &out->name, out->bytes, sizeof out->bytes);
}

enum err signature_parse(struct text text, struct signature *out)
{
	return parse(text, &out->name, out->bytes, sizeof out->bytes);
}

static bool name_known(const struct public_key *keys, size_t count, struct text name)
{
	for (size_t i = 0; i < count; i++)
		if (text_equal(keys[i].name, name))
			return true;
	return false;
}

enum err public_keys_parse(struct arena *arena, char *const *texts, size_t count, struct public_key **out, size_t *bad)
{
	struct public_key *keys = arena_array(arena, count, sizeof *keys);

	*out = NULL;
	if (keys == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < count; i++) {
		enum err err = public_key_parse(text_of(texts[i]), &keys[i]);

		if (!err && name_known(keys, i, keys[i].name))
			err = ERR_PROTO;
		if (err) {
			if (bad != NULL)
				*bad = i;
			return err;
		}
	}
	*out = keys;
	return ERR_NONE;
}

static enum err put_part(struct buf *out, struct text t)
{
	return buf_put(out, t.bytes, t.len);
}

/* All but the references. */
static enum err put_head(struct buf *out, const struct signed_info *info)
{
	char hash[NIX32_MAX + 1] = "", tail[sizeof ";sha256:;18446744073709551615;" + NIX32_MAX];
	enum err err;
	int n;

	nix32_encode(info->nar_hash, SHA256_LEN, hash);
	n = snprintf(tail, sizeof tail, ";sha256:%s;%" PRIu64 ";", hash, info->nar_size);
	err = buf_put(out, "1;", 2);
	if (!err)
		err = put_part(out, info->path);
	return err ? err : buf_put(out, tail, (size_t)n);
}

enum err fingerprint_put(struct buf *out, const struct signed_info *info)
{
	enum err err;

	if (info->nar_size == 0 || !texts_ascend(info->refs, info->ref_count))
		return ERR_PROTO;
	err = put_head(out, info);
	for (size_t i = 0; i < info->ref_count && !err; i++) {
		if (i > 0)
			err = buf_put(out, ",", 1);
		if (!err)
			err = put_part(out, info->refs[i]);
	}
	return err;
}

bool signature_verifies(const struct public_key *keys, size_t count, struct text signature, const void *fingerprint,
			size_t len)
{
	struct signature s;

	if (signature_parse(signature, &s))
		return false;
	for (size_t i = 0; i < count; i++)
		if (text_equal(keys[i].name, s.name))
			return crypto_sign_verify_detached(s.bytes, fingerprint, len, keys[i].bytes) == 0;
	return false;
}
