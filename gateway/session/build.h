/* build: requests to build, of both protocols: judged, then handed to the daemon in the form that leaves least to the
 * client's word.
 * Errors  as session.h. */
#ifndef GATEWAY_SESSION_BUILD_H
#define GATEWAY_SESSION_BUILD_H

#include "gateway/session/session.h"

/* What came of it. refused: the sentence is in `text`, and on record. failed: the daemon's words are in `text`, and its
 * ERROR is still in the loop for upstream_pass_error. Else `results` has the items of a reply of
 * BuildPathsWithResults, or (build_one) the values of one result, in `shape`. */
struct build_outcome {
	bool refused, failed;
	char text[SENTENCE_MAX];
	const struct value *results;
	const struct shape *shape;
};

/* `targets`: a list of derived paths. With results, or without (out->results is NULL then). */
MUST_USE enum err build_paths(struct session *s, const struct value *targets, struct build_outcome *out);
MUST_USE enum err build_targets(struct session *s, const struct value *targets, struct build_outcome *out);

/* BuildDerivation of either protocol: values of its request, in `shape`. One with content-addressed outputs is judged by
 * itself and forwarded under the path that its text gives it. One with input-addressed outputs is only the client's
 * word: if the builder holds that derivation with the same outputs, that is built instead; else it takes full trust. */
MUST_USE enum err build_one(struct session *s, const struct value *request, const struct shape *shape,
			    struct build_outcome *out);

/* The worker protocol's handlers, from request to answer. */
MUST_USE enum err build_answer_paths(struct session *s, const struct value *request);
MUST_USE enum err build_answer_results(struct session *s, const struct value *request);
MUST_USE enum err build_answer_derivation(struct session *s, const struct value *request);

#endif
