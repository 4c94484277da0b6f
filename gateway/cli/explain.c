/* explain: what the policy says to a question, and the line that says so, without a session. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/cli/commands.h"
#include "gateway/cli/drv_file.h"
#include "gateway/cli/options.h"
#include "policy/load.h"
#include "policy/operation.h"

enum { DRV_MEMORY = 256 * 1024 * 1024 }; /* most that one derivation may take */

/* What is asked, as the command line has it. */
struct questions {
	const char *key, *policy_path, *system;
	struct option_list features;
	const char **drvs; /* owns, as features.items */
	size_t drv_count;
};

struct explanation {
	const struct policy *policy; /* borrows */
	const struct key *key;	     /* borrows */
	const char *policy_path;     /* borrows */
	bool refused, failed;
};

static void print_answer(struct explanation *e, const char *subject, const struct verdict *verdict)
{
	char safe[SENTENCE_MAX];
	const char *text = verdict->allow ? subject : verdict->text;

	log_escape(safe, sizeof safe, text, strlen(text));
	printf("%s: %s", verdict->allow ? "allowed" : "refused", safe);
	if (verdict->rule.line > 0)
		printf(" (%s:%u)\n", e->policy_path, verdict->rule.line);
	else
		printf(" (%s)\n", verdict->allow ? "by default" : "nothing in the policy allows it");
	e->refused |= !verdict->allow;
}

/* Any protocol will do: none is spoken. */
static struct verdict judge_session(const struct explanation *e)
{
	return policy_decide_session(e->policy, e->key, (enum protocol)e->key->grant->protocols, policy_today());
}

/* In the order of a session: may the key come in, may it build at all, may it build this? */
static struct verdict judge(const struct explanation *e, const struct build_ask *ask)
{
	struct verdict verdict = judge_session(e);

	if (verdict.allow && e->key->grant->relay == RELAY_EXEC)
		return (struct verdict){ .allow = true, .rule = e->key->grant->rules[GRANT_RELAY] };
	if (verdict.allow)
		verdict = policy_decide_operation(e->key, OPS_BUILD, "build", ask->drv);
	return verdict.allow ? policy_decide_build(e->key, ask) : verdict;
}

static void answer(struct explanation *e, const char *subject, const struct build_ask *ask)
{
	struct verdict verdict = judge(e, ask);
	char unjudged[SENTENCE_MAX];

	if (verdict.allow && e->key->grant->relay == RELAY_EXEC) {
		log_sentence(unjudged, "%s, if the Nix daemon allows it: relay = exec judges nothing", subject);
		subject = unjudged;
	}
	print_answer(e, subject, &verdict);
}

static void answer_drv(struct explanation *e, const char *path)
{
	struct build_ask ask;
	struct arena arena;
	const char *why;
	enum err err;

	arena_init(&arena, DRV_MEMORY);
	err = drv_file_ask(&arena, e->policy->gateway.store_dir, path, &ask, &why);
	ask.wanted = true;
	if (err == ERR_NONE) {
		answer(e, path, &ask);
	} else if (err == ERR_PROTO || err == ERR_LIMIT) {
		struct verdict verdict = { .allow = false };

		snprintf(verdict.text, sizeof verdict.text,
			 "%s may not build what cannot be judged (allowed: derivations as Nix writes them): %.400s: "
			 "this derivation %s",
			 e->key->name, path, why);
		print_answer(e, path, &verdict);
	} else {
		log_say("%s: %s", path, err == ERR_IO ? strerror(errno) : err_text(err));
		e->failed = true;
	}
	arena_free(&arena);
}

static void answer_all(struct explanation *e, const struct questions *q)
{
	if (q->system != NULL)
		answer(e, q->system,
		       &(struct build_ask){ .system = q->system, .any_system = strcmp(q->system, "builtin") == 0 });
	for (size_t i = 0; i < q->features.count; i++)
		answer(e, q->features.items[i],
		       &(struct build_ask){ .features = q->features.items + i, .feature_count = 1 });
	for (size_t i = 0; i < q->drv_count; i++)
		answer_drv(e, q->drvs[i]);
}

static void say_fault(void *context, const struct policy_fault *fault)
{
	log_say("%s:%u: %s", (const char *)context, fault->line > 0 ? fault->line : 1, fault->text);
}

static int explain(const struct questions *q)
{
	struct explanation e = { .policy_path = q->policy_path };
	struct caller caller = { .key_name = q->key };
	enum policy_trustee trustee = geteuid() == 0 ? POLICY_OWNER_CHECKED : POLICY_OWNER_IGNORED;
	char place[SENTENCE_MAX];
	struct policy *policy;
	struct verdict why;

	snprintf(place, sizeof place, "%s", q->policy_path);
	if (!policy_load(q->policy_path, trustee, &policy, say_fault, place))
		return EXIT_USAGE;
	e.policy = policy;
	e.key = policy_identify(policy, &caller, &why);
	if (e.key != NULL)
		answer_all(&e, q);
	else
		log_say("%s", why.text);
	e.failed |= e.key == NULL;
	policy_free(policy);
	return e.failed ? EXIT_USAGE : e.refused ? EXIT_REFUSED : EXIT_FINE;
}

static bool read_questions(int argc, char **argv, struct questions *q)
{
	const struct option_row rows[] = {
		{ .name = "--key", .value = &q->key },
		{ .name = "--policy", .value = &q->policy_path },
		{ .name = "--system", .value = &q->system },
		{ .name = "--feature", .list = &q->features },
	};

	if (!options_read(argc, argv, rows, sizeof rows / sizeof *rows, q->drvs, (size_t)argc, &q->drv_count))
		return false;
	if (q->key == NULL)
		log_say("explain needs --key NAME, the section of the policy; '*' for [key *]");
	else if (q->system == NULL && q->features.count + q->drv_count == 0)
		log_say("explain needs a question: --system S, --feature F, or the path of a .drv file");
	else
		return true;
	return false;
}

int command_explain(int argc, char **argv)
{
	struct questions q = { .policy_path = POLICY_PATH };
	int status = EXIT_USAGE;

	q.drvs = calloc((size_t)argc + 1, sizeof *q.drvs);
	q.features.items = calloc((size_t)argc + 1, sizeof *q.features.items);
	if (q.drvs == NULL || q.features.items == NULL)
		log_say("%s", err_text(ERR_MEMORY));
	else if (read_questions(argc, argv, &q))
		status = explain(&q);
	free(q.drvs);
	free(q.features.items);
	return status;
}
