/* content_address: what a path claims to be the hash of, and the path that follows from it.
 * Taken: text:sha256, fixed:ALGO, fixed:r:ALGO with md5, sha1, sha256, sha512. Git hashing, blake3 and text by another
 * algorithm are refused.
 * The hash stands for content nobody has looked at here: the daemon compares it when it has the last byte.
 * Errors  ERR_PROTO: no content address, not its one spelling, or not of the kinds taken.
 * Source  NixOS/nix libstore: content-address.cc, store-dir-config.cc (makeFixedOutputPath, makeTextPath). */
#ifndef GATEWAY_NIX_CONTENT_ADDRESS_H
#define GATEWAY_NIX_CONTENT_ADDRESS_H

#include "gateway/base/err.h"
#include "gateway/nix/hash.h"
#include "gateway/nix/nix32.h"
#include "gateway/nix/store_path.h"

enum content_method {
	CONTENT_TEXT,           /* a file made of text: references come from it */
	CONTENT_NAR,            /* anything, the hash of its NAR */
	CONTENT_FLAT            /* one file, the hash of its bytes */
};

struct content_address {
	enum content_method method;
	struct hash hash;
};

enum { CONTENT_ADDRESS_MAX = sizeof "fixed:r:sha512:" + NIX32_MAX };    /* with its NUL */

/* "fixed:r:sha256:1b8m03r63zqh..." */
MUST_USE enum err content_address_parse(struct text text, struct content_address *out);
/* Writes at most CONTENT_ADDRESS_MAX bytes with the NUL; returns the length. Parse and render give the same text. */
size_t content_address_render(const struct content_address *ca, char *out);

/* The method alone, as AddToStore names it: "text:sha256", "fixed:sha1", "fixed:r:sha256". */
MUST_USE enum err content_method_parse(struct text text, enum content_method *method, enum hash_algo *algo);
/* The method alone, as an output of a derivation names it: "sha256", "r:sha256", "text:sha256". */
MUST_USE enum err content_method_parse_output(struct text text, enum content_method *method, enum hash_algo *algo);

/* The path of content with this address. `refs` must ascend and leave out the path itself, which `self` stands for.
 * ERR_PROTO also: references that this kind of address cannot have. */
MUST_USE enum err content_address_path(const char *store_dir, const struct content_address *ca, struct text name,
				       const struct text *refs, size_t ref_count, bool self, struct store_path *out);

/* Does `path` follow from what is said of it? `refs` as uploaded: ascending, the path itself among them where it refers
 * to itself. A path named *.drv is taken as text alone. ERR_PROTO: it does not; ERR_MEMORY. */
MUST_USE enum err content_address_check(const char *store_dir, struct text path, struct text ca,
					const struct text *refs, size_t ref_count, struct content_address *out);

#endif
