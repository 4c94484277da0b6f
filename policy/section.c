#include "policy/section.h"

#include <string.h>

#include "policy/suggest.h"

static const struct {
	const char *word;
	enum section_kind kind;
	bool named;
} kinds[] = {
	{ "gateway", SECTION_GATEWAY, false },
	{ "environment", SECTION_ENVIRONMENT, false },
	{ "default", SECTION_DEFAULT, false },
	{ "role", SECTION_ROLE, true },
	{ "key", SECTION_KEY, true },
};

enum { KINDS = sizeof kinds / sizeof *kinds };

const char *section_word(enum section_kind kind)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].kind == kind)
			return kinds[i].word;
	}
	return "?";
}

bool name_is_plain(const char *name)
{
	const char *at = name;

	while ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '.' ||
	       *at == '_' || *at == '@' || *at == '+' || *at == '-')
		at++;
	return *at == '\0' && at != name && name[0] != '.' && name[0] != '-';
}

static bool name_fits(size_t kind, const char *name, unsigned line, struct faults *faults)
{
	if (!kinds[kind].named) {
		if (name == NULL)
			return true;
		faults_add(faults, line, "[%s] takes no name", kinds[kind].word);
		return false;
	}
	if (name == NULL) {
		faults_add(faults, line, "[%s] needs a name: [%s NAME]", kinds[kind].word, kinds[kind].word);
		return false;
	}
	if (name_is_plain(name) || (kinds[kind].kind == SECTION_KEY && strcmp(name, "*") == 0))
		return true;
	faults_add(faults, line, "'%s' is not a %s's name: letters, digits and ._@+- only, one blank before it, not "
				 "starting with . or -", name, kinds[kind].word);
	return false;
}

static bool say_unknown(const char *text, size_t len, unsigned line, struct faults *faults)
{
	char word[SECTION_LEN_MAX + 1] = "", hint[SUGGEST_TEXT_MAX];
	struct suggest near = suggest_for(word);

	memcpy(word, text, len);
	word[len] = '\0';
	for (size_t i = 0; i < KINDS; i++)
		suggest_try(&near, kinds[i].word);
	if (near.best == NULL)
		faults_add(faults, line,
			   "unknown section [%s] (there are: gateway, environment, default, role NAME, key "
			   "NAME)",
			   text);
	else
		faults_add(faults, line, "unknown section [%s]%s", text, suggest_text(&near, hint));
	return false;
}

/* `text` is the inside of the brackets. */
static bool read_inside(char *text, unsigned line, enum section_kind *kind, char **name, struct faults *faults)
{
	size_t len = strcspn(text, " \t");

	for (size_t i = 0; i < KINDS; i++) {
		if (kinds[i].word[0] != text[0] || strlen(kinds[i].word) != len ||
		    memcmp(kinds[i].word, text, len) != 0)
			continue;
		*kind = kinds[i].kind;
		*name = text + len + (text[len] != '\0');
		return name_fits(i, text[len] == '\0' ? NULL : *name, line, faults);
	}
	return say_unknown(text, len, line, faults);
}

bool section_read(char *text, unsigned line, enum section_kind *kind, char **name, struct faults *faults)
{
	char *end = strchr(text, ']');

	if (end == NULL) {
		faults_add(faults, line, "the section's closing ']' is missing");
		return false;
	}
	if (end[1] != '\0') {
		faults_add(faults, line, "'%.60s' behind the section's ']': start a new line", end + 1);
		return false;
	}
	if (end - text - 1 > SECTION_LEN_MAX) {
		faults_add(faults, line, "the section's name is %zu bytes long; at most %d are read",
			   (size_t)(end - text) - 1, SECTION_LEN_MAX);
		return false;
	}
	*end = '\0';
	return read_inside(text + 1, line, kind, name, faults);
}
