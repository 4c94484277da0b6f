#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/session/peer.h"

/* A peer on our side of two pipes, as sshd gives them to a forced command. */
struct ends {
	struct peer peer;
	int in, out;            /* theirs: what the peer reads is written to in, what it writes is read from out */
};

static int begin(void **state)
{
	struct ends *e = calloc(1, sizeof *e);
	int in[2], out[2];

	signal(SIGPIPE, SIG_IGN);
	if (e == NULL || pipe(in) != 0 || pipe(out) != 0)
		return -1;
	peer_init(&e->peer, "client", in[0], out[1]);
	e->in = in[1];
	e->out = out[0];
	*state = e;
	return 0;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int end(void **state)
{
	struct ends *e = *state;

	peer_close(&e->peer);
	close_end(&e->in);
	close_end(&e->out);
	free(e);
	return 0;
}

static void step(struct ends *e)
{
	struct peer *peers[] = { &e->peer };

	peers_poll(peers, 1, 20);
}

static void bytes_go_both_ways_and_are_counted(void **state)
{
	struct ends *e = *state;
	char got[8];

	assert_int_equal(write(e->in, "hello", 5), 5);
	assert_int_equal(buf_put(&e->peer.tx, "welcome", 7), ERR_NONE);
	step(e);
	assert_int_equal(buf_len(&e->peer.rx), 5);
	assert_memory_equal(buf_data(&e->peer.rx), "hello", 5);
	assert_int_equal(read(e->out, got, sizeof got), 7);
	assert_memory_equal(got, "welcome", 7);
	assert_int_equal(e->peer.received, 5);
	assert_int_equal(e->peer.sent, 7);
	assert_false(peer_gone_for(&e->peer, -1));
}

static void what_was_sent_before_leaving_still_counts(void **state)
{
	struct ends *e = *state;

	assert_int_equal(write(e->in, "bye", 3), 3);
	close_end(&e->in);
	step(e);
	assert_int_equal(buf_len(&e->peer.rx), 3);
	step(e);
	assert_true(e->peer.ended);
	assert_false(e->peer.broken);
	assert_int_equal(buf_len(&e->peer.rx), 3);
}

static void no_more_is_read_than_the_queue_holds(void **state)
{
	static char much[256 * 1024];
	struct ends *e = *state;
	ssize_t first, more;

	assert_true(fcntl(e->in, F_SETFL, O_NONBLOCK) == 0);
	first = write(e->in, much, sizeof much);
	for (int i = 0; i < 4; i++)
		step(e);
	more = write(e->in, much, sizeof much);
	for (int i = 0; i < 4; i++)
		step(e);
	assert_true(first > 0 && more > 0 && first + more > PEER_RX_MAX);
	assert_int_equal(buf_len(&e->peer.rx), PEER_RX_MAX);
	assert_int_equal(e->peer.received, PEER_RX_MAX);
	buf_take(&e->peer.rx, 10);
	step(e);
	assert_int_equal(e->peer.received, PEER_RX_MAX + 10);
}

static void leaving_is_noticed_though_the_queue_is_full(void **state)
{
	static char much[PEER_RX_MAX];
	struct ends *e = *state;

	assert_int_equal(buf_put(&e->peer.rx, much, sizeof much), ERR_NONE);
	close_end(&e->in);
	step(e);
	assert_true(e->peer.hung_up);
	assert_true(peer_gone_for(&e->peer, -1));
	assert_int_equal(buf_len(&e->peer.rx), PEER_RX_MAX);
}

static void who_takes_nothing_any_more_is_broken_and_what_waits_is_dropped(void **state)
{
	struct ends *e = *state;

	close_end(&e->out);
	assert_int_equal(buf_put(&e->peer.tx, "lost", 4), ERR_NONE);
	peer_write(&e->peer);
	assert_true(e->peer.broken);
	assert_int_equal(buf_len(&e->peer.tx), 0);
	assert_int_equal(e->peer.sent, 0);
}

static void a_broken_end_is_noticed_though_nothing_waits(void **state)
{
	struct ends *e = *state;

	close_end(&e->out);
	step(e);
	assert_true(e->peer.broken);
	assert_false(e->peer.ended);
}

/* Neither who sends nor who is sent to is waited for: the descriptor does not block. */
static void a_full_pipe_does_not_block(void **state)
{
	static char much[512 * 1024], got[64 * 1024];
	struct ends *e = *state;
	ssize_t n;

	assert_int_equal(buf_put(&e->peer.tx, much, sizeof much), ERR_NONE);
	for (int i = 0; i < 3; i++)
		step(e);
	assert_true(buf_len(&e->peer.tx) > 0);
	assert_true(e->peer.stuck_ms > 0);
	while (e->peer.sent < sizeof much) {
		n = read(e->out, got, sizeof got);
		assert_true(n > 0);
		step(e);
	}
	assert_int_equal(e->peer.stuck_ms, 0);
}

/* A log grows by small lines: the last that fits leaves nothing waiting, and the next finds the pipe full. */
static void a_pipe_that_is_full_to_the_brim_is_stuck_as_well(void **state)
{
	struct ends *e = *state;
	char line[512] = "";

	while (buf_len(&e->peer.tx) == 0) {
		assert_int_equal(buf_put(&e->peer.tx, line, sizeof line), ERR_NONE);
		step(e);
	}
	for (int i = 0; i < 3; i++)
		step(e);
	assert_int_equal(buf_len(&e->peer.tx), sizeof line);
	assert_true(e->peer.stuck_ms > 0);
}

static void a_shared_descriptor_stays_blocking_and_open(void **state)
{
	struct ends *e = *state;
	struct peer log, *peers[] = { &log };
	int pair[2];
	char got[8];

	(void)e;
	assert_int_equal(pipe(pair), 0);
	peer_init_shared(&log, "log", pair[1]);
	assert_int_equal(fcntl(pair[1], F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(buf_put(&log.tx, "line\n", 5), ERR_NONE);
	peers_poll(peers, 1, 20);
	assert_int_equal(read(pair[0], got, sizeof got), 5);
	peer_close(&log);
	assert_int_equal(write(pair[1], "x", 1), 1);
	close(pair[0]);
	close(pair[1]);
}

/* A pipe that polls writable has room for so much, whatever else writes to it: one write more could wait. */
static void a_shared_descriptor_is_written_to_in_pieces_that_never_wait(void **state)
{
	static char much[256 * 1024];
	struct peer log, *peers[] = { &log };
	int pair[2];

	(void)state;
	assert_int_equal(pipe(pair), 0);
	peer_init_shared(&log, "log", pair[1]);
	assert_int_equal(buf_put(&log.tx, much, sizeof much), ERR_NONE);
	peers_poll(peers, 1, 20);
	assert_in_range(log.sent, 1, 4096);
	for (int i = 0; i < 200; i++)           /* would block for good, were the pieces larger */
		peers_poll(peers, 1, 0);
	assert_true(buf_len(&log.tx) > 0);
	peer_close(&log);
	close(pair[0]);
	close(pair[1]);
}

static void one_socket_for_both_ways_is_closed_once(void **state)
{
	struct peer p, *peers[] = { &p };
	int pair[2], other;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	peer_init(&p, "daemon", pair[0], pair[0]);
	close(pair[1]);
	peers_poll(peers, 1, 20);
	assert_true(p.ended && p.hung_up);
	peer_close(&p);
	other = dup(STDIN_FILENO);              /* takes the number that was freed */
	peer_close(&p);                         /* fine twice */
	assert_true(fcntl(other, F_GETFD) >= 0);
	close(other);
	assert_true(peer_gone_for(&p, -1));
}

#ifdef POLLRDHUP
static void a_socket_of_which_half_is_closed_is_noticed_though_the_queue_is_full(void **state)
{
	static char much[PEER_RX_MAX];
	struct peer p, *peers[] = { &p };
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	peer_init(&p, "client", pair[0], pair[0]);
	assert_int_equal(buf_put(&p.rx, much, sizeof much), ERR_NONE);
	assert_int_equal(write(pair[1], much, 100), 100);
	assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
	peers_poll(peers, 1, 20);
	assert_true(p.hung_up && peer_gone_for(&p, -1) && !p.ended && !p.broken);
	buf_take(&p.rx, sizeof much);
	for (int i = 0; i < 2; i++)
		peers_poll(peers, 1, 20);
	assert_true(p.ended && buf_len(&p.rx) == 100);
	peer_close(&p);
	close(pair[1]);
}
#endif

#ifdef __linux__
/* Never past bytes that wait on our side, and never more than was said. */
static void bytes_pass_within_the_system_where_nothing_waits_between(void **state)
{
	struct ends *e = *state;
	struct peer from;
	int source[2];
	char got[16];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, source), 0);
	peer_init(&from, "daemon", source[0], source[0]);
	assert_int_equal(peer_pass(&from, &e->peer, 10), 0);
	assert_false(from.cannot_pass || peer_has_input(&from));
	assert_int_equal(write(source[1], "0123456789", 10), 10);
	assert_true(peer_has_input(&from));
	assert_int_equal(buf_put(&e->peer.tx, "first", 5), ERR_NONE);
	assert_int_equal(peer_pass(&from, &e->peer, 10), 0);
	step(e);
	assert_int_equal(peer_pass(&from, &e->peer, 4), 4);
	peer_read(&from);
	assert_int_equal(peer_pass(&from, &e->peer, 10), 0);
	assert_int_equal(buf_len(&from.rx), 6);
	assert_int_equal(read(e->out, got, sizeof got), 9);
	assert_memory_equal(got, "first0123", 9);
	assert_int_equal(from.received, 10);
	assert_int_equal(e->peer.sent, 9);
	peer_close(&from);
	close(source[1]);
}

static void a_full_pipe_takes_nothing_and_is_waited_for(void **state)
{
	static char much[PEER_PIPE];
	struct ends *e = *state;
	struct peer from;
	int source[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, source), 0);
	peer_init(&from, "daemon", source[0], source[0]);
	assert_true(fcntl(e->out, F_SETFL, O_NONBLOCK) == 0);
	while (write(e->peer.out, much, sizeof much) > 0)
		;
	assert_int_equal(write(source[1], "more", 4), 4);
	assert_int_equal(peer_pass(&from, &e->peer, 4), 0);
	assert_false(from.cannot_pass);
	e->peer.wants_room = true;
	step(e);
	assert_true(e->peer.stuck_ms > 0);              /* from now on it takes too long */
	assert_true(e->peer.wants_room);
	while (read(e->out, much, sizeof much) > 0)
		;
	step(e);
	assert_false(e->peer.wants_room);
	assert_int_equal(peer_pass(&from, &e->peer, 4), 4);
	assert_int_equal(e->peer.stuck_ms, 0);
	peer_close(&from);
	close(source[1]);
}

