/* facts: what building a derivation asks of the machine. No opinion on whether it may.
 * Nix looks into structured attributes alone where there are any, else into env alone; here both speak, and what either
 * asks for counts as asked.
 * Owner   everything lives in the arena or borrows from the derivation; keep both.
 * Errors  ERR_PROTO: structured attributes that are no strict JSON, or of the wrong type; ERR_LIMIT; ERR_MEMORY.
 *         *why as in derivation.h.
 * Source  NixOS/nix libstore: derivation-options.cc, builtins/fetchurl.cc, unix/build/derivation-builder.cc. */
#ifndef GATEWAY_NIX_FACTS_H
#define GATEWAY_NIX_FACTS_H

#include "gateway/base/arena.h"
#include "gateway/nix/derivation.h"

enum builtin_builder {
	BUILTIN_NONE,           /* a program, built on the derivation's system */
	BUILTIN_FETCHURL,       /* these three run inside the daemon, whatever system is named */
	BUILTIN_BUILDENV,
	BUILTIN_UNPACK_CHANNEL,
	BUILTIN_UNKNOWN         /* another "builtin:", or a program for the system "builtin": to be refused */
};

enum asked {
	ASKS_NO_CHROOT = 1 << 0, ASKS_IMPURE_HOST_DEPS = 1 << 1, ASKS_SANDBOX_PROFILE = 1 << 2,
	ASKS_LOCAL_NETWORKING = 1 << 3
};

struct texts {
	struct text *items;     /* ascending, none twice */
	size_t count;
};

struct facts {
	struct text system;             /* borrows: the platform */
	struct text builder;            /* borrows */
	enum builtin_builder builtin;
	enum derivation_kind kind;
	bool makes_derivation;          /* an output may be a derivation that nobody has seen yet */
	struct texts features;          /* asked for by name; what a kind of output implies is not among them */
	struct texts impure_env_vars;   /* heeded by a daemon for DERIVATION_FIXED and _IMPURE alone */
	struct texts host_deps;         /* paths of the machine to be let into the sandbox */
	struct texts urls;              /* of BUILTIN_FETCHURL; else none */
	unsigned asked;                 /* enum asked; host deps of any kind count */
};

/* `drv` passed derivation_check. */
MUST_USE enum err facts_gather(struct arena *arena, const struct derivation *drv, struct facts *out, const char **why);

/* Are all host deps of the kind that nixpkgs gives to every derivation on a Mac: /dev/zero, /dev/random, /dev/urandom,
 * /bin/sh, or /usr/lib, /System/Library and below? */
bool facts_host_deps_are_usual(const struct facts *facts);
/* What is asked beyond the usual: `asked`, without host deps where they are usual. */
unsigned facts_relaxations(const struct facts *facts);
/* The first URL that is neither http:// nor https://; NULL: there is none. */
const struct text *facts_odd_url(const struct facts *facts);

#endif
