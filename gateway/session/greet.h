/* greet: the handshakes of both sides, and what has to be known before a session may begin: that the daemon is there,
 * what it thinks of our account, and that the start is on record.
 * Errors  ERR_DENIED: the session was refused, in the client's handshake where it has one. Else as session.h. */
#ifndef GATEWAY_SESSION_GREET_H
#define GATEWAY_SESSION_GREET_H

#include "gateway/session/session.h"

MUST_USE enum err greet(struct session *s);

/* What the daemon thinks of our account, in a word: "trusted", "untrusted", "unknown". */
const char *trust_name(enum hello_trust trust);

/* The daemon alone, without a client: for `info`. False with a sentence in `why`. */
bool greet_daemon_only(struct session *s, char *why);

#endif
