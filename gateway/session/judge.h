/* judge: may what a request would build be built? Everything that could run is judged when it is asked for: from the
 * wanted outputs down the input derivations, by the daemon's own copy of each.
 * A derivation whose wanted outputs are all valid does not run, and is passed by; the outputs are held by temporary
 * roots before they are looked at, so that what was valid stays so.
 * Errors  as session.h. ERR_DENIED: refused; `refusal` (SENTENCE_MAX bytes) says why, *rule what decided. */
#ifndef GATEWAY_SESSION_JUDGE_H
#define GATEWAY_SESSION_JUDGE_H

#include "gateway/nix/derived_path.h"
#include "gateway/session/session.h"

/* `targets`: a list of derived paths, as requests carry them. What policy refuses but a substituter has is fetched
 * first, where the grant allows that; then the answer is final. */
MUST_USE enum err judge_targets(struct session *s, const struct value *targets, char *refusal, struct rule *rule);

/* One derivation's facts by themselves. */
MUST_USE enum err judge_ask(struct session *s, const struct build_ask *ask, char *refusal, struct rule *rule);

#endif
