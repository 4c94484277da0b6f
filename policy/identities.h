/* identities: no two sections of a policy may answer for one caller.
 * Refused: a fingerprint in two sections; two sections that match the very same certificates; and a section whose
 * certificates are all matched by another one too (its grant could never be told from the other's). */
#ifndef POLICY_IDENTITIES_H
#define POLICY_IDENTITIES_H

#include "policy/index.h"
#include "policy/ini.h"

/* Looks at a fingerprint that stands in `line` of a section of `ini`. `seen` holds those looked at before, with the place of
 * their section. */
void fingerprint_check(const struct ini_file *ini, const struct ini_section *section, const char *fingerprint,
		       unsigned line, struct index *seen, struct faults *faults);

/* Looks at the certificates of all keys. */
void certificates_check(const struct policy *p, struct faults *faults);

#endif
