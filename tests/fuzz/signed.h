/* signed: whose signatures a path goes up with, found out apart from the gateway: what they cover is put together here from
 * what the daemon was told, and checked with libsodium alone. */
#ifndef TESTS_FUZZ_SIGNED_H
#define TESTS_FUZZ_SIGNED_H

#include <inttypes.h>

#include <sodium.h>

#include "tests/fuzz/heard.h"

/* The fields of AddToStoreNar. */
struct added {
	const struct seen *path, *hash, *refs, *size, *signatures, *ca;
	uint64_t ref_count, signature_count;
	bool believed;                  /* the daemon need not check */
};

/* "path deriver hash *references time size ultimate *signatures ca repair dontCheckSigs" */
static struct added added_of(const struct request *q)
{
	const struct seen *f = q->fields, *tail = f + 4 + f[3].number, *end = f + q->count - 3;

	return (struct added){ .path = f, .hash = f + 2, .refs = f + 4, .ref_count = f[3].number, .size = tail + 1,
			       .signatures = tail + 4, .signature_count = tail[3].number, .ca = end,
			       .believed = end[2].number == 1 };
}

/* The hash in Nix's base 32: five bits a digit, the last bits first. */
static void signed_hash(const struct seen *hash, char digits[53])
{
	unsigned char bytes[32];
	size_t len;

	HOLDS(sodium_hex2bin(bytes, sizeof bytes, hash->text, hash->len, NULL, &len, NULL) == 0 && len == sizeof bytes);
	for (size_t i = 0; i < 52; i++) {
		size_t value = 0;

		for (size_t bit = 5 * (52 - i); bit-- > 5 * (51 - i);)
			value = 2 * value + (bit < 256 && (bytes[bit / 8] >> bit % 8 & 1) != 0);
		digits[i] = "0123456789abcdfghijklmnpqrsvwxyz"[value];
	}
	digits[52] = '\0';
}

static void signed_put(struct buf *out, const char *text, size_t len)
{
	HOLDS(buf_put(out, text, len) == ERR_NONE);
}

/* "1;PATH;sha256:HASH;SIZE;REFERENCE,REFERENCE" */
static void signed_fingerprint(struct buf *out, const struct added *a)
{
	char digits[53], middle[128];

	signed_hash(a->hash, digits);
	snprintf(middle, sizeof middle, ";sha256:%s;%" PRIu64 ";", digits, a->size->number);
	signed_put(out, "1;", 2);
	signed_put(out, a->path->text, a->path->len);
	signed_put(out, middle, strlen(middle));
	for (uint64_t i = 0; i < a->ref_count; i++) {
		if (i > 0)
			signed_put(out, ",", 1);
		signed_put(out, a->refs[i].text, a->refs[i].len);
	}
}

/* "NAME:BASE64" of this key's name and over these bytes. */
static bool signed_by(const char *key, const struct seen *signature, const struct buf *fingerprint)
{
	const char *colon = strchr(key, ':');
	size_t name = (size_t)(colon - key) + 1, len;
	unsigned char public[crypto_sign_PUBLICKEYBYTES], bytes[crypto_sign_BYTES];

	HOLDS(sodium_base642bin(public, sizeof public, colon + 1, strlen(colon + 1), NULL, &len, NULL,
				sodium_base64_VARIANT_ORIGINAL) == 0 && len == sizeof public);
	if (signature->len < name || memcmp(signature->text, key, name) != 0 ||
	    sodium_base642bin(bytes, sizeof bytes, signature->text + name, signature->len - name, NULL, &len, NULL,
			      sodium_base64_VARIANT_ORIGINAL) != 0 || len != sizeof bytes)
		return false;
	return crypto_sign_verify_detached(bytes, buf_data(fingerprint), buf_len(fingerprint), public) == 0;
}

/* How many of the signatures are of keys that the stance believes. */
static uint64_t signed_count(const struct stance *stance, const struct added *a)
{
	static const char *const keys[] = { FUZZ_KEY, FUZZ_OTHER_KEY };
	struct buf fingerprint;
	uint64_t count = 0;

	if (!stance->believes)
		return 0;
	buf_init(&fingerprint, 1 << 26);
	signed_fingerprint(&fingerprint, a);
	for (uint64_t i = 0; i < a->signature_count; i++)
		count += signed_by(keys[0], &a->signatures[i], &fingerprint) ||
			 signed_by(keys[1], &a->signatures[i], &fingerprint);
	buf_free(&fingerprint);
	return count;
}

/* References have one order, or two paths could have one fingerprint. */
static bool signed_in_order(const struct added *a)
{
	for (uint64_t i = 1; i < a->ref_count; i++) {
		const struct seen *before = &a->refs[i - 1], *ref = &a->refs[i];
		int order = memcmp(before->text, ref->text, before->len < ref->len ? before->len : ref->len);

		if (order > 0 || (order == 0 && before->len >= ref->len))
			return false;
	}
	return true;
}

/* The daemon is told not to check where a key of the grant has signed just this, and only there; what it would keep
 * unchecked, signatures among it, was checked here; and what a key of the grant has signed is not left to it to doubt. */
static void signed_watch(const struct stance *stance, const struct added *a)
{
	uint64_t count = signed_count(stance, a);
	bool addressed = a->ca->len > 0;

	HOLDS(a->believed == (count > 0 && !addressed));
	HOLDS(!(a->believed || addressed) || count == a->signature_count);
	HOLDS(!a->believed || (a->size->number > 0 && signed_in_order(a)));
}

#endif
