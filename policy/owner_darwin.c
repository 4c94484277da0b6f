#include "policy/owner.h"

#include <limits.h>
#include <mach-o/dyld.h>
#include <stdint.h>
#include <sys/stat.h>

uid_t owner_of_program(void)
{
	struct stat st;
	char path[PATH_MAX];
	uint32_t size = sizeof path;

	return _NSGetExecutablePath(path, &size) == 0 && stat(path, &st) == 0 ? st.st_uid : 0;
}
