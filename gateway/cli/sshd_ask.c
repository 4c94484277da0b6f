#include "gateway/cli/sshd_ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/env/child.h"
#include "gateway/env/guard.h"

enum { SSHD_TEXT_MAX = 256 * 1024, SSHD_MS = 10 * 1000 };

static const char *const programs[] = { "/usr/sbin/sshd", "/run/current-system/sw/bin/sshd", "/usr/local/sbin/sshd",
					"/opt/homebrew/sbin/sshd", "/usr/bin/sshd" };

/* It runs as root, so it must be nobody's to exchange but root's. */
static const char *find_sshd(char *why)
{
	char fault[GUARD_FAULT_MAX];

	log_sentence(why, "no sshd is found in /usr/sbin and the other usual folders");
	for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
		if (access(programs[i], X_OK) != 0)
			continue;
		if (guard_program(programs[i], fault))
			return programs[i];
		log_sentence(why, "%s is not run: %s", programs[i], fault);
	}
	return NULL;
}

/* The program's last words, on one line. */
static void say_failure(char *why, const char *program, const struct child_output *said)
{
	size_t len = said->len;

	while (len > 0 && said->bytes[len - 1] <= ' ')
		len--;
	log_sentence(why, "'%s -T' fails: %.*s", program, (int)(len > 300 ? 300 : len), said->bytes);
}

bool sshd_ask(const char *account, struct sshd_settings *settings, char *why)
{
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *environment[] = { path, NULL };
	char about[256], words_of_failure[1024];
	const char *program = find_sshd(why);
	const char *const words[] = { program, "-T", "-C", about, NULL };
	struct child_plan plan = { .program = program, .arguments = words, .environment = environment, .folder = "/",
				   .limit_ms = SSHD_MS };
	struct child_output out = { .bytes = malloc(SSHD_TEXT_MAX + 1), .size = SSHD_TEXT_MAX };
	struct child_output err = { .bytes = words_of_failure, .size = sizeof words_of_failure };
	int status;

	settings->text = NULL;
	if (program == NULL || out.bytes == NULL) {
		free(out.bytes);
		return false;
	}
	snprintf(about, sizeof about, "user=%s,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22", account);
	if (child_run(&plan, &out, &err, &status) != ERR_NONE) {
		log_sentence(why, "'%s -T' does not start, or does not end", program);
	} else if (status != 0) {
		say_failure(why, program, &err);
	} else {
		out.bytes[out.len] = '\0';
		settings->text = out.bytes;
		return true;
	}
	free(out.bytes);
	return false;
}
