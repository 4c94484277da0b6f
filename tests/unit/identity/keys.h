/* keys: for the tests of identity: the keys of tests/corpus/ssh, and certificates put together by hand. */
#ifndef TESTS_UNIT_IDENTITY_KEYS_H
#define TESTS_UNIT_IDENTITY_KEYS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "gateway/base/log.h"
#include "gateway/identity/ssh_key.h"

#define CORPUS "tests/corpus/ssh/"

struct key_line {
	char type[64], base64[8192];    /* the first two words of a .pub file */
};

static inline struct key_line corpus_key(const char *name)
{
	struct key_line line;
	char path[256];
	FILE *file;

	snprintf(path, sizeof path, CORPUS "%s.pub", name);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%63s %8191s", line.type, line.base64), 2);
	fclose(file);
	return line;
}

/* Bytes of a key, of their own length on the heap, so that the address sanitizer sees the first byte read behind. */
struct blob {
	uint8_t *bytes;
	size_t len;
};

static inline struct blob corpus_blob(const char *name)
{
	struct key_line line = corpus_key(name);
	uint8_t bytes[8192];
	struct blob b = { 0 };

	assert_int_equal(sodium_base642bin(bytes, sizeof bytes, line.base64, strlen(line.base64), NULL, &b.len, NULL,
					   sodium_base64_VARIANT_ORIGINAL), 0);
	b.bytes = malloc(b.len);
	assert_non_null(b.bytes);
	memcpy(b.bytes, bytes, b.len);
	return b;
}

static inline void put_bytes(struct blob *b, const void *bytes, size_t len)
{
	b->bytes = realloc(b->bytes, b->len + len + 1);
	assert_non_null(b->bytes);
	if (len > 0)
		memcpy(b->bytes + b->len, bytes, len);
	b->len += len;
}

static inline void put_number(struct blob *b, uint64_t value, size_t size)
{
	for (size_t i = size; i > 0; i--)
		put_bytes(b, &(uint8_t){ (uint8_t)(value >> (8 * (i - 1))) }, 1);
}

static inline void put_string(struct blob *b, const void *bytes, size_t len)
{
	put_number(b, len, 4);
	put_bytes(b, bytes, len);
}

static inline void put_word(struct blob *b, const char *word)
{
	put_string(b, word, strlen(word));
}

/* Asserts the refusal: its kind, an empty result and words of its sentence. Frees the blob. */
static inline void assert_refused(struct blob b, enum err err, const char *words)
{
	struct ssh_identity identity;
	char why[SENTENCE_MAX] = "";

	assert_int_equal(ssh_key_parse(b.bytes, b.len, &identity, why), err);
	if (strstr(why, words) == NULL)
		fail_msg("'%s' is not in '%s'", words, why);
	assert_null(identity.type);
	assert_null(identity.key_id);
	assert_null(identity.principals);
	assert_string_equal(identity.fingerprint, "");
	free(b.bytes);
}

#endif
