/* values: a setting's text into its place in the model, as its row in settings.c says. */
#ifndef POLICY_VALUES_H
#define POLICY_VALUES_H

#include "policy/settings.h"

/* Where a reading takes place. */
struct reading {
	struct pool *pool;              /* borrows; lists are made in it */
	struct faults *faults;          /* borrows */
	unsigned line;                  /* of the setting; 0: a built-in default */
};

/* Reads `text` (kept and changed: lists are cut in place) into `base`, the struct that s->offset counts in, and refuses
 * what this version does not enforce. false: a fault was added; what is in `base` then means nothing. */
bool value_read(const struct setting *s, char *text, void *base, const struct reading *r);

/* The defaults of all that has some: s->initial of every row. false: no memory. */
bool default_grant(struct grant *grant, struct pool *pool);
bool default_gateway(struct gateway_settings *gateway, struct pool *pool);

#endif
