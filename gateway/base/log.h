/* log: sentences for people, on stderr, one line each, behind "nix-gateway: ".
 * The one door through which foreign bytes reach a person: everything that is not printable ASCII is written \xHH, so
 * a name chosen by a client can neither move a terminal's cursor nor forge a second line. */
#ifndef GATEWAY_BASE_LOG_H
#define GATEWAY_BASE_LOG_H

#include <stdarg.h>
#include <stddef.h>

#include "gateway/base/err.h"

enum { SENTENCE_MAX = 2048 };   /* bytes of one sentence with its NUL; longer ones are cut and end in "..." */

/* Writes at most size - 1 bytes and a NUL: printable ASCII as it is, a backslash as \\, the rest as \xHH;
 * also the percent sign, for Nix clients 2.15 to 2.19 take an error for a format string.
 * Returns the length of what was written. What does not fit whole is left out and replaced by "...". */
size_t log_escape(char *out, size_t size, const void *bytes, size_t len);

/* Formats one sentence without its "nix-gateway: ", escaped as above. `out` holds SENTENCE_MAX bytes. */
void log_sentence(char *out, const char *format, ...) PRINTF_LIKE(2, 3);
void log_vsentence(char *out, const char *format, va_list args) PRINTF_LIKE(2, 0);

/* Says the sentence on stderr. Never waits: where stderr is full or gone, the sentence is lost. */
void log_say(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
