/* nix_conf: what the builder's own nix.conf says about the settings that a client may lower.
 * A request to set options overwrites a fixed dozen of the daemon's settings at once, so whoever wants to change one of
 * them has to know the others. They are read from the file, as the daemon itself reads it, and never from the environment.
 * Owner   the struct holds no memory of its own.
 * Source  nix.conf(5); NixOS/nix libutil/configuration.cc, libstore/globals.cc. */
#ifndef GATEWAY_SESSION_NIX_CONF_H
#define GATEWAY_SESSION_NIX_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/log.h"
#include "gateway/session/nix_conf_file.h"

struct nix_conf {
	uint64_t keep_failed, keep_going, fallback, substitute;         /* 0 and 1 */
	uint64_t max_jobs;                                              /* 0: builds nothing itself */
	uint64_t cores;                                                 /* of one build; 0: all there are */
	uint64_t max_silent_time, timeout;                              /* seconds; 0: no limit */
	bool partial;                                                   /* a file could not be read */
};

/* Nix's defaults. */
void nix_conf_default(struct nix_conf *out);

/* Reads the file and what it includes. False: it is not what Nix would take, and `why` says so as FILE:LINE: text; *out
 * then holds the defaults. */
MUST_USE bool nix_conf_read(const char *path, struct nix_conf *out, char why[SENTENCE_MAX]);

#endif
