/* What sshd says it does for the account, and the files of keys it would read. See doctor.h. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/cli/doctor.h"
#include "gateway/cli/host.h"
#include "gateway/cli/reach.h"
#include "gateway/cli/sshd_ask.h"

enum { KEYS_TEXT_MAX = 4 * 1024 * 1024 };

void look_at_sshd(struct doctor *d, const char *account)
{
	(void)!sshd_ask(account, &d->sshd, d->sshd_fault);
	d->locked = host_account_is_locked(account);
}

/* Those we run with by now: the account's own. */
static void look_at_groups(struct doctor *d)
{
	gid_t groups[256];
	int count = getgroups(sizeof groups / sizeof *groups, groups);
	size_t used = 0;

	for (int i = 0; i < count; i++) {
		const struct group *group = getgrgid(groups[i]);
		size_t room = sizeof d->groups - used;
		int n = group == NULL ? 0 : snprintf(d->groups + used, room, "%s ", group->gr_name);

		if (n < 0 || (size_t)n >= room)
			break;
		used += (size_t)n;
	}
	d->groups[used] = '\0';
}

static void read_keys(struct doctor *d, const char *path, int fd)
{
	char *text = malloc(KEYS_TEXT_MAX);
	struct stat st;
	size_t len = 0;
	ssize_t n = -1;

	if (text != NULL && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		while (len < KEYS_TEXT_MAX && ((n = read(fd, text + len, KEYS_TEXT_MAX - len)) > 0 || (n < 0 && errno == EINTR)))
			len += n > 0 ? (size_t)n : 0;
	if (n != 0 && d->keys.unreadable[0] == '\0')
		snprintf(d->keys.unreadable, sizeof d->keys.unreadable, "%s", path);
	if (n == 0)
		keys_read_text(&d->keys, path, (struct text){ text, len });
	free(text);
}

static void look_at_file(struct doctor *d, const char *path)
{
	char at[PATH_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd >= 0) {
		read_keys(d, path, fd);
		close(fd);
	} else if (errno == ENOENT || errno == ENOTDIR) {
		if (d->keys.missing[0] == '\0')
			snprintf(d->keys.missing, sizeof d->keys.missing, "%s", path);
	} else if (d->keys.unreadable[0] == '\0') {
		snprintf(d->keys.unreadable, sizeof d->keys.unreadable, "%s", path);
	}
	if (d->keys.writable[0] == '\0' && reach_on_way(path, at) != NULL)
		snprintf(d->keys.writable, sizeof d->keys.writable, "%s", path);
}

/* With the account's rights, as sshd itself reads them. */
void look_at_keys(struct doctor *d)
{
	struct text files = sshd_value(&d->sshd, "authorizedkeysfile"), word;
	char path[PATH_MAX];

	look_at_groups(d);
	while (text_word(&files, &word))
		if (!text_is(word, "none") && keys_file_path(word, &d->builder->account, path))
			look_at_file(d, path);
}
