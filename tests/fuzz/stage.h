/* stage: descriptors and a clock that exist in memory alone, so that a whole session runs between a script and a model
 * of the daemon, the same way each time and without waiting. The linker puts these in the place of read, write, poll,
 * close and clock_gettime (--wrap); what is not on the stage goes to the system.
 * Time stands still while bytes move and leaps over every wait. The client leaves when nothing else can happen any more:
 * as one that has waited for all of its answers.
 * Units   bytes, milliseconds.
 * Owner   one session at a time: stage_open to stage_close. The script is borrowed. */
#ifndef TESTS_FUZZ_STAGE_H
#define TESTS_FUZZ_STAGE_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "tests/fuzz/holds.h"

enum {
	STAGE_CLIENT = 1 << 20,         /* what the client says */
	STAGE_ANSWER,                   /* what it is told */
	STAGE_LOG,                      /* the same on stderr */
	STAGE_DAEMON,                   /* both ways */
	STAGE_RECORDS,                  /* the audit */
	STAGE_END
};
enum { STAGE_POLLS = 1000 * 1000, STAGE_ROOM = 1 << 26 };

struct stage {
	bool playing;
	const uint8_t *script;
	size_t script_left;
	bool script_over;               /* the client has left */
	size_t step, write_step;        /* most bytes of one read, and of one write */
	struct buf answer, log, records;
	size_t takes;                   /* bytes of its answer that the client takes; then it leaves, or only stops taking */
	bool leaves;
	size_t records_fit;             /* records for which the audit has room */
	struct buf up, down;            /* to the daemon, and from it */
	bool daemon_gone;
	void (*on_up)(void);            /* the daemon: takes from up, puts to down */
	bool open[STAGE_END - STAGE_CLIENT];
	int64_t now_ms;
	size_t polls;
};

static struct stage stage;

ssize_t __real_read(int fd, void *bytes, size_t n);
ssize_t __real_write(int fd, const void *bytes, size_t n);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int __real_close(int fd);
int __real_clock_gettime(clockid_t id, struct timespec *now);
ssize_t __wrap_read(int fd, void *bytes, size_t n);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int __wrap_close(int fd);
int __wrap_clock_gettime(clockid_t id, struct timespec *now);

static void stage_open(const uint8_t *script, size_t len, size_t step, void (*on_up)(void))
{
	stage = (struct stage){ .playing = true, .script = script, .script_left = len, .step = step,
				.write_step = step < STAGE_ROOM ? 13 * step : step, .on_up = on_up,
				.takes = SIZE_MAX, .records_fit = SIZE_MAX, .now_ms = 1000 * 1000 };
	buf_init(&stage.answer, STAGE_ROOM);
	buf_init(&stage.log, STAGE_ROOM);
	buf_init(&stage.records, STAGE_ROOM);
	buf_init(&stage.up, STAGE_ROOM);
	buf_init(&stage.down, STAGE_ROOM);
	memset(stage.open, true, sizeof stage.open);
}

/* Whoever was given a descriptor has closed it; the log is not the session's to close. */
static void stage_end_play(void)
{
	for (int fd = STAGE_CLIENT; fd < STAGE_END; fd++)
		HOLDS(stage.open[fd - STAGE_CLIENT] == (fd == STAGE_LOG));
	stage.playing = false;
}

static void stage_close(void)
{
	buf_free(&stage.answer);
	buf_free(&stage.log);
	buf_free(&stage.records);
	buf_free(&stage.up);
	buf_free(&stage.down);
}

static bool on_stage(int fd)
{
	HOLDS(fd < STAGE_CLIENT || (stage.playing && fd < STAGE_END && stage.open[fd - STAGE_CLIENT]));
	return fd >= STAGE_CLIENT;
}

