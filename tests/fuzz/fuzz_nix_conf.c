/* Any bytes as the builder's nix.conf. Property: it is taken, with flags that are 0 or 1, or refused with a sentence that
 * names file and line and leaves the defaults; read again it says the same; a comment in front changes nothing but the
 * line; and what it does not speak of keeps its default. */
#include <stdio.h>
#include <unistd.h>

#include "gateway/session/nix_conf.h"
#include "tests/fuzz/holds.h"

enum { ROOM = 64 * 1024 };

static char path[] = "/tmp/nix-gateway-fuzz.XXXXXX";
static int file = -1;

static void remove_file(void)
{
	unlink(path);
}

static bool reads(const void *bytes, size_t len, struct nix_conf *out, char *why)
{
	if (file < 0) {
		file = mkstemp(path);
		HOLDS(file >= 0 && atexit(remove_file) == 0);
	}
	HOLDS(ftruncate(file, 0) == 0 && pwrite(file, bytes, len, 0) == (ssize_t)len);
	why[0] = '\0';
	return nix_conf_read(path, out, why);
}

static bool same(const struct nix_conf *a, const struct nix_conf *b)
{
	return a->keep_failed == b->keep_failed && a->keep_going == b->keep_going && a->fallback == b->fallback &&
	       a->substitute == b->substitute && a->max_jobs == b->max_jobs && a->cores == b->cores &&
	       a->max_silent_time == b->max_silent_time && a->timeout == b->timeout && a->partial == b->partial;
}

static bool speaks_of(const uint8_t *data, size_t size, const char *word)
{
	size_t len = strlen(word);

	for (size_t at = 0; at + len <= size; at++)
		if (memcmp(data + at, word, len) == 0)
			return true;
	return false;
}

static void keeps_defaults(const uint8_t *data, size_t size, const struct nix_conf *conf)
{
	struct nix_conf initial;

	nix_conf_default(&initial);
	HOLDS(speaks_of(data, size, "timeout") || conf->timeout == initial.timeout);
	HOLDS(speaks_of(data, size, "max-silent-time") || conf->max_silent_time == initial.max_silent_time);
	HOLDS(speaks_of(data, size, "max-jobs") || conf->max_jobs == initial.max_jobs);
	HOLDS(speaks_of(data, size, "cores") || conf->cores == initial.cores);
	HOLDS(speaks_of(data, size, "fallback") || conf->fallback == initial.fallback);
	HOLDS(speaks_of(data, size, "substitute") || conf->substitute == initial.substitute);
	HOLDS(speaks_of(data, size, "keep-failed") || conf->keep_failed == initial.keep_failed);
	HOLDS(speaks_of(data, size, "keep-going") || conf->keep_going == initial.keep_going);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char comment[] = "# a comment\n";
	static uint8_t longer[ROOM + sizeof comment];
	char why[SENTENCE_MAX], other_why[SENTENCE_MAX];
	struct nix_conf conf, again, initial;
	bool taken;

	/* What it includes would be files of this machine, and none of the input. */
	if (size > ROOM || speaks_of(data, size, "include"))
		return 0;
	taken = reads(data, size, &conf, why);
	HOLDS(taken == (why[0] == '\0'));
	nix_conf_default(&initial);
	HOLDS(taken || same(&conf, &initial));
	HOLDS(taken || strncmp(why, path, strlen(path)) == 0);
	HOLDS(conf.keep_failed <= 1 && conf.keep_going <= 1 && conf.fallback <= 1 && conf.substitute <= 1);
	keeps_defaults(data, size, &conf);
	HOLDS(reads(data, size, &again, other_why) == taken && same(&again, &conf) && strcmp(why, other_why) == 0);
	memcpy(longer, comment, sizeof comment - 1);
	memcpy(longer + sizeof comment - 1, data, size);
	HOLDS(reads(longer, size + sizeof comment - 1, &again, other_why) == taken && same(&again, &conf));
	return 0;
}
