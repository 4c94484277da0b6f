#include "gateway/audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "gateway/audit/logger.h"
#include "gateway/base/log.h"

enum {
	FIELD_MAX = 4096,       /* bytes of one text as it is written */
	STDERR_MS = 1000,
	STDERR_PIECE = 4096     /* what a pipe that polls writable takes without waiting */
};

void audit_init(struct audit *a)
{
	*a = (struct audit){ .syslog = -1, .file = -1 };
}

/* Not syslog(3): it does not tell whether the record was taken, and it opens its socket when it likes. */
static int syslog_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (fd < 0)
		return -1;
	snprintf(address.sun_path, sizeof address.sun_path, "%s", logger_path);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && logger_prepare(fd) &&
	    connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Where a full disk has cut the last record, the next would be joined to it, and both were lost to who reads them. */
static bool ends_in_a_part(int file, const char *path)
{
	struct stat state;
	char last = '\n';
	int fd;

	if (fstat(file, &state) != 0 || !S_ISREG(state.st_mode) || state.st_size == 0)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (pread(fd, &last, 1, state.st_size - 1) != 1)
		last = '\n';
	close(fd);
	return last != '\n';
}

static enum err file_open(struct audit *a, const char *path, char *why)
{
	a->path = path;
	a->file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	if (a->file < 0) {
		log_sentence(why, "%s: %s", path, strerror(errno));
		return ERR_IO;
	}
	a->torn = ends_in_a_part(a->file, path);
	return ERR_NONE;
}

enum err audit_open(struct audit *a, unsigned places, const char *file, char *why)
{
	unsigned char random[sizeof a->session / 2];

	randombytes_buf(random, sizeof random);
	sodium_bin2hex(a->session, sizeof a->session, random, sizeof random);
	json_object_seed(0);            /* these two open files of the system when they are first needed */
	tzset();
	a->places = places & ~(unsigned)AUDIT_TO_AUTO;
	if ((places & (AUDIT_TO_AUTO | AUDIT_TO_SYSLOG)) != 0)
		a->syslog = syslog_connect();
	if ((places & AUDIT_TO_AUTO) != 0)
		a->places |= a->syslog >= 0 ? AUDIT_TO_SYSLOG : AUDIT_TO_STDERR;
	if ((a->places & AUDIT_TO_SYSLOG) != 0 && a->syslog < 0) {
		log_sentence(why, "%s: nobody listens", logger_path);
		return ERR_IO;
	}
	return (a->places & AUDIT_TO_FILE) != 0 ? file_open(a, file, why) : ERR_NONE;
}

void audit_close(struct audit *a)
{
	if (a->syslog >= 0)
		close(a->syslog);
	if (a->file >= 0)
		close(a->file);
	audit_init(a);
}

/* A member with its foreign bytes escaped: JSON has no way to carry what is not UTF-8. */
static bool set_text(json_t *record, const char *name, const char *text)
{
	char safe[FIELD_MAX];

	if (text == NULL)
		return true;
	log_escape(safe, sizeof safe, text, strlen(text));
	return json_object_set_new(record, name, json_string(safe)) == 0;
}

static bool set_time(json_t *record)
{
	char text[32];
	time_t now = time(NULL);
	struct tm utc;

	if (gmtime_r(&now, &utc) == NULL || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		return false;
	return set_text(record, "time", text);
}

static bool set_field(json_t *record, const struct audit_field *field)
{
	if (field->kind == AUDIT_TEXT)
		return set_text(record, field->name, field->text);
	return json_object_set_new(record, field->name,
				   json_integer((json_int_t)(field->number & INT64_MAX))) == 0;
}

/* The line of one record with its newline; the caller frees it. NULL: no memory. */
static char *render(const struct audit *a, const char *event, const struct audit_field *fields, size_t count)
{
	json_t *record = json_object();
	char *json = NULL, *line = NULL;
	size_t len;
	bool whole = record != NULL && set_time(record) && set_text(record, "event", event) &&
		     set_text(record, "session", a->session) && set_text(record, "key", a->key) &&
		     set_text(record, "fingerprint", a->fingerprint) && set_text(record, "peer", a->peer);

	for (size_t i = 0; whole && i < count; i++)
		whole = set_field(record, &fields[i]);
	if (whole)
		json = json_dumps(record, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(record);
	if (json == NULL)
		return NULL;
	len = strlen(json);
	line = realloc(json, len + 2);
	if (line == NULL) {
		free(json);
		return NULL;
	}
	memcpy(line + len, "\n", 2);
	return line;
}

static bool send_syslog(int fd, const char *line)
{
	char header[64];
	int n = snprintf(header, sizeof header, "<%d>nix-gateway[%ld]: ", LOG_AUTHPRIV | LOG_INFO, (long)getpid());
	struct iovec parts[] = { { .iov_base = header, .iov_len = (size_t)n },
				 { .iov_base = (char *)(uintptr_t)line, .iov_len = strlen(line) - 1 } };

	return logger_send(fd, parts, 2);
}

/* Stderr leads to the client, who may never read it: there a line waits only so long. */
static bool write_stderr(const char *line)
{
	struct pollfd err = { .fd = STDERR_FILENO, .events = POLLOUT };
	size_t len = strlen(line);

	while (len > 0) {
		size_t piece = len < STDERR_PIECE ? len : STDERR_PIECE;
		ssize_t n;

		errno = EAGAIN;
		if (poll(&err, 1, STDERR_MS) != 1 || (err.revents & POLLOUT) == 0)
			return false;
		n = write(STDERR_FILENO, line, piece);
		if (n <= 0)
			return false;
		line += n;
		len -= (size_t)n;
	}
	return true;
}

/* One write for one line: with O_APPEND, the lines of sessions side by side do not mix. */
static bool write_line(struct audit *a, const char *line)
{
	size_t len = strlen(line);
	ssize_t n;

	if (a->torn && write(a->file, "\n", 1) != 1)
		return false;
	n = write(a->file, line, len);
	a->torn = n > 0 && (size_t)n < len;
	if (a->torn)
		errno = ENOSPC;
	return n >= 0 && (size_t)n == len;
}

static enum err failed(char *why, const char *place)
{
	log_sentence(why, "%s: %s", place, strerror(errno));
	return ERR_IO;
}

enum err audit_write(struct audit *a, const char *event, const struct audit_field *fields, size_t count, char *why)
{
	enum err err = ERR_NONE;
	char *line = render(a, event, fields, count);

	if (line == NULL) {
		errno = ENOMEM;
		return failed(why, "the record");
	}
	if ((a->places & AUDIT_TO_SYSLOG) != 0 && !send_syslog(a->syslog, line))
		err = failed(why, "syslog");
	if ((a->places & AUDIT_TO_STDERR) != 0 && !write_stderr(line))
		err = failed(why, "stderr");
	if ((a->places & AUDIT_TO_FILE) != 0 && !write_line(a, line))
		err = failed(why, a->path);
	free(line);
	return err;
}
