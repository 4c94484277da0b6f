#include "gateway/env/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/env/descriptors.h"
#include "gateway/env/process_system.h"

void process_before_exec(void)
{
	struct sigaction normal = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigemptyset(&normal.sa_mask);
	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &normal, NULL); /* fails for those that cannot be changed anyway */
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void ignore_sigpipe(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigemptyset(&ignore.sa_mask);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

/* As many as we may; fewer than asked for is no reason to refuse anybody. */
static void raise_file_limit(void)
{
	struct rlimit limit;
	rlim_t wanted = PROCESS_FILES;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	if (wanted > limit.rlim_max)
		wanted = limit.rlim_max;
	if (limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 || wanted <= process_files_surely)
		return;
	limit.rlim_cur = process_files_surely;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static enum err forbid_core(void)
{
	const struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };

	return setrlimit(RLIMIT_CORE, &none) == 0 ? ERR_NONE : ERR_IO;
}

static enum err failed(const char *step, char *why)
{
	snprintf(why, SENTENCE_MAX, "the process cannot be put in order: %s (%s)", step, strerror(errno));
	return ERR_IO;
}

enum err process_settle(enum process_sigpipe sigpipe, char *why)
{
	if (descriptors_fill_standard() != ERR_NONE)
		return failed("opening /dev/null", why);
	if (descriptors_close_from(STDERR_FILENO + 1) != ERR_NONE)
		return failed("closing inherited descriptors", why);
	process_before_exec();
	if (sigpipe == PROCESS_SIGPIPE_IGNORED)
		ignore_sigpipe();
	umask(077);
	if (chdir("/") != 0)
		return failed("changing to /", why);
	if (forbid_core() != ERR_NONE)
		return failed("forbidding core files", why);
	raise_file_limit();
	if (process_forbid_tracing() != ERR_NONE)       /* last: on Linux it closes /proc/self to us */
		return failed("forbidding tracing", why);
	return ERR_NONE;
}
