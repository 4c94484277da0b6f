/* basic: a derivation that comes by value (BuildDerivation), read out of a request and judged.
 * Its outputs are the client's word. Content-addressed ones can be recomputed from it; input-addressed ones cannot.
 * Owner   texts live in s->arena.
 * Errors  as judge.h. */
#ifndef GATEWAY_SESSION_BASIC_H
#define GATEWAY_SESSION_BASIC_H

#include "gateway/session/session.h"

struct basic {
	struct derivation drv;          /* checked */
	struct build_ask ask;
	struct store_path drv_path;     /* what the daemon is told: the path that the text itself has */
	bool stored;                    /* the builder holds the named .drv with the very same outputs: build that one */
};

MUST_USE enum err basic_judge(struct session *s, const struct value *request, const struct shape *shape,
			      struct basic *out, char *refusal, struct rule *rule);

#endif
