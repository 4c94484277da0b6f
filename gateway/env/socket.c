#include "gateway/env/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/env/socket_system.h"

enum { RETRY_MS = 10 };

static enum err refuse(char *why, enum err err, const char *path, const char *reason)
{
	snprintf(why, SENTENCE_MAX, "%.512s: %s", path, reason);
	return err;
}

/* The address, once it is sure that something of the right kind bears that name. */
static enum err make_address(const char *path, struct sockaddr_un *address, char *why)
{
	size_t len = strlen(path);
	struct stat st;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (path[0] != '/')
		return refuse(why, ERR_IO, path, "not an absolute path");
	if (len >= sizeof address->sun_path) {
		snprintf(why, SENTENCE_MAX, "%.512s: too long for a socket's path (%zu bytes, at most %zu)", path, len,
			 sizeof address->sun_path - 1);
		return ERR_LIMIT;
	}
	if (stat(path, &st) != 0)
		return refuse(why, ERR_IO, path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return refuse(why, ERR_IO, path, "not a socket");
	memcpy(address->sun_path, path, len + 1);
	return ERR_NONE;
}

static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd >= 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* A connection under way: 0 once it stands, else its errno. */
static int finish(int fd, int wait_ms)
{
	struct pollfd poller = { .fd = fd, .events = POLLOUT };
	int failure = 0, ready = poll(&poller, 1, wait_ms);
	socklen_t size = sizeof failure;

	if (ready < 0 && errno == EINTR)
		return EAGAIN;
	if (ready <= 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 ? failure : errno;
}

/* One try: 0, EAGAIN for "later", or what is wrong. */
static int try_connect(int fd, const struct sockaddr_un *address, int wait_ms)
{
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EISCONN)
		return 0;
	if (errno == EINPROGRESS || errno == EALREADY)
		return finish(fd, wait_ms);
	return errno == EINTR ? EAGAIN : errno;
}

/* While the daemon's queue is full there is nothing that one could wait for, hence the short sleeps. */
static int connect_until(int fd, const struct sockaddr_un *address, int64_t deadline)
{
	for (;;) {
		int64_t left = deadline - clock_ms();
		int failure = try_connect(fd, address, left > 0 ? (int)left : 0);

		if (failure != EAGAIN && !socket_may_be_busy(failure))
			return failure;
		if (left <= 0)
			return failure == EAGAIN ? ETIMEDOUT : failure;
		poll(NULL, 0, RETRY_MS);
	}
}

enum err daemon_connect_within(const char *path, int limit_ms, int *fd, char *why)
{
	struct sockaddr_un address;
	enum err err = make_address(path, &address, why);
	int failure, opened;

	*fd = -1;
	if (err)
		return err;
	opened = open_socket();
	if (opened < 0)
		return refuse(why, ERR_IO, path, strerror(errno));
	failure = connect_until(opened, &address, clock_ms() + limit_ms);
	if (failure != 0) {
		close(opened);
		return refuse(why, failure == ETIMEDOUT ? ERR_TIMEOUT : ERR_IO, path, strerror(failure));
	}
	*fd = opened;
	return ERR_NONE;
}

enum err daemon_connect(const char *path, int *fd, char *why)
{
	return daemon_connect_within(path, DAEMON_CONNECT_MS, fd, why);
}
