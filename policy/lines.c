#include "policy/lines.h"

#include <string.h>

enum { STEP = 16 };     /* bytes of a line that are looked at together */

struct lines lines_of(char *text, size_t len, struct faults *faults)
{
	return (struct lines){ .next = text, .end = text + len, .faults = faults };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Where the text of a line ends: at its comment, then back over blanks. */
static size_t length_without_comment(const char *text, size_t len)
{
	const char *at = text;

	while ((at = memchr(at, ';', len - (size_t)(at - text))) != NULL) {
		if (at == text || is_blank(at[-1])) {
			len = (size_t)(at - text);
			break;
		}
		at++;
	}
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	return len;
}

static bool say_bad_byte(struct lines *l, unsigned char byte, bool ends_line)
{
	if (byte == '\0')
		faults_add(l->faults, l->number, "the line holds a NUL byte");
	else if (byte == '\r' && ends_line && !l->told_cr)
		faults_add(l->faults, l->number, "the line ends in CR LF: save the file with LF alone");
	else if (byte != '\r' || !ends_line)
		faults_add(l->faults, l->number, "the line holds the control byte 0x%02x", byte);
	l->told_cr = l->told_cr || (byte == '\r' && ends_line);
	return false;
}

static bool is_printable_byte(char byte)
{
	return (unsigned char)(byte - 0x20) < 0x5f;
}

/* Of a fixed count of bytes, looked at without a branch, compilers make a few instructions. */
static bool step_is_printable(const char text[STEP])
{
	unsigned char fine = 1;

	for (size_t i = 0; i < STEP; i++)
		fine &= is_printable_byte(text[i]);
	return fine != 0;
}

/* Nearly every line is printable ASCII; one pass says so. */
static bool is_printable(const char *text, size_t len)
{
	bool fine = true;

	for (; len >= STEP; text += STEP, len -= STEP)
		fine &= step_is_printable(text);
	for (; len > 0; text++, len--)
		fine &= is_printable_byte(*text);
	return fine;
}

/* Comments may be in any language; only their control bytes are refused. */
static bool bytes_are_fine(struct lines *l, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			return say_bad_byte(l, byte, i == len - 1);
	}
	return true;
}

static bool text_is_ascii(struct lines *l, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte < 0x80)
			continue;
		if (l->number == 1 && len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
			faults_add(l->faults, 1, "the file starts with a byte order mark: save it without");
		else
			faults_add(l->faults, l->number, "the line holds the byte 0x%02x; outside comments a policy is "
							 "plain ASCII", byte);
		return false;
	}
	return true;
}

/* Finds the line's end, moves behind it, and judges what every line must be. */
static bool take_line(struct lines *l, char **text, size_t *len, bool *printable)
{
	char *newline = memchr(l->next, '\n', (size_t)(l->end - l->next));

	*text = l->next;
	*len = (size_t)((newline == NULL ? l->end : newline) - l->next);
	l->next = newline == NULL ? l->end : newline + 1;
	l->number++;
	*printable = false;
	if (newline == NULL) {
		faults_add(l->faults, l->number, "the last line has no newline: the file may have been cut; if it is "
						 "whole, end it with one");
		return false;
	}
	if (*len > POLICY_LINE_MAX) {
		faults_add(l->faults, l->number, "the line is %zu bytes long; at most %d are read", *len,
			   POLICY_LINE_MAX);
		return false;
	}
	*printable = is_printable(*text, *len);
	return *printable || bytes_are_fine(l, *text, *len);
}

bool lines_next(struct lines *l, struct line *out)
{
	while (l->next < l->end) {
		char *text;
		size_t len, indent = 0;
		bool printable, fine = take_line(l, &text, &len, &printable);

		while (indent < len && is_blank(text[indent]))
			indent++;
		if (fine && (indent == len || text[indent] == ';' || text[indent] == '#'))
			continue;
		len = indent + length_without_comment(text + indent, len - indent);
		if (fine && indent > 0) {
			faults_add(l->faults, l->number, "the line starts with a blank: take the blank away (a line "
							 "cannot be continued)");
			fine = false;
		}
		text[len] = '\0';       /* at most the newline's place, or the NUL behind the text */
		*out = (struct line){ .text = text + indent, .len = len - indent, .number = l->number };
		out->bad = !fine || (!printable && !text_is_ascii(l, out->text, out->len));
		return true;
	}
	return false;
}
