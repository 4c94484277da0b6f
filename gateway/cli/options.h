/* options: what stands behind a command's name. An option takes one value, unless it is a flag, and is given
 * once unless it has a list.
 * Errors  false after a sentence on stderr: the caller ends with EXIT_USAGE. */
#ifndef GATEWAY_CLI_OPTIONS_H
#define GATEWAY_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses of the contract. 255 is ssh's own and never ours. */
enum { EXIT_FINE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2 };

/* The values of an option that may be repeated, in their order. */
struct option_list {
	const char **items; /* borrows; room for as many as there are words, argc */
	size_t count;
};

struct option_row {
	const char *name;	  /* "--key" */
	const char **value;	  /* where the value goes; keeps its default where the option is not given */
	struct option_list *list; /* instead of `value`: where all of them go */
	bool *flag;		  /* instead of `value`: becomes true where it is given, and takes none */
};

/* Reads the options of argv[0..argc). Words that are no options go to operands (at most `most`, counted in *count). */
bool options_read(int argc, char **argv, const struct option_row *rows, size_t row_count, const char **operands,
		  size_t most, size_t *count);

#endif
