/* storable: may an uploaded path go into the store, and on whose word? Judged from what is said of it, before its bytes:
 * a content-addressed path must be the one that its address gives; a signature is checked by us against the key's own
 * list, or left to the daemon to check. The daemon compares the bytes with what is said here.
 * Owner   nothing; texts are the caller's. */
#ifndef GATEWAY_SESSION_STORABLE_H
#define GATEWAY_SESSION_STORABLE_H

#include "gateway/session/session.h"

enum storable {
	STORABLE_CHECKED,       /* goes up; the daemon checks it as from anybody (dontCheckSigs 0) */
	STORABLE_BELIEVED,      /* goes up as trusted (dontCheckSigs 1): signed by a key of the grant, or trust full */
	STORABLE_NOT,           /* neither content-addressed nor signed, or it refers to what was taken off the wire */
	STORABLE_NEVER          /* contradicts itself: `why` says how */
};

/* `head`: values of AddToStoreNar's request, in which the signatures worth keeping are left: what is well-formed, and of a
 * path that nobody else checks, what verifies by the grant's keys. `why`: SENTENCE_MAX bytes. Errors as session.h. */
MUST_USE enum err storable_judge(struct session *s, struct value *head, enum storable *out, char *why);

/* The first reference (not to itself) of the path that is in the set; false: there is none. */
bool storable_refers_to(const struct value *head, const struct path_set *set, struct text *reference);

/* Does the grant have unverifiable uploads taken off the wire and rebuilt, where the client is a build hook? */
bool storable_rebuilds(const struct grant *grant);

#endif
