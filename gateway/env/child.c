#include "gateway/env/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/env/process.h"
#include "gateway/env/process_system.h"

/* One stream of the child: our end and what is kept of it. fd -1: nothing more comes. */
struct stream {
	struct child_output *output;
	int fd, theirs;
};

/* The child: only calls that are safe after fork, and no way back. A session of its own: whoever asks may sit at a terminal
 * with more rights than the child has, and what a process types into the terminal of its session, the shell there runs. */
static _Noreturn void become(const struct child_plan *plan, pid_t parent, int null, const struct stream streams[2])
{
	int out = streams[0].theirs < 0 ? null : streams[0].theirs, err = streams[1].theirs < 0 ? null : streams[1].theirs;

	process_end_with(parent);
	if (setsid() < 0)
		_exit(127);
	process_before_exec();
	if (plan->folder != NULL)
		(void)!chdir(plan->folder);
	if (dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0)
		execve(plan->program, (char *const *)(uintptr_t)plan->arguments, plan->environment);
	_exit(127);
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A pipe for a stream that somebody wants to have; the other needs none. */
static bool open_stream(struct stream *s, struct child_output *output)
{
	int ends[2];

	*s = (struct stream){ .output = output, .fd = -1, .theirs = -1 };
	if (output == NULL)
		return true;
	output->len = 0;
	if (pipe(ends) != 0)
		return false;
	s->fd = ends[0];
	s->theirs = ends[1];
	return fcntl(s->fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(s->theirs, F_SETFD, FD_CLOEXEC) == 0;
}

/* -1: errno says why. */
static pid_t start(const struct child_plan *plan, struct stream streams[2], struct child_output *out,
		   struct child_output *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), reason;
	bool piped = open_stream(&streams[0], out);
	pid_t self = getpid(), child = -1;

	piped = open_stream(&streams[1], err) && piped;
	if (null >= 0 && piped)
		child = fork();
	if (child == 0)
		become(plan, self, null, streams);
	reason = errno;
	close_end(&null);
	for (int i = 0; i < 2; i++)
		close_end(&streams[i].theirs);
	errno = reason;
	return child;
}

static void take(struct stream *s)
{
	struct child_output *o = s->output;
	ssize_t n = o->len < o->size ? read(s->fd, o->bytes + o->len, o->size - o->len) : 0;

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0)
		close_end(&s->fd);
	else
		o->len += (size_t)n;
}

/* Reads both to their ends, or to their bounds. False: the time is up. */
static bool collect(struct stream streams[2], int64_t deadline)
{
	while (streams[0].fd >= 0 || streams[1].fd >= 0) {
		struct pollfd poller[2] = { { .fd = streams[0].fd, .events = POLLIN },
					    { .fd = streams[1].fd, .events = POLLIN } };
		int64_t left = deadline - clock_ms();
		int ready = left > 0 ? poll(poller, 2, (int)left) : 0;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		for (int i = 0; i < 2; i++)
			if (poller[i].revents != 0)
				take(&streams[i]);
	}
	return true;
}

/* The child and its group, which it may not have come to make yet. They are signalled only before the child is waited for:
 * afterwards its number may be somebody else's. */
static void end_group(pid_t child)
{
	siginfo_t seen;

	(void)kill(-child, SIGKILL);
	(void)kill(child, SIGKILL);
	while (waitid(P_PID, (id_t)child, &seen, WEXITED | WNOWAIT) != 0 && errno == EINTR)
		continue;
	(void)kill(-child, SIGKILL);            /* what it has started between the two */
}

/* Waits for the child until the deadline, then ends what is left. True: it ended by itself. */
static bool end(pid_t child, int64_t deadline, int *status)
{
	siginfo_t seen = { .si_pid = 0 };
	bool ended;
	int raw = 0;

	while (clock_ms() < deadline && waitid(P_PID, (id_t)child, &seen, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       seen.si_pid != child)
		poll(NULL, 0, 1);
	ended = seen.si_pid == child;
	end_group(child);
	while (waitpid(child, &raw, 0) < 0 && errno == EINTR)
		continue;
	*status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
	return ended;
}

enum err child_run(const struct child_plan *plan, struct child_output *out, struct child_output *err, int *status)
{
	int64_t deadline = clock_ms() + plan->limit_ms;
	struct stream streams[2];
	pid_t child = start(plan, streams, out, err);
	bool in_time = child > 0 && collect(streams, deadline);
	int reason = errno;

	for (int i = 0; i < 2; i++)
		close_end(&streams[i].fd);
	errno = reason;
	*status = 127;
	if (child < 0)
		return ERR_IO;
	return end(child, in_time ? deadline : 0, status) && in_time ? ERR_NONE : ERR_TIMEOUT;
}
