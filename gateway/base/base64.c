#include "gateway/base/base64.h"

#include <sodium.h>

/* libsodium 1.0.18 takes bytes over 0x7f for digits where char is signed. */
static bool is_ascii(const char *text, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)text[i];
	return all < 0x80;
}

bool base64_decode(const char *text, size_t text_len, uint8_t *out, size_t max, size_t *len)
{
	return is_ascii(text, text_len) && sodium_base642bin(out, max, text, text_len, NULL, len, NULL,
							     sodium_base64_VARIANT_ORIGINAL) == 0;
}
