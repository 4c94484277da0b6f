/* lines: a policy's text, line by line, with everything refused that could make two readers disagree about it.
 * Refused, each with its line: a NUL or another control byte, a byte over 0x7e outside a comment, a carriage return, a
 * line over POLICY_LINE_MAX, one that starts with a blank (other parsers join it to the line before), a last line
 * without its newline (the file may have been cut while it was written).
 * A comment starts with ";" or "#" as a line's first byte (blanks before it are fine), or with a ";" that has a blank
 * before it; blanks at a line's end mean nothing.
 * Owner   the text is borrowed and changed: every line that is handed out is ended by a NUL in place. */
#ifndef POLICY_LINES_H
#define POLICY_LINES_H

#include "policy/faults.h"

struct lines {
	char *next, *end;       /* borrow; what is still to be read, and the NUL behind it */
	unsigned number;        /* of the line read last */
	bool told_cr;           /* a file with CR LF has it on every line; once is enough */
	struct faults *faults;
};

struct line {
	char *text;             /* no comment, no blank at either end, not empty */
	size_t len;
	unsigned number;
	bool bad;               /* a fault was added: the line means nothing */
};

struct lines lines_of(char *text, size_t len, struct faults *faults);
bool lines_next(struct lines *l, struct line *out);     /* the next line that is not blank or comment; false: no more */

#endif
