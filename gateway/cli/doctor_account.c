/* The account: can it leave anything that runs before the gateway, does its shell keep quiet, can it write its records? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/audit/audit.h"
#include "gateway/cli/doctor.h"
#include "gateway/cli/reach.h"
#include "gateway/env/child.h"

enum { SHELL_MS = 5000 };

/* --- what is seen --- */

static bool note_if_open(struct folder_seen *seen, const char *path)
{
	seen->fault = reach_on_way(path, seen->path);
	if (seen->fault == NULL)
		seen->path[0] = '\0';
	return seen->fault != NULL;
}

/* The home, and what shells and sshd read in it. */
static void look_at_home(struct doctor *d)
{
	static const char *const read[] = { ".ssh/authorized_keys", ".ssh/rc", ".ssh/environment", ".bashrc",
					    ".bash_profile", ".profile", ".zshenv", ".cshrc", ".tcshrc",
					    ".config/fish/config.fish", ".config/fish/conf.d", ".config/nix/nix.conf" };
	const char *home = d->builder->account.home;
	char path[PATH_MAX];

	if (note_if_open(&d->home, home))
		return;
	for (size_t i = 0; i < sizeof read / sizeof *read; i++) {
		int n = snprintf(path, sizeof path, "%s/%s", home, read[i]);

		if (n > 0 && (size_t)n < sizeof path && note_if_open(&d->home, path))
			return;
	}
}

static bool is_ourselves(const struct doctor *d, const char *shell)
{
	char real[PATH_MAX];

	return d->program[0] != '\0' && realpath(shell, real) != NULL && strcmp(real, d->program) == 0;
}

/* Starts the shell as sshd does for a forced command: -c, the account's home and variables, and the variable by which
 * some builds of bash know that they were started by sshd, and read .bashrc. */
static void run_shell(struct doctor *d)
{
	const struct account *a = &d->builder->account;
	const char *slash = strrchr(a->shell, '/');
	const char *const words[] = { slash == NULL ? a->shell : slash + 1, "-c", "exit 0", NULL };
	char lines[6][PATH_MAX + 16];
	char *environment[] = { lines[0], lines[1], lines[2], lines[3], lines[4], lines[5], NULL };
	struct child_plan plan = { .program = a->shell, .arguments = words, .environment = environment, .folder = a->home,
				   .limit_ms = SHELL_MS };
	struct child_output out = { .bytes = d->shell.out, .size = sizeof d->shell.out - 1 };
	struct child_output noise = { .bytes = d->shell.noise, .size = sizeof d->shell.noise - 1 };

	snprintf(lines[0], sizeof lines[0], "HOME=%s", a->home);
	snprintf(lines[1], sizeof lines[1], "USER=%s", a->name);
	snprintf(lines[2], sizeof lines[2], "LOGNAME=%s", a->name);
	snprintf(lines[3], sizeof lines[3], "SHELL=%s", a->shell);
	snprintf(lines[4], sizeof lines[4], "PATH=/usr/local/bin:/usr/bin:/bin");
	snprintf(lines[5], sizeof lines[5], "SSH_CLIENT=127.0.0.1 1 22");
	d->shell.err = child_run(&plan, &out, &noise, &d->shell.status);
	d->shell.error = errno;
	d->shell.out[out.len] = d->shell.noise[noise.len] = '\0';
}

/* A file that is not there yet is not made: that is for a session to do. */
static void look_at_audit_file(struct doctor *d, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	if (access(path, F_OK) == 0 || slash == NULL) {
		if (access(path, W_OK) == 0)
			return;
		log_sentence(d->audit.why, "%s: %s", path, strerror(errno));
	} else {
		snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
		if (access(folder, W_OK | X_OK) == 0)
			return;
		log_sentence(d->audit.why, "%s is not there, and its folder: %s", path, strerror(errno));
	}
	d->audit.to_stderr = false;
}

