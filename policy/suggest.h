/* suggest: "did you mean": of some candidates the one that is nearest to what was written, if any is near.
 * Near: at most a third of its letters inserted, left out, changed or swapped with a neighbour; case does not count.
 * Owner   `wanted` and the candidates are borrowed. */
#ifndef POLICY_SUGGEST_H
#define POLICY_SUGGEST_H

#include <stddef.h>

enum { SUGGEST_LEN_MAX = 64, SUGGEST_TRIES_MAX = 2000 };        /* longer words, and more of them, get no suggestion */

struct suggest {
	const char *wanted;     /* borrows */
	const char *best;       /* borrows; NULL: none was near */
	size_t distance;        /* of best */
	size_t tries;
};

struct suggest suggest_for(const char *wanted);
void suggest_try(struct suggest *s, const char *candidate);     /* NULL is fine */

/* "; did you mean 'BEST'?", or "". */
enum { SUGGEST_TEXT_MAX = 32 + SUGGEST_LEN_MAX };
const char *suggest_text(const struct suggest *s, char text[SUGGEST_TEXT_MAX]);

#endif
