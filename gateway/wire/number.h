/* number: the one number of the wire, 8 bytes, least significant first; fed in pieces of any size.
 * What a field allows is checked on the whole 64 bits, before anything is narrowed.
 * Errors  number_u8, _u32, _time, _bool: ERR_PROTO, the number is none of its kind. number_length: ERR_LIMIT.
 * Source  NixOS/nix libutil/serialise.hh (readLongLong, readNum). */
#ifndef GATEWAY_WIRE_NUMBER_H
#define GATEWAY_WIRE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"

enum { NUMBER_SIZE = 8 };

struct number {
	uint64_t value;         /* whole once number_done */
	unsigned have;          /* bytes seen, 0 to 8 */
};

void number_init(struct number *x);
size_t number_feed(struct number *x, const uint8_t *in, size_t n);      /* returns how many bytes it took, 0 to 8 */
bool number_done(const struct number *x);

MUST_USE enum err number_bool(uint64_t claimed, bool *value);           /* 0 and 1 alone; readers differ on the rest */
MUST_USE enum err number_u8(uint64_t claimed, uint8_t *value);
MUST_USE enum err number_u32(uint64_t claimed, uint32_t *value);
MUST_USE enum err number_time(uint64_t claimed, int64_t *value);        /* seconds since 1970, not before */
MUST_USE enum err number_length(uint64_t claimed, size_t max, size_t *len);     /* 0 to max; *len is 0 on error */

uint64_t wire_get_u64(const uint8_t in[NUMBER_SIZE]);
void wire_put_u64(uint8_t out[NUMBER_SIZE], uint64_t value);
size_t wire_padding(uint64_t len);                      /* zero bytes behind a string of `len`, 0 to 7 */
bool wire_is_zero(const uint8_t *in, size_t n);         /* what padding has to be */

#endif
