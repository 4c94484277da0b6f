/* resolve: sections and settings into the model: per key default, then its role, then itself, each value with the line
 * it was set in; and what only the whole file can show to be wrong.
 * Errors  every fault is added to `faults`; the policy then means nothing. */
#ifndef POLICY_RESOLVE_H
#define POLICY_RESOLVE_H

#include "policy/decide.h"
#include "policy/ini.h"
#include "policy/pool.h"

/* Fills all of *p but its path from `ini`, whose text must live as long as the policy. With a caller, p->keys holds no
 * other sections than those that can be the caller's; what is wrong with the others is found all the same. */
void resolve(const struct ini_file *ini, const struct caller *caller, struct policy *p, struct faults *faults);

#endif
