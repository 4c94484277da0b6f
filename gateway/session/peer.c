#include "gateway/session/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "gateway/session/peer_system.h"

enum {
	STEP = 64 * 1024,       /* bytes of one read(2) or write(2): what a pipe holds */
	SHARED_STEP = 4096      /* what a pipe that polls writable takes without waiting, whatever else is in it */
};

static void make_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags >= 0)
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void peer_init(struct peer *p, const char *name, int in, int out)
{
	*p = (struct peer){ .name = name, .in = in, .out = out, .moved_ms = clock_ms() };
	buf_init(&p->rx, PEER_RX_MAX);
	buf_init(&p->tx, SIZE_MAX / 2);         /* bounded by what a message may hold; bulk asks for room first */
	make_nonblocking(in);
	make_nonblocking(out);
	peer_widen_pipe(in);
	peer_widen_pipe(out);
}

void peer_init_shared(struct peer *p, const char *name, int out)
{
	*p = (struct peer){ .name = name, .in = -1, .out = out, .shared = true, .ended = true };
	buf_init(&p->tx, SIZE_MAX / 2);
}

void peer_close(struct peer *p)
{
	if (p->in >= 0)
		close(p->in);
	if (p->out >= 0 && p->out != p->in && !p->shared)
		close(p->out);
	p->in = p->out = -1;
	p->ended = p->broken = true;
	buf_free(&p->rx);
	buf_free(&p->tx);
}

bool peer_gone_for(const struct peer *p, int64_t ms)
{
	return p->gone_ms > 0 && clock_ms() - p->gone_ms > ms;
}

bool peer_keeps_pace(struct peer *p, int64_t more_ms)
{
	int64_t now = clock_ms();

	if (p->behind_ms == 0)
		return true;
	pace_moved(&p->pace, p->sent - p->behind_sent, more_ms);
	pace_waited(&p->pace, now - p->behind_ms);
	p->behind_sent = p->sent;
	p->behind_ms = now;
	return !pace_is_lost(&p->pace);
}

void peer_trim(struct peer *p)
{
	if (buf_len(&p->rx) == 0 && p->rx.size > STEP)
		buf_free(&p->rx);
	if (buf_len(&p->tx) == 0 && p->tx.size > STEP)
		buf_free(&p->tx);
}

static bool try_again(void)
{
	return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
}

void peer_read(struct peer *p)
{
	size_t room = buf_room(&p->rx);
	uint8_t *space;
	ssize_t n;

	if (p->ended || room == 0)
		return;
	if (buf_reserve(&p->rx, room < STEP ? room : STEP, &space) != ERR_NONE) {
		p->ended = p->starved = true;   /* else poll would tell of the same bytes again at once, and again */
		return;
	}
	n = read(p->in, space, room < STEP ? room : STEP);
	if (n > 0) {
		buf_commit(&p->rx, (size_t)n);
		p->received += (uint64_t)n;
		p->moved_ms = clock_ms();
	} else if (n == 0 || !try_again()) {
		p->ended = true;
	}
}

void peer_write(struct peer *p)
{
	size_t len = buf_len(&p->tx);
	ssize_t n;

	if (p->broken || len == 0)
		return;
	n = write(p->out, buf_data(&p->tx), p->shared && len > SHARED_STEP ? SHARED_STEP : len);
	if (n > 0) {
		buf_take(&p->tx, (size_t)n);
		p->sent += (uint64_t)n;
		p->moved_ms = clock_ms();
		p->stuck_ms = buf_len(&p->tx) > 0 ? p->moved_ms : 0;
	} else if (n < 0 && !try_again()) {
		p->broken = true;
		buf_take(&p->tx, len);
	}
}

