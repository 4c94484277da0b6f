#include "gateway/session/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/env/process.h"
#include "gateway/env/process_system.h"
#include "gateway/env/socket.h"

/* Where a Nix without a daemon keeps its database. Who may write it needs no daemon. */
#define SINGLE_USER_DATABASE "/nix/var/nix/db"

enum { CHILD_END_MS = 500 };

static void close_pair(int a, int b)
{
	if (a >= 0)
		close(a);
	if (b >= 0)
		close(b);
}

static bool connect_to(const char *path, struct backend *out, char *why)
{
	char reason[SENTENCE_MAX];

	if (daemon_connect(path, &out->fd, reason) == ERR_NONE) {
		out->kind = BACKEND_SOCKET;
		out->socket = path;
		return true;
	}
	log_sentence(why, "the Nix daemon does not answer (%s)", reason);
	return false;
}

/* nix-daemon --stdio without a daemon would make itself a store in the account's home: only a single-user Nix, whose
 * database is ours to write, is served that way without being told to. */
static bool is_single_user(void)
{
	return access(NIX_DAEMON_SOCKET, F_OK) != 0 && access(SINGLE_USER_DATABASE, W_OK) == 0;
}

bool backend_open(const struct gateway_settings *settings, struct backend *out, char *why)
{
	*out = (struct backend){ .kind = BACKEND_STDIO, .fd = -1, .out = -1 };
	switch (settings->daemon) {
	case DAEMON_STDIO:
		return true;
	case DAEMON_PATH:
		return connect_to(settings->daemon_path, out, why);
	case DAEMON_AUTO:
		if (is_single_user())
			return true;
		break;
	case DAEMON_SOCKET:
		break;
	}
	return connect_to(NIX_DAEMON_SOCKET, out, why);
}

/* In the child: the pipes become stdin and stdout, and nothing else of ours is left. */
static void become_daemon(int in, int out, pid_t parent, char *program, char *const *environment)
{
	static char stdio[] = "--stdio";
	char *arguments[] = { program, stdio, NULL };

	process_end_with(parent);       /* who is killed cannot end us any more */
	/* A session of its own: it is ended as a group, and has no terminal of whoever asks doctor for the account. */
	if (setsid() > 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0) {
		process_before_exec();
		execve(program, arguments, environment);
	}
	_exit(127);
}

/* Nothing of ours forks between the two steps, so no other child inherits an end. */
static bool make_pipe(int ends[2])
{
	return pipe(ends) == 0 && fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0;
}

/* Pipes and not a socket pair: some releases of nix-daemon splice, which only pipes can do. */
bool backend_spawn(struct backend *backend, char *program, char *const *environment, char *why)
{
	int up[2] = { -1, -1 }, down[2] = { -1, -1 };
	pid_t self = getpid();

	backend->child = make_pipe(up) && make_pipe(down) ? fork() : -1;
	if (backend->child == 0)
		become_daemon(up[0], down[1], self, program, environment);
	if (backend->child < 0)
		log_sentence(why, "the Nix daemon does not answer (%s: %s)", program, strerror(errno));
	close_pair(up[0], down[1]);
	if (backend->child < 0) {
		close_pair(up[1], down[0]);
		backend->child = 0;
		return false;
	}
	backend->fd = down[0];
	backend->out = up[1];
	return true;
}

/* Asked to end, then made to: a build must not outlive its client. */
static void end_child(pid_t child)
{
	bool told = false;

	for (int i = 0; i < CHILD_END_MS; i++) {
		struct timespec millisecond = { .tv_nsec = 1000000 };

		told = told || kill(-child, SIGTERM) == 0;      /* at first there may be no group yet */
		if (waitpid(child, NULL, WNOHANG) == child) {
			(void)kill(-child, SIGKILL);    /* what it has left behind in its group */
			return;
		}
		nanosleep(&millisecond, NULL);
	}
	(void)kill(-child, SIGKILL);
	(void)waitpid(child, NULL, 0);
}

void backend_close(struct backend *backend)
{
	close_pair(backend->fd, backend->out);
	backend->fd = backend->out = -1;
	if (backend->child > 0)
		end_child(backend->child);
	backend->child = 0;
}

void backend_describe(const struct backend *backend, char *text, unsigned size)
{
	snprintf(text, size, backend->kind == BACKEND_SOCKET ? "socket %s" : "nix-daemon --stdio", backend->socket);
}
