/* words: what a grant allows, as a sentence lists it: "kvm big-parallel", "*", "none"; a long list is cut between two
 * words and says how many are left out. */
#ifndef POLICY_WORDS_H
#define POLICY_WORDS_H

#include "policy/model.h"

enum { WORDS_TEXT_MAX = 320 }; /* bytes with the NUL: what a sentence of POLICY_TEXT_MAX has room for */

/* `words` ends in NULL; bit i stands for word i. Both return `text`. */
const char *words_of_bits(const char *const *words, unsigned bits, char text[WORDS_TEXT_MAX]);
const char *words_of_list(const struct text_list *list, char text[WORDS_TEXT_MAX]);

#endif
