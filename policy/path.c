#include "policy/path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/source.h"

enum { WAY_MAX = PATH_MAX };

/* The walk: `done` is what was judged, without links; `left` is what is still to go, without a slash in front. */
struct walk {
	char done[WAY_MAX], left[WAY_MAX];
	unsigned links;
	uid_t owner;            /* the program's */
	struct stat last;       /* of done */
	struct faults *faults;
};

static bool is_trusted(const struct walk *w, uid_t uid)
{
	return uid == 0 || uid == w->owner;
}

static const char *shown(const struct walk *w)
{
	return w->done[0] == '\0' ? "/" : w->done;
}

static bool owner_is_safe(const struct walk *w, const struct stat *st, const char *what)
{
	if (is_trusted(w, st->st_uid))
		return true;
	faults_add(w->faults, 0, "the %s %s belongs to uid %lu, who could replace the policy: chown %sroot '%s'", what,
		   shown(w), (unsigned long)st->st_uid, S_ISLNK(st->st_mode) ? "-h " : "", shown(w));
	return false;
}

static bool mode_is_safe(const struct walk *w, const struct stat *st, const char *what)
{
	mode_t others = st->st_mode & (S_IWGRP | S_IWOTH);

	if (others == 0 || (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0 && st->st_uid == 0))
		return true;
	faults_add(w->faults, 0, "the %s %s can be written by %s: chmod go-w '%s'", what, shown(w),
		   (others & S_IWOTH) != 0 ? "everybody" : "its group", shown(w));
	return false;
}

static bool say(const struct walk *w, const char *problem)
{
	faults_add(w->faults, 0, "%s: %s", shown(w), problem);
	return false;
}

/* Takes the first name off `left`; "" when nothing is left. */
static void take_name(struct walk *w, char name[NAME_MAX + 1])
{
	size_t skip = strspn(w->left, "/"), len = strcspn(w->left + skip, "/"), rest = skip + len;

	if (len > NAME_MAX)
		len = 0;        /* cannot be: the file could be opened; the walk then ends elsewhere and is refused */
	memcpy(name, w->left + skip, len);
	name[len] = '\0';
	memmove(w->left, w->left + rest, strlen(w->left + rest) + 1);
}

static bool step_up(struct walk *w)
{
	char *slash = strrchr(w->done, '/');

	if (slash != NULL)
		*slash = '\0';
	return lstat(shown(w), &w->last) == 0 || say(w, strerror(errno));
}

/* Puts a link's target in front of what is left; the link's own folder, where the target starts, was judged. */
static bool follow(struct walk *w)
{
	char target[WAY_MAX], left[WAY_MAX];
	ssize_t len = readlink(w->done, target, sizeof target - 1);
	int n;

	if (len < 0 || ++w->links > SOURCE_LINKS_MAX)
		return say(w, len < 0 ? strerror(errno) : "too many links in a row");
	target[len] = '\0';
	n = snprintf(left, sizeof left, "%s/%s", target, w->left);
	if (n < 0 || (size_t)n >= sizeof left)
		return say(w, "its path is too long");
	memcpy(w->left, left, (size_t)n + 1);
	if (target[0] == '/')
		w->done[0] = '\0';
	return step_up(w);
}

static bool step_down(struct walk *w, const char *name)
{
	size_t used = strlen(w->done);
	int n = snprintf(w->done + used, sizeof w->done - used, "/%s", name);

	if (n < 0 || (size_t)n >= sizeof w->done - used)
		return say(w, "its path is too long");
	if (lstat(w->done, &w->last) != 0)
		return say(w, strerror(errno));
	if (S_ISLNK(w->last.st_mode))
		return owner_is_safe(w, &w->last, "link") && follow(w);
	if (S_ISDIR(w->last.st_mode))
		return owner_is_safe(w, &w->last, "folder") && mode_is_safe(w, &w->last, "folder");
	return true;
}

static bool walk_all(struct walk *w)
{
	char name[NAME_MAX + 1];

	if (lstat("/", &w->last) != 0)
		return say(w, strerror(errno));
	if (!owner_is_safe(w, &w->last, "folder") || !mode_is_safe(w, &w->last, "folder"))
		return false;
	for (take_name(w, name); name[0] != '\0'; take_name(w, name)) {
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0 ? !step_up(w) : !step_down(w, name))
			return false;
	}
	return true;
}

static bool walk_start(struct walk *w, const char *path)
{
	char folder[WAY_MAX] = "";
	int n;

	if (path[0] != '/' && getcwd(folder, sizeof folder) == NULL)
		return say(w, strerror(errno));
	n = snprintf(w->left, sizeof w->left, "%s/%s", folder, path);
	return (n >= 0 && (size_t)n < sizeof w->left) || say(w, "the policy's path is too long");
}

bool path_is_safe(const char *path, const struct stat *opened, uid_t program_owner, struct faults *faults)
{
	struct walk w = { .owner = program_owner, .faults = faults };

	if (!walk_start(&w, path) || !walk_all(&w))
		return false;
	if (w.last.st_dev != opened->st_dev || w.last.st_ino != opened->st_ino)
		return say(&w, "was exchanged while it was read; try again");
	return owner_is_safe(&w, opened, "file") && mode_is_safe(&w, opened, "file");
}
