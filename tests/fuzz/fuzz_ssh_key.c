/* Any bytes as a public key or certificate. Property: what is taken is taken whole, so no beginning of it and nothing
 * behind it is a key; a certificate's fingerprint is that of the plain key within, made here by itself; what only sshd
 * judges (the signature) changes nothing; as the two words of a line it is the same key. */
#include <sodium.h>

#include "gateway/base/log.h"
#include "gateway/identity/ssh_key.h"
#include "tests/fuzz/holds.h"

#define CERTIFICATE "-cert-v01@openssh.com"

enum { CUTS = 128 };

static bool takes(const uint8_t *blob, size_t len, struct ssh_identity *out)
{
	char why[SENTENCE_MAX] = "";
	uint8_t *exact = malloc(len > 0 ? len : 1);     /* of its own length: a byte read behind is seen */
	enum err err;

	HOLDS(exact != NULL);
	if (len > 0)
		memcpy(exact, blob, len);
	err = ssh_key_parse(exact, len, out, why);
	free(exact);
	if (!err)
		return true;
	HOLDS(why[0] != '\0' && out->type == NULL && out->key_id == NULL && out->principals == NULL);
	HOLDS(out->fingerprint[0] == '\0' && out->ca_fingerprint[0] == '\0' && out->principal_count == 0);
	return false;
}

static bool refuses(const uint8_t *blob, size_t len)
{
	struct ssh_identity other;
	bool taken = takes(blob, len, &other);

	ssh_key_free(&other);
	return !taken;
}

static void same(const struct ssh_identity *a, const struct ssh_identity *b)
{
	HOLDS(strcmp(a->type, b->type) == 0 && strcmp(a->fingerprint, b->fingerprint) == 0);
	HOLDS(a->certificate == b->certificate && strcmp(a->ca_fingerprint, b->ca_fingerprint) == 0);
	HOLDS(a->serial == b->serial && a->principal_count == b->principal_count);
	HOLDS((a->key_id == NULL) == (b->key_id == NULL) && (a->key_id == NULL || strcmp(a->key_id, b->key_id) == 0));
	for (size_t i = 0; i < a->principal_count; i++)
		HOLDS(strcmp(a->principals[i], b->principals[i]) == 0);
}

static size_t string_at(const uint8_t *blob, size_t at)
{
	return 4 + ((size_t)blob[at] << 24 | (size_t)blob[at + 1] << 16 | (size_t)blob[at + 2] << 8 | blob[at + 3]);
}

static void put_string(uint8_t *out, size_t *len, const void *bytes, size_t n)
{
	uint8_t head[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };

	memcpy(out + *len, head, 4);
	memcpy(out + *len + 4, bytes, n);
	*len += 4 + n;
}

/* The plain key that a blob holds: its name, then the fields that its kind has. */
static size_t plain_key(const uint8_t *blob, const struct ssh_identity *id, uint8_t *out)
{
	const char *cut = strstr(id->type, CERTIFICATE);
	char name[128];
	size_t len = 0, start, end, fields = strncmp(id->type, "sk-ecdsa", 8) == 0 ? 3 : 2;

	snprintf(name, sizeof name, "%.*s%s", (int)(cut - id->type), id->type,
		 strncmp(id->type, "sk-", 3) == 0 ? "@openssh.com" : "");
	if (strncmp(id->type, "ssh-ed25519", 11) == 0)
		fields = 1;
	start = string_at(blob, 0);
	start += string_at(blob, start);                /* the nonce */
	for (end = start; fields > 0; fields--)
		end += string_at(blob, end);
	put_string(out, &len, name, strlen(name));
	memcpy(out + len, blob + start, end - start);
	return len + end - start;
}

static void fingerprint_is_of(const char *fingerprint, const uint8_t *plain, size_t len)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	char text[64] = "SHA256:";

	crypto_hash_sha256(hash, plain, len);
	sodium_bin2base64(text + 7, sizeof text - 7, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	HOLDS(strcmp(fingerprint, text) == 0);
}

static void certificate_is_its_key(const uint8_t *blob, size_t len, const struct ssh_identity *id)
{
	uint8_t *plain = malloc(len + 128);
	struct ssh_identity inner, other;
	size_t n;

	HOLDS(plain != NULL && strlen(id->ca_fingerprint) == 50 && id->key_id != NULL);
	n = plain_key(blob, id, plain);
	fingerprint_is_of(id->fingerprint, plain, n);
	HOLDS(takes(plain, n, &inner));
	HOLDS(!inner.certificate && strcmp(inner.fingerprint, id->fingerprint) == 0);
	ssh_key_free(&inner);
	memcpy(plain, blob, len);
	if (blob[len - 1] == 0 && blob[len - 2] == 0)   /* may be the end of an empty signature's length */
		goto done;
	plain[len - 1] ^= 1;
	if (takes(plain, len, &other)) {
		same(id, &other);
		ssh_key_free(&other);
	}
done:
	free(plain);
}

static void is_the_same_in_words(const uint8_t *blob, size_t len, const struct ssh_identity *id)
{
	size_t room = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);
	char *base64 = malloc(room), why[SENTENCE_MAX];
	struct ssh_identity words;

	HOLDS(base64 != NULL);
	sodium_bin2base64(base64, room, blob, len, sodium_base64_VARIANT_ORIGINAL);
	HOLDS(ssh_key_parse_words(id->type, base64, &words, why) == ERR_NONE);
	same(id, &words);
	ssh_key_free(&words);
	HOLDS(ssh_key_parse_words("ssh-dss", base64, &words, why) == ERR_PROTO);
	base64[0] = '-';
	HOLDS(ssh_key_parse_words(id->type, base64, &words, why) == ERR_PROTO);
	free(base64);
}

static void is_whole(const uint8_t *blob, size_t len)
{
	uint8_t *longer = malloc(len + 1);

	HOLDS(longer != NULL);
	memcpy(longer, blob, len);
	longer[len] = 0;
	HOLDS(refuses(longer, len + 1));
	free(longer);
	for (size_t cut = 0; cut < len; cut += len / CUTS + 1)
		HOLDS(refuses(blob, cut));
	HOLDS(refuses(blob, len - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ssh_identity id;

	HOLDS(sodium_init() >= 0);
	if (!takes(data, size, &id))
		return 0;
	HOLDS(strlen(id.fingerprint) == 50 && id.certificate == (strstr(id.type, CERTIFICATE) != NULL));
	if (id.certificate)
		certificate_is_its_key(data, size, &id);
	else
		fingerprint_is_of(id.fingerprint, data, size);
	is_the_same_in_words(data, size, &id);
	is_whole(data, size);
	ssh_key_free(&id);
	return 0;
}
