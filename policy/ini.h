/* ini: a policy's text as sections and settings, each with its line; nothing is looked up or understood here.
 * inih tells names from values; our line reader stands in front of it. inih as distributions build it reads 200 bytes
 * at a time and takes the rest of a longer line for a new setting, cuts section names at 50 bytes, joins an indented
 * line to the one before, ends a value at a NUL, and passes what is given twice. So:
 *   - lines.c has refused NULs, indented lines and the like before inih sees a line, and cut comments off;
 *   - inih is handed "NAME =" and never a value, so its buffer cuts nothing and its ideas of quotes, comments and
 *     blanks in values do not matter; the value is the rest of our own line, whatever its length;
 *   - section headers are read here and not handed on. One over SECTION_LEN_MAX is still a fault: the file should mean
 *     the same to every other program that reads INI. So is a section that stands twice.
 * Owner   the lists are owned until ini_free; every string lies in the text, which is changed in place.
 * Errors  every fault is added to `faults`; what is at fault is left out of the lists. */
#ifndef POLICY_INI_H
#define POLICY_INI_H

#include "policy/faults.h"
#include "policy/section.h"

struct ini_setting {
	char *name, *value;     /* borrow; neither has a blank at its ends */
	unsigned line;
};

struct ini_section {
	enum section_kind kind;
	char *name;             /* borrows; "" where the kind has none */
	unsigned line;
	size_t first, count;    /* of ini_file.settings */
};

struct ini_file {
	struct ini_section *sections;   /* owns; in the file's order */
	struct ini_setting *settings;   /* owns; in the file's order */
	size_t section_count, setting_count;
};

void ini_read(char *text, size_t len, struct ini_file *out, struct faults *faults);
void ini_free(struct ini_file *file);

#endif
