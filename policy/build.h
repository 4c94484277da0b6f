/* build: may this key have this derivation built? As pure as decide: the derivation's facts are handed in as words.
 * The text of a denial is the contract's; it names the derivation and the value that decided. */
#ifndef POLICY_BUILD_H
#define POLICY_BUILD_H

#include "policy/decide.h"

/* What a derivation asks for. Strings are lent by the caller and NUL-terminated. */
struct build_ask {
	const char *drv;                        /* its path, for the text; NULL: none (explain --system) */
	const char *system;                     /* NULL: not judged */
	bool any_system;                        /* one of the builtin builders that run on every system */
	const char *const *features;            /* feature_count words */
	size_t feature_count;
	bool wanted;                            /* the request names it: mandatory features apply */
	unsigned kinds;                         /* enum granted_kind: all of these it is */
	bool own_program;                       /* builds by a program, not by builtin:fetchurl: for fixed-output = builtin */
	unsigned relaxations;                   /* enum relaxation */
	const char *const *impure_env_vars;     /* impure_env_var_count names, as far as they are heeded */
	size_t impure_env_var_count;
	const char *unknown_builtin;            /* a builtin that is none of the known ones: refused whatever the grant */
	const char *odd_url;                    /* a URL of builtin:fetchurl that is neither http nor https: likewise */
	bool came_unsigned;                     /* its output was taken off the wire in this session: the text says so */
};

struct verdict policy_decide_build(const struct key *key, const struct build_ask *ask);

#endif
