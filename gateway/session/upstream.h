/* upstream: the gateway as the daemon's client: what is forwarded, and what we ask for ourselves.
 * Owner   values of replies live in s->arena, those of a daemon's error in s->loop_arena until the next loop starts.
 * Errors  as session.h. An ERROR of the daemon is no error here: it is an answer, and both sides are in step. */
#ifndef GATEWAY_SESSION_UPSTREAM_H
#define GATEWAY_SESSION_UPSTREAM_H

#include "gateway/session/session.h"

/* The operations that the gateway asks for by itself, or has more to do for than to pass on. */
enum op_number {
	OP_IS_VALID_PATH = 1, OP_ADD_TO_STORE = 7, OP_ADD_TEXT_TO_STORE = 8, OP_BUILD_PATHS = 9, OP_ENSURE_PATH = 10,
	OP_ADD_TEMP_ROOT = 11, OP_SET_OPTIONS = 19, OP_QUERY_DERIVATION_OUTPUTS = 22, OP_QUERY_PATH_INFO = 26,
	OP_QUERY_DERIVATION_OUTPUT_NAMES = 28, OP_QUERY_SUBSTITUTABLES = 30, OP_QUERY_VALID_PATHS = 31,
	OP_BUILD_DERIVATION = 36, OP_ADD_SIGNATURES = 37, OP_NAR_FROM_PATH = 38, OP_ADD_TO_STORE_NAR = 39,
	OP_QUERY_MISSING = 40, OP_QUERY_DERIVATION_OUTPUT_MAP = 41, OP_REGISTER_REALISATION = 42,
	OP_QUERY_REALISATION = 43, OP_ADD_MULTIPLE_TO_STORE = 44, OP_ADD_BUILD_LOG = 45, OP_BUILD_PATHS_WITH_RESULTS = 46
};

const struct op *upstream_op(const struct session *s, uint64_t number);         /* NULL: this daemon has it not */

/* Where the daemon's log of an operation goes. */
enum log_to {
	LOG_TO_CLIENT,          /* a worker client: as it is; a serve client: its lines on stderr */
	LOG_NOWHERE             /* our own questions */
};

/* How the daemon's part of an operation stands. */
enum loop_event { LOOP_GOES_ON, LOOP_LAST, LOOP_ERROR };

struct daemon_error {
	bool failed;
	char text[SENTENCE_MAX];        /* its message, escaped and cut, for our own sentences */
};

/* Queues a request: number and fields. */
MUST_USE enum err upstream_send(struct session *s, const struct op *op, const struct value *request);

/* Takes what has come of the stderr loop without waiting. Stops behind LAST or ERROR. */
MUST_USE enum err upstream_step(struct session *s, enum log_to to, enum loop_event *event);

/* Waits for the end of the loop. An ERROR stays in s->loop: upstream_pass_error, or `error`, which may be NULL. */
MUST_USE enum err upstream_loop(struct session *s, enum log_to to, struct daemon_error *error);

/* Passes the daemon's ERROR on to a worker client as it is, or its text to the log of a serve client. */
MUST_USE enum err upstream_pass_error(struct session *s);
void upstream_error_text(const struct session *s, char text[SENTENCE_MAX]);

/* A question of our own, from request to reply. error->failed: the daemon answered with an ERROR; *reply is NULL. */
MUST_USE enum err upstream_ask(struct session *s, uint64_t number, const struct value *request,
			       const struct value **reply, struct daemon_error *error);

/* The same for requests of one path. */
MUST_USE enum err upstream_ask_path(struct session *s, uint64_t number, struct text path, const struct value **reply,
				    struct daemon_error *error);

#endif