static ssize_t nothing_yet(int error)
{
	errno = error;
	return -1;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

ssize_t __wrap_read(int fd, void *bytes, size_t n)
{
	size_t len = least(n, stage.step);

	if (!on_stage(fd))
		return __real_read(fd, bytes, n);
	if (fd == STAGE_CLIENT && stage.script_left > 0) {
		len = least(len, stage.script_left);
		memcpy(bytes, stage.script, len);
		stage.script += len;
		stage.script_left -= len;
		return (ssize_t)len;
	}
	if (fd == STAGE_CLIENT)
		return stage.script_over ? 0 : nothing_yet(EAGAIN);
	HOLDS(fd == STAGE_DAEMON);
	len = least(len, buf_len(&stage.down));
	if (len == 0)
		return stage.daemon_gone ? 0 : nothing_yet(EAGAIN);
	memcpy(bytes, buf_data(&stage.down), len);
	buf_take(&stage.down, len);
	return (ssize_t)len;
}

static bool is_full(void)
{
	return buf_len(&stage.answer) >= stage.takes;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
	struct buf *to = fd == STAGE_ANSWER ? &stage.answer : fd == STAGE_LOG ? &stage.log : fd == STAGE_DAEMON ? &stage.up :
		&stage.records;
	size_t len = fd == STAGE_RECORDS ? n : least(n, stage.write_step);

	if (stage.playing && fd == STDERR_FILENO)
		return (ssize_t)n;
	if (!on_stage(fd))
		return __real_write(fd, bytes, n);
	HOLDS(fd != STAGE_CLIENT);
	if (fd == STAGE_DAEMON && stage.daemon_gone)
		return nothing_yet(EPIPE);
	if (fd == STAGE_RECORDS && stage.records_fit == 0)
		return nothing_yet(ENOSPC);
	if (fd == STAGE_ANSWER && is_full())
		return nothing_yet(stage.leaves ? EPIPE : EAGAIN);
	stage.records_fit -= fd == STAGE_RECORDS;
	HOLDS(buf_put(to, bytes, len) == ERR_NONE);
	if (fd == STAGE_DAEMON)
		stage.on_up();
	return (ssize_t)len;
}

static short events_of(int fd, short asked)
{
	bool has = false;

	if (fd == STDERR_FILENO)
		return POLLOUT;
	if (!on_stage(fd))
		return 0;
	if (fd == STAGE_CLIENT)
		return (short)((stage.script_left > 0 || stage.script_over ? asked & POLLIN : 0) |
			       (stage.script_over ? POLLHUP : 0));
	if (fd == STAGE_ANSWER && is_full())
		return stage.leaves ? POLLERR : 0;
	if (fd == STAGE_DAEMON)
		has = buf_len(&stage.down) > 0 || stage.daemon_gone;
	return (short)((has ? asked & POLLIN : 0) | (asked & POLLOUT) |
		       (fd == STAGE_DAEMON && stage.daemon_gone ? POLLHUP : 0));
}

/* Something it has said is still to be read. */
static bool daemon_is_heard(void)
{
	return stage.open[STAGE_DAEMON - STAGE_CLIENT] && buf_len(&stage.down) > 0;
}

static int count_events(struct pollfd *fds, nfds_t n)
{
	int count = 0;

	for (nfds_t i = 0; i < n; i++) {
		fds[i].revents = fds[i].fd < 0 ? 0 : events_of(fds[i].fd, fds[i].events);
		count += fds[i].revents != 0;
	}
	return count;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	int count;

	if (!stage.playing)
		return __real_poll(fds, n, timeout_ms);
	HOLDS(++stage.polls < STAGE_POLLS);             /* every session comes to its end */
	count = count_events(fds, n);
	if (count > 0 || timeout_ms == 0)
		return count;
	if (n > 0 && stage.script_left == 0 && !stage.script_over && !daemon_is_heard()) {
		stage.script_over = true;
		return count_events(fds, n);
	}
	HOLDS(timeout_ms > 0);                          /* nobody would ever wake it */
	stage.now_ms += timeout_ms;
	return 0;
}

int __wrap_close(int fd)
{
	if (!on_stage(fd))
		return __real_close(fd);
	stage.open[fd - STAGE_CLIENT] = false;
	return 0;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	if (!stage.playing)
		return __real_clock_gettime(id, now);
	*now = (struct timespec){ .tv_sec = stage.now_ms / 1000, .tv_nsec = stage.now_ms % 1000 * 1000 * 1000 };
	return 0;
}

#endif
