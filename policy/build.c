#include "policy/build.h"

#include <stdio.h>
#include <string.h>

#include "policy/settings.h"
#include "policy/verdict.h"
#include "policy/words.h"

enum { WHAT_MAX = 256 };
#define KNOWN_BUILTINS "builtin:fetchurl builtin:buildenv builtin:unpack-channel"
#define ASK	       "ask the builder's administrator"

/* Puts the contract's sentence together. Where the output came unsigned, the client need not have it built at all, and
 * that is the shorter way. */
static struct verdict refuse(const struct key *key, const struct build_ask *ask, struct rule rule, const char *what,
			     const char *allowed, const char *cure)
{
	if (ask->came_unsigned)
		cure = "its output came unsigned: sign it, or have the builder trust its cache";
	return verdict_refuse(rule, "%s may not %s (allowed: %s)%s%.*s; %s", key->name, what, allowed,
			      ask->drv == NULL ? "" : ": ", VERDICT_PATH_MAX, ask->drv == NULL ? "" : ask->drv, cure);
}

/* Refuses by a setting of the key's grant; what may not be done is the value between two pieces of text. */
static struct verdict refuse_by(const struct key *key, const struct build_ask *ask, enum grant_setting setting,
				const char *allowed, const char *before, const char *value, const char *after)
{
	char what[WHAT_MAX];

	snprintf(what, sizeof what, "%s%.*s%s", before, VERDICT_WORD_MAX, value, after);
	return refuse(key, ask, key->grant->rules[setting], what, allowed, ASK);
}

static struct verdict allow(const struct key *key, enum grant_setting setting)
{
	return (struct verdict){ .allow = true, .rule = key->grant->rules[setting] };
}

static bool lists(const struct text_list *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], word) == 0)
			return true;
	}
	return list->any;
}

/* An item that ends in "*" stands for all names that start so. */
static bool lists_name(const struct text_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		size_t len = strlen(list->items[i]);

		if (len > 0 && list->items[i][len - 1] == '*' && strncmp(list->items[i], name, len - 1) == 0)
			return true;
	}
	return lists(list, name);
}

static bool asks_for(const struct build_ask *ask, const char *feature)
{
	for (size_t i = 0; i < ask->feature_count; i++) {
		if (strcmp(ask->features[i], feature) == 0)
			return true;
	}
	return false;
}

/* The word of the lowest bit. */
static const char *first_word(enum grant_setting setting, unsigned bits)
{
	const char *const *words = setting_of_grant(setting)->words;

	while ((bits & 1u) == 0 && words[1] != NULL) {
		bits >>= 1;
		words++;
	}
	return words[0];
}

/* What no grant can allow: nobody has looked into what these do. */
static struct verdict judge_builtin(const struct key *key, const struct build_ask *ask)
{
	struct rule none = { .line = 0 };
	char what[WHAT_MAX];

	if (ask->unknown_builtin != NULL) {
		snprintf(what, sizeof what, "use the builtin builder '%.*s'", VERDICT_WORD_MAX, ask->unknown_builtin);
		return refuse(key, ask, none, what, KNOWN_BUILTINS, "build it elsewhere");
	}
	if (ask->odd_url != NULL) {
		snprintf(what, sizeof what, "fetch '%.*s'", VERDICT_WORD_MAX, ask->odd_url);
		return refuse(key, ask, none, what, "http:// https://", "give it another URL");
	}
	return (struct verdict){ .allow = true };
}

static struct verdict judge_system(const struct key *key, const struct build_ask *ask)
{
	char allowed[WORDS_TEXT_MAX];

	if (ask->system == NULL || ask->any_system || lists(&key->grant->systems, ask->system))
		return allow(key, GRANT_SYSTEMS);
	return refuse_by(key, ask, GRANT_SYSTEMS, words_of_list(&key->grant->systems, allowed), "build for '",
			 ask->system, "'");
}

static struct verdict judge_kind(const struct key *key, const struct build_ask *ask)
{
	unsigned missing = ask->kinds & ~key->grant->derivations;
	char allowed[WORDS_TEXT_MAX];

	if (missing == 0)
		return allow(key, GRANT_DERIVATIONS);
	words_of_bits(setting_of_grant(GRANT_DERIVATIONS)->words, key->grant->derivations, allowed);
	return refuse_by(key, ask, GRANT_DERIVATIONS, allowed, "build ", first_word(GRANT_DERIVATIONS, missing),
			 " derivations");
}

