#include "policy/ini.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "policy/index.h"
#include "policy/lines.h"

#define NOT_A_SETTING "the line is neither a [section] nor a NAME = VALUE"

enum { NAME_ROOM = 80 };        /* bytes that inih must take of a line; it is built with 200 */

/* One parse: inih asks `reader` for a line and answers through `handler`, at once or not at all. */
struct parse {
	struct lines lines;
	struct ini_file *file;          /* borrows */
	struct faults *faults;          /* borrows */
	struct index sections;          /* "key alice" -> its line */
	struct line line;               /* the setting that inih holds */
	bool waiting;                   /* inih was handed its name and has not answered */
	enum { BEFORE_SECTIONS, IN_SECTION, IN_BAD_SECTION } where;
	bool no_memory;
};

/* Doubles a list at each power of two. */
static bool make_room(void **list, size_t count, size_t size)
{
	void *bigger;

	if ((count & (count - 1)) != 0)
		return true;
	bigger = realloc(*list, (count == 0 ? 1 : count * 2) * size);
	if (bigger != NULL)
		*list = bigger;
	return bigger != NULL;
}

static bool add_section(struct parse *p, const struct ini_section *section)
{
	void *list = p->file->sections;

	if (!make_room(&list, p->file->section_count, sizeof *p->file->sections)) {
		p->no_memory = true;
		return false;
	}
	p->file->sections = list;
	p->file->sections[p->file->section_count++] = *section;
	return true;
}

static void add_setting(struct parse *p, char *name, char *value)
{
	void *list = p->file->settings;

	if (!make_room(&list, p->file->setting_count, sizeof *p->file->settings)) {
		p->no_memory = true;
		return;
	}
	p->file->settings = list;
	p->file->settings[p->file->setting_count++] =
		(struct ini_setting){ .name = name, .value = value, .line = p->line.number };
	p->file->sections[p->file->section_count - 1].count++;
}

static char *skip_blanks(char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	return text;
}

/* inih's answer. `name` and `value` lie in its buffer: they are compared with our text and not kept. */
static int handler(void *user, const char *section, const char *name, const char *value)
{
	struct parse *p = user;
	size_t len = strlen(name);
	char *text = p->line.text, *equals;

	p->waiting = false;
	if (p->where != IN_SECTION) {
		if (p->where == BEFORE_SECTIONS)
			faults_add(p->faults, p->line.number, "'%.60s' stands before the first [section]", name);
		return 1;
	}
	if (len == 0 || len > p->line.len || memcmp(text, name, len) != 0) {
		faults_add(p->faults, p->line.number, "a name must stand before the '='");
		return 1;
	}
	equals = skip_blanks(text + len);
	if (*equals != '=') {
		faults_add(p->faults, p->line.number, "'%.60s' is followed by '%c': write %.60s = VALUE", name, *equals,
			   name);
		return 1;
	}
	text[len] = '\0';
	equals = skip_blanks(equals + 1);
	if (value[0] != '\0' || section[0] != '\0') {
		faults_add(p->faults, p->line.number,
			   "the inih library of this system reads '%.60s' differently than this "
			   "program does",
			   name);
		return 1;
	}
	if (*equals == ';')
		faults_add(p->faults, p->line.number,
			   "'%.60s' would have a value that starts with ';': a comment needs a "
			   "blank before it",
			   name);
	else
		add_setting(p, text, equals);
	return 1;
}

/* A section's line: opened, or refused with all that follows up to the next one. */
static void open_section(struct parse *p, const struct line *line)
{
	struct ini_section section = { .line = line->number, .first = p->file->setting_count };
	const struct index_slot *before;
	const char *header = line->text + 1;

	p->where = IN_BAD_SECTION;
	if (line->bad || !section_read(line->text, line->number, &section.kind, &section.name, p->faults))
		return;
	if (!index_add(&p->sections, header, line->number, &before)) {
		p->no_memory = true;
		return;
	}
	if (before != NULL) {
		faults_add(p->faults, line->number, "[%s] stands twice, first in line %u: make it one section", header,
			   before->value);
		return;
	}
	if (add_section(p, &section))
		p->where = IN_SECTION;
}

/* What inih is to see of a setting's line: all up to its "=". false: a fault was added. */
static bool hand_over(struct parse *p, char *out, size_t size)
{
	const char *equals = memchr(p->line.text, '=', p->line.len);
	size_t len = equals == NULL ? p->line.len : (size_t)(equals - p->line.text) + 1;

	if (len + 2 > size) {
		faults_add(p->faults, p->line.number, NOT_A_SETTING);
		return false;
	}
	memcpy(out, p->line.text, len);
	memcpy(out + len, "\n", 2);
	return true;
}

static void check_answered(struct parse *p)
{
	if (p->waiting)
		faults_add(p->faults, p->line.number, NOT_A_SETTING);
	p->waiting = false;
}

/* Gives inih the next line that it is to see, in at most `size` bytes with the NUL. */
static char *reader(char *out, int size, void *stream)
{
	struct parse *p = stream;

	check_answered(p);
	if (size < NAME_ROOM) {
		faults_add(p->faults, 0, "cannot be parsed: this system's inih library reads %d bytes of a line", size);
		return NULL;
	}
	while (!p->no_memory && lines_next(&p->lines, &p->line)) {
		if (p->line.text[0] == '[') {
			open_section(p, &p->line);
			continue;
		}
		if (p->line.bad || p->where == IN_BAD_SECTION || !hand_over(p, out, (size_t)size))
			continue;
		p->waiting = true;
		return out;
	}
	return NULL;
}

void ini_read(char *text, size_t len, struct ini_file *out, struct faults *faults)
{
	struct parse p = { .lines = lines_of(text, len, faults), .file = out, .faults = faults };

	*out = (struct ini_file){ .sections = NULL };
	/* The result says which line inih disliked first; each such line was noticed by check_answered. */
	if (ini_parse_stream(reader, &p, handler, &p) != 0 && !faults_any(faults))
		faults_add(faults, 0, "cannot be parsed");
	check_answered(&p);
	if (p.no_memory)
		faults_add(faults, 0, "cannot be loaded: out of memory");
	index_free(&p.sections);
}

void ini_free(struct ini_file *file)
{
	free(file->sections);
	free(file->settings);
	*file = (struct ini_file){ .sections = NULL };
}
