#include "policy/values.h"

#include <stdio.h>
#include <string.h>

#include "policy/forms.h"
#include "policy/numbers.h"
#include "policy/suggest.h"

enum { SOCKET_PATH_MAX = 103 };         /* what a socket's address can hold, macOS being the shortest */

static bool say(const struct reading *r, const char *problem)
{
	faults_add(r->faults, r->line, "%s", problem);
	return false;
}

static bool no_memory(const struct reading *r)
{
	return say(r, "cannot be loaded: out of memory");
}

/* The next word of a list, ended in place; NULL: no more. */
static char *next_word(char **text)
{
	char *word = *text, *end;

	while (*word == ' ' || *word == '\t')
		word++;
	if (*word == '\0')
		return NULL;
	end = word + strcspn(word, " \t");
	*text = *end == '\0' ? end : end + 1;
	*end = '\0';
	return word;
}

/* Finds a word's place; says what is wrong, with what there is. */
static bool find_word(const struct setting *s, const char *word, size_t *place, const struct reading *r)
{
	struct suggest near = suggest_for(word);
	char there[256] = "", hint[SUGGEST_TEXT_MAX];
	size_t used = 0;

	for (size_t i = 0; s->words[i] != NULL; i++) {
		if (s->words[i][0] == '\0')
			continue;
		if (strcmp(s->words[i], word) == 0) {
			*place = i;
			return true;
		}
		suggest_try(&near, s->words[i]);
		if (used < sizeof there)
			used += (size_t)snprintf(there + used, sizeof there - used, " %s", s->words[i]);
	}
	faults_add(r->faults, r->line, "'%s' does not know '%.60s' (it knows:%s)%s", s->name, word, there,
		   suggest_text(&near, hint));
	return false;
}

static bool read_bits(const struct setting *s, char *text, void *at, const struct reading *r)
{
	unsigned bits = 0;
	size_t place;

	for (char *word; (word = next_word(&text)) != NULL;) {
		if (strcmp(word, "*") == 0) {
			for (size_t i = 0; s->words[i] != NULL; i++)
				bits |= 1u << i;
			continue;
		}
		if (!find_word(s, word, &place, r))
			return false;
		bits |= 1u << place;
	}
	memcpy(at, &bits, sizeof bits);
	return true;
}

static bool read_one_of(const struct setting *s, char *text, void *at, const struct reading *r)
{
	size_t place;
	unsigned number;

	if (!find_word(s, text, &place, r))
		return false;
	number = (unsigned)place;
	memcpy(at, &number, sizeof number);
	return true;
}

static bool has_form(const struct setting *s, const char *text, const struct reading *r)
{
	if (s->form(text))
		return true;
	faults_add(r->faults, r->line, "'%s': '%.80s' is not %s", s->name, text, s->what);
	return false;
}

/* Doubles at each power of two, so the list needs no capacity of its own. */
static bool list_add(struct text_list *list, char *word, const struct reading *r)
{
	size_t count = list->count;

	if ((count & (count - 1)) == 0) {
		char **bigger = pool_array(r->pool, count == 0 ? 1 : count * 2, sizeof *bigger);

		if (bigger == NULL)
			return no_memory(r);
		if (count > 0)
			memcpy(bigger, list->items, count * sizeof *bigger);
		list->items = bigger;
	}
	list->items[list->count++] = word;
	return true;
}

static bool read_list(const struct setting *s, char *text, struct text_list *list, const struct reading *r)
{
	/* What a grant only narrows by, or must name one by one, cannot be everything. */
	bool takes_any = s->kind == VALUE_LIST && s->permissive[0] == '*';

	for (char *word; (word = next_word(&text)) != NULL;) {
		if (strcmp(word, "*") == 0 && takes_any)
			list->any = true;
		else if (!has_form(s, word, r) || !list_add(list, word, r))
			return false;
	}
	if (list->any && list->count > 0) {
		faults_add(r->faults, r->line, "'%s': '*' is everything and stands alone", s->name);
		return false;
	}
	return true;
}

static bool read_text(const struct setting *s, char *text, void *at, const struct reading *r)
{
	if (!has_form(s, text, r))
		return false;
	memcpy(at, &text, sizeof text);
	return true;
}

static bool read_date(char *text, struct key *key, const struct reading *r)
{
	if (!form_date(text, &key->expires)) {
		faults_add(r->faults, r->line, "'expires': '%.60s' is not a day (like 2027-01-31)", text);
		return false;
	}
	key->expires_rule.line = r->line;
	return true;
}

static bool read_nix(char *text, struct gateway_settings *g, const struct reading *r)
{
	g->nix = strcmp(text, "auto") == 0 ? NULL : text;
	return g->nix == NULL || form_path(text) ||
	       say(r, "'nix' is neither auto nor an absolute path of a folder (without blanks, . and ..)");
}

