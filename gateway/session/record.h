/* record: the audit's records of what was done: builds, uploads, what was taken off the wire.
 * Errors  ERR_IO ends the session: what cannot be recorded is not done. */
#ifndef GATEWAY_SESSION_RECORD_H
#define GATEWAY_SESSION_RECORD_H

#include "gateway/session/session.h"

/* A build of a derived path (or bare .drv) or, record_ask, of a derivation that was judged by itself. */
MUST_USE enum err record_build(struct session *s, struct text target, const char *outcome, int64_t started_ms);
MUST_USE enum err record_ask(struct session *s, const struct build_ask *ask, const char *outcome, int64_t started_ms);

/* event: "upload" or "rebuild" (taken off the wire, to be rebuilt here). */
MUST_USE enum err record_upload(struct session *s, const char *event, struct text path, uint64_t bytes);

#endif
