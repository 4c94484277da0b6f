#include "gateway/base/log.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char CUT[] = "...";

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '\\' && byte != '%';
}

/* One byte as a person may see it; returns its length, 1 to 4. */
static size_t escape_byte(char out[5], unsigned char byte)
{
	if (is_plain(byte))
		return (size_t)snprintf(out, 5, "%c", byte);
	if (byte == '\\')
		return (size_t)snprintf(out, 5, "\\\\");
	return (size_t)snprintf(out, 5, "\\x%02x", byte);
}

size_t log_escape(char *out, size_t size, const void *bytes, size_t len)
{
	const unsigned char *in = bytes;
	size_t used = 0, mark = 0;      /* mark: the last place from which "..." still fits */

	if (size < sizeof CUT) {
		if (size > 0)
			out[0] = '\0';
		return 0;
	}
	for (size_t i = 0; i < len; i++) {
		char piece[5];
		size_t n = escape_byte(piece, in[i]);

		if (n > size - 1 - used) {
			memcpy(out + mark, CUT, sizeof CUT);
			return mark + sizeof CUT - 1;
		}
		memcpy(out + used, piece, n);
		used += n;
		if (used <= size - sizeof CUT)
			mark = used;
	}
	out[used] = '\0';
	return used;
}

void log_vsentence(char *out, const char *format, va_list args)
{
	char raw[SENTENCE_MAX];
	int n = vsnprintf(raw, sizeof raw, format, args);
	size_t len = n < 0 ? 0 : (size_t)n;

	if (len >= sizeof raw) {
		len = sizeof raw - 1;
		memcpy(raw + len - (sizeof CUT - 1), CUT, sizeof CUT - 1);
	}
	log_escape(out, SENTENCE_MAX, raw, len);
}

void log_sentence(char *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vsentence(out, format, args);
	va_end(args);
}

void log_say(const char *format, ...)
{
	char sentence[SENTENCE_MAX], line[SENTENCE_MAX + 16];
	struct pollfd err = { .fd = STDERR_FILENO, .events = POLLOUT };
	va_list args;
	int n;

	va_start(args, format);
	log_vsentence(sentence, format, args);
	va_end(args);
	n = snprintf(line, sizeof line, "nix-gateway: %s\n", sentence);
	/* A pipe that polls writable takes PIPE_BUF (4096) bytes whole, so a line of this size neither waits nor tears. */
	if (n > 0 && poll(&err, 1, 0) == 1 && (err.revents & POLLOUT) != 0)
		(void)!write(STDERR_FILENO, line, (size_t)n);
}
