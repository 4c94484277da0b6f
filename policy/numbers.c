#include "policy/numbers.h"

#include <string.h>

#include "policy/forms.h"

/* What one of a number's unit stands for; 0: no such unit. */
static uint64_t unit_of(enum value_kind kind, const char *unit)
{
	static const struct {
		enum value_kind kind;
		const char *unit;
		uint64_t factor;
	} units[] = {
		{ VALUE_SIZE, "K", UINT64_C(1) << 10 }, { VALUE_SIZE, "M", UINT64_C(1) << 20 },
		{ VALUE_SIZE, "G", UINT64_C(1) << 30 }, { VALUE_SIZE, "T", UINT64_C(1) << 40 },
		{ VALUE_TIME, "s", 1 }, { VALUE_TIME, "m", 60 }, { VALUE_TIME, "h", 3600 }, { VALUE_TIME, "d", 86400 },
	};

	if (unit[0] == '\0')
		return 1;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (units[i].kind == kind && strcmp(units[i].unit, unit) == 0)
			return units[i].factor;
	}
	return 0;
}

static bool parse_number(const struct setting *s, const char *text, uint64_t *number, const struct reading *r)
{
	const char *unit, *what = s->kind == VALUE_SIZE ? "a size (like 512M or 5G; K M G T)" :
				  s->kind == VALUE_TIME ? "a time (like 90s or 2h; s m h d)" : "a number";
	uint64_t factor;

	if (!form_number(text, number, &unit) || (factor = unit_of(s->kind, unit)) == 0) {
		faults_add(r->faults, r->line, "'%s': '%.60s' is not %s", s->name, text, what);
		return false;
	}
	if (*number > s->most / factor || *number * factor < s->least) {
		faults_add(r->faults, r->line, "'%s': '%.60s' is too %s%s", s->name, text,
			   *number == 0 ? "small" : "large", *number == 0 ? " (for no limit, take the line out)" : "");
		return false;
	}
	*number *= factor;
	return true;
}

bool number_read(const struct setting *s, const char *text, void *at, const struct reading *r)
{
	struct limit limit = { .set = true };

	if (s->kind == VALUE_FLAG) {
		limit.value = strcmp(text, "true") == 0;
		if (limit.value == 0 && strcmp(text, "false") != 0) {
			faults_add(r->faults, r->line, "'%s': '%.60s' is neither true nor false", s->name, text);
			return false;
		}
	} else if (!parse_number(s, text, &limit.value, r)) {
		return false;
	}
	if (s->grant == NO_GRANT)
		memcpy(at, &limit.value, sizeof limit.value);
	else
		memcpy(at, &limit, sizeof limit);
	return true;
}
