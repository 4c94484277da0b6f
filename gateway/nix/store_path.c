#include "gateway/nix/store_path.h"

#include <sodium.h>
#include <string.h>

#include "gateway/nix/hash.h"
#include "gateway/nix/nix32.h"

enum { FOLDED_LEN = 20 };       /* bytes that the 32 characters stand for */

static const char DRV[] = ".drv";

struct text store_path_text(const struct store_path *p)
{
	return (struct text){ .bytes = p->bytes, .len = p->len };
}

static bool is_name_character(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' ||
	       c == '.' || c == '_' || c == '?' || c == '=';
}

bool output_name_ok(struct text name)
{
	if (name.len == 0 || name.len > STORE_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!is_name_character(name.bytes[i]))
			return false;
	return true;
}

/* Releases of Nix differ on which names with a dot in front they take. */
bool store_name_ok(struct text name)
{
	return output_name_ok(name) && name.bytes[0] != '.';
}

bool store_base_ok(struct text base)
{
	if (base.len <= STORE_HASH_LEN || base.bytes[STORE_HASH_LEN] != '-')
		return false;
	for (size_t i = 0; i < STORE_HASH_LEN; i++)
		if (!nix32_is_digit(base.bytes[i]))
			return false;
	return store_name_ok(text_part(base, STORE_HASH_LEN + 1, base.len));
}

bool store_path_ok(const char *store_dir, struct text path)
{
	size_t dir = strlen(store_dir);

	return path.len <= STORE_PATH_MAX && path.len > dir && text_starts(path, store_dir) && path.bytes[dir] == '/' &&
	       store_base_ok(text_part(path, dir + 1, path.len));
}

struct text store_path_base(struct text path)
{
	size_t start = path.len;

	while (start > 0 && path.bytes[start - 1] != '/')
		start--;
	return text_part(path, start, path.len);
}

struct text store_path_name(struct text path)
{
	struct text base = store_path_base(path);

	return text_part(base, STORE_HASH_LEN + 1, base.len);
}

bool store_path_is_drv(struct text path)
{
	return text_ends(path, DRV);
}

struct text store_path_drv_name(struct text path)
{
	struct text name = store_path_name(path);

	return text_ends(name, DRV) ? text_part(name, 0, name.len - (sizeof DRV - 1)) : name;
}

struct text store_name_text(const struct store_name *n)
{
	return (struct text){ .bytes = n->bytes, .len = n->len };
}

/* Puts t behind what is there. */
static enum err name_append(struct store_name *n, struct text t)
{
	if (t.len > STORE_NAME_MAX - n->len)
		return ERR_LIMIT;
	if (t.len > 0)
		memcpy(n->bytes + n->len, t.bytes, t.len);
	n->len += t.len;
	n->bytes[n->len] = '\0';
	return ERR_NONE;
}

enum err store_name_join(struct text start, const char *end, struct store_name *out)
{
	enum err err;

	out->len = 0;
	err = name_append(out, start);
	return err ? err : name_append(out, text_of(end));
}

enum err output_path_name(struct text drv_name, struct text output, struct store_name *out)
{
	bool plain = text_is(output, "out");
	enum err err = store_name_join(drv_name, plain ? "" : "-", out);

	return err || plain ? err : name_append(out, output);
}

static void feed(crypto_hash_sha256_state *state, struct text t)
{
	if (t.len > 0)
		crypto_hash_sha256_update(state, (const unsigned char *)t.bytes, t.len);
}

static void feed_string(crypto_hash_sha256_state *state, const char *string)
{
	feed(state, text_of(string));
}

/* The sha256 of "TYPE[:REF]...[:self]:sha256:INNER:STOREDIR:NAME", folded to 20 bytes. */
static void folded_hash(const char *store_dir, const struct store_path_seed *seed, struct text name,
			uint8_t folded[FOLDED_LEN])
{
	crypto_hash_sha256_state state;
	uint8_t hash[SHA256_LEN];
	char inner[2 * SHA256_LEN + 1];

	hex_encode(seed->inner, SHA256_LEN, inner);
	crypto_hash_sha256_init(&state);
	feed_string(&state, seed->type);
	for (size_t i = 0; i < seed->ref_count; i++) {
		feed_string(&state, ":");
		feed(&state, seed->refs[i]);
	}
	feed_string(&state, seed->self ? ":self:sha256:" : ":sha256:");
	feed_string(&state, inner);
	feed_string(&state, ":");
	feed_string(&state, store_dir);
	feed_string(&state, ":");
	feed(&state, name);
	crypto_hash_sha256_final(&state, hash);
	memset(folded, 0, FOLDED_LEN);
	for (size_t i = 0; i < SHA256_LEN; i++)
		folded[i % FOLDED_LEN] ^= hash[i];
}

enum err store_path_make(const char *store_dir, const struct store_path_seed *seed, struct text name,
			 struct store_path *out)
{
	size_t dir = strlen(store_dir);
	uint8_t folded[FOLDED_LEN];
	char *end = out->bytes;

	if (!store_name_ok(name) || !texts_ascend(seed->refs, seed->ref_count))
		return ERR_PROTO;
	if (dir > STORE_PATH_MAX || 1 + STORE_HASH_LEN + 1 + name.len > STORE_PATH_MAX - dir)
		return ERR_LIMIT;
	folded_hash(store_dir, seed, name, folded);
	memcpy(end, store_dir, dir);
	end += dir;
	*end++ = '/';
	nix32_encode(folded, sizeof folded, end);
	end += STORE_HASH_LEN;
	*end++ = '-';
	memcpy(end, name.bytes, name.len);
	end += name.len;
	*end = '\0';
	out->len = (size_t)(end - out->bytes);
	return ERR_NONE;
}
