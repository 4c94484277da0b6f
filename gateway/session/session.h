/* session: the gateway between one client and the daemon. It terminates the protocol on both sides: every byte is
 * decoded, judged and encoded anew, but for the bodies of archives, which pass as they are once they are judged.
 *
 * The code of this room reads from top to bottom like a conversation. Whoever needs the next byte of a peer calls
 * session_await; whoever is about to queue more for one calls session_room. These two are the only places that wait:
 * one poll loop (peers_poll) over client, daemon and log, which keeps all directions moving meanwhile.
 *
 * Lock-step: the next request is decoded when the answer to the last is complete, so nothing that a client sends ahead
 * can slip behind a refusal. What it sends ahead waits in a queue of PEER_RX_MAX bytes and then in its own pipe.
 *
 * Owner   session_init to session_free own all below; settings, key and audit are borrowed.
 * Errors  ERR_NONE: the operation is over, whether it was answered, refused or failed on the daemon, and both sides are
 *         in step. Anything else ends the session: session_end has been called, `outcome` and `why` say how. */
#ifndef GATEWAY_SESSION_SESSION_H
#define GATEWAY_SESSION_SESSION_H

#include "gateway/audit/audit.h"
#include "gateway/base/arena.h"
#include "gateway/base/log.h"
#include "gateway/nix/hello.h"
#include "gateway/nix/message.h"
#include "gateway/nix/ops.h"
#include "gateway/nix/stderr_loop.h"
#include "gateway/session/backend.h"
#include "gateway/session/command.h"
#include "gateway/session/drv.h"
#include "gateway/session/known.h"
#include "gateway/session/path_set.h"
#include "gateway/session/peer.h"
#include "gateway/session/settings.h"
#include "gateway/wire/nar.h"
#include "policy/decide.h"

/* Where the conversation stands. What may follow what is a table in session.c; a breach of it is a fault in us. */
#define SESSION_STATES(X)                                                            \
	X(HELLO, "hello")       /* handshakes, and what we ask the daemon for ourselves */ \
	X(IDLE, "idle")         /* between two operations */                               \
	X(REQUEST, "request")   /* a request is being decoded and judged */                \
	X(UPLOAD, "upload")     /* its bulk is coming in */                                \
	X(WORK, "work")         /* the daemon works: log and activities */                 \
	X(REPLY, "reply")       /* its answer is passed on */                              \
	X(CLOSED, "closed")

#define SESSION_STATE_ENUM(name, text) SESSION_##name,
enum session_state { SESSION_STATES(SESSION_STATE_ENUM) };

enum { DENIED_MAX = 10000 };             /* each is a record: who goes on and on fills the audit's disk */
enum { HELD_MAX = 200000 };             /* temporary roots, which the daemon keeps for as long as the session lasts */

struct session_limits {
	int64_t handshake_ms, stall_ms, idle_ms;        /* longest silence; see session_await */
	int64_t question_ms;                            /* and of the daemon, in an operation that is none of the slow ones */
	int64_t session_ms;                             /* from the first byte to the last; 0: any time */
};

struct session {
	/* What the session is about. Borrowed. */
	const struct policy *policy;
	const struct key *key;
	struct audit *audit;
	const struct command *command;
	const char *sandbox;                    /* static; what holds this process, for the audit */

	/* The two ends, and the log of a serve client. */
	struct peer client, daemon, log;
	struct backend *backend;                /* borrows */
	struct hello_server hello;              /* a worker client's handshake */
	struct hello_serve serve_hello;         /* or a serve client's */
	struct hello_client upstream;           /* ours with the daemon */
	unsigned client_minor, daemon_minor;
	enum hello_trust trust;                 /* what the daemon thinks of our account: said by it, or found out */

	enum session_state state;
	bool accepted;                          /* the handshake is over: the client listens to errors */
	struct session_limits limits;
	struct message_limits message_limits;

