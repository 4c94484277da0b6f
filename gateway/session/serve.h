/* serve: the gateway as a serve server (`nix-store --serve`), each command made of operations of the worker protocol.
 * The protocol has no errors on its stream: what is refused is told on the client's stderr, and in the stream by the
 * answer that makes a client stop. Where there is none, the session ends.
 * Errors  as session.h: serve_serve returns only when the session has ended. */
#ifndef GATEWAY_SESSION_SERVE_H
#define GATEWAY_SESSION_SERVE_H

#include "gateway/session/session.h"

enum serve_command {
	SERVE_QUERY_VALID_PATHS = 1, SERVE_QUERY_PATH_INFOS = 2, SERVE_DUMP_STORE_PATH = 3, SERVE_IMPORT_PATHS = 4,
	SERVE_BUILD_PATHS = 6, SERVE_QUERY_CLOSURE = 7, SERVE_BUILD_DERIVATION = 8, SERVE_ADD_TO_STORE_NAR = 9
};

MUST_USE enum err serve_serve(struct session *s);

/* One sentence on the client's stderr, which is the log of this protocol. */
MUST_USE enum err serve_say(struct session *s, const char *sentence);

#endif
