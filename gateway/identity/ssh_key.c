#include "gateway/identity/ssh_key.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/base64.h"
#include "gateway/base/log.h"
#include "gateway/identity/ssh_wire.h"

enum {
	FIELDS_MAX = 3,
	RSA_NUMBER_MAX = 2049,          /* 16384 bits and the byte that keeps them positive: OpenSSH's own bound */
	APPLICATION_MAX = 1024,
	CERTIFICATE_FOR_USER = 1        /* 2: for a host */
};

enum field_kind { FIELD_NONE, FIELD_BYTES, FIELD_WORD, FIELD_POINT, FIELD_NUMBER, FIELD_TEXT };

struct key_field {
	enum field_kind kind;
	size_t size;                    /* exactly, of BYTES and POINT; at most, of NUMBER and TEXT */
	const char *word;               /* of WORD */
};

/* What follows the type's name, in a plain key at once and in a certificate behind its nonce. */
struct key_type {
	const char *name, *certificate_name;
	struct key_field fields[FIELDS_MAX];
};

/* clang-format off */
static const struct key_type key_types[] = {
	{ "ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com",
	  { { FIELD_BYTES, 32, NULL } } },
	{ "ssh-rsa", "ssh-rsa-cert-v01@openssh.com",
	  { { FIELD_NUMBER, RSA_NUMBER_MAX, NULL }, { FIELD_NUMBER, RSA_NUMBER_MAX, NULL } } },
	{ "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com",
	  { { FIELD_WORD, 0, "nistp256" }, { FIELD_POINT, 65, NULL } } },
	{ "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384-cert-v01@openssh.com",
	  { { FIELD_WORD, 0, "nistp384" }, { FIELD_POINT, 97, NULL } } },
	{ "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521-cert-v01@openssh.com",
	  { { FIELD_WORD, 0, "nistp521" }, { FIELD_POINT, 133, NULL } } },
	{ "sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com",
	  { { FIELD_BYTES, 32, NULL }, { FIELD_TEXT, APPLICATION_MAX, NULL } } },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
	  { { FIELD_WORD, 0, "nistp256" }, { FIELD_POINT, 65, NULL }, { FIELD_TEXT, APPLICATION_MAX, NULL } } },
};
/* clang-format on */

static enum err refuse(char *why, enum err err, const char *sentence)
{
	snprintf(why, SENTENCE_MAX, "%s", sentence);
	return err;
}

static enum err malformed(char *why)
{
	return refuse(why, ERR_PROTO, "the SSH key is cut short or malformed: compare it with the client's .pub file");
}

static const struct key_type *find_type(const struct ssh_wire *name, bool *certificate)
{
	for (size_t i = 0; i < sizeof key_types / sizeof *key_types; i++) {
		*certificate = ssh_wire_is(name, key_types[i].certificate_name);
		if (*certificate || ssh_wire_is(name, key_types[i].name))
			return &key_types[i];
	}
	return NULL;
}

/* A positive number in its one shortest spelling: sshd writes a key anew before it takes the fingerprint, so another
 * spelling would be the same key to sshd and another fingerprint to us. */
static bool is_number(const struct ssh_wire *n)
{
	if (n->left == 0 || (n->at[0] & 0x80) != 0)
		return false;
	return n->at[0] != 0 || (n->left > 1 && (n->at[1] & 0x80) != 0);
}

static bool field_is_sound(const struct key_field *field, const struct ssh_wire *value)
{
	switch (field->kind) {
	case FIELD_BYTES:
		return value->left == field->size;
	case FIELD_WORD:
		return ssh_wire_is(value, field->word);
	case FIELD_POINT:
		return value->left == field->size && value->at[0] == 4; /* uncompressed: the one form that SSH uses */
	case FIELD_NUMBER:
		return value->left <= field->size && is_number(value);
	case FIELD_TEXT:
		return value->left <= field->size && ssh_wire_is_text(value);
	case FIELD_NONE:
		break;
	}
	return false;
}

/* Takes a type's fields; *taken is their bytes as they stood. */
static bool take_fields(struct ssh_wire *in, const struct key_type *type, struct ssh_wire *taken)
{
	const uint8_t *start = in->at;

	for (size_t i = 0; i < FIELDS_MAX && type->fields[i].kind != FIELD_NONE; i++) {
		struct ssh_wire value;

		if (!ssh_wire_string(in, SSH_BLOB_MAX, &value) || !field_is_sound(&type->fields[i], &value))
			return false;
	}
	*taken = (struct ssh_wire){ .at = start, .left = (size_t)(in->at - start) };
	return true;
}