static bool read_daemon(char *text, struct gateway_settings *g, const struct reading *r)
{
	g->daemon_path = NULL;
	if (strcmp(text, "auto") == 0) {
		g->daemon = DAEMON_AUTO;
	} else if (strcmp(text, "socket") == 0) {
		g->daemon = DAEMON_SOCKET;
	} else if (strcmp(text, "stdio") == 0) {
		g->daemon = DAEMON_STDIO;
	} else if (!form_path(text)) {
		return say(r, "'daemon' is neither auto, socket, stdio nor a socket's absolute path (without blanks)");
	} else if (strlen(text) > SOCKET_PATH_MAX) {
		faults_add(r->faults, r->line, "'daemon': a socket's path has at most %d bytes", SOCKET_PATH_MAX);
		return false;
	} else {
		g->daemon = DAEMON_PATH;
		g->daemon_path = text;
	}
	return true;
}

static bool read_audit(char *text, struct gateway_settings *g, const struct reading *r)
{
	g->audit = 0;
	g->audit_file = NULL;
	for (char *word; (word = next_word(&text)) != NULL;) {
		unsigned bit = strcmp(word, "auto") == 0 ? AUDIT_AUTO : strcmp(word, "syslog") == 0 ? AUDIT_SYSLOG :
			       strcmp(word, "stderr") == 0 ? AUDIT_STDERR : AUDIT_FILE;

		if (bit == AUDIT_FILE && !form_path(word))
			return say(r, "'audit' is made of auto, syslog, stderr and one absolute path (without blanks)");
		if ((g->audit & bit) != 0)
			return say(r, "'audit' names the same place, or two files: once is enough");
		g->audit |= bit;
		if (bit == AUDIT_FILE)
			g->audit_file = word;
	}
	if (g->audit != AUDIT_AUTO && (g->audit & AUDIT_AUTO) != 0)
		return say(r, "'audit': 'auto' chooses by itself and stands alone");
	return true;
}

static bool read_by_kind(const struct setting *s, char *text, void *base, const struct reading *r)
{
	char *at = (char *)base + s->offset;

	switch (s->kind) {
	case VALUE_BITS:
		return read_bits(s, text, at, r);
	case VALUE_ONE_OF:
		return read_one_of(s, text, at, r);
	case VALUE_LIST:
		*(struct text_list *)(void *)at = (struct text_list){ .items = NULL };
		return read_list(s, text, (struct text_list *)(void *)at, r);
	case VALUE_FINGERPRINTS:
		return read_list(s, text, (struct text_list *)(void *)at, r);
	case VALUE_TEXT:
		return read_text(s, text, at, r);
	case VALUE_DATE:
		return read_date(text, base, r);
	case VALUE_NIX:
		return read_nix(text, base, r);
	case VALUE_DAEMON:
		return read_daemon(text, base, r);
	case VALUE_AUDIT:
		return read_audit(text, base, r);
	default:
		return number_read(s, text, at, r);
	}
}

/* Why a value narrower than the permissive one is refused while nothing enforces it. */
static void say_unsupported(const struct setting *s, const struct reading *r)
{
	if (s->permissive == NULL)
		faults_add(r->faults, r->line, "'%s' is not supported by this version yet: take the line out", s->name);
	else if (s->permissive[0] == '\0')
		faults_add(r->faults, r->line, "a '%s' that is not empty is not supported by this version yet",
			   s->name);
	else if (s->permissive[0] == '*')
		faults_add(r->faults, r->line, "'%s' narrower than '*' is not supported by this version yet", s->name);
	else
		faults_add(r->faults, r->line, "this value of '%s' is not supported by this version yet (it takes: %s)",
			   s->name, s->permissive);
}

bool value_read(const struct setting *s, char *text, void *base, const struct reading *r)
{
	bool list = s->kind == VALUE_BITS || s->kind == VALUE_LIST;

	if (text[0] == '\0' && !list) {
		faults_add(r->faults, r->line, "'%s' has no value", s->name);
		return false;
	}
	if (!read_by_kind(s, text, base, r))
		return false;
	if (r->line == 0 || s->enforced || setting_is_wide(s, base))
		return true;
	say_unsupported(s, r);
	return false;
}

static bool read_initials(void *base, bool grants, struct pool *pool)
{
	struct faults none = { .items = NULL };
	struct reading r = { .pool = pool, .faults = &none };
	bool fine = true;

	for (const struct setting *s = settings; fine && s < settings + settings_count; s++) {
		char *text;

		if (s->initial == NULL || (s->grant != NO_GRANT) != grants)
			continue;
		text = pool_text(pool, s->initial);
		fine = text != NULL && value_read(s, text, base, &r);
	}
	faults_free(&none);
	return fine;
}

bool default_grant(struct grant *grant, struct pool *pool)
{
	*grant = (struct grant){ .protocols = 0 };
	return read_initials(grant, true, pool);
}

bool default_gateway(struct gateway_settings *gateway, struct pool *pool)
{
	*gateway = (struct gateway_settings){ .nix = NULL };
	return read_initials(gateway, false, pool);
}
