/* gate: the one place that asks policy: after the head of a request is decoded, before a byte of it reaches the daemon.
 * Owner   nothing. The request's values are the session's; gate_judge may narrow them (a flag that is cleared).
 * Errors  gate_judge: ERR_DENIED: refused, `refusal` says what the client is told, and the audit has it. Else as
 *         session.h. */
#ifndef GATEWAY_SESSION_GATE_H
#define GATEWAY_SESSION_GATE_H

#include "gateway/session/session.h"

/* Judges s->op with the values of its request. */
MUST_USE enum err gate_judge(struct session *s, struct value *request, char refusal[SENTENCE_MAX]);

/* The subject of the request as its row names it, as text: "" where it has none. */
struct text gate_subject(const struct op *op, const struct value *request);

#endif
