#include "gateway/wire/number.h"

void number_init(struct number *x)
{
	*x = (struct number){ .have = 0 };
}

size_t number_feed(struct number *x, const uint8_t *in, size_t n)
{
	size_t used = 0;

	if (x->have == 0 && n >= NUMBER_SIZE) {
		x->value = wire_get_u64(in);
		x->have = NUMBER_SIZE;
		return NUMBER_SIZE;
	}
	while (x->have < NUMBER_SIZE && used < n)
		x->value |= (uint64_t)in[used++] << (8 * x->have++);
	return used;
}

bool number_done(const struct number *x)
{
	return x->have == NUMBER_SIZE;
}

enum err number_bool(uint64_t claimed, bool *value)
{
	*value = claimed == 1;
	return claimed > 1 ? ERR_PROTO : ERR_NONE;
}

enum err number_u8(uint64_t claimed, uint8_t *value)
{
	*value = claimed > UINT8_MAX ? 0 : (uint8_t)claimed;
	return claimed > UINT8_MAX ? ERR_PROTO : ERR_NONE;
}

enum err number_u32(uint64_t claimed, uint32_t *value)
{
	*value = claimed > UINT32_MAX ? 0 : (uint32_t)claimed;
	return claimed > UINT32_MAX ? ERR_PROTO : ERR_NONE;
}

enum err number_time(uint64_t claimed, int64_t *value)
{
	*value = claimed > INT64_MAX ? 0 : (int64_t)claimed;
	return claimed > INT64_MAX ? ERR_PROTO : ERR_NONE;
}

enum err number_length(uint64_t claimed, size_t max, size_t *len)
{
	*len = claimed > max ? 0 : (size_t)claimed;     /* compared in the peer's width, before the cast */
	return claimed > max ? ERR_LIMIT : ERR_NONE;
}

uint64_t wire_get_u64(const uint8_t in[NUMBER_SIZE])
{
	uint64_t value = 0;

	for (unsigned i = 0; i < NUMBER_SIZE; i++)
		value |= (uint64_t)in[i] << (8 * i);
	return value;
}

void wire_put_u64(uint8_t out[NUMBER_SIZE], uint64_t value)
{
	for (unsigned i = 0; i < NUMBER_SIZE; i++)
		out[i] = (uint8_t)(value >> (8 * i));
}

size_t wire_padding(uint64_t len)
{
	return (NUMBER_SIZE - (size_t)(len % NUMBER_SIZE)) % NUMBER_SIZE;
}

bool wire_is_zero(const uint8_t *in, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= in[i];
	return any == 0;
}
