/* hello_shapes: the words of the handshakes, shared by the gateway's three sides.
 * Owner   everything is static and constant.
 * Source  NixOS/nix libstore: worker-protocol.hh, serve-protocol.hh, worker-protocol-connection.cc. */
#ifndef GATEWAY_NIX_HELLO_SHAPES_H
#define GATEWAY_NIX_HELLO_SHAPES_H

#include <stdbool.h>

#include "gateway/nix/shapes.h"

#define WORKER_MAGIC_CLIENT UINT64_C(0x6e697863)
#define WORKER_MAGIC_DAEMON UINT64_C(0x6478696f)
#define WORKER_MAGIC_DENIED UINT64_C(0xab9a9ff0)        /* Determinate Nix: the account may not connect */
#define SERVE_MAGIC_CLIENT UINT64_C(0x390c9deb)
#define SERVE_MAGIC_SERVER UINT64_C(0x5452eecb)

enum {
	WORKER_MAJOR = 1,
	SERVE_MAJOR = 2,
	WORKER_MINOR_RESERVE = 11,
	WORKER_MINOR_AFFINITY = 14,
	WORKER_MINOR_DAEMON_VERSION = 33,
	WORKER_MINOR_TRUST = 35,
	WORKER_MINOR_FEATURES = 38,
};

extern const struct shape shape_magic;          /* magic */
extern const struct shape shape_version;        /* version */
extern const struct shape shape_features;       /* words */
extern const struct shape shape_rest;           /* affinity reserve: what the client says last */
extern const struct shape shape_greeting;       /* version trust: what the daemon says before its first loop */

/* A version as it is on the wire: 0x100 * major + minor, and nothing above. */
uint64_t version_of(unsigned major, unsigned minor);
bool version_minor(uint64_t version, unsigned major, unsigned *minor);        /* false: not of that major version */

#endif
