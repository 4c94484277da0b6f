#include "policy/faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char CUT[] = "...";

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f;
}

/* What a file says reaches a terminal here: no byte of it may move a cursor. */
static void escape(char out[POLICY_TEXT_MAX], const char *raw)
{
	size_t used = 0;

	for (; *raw != '\0'; raw++) {
		unsigned char byte = (unsigned char)*raw;
		size_t room = POLICY_TEXT_MAX - used;

		if (room < sizeof "\\xHH" + sizeof CUT) {
			memcpy(out + used, CUT, sizeof CUT);
			return;
		}
		used += (size_t)snprintf(out + used, room, is_plain(byte) ? "%c" : "\\x%02x", byte);
	}
	out[used] = '\0';
}

static bool is_known(const struct faults *f, const struct policy_fault *fault)
{
	for (size_t i = f->count; i > 0 && f->items[i - 1].line >= fault->line; i--) {
		if (f->items[i - 1].line == fault->line && strcmp(f->items[i - 1].text, fault->text) == 0)
			return true;
	}
	return false;
}

/* Sorts the fault in; where the list is full, the one with the highest line makes room. */
static void insert(struct faults *f, const struct policy_fault *fault)
{
	size_t at = f->count;

	while (at > 0 && f->items[at - 1].line > fault->line)
		at--;
	if (f->count == FAULTS_MAX) {
		f->left_out++;
		if (at == f->count)
			return;
		f->count--;
	}
	memmove(f->items + at + 1, f->items + at, (f->count - at) * sizeof *f->items);
	f->items[at] = *fault;
	f->count++;
}

void faults_add(struct faults *f, unsigned line, const char *format, ...)
{
	char raw[POLICY_TEXT_MAX];
	struct policy_fault fault = { .line = line };
	va_list args;

	if (f->items == NULL)
		f->items = calloc(FAULTS_MAX, sizeof *f->items);
	if (f->items == NULL) {
		f->left_out++;
		return;
	}
	va_start(args, format);
	if (vsnprintf(raw, sizeof raw, format, args) < 0)
		raw[0] = '\0';
	va_end(args);
	escape(fault.text, raw);
	if (!is_known(f, &fault))
		insert(f, &fault);
}

bool faults_any(const struct faults *f)
{
	return f->count > 0 || f->left_out > 0;
}

bool faults_full(const struct faults *f)
{
	return f->count == FAULTS_MAX || f->left_out > 0;
}

void faults_take(struct faults *f, struct faults *from)
{
	faults_free(f);
	*f = *from;
	*from = (struct faults){ .items = NULL };
}

void faults_free(struct faults *f)
{
	free(f->items);
	*f = (struct faults){ .items = NULL };
}
