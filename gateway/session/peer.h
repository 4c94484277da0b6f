/* peer: one end of a session, the client or the daemon: two descriptors and a queue each way.
 * Units   bytes; milliseconds of the monotonic clock.
 * Owner   the peer owns its queues. Descriptors are closed by peer_close.
 * Errors  a peer that has gone is a state (ended, broken), not an error: the bytes it sent before still count. */
#ifndef GATEWAY_SESSION_PEER_H
#define GATEWAY_SESSION_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/session/pace.h"

enum {
	PEER_RX_MAX = 64 * 1024,        /* what may wait to be decoded: pipelined bytes beyond it stay with the peer */
	PEER_PIPE = 256 * 1024          /* what a pipe is asked to hold: sshd and we then wake each other less often */
};

struct peer {
	const char *name;               /* static: for sentences */
	int in, out;                    /* own; the same number for a socket; -1: none */
	struct buf rx, tx;              /* own */
	bool ended;                     /* nothing more will come */
	bool starved;                   /* it ended for us: there is no memory for what it says */
	bool broken;                    /* nothing more can be sent */
	bool hung_up;                   /* the other side has closed, though bytes may be left to read */
	bool unheard;                   /* what it says waits: nobody is woken by it */
	bool cannot_pass;               /* what it sends: peer_pass has been tried, and is not for these two */
	bool wants_room;                /* to be waited for, though none are queued: see peer_pass. Over when it takes bytes */
	bool shared;                    /* a descriptor others write to as well (stderr): it stays as it is, and is written to
	                                   in pieces that a pipe takes whole */
	uint64_t received, sent;
	int64_t moved_ms;               /* when a byte last went either way */
	int64_t gone_ms;                /* when it ended, broke or hung up; 0: it has not */
	int64_t stuck_ms;               /* since when bytes wait in tx and the peer takes none; 0: it takes them */
	int64_t behind_ms;              /* tx is not empty, and was last looked at then by peer_keeps_pace; 0: it is empty */
	uint64_t behind_sent;           /* `sent` at that time */
	struct pace pace;               /* while it is behind */
};

/* Takes over both descriptors and makes them non-blocking. */
void peer_init(struct peer *p, const char *name, int in, int out);
/* A peer that is only written to, on a descriptor that stays blocking and open: stderr. */
void peer_init_shared(struct peer *p, const char *name, int out);
void peer_close(struct peer *p);
/* It has been gone for longer than this. */
bool peer_gone_for(const struct peer *p, int64_t ms);

/* It takes what is sent to it not slower than is bearable; to be asked again and again, as long as it is behind. more_ms:
 * as in pace.h. */
bool peer_keeps_pace(struct peer *p, int64_t more_ms);

/* Gives back what a long message has left behind; between requests. */
void peer_trim(struct peer *p);

/* One step of the two: read what is there while rx has room, write what tx holds. Neither waits. */
void peer_read(struct peer *p);
void peer_write(struct peer *p);

/* Has at most `most` bytes that `from` has sent go to `to` without a look at them, where nothing waits in between. How many
 * went; 0: none can now, and the two steps above have to do. */
size_t peer_pass(struct peer *from, struct peer *to, uint64_t most);
/* Bytes of it are there to be read. */
bool peer_has_input(const struct peer *p);

/* Waits until whoever reads the descriptor has read all that was written to it, where the system can tell (Linux: sockets
 * and pipes), else a moment. At most limit_ms. */
void peer_wait_taken(const struct peer *p, int limit_ms);

/* Waits until something moved on one of at most PEERS_MAX peers or the time is over; moves it. At most timeout_ms; -1:
 * as long as it takes. A peer that has gone while nothing is read from it is noticed too. */
enum { PEERS_MAX = 3 };
void peers_poll(struct peer *const *peers, size_t count, int timeout_ms);

#endif
