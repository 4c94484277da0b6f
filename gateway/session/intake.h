/* intake: the machinery of an upload: content coming in from the client, requests going up to the daemon, several of
 * them under way at a time, and what the daemon says of each meanwhile.
 * Errors  as session.h. An upload that is lost is no error: `failed` is set, the client has been told (worker) or
 *         `why` holds what it is to be told (serve), and what it still sends is to be drained. */
#ifndef GATEWAY_SESSION_INTAKE_H
#define GATEWAY_SESSION_INTAKE_H

#include "gateway/nix/store_path.h"
#include "gateway/session/content.h"

enum {
	FLYING_MAX = 64,                /* requests whose end the daemon has not told yet */
	INTAKE_DOUBTS = 200000          /* paths of one upload whose fate is open */
};

/* A request under way: what it is about ("": its refusal is an end) and how large that is. */
struct flying {
	struct store_path path;
	uint64_t size;
};

struct intake {
	struct content content;
	struct flying flying[FLYING_MAX];       /* a ring of `count` from `first` on */
	size_t first, count;
	struct text name;               /* borrows; of what is added without a path, which the daemon will tell ("": a log) */
	bool sent;                      /* a request has gone up, so its frames have to be ended */
	bool whole;                     /* they were, and behind all that belongs to it */
	bool last;                      /* the daemon's LAST has come for the request that was sent last */
	struct pace pace;               /* of the client's content */
	uint64_t paced;                 /* content.taken when it was last looked at */
	bool current_refused;           /* the daemon does not want the path that is being forwarded */
	bool plain_file;                /* the next archive has to be that of one file, not executable */
	struct arena arena;             /* the texts of the set below */
	struct path_set doubtful;       /* not storable; whether they are there already is still to be asked */
	uint64_t *doubtful_sizes;       /* owns; of each of them, room for so many: */
	size_t doubtful_room;
	bool failed;
	char why[SENTENCE_MAX];
};

void intake_init_framed(struct intake *in, uint64_t max);
void intake_init_sized(struct intake *in, uint64_t size);
void intake_free(struct intake *in);

/* The session ends before the upload. What has gone up whole may be stored yet, though no answer to it is waited for: it is
 * put on record. */
void intake_break_off(struct session *s, struct intake *in);

/* Sends a request whose answer will be awaited. `path` (may be "") of `size` bytes: with the daemon's LAST it is on
 * record; it is not storable if the daemon says that it lacks a signature or refers to what is not valid; any other
 * refusal, or without a path, ends the upload. */
MUST_USE enum err intake_send(struct session *s, struct intake *in, const struct op *op, const struct value *request,
			      struct text path, uint64_t size);

/* The path cannot be stored as it came. */
MUST_USE enum err intake_doubt(struct session *s, struct intake *in, struct text path, uint64_t size);

/* What goes up behind a request: content as it comes (an archive: to its end and judged by s->nar, else to the end of the
 * content), and the end of the frames in any case: cut short, it makes the daemon give up and stay in step. */
MUST_USE enum err intake_forward(struct session *s, struct intake *in, bool archive, struct text subject);
/* Bytes of our own. */
MUST_USE enum err intake_put(struct session *s, struct intake *in, const void *bytes, size_t len);
MUST_USE enum err intake_put_end(struct session *s, struct intake *in);

/* Reads an archive without forwarding it; body (may be NULL) gathers the content of one that is a single file. */
MUST_USE enum err intake_swallow(struct session *s, struct intake *in, struct text subject, struct buf *body);

/* Until at most so many requests are unanswered, and the daemon takes more. */
MUST_USE enum err intake_await(struct session *s, struct intake *in, size_t flying);

/* The upload is lost, by our own judgement: on record, and a worker client is told at once. */
MUST_USE enum err intake_fail(struct session *s, struct intake *in, struct text subject, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* The end on both sides: all answers of the daemon, and the client's last byte. Nothing may follow what was taken. */
MUST_USE enum err intake_finish(struct session *s, struct intake *in);

#endif
