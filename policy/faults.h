/* faults: what is wrong with a policy file, kept in the order of its lines.
 * Owner   a struct faults owns its list until faults_free.
 * Errors  none: over FAULTS_MAX, or without memory, a fault is counted and not kept. It is never lost as a fault. */
#ifndef POLICY_FAULTS_H
#define POLICY_FAULTS_H

#include "policy/model.h"

enum { FAULTS_MAX = 100 };      /* more than a person reads at once */

struct faults {
	struct policy_fault *items;     /* owns; count of them, lowest line first */
	size_t count, left_out;
};

/* Adds a sentence; foreign bytes in it are escaped. The same sentence about the same line is kept once. */
void faults_add(struct faults *f, unsigned line, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool faults_any(const struct faults *f);
bool faults_full(const struct faults *f);       /* nothing more is kept: do no work for a better sentence */
void faults_take(struct faults *f, struct faults *from);        /* f has none yet; `from` has none then */
void faults_free(struct faults *f);

#endif
