#include "gateway/session/nix_conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/buf.h"

enum { PIECE = 4096 };

struct reading {
	nix_conf_setting_fn *take;
	void *context;
	bool *partial;
	char *why;
	unsigned depth, files;
};

/* Where a line stands. line 0: the file as a whole. */
struct place {
	const char *path;
	unsigned line;
};

/* Must a file be there? */
enum need { MAY_BE_MISSING, MUST_BE_THERE };

static bool fault(struct reading *r, const struct place *at, const char *format, ...) PRINTF_LIKE(3, 4);

static bool fault(struct reading *r, const struct place *at, const char *format, ...)
{
	char text[SENTENCE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (at->line == 0)
		log_sentence(r->why, "%s: %s", at->path, text);
	else
		log_sentence(r->why, "%s:%u: %s", at->path, at->line, text);
	return false;
}

static bool take(struct reading *r, const struct place *at, struct text name, struct text value)
{
	struct nix_conf_setting setting = { .name = name, .value = value };
	char reason[SENTENCE_MAX] = "";

	return r->take(r->context, &setting, reason) || fault(r, at, "%s", reason);
}

static bool read_file(struct reading *r, const char *path, enum need need, const struct place *from);

/* The file's own folder is where what it includes is looked for. */
static bool include(struct reading *r, const struct place *at, struct text name, enum need need)
{
	const char *slash = strrchr(at->path, '/');
	int folder = name.bytes[0] == '/' || slash == NULL ? 0 : (int)(slash + 1 - at->path);
	char path[PATH_MAX];
	int len;

	if (name.len >= sizeof path || text_holds(name, '\0'))
		return fault(r, at, "what is to be included is no file's name");
	len = snprintf(path, sizeof path, "%.*s%.*s", folder, at->path, (int)name.len, name.bytes);
	if (len < 0 || (size_t)len >= sizeof path)
		return fault(r, at, "what is to be included has too long a name");
	if (r->depth == NIX_CONF_DEPTH)
		return fault(r, at, "more than %d files include one another", NIX_CONF_DEPTH);
	return read_file(r, path, need, at);
}

static bool read_line(struct reading *r, const struct place *at, struct text line)
{
	const char *hash = line.len == 0 ? NULL : memchr(line.bytes, '#', line.len);
	struct text name, sign, more;
	bool maybe;

	if (hash != NULL)
		line.len = (size_t)(hash - line.bytes);
	if (!text_word(&line, &name))
		return true;
	if (!text_word(&line, &sign))
		return fault(r, at, "'%.*s' stands alone; a line is NAME = VALUE", (int)name.len, name.bytes);
	maybe = text_is(name, "!include");
	if (maybe || text_is(name, "include")) {
		if (text_word(&line, &more))
			return fault(r, at, "one file is included at a time");
		return include(r, at, sign, maybe ? MAY_BE_MISSING : MUST_BE_THERE);
	}
	if (!text_is(sign, "="))
		return fault(r, at, "'%.*s' is not followed by ' = '", (int)name.len, name.bytes);
	return take(r, at, name, line);
}

static bool read_lines(struct reading *r, const char *path, struct text rest)
{
	struct place at = { .path = path, .line = 0 };

	while (rest.len > 0) {
		const char *newline = memchr(rest.bytes, '\n', rest.len);
		size_t end = newline == NULL ? rest.len : (size_t)(newline - rest.bytes);

		at.line++;
		if (!read_line(r, &at, text_part(rest, 0, end)))
			return false;
		rest = text_part(rest, newline == NULL ? end : end + 1, rest.len);
	}
	return true;
}

/* ERR_LIMIT: over NIX_CONF_MAX. ERR_IO: not to be read. */
static enum err read_bytes(int fd, struct buf *bytes)
{
	for (;;) {
		uint8_t *space;
		enum err err = buf_reserve(bytes, PIECE, &space);
		ssize_t n;

		if (err)
			return err;
		n = read(fd, space, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? ERR_IO : ERR_NONE;
		buf_commit(bytes, (size_t)n);
		if (buf_len(bytes) > NIX_CONF_MAX)
			return ERR_LIMIT;
	}
}

static bool read_open(struct reading *r, const char *path, int fd)
{
	struct place whole = { .path = path, .line = 0 };
	struct buf bytes;
	struct stat st;
	enum err err = ERR_IO;
	bool fine = true;

	buf_init(&bytes, NIX_CONF_MAX + 2 * PIECE);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		err = read_bytes(fd, &bytes);
	if (err == ERR_IO) {
		*r->partial = true;
	} else if (err) {
		fine = fault(r, &whole, "cannot be read: %s", err == ERR_LIMIT ? "it is over 1 MiB" : err_text(err));
	} else {
		r->depth++;
		fine = read_lines(r, path, (struct text){ (const char *)buf_data(&bytes), buf_len(&bytes) });
		r->depth--;
	}
	buf_free(&bytes);
	return fine;
}

static bool read_file(struct reading *r, const char *path, enum need need, const struct place *from)
{
	int fd;
	bool fine;

	if (++r->files > NIX_CONF_FILES)
		return fault(r, from, "more than %d files are included", NIX_CONF_FILES);
	/* O_NONBLOCK: a FIFO in the file's place must not hold a session. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			*r->partial = true;
		else if (need == MUST_BE_THERE)
			return fault(r, from, "there is no %s to include", path);
		return true;
	}
	fine = read_open(r, path, fd);
	close(fd);
	return fine;
}

bool nix_conf_each(const char *path, nix_conf_setting_fn *take_setting, void *context, bool *partial, char *why)
{
	struct reading r = { .take = take_setting, .context = context, .partial = partial, .why = why };
	struct place nowhere = { .path = path, .line = 0 };

	why[0] = '\0';
	*partial = false;
	return read_file(&r, path, MAY_BE_MISSING, &nowhere);
}
