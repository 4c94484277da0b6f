#include "gateway/session/nix_conf.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/session/nix_conf_file.h"
#include "policy/forms.h"

enum { NUMBER_TEXT_MAX = 32 };

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
static bool set(void *context, const struct nix_conf_setting *setting, char *reason)
{
	static const char *const what[] = { [FLAG] = "true or false", [COUNT] = "a number", [JOBS] = "a number or auto" };
	struct text rest = setting->value, value = { .len = 0 }, more;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint64_t number;

		if (!text_is(setting->name, rows[i].name))
			continue;
		text_word(&rest, &value);
		if (text_word(&rest, &more) || !read_value(rows[i].kind, value, &number)) {
			snprintf(reason, SENTENCE_MAX, "%s wants %s, not '%.*s'", rows[i].name, what[rows[i].kind],
				 (int)value.len, value.len == 0 ? "" : value.bytes);
			return false;
		}
		memcpy((char *)context + rows[i].offset, &number, sizeof number);
		return true;
	}
	return true;
}

bool nix_conf_read(const char *path, struct nix_conf *out, char why[SENTENCE_MAX])
{
	nix_conf_default(out);
	if (nix_conf_each(path, set, out, &out->partial, why))
		return true;
	nix_conf_default(out);
	return false;
}
