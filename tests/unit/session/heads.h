/* heads: descriptions of paths as uploads carry them, for tests. */
#ifndef TESTS_UNIT_SESSION_HEADS_H
#define TESTS_UNIT_SESSION_HEADS_H

#include <sodium.h>

#include "gateway/nix/content_address.h"
#include "gateway/session/upstream.h"
#include "tests/unit/session/talk.h"

#define HASH "0a430879c266f8b57f4092a0f935cf3facd48bbccde5760d4748ca405171e969"
#define PLAIN STORE "00000000000000000000000000000000-plain"

static inline const struct shape *shape(const struct talk *t)
{
	return upstream_op(&t->session, OP_ADD_TO_STORE_NAR)->request;
}

static inline struct value *head_of(struct talk *t, const char *path)
{
	struct value *head = values_new(&t->session.arena, shape(t));

	value_set_text(head, shape(t), "path", text_of(path));
	value_set_text(head, shape(t), "narHash", text_of(HASH));
	value_set_number(head, shape(t), "narSize", 120);
	value_set_number(head, shape(t), "dontCheckSigs", 1);
	return head;
}

/* A path whose address is that of its archive, with these references. */
static inline struct value *addressed(struct talk *t, const char *name, const struct value *references)
{
	struct store_path *path = arena_alloc(&t->session.arena, sizeof *path);
	char *text = arena_alloc(&t->session.arena, CONTENT_ADDRESS_MAX);
	struct content_address ca = { .method = CONTENT_NAR, .hash = { .algo = HASH_SHA256 } };
	struct text refs[4];
	struct value *head;

	for (size_t i = 0; i < references->count; i++)
		refs[i] = value_text(&references->items[i]);
	assert_true(hex_decode(text_of(HASH), ca.hash.bytes, SHA256_LEN));
	assert_int_equal(content_address_path("/nix/store", &ca, text_of(name), refs, references->count, false, path),
			 ERR_NONE);
	content_address_render(&ca, text);
	head = head_of(t, path->bytes);
	value_set_text(head, shape(t), "ca", text_of(text));
	*value_at(head, shape(t), "references") = *references;
	return head;
}

/* A derivation's text under its own path. */
static inline struct value *head_of_text(struct talk *t, const char *path, const char *text)
{
	char *address = arena_alloc(&t->session.arena, CONTENT_ADDRESS_MAX);
	struct content_address ca = { .method = CONTENT_TEXT, .hash = { .algo = HASH_SHA256 } };
	struct bytes nar = nar_of_file(text, strlen(text), 0);
	struct value *head = head_of(t, path);

	crypto_hash_sha256(ca.hash.bytes, (const unsigned char *)text, strlen(text));
	content_address_render(&ca, address);
	value_set_text(head, shape(t), "ca", text_of(address));
	value_set_number(head, shape(t), "narSize", nar.len);
	bytes_free(&nar);
	return head;
}

#endif
