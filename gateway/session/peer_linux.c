#include "gateway/session/peer_system.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "gateway/session/peer.h"

const short peer_half_closed = POLLRDHUP;

bool peer_has_closed(int fd)
{
	(void)fd;
	return false;
}

/* A larger pipe costs its memory only while it is full. Refused (no pipe, too many of them): it stays as it is. */
void peer_widen_pipe(int fd)
{
	(void)fcntl(fd, F_SETPIPE_SZ, PEER_PIPE);
}

/* unix(7), pipe(7): TIOCOUTQ counts what a socket's peer has not taken, FIONREAD what is in a pipe, at either end. */
int peer_unread(int fd)
{
	int count;

	return ioctl(fd, TIOCOUTQ, &count) == 0 || ioctl(fd, FIONREAD, &count) == 0 ? count : -1;
}

/* splice(2): one of the two has to be a pipe, as sshd has it for stdout. */
ssize_t peer_move(int from, int to, size_t most)
{
	return splice(from, NULL, to, NULL, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}
