#include "gateway/cli/host_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/identity/ssh_key.h"

#define USUAL "/etc/ssh/ssh_host_ed25519_key"

enum { FILE_MAX = 4096 };

/* The whole of a small file, ended by a NUL. False: not to be read, or larger. */
static bool read_small(const char *path, char text[FILE_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return false;
	while (len < FILE_MAX - 1 && n != 0) {
		n = read(fd, text + len, FILE_MAX - 1 - len);
		if (n < 0 && errno != EINTR)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	text[len] = '\0';
	return n == 0;
}

bool host_key_read(const char *path, char key[HOST_KEY_MAX])
{
	struct ssh_identity identity;
	char file[FILE_MAX], type[64], base64[HOST_KEY_MAX], why[SENTENCE_MAX];
	int n;

	if (!read_small(path, file) || sscanf(file, "%63s %1023s", type, base64) != 2 ||
	    ssh_key_parse_words(type, base64, &identity, why) != ERR_NONE)
		return false;
	ssh_key_free(&identity);
	n = snprintf(key, HOST_KEY_MAX, "%s %s", type, base64);
	return n > 0 && n < HOST_KEY_MAX;
}

static bool read_public_half(struct text private, char key[HOST_KEY_MAX])
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof path, "%.*s.pub", (int)private.len, private.bytes);

	return n > 0 && (size_t)n < sizeof path && host_key_read(path, key);
}

bool host_key_find(const struct sshd_settings *sshd, char key[HOST_KEY_MAX])
{
	char other[HOST_KEY_MAX];
	struct text path;

	key[0] = '\0';
	if (sshd->text == NULL)
		return read_public_half(text_of(USUAL), key);
	for (unsigned i = 0; (path = sshd_value_nth(sshd, "hostkey", i)).bytes != NULL; i++) {
		if (!read_public_half(path, other))
			continue;
		if (key[0] == '\0' || strncmp(other, "ssh-ed25519 ", 12) == 0)
			memcpy(key, other, sizeof other);
		if (strncmp(key, "ssh-ed25519 ", 12) == 0)
			break;
	}
	return key[0] != '\0';
}
