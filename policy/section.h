/* section: what stands between the brackets of a section's line.
 * A key's or role's name becomes part of file names and of sentences, so it is plain: letters, digits and "._@+-", not
 * starting with "." or "-". [key *] is the one exception. */
#ifndef POLICY_SECTION_H
#define POLICY_SECTION_H

#include "policy/faults.h"

enum section_kind {
	SECTION_GATEWAY = 1 << 0, SECTION_ENVIRONMENT = 1 << 1, SECTION_DEFAULT = 1 << 2, SECTION_ROLE = 1 << 3,
	SECTION_KEY = 1 << 4,
	SECTION_GRANTS = SECTION_DEFAULT | SECTION_ROLE | SECTION_KEY
};

enum { SECTION_LEN_MAX = 49 };  /* bytes between the brackets: what common INI readers keep of them */

/* Reads "[KIND]" or "[KIND NAME]" (no NAME: *name is ""). The closing bracket becomes a NUL, so that `text` + 1 is the
 * inside and *name its end. false: a fault was added. */
bool section_read(char *text, unsigned line, enum section_kind *kind, char **name, struct faults *faults);

const char *section_word(enum section_kind kind);       /* "gateway"; static */
bool name_is_plain(const char *name);

#endif
