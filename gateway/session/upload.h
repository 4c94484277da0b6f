/* upload: what a client sends into the store. Judged by its head, then by its bytes while they pass; what cannot be
 * verified is refused by name or, where the client is a build hook and the grant says so, taken off the wire: the
 * builder then makes it itself, from the derivations that follow.
 * The client is never told the end before its own last frame; an error is told at once, and the rest is drained.
 * Errors  as session.h. */
#ifndef GATEWAY_SESSION_UPLOAD_H
#define GATEWAY_SESSION_UPLOAD_H

#include "gateway/session/intake.h"

/* The worker protocol's handlers, from request to answer. */
MUST_USE enum err upload_add_to_store(struct session *s, const struct value *request);
MUST_USE enum err upload_add_text(struct session *s, const struct value *request);
MUST_USE enum err upload_nar(struct session *s, const struct value *request);
MUST_USE enum err upload_multiple(struct session *s, const struct value *request);
MUST_USE enum err upload_log(struct session *s, const struct value *request);

/* For the serve protocol: one path whose archive comes next (its narSize bytes, all of them taken), or lies in the spool,
 * where s->nar has judged it. *stored is false where it was refused, and `why` (SENTENCE_MAX bytes) says why.
 * `head`: values of AddToStoreNar's request. */
MUST_USE enum err upload_one(struct session *s, struct value *head, bool *stored, char *why);
MUST_USE enum err upload_spooled(struct session *s, struct value *head, bool *stored, char *why);

/* Refuses the running framed upload: the error goes at once, the client's frames are drained. */
MUST_USE enum err upload_refuse(struct session *s, const char *sentence);

enum { UPLOAD_MAX_SHIFT = 38 };         /* content of one request: 256 GiB */
#define UPLOAD_MAX (UINT64_C(1) << UPLOAD_MAX_SHIFT)
#define UPLOAD_NAR_MAX (UINT64_C(16) << 30)     /* one archive: 16 GiB */

#endif
