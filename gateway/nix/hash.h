/* hash: the algorithms that content addresses may name, and lower-case hexadecimal.
 * Only sha256 is ever computed here; the others are names and lengths. */
#ifndef GATEWAY_NIX_HASH_H
#define GATEWAY_NIX_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/nix/text.h"

enum { HASH_MAX = 64, SHA256_LEN = 32, HEX_MAX = 2 * HASH_MAX + 1 };

#define HASH_ALGO_LIST(X)       \
	X(MD5, "md5", 16)       \
	X(SHA1, "sha1", 20)     \
	X(SHA256, "sha256", 32) \
	X(SHA512, "sha512", 64)

#define HASH_ALGO_ENUM(name, text, len) HASH_##name,
enum hash_algo { HASH_ALGO_LIST(HASH_ALGO_ENUM) };

struct hash {
	enum hash_algo algo;
	uint8_t bytes[HASH_MAX];        /* hash_len(algo) of them */
};

const char *hash_name(enum hash_algo algo);
size_t hash_len(enum hash_algo algo);
bool hash_algo_named(struct text name, enum hash_algo *algo);   /* exactly one of the list; false: none */

/* Two digits a byte and a NUL: out holds 2 * len + 1. */
void hex_encode(const uint8_t *bytes, size_t len, char *out);
/* Exactly 2 * len digits, lower case. */
bool hex_decode(struct text text, uint8_t *bytes, size_t len);

#endif
