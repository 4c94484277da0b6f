/* Any bytes as each of the small texts of Nix: store paths, derived paths, content addresses, keys, signatures, hashes.
 * Property: a text that is taken has one spelling, the one that its meaning is written in; and what a store path is, is
 * said here a second time. */
#include <sodium.h>
#include <stdio.h>

#include "gateway/nix/content_address.h"
#include "gateway/nix/derived_path.h"
#include "gateway/nix/signature.h"
#include "tests/fuzz/holds.h"

#define STORE "/nix/store"

static bool is_name_byte(char c)
{
	return c != '\0' && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._?=", c) != NULL;
}

/* The rule in words: store folder, slash, 32 digits of nix32, dash, 1 to 211 plain bytes of which the first is no dot. */
static bool is_store_path(struct text t)
{
	size_t start = sizeof STORE + 33;

	if (t.len <= start || t.len > start + 211 || memcmp(t.bytes, STORE "/", sizeof STORE) != 0)
		return false;
	for (size_t i = sizeof STORE; i < start - 1; i++)
		if (t.bytes[i] == '\0' || strchr("0123456789abcdfghijklmnpqrsvwxyz", t.bytes[i]) == NULL)
			return false;
	for (size_t i = start; i < t.len; i++)
		if (!is_name_byte(t.bytes[i]))
			return false;
	return t.bytes[start - 1] == '-' && t.bytes[start] != '.';
}

static void as_store_path(struct text t)
{
	HOLDS(store_path_ok(STORE, t) == is_store_path(t));
	if (!is_store_path(t))
		return;
	HOLDS(store_base_ok(store_path_base(t)) && store_name_ok(store_path_name(t)));
	HOLDS(store_path_base(t).len == t.len - sizeof STORE);
	HOLDS(store_path_is_drv(t) == text_ends(t, ".drv"));
}

static void as_derived_path(struct text t)
{
	char again[DERIVED_OUTPUTS_MAX * (STORE_NAME_MAX + 1) + STORE_PATH_MAX + 2];
	struct derived_path d;
	struct text rest, name;
	size_t len, names = 0;

	if (derived_path_parse(STORE, t, &d) != ERR_NONE)
		return;
	HOLDS(is_store_path(d.path) && (!d.built || text_ends(d.path, ".drv")));
	HOLDS(t.len < sizeof again && (!d.all || d.built));
	memcpy(again, d.path.bytes, d.path.len);
	len = d.path.len;
	if (d.built)
		again[len++] = '!';
	if (d.all)
		again[len++] = '*';
	for (rest = d.outputs; derived_path_next(&rest, &name); names++) {
		HOLDS(output_name_ok(name) && derived_path_wants(&d, name));
		if (names > 0)
			again[len++] = ',';
		memcpy(again + len, name.bytes, name.len);
		len += name.len;
	}
	HOLDS(names <= DERIVED_OUTPUTS_MAX && (names > 0) == (d.built && !d.all));
	HOLDS(len == t.len && memcmp(again, t.bytes, len) == 0);
}

static void as_content_address(struct text t)
{
	char again[CONTENT_ADDRESS_MAX];
	struct content_address ca;
	enum content_method method;
	enum hash_algo algo;
	size_t len;

	if (content_address_parse(t, &ca) == ERR_NONE) {
		len = content_address_render(&ca, again);
		HOLDS(len == t.len && memcmp(again, t.bytes, len) == 0);
		HOLDS(ca.method != CONTENT_TEXT || ca.hash.algo == HASH_SHA256);
	}
	if (content_method_parse(t, &method, &algo) == ERR_NONE)
		HOLDS(text_ends(t, hash_name(algo)) && (method != CONTENT_TEXT || text_is(t, "text:sha256")));
	if (content_method_parse_output(t, &method, &algo) == ERR_NONE)
		HOLDS(text_ends(t, hash_name(algo)) && text_starts(t, "r:") == (method == CONTENT_NAR));
}

/* NAME:BASE64 is what it was read from. */
static void is_spelt(struct text t, struct text name, const uint8_t *bytes, size_t len)
{
	char again[256];

	sodium_bin2base64(again, sizeof again, bytes, len, sodium_base64_VARIANT_ORIGINAL);
	HOLDS(name.len >= 1 && t.len == name.len + 1 + strlen(again) && !text_holds(name, ':'));
	HOLDS(memcmp(t.bytes, name.bytes, name.len) == 0 && t.bytes[name.len] == ':');
	HOLDS(memcmp(t.bytes + name.len + 1, again, strlen(again)) == 0);
}

static void as_key_and_signature(struct text t)
{
	struct public_key key;
	struct signature signature;

	if (public_key_parse(t, &key) == ERR_NONE) {
		is_spelt(t, key.name, key.bytes, sizeof key.bytes);
		HOLDS(signature_parse(t, &signature) != ERR_NONE);
		HOLDS(!signature_verifies(&key, 1, t, "x", 1));
	}
	if (signature_parse(t, &signature) == ERR_NONE)
		is_spelt(t, signature.name, signature.bytes, sizeof signature.bytes);
}

static void as_hash(struct text t)
{
	static const size_t lengths[] = { 16, 20, 32, 64 };
	char again[HEX_MAX + NIX32_MAX];
	uint8_t bytes[HASH_MAX];

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		if (nix32_decode(t.bytes, t.len, bytes, lengths[i])) {
			nix32_encode(bytes, lengths[i], again);
			HOLDS(t.len == nix32_len(lengths[i]) && memcmp(again, t.bytes, t.len) == 0);
		}
		if (hex_decode(t, bytes, lengths[i])) {
			hex_encode(bytes, lengths[i], again);
			HOLDS(t.len == strlen(again) && memcmp(again, t.bytes, t.len) == 0);
		}
	}
}

static void as_words(struct text t)
{
	struct text rest = t, word;
	size_t total = 0, blanks = 0;

	while (text_word(&rest, &word)) {
		HOLDS(word.len > 0 && word.bytes >= t.bytes && word.bytes + word.len <= t.bytes + t.len);
		for (size_t i = 0; i < word.len; i++)
			HOLDS(memchr(" \t\n\r", word.bytes[i], 4) == NULL);
		total += word.len;
	}
	for (size_t i = 0; i < t.len; i++)
		blanks += memchr(" \t\n\r", t.bytes[i], 4) != NULL;
	HOLDS(total + blanks == t.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = malloc(size > 0 ? size : 1);      /* no NUL behind it: whoever reads on is seen */
	struct text t = { .bytes = exact, .len = size };

	HOLDS(sodium_init() >= 0 && exact != NULL);
	if (size > 0)
		memcpy(exact, data, size);
	as_store_path(t);
	as_derived_path(t);
	as_content_address(t);
	as_key_and_signature(t);
	as_hash(t);
	as_words(t);
	free(exact);
	return 0;
}
