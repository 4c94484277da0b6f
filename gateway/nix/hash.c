#include "gateway/nix/hash.h"

static const struct {
	const char *name;
	size_t len;
} algos[] = {
#define HASH_ALGO_ROW(id, text, len) [HASH_##id] = { text, len },
	HASH_ALGO_LIST(HASH_ALGO_ROW)
};

const char *hash_name(enum hash_algo algo)
{
	return algos[algo].name;
}

size_t hash_len(enum hash_algo algo)
{
	return algos[algo].len;
}

bool hash_algo_named(struct text name, enum hash_algo *algo)
{
	for (size_t i = 0; i < sizeof algos / sizeof *algos; i++)
		if (text_is(name, algos[i].name)) {
			*algo = (enum hash_algo)i;
			return true;
		}
	return false;
}

void hex_encode(const uint8_t *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(struct text text, uint8_t *bytes, size_t len)
{
	if (text.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = hex_value(text.bytes[2 * i]), low = hex_value(text.bytes[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
