/* login: the program as the account's login shell, so that sshd starts it with no other shell in between.
 * sshd hands a login shell `-c` and one string. With a forced command that string is the administrator's, and the
 * client's own is in SSH_ORIGINAL_COMMAND; without one it is the client's. Nothing tells the two apart for certain, so
 * what a client would gain by writing `serve` itself is taken away: without SSH_ORIGINAL_COMMAND it gets `info` at most,
 * a --key must agree with the key that sshd reports, and a policy is never read out of a store, where clients write. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/options.h"
#include "gateway/session/command.h"

enum { HASH_PART = 32 };        /* characters that begin the names of a store, and of its folder of links */

/* True where some folder or file on the way is named as things in a store are, or the way leads into Nix's own folder. */
static bool leads_into_store(const char *path)
{
	for (const char *part = path; part != NULL; part = strchr(part, '/')) {
		part += strspn(part, "/");
		if (strspn(part, "0123456789abcdefghijklmnopqrstuvwxyz") >= HASH_PART)
			return true;
	}
	return strncmp(path, "/nix/", 5) == 0 || strstr(path, "/.links/") != NULL;
}

/* A file that clients cannot have written: below /etc, as the administrator has laid it (a link into a store included),
 * or elsewhere with no store on the way, links followed. */
static bool is_administrators(const char *path)
{
	char real[PATH_MAX];

	if (strncmp(path, "/etc/", 5) == 0 && strstr(path, "/../") == NULL)
		return true;
	return !leads_into_store(path) && (realpath(path, real) == NULL || !leads_into_store(real));
}

/* `nix-gateway serve ...`, as sshd passes a forced command. */
static int forced_serve(struct words *words)
{
	const char *key = NULL, *policy_path = NULL;

	if (!serve_options((int)words->count - 2, words->word + 2, &key, &policy_path))
		return EXIT_USAGE;
	if (policy_path != NULL && !is_administrators(policy_path)) {
		log_say("'%s' may not be named as policy here: it lies where clients write",
			policy_path);
		return EXIT_USAGE;
	}
	return serve_with(key, policy_path, getenv("SSH_ORIGINAL_COMMAND"), true);
}

int login_shell(const char *command)
{
	struct words words;
	char why[SENTENCE_MAX];

	if (command == NULL || command[0] == '\0')
		return serve_with(NULL, NULL, NULL, false);
	if (words_split(&words, command, why) && words.count >= 2 && word_is_program(words.word[0], "nix-gateway") &&
	    strcmp(words.word[1], "serve") == 0)
		return forced_serve(&words);
	return serve_with(NULL, NULL, command, false);
}
