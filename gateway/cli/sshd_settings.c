#include "gateway/cli/sshd_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/log.h"
#include "gateway/session/command.h"

/* The next line of *rest, without its newline; false: there is no more. */
static bool next_line(struct text *rest, struct text *line)
{
	const char *newline;
	size_t end;

	if (rest->len == 0)
		return false;
	newline = memchr(rest->bytes, '\n', rest->len);
	end = newline == NULL ? rest->len : (size_t)(newline - rest->bytes);
	*line = text_part(*rest, 0, end);
	*rest = text_part(*rest, newline == NULL ? end : end + 1, rest->len);
	return true;
}

struct text sshd_value_nth(const struct sshd_settings *s, const char *name, unsigned nth)
{
	struct text rest = text_of(s->text == NULL ? "" : s->text), line;
	size_t len = strlen(name);

	while (next_line(&rest, &line))
		if (text_starts(line, name) && (line.len == len || line.bytes[len] == ' ') && nth-- == 0)
			return text_part(line, line.len == len ? len : len + 1, line.len);
	return (struct text){ .bytes = NULL };
}

struct text sshd_value(const struct sshd_settings *s, const char *name)
{
	return sshd_value_nth(s, name, 0);
}

bool sshd_says(const struct sshd_settings *s, const char *name, const char *value)
{
	struct text found = sshd_value(s, name);

	return found.bytes != NULL && text_is(found, value);
}

long sshd_number(const struct sshd_settings *s, const char *name)
{
	struct text found = sshd_value(s, name);
	char digits[16];

	if (found.len == 0 || found.len >= sizeof digits)
		return -1;
	memcpy(digits, found.bytes, found.len);
	digits[found.len] = '\0';
	return digits[strspn(digits, "0123456789")] == '\0' ? strtol(digits, NULL, 10) : -1;
}

bool command_is_serve(struct text command, bool *key, char *policy)
{
	static const char policy_is[] = "--policy=";
	struct words words;
	char line[COMMAND_MAX + 1], why[SENTENCE_MAX];

	*key = false;
	policy[0] = '\0';
	/* The account's shell reads it first, and begins a second command behind the one sign of its that a word may hold. */
	if (command.len >= sizeof line || text_holds(command, '\0') || text_holds(command, '&'))
		return false;
	snprintf(line, sizeof line, "%.*s", (int)command.len, command.len == 0 ? "" : command.bytes);
	if (!words_split(&words, line, why) || words.count < 2 || !word_is_program(words.word[0], "nix-gateway") ||
	    strcmp(words.word[1], "serve") != 0)
		return false;
	for (size_t i = 2; i < words.count; i++) {
		*key = *key || strcmp(words.word[i], "--key") == 0 || strncmp(words.word[i], "--key=", 6) == 0;
		if (strncmp(words.word[i], policy_is, sizeof policy_is - 1) == 0)
			snprintf(policy, PATH_MAX, "%s", words.word[i] + sizeof policy_is - 1);
		else if (strcmp(words.word[i], "--policy") == 0 && i + 1 < words.count)
			snprintf(policy, PATH_MAX, "%s", words.word[++i]);
	}
	return true;
}

bool keys_file_path(struct text word, const struct account *account, char path[PATH_MAX])
{
	size_t used = 0;

	if (word.len > 0 && word.bytes[0] != '/' && !text_starts(word, "%h"))
		used = (size_t)snprintf(path, PATH_MAX, "%s/", account->home);
	for (size_t i = 0; i < word.len && used < PATH_MAX; i++) {
		size_t room = PATH_MAX - used;
		char token = word.bytes[i] == '%' && i + 1 < word.len ? word.bytes[++i] : '\0';

		if (token == 'h')
			used += (size_t)snprintf(path + used, room, "%s", account->home);
		else if (token == 'u')
			used += (size_t)snprintf(path + used, room, "%s", account->name);
		else if (token == 'U')
			used += (size_t)snprintf(path + used, room, "%lu", (unsigned long)account->uid);
		else
			used += (size_t)snprintf(path + used, room, "%c", word.bytes[i]);
	}
	return used > 0 && used < PATH_MAX;
}

