/* import: ImportPaths of the serve protocol, an export stream: each archive stands in front of the path it belongs to,
 * so it is kept in a file without a name until that is known.
 * Errors  as session.h. */
#ifndef GATEWAY_SESSION_IMPORT_H
#define GATEWAY_SESSION_IMPORT_H

#include "gateway/session/session.h"

/* A file that no other process can open, for s->spool; -1: there is no place for one, and an import then ends the session.
 * To be opened before confinement. */
int import_open_spool(void);

/* Reads the whole stream and adds its paths. *stored: all were added; else `why` (SENTENCE_MAX bytes) says what was not. */
MUST_USE enum err import_paths(struct session *s, bool *stored, char *why);

#endif
