/* ssh_wire: the three values of SSH's own encoding that keys are made of, taken from the front of borrowed bytes.
 * Owner   nothing is copied: what is taken points into the caller's bytes.
 * Errors  false: too few bytes are left, or a string is over its bound; nothing was taken then.
 * Source  RFC 4251 section 5. */
#ifndef GATEWAY_IDENTITY_SSH_WIRE_H
#define GATEWAY_IDENTITY_SSH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"

struct ssh_wire {
	const uint8_t *at;      /* borrows; left bytes */
	size_t left;
};

MUST_USE bool ssh_wire_u32(struct ssh_wire *in, uint32_t *value);
MUST_USE bool ssh_wire_u64(struct ssh_wire *in, uint64_t *value);
MUST_USE bool ssh_wire_string(struct ssh_wire *in, size_t max, struct ssh_wire *string);

bool ssh_wire_is(const struct ssh_wire *string, const char *word);
bool ssh_wire_is_text(const struct ssh_wire *string);          /* no control byte: it can be a C string and one line */

#endif
