#include "gateway/audit/logger.h"

#include <sys/socket.h>
#include <sys/time.h>

const char *const logger_path = "/dev/log";

/* As to the length, net.core.wmem_default is ten times what we need. */
bool logger_prepare(int fd)
{
	const struct timeval most = { .tv_sec = LOGGER_SECONDS };

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most) == 0;
}

/* Not sendmsg: the calls that could name another address stay unused. */
bool logger_send(int fd, const struct iovec *parts, int count)
{
	return writev(fd, parts, count) >= 0;
}
