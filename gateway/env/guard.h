/* guard: can anybody but root and ourselves exchange a program between now and the moment we run it?
 * The program and every folder on the way to it, as spelled and as resolved, must be owned by root or by us and be
 * writable by the owner alone. A sticky folder may be writable by others (/nix/store is root:nixbld 1775): there nobody
 * can remove or rename what is not theirs. Links in between belong to root or us. Access lists are not looked at.
 * Owner   fault is the caller's, GUARD_FAULT_MAX bytes: names the file and its mode or owner; not escaped yet. */
#ifndef GATEWAY_ENV_GUARD_H
#define GATEWAY_ENV_GUARD_H

#include <stdbool.h>

#include "gateway/base/err.h"

enum { GUARD_FAULT_MAX = 512 };

/* path: absolute. True: a regular file that we may execute, and guarded. */
MUST_USE bool guard_program(const char *path, char *fault);

#endif
