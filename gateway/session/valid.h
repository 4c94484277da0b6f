/* valid: questions about many paths at once: they are held, and which of them are there.
 * Errors  as session.h. */
#ifndef GATEWAY_SESSION_VALID_H
#define GATEWAY_SESSION_VALID_H

#include "gateway/session/session.h"

/* A temporary root for each, so that what is valid stays so for this session; several asked for ahead. The daemon keeps
 * each, and writes it down each time it is asked, so it is asked once for a path, and for HELD_MAX in all. */
MUST_USE enum err valid_hold(struct session *s, const struct text *paths, size_t count);

/* Which of these paths are valid: one question to the daemon. valid[i] is set for each. */
MUST_USE enum err valid_ask(struct session *s, const struct text *paths, size_t count, bool *valid);

/* What was taken off the wire and has been made here since may be referred to again. After a build. */
MUST_USE enum err valid_forget_made(struct session *s);

#endif
