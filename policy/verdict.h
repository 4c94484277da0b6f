/* verdict: how a verdict is put together. Part of decide, build and operation; who asks needs only decide.h. */
#ifndef POLICY_VERDICT_H
#define POLICY_VERDICT_H

#include "policy/decide.h"

/* Bytes of a foreign word and of a foreign path that a sentence shows, so that its end is always there to be read. */
enum { VERDICT_WORD_MAX = 128, VERDICT_PATH_MAX = 300 };

/* What a caller named itself goes into the sentence: any byte that is not plain becomes a "?", so it can be put on a
 * terminal, into a protocol error and through another escaping unchanged. */
struct verdict verdict_refuse(struct rule rule, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
