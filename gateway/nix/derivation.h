/* derivation: what a .drv file or a BasicDerivation says, as plain values, and whether it holds together.
 * A caller fills the struct (aterm_parse from a file; a decoder from a request's fields), calls derivation_sort where
 * the order is not known to be right, then derivation_check; only a derivation that passed it is worth asking anything.
 * Owner   texts and arrays are lent by the caller, usually from one arena; derivation_sort moves items within them.
 * Errors  ERR_PROTO: no well-formed derivation; ERR_LIMIT: over a bound; *why then is a static half-sentence that goes
 *         behind "this derivation ".
 * Source  NixOS/nix libstore: derivations.cc (type, checkInvariants), derivation/aterm.cc (parseOutput). */
#ifndef GATEWAY_NIX_DERIVATION_H
#define GATEWAY_NIX_DERIVATION_H

#include "gateway/base/err.h"
#include "gateway/nix/derived_path.h"

enum {
	DERIVATION_OUTPUTS_MAX = DERIVED_OUTPUTS_MAX,
	DERIVATION_INPUTS_MAX = 10000,          /* input derivations and input sources together: a path's references */
	DERIVATION_ARGS_MAX = 65536,
	DERIVATION_ENV_MAX = 65536,
	DERIVATION_SYSTEM_MAX = 128,            /* bytes of the platform */
	DERIVATION_BUILDER_MAX = 4096
};

enum derivation_kind {
	DERIVATION_INPUT_ADDRESSED,
	DERIVATION_DEFERRED,            /* input-addressed, but the address of an input is not known yet */
	DERIVATION_FIXED,
	DERIVATION_FLOATING,            /* content-addressed, the hash is not known before */
	DERIVATION_IMPURE
};

struct derivation_output {
	struct text name, path, method_algo, hash;
};

struct derivation_input {
	struct text path;               /* of a .drv */
	struct text *outputs;           /* output_count names, at least one */
	size_t output_count;
};

struct derivation_variable {
	struct text name, value;
};

struct derivation {
	struct derivation_output *outputs;
	size_t output_count;
	struct derivation_input *input_drvs;    /* none in a BasicDerivation */
	size_t input_drv_count;
	struct text *input_srcs;
	size_t input_src_count;
	struct text platform, builder;
	struct text *args;
	size_t arg_count;
	struct derivation_variable *env;
	size_t env_count;

	/* Set by derivation_check. */
	enum derivation_kind kind;
	bool makes_derivation;          /* an output is hashed as text, or named .drv: it may be one that nobody has seen */
};

/* Puts outputs, input sources, input derivations, their output names and env into the order of a .drv file. */
void derivation_sort(struct derivation *drv);

/* Bounds; every list ascending; names and paths canonical; no NUL byte; output kinds not mixed; a fixed output alone
 * and called "out", its path the one its hash gives; each output path named as this derivation names it, and env
 * agreeing with it.
 * `name` is the derivation's own: store_path_drv_name of its path. Linear in the size but for the look-ups by name. */
MUST_USE enum err derivation_check(struct derivation *drv, const char *store_dir, struct text name, const char **why);

/* Below: of a derivation that passed the check. */
const struct text *derivation_env(const struct derivation *drv, const char *name);     /* its value; NULL: not set */
const struct derivation_output *derivation_output(const struct derivation *drv, struct text name);     /* or NULL */

#endif
