/* settings: the options of the daemon's side of a session. What a client sets is read, bounded and answered with success,
 * and never passed on. What goes upstream is ours, and only where there is a reason: the grant sets a limit, or the client
 * asks for less than it has.
 *
 * A grant's limit takes the place of nix.conf's value and bounds what the client asks; where the grant is silent,
 * nix.conf's value does. Less is: fewer seconds (0 seconds are no limit, so the most), fewer cores (0: all of them),
 * fewer jobs, failed builds not kept. To do without substitutes is less only to the client: the builder then has to build
 * what it could have fetched. So a client may ask for that where the grant is silent; what the grant says stands.
 * Units   seconds and counts; 0 and 1.
 * Source  NixOS/nix libstore: remote-store.cc (setOptions), daemon.cc (ClientSettings). */
#ifndef GATEWAY_SESSION_SETTINGS_H
#define GATEWAY_SESSION_SETTINGS_H

#include "gateway/base/log.h"
#include "gateway/nix/value.h"
#include "gateway/session/nix_conf.h"
#include "policy/model.h"

struct session;

/* What a client asks for; what is not `set` it did not speak of. All zero: nothing. */
struct wish {
	struct limit keep_failed, max_jobs, max_silent_time, timeout, cores, use_substitutes;
};

/* What the daemon is told: the fixed fields, in the order of the request, and the one setting that goes with them. */
struct set_options {
	uint64_t keep_failed, keep_going, try_fallback, verbosity, max_build_jobs, max_silent_time;
	uint64_t use_build_hook, build_verbosity, log_type, print_build_trace;
	uint64_t build_cores, use_substitutes;
	uint64_t timeout;
};

/* Part of a session. All zero but for conf: the daemon was told nothing yet. */
struct settings_state {
	struct nix_conf conf;
	bool sent;
	struct set_options last;        /* what the daemon was told last, if `sent` */
};

/* Pure. */
void settings_effective(const struct grant *grant, const struct nix_conf *conf, const struct wish *wish,
			struct set_options *out);
/* Is there a reason to tell the daemon anything at all? */
bool settings_needed(const struct grant *grant, const struct nix_conf *conf, const struct wish *wish);

/* Tells the daemon what holds from now on, unless it knows. Between operations, or before the running one goes upstream.
 * Errors as session.h; the daemon's own ERROR ends the session too: a limit it does not take would not hold. */
MUST_USE enum err settings_send(struct session *s, struct settings_state *state, const struct wish *wish);

/* The wish in a worker client's SetOptions, and in the options of a serve client's build command. `request` is laid out
 * as `shape`. An override that is not a number is no wish. */
void wish_from_set_options(const struct value *request, const struct shape *shape, struct wish *wish);
void wish_from_serve_options(const struct value *request, const struct shape *shape, unsigned minor, struct wish *wish);

/* What a setting decides that no client of a gateway has a say in. */
enum settings_loss {
	LOSS_CODE = 1 << 0,             /* which programs the daemon itself runs */
	LOSS_SANDBOX = 1 << 1,          /* how builds are kept apart from the builder */
	LOSS_BELIEF = 1 << 2            /* what is believed: keys, caches. Ordinary clients name these too */
};

/* The names of such settings in a SetOptions request, each once, with commas between them: for the audit. They are our own
 * words: an `extra-` before them is left out. Returns how many there are. `losses`: enum settings_loss. */
size_t settings_probe(const struct value *request, const struct shape *shape, unsigned losses, char names[SENTENCE_MAX]);

#endif
