/* place: for the tests of env: a folder of the test's own, filled by a few words and removed afterwards. */
#ifndef TESTS_UNIT_ENV_PLACE_H
#define TESTS_UNIT_ENV_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/log.h"

struct place {
	char folder[64];
};

static inline int make_place(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	if (p == NULL)
		return -1;
	umask(022);
	snprintf(p->folder, sizeof p->folder, "/tmp/nix-gateway-env.XXXXXX");
	*state = p;
	return mkdtemp(p->folder) != NULL ? 0 : -1;
}

static inline int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

static inline int remove_place(void **state)
{
	struct place *p = *state;

	nftw(p->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	return 0;
}

/* A path in the place; `at` begins with a slash. */
static inline const char *path_at(const struct place *p, const char *at, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s%s", p->folder, at);

	assert_true(n > 0 && n < PATH_MAX);
	return out;
}

static inline void make_folder(const struct place *p, const char *at)
{
	char path[PATH_MAX];

	if (at[0] == '\0')
		return;                 /* the place itself */
	path_at(p, at, path);
	for (char *slash = strchr(path + strlen(p->folder) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	(void)mkdir(path, 0755);
}

static inline void make_file(const struct place *p, const char *at, mode_t mode, const char *text)
{
	char path[PATH_MAX], above[PATH_MAX];
	int fd;

	snprintf(above, sizeof above, "%.*s", (int)(strrchr(at, '/') - at), at);
	make_folder(p, above);
	fd = open(path_at(p, at, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static inline void set_mode(const struct place *p, const char *at, mode_t mode)
{
	char path[PATH_MAX];

	assert_int_equal(chmod(path_at(p, at, path), mode), 0);
}

static inline void assert_says(const char *sentence, const char *words)
{
	if (strstr(sentence, words) == NULL)
		fail_msg("'%s' is not in '%s'", words, sentence);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

#endif
