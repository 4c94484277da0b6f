/* ssh_key: who a public key or user certificate is, out of the blob in which SSH carries it.
 * The signature of a certificate is not checked: sshd has done so, with validity and principals, before we run; a
 * caller must only hand in blobs that come from sshd itself.
 * Units   lengths count bytes.
 * Owner   a struct ssh_identity owns its strings until ssh_key_free. `why` holds SENTENCE_MAX bytes, the caller's; its
 *         text is not escaped yet: it goes to a person through log_say or log_sentence.
 * Errors  ERR_PROTO: no such key, cut short, bytes left over, not canonical, or a host certificate. ERR_LIMIT: over a
 *         bound below. ERR_MEMORY. *out is empty then, and *why says why.
 * Source  RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4; OpenSSH PROTOCOL.certkeys and PROTOCOL.u2f. */
#ifndef GATEWAY_IDENTITY_SSH_KEY_H
#define GATEWAY_IDENTITY_SSH_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"

enum {
	SSH_BLOB_MAX = 48 * 1024,       /* of a whole key or certificate; what fits as base64 in an auth info file */
	SSH_KEY_ID_MAX = 1024,
	SSH_PRINCIPALS_MAX = 256,       /* of one certificate; as many as OpenSSH takes */
	SSH_PRINCIPAL_MAX = 1024
};

struct ssh_identity {
	const char *type;               /* borrows a static table's word, e.g. "ssh-ed25519-cert-v01@openssh.com" */
	char fingerprint[64];           /* "SHA256:..." without "="; of a certificate the inner key's, as sshd's %f */
	bool certificate;               /* false: what follows is empty */
	char ca_fingerprint[64];        /* of the key that signed it */
	uint64_t serial;
	char *key_id;                   /* owns; NULL for a plain key, "" where a certificate has none */
	char **principals;              /* owns; principal_count strings; a certificate may have none */
	size_t principal_count;
};

MUST_USE enum err ssh_key_parse(const uint8_t *blob, size_t len, struct ssh_identity *out, char *why);

/* The same for the two words of an authorized_keys line: TYPE and BASE64. TYPE must be what the blob itself says. */
MUST_USE enum err ssh_key_parse_words(const char *type, const char *base64, struct ssh_identity *out, char *why);

void ssh_key_free(struct ssh_identity *identity);       /* leaves it empty; fine twice */

#endif
