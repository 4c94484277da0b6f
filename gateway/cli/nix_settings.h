/* nix_settings: what nix.conf comes to for the settings that people are told of: what this builder offers, and what keeps
 * its builds apart. For people alone: no session is decided by it. Where nix.conf says nothing, it is Nix's default.
 * Owner   a struct nix_settings owns its values until nix_settings_free.
 * Errors  false with a sentence in `why` (SENTENCE_MAX bytes); the values are Nix's defaults then, or NULL where there
 *         was no memory for them.
 * Source  nix.conf(5); NixOS/nix libstore/globals.cc. */
#ifndef GATEWAY_CLI_NIX_SETTINGS_H
#define GATEWAY_CLI_NIX_SETTINGS_H

#include <stdbool.h>

#include "gateway/base/log.h"
#include "gateway/nix/text.h"

enum nix_setting {
	NIX_SYSTEM, NIX_EXTRA_PLATFORMS, NIX_SYSTEM_FEATURES, NIX_SANDBOX, NIX_SANDBOX_FALLBACK, NIX_REQUIRE_SIGS,
	NIX_SUBSTITUTE, NIX_SUBSTITUTERS, NIX_BUILD_USERS_GROUP, NIX_ALLOW_NEW_PRIVILEGES, NIX_POST_BUILD_HOOK,
	NIX_SETTINGS            /* how many there are */
};

struct nix_settings {
	char *values[NIX_SETTINGS];     /* own; words with one space between them */
	bool stated[NIX_SETTINGS];      /* nix.conf says so */
	bool partial;                   /* a file could not be read */
};

MUST_USE bool nix_settings_read(const char *path, struct nix_settings *out, char *why);
void nix_settings_free(struct nix_settings *s);         /* leaves it empty; fine twice */

/* "" where there is none. */
const char *nix_setting_value(const struct nix_settings *s, enum nix_setting setting);

bool nix_setting_is_true(const struct nix_settings *s, enum nix_setting setting);

/* Is `word` one of the words of the value? */
bool nix_setting_has(const struct nix_settings *s, enum nix_setting setting, const char *word);

#endif
