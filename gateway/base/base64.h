/* base64: bytes out of their text, which has one spelling: padded, no blank, no bits left over.
 * Units   bytes; of the text too.
 * Errors  false: it is no such text, or more than `max` bytes; `out` then holds nothing of use. */
#ifndef GATEWAY_BASE_BASE64_H
#define GATEWAY_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool base64_decode(const char *text, size_t text_len, uint8_t *out, size_t max, size_t *len);

#endif
