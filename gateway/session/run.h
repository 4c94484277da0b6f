/* run: one whole session with relay = filter, from the first byte to the last record. */
#ifndef GATEWAY_SESSION_RUN_H
#define GATEWAY_SESSION_RUN_H

#include "gateway/session/session.h"

/* `s` is initialised, `backend` open. Speaks with both sides until the session has ended; s->outcome and s->why say
 * how. True: it ended well (the client left between two requests). */
bool session_run(struct session *s, struct backend *backend);

/* Says hello to the daemon alone, without a client: s->upstream and s->trust are filled then. False with a sentence in
 * `why` (SENTENCE_MAX bytes). Either way the backend is closed. */
bool session_inquire(struct session *s, struct backend *backend, char *why);

#endif
