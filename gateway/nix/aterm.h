/* aterm: the text of a .drv file, read and printed, in the one form that every Nix writes.
 * Readers forgive a good deal and differ in what; so only what aterm_put would print is taken: the same commas, the
 * fewest escapes, every list ascending, nothing behind the end. There is then one text for one derivation, and nothing
 * in it that another reader could see otherwise. The parser itself takes no other text, which spares printing each file
 * again to compare; that both agree is what the fuzz target holds them to.
 * Owner   what is parsed lives in the arena, each text with a NUL behind it; nothing borrows from the input.
 * Errors  ERR_PROTO: not that form, or derivation_check refused it. ERR_LIMIT: over a bound. ERR_DENIED: a versioned
 *         ("dynamic") derivation, which is not read at all. ERR_MEMORY: the arena is full. *why as in derivation.h.
 * Source  NixOS/nix libstore/derivation/aterm.cc (parse, unparse). */
#ifndef GATEWAY_NIX_ATERM_H
#define GATEWAY_NIX_ATERM_H

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/nix/derivation.h"

enum { ATERM_MAX = 32 * 1024 * 1024 };  /* bytes of a .drv file */

/* `name`: the derivation's, store_path_drv_name of the file's path. */
MUST_USE enum err aterm_parse(struct arena *arena, const char *store_dir, struct text name, const void *bytes,
			      size_t len, struct derivation **out, const char **why);

/* Puts the text of a derivation that passed derivation_check. ERR_LIMIT, ERR_MEMORY: the buf then holds a part. */
MUST_USE enum err aterm_put(struct buf *out, const struct derivation *drv);

/* The path of the .drv file that holds these bytes, which are the text of `drv`. */
MUST_USE enum err aterm_path(const char *store_dir, struct text name, const void *bytes, size_t len,
			     const struct derivation *drv, struct store_path *out);
/* Is it `path`? What a store hands out under a name is believed only then. ERR_PROTO: it is not. */
MUST_USE enum err aterm_path_check(const char *store_dir, struct text path, const void *bytes, size_t len,
				   const struct derivation *drv);
/* The path that a daemon gives to a derivation it gets by value (printed, then as above); `max` bounds the text. */
MUST_USE enum err derivation_path(const char *store_dir, struct text name, const struct derivation *drv, size_t max,
				  struct store_path *out);

#endif
