#include "gateway/env/descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { UNLISTED_MAX = 1024 * 1024 };    /* most numbers tried one by one, where the limit says "any number" */

enum err descriptors_fill_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR); /* takes the lowest free number: 0 to 2 while one of these is free */
		if (fd < 0)
			return ERR_IO;
	} while (fd <= STDERR_FILENO);
	close(fd);
	return ERR_NONE;
}

static int number_of(const char *name)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(name, &end, 10);
	if (errno != 0 || end == name || *end != '\0' || number < 0 || number > INT_MAX)
		return -1;
	return (int)number;
}

static DIR *open_list(void)
{
	DIR *list = opendir("/proc/self/fd");

	return list != NULL ? list : opendir("/dev/fd");
}

/* One pass over the list; *closed says whether there was anything. A list may shift while we close, hence passes. */
static enum err close_pass(int first, bool *closed)
{
	DIR *list = open_list();
	const struct dirent *entry;

	*closed = false;
	if (list == NULL)
		return ERR_IO;
	while ((entry = readdir(list)) != NULL) {
		int fd = number_of(entry->d_name);

		if (fd >= first && fd != dirfd(list) && close(fd) == 0)
			*closed = true;
	}
	closedir(list);
	return ERR_NONE;
}

static enum err close_by_number(int first)
{
	struct rlimit limit;
	int end = UNLISTED_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return ERR_IO;
	if (limit.rlim_max < UNLISTED_MAX)
		end = (int)limit.rlim_max;
	for (int fd = first; fd < end; fd++)
		close(fd);
	return ERR_NONE;
}

enum err descriptors_close_listed(int first)
{
	bool closed;

	do {
		if (close_pass(first, &closed) != ERR_NONE)
			return close_by_number(first);
	} while (closed);
	return ERR_NONE;
}
