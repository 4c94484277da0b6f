/* Any line as what a client asks sshd to run. Property: what is served is short, without control bytes, and one of four
 * programs; quoted anew word by word it means the same; and one byte more is something else, which is refused with a
 * sentence. */
#include "gateway/base/log.h"
#include "gateway/session/command.h"
#include "tests/fuzz/holds.h"

enum { QUOTED_MAX = 8 * COMMAND_MAX };

static void is_sentence(const char *why)
{
	HOLDS(why[0] != '\0' && strlen(why) < SENTENCE_MAX);
	for (const char *c = why; *c != '\0'; c++)
		HOLDS(*c >= 0x20 && *c < 0x7f && *c != '%');
}

/* The words in single quotes, as the most careful client would write them. */
static void quote(char *out, const struct words *words)
{
	for (size_t i = 0; i < words->count; i++) {
		if (i > 0)
			*out++ = ' ';
		*out++ = '\'';
		for (const char *c = words->word[i]; *c != '\0'; c++) {
			if (*c == '\'') {
				memcpy(out, "'\\'", 3);
				out += 3;
			}
			*out++ = *c;
		}
		*out++ = '\'';
	}
	*out = '\0';
}

static void is_served(const struct command *c, const char *line)
{
	static const char *const programs[] = { "nix-daemon", "nix", "nix-store", "info", "machines", "doctor" };
	bool known = false;

	HOLDS(strlen(line) <= COMMAND_MAX && c->words.count >= 1 && c->words.count <= COMMAND_WORDS);
	for (const char *at = line; *at != '\0'; at++)
		HOLDS((unsigned char)*at >= 0x20 && *at != 0x7f);
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
		known |= word_is_program(c->words.word[0], programs[i]);
	HOLDS(known);
	HOLDS(c->kind != COMMAND_INFO || (c->words.count == 1 && c->store == NULL && !c->write));
	HOLDS(c->store == NULL || c->store == c->words.word[c->words.count - 1]);
}

static void means_the_same_quoted(const struct command *c)
{
	char quoted[QUOTED_MAX + 1], why[SENTENCE_MAX];
	struct command again;

	quote(quoted, &c->words);
	if (strlen(quoted) > COMMAND_MAX)
		return;
	HOLDS(command_parse(&again, quoted, why));
	HOLDS(again.kind == c->kind && again.write == c->write && again.words.count == c->words.count);
	HOLDS((again.store == NULL) == (c->store == NULL));
	for (size_t i = 0; i < c->words.count; i++)
		HOLDS(strcmp(again.words.word[i], c->words.word[i]) == 0);
}

/* Behind a request without --store nothing may follow: no blank, no redirection, no second command. */
static void takes_nothing_more(const struct command *c, const char *line)
{
	size_t len = strlen(line);
	char more[COMMAND_MAX + 2], why[SENTENCE_MAX];
	struct command longer;

	if (c->store != NULL)
		return;
	memcpy(more, line, len);
	more[len + 1] = '\0';
	for (unsigned byte = 1; byte < 256; byte++) {
		more[len] = (char)byte;
		HOLDS(!command_parse(&longer, more, why));
		is_sentence(why);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = text_from(data, size), why[SENTENCE_MAX] = "";
	struct command c;

	if (!command_parse(&c, line, why)) {
		is_sentence(why);
	} else if (line[0] == '\0') {
		HOLDS(c.kind == COMMAND_INFO && c.store == NULL);
	} else {
		is_served(&c, line);
		means_the_same_quoted(&c);
		takes_nothing_more(&c, line);
	}
	free(line);
	return 0;
}
