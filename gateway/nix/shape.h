/* shape: what a message looks like on the wire, as static data. Decoder, encoder, the list of operations, tests and the
 * fuzz dictionary all read the same rows, so a field cannot be known to one of them and unknown to another.
 * Units   `max` counts bytes of a string or path, items of a list; of a number it is the largest one taken.
 * Owner   everything is static and constant.
 * Source  NixOS/nix libstore: worker-protocol.cc, serve-protocol.cc, common-protocol.cc. */
#ifndef GATEWAY_NIX_SHAPE_H
#define GATEWAY_NIX_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every kind with its name in lists. Numbers take 8 bytes whatever their kind. */
#define KIND_LIST(X)                    \
	X(NONE, "none")                 \
	X(NUMBER, "u64")                \
	X(BOOL, "bool")                 \
	X(TIME, "time")                 \
	X(STRING, "str")                \
	X(TEXT, "text")                 \
	X(PATH, "path")                 \
	X(MAYBE_PATH, "path?")          \
	X(DERIVED, "derived-path")      \
	X(NAR_HASH, "hash")             \
	X(ITEMS, "list")                \
	X(UNTIL_EMPTY, "until-empty")   \
	X(OPTIONAL, "optional")         \
	X(CHOICE, "number-or-text")

#define KIND_ENUM(name, text) KIND_##name,
/* TEXT        a string for people: what is behind `max` is read and dropped, never an error
 * DERIVED     a path, then any number of parts behind a "!" each: names of outputs with commas between them, or "*"
 * NAR_HASH    a string of 64 lower-case hexadecimal digits
 * ITEMS       a count, then so many `item`s
 * UNTIL_EMPTY `item`s whose first field is a path; an empty string in the place of one ends them
 * OPTIONAL    a number up to `max`; unless it is 0, one `item` follows
 * CHOICE      0 and a number, or 1 and a text of at most `max` bytes */
enum kind { KIND_LIST(KIND_ENUM) };

struct field {
	const char *name;
	enum kind kind;
	unsigned since, until;          /* minor versions that have it, both included; 0: from the first, to the last */
	uint64_t max;                   /* left out for BOOL, TIME, PATH, MAYBE_PATH and NAR_HASH, which have their own */
	const struct shape *item;       /* of ITEMS, UNTIL_EMPTY, OPTIONAL */
};

struct shape {
	const char *name;
	const struct field *fields;
	size_t count;
};

enum {
	FIELDS_MAX = 16,        /* of one shape */
	SHAPE_DEPTH = 6,        /* shapes within shapes */
	STORE_PATH_MAX = 512,
	NAR_HASH_LEN = 64,
};

const char *kind_name(enum kind kind);
bool field_present(const struct field *field, unsigned minor);
uint64_t field_max(const struct field *field);          /* `max`, or what the kind itself takes */

/* The place of a field, or shape->count where none has that name. */
size_t shape_index(const struct shape *shape, const char *name);

#endif
