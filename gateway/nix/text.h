/* text: bytes with their length, lent by whoever holds them. Compared by value of byte, never by locale.
 * Owner   borrows. Not NUL-terminated unless the struct that holds it says so; may hold NULs of its own. */
#ifndef GATEWAY_NIX_TEXT_H
#define GATEWAY_NIX_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	const char *bytes;      /* len bytes; may be NULL when len is 0 */
	size_t len;
};

struct text text_of(const char *string);                        /* a C string, without its NUL */
struct text text_part(struct text t, size_t start, size_t end); /* bytes start to end; start <= end <= len */

bool text_is(struct text t, const char *string);
bool text_equal(struct text a, struct text b);
int text_compare(struct text a, struct text b);         /* < 0, 0, > 0: the order of all sorted lists of Nix */
int text_compare_items(const void *a, const void *b);   /* the same for qsort and bsearch over struct text */
bool text_starts(struct text t, const char *prefix);
bool text_ends(struct text t, const char *suffix);
bool text_holds(struct text t, char byte);

/* Each item greater than the one before: sorted, and none twice. */
bool texts_ascend(const struct text *items, size_t count);
/* In a list that ascends. */
bool texts_hold(const struct text *items, size_t count, struct text wanted);

/* The next word of *rest, which moves behind it. Words are parted as Nix parts them: by space, tab, newline, return.
 * false: there is no more. */
bool text_word(struct text *rest, struct text *word);

#endif
