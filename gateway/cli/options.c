#include "gateway/cli/options.h"

#include <string.h>

#include "gateway/base/log.h"

/* The value behind "--name=value" or in the word after it; NULL if the word is not this option. */
static const char *value_of(const struct option_row *row, int argc, char **argv, int *at, bool *missing)
{
	size_t len = strlen(row->name);
	const char *word = argv[*at];

	if (strncmp(word, row->name, len) != 0)
		return NULL;
	if (word[len] == '=')
		return word + len + 1;
	if (word[len] != '\0')
		return NULL;
	if (*at + 1 < argc)
		return argv[++*at];
	*missing = true;
	return NULL;
}

/* Puts the value of row `number` where it belongs; false if it has one already. */
static bool put_value(const struct option_row *row, size_t number, const char *value, unsigned *seen)
{
	if (row->list != NULL) {
		row->list->items[row->list->count++] = value;
		return true;
	}
	if ((*seen & 1u << number) != 0) {
		log_say("%s is given twice", row->name);
		return false;
	}
	*seen |= 1u << number;
	*row->value = value;
	return true;
}

/* Takes one option; false with a sentence said. */
static bool take_option(int argc, char **argv, int *at, const struct option_row *rows, size_t row_count, unsigned *seen)
{
	for (size_t i = 0; i < row_count; i++) {
		bool missing = false;
		const char *value;

		if (rows[i].flag != NULL) {
			if (strcmp(argv[*at], rows[i].name) != 0)
				continue;
			*rows[i].flag = true;
			return true;
		}
		value = value_of(&rows[i], argc, argv, at, &missing);
		if (missing) {
			log_say("%s needs a value", rows[i].name);
			return false;
		}
		if (value != NULL)
			return put_value(&rows[i], i, value, seen);
	}
	log_say("unknown option '%s'; see nix-gateway --help", argv[*at]);
	return false;
}

bool options_read(int argc, char **argv, const struct option_row *rows, size_t row_count, const char **operands,
		  size_t most, size_t *count)
{
	unsigned seen = 0;

	*count = 0;
	for (int at = 0; at < argc; at++) {
		if (argv[at][0] == '-') {
			if (!take_option(argc, argv, &at, rows, row_count, &seen))
				return false;
			continue;
		}
		if (*count == most) {
			log_say("'%s' is one word too many; see nix-gateway --help", argv[at]);
			return false;
		}
		operands[(*count)++] = argv[at];
	}
	return true;
}
