/* resolve_check: what a key may not say once it is resolved. Part of resolve; see there. */
#ifndef POLICY_RESOLVE_CHECK_H
#define POLICY_RESOLVE_CHECK_H

#include "policy/faults.h"

/* An identity that would be nobody's or anybody's. */
void resolve_check_identity(const struct key *key, struct faults *faults);
/* A narrow setting that exec cannot enforce. */
void resolve_check_relay(const struct key *key, const struct gateway_settings *gateway, struct faults *faults);
/* Trust that the account has not. */
void resolve_check_trust(const struct key *key, const struct gateway_settings *gateway, struct faults *faults);

#endif
