/* worker: the gateway as a worker server: requests of an ssh-ng client, one after the other, until it leaves.
 * Errors  as session.h: worker_serve returns only when the session has ended. */
#ifndef GATEWAY_SESSION_WORKER_H
#define GATEWAY_SESSION_WORKER_H

#include "gateway/session/session.h"

MUST_USE enum err worker_serve(struct session *s);

/* An archive from the daemon to the client, judged on its way. For the serve protocol as well. */
MUST_USE enum err relay_nar(struct session *s, struct text path);

/* Is the path valid, says the daemon? */
MUST_USE enum err ask_valid(struct session *s, struct text path, bool *valid);

#endif
