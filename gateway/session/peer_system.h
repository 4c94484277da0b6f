/* peer_system: what peer asks of the system that others do not have: peer_linux.c, peer_darwin.c. */
#ifndef GATEWAY_SESSION_PEER_SYSTEM_H
#define GATEWAY_SESSION_PEER_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* poll(2)'s word for a side that has closed its sending half, told even where no input is asked for and bytes before that
 * end are left to read; 0: it has no such word. */
extern const short peer_half_closed;

/* The same, asked of one descriptor, without waiting. False also where poll's own word does. */
bool peer_has_closed(int fd);

/* Has a pipe hold PEER_PIPE bytes where it can be told to; what is no pipe stays as it is. */
void peer_widen_pipe(int fd);

/* Bytes written to the descriptor that its reader has not read; -1: the system does not say. */
int peer_unread(int fd);

/* Moves at most `most` bytes from one descriptor to the other within the system, without waiting. How many; 0: the end;
 * -1 and errno: EAGAIN: none now. Else not between these two, or not on this system. */
ssize_t peer_move(int from, int to, size_t most);

#endif