/* --- lines of keys --- */

static void note(char *place, size_t size, const char *path, unsigned line)
{
	if (place[0] == '\0')
		snprintf(place, size, "%s:%u", path, line);
}

static bool is_key_type(struct text word)
{
	return text_starts(word, "ssh-") || text_starts(word, "ecdsa-") || text_starts(word, "sk-");
}

/* Where the options end: at the first blank outside of quotes. */
static size_t options_end(struct text line)
{
	bool quoted = false;

	for (size_t i = 0; i < line.len; i++) {
		if (line.bytes[i] == '\\' && i + 1 < line.len && line.bytes[i + 1] == '"')
			i++;
		else if (line.bytes[i] == '"')
			quoted = !quoted;
		else if (!quoted && (line.bytes[i] == ' ' || line.bytes[i] == '\t'))
			return i;
	}
	return line.len;
}

/* The next option of *rest: its name and what stands between the quotes behind it. */
static bool next_option(struct text *rest, struct text *name, struct text *value)
{
	size_t i = 0, from;

	if (rest->len == 0)
		return false;
	while (i < rest->len && rest->bytes[i] != ',' && rest->bytes[i] != '=')
		i++;
	*name = text_part(*rest, 0, i);
	*value = (struct text){ .bytes = NULL };
	if (i + 1 < rest->len && rest->bytes[i] == '=' && rest->bytes[i + 1] == '"') {
		for (from = i += 2; i < rest->len && rest->bytes[i] != '"'; i++)
			i += rest->bytes[i] == '\\' && i + 1 < rest->len ? 1 : 0;
		*value = text_part(*rest, from, i < rest->len ? i : rest->len);
	}
	while (i < rest->len && rest->bytes[i] != ',')
		i++;
	*rest = text_part(*rest, i < rest->len ? i + 1 : rest->len, rest->len);
	return true;
}

static bool is_option(struct text name, const char *word)
{
	return name.len == strlen(word) && strncasecmp(name.bytes, word, name.len) == 0;
}

/* What an option gives back after `restrict`, or lets the line's owner say. */
static bool gives(struct text name)
{
	static const char *const giving[] = { "port-forwarding", "agent-forwarding", "x11-forwarding", "pty", "user-rc",
					      "environment", "tunnel" };

	for (size_t i = 0; i < sizeof giving / sizeof *giving; i++)
		if (is_option(name, giving[i]))
			return true;
	return false;
}

static void judge_line(struct keys_seen *seen, const char *path, unsigned number, struct text options)
{
	struct text name, value;
	bool forced = false, restricted = false, given = false, key = false;
	char policy[PATH_MAX];

	while (next_option(&options, &name, &value)) {
		if (is_option(name, "command"))
			forced = command_is_serve(value, &key, policy);
		restricted = restricted || is_option(name, "restrict");
		given = given || gives(name);
	}
	seen->count++;
	seen->named += forced && key ? 1 : 0;
	if (!forced)
		note(seen->open, sizeof seen->open, path, number);
	if (!restricted || given)
		note(seen->unrestricted, sizeof seen->unrestricted, path, number);
}

void keys_read_text(struct keys_seen *seen, const char *path, struct text text)
{
	struct text line, word, rest;
	unsigned number = 0;

	while (next_line(&text, &line)) {
		number++;
		while (line.len > 0 && (line.bytes[0] == ' ' || line.bytes[0] == '\t'))
			line = text_part(line, 1, line.len);
		rest = line;
		if (!text_word(&rest, &word) || word.bytes[0] == '#')
			continue;
		judge_line(seen, path, number,
			   text_part(line, 0, is_key_type(word) ? 0 : options_end(line)));
	}
}
