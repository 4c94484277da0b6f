/* socket_system: how this system says that a local socket's queue is full: socket_linux.c, socket_darwin.c. */
#ifndef GATEWAY_ENV_SOCKET_SYSTEM_H
#define GATEWAY_ENV_SOCKET_SYSTEM_H

#include <stdbool.h>

/* connect(2) failed with this errno: may it do better in a moment? */
bool socket_may_be_busy(int failure);

#endif
