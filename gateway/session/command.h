/* command: what the client asked sshd to run, split by us into words and matched against the few that are served.
 * Nothing of it is ever passed to a shell or used as a path: the folder of a program is read over, and so is nothing else.
 * Units   at most COMMAND_MAX bytes; words are separated by exactly one space.
 * Owner   the words live in the struct.
 * Errors  false with a sentence in `why` (SENTENCE_MAX bytes): it names what was asked and what is served.
 * Source  how clients quote: NixOS/nix libstore/ssh.cc and ssh-store.cc, 2.0 to now. */
#ifndef GATEWAY_SESSION_COMMAND_H
#define GATEWAY_SESSION_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/err.h"

enum { COMMAND_MAX = 512, COMMAND_WORDS = 16 };

struct words {
	size_t count;
	char *word[COMMAND_WORDS];      /* point into text */
	char text[COMMAND_MAX + 1];
};

enum command_kind { COMMAND_WORKER, COMMAND_SERVE, COMMAND_INFO };

/* COMMAND_INFO: what a key's owner wants to read. */
enum command_page { PAGE_INFO, PAGE_MACHINES, PAGE_DOCTOR };

struct command {
	enum command_kind kind;
	enum command_page page;         /* COMMAND_INFO */
	bool write;                     /* COMMAND_SERVE: --write was given */
	const char *store;              /* the URI behind --store, in words; NULL: none */
	struct words words;             /* a command is not copied: store points into it */
};

/* Splits a command line: plain words, 'single quotes' and \x as clients write them. Everything else that means
 * something to a shell is refused, but for & and ? (unquoted in the store URIs of newer clients). */
MUST_USE bool words_split(struct words *words, const char *line, char *why);

/* True where `word` is the program `name`, in whatever folder the client believes it to be. */
bool word_is_program(const char *word, const char *name);

/* Parses a request of a client. NULL or an empty line is `info`: somebody asks who we are. */
MUST_USE bool command_parse(struct command *command, const char *line, char *why);

#endif
