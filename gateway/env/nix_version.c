#include "gateway/env/nix_version.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/log.h"
#include "gateway/env/process.h"

enum { OUTPUT_MAX = 4096 };

static enum err refuse(char *why, enum err err, const char *program, const char *reason)
{
	snprintf(why, SENTENCE_MAX, "'%.512s --version' %s", program, reason);
	return err;
}

/* The child: only calls that are safe after fork, and no way back. */
static _Noreturn void become(const char *program, char *const *environment, int null, int output)
{
	char *const words[] = { (char *)(uintptr_t)program, (char *)(uintptr_t)"--version", NULL };

	(void)setpgid(0, 0);
	process_before_exec();
	if (dup2(null, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0)
		execve(program, words, environment);
	_exit(127);
}

static bool make_pipe(int ends[2])
{
	if (pipe(ends) != 0)
		return false;
	if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0)
		return true;
	close(ends[0]);
	close(ends[1]);
	return false;
}

/* Starts it in a process group of its own; gives the reading end of its stdout, or -1. */
static int start(const char *program, char *const *environment, pid_t *child)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), ends[2];

	if (null < 0)
		return -1;
	if (!make_pipe(ends)) {
		close(null);
		return -1;
	}
	*child = fork();
	if (*child == 0)
		become(program, environment, null, ends[1]);
	if (*child > 0)
		(void)setpgid(*child, *child);  /* both do it, so that the group is there whoever runs first */
	close(null);
	close(ends[1]);
	if (*child > 0)
		return ends[0];
	close(ends[0]);
	return -1;
}

/* Reads to the end, or to the bound: what is behind OUTPUT_MAX does not matter. False: the time is up. */
static bool collect(int fd, int64_t deadline, char *output, size_t *len)
{
	*len = 0;
	while (*len < OUTPUT_MAX) {
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - clock_ms();
		int ready = left > 0 ? poll(&poller, 1, (int)left) : 0;
		ssize_t n;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		n = read(fd, output + *len, OUTPUT_MAX - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return true;
		*len += (size_t)n;
	}
	return true;
}

/* Waits for the child until the deadline, then ends its whole group. True: it ended by itself, and well. The group
 * is signalled only before the child is waited for: afterwards its number may be somebody else's. */
static bool end(pid_t child, int64_t deadline)
{
	int status = 0;
	pid_t ended = 0;

	while (clock_ms() < deadline && (ended = waitpid(child, &status, WNOHANG)) == 0)
		poll(NULL, 0, 1);
	if (ended == 0) {
		(void)kill(-child, SIGKILL);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			continue;
	}
	return ended == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The last word of the first line, where it looks like a version. */
static bool find_version(const char *output, size_t len, char *version)
{
	const char *newline = memchr(output, '\n', len);
	size_t stop = newline != NULL ? (size_t)(newline - output) : len, start_at = stop;

	while (start_at > 0 && output[start_at - 1] > 0x20 && output[start_at - 1] < 0x7f)
		start_at--;
	len = stop - start_at;
	if (len == 0 || len >= NIX_VERSION_MAX || output[start_at] < '0' || output[start_at] > '9')
		return false;
	memcpy(version, output + start_at, len);
	version[len] = '\0';
	return true;
}

enum err nix_version(const char *program, char *const *environment, char *version, char *why)
{
	int64_t deadline = clock_ms() + NIX_VERSION_MS;
	char output[OUTPUT_MAX];
	pid_t child = -1;
	size_t len;
	int fd = start(program, environment, &child);
	bool in_time, well;

	version[0] = '\0';
	if (fd < 0)
		return refuse(why, ERR_IO, program, strerror(errno));
	in_time = collect(fd, deadline, output, &len);
	close(fd);
	well = end(child, in_time ? deadline : 0);
	if (!in_time)
		return refuse(why, ERR_TIMEOUT, program, "does not answer");
	if (!well)
		return refuse(why, ERR_IO, program, "fails");
	if (!find_version(output, len, version))
		return refuse(why, ERR_PROTO, program, "does not say a version");
	return ERR_NONE;
}