/* SHA-256 over the plain key: its name as an SSH string, then its fields. */
static void make_fingerprint(char out[64], const char *name, const struct ssh_wire *fields)
{
	static const char prefix[] = "SHA256:";
	const size_t len = strlen(name);
	const uint8_t head[4] = { 0, 0, 0, (uint8_t)len };      /* names of the table are far under 256 bytes */
	uint8_t hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, head, sizeof head);
	crypto_hash_sha256_update(&state, (const uint8_t *)name, len);
	crypto_hash_sha256_update(&state, fields->at, fields->left);
	crypto_hash_sha256_final(&state, hash);
	memcpy(out, prefix, sizeof prefix);
	sodium_bin2base64(out + sizeof prefix - 1, 64 - (sizeof prefix - 1), hash, sizeof hash,
			  sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}

/* The signer: always a plain key. */
static enum err read_authority(struct ssh_wire blob, struct ssh_identity *out, char *why)
{
	struct ssh_wire name, fields;
	const struct key_type *type;
	bool certificate;

	if (!ssh_wire_string(&blob, SSH_BLOB_MAX, &name))
		return malformed(why);
	type = find_type(&name, &certificate);
	if (type == NULL || certificate)
		return refuse(why, ERR_PROTO, "the SSH certificate is signed by a key of a kind that is not supported: "
					      "sign with an ed25519, ecdsa or rsa key");
	if (!take_fields(&blob, type, &fields) || blob.left > 0)
		return malformed(why);
	make_fingerprint(out->ca_fingerprint, type->name, &fields);
	return ERR_NONE;
}

static enum err copy_text(const struct ssh_wire *bytes, size_t max, const char *what, char **out, char *why)
{
	if (bytes->left > max) {
		snprintf(why, SENTENCE_MAX, "the SSH certificate's %s is longer than %zu bytes: issue it anew", what,
			 max);
		return ERR_LIMIT;
	}
	if (!ssh_wire_is_text(bytes)) {
		snprintf(why, SENTENCE_MAX, "the SSH certificate's %s holds control bytes: issue it anew", what);
		return ERR_PROTO;
	}
	*out = malloc(bytes->left + 1);
	if (*out == NULL)
		return refuse(why, ERR_MEMORY, "out of memory");
	if (bytes->left > 0)
		memcpy(*out, bytes->at, bytes->left);
	(*out)[bytes->left] = '\0';
	return ERR_NONE;
}

/* How many strings there are, or SIZE_MAX where the list is malformed. */
static size_t count_strings(struct ssh_wire list)
{
	size_t count = 0;
	struct ssh_wire item;

	for (; list.left > 0; count++)
		if (!ssh_wire_string(&list, SSH_BLOB_MAX, &item))
			return SIZE_MAX;
	return count;
}

static enum err read_principals(struct ssh_wire list, struct ssh_identity *out, char *why)
{
	size_t count = count_strings(list);
	struct ssh_wire item;

	if (count == SIZE_MAX)
		return malformed(why);
	if (count > SSH_PRINCIPALS_MAX)
		return refuse(why, ERR_LIMIT, "the SSH certificate names more than 256 principals: issue it for fewer");
	if (count == 0)
		return ERR_NONE;
	out->principals = calloc(count, sizeof *out->principals);
	if (out->principals == NULL)
		return refuse(why, ERR_MEMORY, "out of memory");
	while (out->principal_count < count && ssh_wire_string(&list, SSH_BLOB_MAX, &item)) {
		enum err err = copy_text(&item, SSH_PRINCIPAL_MAX, "principal",
					 &out->principals[out->principal_count], why);

		if (err)
			return err;
		out->principal_count++;
	}
	return ERR_NONE;
}

/* What stands behind the key itself in a certificate, to its last byte. Options and validity are sshd's business. */
static enum err read_certificate(struct ssh_wire *in, struct ssh_identity *out, char *why)
{
	struct ssh_wire key_id, principals, ignored, authority;
	uint64_t valid_after, valid_before;
	uint32_t use;
	enum err err;

