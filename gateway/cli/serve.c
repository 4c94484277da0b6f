/* serve: the forced command. The order of the steps is the security of the whole: nothing of the client is looked at
 * before the process is in order, nothing is started before the key is known to be allowed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/cli/commands.h"
#include "gateway/cli/doctor.h"
#include "gateway/cli/info.h"
#include "gateway/cli/options.h"
#include "gateway/cli/visit.h"
#include "gateway/env/process.h"
#include "gateway/session/import.h"
#include "gateway/session/run.h"

/* Becomes Nix: from here on there is nothing of us between the client and the daemon. Returns only on failure. */
static int become_nix(struct visit *v)
{
	static char stdio[] = "--stdio", serve[] = "--serve", write_flag[] = "--write";
	struct builder *b = &v->builder;
	bool worker = v->command.kind == COMMAND_WORKER;
	char *program = worker ? b->nix.daemon : b->nix.store;
	char *arguments[4] = { program, worker ? stdio : serve, NULL, NULL };
	char sentence[SENTENCE_MAX];

	if (!worker && v->command.write)
		arguments[2] = write_flag;
	backend_close(&b->backend);
	process_before_exec();
	execve(program, arguments, b->environment.items);
	log_sentence(sentence, "%s does not start: %s", program, strerror(errno));
	return visit_refuse(v, sentence, NULL);
}

static bool record_start(struct visit *v, int *status)
{
	char backend[SENTENCE_MAX];
	struct audit_field fields[] = {
		{ .name = "protocol", .text = v->command.kind == COMMAND_WORKER ? "ssh-ng" : "ssh" },
		{ .name = "relay", .text = "exec" },
		{ .name = "backend", .text = backend },
		{ .name = "end", .text = "not seen: with relay = exec the session becomes Nix itself" },
	};

	backend_describe(&v->builder.backend, backend, sizeof backend);
	return visit_record(v, "session-start", fields, sizeof fields / sizeof *fields, status);
}

static int exec_session(struct visit *v)
{
	struct builder *b = &v->builder;
	char why[SENTENCE_MAX];
	int status = EXIT_REFUSED;

	if (!builder_find_nix(b, why) || !builder_find_daemon(b, why) || !builder_make_environment(b, why))
		return visit_refuse(v, why, NULL);
	return record_start(v, &status) ? become_nix(v) : status;
}

/* Everything of the system that the session will need is held before visit_confine; only then is the client heard. */
static int filter_session(struct visit *v)
{
	bool imports = v->command.kind == COMMAND_SERVE && v->command.write;
	struct session session;
	struct nix_conf conf;
	char why[SENTENCE_MAX];
	int spool;
	bool well;

	if (!builder_reach_daemon(&v->builder, why))
		return visit_refuse(v, why, NULL);
	if (!nix_conf_read(NIX_CONF_PATH, &conf, why))
		return visit_refuse_because(v, "this builder's nix.conf cannot be read; its administrator finds the fault in "
					       "the audit", why);
	spool = imports ? import_open_spool() : -1;
	if (!visit_confine(v, why))
		return visit_refuse(v, why, NULL);
	session_init(&session, v->builder.policy, v->key, &v->audit, &v->command, STDIN_FILENO, STDOUT_FILENO,
		     STDERR_FILENO);
	session.settings.conf = conf;
	session.spool = spool;
	session.sandbox = visit_sandbox(v);
	well = session_run(&session, &v->builder.backend);
	session_free(&session);
	return well ? EXIT_FINE : EXIT_REFUSED;
}

/* What a key's owner reads. */
static int print_page(struct visit *v)
{
	switch (v->command.page) {
	case PAGE_MACHINES:
		return info_print_machine(v);
	case PAGE_DOCTOR:
		return doctor_for_owner(&v->builder, v->key, v->policy_path);
	case PAGE_INFO:
		break;
	}
	return info_print(v);
}

static int serve_visit(struct visit *v)
{
	int status = EXIT_REFUSED;

	if (!visit_admit(v, &status))
		return status;
	if (v->command.kind == COMMAND_INFO)
		return print_page(v);
	return v->key->grant->relay == RELAY_EXEC ? exec_session(v) : filter_session(v);
}

int serve_with(const char *key, const char *policy_path, const char *request, bool key_is_claim)
{
	struct visit v;
	char why[SENTENCE_MAX];
	int status;

	if (process_settle(PROCESS_SIGPIPE_IGNORED, why) != ERR_NONE) {
		log_say("%s", why);
		return EXIT_REFUSED;
	}
	visit_init(&v);
	v.key_option = key;
	if (policy_path != NULL)
		v.policy_path = policy_path;
	v.request = request;
	v.key_option_is_claim = key_is_claim;
	status = serve_visit(&v);
	visit_free(&v);
	return status;
}

bool serve_options(int argc, char **argv, const char **key, const char **policy_path)
{
	const struct option_row rows[] = { { .name = "--key", .value = key },
					   { .name = "--policy", .value = policy_path } };
	size_t operands;

	if (!options_read(argc, argv, rows, sizeof rows / sizeof *rows, NULL, 0, &operands))
		return false;
	if (*policy_path == NULL || (*policy_path)[0] == '/')
		return true;
	log_say("--policy takes an absolute path here, not '%s'", *policy_path);
	return false;
}

int command_serve(int argc, char **argv)
{
	const char *key = NULL, *policy_path = NULL;

	if (!serve_options(argc, argv, &key, &policy_path))
		return EXIT_USAGE;
	return serve_with(key, policy_path, getenv("SSH_ORIGINAL_COMMAND"), false);
}
