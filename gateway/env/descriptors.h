/* descriptors: what we were started with beyond 0, 1 and 2 is closed, and those three exist.
 * Errors  ERR_IO, errno says why. */
#ifndef GATEWAY_ENV_DESCRIPTORS_H
#define GATEWAY_ENV_DESCRIPTORS_H

#include "gateway/base/err.h"

/* Whichever of 0, 1 and 2 is closed becomes /dev/null, so that no file opened later takes the place of stdout. */
MUST_USE enum err descriptors_fill_standard(void);

/* Closes every descriptor from `first` up: close_range(2) where there is one, else descriptors_close_listed.
 * Of the system: descriptors_linux.c, descriptors_darwin.c. */
MUST_USE enum err descriptors_close_from(int first);

/* The portable way: closes what /proc/self/fd or /dev/fd lists, and without either all numbers up to the limit. */
MUST_USE enum err descriptors_close_listed(int first);

#endif
