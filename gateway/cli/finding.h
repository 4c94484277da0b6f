/* finding: what one check of `doctor` comes to, and how it is mended.
 * Owner   a struct finding holds its texts; they are escaped. */
#ifndef GATEWAY_CLI_FINDING_H
#define GATEWAY_CLI_FINDING_H

#include <stdbool.h>
#include <stdio.h>

#include "gateway/base/log.h"

enum grade { GRADE_OK, GRADE_WARN, GRADE_FAIL };

struct finding {
	enum grade grade;               /* the worst that was said */
	char text[SENTENCE_MAX];
	char mend[SENTENCE_MAX];        /* "": nothing to mend */
	bool kept;                      /* what was said last is what stands: a cure that follows belongs to it */
};

/* One of these is said by each check. A later one replaces an earlier one unless that was worse. */
void finding_ok(struct finding *f, const char *format, ...) PRINTF_LIKE(2, 3);
void finding_warn(struct finding *f, const char *format, ...) PRINTF_LIKE(2, 3);
void finding_fail(struct finding *f, const char *format, ...) PRINTF_LIKE(2, 3);

/* How to mend it; said right behind the warning or failure, and kept or left out with it. */
void finding_mend(struct finding *f, const char *format, ...) PRINTF_LIKE(2, 3);

/* One line: "FAIL  home: TEXT; mend: CURE", or a JSON object. */
void finding_print(const struct finding *f, const char *check, bool json, FILE *to);

#endif
