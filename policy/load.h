/* load: a policy file, from its path to a struct policy or to its faults.
 * The file is opened once; owner, mode and text are all judged on that descriptor and on the folders its real path
 * goes through, so that nothing can be exchanged between a check and its use.
 * Errors  every fault is reported, in the order of its line; *out is NULL then: there is no half a policy. */
#ifndef POLICY_LOAD_H
#define POLICY_LOAD_H

#include "policy/decide.h"

enum policy_trustee {
	POLICY_OWNER_CHECKED,           /* writable by root or the program's owner alone, or it is a fault */
	POLICY_OWNER_IGNORED            /* `check` by an ordinary user judges the text alone */
};

typedef void policy_fault_fn(void *context, const struct policy_fault *fault);

/* Loads `path`. Calls `fault` (may be NULL) once per fault. Returns true and hands over *out (free with policy_free),
 * or false: then at least one fault was reported. */
bool policy_load(const char *path, enum policy_trustee trustee, struct policy **out, policy_fault_fn *fault,
		 void *context);

/* The same for one session: a policy of ten thousand sections is read and judged whole, but *out holds no other keys than
 * those that policy_identify can find for this very caller. NULL: all keys. */
bool policy_load_for(const struct caller *caller, const char *path, enum policy_trustee trustee, struct policy **out,
		     policy_fault_fn *fault, void *context);

/* What a person should know though the policy loads (a setting without effect, a grant that is very wide). */
void policy_warnings(const struct policy *p, policy_fault_fn *warning, void *context);

/* This day in UTC, for the verdicts that depend on it. */
struct date policy_today(void);

#endif
