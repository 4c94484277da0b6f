/* nix_conf_file: the lines of nix.conf and of what it includes, in their order, for whoever looks for some of them.
 *
 * A file that this account may not read is left out, as Nix does when this account runs it: an included file often
 * holds access tokens. So is a nix.conf that does not exist. A file that `include` names must exist; one that
 * `!include` names need not.
 * Owner   a setting's texts are lent for the call.
 * Errors  false: it is not what Nix would take, and `why` (SENTENCE_MAX bytes) says so as FILE:LINE: text.
 * Source  nix.conf(5); NixOS/nix libutil/configuration.cc. */
#ifndef GATEWAY_SESSION_NIX_CONF_FILE_H
#define GATEWAY_SESSION_NIX_CONF_FILE_H

#include <stdbool.h>

#include "gateway/base/log.h"
#include "gateway/nix/text.h"

#define NIX_CONF_PATH "/etc/nix/nix.conf"

enum {
	NIX_CONF_MAX = 1024 * 1024,     /* bytes of one file */
	NIX_CONF_DEPTH = 10,            /* files within files: one that includes itself ends here */
	NIX_CONF_FILES = 100            /* in all */
};

struct nix_conf_setting {
	struct text name, value;        /* value: words, as they stand; without the comment behind them */
};

/* False: the value cannot be taken, and `reason` (SENTENCE_MAX bytes) says why. The reading ends. */
typedef bool nix_conf_setting_fn(void *context, const struct nix_conf_setting *setting, char *reason);

/* *partial: a file could not be read. */
MUST_USE bool nix_conf_each(const char *path, nix_conf_setting_fn *take, void *context, bool *partial, char *why);

#endif
