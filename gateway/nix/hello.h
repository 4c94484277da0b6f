/* hello: the handshakes, as push state machines: bytes in, bytes out, no descriptor.
 * Owner   each struct owns a small arena: init once, free at the end. What `reason` says is one plain sentence for people.
 * Errors  ERR_PROTO, ERR_LIMIT, ERR_MEMORY: state FAILED, sticky, `reason` says why. What was put into `out` by then is
 *         still to be sent (a peer that can be told why, is told in its own version); then the session ends.
 * Source  NixOS/nix libstore: worker-protocol-connection.cc, serve-protocol-connection.cc, daemon.cc. */
#ifndef GATEWAY_NIX_HELLO_H
#define GATEWAY_NIX_HELLO_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/nix/message.h"
#include "gateway/nix/stderr_loop.h"

enum {
	WORKER_MINOR_MIN = 32,          /* Nix 2.4 */
	WORKER_MINOR_MAX = 38,
	SERVE_MINOR_MIN = 5,            /* Nix 2.1 */
	SERVE_MINOR_MAX = 7,
	HELLO_REASON = 256,             /* bytes of a reason with its NUL */
	DAEMON_VERSION_MAX = 128,       /* bytes of a daemon's version text */
};

enum hello_trust { HELLO_TRUST_UNKNOWN = 0, HELLO_TRUST_TRUSTED = 1, HELLO_TRUST_NOT_TRUSTED = 2 };

/* WAITING: wants more bytes. READY: the peer has said all it has to say. */
enum hello_state { HELLO_WAITING, HELLO_READY, HELLO_FAILED };

/* The gateway towards a worker client.
 *   feed until READY; finish; then accept, or refuse. refuse alone is fine too: it finishes by itself where that is due. */
struct hello_server {
	enum hello_state state;
	enum err failed;
	char reason[HELLO_REASON];
	unsigned our_minor;
	const char *const *offered;     /* borrows: `offers` words for 1.38 */
	size_t offers;
	unsigned client_minor;          /* as the client put it, once known */
	unsigned minor;                 /* the common version, once known */
	uint64_t features;              /* bit i: offered[i] is in force; once READY */
	unsigned step;
	bool finished;
	struct arena arena;
	struct message message;
};

/* our_minor: WORKER_MINOR_MIN to WORKER_MINOR_MAX. offers at most 64. */
void hello_server_init(struct hello_server *h, unsigned our_minor, const char *const *offered, size_t offers);
void hello_server_free(struct hello_server *h);
/* Takes no byte behind the handshake: *used may be less than n once READY. */
MUST_USE enum err hello_server_feed(struct hello_server *h, const uint8_t *in, size_t n, size_t *used, struct buf *out);
/* READY: the daemon's version text and the trust, in as far as the client's version has them. */
MUST_USE enum err hello_server_finish(struct hello_server *h, struct buf *out, const char *daemon_version,
				     enum hello_trust trust);
MUST_USE enum err hello_server_accept(struct hello_server *h, struct buf *out);
/* The session is refused where the first STDERR_LAST is due: every client prints `sentence`, behind "nix-gateway: ". */
MUST_USE enum err hello_server_refuse(struct hello_server *h, struct buf *out, const char *sentence);

/* The gateway as a client of the daemon. Affinity and reserve 0, no features. */
struct hello_client {
	enum hello_state state;
	enum err failed;
	char reason[HELLO_REASON];      /* where the daemon refused, its own words behind ours */
	unsigned our_minor;
	unsigned daemon_minor;          /* as the daemon put it */
	unsigned minor;                 /* the common version */
	enum hello_trust trust;         /* UNKNOWN below 1.35 */
	char daemon_version[DAEMON_VERSION_MAX + 1];    /* "" below 1.33 */
	bool realisations_by_path;      /* it reads realisations in a form that is not spoken here, and no other: what
					   came behind the number of such an operation, it would take for the next one */
	unsigned step;
	struct arena arena;
	struct message message;
	struct stderr_loop loop;
};

/* Puts what the client says first. */
MUST_USE enum err hello_client_start(struct hello_client *h, unsigned our_minor, struct buf *out);
void hello_client_free(struct hello_client *h);
/* READY after the daemon's first STDERR_LAST. */
MUST_USE enum err hello_client_feed(struct hello_client *h, const uint8_t *in, size_t n, size_t *used, struct buf *out);

/* The gateway towards a serve client (`nix-store --serve`). The protocol has no place for a refusal: the caller prints
 * `reason` on the client's stderr and ends. */
struct hello_serve {
	enum hello_state state;
	enum err failed;
	char reason[HELLO_REASON];
	unsigned minor;                 /* the common version: min(client, SERVE_MINOR_MAX) */
	unsigned step;
	struct arena arena;
	struct message message;
};

void hello_serve_init(struct hello_serve *h);
void hello_serve_free(struct hello_serve *h);
MUST_USE enum err hello_serve_feed(struct hello_serve *h, const uint8_t *in, size_t n, size_t *used, struct buf *out);

#endif
