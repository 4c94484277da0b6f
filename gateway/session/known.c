#include "gateway/session/known.h"

#include <string.h>

#include <sodium.h>

void known_init(struct known *k)
{
	memset(k, 0, sizeof *k);
	crypto_shorthash_keygen(k->key);
}

static uint64_t hash_of(const struct known *k, struct text path)
{
	uint64_t hash;

	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)path.bytes, path.len, k->key);
	return hash == 0 ? 1 : hash;
}

void known_add(struct known *k, struct text path)
{
	uint64_t hash = hash_of(k, path);

	k->slots[hash % KNOWN_SLOTS] = hash;
}

bool known_holds(const struct known *k, struct text path)
{
	uint64_t hash = hash_of(k, path);

	return k->slots[hash % KNOWN_SLOTS] == hash;
}
