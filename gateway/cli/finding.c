#include "gateway/cli/finding.h"

#include <jansson.h>

static const char *const grade_words[] = { [GRADE_OK] = "ok", [GRADE_WARN] = "warn", [GRADE_FAIL] = "FAIL" };

static void say(struct finding *f, enum grade grade, const char *format, va_list args) PRINTF_LIKE(3, 0);

/* Of two that are as bad as each other the first stands: it is mended first. */
static void say(struct finding *f, enum grade grade, const char *format, va_list args)
{
	f->kept = f->text[0] == '\0' || grade > f->grade || (grade == f->grade && grade == GRADE_OK);
	if (!f->kept)
		return;
	f->grade = grade;
	f->mend[0] = '\0';
	log_vsentence(f->text, format, args);
}

#define SAY(grade)                      \
	va_list args;                   \
	va_start(args, format);         \
	say(f, grade, format, args);    \
	va_end(args)

void finding_ok(struct finding *f, const char *format, ...)
{
	SAY(GRADE_OK);
}

void finding_warn(struct finding *f, const char *format, ...)
{
	SAY(GRADE_WARN);
}

void finding_fail(struct finding *f, const char *format, ...)
{
	SAY(GRADE_FAIL);
}

void finding_mend(struct finding *f, const char *format, ...)
{
	va_list args;

	if (!f->kept)
		return;
	va_start(args, format);
	log_vsentence(f->mend, format, args);
	va_end(args);
}

static void print_json(const struct finding *f, const char *check, FILE *to)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s*}", "check", check, "result", grade_words[f->grade], "text", f->text,
				   "mend", f->mend[0] == '\0' ? NULL : f->mend);

	if (object != NULL && json_dumpf(object, to, JSON_COMPACT) == 0)
		fputc('\n', to);
	json_decref(object);
}

void finding_print(const struct finding *f, const char *check, bool json, FILE *to)
{
	if (json)
		print_json(f, check, to);
	else
		fprintf(to, "%-6s%s: %s%s%s\n", grade_words[f->grade], check, f->text, f->mend[0] == '\0' ? "" : "; mend: ",
			f->mend);
}
