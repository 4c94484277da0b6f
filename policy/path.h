/* path: the way to a file, folder by folder, and who could change it. Part of source; see there. */
#ifndef POLICY_PATH_WALK_H
#define POLICY_PATH_WALK_H

#include <sys/stat.h>

#include "policy/faults.h"

/* Judges the file `opened` (already open under `path`) and all that leads to it. */
bool path_is_safe(const char *path, const struct stat *opened, uid_t program_owner, struct faults *faults);

#endif
