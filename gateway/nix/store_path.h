/* store_path: the one spelling of a store path, and how its hash is made.
 * Daemons take other spellings ("//", "/./") and normalise them; what is compared byte for byte may have only one.
 * Units   bytes. A store path is STORE_PATH_MAX bytes long at most.
 * Owner   every text returned is a part of the one handed in.
 * Source  NixOS/nix libstore: path.cc (checkName), store-dir-config.cc (makeStorePath). */
#ifndef GATEWAY_NIX_STORE_PATH_H
#define GATEWAY_NIX_STORE_PATH_H

#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/nix/shape.h"
#include "gateway/nix/text.h"

enum {
	STORE_HASH_LEN = 32,            /* nix32 characters in front of the dash */
	STORE_NAME_MAX = 211
};

struct store_path {
	char bytes[STORE_PATH_MAX + 1]; /* with a NUL behind it */
	size_t len;
};

struct text store_path_text(const struct store_path *p);

/* 1 to 211 of [A-Za-z0-9+-._?=], the first of them no dot. */
bool store_name_ok(struct text name);
/* The same characters and length, but for a dot in front, which is fine behind "name-". */
bool output_name_ok(struct text name);

/* "<hash>-<name>": the last part of a store path alone. */
bool store_base_ok(struct text base);
/* "<storeDir>/<hash>-<name>", byte for byte. */
bool store_path_ok(const char *store_dir, struct text path);

/* Parts of a path for which store_path_ok holds. */
struct text store_path_base(struct text path);          /* "<hash>-<name>" */
struct text store_path_name(struct text path);          /* "<name>" */
bool store_path_is_drv(struct text path);               /* the name ends in ".drv" */
struct text store_path_drv_name(struct text path);      /* the derivation's name: of a .drv, its name without ".drv" */

/* A name made of others. */
struct store_name {
	char bytes[STORE_NAME_MAX + 1]; /* with a NUL behind it */
	size_t len;
};
struct text store_name_text(const struct store_name *n);
/* ERR_LIMIT: longer than a name may be. */
MUST_USE enum err store_name_join(struct text start, const char *end, struct store_name *out);
/* The name that the output of a derivation has in its path: NAME for "out", else NAME-OUTPUT. ERR_LIMIT likewise. */
MUST_USE enum err output_path_name(struct text drv_name, struct text output, struct store_name *out);

/* What a path's hash is made of, but for the name and the store's folder: TYPE[:REF]...[:self]:sha256:INNER. */
struct store_path_seed {
	const char *type;               /* "text", "source", "output:out" */
	const struct text *refs;        /* must ascend */
	size_t ref_count;
	bool self;
	const uint8_t *inner;           /* SHA256_LEN bytes */
};
/* ERR_PROTO: the name is none, or refs do not ascend. ERR_LIMIT: the path would be over STORE_PATH_MAX. */
MUST_USE enum err store_path_make(const char *store_dir, const struct store_path_seed *seed, struct text name,
				  struct store_path *out);

#endif