static void look_at_state(struct doctor *d)
{
	const char *path = d->builder->policy->gateway.state_dir;
	struct stat st;

	d->state.there = stat(path, &st) == 0;
	if (!d->state.there)
		return;
	d->state.open = (st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0;
	d->state.writable = S_ISDIR(st.st_mode) && access(path, W_OK | X_OK) == 0;
}

static void look_at_audit(struct doctor *d)
{
	const struct gateway_settings *settings = &d->builder->policy->gateway;
	struct audit audit;
	char why[SENTENCE_MAX];

	audit_init(&audit);
	if ((settings->audit & (AUDIT_SYSLOG | AUDIT_AUTO)) != 0) {
		if (audit_open(&audit, AUDIT_TO_SYSLOG, NULL, why) != ERR_NONE) {
			d->audit.to_stderr = (settings->audit & AUDIT_AUTO) != 0;
			log_sentence(d->audit.why, "%s", why);
		}
		audit_close(&audit);
	}
	if ((settings->audit & AUDIT_FILE) != 0)
		look_at_audit_file(d, settings->audit_file);
}

void look_at_account(struct doctor *d)
{
	look_at_home(d);
	d->shell.ours = is_ourselves(d, d->builder->account.shell);
	if (!d->shell.ours)
		run_shell(d);
	if (d->builder->policy == NULL)
		return;
	look_at_state(d);
	look_at_audit(d);
}

/* --- what it comes to --- */

static void judge_home(const struct doctor *d, struct finding *f)
{
	if (d->home.path[0] == '\0') {
		finding_ok(f, "%s: nothing can be left in it that runs or lets in", d->builder->account.home);
		return;
	}
	finding_fail(f, "%s %s: what is left there runs before the gateway, or lets keys in", d->home.path, d->home.fault);
	/* Who chose the name may have meant it to be pasted into a shell. */
	if (strchr(d->home.path, '\'') != NULL)
		finding_mend(f, "make it root's, for nobody else to write; mind its name in a shell");
	else
		finding_mend(f, "chown root '%s' && chmod go-w '%s'", d->home.path, d->home.path);
}

static const char *first_line(const char *text, char line[80])
{
	snprintf(line, 80, "%.*s", (int)(strcspn(text, "\n") < 79 ? strcspn(text, "\n") : 79), text);
	return line;
}

static void judge_shell(const struct doctor *d, struct finding *f)
{
	const struct shell_seen *s = &d->shell;
	const char *shell = d->builder->account.shell;
	char line[80];

	if (s->ours) {
		finding_ok(f, "the gateway itself: no shell stands in between");
		return;
	}
	if (s->err == ERR_IO)
		finding_fail(f, "%s does not start: %s", shell, strerror(s->error));
	else if (s->out[0] != '\0')
		finding_fail(f, "%s prints '%s' before the gateway runs, which garbles the protocol", shell,
			     first_line(s->out, line));
	else if (s->err == ERR_TIMEOUT)
		finding_fail(f, "%s -c 'exit 0' does not end within %d s", shell, SHELL_MS / 1000);
	else if (s->status != 0)
		finding_fail(f, "%s runs no command: it ends with status %d%s%s", shell, s->status,
			     s->noise[0] == '\0' ? "" : " and says ", first_line(s->noise, line));
	else if (s->noise[0] != '\0')
		finding_warn(f, "%s prints '%s' to each client", shell, first_line(s->noise, line));
	else
		finding_ok(f, "%s runs commands and prints nothing of its own", shell);
	if (f->grade != GRADE_OK)
		finding_mend(f, "usermod --shell %s %s", d->program[0] == '\0' ? "/usr/local/bin/nix-gateway" : d->program,
			     d->builder->account.name);
}

static void judge_audit(const struct doctor *d, struct finding *f)
{
	if (d->audit.why[0] == '\0') {
		finding_ok(f, "records can be written");
	} else if (d->audit.to_stderr) {
		finding_warn(f, "there is no syslog (%s): records go to stderr, which clients read", d->audit.why);
		finding_mend(f, "start a syslog, or name a file: '[gateway] audit = /var/log/nix-gateway/audit.jsonl'");
	} else {
		finding_fail(f, "records cannot be written (%s): no session starts", d->audit.why);
		finding_mend(f, "give the account the right to append to it: install -d -o %s -m 700 FOLDER",
			     d->builder->account.name);
	}
}

static void judge_state(const struct doctor *d, struct finding *f)
{
	const char *path = d->builder->policy->gateway.state_dir, *name = d->builder->account.name;

	if (!d->state.there) {
		finding_ok(f, "%s is not there: nothing has been kept yet", path);
	} else if (d->state.open) {
		finding_fail(f, "%s can be written by others, or is theirs: they could take places, or give them", path);
		finding_mend(f, "chown %s '%s' && chmod go-w '%s'", name, path, path);
	} else if (!d->state.writable) {
		finding_warn(f, "%s cannot be written by the account", path);
		finding_mend(f, "install -d -o %s -m 755 '%s'", name, path);
	} else {
		finding_ok(f, "%s is the account's", path);
	}
}

const struct check checks_of_account[] = {
	{ "home", judge_home, FOR_ACCOUNT | FOR_ROOT, false },
	{ "shell", judge_shell, FOR_ACCOUNT | FOR_ROOT, false },
	{ "audit", judge_audit, FOR_ACCOUNT | FOR_ROOT, true },
	{ "state", judge_state, FOR_ACCOUNT | FOR_ROOT, true },
	{ .name = NULL },
};
