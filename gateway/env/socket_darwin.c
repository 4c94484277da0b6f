#include "gateway/env/socket_system.h"

#include <errno.h>

/* A full queue and a socket that nobody listens on any more are refused alike, so both are waited for; launchd starts a
 * daemon that has ended anew within that time. */
bool socket_may_be_busy(int failure)
{
	return failure == ECONNREFUSED;
}
