/* numbers: the settings whose value is a number with a unit, or true or false. Part of values; see there. */
#ifndef POLICY_NUMBERS_H
#define POLICY_NUMBERS_H

#include "policy/values.h"

/* Reads `text` to `at`: a struct limit in a grant, a uint64_t in [gateway]. false: a fault was added. */
bool number_read(const struct setting *s, const char *text, void *at, const struct reading *r);

#endif
