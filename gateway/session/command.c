#include "gateway/session/command.h"

#include <string.h>

#include "gateway/base/log.h"

#define SERVED "nix-daemon --stdio, nix-store --serve --write, info, machines and doctor"

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* What an unquoted word may hold: nothing that a shell would have acted on, but for the `&` of a store's address. */
static bool is_plain(char c)
{
	static const char plain[] = "+,-./:=?@_%&";

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr(plain, c) != NULL);
}

/* Copies one word from *in to *out and ends it with NUL; both are moved behind it. */
static bool copy_word(const char **in, char **out)
{
	bool quoted = false;
	const char *start = *in;

	for (; **in != '\0' && (quoted || **in != ' '); (*in)++) {
		if (**in == '\'') {
			quoted = !quoted;
			continue;
		}
		if (!quoted && **in == '\\' && (*in)[1] != '\0')
			(*in)++;
		else if (!quoted && !is_plain(**in))
			return false;
		*(*out)++ = **in;
	}
	*(*out)++ = '\0';
	return !quoted && *in != start;         /* two spaces would make an empty word */
}

bool words_split(struct words *words, const char *line, char *why)
{
	size_t len = strnlen(line, COMMAND_MAX + 1);
	char *out = words->text;

	words->count = 0;
	if (len > COMMAND_MAX) {
		log_sentence(why, "the command is over %d bytes; this builder serves " SERVED, COMMAND_MAX);
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (is_control(line[i])) {
			log_sentence(why, "the command has a control byte in it; this builder serves " SERVED);
			return false;
		}
	}
	for (;;) {
		char *word = out;

		if (words->count == COMMAND_WORDS || !copy_word(&line, &out)) {
			log_sentence(why, "the command is not made of plain words, one space between them; "
					  "this builder serves " SERVED);
			return false;
		}
		words->word[words->count++] = word;
		if (*line == '\0')
			return true;
		line++;
	}
}

bool word_is_program(const char *word, const char *name)
{
	const char *slash = strrchr(word, '/');

	return strcmp(slash == NULL ? word : slash + 1, name) == 0;
}

struct served {
	enum command_kind kind;
	bool write;
	const char *program;            /* its folder is the client's affair */
	const char *arguments[3];       /* NULL ends them */
	enum command_page page;
};

static const struct served served[] = {
	{ COMMAND_WORKER, true, "nix-daemon", { "--stdio" }, PAGE_INFO },
	{ COMMAND_WORKER, true, "nix", { "daemon", "--stdio" }, PAGE_INFO },
	{ COMMAND_SERVE, true, "nix-store", { "--serve", "--write" }, PAGE_INFO },
	{ COMMAND_SERVE, false, "nix-store", { "--serve" }, PAGE_INFO },
	{ COMMAND_INFO, false, "info", { NULL }, PAGE_INFO },
	{ COMMAND_INFO, false, "machines", { NULL }, PAGE_MACHINES },
	{ COMMAND_INFO, false, "doctor", { NULL }, PAGE_DOCTOR },
};

/* How many words the row takes, if the words begin with it; else 0. */
static size_t row_matches(const struct served *row, const struct words *words)
{
	size_t n = 1;

	if (!word_is_program(words->word[0], row->program))
		return 0;
	for (; n <= 2 && row->arguments[n - 1] != NULL; n++)
		if (n >= words->count || strcmp(words->word[n], row->arguments[n - 1]) != 0)
			return 0;
	return n;
}

/* The rest behind a row: nothing, or --store with one URI where a protocol is asked for. */
static bool rest_matches(struct command *command, size_t from)
{
	const struct words *words = &command->words;

	if (from == words->count)
		return true;
	if (command->kind == COMMAND_INFO || from + 2 != words->count || strcmp(words->word[from], "--store") != 0)
		return false;
	command->store = words->word[from + 1];
	return true;
}

bool command_parse(struct command *command, const char *line, char *why)
{
	command->store = NULL;
	command->kind = COMMAND_INFO;
	command->page = PAGE_INFO;
	command->write = false;
	if (line == NULL || line[0] == '\0')
		return true;
	if (!words_split(&command->words, line, why))
		return false;
	for (size_t i = 0; i < sizeof served / sizeof *served; i++) {
		size_t taken = row_matches(&served[i], &command->words);

		if (taken == 0)
			continue;
		command->kind = served[i].kind;
		command->page = served[i].page;
		command->write = served[i].write;
		if (rest_matches(command, taken))
			return true;
	}
	log_sentence(why, "this builder does not run '%s'; it serves " SERVED, line);
	return false;
}
