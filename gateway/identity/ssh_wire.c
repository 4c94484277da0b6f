#include "gateway/identity/ssh_wire.h"

#include <string.h>

static uint64_t big_endian(const uint8_t *bytes, size_t count)
{
	uint64_t value = 0;

	for (size_t i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

static void skip(struct ssh_wire *in, size_t len)
{
	in->at += len;
	in->left -= len;
}

bool ssh_wire_u32(struct ssh_wire *in, uint32_t *value)
{
	if (in->left < 4)
		return false;
	*value = (uint32_t)big_endian(in->at, 4);
	skip(in, 4);
	return true;
}

bool ssh_wire_u64(struct ssh_wire *in, uint64_t *value)
{
	if (in->left < 8)
		return false;
	*value = big_endian(in->at, 8);
	skip(in, 8);
	return true;
}

bool ssh_wire_string(struct ssh_wire *in, size_t max, struct ssh_wire *string)
{
	struct ssh_wire rest = *in;     /* so that a refusal takes nothing, not even the length */
	uint32_t len;

	if (!ssh_wire_u32(&rest, &len) || len > rest.left || len > max)
		return false;
	*string = (struct ssh_wire){ .at = rest.at, .left = len };
	skip(&rest, len);
	*in = rest;
	return true;
}

bool ssh_wire_is(const struct ssh_wire *string, const char *word)
{
	size_t len = strlen(word);

	return string->left == len && (len == 0 || memcmp(string->at, word, len) == 0);
}

bool ssh_wire_is_text(const struct ssh_wire *string)
{
	for (size_t i = 0; i < string->left; i++)
		if (string->at[i] < 0x20 || string->at[i] == 0x7f)
			return false;
	return true;
}
