#include "gateway/cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/commands.h"
#include "gateway/cli/options.h"
#include "gateway/cli/program.h"
#include "gateway/cli/which_account.h"
#include "gateway/env/process.h"

/* --- printing --- */

static enum grade print_checks(const struct doctor *d, const struct check *checks, bool json, FILE *to)
{
	enum grade worst = GRADE_OK;

	for (const struct check *check = checks; check->name != NULL; check++) {
		struct finding f = { .grade = GRADE_OK };

		if ((check->audiences & d->audience) == 0 || (check->needs_policy && d->builder->policy == NULL))
			continue;
		check->judge(d, &f);
		finding_print(&f, check->name, json, to);
		worst = f.grade > worst ? f.grade : worst;
	}
	return worst;
}

/* All that was seen. The last check is told when the others are on their way: behind it there is no more looking. */
static enum grade print_all(struct doctor *d, bool json, FILE *to)
{
	const struct check *const all[] = { checks_of_nix, checks_of_grants, checks_of_conf, checks_of_account,
					    checks_of_system, check_of_sshd, checks_of_sshd_way, checks_of_sshd_doors };
	size_t count = sizeof all / sizeof *all - (d->sshd.text == NULL ? 2 : 0);       /* not seen, not judged */
	enum grade worst = GRADE_OK;

	for (size_t i = 0; i < count; i++) {
		enum grade grade = print_checks(d, all[i], json, to);

		worst = grade > worst ? grade : worst;
	}
	if (d->audience != FOR_OWNER && d->builder->policy != NULL && fflush(to) == 0) {
		enum grade grade;

		look_at_confinement(d);
		grade = print_checks(d, checks_of_confinement, json, to);
		worst = grade > worst ? grade : worst;
	}
	return worst;
}

static void doctor_free(struct doctor *d)
{
	nix_settings_free(&d->conf);
	free(d->sshd.text);
	d->sshd.text = NULL;
}

static int exit_status(enum grade worst)
{
	return fflush(stdout) == 0 && worst != GRADE_FAIL ? EXIT_FINE : EXIT_REFUSED;
}

/* --- the command --- */

/* What is started as the account inherits stderr, and that may be root's terminal: whoever holds it can read what root
 * types. From here on nothing but the report is said. */
static bool leave_stderr(char *why)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool left = null >= 0 && dup2(null, STDERR_FILENO) >= 0;

	if (!left)
		log_sentence(why, "/dev/null: %s", strerror(errno));
	if (null >= 0)
		close(null);
	return left;
}

/* As the account: everything but what only root can see. */
static void look(struct doctor *d)
{
	look_at_policy(d);
	if (d->builder->policy != NULL) {
		look_at_nix(d);
		look_at_daemon(d);
	}
	look_at_conf(d);
	look_at_account(d);
	look_at_keys(d);
}

static int examine(struct doctor *d, const struct which *which, bool json)
{
	char why[SENTENCE_MAX];
	int status = EXIT_USAGE;

	if (d->audience == FOR_ROOT)
		look_at_sshd(d, which->name);
	if (!which_become(which, why) || account_read(which->uid, &d->builder->account, why) != ERR_NONE ||
	    !leave_stderr(why)) {
		log_say("%s", why);
	} else {
		look(d);
		status = exit_status(print_all(d, json, stdout));
	}
	doctor_free(d);
	return status;
}

/* The process is put in order below /, so the path has to be whole before. */
static bool make_absolute(const char *path, char whole[PATH_MAX])
{
	char folder[PATH_MAX] = "";
	int n;

	if (path[0] != '/' && getcwd(folder, sizeof folder) == NULL)
		return false;
	n = snprintf(whole, PATH_MAX, "%s%s%s", folder, path[0] == '/' ? "" : "/", path);
	return n > 0 && n < PATH_MAX;
}

int command_doctor(int argc, char **argv)
{
	const char *path = POLICY_PATH, *account = NULL;
	bool json = false;
	const struct option_row rows[] = { { .name = "--policy", .value = &path },
					   { .name = "--account", .value = &account },
					   { .name = "--json", .flag = &json } };
	char whole[PATH_MAX], program[PATH_MAX] = "", why[SENTENCE_MAX];
	struct doctor *d;
	struct builder builder;
	struct which which;
	size_t operands;
	int status = EXIT_USAGE;

	if (!options_read(argc, argv, rows, sizeof rows / sizeof *rows, NULL, 0, &operands))
		return EXIT_USAGE;
	if (!program_path(program, sizeof program))
		program[0] = '\0';
	if (!make_absolute(path, whole)) {
		log_say("'%s' is too long a path", path);
		return EXIT_USAGE;
	}
	if (!which_account(account, program, &which, why) || process_settle(PROCESS_SIGPIPE_IGNORED, why) != ERR_NONE) {
		log_say("%s", why);
		return EXIT_USAGE;
	}
	d = calloc(1, sizeof *d);
	builder_init(&builder);
	if (d != NULL) {
		d->audience = geteuid() == 0 ? FOR_ROOT : FOR_ACCOUNT;
		d->policy_path = whole;
		d->program = program;
		d->builder = &builder;
		status = examine(d, &which, json);
	}
	free(d);
	builder_free(&builder);
	return status;
}

int doctor_for_owner(struct builder *builder, const struct key *key, const char *policy_path)
{
	struct doctor *d = calloc(1, sizeof *d);
	int status;

	if (d == NULL) {
		log_say("%s", err_text(ERR_MEMORY));
		return EXIT_REFUSED;
	}
	d->audience = FOR_OWNER;
	d->policy_path = policy_path;
	d->program = "";
	d->builder = builder;
	d->key = key;
	look_at_nix(d);
	look_at_daemon(d);
	look_at_conf(d);
	status = exit_status(print_all(d, false, stdout));
	doctor_free(d);
	free(d);
	return status;
}