size_t peer_pass(struct peer *from, struct peer *to, uint64_t most)
{
	ssize_t n;

	if (from->cannot_pass || from->ended || to->broken || buf_len(&from->rx) > 0 || buf_len(&to->tx) > 0)
		return 0;
	n = peer_move(from->in, to->out, most < PEER_PIPE ? (size_t)most : PEER_PIPE);
	from->cannot_pass = n < 0 && !try_again();
	if (n <= 0)
		return 0;
	from->received += (uint64_t)n;
	to->sent += (uint64_t)n;
	from->moved_ms = to->moved_ms = clock_ms();
	to->stuck_ms = 0;
	return (size_t)n;
}

bool peer_has_input(const struct peer *p)
{
	struct pollfd input = { .fd = p->in, .events = POLLIN };

	return poll(&input, 1, 0) == 1 && (input.revents & POLLIN) != 0;
}

static void drop_queue(struct peer *p)
{
	buf_take(&p->tx, buf_len(&p->tx));
	p->stuck_ms = 0;
}

enum { NAP_MS = 2, MOMENT_MS = 20 };

void peer_wait_taken(const struct peer *p, int limit_ms)
{
	int64_t until = clock_ms() + limit_ms;
	int left = peer_unread(p->out);

	if (left < 0)
		(void)poll(NULL, 0, MOMENT_MS);
	while (left > 0 && clock_ms() < until) {
		(void)poll(NULL, 0, NAP_MS);
		left = peer_unread(p->out);
	}
}

static void note_gone(struct peer *p)
{
	if (p->gone_ms == 0 && (p->ended || p->broken || p->hung_up))
		p->gone_ms = clock_ms();
}

/* Both descriptors are always watched: with no event asked for, poll still tells of a hang-up (on macOS peer_has_closed
 * does). */
static void watch(struct peer *p, struct pollfd *polls)
{
	short in = !p->ended && !p->unheard && buf_room(&p->rx) > 0 ? POLLIN : 0, out;

	if (p->broken)
		drop_queue(p);          /* nobody will ever take it */
	out = buf_len(&p->tx) > 0 || p->wants_room ? POLLOUT : 0;
	if (out == 0) {
		p->behind_ms = p->stuck_ms = 0;         /* also where room was waited for, and then nothing sent */
	} else if (p->behind_ms == 0) {
		p->behind_ms = clock_ms();
		p->behind_sent = p->sent;
		pace_begin(&p->pace);
	}

	/* From now on it takes too long; whatever it takes ends that. */
	if (out != 0 && p->stuck_ms == 0)
		p->stuck_ms = clock_ms();
	if (in == 0 && !p->ended && !p->hung_up && peer_has_closed(p->in))
		p->hung_up = true;
	note_gone(p);
	polls[0] = (struct pollfd){ .fd = p->ended || (p->hung_up && in == 0) ? -1 : p->in,
				    .events = in | peer_half_closed };
	polls[1] = (struct pollfd){ .fd = p->broken ? -1 : p->out, .events = out };
}

static void move(struct peer *p, const struct pollfd *polls)
{
	const short gone = POLLHUP | POLLERR | POLLNVAL;

	/* Of a socket this says that both directions are closed; what is left to be read comes by polls[0]. */
	if ((polls[1].revents & gone) != 0) {
		p->broken = true;
		p->wants_room = false;
		drop_queue(p);
	} else if ((polls[1].revents & POLLOUT) != 0) {
		p->wants_room = false;
		peer_write(p);
	}
	if ((polls[0].revents & (gone | peer_half_closed)) != 0)
		p->hung_up = true;
	if ((polls[0].revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) != 0)
		peer_read(p);
	note_gone(p);
}

void peers_poll(struct peer *const *peers, size_t count, int timeout_ms)
{
	struct pollfd polls[2 * PEERS_MAX];

	for (size_t i = 0; i < count; i++)
		watch(peers[i], polls + 2 * i);
	if (poll(polls, (nfds_t)(2 * count), timeout_ms) <= 0)
		return;
	for (size_t i = 0; i < count; i++)
		move(peers[i], polls + 2 * i);
}