static struct verdict judge_fixed_output(const struct key *key, const struct build_ask *ask)
{
	bool fixed = (ask->kinds & KIND_FIXED_OUTPUT) != 0;

	if (!fixed || !ask->own_program || key->grant->fixed_output == FIXED_OUTPUT_ANY)
		return allow(key, GRANT_FIXED_OUTPUT);
	return refuse_by(key, ask, GRANT_FIXED_OUTPUT, "builtin:fetchurl", "build a fixed output by ",
			 "a program of its own", "");
}

/* As in Nix, a feature that is mandatory is also there to be used. */
static struct verdict judge_features(const struct key *key, const struct build_ask *ask)
{
	char allowed[WORDS_TEXT_MAX];

	for (size_t i = 0; i < ask->feature_count; i++) {
		if (!lists(&key->grant->features, ask->features[i]) &&
		    !lists(&key->grant->mandatory_features, ask->features[i]))
			return refuse_by(key, ask, GRANT_FEATURES, words_of_list(&key->grant->features, allowed),
					 "use the feature '", ask->features[i], "'");
	}
	return allow(key, GRANT_FEATURES);
}

static struct verdict judge_mandatory(const struct key *key, const struct build_ask *ask)
{
	const struct text_list *mandatory = &key->grant->mandatory_features;
	char words[WORDS_TEXT_MAX], allowed[WORDS_TEXT_MAX + 8];

	for (size_t i = 0; ask->wanted && i < mandatory->count; i++) {
		if (asks_for(ask, mandatory->items[i]))
			continue;
		snprintf(allowed, sizeof allowed, "with %s", words_of_list(mandatory, words));
		return refuse_by(key, ask, GRANT_MANDATORY_FEATURES, allowed, "build without the feature '",
				 mandatory->items[i], "'");
	}
	return allow(key, GRANT_MANDATORY_FEATURES);
}

static struct verdict judge_relaxations(const struct key *key, const struct build_ask *ask)
{
	unsigned missing = ask->relaxations & ~key->grant->relaxations;
	char allowed[WORDS_TEXT_MAX];

	if (missing == 0)
		return allow(key, GRANT_RELAXATIONS);
	words_of_bits(setting_of_grant(GRANT_RELAXATIONS)->words, key->grant->relaxations, allowed);
	return refuse_by(key, ask, GRANT_RELAXATIONS, allowed, "relax the sandbox by '",
			 first_word(GRANT_RELAXATIONS, missing), "'");
}

static struct verdict judge_variables(const struct key *key, const struct build_ask *ask)
{
	const struct text_list *granted = &key->grant->impure_env_vars;
	char allowed[WORDS_TEXT_MAX];

	for (size_t i = 0; i < ask->impure_env_var_count; i++) {
		if (!lists_name(granted, ask->impure_env_vars[i]))
			return refuse_by(key, ask, GRANT_IMPURE_ENV_VARS, words_of_list(granted, allowed),
					 "read the variable '", ask->impure_env_vars[i], "' of the builder");
	}
	return allow(key, GRANT_IMPURE_ENV_VARS);
}

/* Is the question about features alone? */
static bool asks_features_alone(const struct build_ask *ask)
{
	return ask->system == NULL && ask->kinds == 0 && ask->feature_count > 0;
}

/* What allows: the line of the systems, which most people look for, or else of what the question is about. */
static enum grant_setting main_setting(const struct build_ask *ask)
{
	if (asks_features_alone(ask))
		return GRANT_FEATURES;
	return ask->any_system ? GRANT_DERIVATIONS : GRANT_SYSTEMS;
}

struct verdict policy_decide_build(const struct key *key, const struct build_ask *ask)
{
	static struct verdict (*const judges[])(const struct key *, const struct build_ask *) = {
		judge_builtin,	judge_system,	 judge_kind,	    judge_fixed_output,
		judge_features, judge_mandatory, judge_relaxations, judge_variables,
	};

	for (size_t i = 0; i < sizeof judges / sizeof *judges; i++) {
		struct verdict verdict = judges[i](key, ask);

		if (!verdict.allow)
			return verdict;
	}
	return allow(key, main_setting(ask));
}
