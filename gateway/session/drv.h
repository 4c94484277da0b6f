/* drv: derivations as the daemon holds them, each read, checked and turned into a question for policy once a session.
 * What is read is the daemon's own copy, and it is believed only if its text has the path it is named by.
 * Owner   the cache owns all it keeps until drv_cache_free.
 * Errors  as session.h; a derivation that is not there, or is none that may be judged, is no error but a sentence:
 *         ERR_DENIED, and `why` (SENTENCE_MAX bytes) names it. */
#ifndef GATEWAY_SESSION_DRV_H
#define GATEWAY_SESSION_DRV_H

#include "gateway/nix/aterm.h"
#include "gateway/session/path_set.h"
#include "policy/build.h"

struct session;

enum {
	DRVS_MAX = 200000,                      /* derivations of one session */
	DRV_BYTES_MAX = 1024 * 1024 * 1024      /* their texts together */
};

struct drv_output {
	struct text name, path;         /* path "": not known before it is built */
};

struct drv_input {
	struct text path;
	struct text *outputs;           /* output_count names */
	size_t output_count;
};

struct drv {
	struct text path;
	struct drv_output *outputs;     /* output_count, at most DERIVATION_OUTPUTS_MAX */
	size_t output_count;
	struct drv_input *inputs;
	size_t input_count;
	enum derivation_kind kind;
	struct build_ask ask;
};

struct drv_cache {
	struct arena arena;             /* what is kept */
	struct arena scratch;           /* one file while it is parsed */
	struct path_set paths;          /* their paths; item i is drvs[i] */
	struct drv **drvs;              /* owns the array */
	size_t capacity;
	uint64_t bytes;
};

void drv_cache_init(struct drv_cache *cache);
void drv_cache_free(struct drv_cache *cache);

/* NULL: it was not read yet. */
struct drv *drv_find(const struct drv_cache *cache, struct text path);

/* Reads those of the paths that are not cached yet; all of them are valid paths of the daemon. */
MUST_USE enum err drv_read_all(struct session *s, const struct text *paths, size_t count, char *why);

/* Checks the text of one file that is named *.drv, without keeping it: for uploads. */
MUST_USE enum err drv_check(struct session *s, struct text path, const void *bytes, size_t len, char *why);

/* Bits of the outputs that a list of names wants; all of them for "*" (names NULL). ERR_DENIED: a name it has not. */
MUST_USE enum err drv_wanted(const struct drv *drv, const struct text *names, size_t count, uint64_t *wanted, char *why);

#endif
