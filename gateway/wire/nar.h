/* nar: judges an archive by the strict grammar while it passes by, fed in pieces of any size.
 *
 *   nar   = "nix-archive-1" node
 *   node  = "(" "type" "regular" [ "executable" "" ] "contents" CONTENT ")"
 *         | "(" "type" "symlink" "target" TARGET ")"
 *         | "(" "type" "directory" ( "entry" "(" "name" NAME "node" node ")" )* ")"
 *
 * Readers of different age disagree about anything looser: where it ends, or what it holds. So order is fixed, words
 * are exact, names ascend strictly by their bytes, padding is zero, and a length is bounded by what is left of `max`.
 * A tree has therefore one encoding, and the bytes taken here ARE that encoding: sending them on is the same as
 * encoding anew.
 *
 * Sending on: forward the bytes a call took when it returns ERR_NONE, and none of a call that fails. A length, or a
 * text with its padding, is judged in the very call that takes its last byte, so the reader behind never holds a whole
 * one that was refused. Of one that came in pieces it may hold a beginning, on which no reader acts, and the upload is
 * aborted then: it waits for a byte that never comes.
 * A NAR that is whole has `size` bytes; whether that is the size that was announced, the caller compares.
 *
 * Units   bytes; `size` counts all that was taken, words and padding included.
 * Owner   memory is fixed and in the struct; nothing allocates. `body` is a part of the input of the last call.
 * Errors  ERR_PROTO: outside the grammar. ERR_LIMIT: over one of the limits below, or over max. Both sticky; `fault`
 *         then says which rule in words. Too short is no error here: nar_done stays false.
 * Source  NixOS/nix libutil/archive.cc (parseDump). */
#ifndef GATEWAY_WIRE_NAR_H
#define GATEWAY_WIRE_NAR_H

#include "gateway/wire/number.h"

enum {
	NAR_DEPTH_MAX = 64,     /* nodes inside one another, the root included */
	NAR_WORD_MAX = 32,
	NAR_NAME_MAX = 255,
	NAR_TARGET_MAX = 4095,
	NAR_SIZE_MIN = 96       /* an empty folder; no archive is shorter */
};

enum nar_type { NAR_UNKNOWN, NAR_REGULAR, NAR_SYMLINK, NAR_DIRECTORY };

struct nar_name {
	uint8_t len;            /* 0: no entry yet */
	uint8_t bytes[NAR_NAME_MAX];
};

struct nar {
	/* For callers, to be read only. */
	uint64_t size;          /* bytes taken so far */
	enum nar_type root;     /* NAR_UNKNOWN until it was said */
	bool root_executable;   /* of a regular root */
	uint64_t root_length;   /* content of a regular root; known from the first byte of `body` on */
	const uint8_t *body;    /* the last call's part of a regular root's content: all parts joined are the file */
	size_t body_len;
	const char *fault;      /* static; NULL while nothing failed */

	/* The decoder's own. */
	enum err failed;
	unsigned state;         /* what is expected: enum expect in nar.c */
	unsigned depth;         /* nodes open */
	bool in_text;           /* behind a text's length, in its bytes and padding */
	uint64_t left;          /* of max, what no text or content has claimed yet */
	uint64_t content;       /* bytes of a file's content that are still to come */
	unsigned padding;       /* zero bytes behind them */
	size_t text_len;        /* of the running text, without padding */
	size_t held;            /* bytes in `piece` */
	uint8_t piece[NAR_TARGET_MAX + 1];      /* the beginning of a length or text that came in pieces */
	struct nar_name last[NAR_DEPTH_MAX];    /* by depth: the entry before, which the next has to follow */
};

void nar_init(struct nar *r, uint64_t max);     /* max: most bytes of the whole archive, or its size when it is known */

/* Takes bytes up to the end of the archive, never beyond; *used says how many. All of them, unless it ends or fails. */
MUST_USE enum err nar_feed(struct nar *r, const uint8_t *in, size_t n, size_t *used);
bool nar_done(const struct nar *r);

/* Bytes of a file's content that come next, which no rule is about: whoever has them pass in another way says how many. */
uint64_t nar_content_next(const struct nar *r);
void nar_passed(struct nar *r, uint64_t len);   /* at most nar_content_next; `body` is empty then */

#endif
