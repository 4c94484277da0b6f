/* request: from one request of the client to the next, in either protocol.
 * Errors  as session.h. */
#ifndef GATEWAY_SESSION_REQUEST_H
#define GATEWAY_SESSION_REQUEST_H

#include "gateway/session/session.h"

/* Waits for the next request and decodes its head: s->op is its row, *request the values of its fields, in s->arena and
 * the session's own to change. A number that is in no row ends the session: its length is not known. */
MUST_USE enum err request_read(struct session *s, const struct op_table *table, struct value **request);

/* It is answered: nothing of it is kept, and the client takes what was said before the next one is read. */
MUST_USE enum err request_done(struct session *s);

#endif
