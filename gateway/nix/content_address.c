#include "gateway/nix/content_address.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* How a method is written in front of the algorithm, where an upload or a path says it and where an output does. */
static const struct {
	const char *upload, *output;
} prefixes[] = {
	[CONTENT_TEXT] = { "text:", "text:" },
	[CONTENT_NAR] = { "fixed:r:", "r:" },
	[CONTENT_FLAT] = { "fixed:", "" },      /* last: it is a beginning of the one before */
};

_Static_assert(CONTENT_TEXT < CONTENT_NAR && CONTENT_NAR < CONTENT_FLAT, "prefixes are tried in this order");

static enum err parse_method(struct text text, bool output, enum content_method *method, enum hash_algo *algo)
{
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		const char *prefix = output ? prefixes[i].output : prefixes[i].upload;

		if (!text_starts(text, prefix))
			continue;
		*method = (enum content_method)i;
		if (!hash_algo_named(text_part(text, strlen(prefix), text.len), algo))
			return ERR_PROTO;
		return *method == CONTENT_TEXT && *algo != HASH_SHA256 ? ERR_PROTO : ERR_NONE;
	}
	return ERR_PROTO;
}

enum err content_method_parse(struct text text, enum content_method *method, enum hash_algo *algo)
{
	return parse_method(text, false, method, algo);
}

enum err content_method_parse_output(struct text text, enum content_method *method, enum hash_algo *algo)
{
	return parse_method(text, true, method, algo);
}

enum err content_address_parse(struct text text, struct content_address *out)
{
	size_t colon = text.len;
	enum err err;

	while (colon > 0 && text.bytes[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return ERR_PROTO;
	err = parse_method(text_part(text, 0, colon - 1), false, &out->method, &out->hash.algo);
	if (err)
		return err;
	return nix32_decode(text.bytes + colon, text.len - colon, out->hash.bytes, hash_len(out->hash.algo))
		? ERR_NONE : ERR_PROTO;
}

/* Writes a string without its NUL and returns the place behind it. */
static char *append(char *at, const char *string)
{
	size_t len = strlen(string);

	memcpy(at, string, len);
	return at + len;
}

size_t content_address_render(const struct content_address *ca, char *out)
{
	size_t len = hash_len(ca->hash.algo);
	char *end = append(out, prefixes[ca->method].upload);

	end = append(end, hash_name(ca->hash.algo));
	*end++ = ':';
	nix32_encode(ca->hash.bytes, len, end);
	end += nix32_len(len);
	*end = '\0';
	return (size_t)(end - out);
}

/* sha256 of "fixed:out:METHODALGO:HEX:": what stands for any content but text and NARs by sha256. */
static void fixed_inner(const struct content_address *ca, uint8_t inner[SHA256_LEN])
{
	char text[sizeof "fixed:out:r:sha512::" + HEX_MAX], *end = append(text, "fixed:out:");

	end = append(end, prefixes[ca->method].output);
	end = append(end, hash_name(ca->hash.algo));
	*end++ = ':';
	hex_encode(ca->hash.bytes, hash_len(ca->hash.algo), end);
	end = append(end + 2 * hash_len(ca->hash.algo), ":");
	crypto_hash_sha256(inner, (const unsigned char *)text, (size_t)(end - text));
}

enum err content_address_path(const char *store_dir, const struct content_address *ca, struct text name,
			      const struct text *refs, size_t ref_count, bool self, struct store_path *out)
{
	uint8_t inner[SHA256_LEN];
	struct store_path_seed seed = {
		.type = "output:out", .refs = refs, .ref_count = ref_count, .self = self, .inner = ca->hash.bytes,
	};

	if (ca->method == CONTENT_TEXT) {
		if (self)
			return ERR_PROTO;
		seed.type = "text";
	} else if (ca->method == CONTENT_NAR && ca->hash.algo == HASH_SHA256) {
		seed.type = "source";
	} else {
		if (self || ref_count > 0)
			return ERR_PROTO;
		fixed_inner(ca, inner);
		seed.inner = inner;
	}
	return store_path_make(store_dir, &seed, name, out);
}

/* The references but for the path itself, which must be among them, in memory of their own. */
static enum err path_without_self(const char *store_dir, const struct content_address *ca, struct text path,
				  const struct text *refs, size_t ref_count, struct store_path *out)
{
	struct text *others = calloc(ref_count + 1, sizeof *others);
	size_t count = 0;
	enum err err;

	if (others == NULL)
		return ERR_MEMORY;
	for (size_t i = 0; i < ref_count; i++)
		if (!text_equal(refs[i], path))
			others[count++] = refs[i];
	err = content_address_path(store_dir, ca, store_path_name(path), others, count, true, out);
	free(others);
	return err;
}

enum err content_address_check(const char *store_dir, struct text path, struct text ca,
			       const struct text *refs, size_t ref_count, struct content_address *out)
{
	struct store_path made;
	enum err err = content_address_parse(ca, out);

	if (err)
		return err;
	if (!store_path_ok(store_dir, path) || !texts_ascend(refs, ref_count))
		return ERR_PROTO;
	for (size_t i = 0; i < ref_count; i++)
		if (!store_path_ok(store_dir, refs[i]))
			return ERR_PROTO;
	if (store_path_is_drv(path) && out->method != CONTENT_TEXT)
		return ERR_PROTO;
	if (texts_hold(refs, ref_count, path))
		err = path_without_self(store_dir, out, path, refs, ref_count, &made);
	else
		err = content_address_path(store_dir, out, store_path_name(path), refs, ref_count, false, &made);
	if (err)
		return err;
	return text_equal(store_path_text(&made), path) ? ERR_NONE : ERR_PROTO;
}
