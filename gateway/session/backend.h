/* backend: how the Nix daemon of this builder is reached, decided once at the start of a session.
 * The socket is preferred: a connection costs a few milliseconds, and the daemon itself then judges our account.
 * Owner   the descriptors and the child are the backend's until backend_close; socket borrows from the settings or is
 *         static.
 * Errors  false with a sentence in `why` (SENTENCE_MAX bytes): the reason the system gave. */
#ifndef GATEWAY_SESSION_BACKEND_H
#define GATEWAY_SESSION_BACKEND_H

#include <stdbool.h>
#include <sys/types.h>

#include "policy/model.h"

struct backend {
	enum { BACKEND_SOCKET, BACKEND_STDIO } kind;
	const char *socket;     /* BACKEND_SOCKET: where it is */
	int fd, out;            /* the daemon: to read and write by fd; of a child, fd to read and out to write. -1: none */
	pid_t child;            /* BACKEND_STDIO, once spawned; it leads a process group of its own. 0: none */
};

/* Finds out which it is; a socket is connected. */
bool backend_open(const struct gateway_settings *settings, struct backend *out, char *why);

/* BACKEND_STDIO: starts `nix-daemon --stdio`. Its stderr is ours. */
bool backend_spawn(struct backend *backend, char *program, char *const *environment, char *why);

/* Closes what is open; a child's whole process group is ended and waited for. */
void backend_close(struct backend *backend);

/* "socket PATH" or "nix-daemon --stdio", for a person; `size` bytes. */
void backend_describe(const struct backend *backend, char *text, unsigned size);

#endif
