#include "policy/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/path.h"

static bool say(struct faults *faults, const char *problem)
{
	faults_add(faults, 0, "%s", problem);
	return false;
}

static bool is_usable(const struct stat *st, struct faults *faults)
{
	if (!S_ISREG(st->st_mode))
		return say(faults, "is not a regular file");
	if (st->st_size == 0)
		return say(faults, "is empty: a policy needs at least one [key] section (see nix-gateway.policy(5))");
	if (st->st_size > SOURCE_MAX) {
		faults_add(faults, 0, "is over %d MiB", SOURCE_MAX / 1024 / 1024);
		return false;
	}
	return true;
}

/* Reads until `len` bytes are there; returns how many came before the end, or -1. */
static ssize_t read_all(int fd, char *text, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = read(fd, text + have, len - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* One byte more than fstat said is asked for: a file that grows is being written, and half a policy is none. */
static bool read_text(int fd, const struct stat *st, struct pool *pool, struct source *out, struct faults *faults)
{
	size_t size = (size_t)st->st_size;      /* at most SOURCE_MAX */
	char *text = pool_alloc(pool, size + 1);
	ssize_t have;

	if (text == NULL)
		return say(faults, "cannot be loaded: out of memory");
	have = read_all(fd, text, size + 1);
	if (have < 0) {
		faults_add(faults, 0, "cannot be read: %s", strerror(errno));
		return false;
	}
	if ((size_t)have != size)
		return say(faults, "changed while it was read; try again");
	text[size] = '\0';
	*out = (struct source){ .text = text, .len = size };
	return true;
}

bool source_read(const char *path, enum policy_trustee trustee, uid_t program_owner, struct pool *pool,
		 struct source *out, struct faults *faults)
{
	/* O_NONBLOCK: a FIFO in the file's place must not hold a session. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	bool fine;

	*out = (struct source){ .text = NULL };
	if (fd < 0) {
		faults_add(faults, 0, "cannot be opened: %s", strerror(errno));
		return false;
	}
	if (fstat(fd, &st) != 0) {
		faults_add(faults, 0, "cannot be examined: %s", strerror(errno));
		fine = false;
	} else {
		fine = is_usable(&st, faults) &&
		       (trustee == POLICY_OWNER_IGNORED || path_is_safe(path, &st, program_owner, faults)) &&
		       read_text(fd, &st, pool, out, faults);
	}
	close(fd);
	return fine;
}
