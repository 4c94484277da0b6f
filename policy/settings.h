/* settings: every setting of a policy as one row: where it may stand, what its value is, where the value goes, and
 * whether this version enforces it. The loader, "did you mean", the defaults and `explain` all read these rows.
 *
 * A setting is never accepted and then ignored. While a row is not `enforced`, only its `permissive` value loads: the
 * one that takes nothing away (or, for what would be given, gives nothing), so that what the file says is true.
 * To enforce a setting: make it so, then turn `enforced` to true in its row. Nothing else changes.
 * With relay = exec nothing of us stands between client and daemon: a value narrower than `permissive` then needs a row
 * that says `with_exec`, i.e. one that is decided before the session starts. */
#ifndef POLICY_SETTINGS_H
#define POLICY_SETTINGS_H

#include "policy/faults.h"
#include "policy/pool.h"
#include "policy/section.h"

enum value_kind {
	VALUE_BITS,             /* unsigned: some of `words`, one bit each in their order; "*": all */
	VALUE_ONE_OF,           /* an enum: one of `words`, by its place; a word "" cannot be written */
	VALUE_LIST,             /* struct text_list: words of `form`; "*": any */
	VALUE_FINGERPRINTS,     /* struct text_list, added to: the one setting that may be repeated */
	VALUE_TEXT,             /* char *: one value of `form` */
	VALUE_DATE,             /* struct key.expires, with its rule */
	VALUE_FLAG,             /* true or false, as 1 and 0; this and the next three: see `least` */
	VALUE_COUNT,
	VALUE_SIZE,             /* bytes: K M G T */
	VALUE_TIME,             /* seconds: s m h d */
	VALUE_NIX, VALUE_DAEMON, VALUE_AUDIT    /* these three of [gateway] mix words and paths */
};

enum { NO_GRANT = -1 };         /* row.grant of what is no member of a grant */

struct setting {
	const char *name;
	unsigned sections;              /* enum section_kind, those it may stand in */
	enum value_kind kind;
	size_t offset;                  /* in struct gateway_settings, key or grant, by section and grant */
	int grant;                      /* enum grant_setting, or NO_GRANT */
	const char *const *words;       /* ends in NULL */
	bool (*form)(const char *text);
	const char *what;               /* "a system": what form tells, for a sentence */
	const char *permissive;         /* "*", "" (empty), words or a path; NULL: no value permits everything */
	const char *initial;            /* the value where none is set, as it would be written; NULL: zero */
	uint64_t least, most;           /* of a number: a struct limit in a grant, a uint64_t in [gateway] */
	bool enforced, with_exec;
};

extern const struct setting settings[];
extern const size_t settings_count;
enum { SETTINGS_MAX = 64 };             /* never fewer than settings_count */

const struct setting *setting_find(const char *name, enum section_kind section);        /* NULL: none there */
const struct setting *setting_of_grant(enum grant_setting grant);
size_t setting_number(const struct setting *s);         /* its place in settings */

/* Adds the fault of a name that setting_find does not find: misplaced, misspelt or unknown. */
void setting_unknown(const char *name, enum section_kind section, unsigned line, struct faults *faults);

/* Is the value in `base` (the struct that `offset` counts in) its permissive one? */
bool setting_is_wide(const struct setting *s, const void *base);

#endif
