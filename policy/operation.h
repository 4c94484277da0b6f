/* operation: may a key do this kind of thing at all? As pure as decide: the answer is in the grant. */
#ifndef POLICY_OPERATION_H
#define POLICY_OPERATION_H

#include "policy/decide.h"

/* `needed`: bits of enum operations, all of which the grant must have. `what` completes "alice may not ..."; `subject`
 * is what it is about, NULL: nothing. The text of a denial is the contract's. */
struct verdict policy_decide_operation(const struct key *key, unsigned needed, const char *what, const char *subject);

#endif
