/* logger: where this system's logger listens, and how a record gets there. Of the system: logger_linux.c, logger_darwin.c.
 * Errors  false, errno says why. */
#ifndef GATEWAY_AUDIT_LOGGER_H
#define GATEWAY_AUDIT_LOGGER_H

#include <stdbool.h>
#include <sys/uio.h>

/* A logger that hangs must not hold the session with it, which would notice nothing of its client any more. */
enum { LOGGER_SECONDS = 2 };

extern const char *const logger_path;   /* of a socket for datagrams */

/* Before it is connected: the socket can carry our longest record in one piece. */
bool logger_prepare(int fd);

/* One record out of `count` parts, whole, or false: a logger that is too busy is waited for, LOGGER_SECONDS at most. */
bool logger_send(int fd, const struct iovec *parts, int count);

#endif
