/* signature: ed25519 over what a path's info says, and the keys it is checked against.
 * It covers path, NAR hash, NAR size and references, and nothing else: deriver, ca and times stay mere claims.
 * Errors  ERR_PROTO: a text is no key, or the info is not canonical.
 * Source  NixOS/nix libstore/path-info.cc (fingerprint), libutil/signature/local-keys.cc. */
#ifndef GATEWAY_NIX_SIGNATURE_H
#define GATEWAY_NIX_SIGNATURE_H

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/nix/hash.h"
#include "gateway/nix/store_path.h"

enum { PUBLIC_KEY_LEN = 32, SIGNATURE_LEN = 64, KEY_NAME_MAX = 128 };

struct public_key {
	struct text name;       /* borrows from the text it was parsed from */
	uint8_t bytes[PUBLIC_KEY_LEN];
};

struct signature {
	struct text name;       /* borrows, likewise */
	uint8_t bytes[SIGNATURE_LEN];
};

/* "NAME:BASE64", split at the first colon; the base64 padded, with nothing behind it. */
MUST_USE enum err public_key_parse(struct text text, struct public_key *out);
MUST_USE enum err signature_parse(struct text text, struct signature *out);

/* `count` C strings into keys that live in the arena. ERR_PROTO also: two of one name, for which of them counts is
 * nothing to be guessed; *bad (may be NULL) is then the place of the faulty one. */
MUST_USE enum err public_keys_parse(struct arena *arena, char *const *texts, size_t count, struct public_key **out,
				    size_t *bad);

struct signed_info {
	struct text path;               /* store_path_ok */
	const uint8_t *nar_hash;        /* SHA256_LEN bytes */
	uint64_t nar_size;              /* not 0 */
	const struct text *refs;        /* store_path_ok and ascending; the path itself among them if it is one */
	size_t ref_count;
};

/* Puts the bytes that are signed: "1;PATH;sha256:NIX32;SIZE;REF,REF". ERR_PROTO: size 0, or refs do not ascend;
 * ERR_LIMIT, ERR_MEMORY: of the buf. On an error the buf holds a part; free it. */
MUST_USE enum err fingerprint_put(struct buf *out, const struct signed_info *info);

/* Is `signature` one of these keys' over the fingerprint? A text that is no signature is none. */
bool signature_verifies(const struct public_key *keys, size_t count, struct text signature, const void *fingerprint,
			size_t len);

#endif
