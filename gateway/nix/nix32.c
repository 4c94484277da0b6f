#include "gateway/nix/nix32.h"

#include <string.h>

static const char digits[] = "0123456789abcdfghijklmnpqrsvwxyz";

enum { BITS = 5, NOT_A_DIGIT = 32 };

/* The place of a character in the alphabet. */
static unsigned digit_value(char c)
{
	const char *found = c == '\0' ? NULL : strchr(digits, c);

	return found == NULL ? NOT_A_DIGIT : (unsigned)(found - digits);
}

bool nix32_is_digit(char c)
{
	return digit_value(c) != NOT_A_DIGIT;
}

size_t nix32_len(size_t hash_len)
{
	return (hash_len * 8 + BITS - 1) / BITS;
}

/* Character k from the right holds the five bits from bit 5k on, counted from the lowest bit of byte 0. They may reach
 * into the byte behind. */
void nix32_encode(const uint8_t *hash, size_t len, char *out)
{
	size_t count = nix32_len(len);

	for (size_t k = 0; k < count; k++) {
		size_t byte = k * BITS / 8, shift = k * BITS % 8;
		unsigned bits = hash[byte];

		if (byte + 1 < len)
			bits |= (unsigned)hash[byte + 1] << 8;
		out[count - 1 - k] = digits[bits >> shift & 31];
	}
}

bool nix32_decode(const char *text, size_t text_len, uint8_t *hash, size_t len)
{
	if (text_len != nix32_len(len))
		return false;
	memset(hash, 0, len);
	for (size_t k = 0; k < text_len; k++) {
		size_t byte = k * BITS / 8, shift = k * BITS % 8;
		unsigned value = digit_value(text[text_len - 1 - k]), bits = value << shift;

		if (value == NOT_A_DIGIT)
			return false;
		hash[byte] |= (uint8_t)(bits & 0xff);
		if (byte + 1 < len)
			hash[byte + 1] |= (uint8_t)(bits >> 8);
		else if (bits >> 8 != 0)
			return false;   /* bits behind the last byte: a second spelling of the same hash */
	}
	return true;
}
