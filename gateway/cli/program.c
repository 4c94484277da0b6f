#include "gateway/cli/program.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <mach-o/dyld.h>

bool program_path(char *path, size_t size)
{
	char raw[PATH_MAX], real[PATH_MAX];
	uint32_t raw_size = sizeof raw;

	if (_NSGetExecutablePath(raw, &raw_size) != 0 || realpath(raw, real) == NULL || strlen(real) >= size)
		return false;
	memcpy(path, real, strlen(real) + 1);
	return true;
}
#else
bool program_path(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size);

	if (n <= 0 || (size_t)n >= size)
		return false;
	path[n] = '\0';
	return true;
}
#endif
