/* nix_version: what `nix-daemon --version` says, for people only: nothing is decided by it.
 * Owner   the caller's buffers: version NIX_VERSION_MAX bytes, why SENTENCE_MAX bytes (not escaped yet).
 * Errors  ERR_IO: it does not run or fails. ERR_PROTO: it says something else. ERR_TIMEOUT: no answer within
 *         NIX_VERSION_MS; its whole process group is ended then. */
#ifndef GATEWAY_ENV_NIX_VERSION_H
#define GATEWAY_ENV_NIX_VERSION_H

#include "gateway/base/err.h"

enum { NIX_VERSION_MAX = 64, NIX_VERSION_MS = 2000 };

/* program: the absolute path of nix-daemon. environment: all it gets (struct environment's items).
 * Gives e.g. "2.8.0": the last word of the first line. */
MUST_USE enum err nix_version(const char *program, char *const *environment, char *version, char *why);

#endif
