/* reach: could the account as which we run put something of its own where a path leads?
 * Owner   `at` is the caller's. The answers are static. */
#ifndef GATEWAY_CLI_REACH_H
#define GATEWAY_CLI_REACH_H

#include <limits.h>

/* Looks at what the path leads to, and at the folders above it, in which that could be exchanged; of what is not there, at
 * the folder in which it could be made. NULL: nothing of it is the account's to change. Else why it is ("belongs to the
 * account", ...), and in `at` which of them. */
const char *reach_on_way(const char *path, char at[PATH_MAX]);

#endif
