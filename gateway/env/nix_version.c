#include "gateway/env/nix_version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/env/child.h"

enum { OUTPUT_MAX = 4096 };

static enum err refuse(char *why, enum err err, const char *program, const char *reason)
{
	snprintf(why, SENTENCE_MAX, "'%.512s --version' %s", program, reason);
	return err;
}

/* The last word of the first line, where it looks like a version. */
static bool find_version(const char *output, size_t len, struct nix_version *out)
{
	const char *newline = memchr(output, '\n', len);
	size_t stop = newline != NULL ? (size_t)(newline - output) : len, start_at = stop;

	while (start_at > 0 && output[start_at - 1] > 0x20 && output[start_at - 1] < 0x7f)
		start_at--;
	len = stop - start_at;
	if (len == 0 || len >= NIX_VERSION_MAX || output[start_at] < '0' || output[start_at] > '9')
		return false;
	memcpy(out->number, output + start_at, len);
	out->number[len] = '\0';
	out->lix = memmem(output, start_at, "Lix", 3) != NULL;
	return true;
}

enum err nix_version(const char *program, char *const *environment, struct nix_version *out, char *why)
{
	const char *const words[] = { program, "--version", NULL };
	struct child_plan plan = { .program = program, .arguments = words, .environment = environment,
				   .limit_ms = NIX_VERSION_MS };
	char output[OUTPUT_MAX];
	struct child_output said = { .bytes = output, .size = sizeof output };
	int status;
	enum err err = child_run(&plan, &said, NULL, &status);

	*out = (struct nix_version){ .number = "" };
	if (err == ERR_IO)
		return refuse(why, ERR_IO, program, strerror(errno));
	if (err)
		return refuse(why, err, program, "does not answer");
	if (status != 0)
		return refuse(why, ERR_IO, program, "fails");
	if (!find_version(output, said.len, out))
		return refuse(why, ERR_PROTO, program, "does not say a version");
	return ERR_NONE;
}