static void one_that_has_room_and_is_sent_nothing_is_not_stuck(void **state)
{
	struct ends *e = *state;

	e->peer.wants_room = true;
	step(e);
	assert_false(e->peer.wants_room);
	step(e);
	assert_int_equal(e->peer.stuck_ms, 0);
}

static void between_two_sockets_nothing_passes_and_it_is_not_tried_again(void **state)
{
	struct peer from, to;
	int source[2], sink[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, source), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sink), 0);
	peer_init(&from, "daemon", source[0], source[0]);
	peer_init(&to, "client", sink[0], sink[0]);
	assert_int_equal(write(source[1], "more", 4), 4);
	assert_int_equal(peer_pass(&from, &to, 4), 0);
	assert_true(from.cannot_pass);
	peer_close(&from);
	peer_close(&to);
	close(source[1]);
	close(sink[1]);
}
#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_go_both_ways_and_are_counted),
		TEST(what_was_sent_before_leaving_still_counts),
		TEST(no_more_is_read_than_the_queue_holds),
		TEST(leaving_is_noticed_though_the_queue_is_full),
		TEST(who_takes_nothing_any_more_is_broken_and_what_waits_is_dropped),
		TEST(a_broken_end_is_noticed_though_nothing_waits),
		TEST(a_full_pipe_does_not_block),
		TEST(a_pipe_that_is_full_to_the_brim_is_stuck_as_well),
		TEST(a_shared_descriptor_stays_blocking_and_open),
		TEST(a_shared_descriptor_is_written_to_in_pieces_that_never_wait),
		TEST(one_socket_for_both_ways_is_closed_once),
#ifdef POLLRDHUP
		TEST(a_socket_of_which_half_is_closed_is_noticed_though_the_queue_is_full),
#endif
#ifdef __linux__
		TEST(bytes_pass_within_the_system_where_nothing_waits_between),
		TEST(a_full_pipe_takes_nothing_and_is_waited_for),
		TEST(one_that_has_room_and_is_sent_nothing_is_not_stuck),
		TEST(between_two_sockets_nothing_passes_and_it_is_not_tried_again),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
