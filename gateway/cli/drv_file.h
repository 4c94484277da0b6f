/* drv_file: a .drv file of this machine, as the question whether it may be built.
 * Owner   all that the question names lives in the arena.
 * Errors  ERR_IO: the file cannot be read, errno tells why. ERR_LIMIT, ERR_PROTO: no derivation as Nix writes them,
 *         *why is a half-sentence behind "this derivation ". ERR_MEMORY. */
#ifndef GATEWAY_CLI_DRV_FILE_H
#define GATEWAY_CLI_DRV_FILE_H

#include "gateway/base/arena.h"
#include "policy/build.h"

/* The derivation's name is that of the file, without ".drv" and, if it has one, the hash in front. */
MUST_USE enum err drv_file_ask(struct arena *arena, const char *store_dir, const char *path, struct build_ask *ask,
			       const char **why);

#endif
