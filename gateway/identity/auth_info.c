#include "gateway/identity/auth_info.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/log.h"

/* Who sees one of these has a client that chose the file, or an sshd that never wrote one. */
#define CURE "set 'ExposeAuthInfo yes' in sshd_config, and take SSH_USER_AUTH out of AcceptEnv"
#define ONE_KEY "set 'AuthenticationMethods publickey' in sshd_config"

static enum err refuse(char *why, enum err err, const char *path, const char *fault, const char *cure)
{
	snprintf(why, SENTENCE_MAX, "sshd's auth info file (SSH_USER_AUTH) '%.512s' %s: %s", path, fault, cure);
	return err;
}

static enum err open_file(const char *path, int *fd, char *why)
{
	if (path[0] != '/')
		return refuse(why, ERR_DENIED, path, "is not an absolute path", CURE);
	/* Without O_NONBLOCK a named pipe would hold us here for as long as the client likes. */
	*fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*fd >= 0)
		return ERR_NONE;
	if (errno == ELOOP || errno == EMLINK)
		return refuse(why, ERR_DENIED, path, "is a symbolic link", CURE);
	if (errno == ENOENT)
		return refuse(why, ERR_IO, path, "does not exist", CURE);
	snprintf(why, SENTENCE_MAX, "sshd's auth info file (SSH_USER_AUTH) '%.512s' cannot be opened (%s): " CURE, path,
		 strerror(errno));
	return ERR_IO;
}

/* Everything that sshd's mkstemp as this very account makes true. */
static enum err judge_file(const char *path, int fd, char *why)
{
	struct stat st;
	char fault[64];

	if (fstat(fd, &st) != 0)
		return refuse(why, ERR_IO, path, "cannot be examined", CURE);
	if (!S_ISREG(st.st_mode))
		return refuse(why, ERR_DENIED, path, "is not a regular file", CURE);
	if (st.st_uid != geteuid()) {
		snprintf(fault, sizeof fault, "is owned by uid %ju, not by us", (uintmax_t)st.st_uid);
		return refuse(why, ERR_DENIED, path, fault, CURE);
	}
	if ((st.st_mode & 07777) != 0600) {
		snprintf(fault, sizeof fault, "has mode %04o, not 0600", (unsigned)(st.st_mode & 07777));
		return refuse(why, ERR_DENIED, path, fault, CURE);
	}
	if (st.st_nlink != 1)
		return refuse(why, ERR_DENIED, path, "has more than one name (hard link)", CURE);
	return ERR_NONE;
}

/* Reads it whole; `text` holds AUTH_INFO_MAX + 1 bytes, and *len of them are the file's. */
static enum err read_file(const char *path, int fd, char *text, size_t *len, char *why)
{
	size_t have = 0;

	while (have <= AUTH_INFO_MAX) {
		ssize_t n = read(fd, text + have, AUTH_INFO_MAX + 1 - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return refuse(why, ERR_IO, path, "cannot be read", CURE);
		if (n == 0)
			break;
		have += (size_t)n;
	}
	if (have > AUTH_INFO_MAX)
		return refuse(why, ERR_LIMIT, path, "is over 64 KiB", CURE);
	*len = have;
	return ERR_NONE;
}

static bool is_one_line(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] == 0x7f)
			return i == len - 1 && text[i] == '\n';
	return false;
}

static enum err wrong_line(const char *path, const char *text, size_t len, char *why)
{
	const char *newline = len > 0 ? memchr(text, '\n', len) : NULL;

	if (len == 0)
		return refuse(why, ERR_PROTO, path, "is empty", CURE);
	if (newline == NULL || text[len - 1] != '\n')
		return refuse(why, ERR_PROTO, path, "does not end with a newline",
			      "look whether the disk of its folder is full");
	if (newline != text + len - 1)
		return refuse(why, ERR_PROTO, path, "names more than one proof of who the client is", ONE_KEY);
	return refuse(why, ERR_PROTO, path, "holds control bytes", CURE);
}

/* The name of another way in that sshd writes here, what follows a slash left out. NULL: sshd has no such word. Only words
 * of this list are said: the file may be any that is ours, and its first word a secret. */
static const char *other_method(const char *text)
{
	static const char *const names[] = { "password", "keyboard-interactive", "hostbased", "gssapi-with-mic",
					     "gssapi-keyex", "none" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t len = strlen(names[i]);

		if (strncmp(text, names[i], len) == 0 && (text[len] == '\0' || text[len] == '/'))
			return names[i];
	}
	return NULL;
}

static enum err wrong_method(const char *path, const char *text, char *why)
{
	const char *method = other_method(text);
	char fault[128];

	if (method == NULL)
		return refuse(why, ERR_PROTO, path, "is not 'publickey TYPE BASE64'", CURE);
	snprintf(fault, sizeof fault, "says the client came by '%s', not by a public key", method);
	return refuse(why, ERR_PROTO, path, fault, ONE_KEY);
}

/* text: the line without its newline, as a C string; cut into words here. */
static enum err read_line(const char *path, char *text, struct ssh_identity *out, char *why)
{
	static const char method[] = "publickey";
	char *type = strchr(text, ' '), *base64 = NULL;

	if (type != NULL) {
		*type++ = '\0';
		base64 = strchr(type, ' ');
	}
	if (strcmp(text, method) != 0)
		return wrong_method(path, text, why);
	if (base64 == NULL || strchr(base64 + 1, ' ') != NULL)
		return refuse(why, ERR_PROTO, path, "is not 'publickey TYPE BASE64'", CURE);
	*base64++ = '\0';
	return ssh_key_parse_words(type, base64, out, why);
}

static enum err read_open_file(const char *path, int fd, struct ssh_identity *out, char *why)
{
	char *text = malloc(AUTH_INFO_MAX + 1);
	size_t len = 0;
	enum err err;

	if (text == NULL) {
		snprintf(why, SENTENCE_MAX, "%s", err_text(ERR_MEMORY));
		return ERR_MEMORY;
	}
	err = judge_file(path, fd, why);
	if (!err)
		err = read_file(path, fd, text, &len, why);
	if (!err && !is_one_line(text, len))
		err = wrong_line(path, text, len, why);
	if (!err) {
		text[len - 1] = '\0';
		err = read_line(path, text, out, why);
	}
	free(text);
	return err;
}

enum err auth_info_read(const char *path, struct ssh_identity *out, char *why)
{
	enum err err;
	int fd = -1;

	*out = (struct ssh_identity){ 0 };
	err = open_file(path, &fd, why);
	if (err)
		return err;
	err = read_open_file(path, fd, out, why);
	close(fd);
	return err;
}
