/* derived_path: what a build is asked for: "PATH", "PATH!*" or "PATH!NAME,NAME...", as clients write it from 1.30 on.
 * Readers differ on everything else (a second "!", an empty list), so nothing else is taken.
 * Owner   every text is a part of the one that was parsed.
 * Source  NixOS/nix libstore: derived-path.cc (DerivedPath::parse), outputs-spec.cc. */
#ifndef GATEWAY_NIX_DERIVED_PATH_H
#define GATEWAY_NIX_DERIVED_PATH_H

#include "gateway/base/err.h"
#include "gateway/nix/store_path.h"

enum { DERIVED_OUTPUTS_MAX = 64 };      /* output names in one derived path */

struct derived_path {
	struct text path;
	bool built;             /* there was a "!": outputs of the .drv, not the path itself */
	bool all;               /* "!*" */
	struct text outputs;    /* the names with commas between; empty unless built and not all */
};

/* ERR_PROTO: no derived path, or outputs of what is no .drv, or a name twice. ERR_LIMIT: too many names. */
MUST_USE enum err derived_path_parse(const char *store_dir, struct text text, struct derived_path *out);

/* Walks the names: start with *rest = outputs. false: no more. */
bool derived_path_next(struct text *rest, struct text *name);

/* Is this output of the .drv among what is asked for? */
bool derived_path_wants(const struct derived_path *d, struct text output);

#endif
