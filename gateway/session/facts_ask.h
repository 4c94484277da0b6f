/* facts_ask: a derivation's facts in the words that policy understands.
 * Owner   what the question names is copied into the arena; nothing borrows from the facts.
 * Errors  ERR_MEMORY: the arena is full. */
#ifndef GATEWAY_SESSION_FACTS_ASK_H
#define GATEWAY_SESSION_FACTS_ASK_H

#include "gateway/base/arena.h"
#include "gateway/nix/facts.h"
#include "policy/build.h"

/* `wanted` and `came_unsigned` are left false: they are the request's, not the derivation's. */
MUST_USE enum err facts_to_ask(struct arena *arena, const struct facts *facts, struct text drv, struct build_ask *out);

#endif