	/* The request in hand. */
	const struct op *op;                    /* its row; NULL between operations */
	struct settings_state settings;         /* what the daemon was told of limits, and what nix.conf says of the rest */
	uint64_t build_mode;                    /* enum build_mode, as it asks for it where it does */
	struct arena arena;                     /* values of the request and its reply; reset between operations */
	struct arena loop_arena;                /* values of one message of the stderr loop */
	struct message message;                 /* decodes requests and replies, one at a time */
	int spool;                              /* owns; a serve client's ImportPaths; -1: none */
	struct drv_cache drvs;                  /* derivations judged in this session */
	struct arena held_arena, taken_arena;   /* the texts of the two sets below */
	struct path_set held;                   /* paths with a temporary root: see valid_hold */
	struct known known;                     /* paths that the daemon has called valid */
	struct path_set taken_off;              /* paths that came unsigned and were not stored */
	bool client_in_archive;                 /* what it hears next is the rest of an archive: nothing else may be said */
	struct nar nar;                         /* judges the archive that passes by */
	struct stderr_loop loop;

	/* How it ended. */
	const char *outcome;                    /* static, for the audit; NULL while it runs */
	char why[SENTENCE_MAX];                 /* a sentence where it did not end well; "" else */
	uint64_t requests;
	unsigned denied;                        /* how many refusals are on record; DENIED_MAX and no more */
	int64_t heard_ms;                       /* when session_move_lazily last listened to the daemon */
	int64_t started_ms;
};

/* in, out, log: the client's descriptors; stdin, stdout and stderr in life. Taken over, but for log. Opens and looks up
 * nothing: settings.conf, spool and sandbox are the caller's to fill, before confinement. */
void session_init(struct session *s, const struct policy *policy, const struct key *key, struct audit *audit,
		  const struct command *command, int in, int out, int log);
void session_free(struct session *s);

void session_set_state(struct session *s, enum session_state state);
const char *session_state_name(enum session_state state);

/* Ends the session: remembers how (the first call counts) and returns `err`, so that callers can `return` it. */
enum err session_end(struct session *s, enum err err, const char *outcome, const char *format, ...) PRINTF_LIKE(4, 5);

/* The same where we ourselves cannot go on: out of memory, or over a bound of ours. */
enum err session_fail(struct session *s, enum err err);
enum err session_no_memory(struct session *s);

/* The ways to wait. All end the session and return an error when a peer has gone or is too slow.
 * session_await: until `peer` has sent a byte. While the daemon works, the client's leaving ends it at once.
 * session_room: until at most SESSION_QUEUE bytes wait to be sent to `peer`; session_drain: until none does. */
enum { SESSION_QUEUE = 256 * 1024 };
MUST_USE enum err session_await(struct session *s, struct peer *peer);
MUST_USE enum err session_room(struct session *s, struct peer *peer);
MUST_USE enum err session_drain(struct session *s, struct peer *peer);
/* One round of the poll loop with the checks that both share: for who waits for more than one thing at a time. */
MUST_USE enum err session_move(struct session *s);
/* The same for an upload of many paths: what the daemon says meanwhile is looked at once in a millisecond. It confirms
 * each path with a word of its own, and to be woken by each costs more than to pass the path on. */
MUST_USE enum err session_move_lazily(struct session *s);
/* The client must have sent something since `since_ms`, when it began to be waited for. */
MUST_USE enum err session_check_patience(struct session *s, const struct peer *peer, int64_t since_ms);
/* The client has closed its sending side for so long that nobody waits for an answer any more. */
bool session_is_deserted(const struct session *s);
/* Until everything queued for `peer` is on its way, or it has gone, or the time is over: for the end of a session. */
void session_flush(struct session *s, struct peer *peer, int64_t limit_ms);

/* Decodes one message of a shape from a peer at its version. The values live in s->arena. */
MUST_USE enum err session_read(struct session *s, struct peer *peer, const struct shape *shape, const char *what,
			       const struct value **values);

/* Refuses the running operation in the client's own protocol; the sentence has no "nix-gateway: ". The caller has read
 * the request to its end, or is about to (framed bulk). */
MUST_USE enum err session_tell_error(struct session *s, const char *sentence);

/* The audit's `denied` record for the running operation. ERR_IO ends the session: what cannot be recorded is not done. */
MUST_USE enum err session_record_denied(struct session *s, const char *subject, const char *reason,
					const struct rule *rule);

#endif