	if (!ssh_wire_u64(in, &out->serial) || !ssh_wire_u32(in, &use) ||
	    !ssh_wire_string(in, SSH_BLOB_MAX, &key_id) || !ssh_wire_string(in, SSH_BLOB_MAX, &principals) ||
	    !ssh_wire_u64(in, &valid_after) || !ssh_wire_u64(in, &valid_before) ||
	    !ssh_wire_string(in, SSH_BLOB_MAX, &ignored) ||     /* critical options */
	    !ssh_wire_string(in, SSH_BLOB_MAX, &ignored) ||     /* extensions */
	    !ssh_wire_string(in, SSH_BLOB_MAX, &ignored) ||     /* reserved */
	    !ssh_wire_string(in, SSH_BLOB_MAX, &authority) || !ssh_wire_string(in, SSH_BLOB_MAX, &ignored))
		return malformed(why);                          /* the last one is the signature */
	if (use != CERTIFICATE_FOR_USER)
		return refuse(why, ERR_PROTO, "the SSH certificate is not one for a user: sign it without -h");
	err = read_authority(authority, out, why);
	if (!err)
		err = copy_text(&key_id, SSH_KEY_ID_MAX, "key id", &out->key_id, why);
	if (!err)
		err = read_principals(principals, out, why);
	return err;
}

static enum err parse(struct ssh_wire in, struct ssh_identity *out, char *why)
{
	struct ssh_wire name, nonce, fields;
	const struct key_type *type;
	enum err err = ERR_NONE;

	if (in.left > SSH_BLOB_MAX)
		return refuse(why, ERR_LIMIT, "the SSH key is longer than 48 KiB: issue the certificate for less");
	if (!ssh_wire_string(&in, SSH_BLOB_MAX, &name))
		return malformed(why);
	type = find_type(&name, &out->certificate);
	if (type == NULL)
		return refuse(why, ERR_PROTO, "the SSH key is of a kind that is not supported: "
					      "use an ed25519, ecdsa or rsa key, on a security key or not");
	out->type = out->certificate ? type->certificate_name : type->name;
	if (out->certificate && !ssh_wire_string(&in, SSH_BLOB_MAX, &nonce))
		return malformed(why);
	if (!take_fields(&in, type, &fields))
		return malformed(why);
	make_fingerprint(out->fingerprint, type->name, &fields);
	if (out->certificate)
		err = read_certificate(&in, out, why);
	if (!err && in.left > 0)
		err = malformed(why);
	return err;
}

enum err ssh_key_parse(const uint8_t *blob, size_t len, struct ssh_identity *out, char *why)
{
	enum err err;

	*out = (struct ssh_identity){ 0 };
	err = parse((struct ssh_wire){ .at = blob, .left = len }, out, why);
	if (err)
		ssh_key_free(out);
	return err;
}

enum err ssh_key_parse_words(const char *type, const char *base64, struct ssh_identity *out, char *why)
{
	const size_t max = (size_t)SSH_BLOB_MAX / 3 * 4;        /* base64 makes four characters of three bytes */
	size_t text_len = strnlen(base64, max + 1), len;
	uint8_t *blob;
	enum err err;

	*out = (struct ssh_identity){ 0 };
	if (text_len > max)
		return refuse(why, ERR_LIMIT, "the SSH key is longer than 48 KiB: issue the certificate for less");
	blob = malloc(SSH_BLOB_MAX);
	if (blob == NULL)
		return refuse(why, ERR_MEMORY, "out of memory");
	if (!base64_decode(base64, text_len, blob, SSH_BLOB_MAX, &len))
		err = refuse(why, ERR_PROTO, "the SSH key is not base64: compare it with the client's .pub file");
	else
		err = ssh_key_parse(blob, len, out, why);
	free(blob);
	if (!err && strcmp(type, out->type) != 0) {
		snprintf(why, SENTENCE_MAX, "the SSH key is called '%.64s' but says of itself that it is '%s'", type,
			 out->type);
		ssh_key_free(out);
		err = ERR_PROTO;
	}
	return err;
}

void ssh_key_free(struct ssh_identity *identity)
{
	for (size_t i = 0; i < identity->principal_count; i++)
		free(identity->principals[i]);
	free(identity->principals);
	free(identity->key_id);
	*identity = (struct ssh_identity){ 0 };
}
