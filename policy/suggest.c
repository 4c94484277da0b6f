#include "policy/suggest.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static char lower(char c)
{
	if (c < 'A' || c > 'Z')
		return c;
	return (char)(c - 'A' + 'a');
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: rows of the table for the last letter of `a`, the one before and the one before that. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][SUGGEST_LEN_MAX + 1];
	size_t *now = rows[0], *last = rows[1], *before = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		now[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *spare = before;

		before = last;
		last = now;
		now = spare;
		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t differs = lower(a[i - 1]) != lower(b[j - 1]);

			now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + differs);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
				now[j] = least(now[j], before[j - 2] + 1);
		}
	}
	return now[b_len];
}

struct suggest suggest_for(const char *wanted)
{
	return (struct suggest){ .wanted = wanted, .distance = SIZE_MAX };
}

void suggest_try(struct suggest *s, const char *candidate)
{
	size_t wanted_len, len, distance;

	if (candidate == NULL || s->tries++ >= SUGGEST_TRIES_MAX)
		return;
	wanted_len = strnlen(s->wanted, SUGGEST_LEN_MAX + 1);
	len = strnlen(candidate, SUGGEST_LEN_MAX + 1);
	if (len == 0 || wanted_len == 0 || len > SUGGEST_LEN_MAX || wanted_len > SUGGEST_LEN_MAX)
		return;
	distance = edit_distance(s->wanted, wanted_len, candidate, len);
	if (distance < s->distance && distance <= (len + 2) / 3 && distance < len) {
		s->distance = distance;
		s->best = candidate;
	}
}

const char *suggest_text(const struct suggest *s, char text[SUGGEST_TEXT_MAX])
{
	text[0] = '\0';
	if (s->best != NULL)
		snprintf(text, SUGGEST_TEXT_MAX, "; did you mean '%s'?", s->best);
	return text;
}
