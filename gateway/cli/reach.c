#include "gateway/cli/reach.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* may_add: to put a file into the folder is enough. Where the folder is root's and has the sticky bit everybody may, and yet
 * nobody removes what is another's. */
static const char *way_to_change(const char *path, bool may_add)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return NULL;
	if (st.st_uid == geteuid())
		return "belongs to the account";
	if (!may_add && S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX) != 0 && st.st_uid == 0)
		return NULL;
	return access(path, W_OK) == 0 ? "can be written by the account" : NULL;
}

/* The path with all links followed, or the innermost folder of it that is there; *whole says which. */
static bool resolve(const char *path, char at[PATH_MAX], bool *whole)
{
	char way[PATH_MAX];
	char *slash;

	*whole = true;
	if (strlen(path) >= sizeof way)
		return false;
	memcpy(way, path, strlen(path) + 1);
	while (realpath(way, at) == NULL) {
		slash = strrchr(way, '/');
		if (slash == NULL)
			return false;
		*whole = false;
		*slash = '\0';
	}
	return true;
}

const char *reach_on_way(const char *path, char at[PATH_MAX])
{
	bool whole;
	const char *fault;

	if (!resolve(path, at, &whole))
		return NULL;
	fault = way_to_change(at, !whole);
	for (char *slash = strrchr(at, '/'); fault == NULL && slash != NULL && slash != at; slash = strrchr(at, '/')) {
		*slash = '\0';
		fault = way_to_change(at, false);
	}
	return fault;
}
