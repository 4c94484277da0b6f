#include "policy/words.h"

#include <stdio.h>
#include <string.h>

enum { TAIL_MAX = 32 }; /* bytes kept for " and N more" */

struct listing {
	char *text; /* borrows; WORDS_TEXT_MAX bytes */
	size_t used, left_out;
};

static struct listing listing_in(char text[WORDS_TEXT_MAX])
{
	text[0] = '\0';
	return (struct listing){ .text = text };
}

/* Once a word was left out, all later ones are: the list shown is the beginning of the whole. */
static void add(struct listing *l, const char *word)
{
	size_t len = strlen(word), blank = l->used > 0 ? 1 : 0;

	if (l->left_out > 0 || len + blank > WORDS_TEXT_MAX - TAIL_MAX - l->used) {
		l->left_out++;
		return;
	}
	l->used += (size_t)snprintf(l->text + l->used, WORDS_TEXT_MAX - l->used, "%s%s", blank > 0 ? " " : "", word);
}

static const char *end(const struct listing *l)
{
	if (l->left_out > 0)
		snprintf(l->text + l->used, WORDS_TEXT_MAX - l->used, "%s%zu more", l->used > 0 ? " and " : "",
			 l->left_out);
	else if (l->used == 0)
		snprintf(l->text, WORDS_TEXT_MAX, "none");
	return l->text;
}

const char *words_of_bits(const char *const *words, unsigned bits, char text[WORDS_TEXT_MAX])
{
	struct listing l = listing_in(text);

	for (unsigned i = 0; words[i] != NULL; i++) {
		if ((bits & 1u << i) != 0)
			add(&l, words[i]);
	}
	return end(&l);
}

const char *words_of_list(const struct text_list *list, char text[WORDS_TEXT_MAX])
{
	struct listing l = listing_in(text);

	if (list->any)
		add(&l, "*");
	for (size_t i = 0; i < list->count; i++)
		add(&l, list->items[i]);
	return end(&l);
}
