/* known: paths of which the daemon has said in this session that they are valid, so that it need not be asked once more
 * before each download. It forgets: what is not known is asked for.
 * Owner   nothing is allocated. Paths are kept as keyed hashes, so that nobody can choose paths that pass for others. */
#ifndef GATEWAY_SESSION_KNOWN_H
#define GATEWAY_SESSION_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/nix/text.h"

enum { KNOWN_SLOTS = 8192 };

struct known {
	unsigned char key[16];
	uint64_t slots[KNOWN_SLOTS];    /* hash of a path at the place it gives; 0: free */
};

void known_init(struct known *k);
void known_add(struct known *k, struct text path);
bool known_holds(const struct known *k, struct text path);

#endif
