/* closure: all that some paths refer to, directly or not, by asking the daemon for one after the other.
 * Errors  as session.h. A path that is not valid is an error of the operation: `why` (SENTENCE_MAX bytes) says which,
 *         and *whole is false. */
#ifndef GATEWAY_SESSION_CLOSURE_H
#define GATEWAY_SESSION_CLOSURE_H

#include "gateway/session/path_set.h"
#include "gateway/session/session.h"

enum { CLOSURE_MAX = 200000 };

/* Adds the closure of paths (items of one path each) to `set`. with_outputs: also the valid outputs of each .drv. */
MUST_USE enum err closure_find(struct session *s, const struct value *paths, bool with_outputs, struct path_set *set,
			       bool *whole, char *why);

#endif
