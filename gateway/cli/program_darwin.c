#include "gateway/cli/program.h"

#include <limits.h>
#include <mach-o/dyld.h>
#include <stdlib.h>
#include <string.h>

/* dyld(3): the path may lead through links, which realpath resolves. */
bool program_path(char *path, size_t size)
{
	char raw[PATH_MAX], real[PATH_MAX];
	uint32_t raw_size = sizeof raw;

	if (_NSGetExecutablePath(raw, &raw_size) != 0 || realpath(raw, real) == NULL || strlen(real) >= size)
		return false;
	memcpy(path, real, strlen(real) + 1);
	return true;
}
