/* identities: no two sections of a policy may answer for one caller.
 * Refused: a fingerprint in two sections; two sections that match the very same certificates; and a section whose
 * certificates are all matched by another one too (its grant could never be told from the other's). */
#ifndef POLICY_IDENTITIES_H
#define POLICY_IDENTITIES_H

#include "policy/faults.h"
#include "policy/index.h"

/* Looks at the fingerprints of the newest key from its `from`th on, all of them set in `line`. `seen` holds those of
 * all earlier ones. */
void fingerprints_check(const struct policy *p, size_t from, unsigned line, struct index *seen, struct faults *faults);

/* Looks at the certificates of all keys. */
void certificates_check(const struct policy *p, struct faults *faults);

#endif
