#include "gateway/session/peer_system.h"

#include <errno.h>
#include <poll.h>

/* poll(2) looks at a descriptor only where input or room is asked for. To ask for input that is not read would have it
 * answer at once for ever, so the end is looked for between two waits. */
const short peer_half_closed = 0;

/* With POLLIN, POLLHUP is told of pipes and sockets alike as soon as the other side has closed, whatever is left to read. */
bool peer_has_closed(int fd)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };

	return poll(&input, 1, 0) == 1 && (input.revents & POLLHUP) != 0;
}

/* Pipes grow by themselves while they are full, to at most 64 KiB. */
void peer_widen_pipe(int fd)
{
	(void)fd;
}

/* Neither kind of descriptor that sshd gives us tells: at the writing end of a pipe FIONREAD counts the other direction,
 * which is always empty, and what is written to a local socket is at once the receiver's. To believe such a 0 would
 * be to leave before the last sentence is read. */
int peer_unread(int fd)
{
	(void)fd;
	return -1;
}

/* sendfile(2) is from files to sockets alone. */
ssize_t peer_move(int from, int to, size_t most)
{
	(void)from;
	(void)to;
	(void)most;
	errno = ENOSYS;
	return -1;
}
