/* nix_version: what `nix-daemon --version` says, for people only: nothing is decided by it.
 * Owner   the caller's buffers: out, and why with SENTENCE_MAX bytes (not escaped yet).
 * Errors  ERR_IO: it does not run or fails. ERR_PROTO: it says something else. ERR_TIMEOUT: no answer within
 *         NIX_VERSION_MS; its whole process group is ended then. out->number is "" on an error. */
#ifndef GATEWAY_ENV_NIX_VERSION_H
#define GATEWAY_ENV_NIX_VERSION_H

#include <stdbool.h>

#include "gateway/base/err.h"

enum { NIX_VERSION_MAX = 64, NIX_VERSION_MS = 2000 };

struct nix_version {
	char number[NIX_VERSION_MAX];   /* e.g. "2.8.0": the last word of the first line */
	bool lix;                       /* it calls itself Lix, whose numbers are its own */
};

/* program: the absolute path of nix-daemon. environment: all it gets (struct environment's items). */
MUST_USE enum err nix_version(const char *program, char *const *environment, struct nix_version *out, char *why);

#endif
