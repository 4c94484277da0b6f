/* socket: the way to the Nix daemon.
 * Owner   *fd is the caller's to close: connected, non-blocking, close-on-exec. -1 on an error.
 * Errors  *why (SENTENCE_MAX bytes, not escaped yet) reads "PATH: Connection refused". ERR_IO: no daemon there.
 *         ERR_LIMIT: the path does not fit a socket's address. ERR_TIMEOUT: it listens but takes nobody. */
#ifndef GATEWAY_ENV_SOCKET_H
#define GATEWAY_ENV_SOCKET_H

#include "gateway/base/err.h"

#define NIX_DAEMON_SOCKET "/nix/var/nix/daemon-socket/socket"       /* where Nix itself looks */

enum { DAEMON_CONNECT_MS = 5000 };

MUST_USE enum err daemon_connect(const char *path, int *fd, char *why);         /* path: absolute */
MUST_USE enum err daemon_connect_within(const char *path, int limit_ms, int *fd, char *why);

#endif
