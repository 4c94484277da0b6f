/* structured_attrs: the JSON that a derivation carries in the variable "__json".
 * Readers of JSON differ on names that occur twice, on depth and on broken text; so all of that is refused.
 * Owner   the struct owns the parsed tree until structured_attrs_free; attributes are copied into the arena.
 * Errors  ERR_PROTO: not strict JSON with an object at the top, a name twice in any object, an embedded NUL; or an
 *         attribute of another type than is asked for. ERR_LIMIT: too deep or too many values. ERR_MEMORY.
 * Source  NixOS/nix libstore: derivation-options.cc, libutil/json-utils.cc (getStringSet, getBoolean). */
#ifndef GATEWAY_NIX_STRUCTURED_ATTRS_H
#define GATEWAY_NIX_STRUCTURED_ATTRS_H

#include "gateway/base/arena.h"
#include "gateway/base/err.h"
#include "gateway/nix/text.h"

enum { JSON_DEPTH_MAX = 64, JSON_VALUES_MAX = 1 << 18 };

struct json_t;

struct structured_attrs {
	struct json_t *top;     /* owns; NULL: nothing was parsed */
};

/* sodium_init must have been called: the tables of names are seeded by it, before anything else of jansson is used. */
MUST_USE enum err structured_attrs_parse(struct text json, struct structured_attrs *out);
void structured_attrs_free(struct structured_attrs *attrs);

/* Each leaves its result as it was where the attribute is absent. */
MUST_USE enum err structured_attr_bool(const struct structured_attrs *attrs, const char *name, bool *value);
MUST_USE enum err structured_attr_string(const struct structured_attrs *attrs, const char *name, struct arena *arena,
					 struct text *value);
/* How many strings the array has; 0 where absent. */
MUST_USE enum err structured_attr_count(const struct structured_attrs *attrs, const char *name, size_t *count);
/* Then writes that many into `items`. */
MUST_USE enum err structured_attr_strings(const struct structured_attrs *attrs, const char *name, struct arena *arena,
					  struct text *items);

#endif
