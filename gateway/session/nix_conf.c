#include "gateway/session/nix_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/nix/text.h"
#include "policy/forms.h"

enum { PIECE = 4096, NUMBER_TEXT_MAX = 32 };

struct reading {
	struct nix_conf *out;
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

enum kind { FLAG, COUNT, JOBS };

#define ROW(name, kind, member) { name, kind, offsetof(struct nix_conf, member) }

/* clang-format off */
static const struct row {
	const char *name;
	enum kind kind;
	size_t offset;          /* of a uint64_t */
} rows[] = {
	ROW("keep-failed", FLAG, keep_failed),
	ROW("keep-going", FLAG, keep_going),
	ROW("fallback", FLAG, fallback),
	ROW("build-fallback", FLAG, fallback),
	ROW("max-jobs", JOBS, max_jobs),
	ROW("build-max-jobs", JOBS, max_jobs),
	ROW("max-silent-time", COUNT, max_silent_time),
	ROW("build-max-silent-time", COUNT, max_silent_time),
	ROW("timeout", COUNT, timeout),
	ROW("build-timeout", COUNT, timeout),
	ROW("cores", COUNT, cores),
	ROW("build-cores", COUNT, cores),
	ROW("substitute", FLAG, substitute),
	ROW("build-use-substitutes", FLAG, substitute),
};
/* clang-format on */

static uint64_t processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : (uint64_t)count;
}

void nix_conf_default(struct nix_conf *out)
{
	*out = (struct nix_conf){ .substitute = 1, .max_jobs = 1, .cores = processors() };
}

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

/* --- values --- */

static bool read_flag(struct text word, uint64_t *number)
{
	*number = text_is(word, "true") || text_is(word, "yes") || text_is(word, "1");
	return *number == 1 || text_is(word, "false") || text_is(word, "no") || text_is(word, "0");
}

/* How far a unit behind a number shifts it; -1: that is none. */
static int unit_shift(const char *unit)
{
	static const char units[] = "KMGT", small[] = "kmgt";

	if (unit[0] == '\0')
		return 0;
	for (int i = 0; units[i] != '\0' && unit[1] == '\0'; i++)
		if (unit[0] == units[i] || unit[0] == small[i])
			return 10 * (i + 1);
	return -1;
}

static bool read_count(struct text word, bool units, uint64_t *number)
{
	char text[NUMBER_TEXT_MAX];
	const char *unit;
	int shift;

	if (word.len >= sizeof text || text_holds(word, '\0'))
		return false;
	snprintf(text, sizeof text, "%.*s", (int)word.len, word.len == 0 ? "" : word.bytes);
	if (!form_number(text, number, &unit))
		return false;
	shift = units || unit[0] == '\0' ? unit_shift(unit) : -1;
	if (shift < 0 || *number > UINT64_MAX >> shift)
		return false;
	*number <<= shift;
	return true;
}

static bool read_jobs(struct text word, uint64_t *number)
{
	if (!text_is(word, "auto"))
		return read_count(word, false, number);
	*number = processors();
	return true;
}

static bool read_value(enum kind kind, struct text word, uint64_t *number)
{
	if (kind == FLAG)
		return read_flag(word, number);
	return kind == JOBS ? read_jobs(word, number) : read_count(word, true, number);
}

/* A setting that is none of ours is the daemon's business, right or wrong. A wrong one of ours is a fault even where a
 * later line puts it right, as it is to Nix. */
static bool set(struct reading *r, const struct place *at, struct text name, struct text rest)
{
	static const char *const what[] = { [FLAG] = "true or false", [COUNT] = "a number", [JOBS] = "a number or auto" };
	struct text value = { .len = 0 }, more;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint64_t number;

		if (!text_is(name, rows[i].name))
			continue;
		text_word(&rest, &value);
		if (text_word(&rest, &more) || !read_value(rows[i].kind, value, &number))
			return fault(r, at, "%s wants %s, not '%.*s'", rows[i].name, what[rows[i].kind], (int)value.len,
				     value.len == 0 ? "" : value.bytes);
		memcpy((char *)r->out + rows[i].offset, &number, sizeof number);
		return true;
	}
	return true;
}

/* --- files --- */

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
	return set(r, at, name, line);
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
		r->out->partial = true;
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
			r->out->partial = true;
		else if (need == MUST_BE_THERE)
			return fault(r, from, "there is no %s to include", path);
		return true;
	}
	fine = read_open(r, path, fd);
	close(fd);
	return fine;
}

bool nix_conf_read(const char *path, struct nix_conf *out, char why[SENTENCE_MAX])
{
	struct reading r = { .out = out, .why = why };
	struct place nowhere = { .path = path, .line = 0 };

	why[0] = '\0';
	nix_conf_default(out);
	if (read_file(&r, path, MAY_BE_MISSING, &nowhere))
		return true;
	nix_conf_default(out);
	return false;
}
