#include "gateway/env/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool unreachable(const char *path, char *fault)
{
	snprintf(fault, GUARD_FAULT_MAX, "'%.300s' cannot be reached (%s)", path, strerror(errno));
	return false;
}

static bool is_owned(const char *path, const struct stat *st, char *fault)
{
	if (st->st_uid == 0 || st->st_uid == geteuid())
		return true;
	snprintf(fault, GUARD_FAULT_MAX, "'%.300s' is owned by uid %ju, neither root nor us", path,
		 (uintmax_t)st->st_uid);
	return false;
}

/* One step of the way: what `path` is, and where it is a link also what it leads to. */
static bool is_guarded(const char *path, char *fault)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return unreachable(path, fault);
	if (S_ISLNK(st.st_mode)) {
		if (!is_owned(path, &st, fault))
			return false;
		if (stat(path, &st) != 0)
			return unreachable(path, fault);
	}
	if (!is_owned(path, &st, fault))
		return false;
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) == 0 || (S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX) != 0))
		return true;
	snprintf(fault, GUARD_FAULT_MAX, "'%.300s' can be written by others than its owner (mode %04o)", path,
		 (unsigned)(st.st_mode & 07777));
	return false;
}

static bool way_is_guarded(const char *path, char *fault)
{
	char step[PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof step) {
		errno = ENAMETOOLONG;
		return unreachable(path, fault);
	}
	if (!is_guarded("/", fault))
		return false;
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(step, path, i);
		step[i] = '\0';
		if (!is_guarded(step, fault))
			return false;
	}
	return true;
}

static bool is_program(const char *path, char *fault)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return unreachable(path, fault);
	if (!S_ISREG(st.st_mode)) {
		snprintf(fault, GUARD_FAULT_MAX, "'%.300s' is not a regular file", path);
		return false;
	}
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0) {
		snprintf(fault, GUARD_FAULT_MAX, "'%.300s' cannot be executed by us (mode %04o)", path,
			 (unsigned)(st.st_mode & 07777));
		return false;
	}
	return true;
}

bool guard_program(const char *path, char *fault)
{
	char *real;
	bool guarded;

	if (!is_program(path, fault) || !way_is_guarded(path, fault))
		return false;
	real = realpath(path, NULL);
	if (real == NULL)
		return unreachable(path, fault);
	guarded = way_is_guarded(real, fault);
	free(real);
	return guarded;
}
