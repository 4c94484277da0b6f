#include "gateway/audit/logger.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>

const char *const logger_path = "/var/run/syslog";

enum {
	RECORD_MAX = 64 * 1024,
	NAP_MS = 5,
	NAPS_MAX = LOGGER_SECONDS * 1000 / NAP_MS
};

/* A local datagram is at most as long as the sender's buffer, which net.local.dgram.maxdgram makes 2 KiB at first. */
bool logger_prepare(int fd)
{
	const int size = RECORD_MAX;

	return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0;
}

/* Where the logger's queue is full, the call does not wait but says ENOBUFS, and poll(2) does not tell when it is over. */
bool logger_send(int fd, const struct iovec *parts, int count)
{
	for (int naps = 0; writev(fd, parts, count) < 0; naps++) {
		if (errno != ENOBUFS || naps == NAPS_MAX)
			return false;
		(void)poll(NULL, 0, NAP_MS);
	}
	return true;
}
