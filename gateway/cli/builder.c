#include "gateway/cli/builder.h"

#include <stdlib.h>
#include <unistd.h>

void builder_init(struct builder *b)
{
	*b = (struct builder){ .backend = { .kind = BACKEND_STDIO, .fd = -1, .out = -1 } };
}

void builder_free(struct builder *b)
{
	environment_free(&b->environment);
	backend_close(&b->backend);
	nix_free(&b->nix);
	policy_free(b->policy);
	account_free(&b->account);
	builder_init(b);
}

struct first_fault {
	const char *path;
	char *why;
	bool seen;
};

static void keep_first(void *context, const struct policy_fault *fault)
{
	struct first_fault *first = context;

	if (!first->seen)
		log_sentence(first->why, "%s:%u: %s", first->path, fault->line > 0 ? fault->line : 1, fault->text);
	first->seen = true;
}

bool builder_load(struct builder *b, const struct caller *caller, const char *policy_path, enum policy_trustee trustee,
		  char *why)
{
	struct first_fault first = { .path = policy_path, .why = why };
	char reason[SENTENCE_MAX];

	if (account_read(getuid(), &b->account, reason) != ERR_NONE) {
		log_sentence(why, "%s", reason);
		return false;
	}
	return policy_load_for(caller, policy_path, trustee, &b->policy, keep_first, &first);
}

bool builder_find_nix(struct builder *b, char *why)
{
	struct nix_search search = { .configured = b->policy->gateway.nix, .account = &b->account };
	char reason[SENTENCE_MAX];

	if (b->nix.daemon != NULL)
		return true;
	nix_free(&b->nix);
	if (nix_find(&search, &b->nix, reason) == ERR_NONE)
		return true;
	log_sentence(why, "%s", reason);
	return false;
}

bool builder_find_daemon(struct builder *b, char *why)
{
	b->daemon_found = backend_open(&b->policy->gateway, &b->backend, why);
	return b->daemon_found;
}

/* The variables of [environment] in the form the environment takes them; the caller frees the array. */
static struct environment_pair *extra_variables(const struct policy *policy)
{
	struct environment_pair *pairs = calloc(policy->environment_count + 1, sizeof *pairs);

	for (size_t i = 0; pairs != NULL && i < policy->environment_count; i++)
		pairs[i] = (struct environment_pair){ policy->environment[i].name, policy->environment[i].value };
	return pairs;
}

bool builder_make_environment(struct builder *b, char *why)
{
	const struct gateway_settings *settings = &b->policy->gateway;
	struct environment_pair *extra = extra_variables(b->policy);
	struct environment_plan plan = {
		.account = &b->account,
		.nix_folder = b->nix.folder,
		.daemon = settings->daemon == DAEMON_STDIO ? false : b->backend.kind == BACKEND_SOCKET || !b->daemon_found,
		.socket = settings->daemon == DAEMON_PATH ? settings->daemon_path : NULL,
		.store_dir = settings->store_dir,
		.extra = extra,
		.extra_count = b->policy->environment_count,
	};
	enum err err;

	environment_free(&b->environment);
	err = extra == NULL ? ERR_MEMORY : environment_build(&plan, &b->environment);
	free(extra);
	if (err != ERR_NONE)
		log_sentence(why, "no environment can be made: %s", err_text(err));
	return err == ERR_NONE;
}

bool builder_reach_daemon(struct builder *b, char *why)
{
	if (!builder_find_daemon(b, why))
		return false;
	if (b->backend.kind == BACKEND_SOCKET)
		return true;
	return builder_find_nix(b, why) && builder_make_environment(b, why) &&
	       backend_spawn(&b->backend, b->nix.daemon, b->environment.items, why);
}
