#include "gateway/env/socket_system.h"

#include <errno.h>

bool socket_may_be_busy(int failure)
{
	return failure == EAGAIN;
}
