#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/session/basic.h"
#include "tests/unit/session/judging.h"

#define INPUT STORE "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii-input"

/* A BuildDerivation that can be changed before it is put. */
struct asked {
	struct value *request;
	const struct shape *shape;
	struct basic basic;
};

static struct asked asked;

static void set(const char *name, const char *text)
{
	value_set_text(asked.request, asked.shape, name, text_of(text));
}

/* The one output. */
static void set_output(struct talk *t, const char *name, const char *path, const char *method, const char *hash)
{
	struct value *output = value_set_items(&t->session.arena, asked.request, asked.shape, "outputs", 1);

	value_set_text(output, &shape_output, "name", text_of(name));
	value_set_text(output, &shape_output, "path", text_of(path));
	value_set_text(output, &shape_output, "methodAlgo", text_of(method));
	value_set_text(output, &shape_output, "hash", text_of(hash));
}

static void set_variable(struct talk *t, const char *name, const char *value)
{
	struct value *item = value_set_items(&t->session.arena, asked.request, asked.shape, "environment", 1);

	value_set_text(item, &shape_variable, "name", text_of(name));
	value_set_text(item, &shape_variable, "value", text_of(value));
}

/* A derivation "a" of one floating output, under a path of the client's choice. */
static void ask_floating(struct talk *t)
{
	talk_in_request(t, &worker_ops, 36);
	t->session.state = SESSION_WORK;
	asked.shape = t->session.op->request;
	asked.request = values_new(&t->session.arena, asked.shape);
	set("drvPath", STORE "00000000000000000000000000000000-a.drv");
	set("system", "x86_64-linux");
	set("builder", "/bin/sh");
	set_output(t, "out", "", "r:sha256", "");
}

/* The same with an input-addressed output at `path`. */
static void ask_addressed(struct talk *t, const char *drv, const char *path)
{
	ask_floating(t);
	set("drvPath", drv);
	set_output(t, "out", path, "", "");
	set_variable(t, "out", path);
}

static enum err judged(struct talk *t)
{
	if (!t->fake.started)
		talk_start_daemon(t);
	snprintf(refusal, sizeof refusal, "nothing");
	rule.line = 999;
	return basic_judge(&t->session, asked.request, asked.shape, &asked.basic, refusal, &rule);
}

/* What the client calls it is not believed: the daemon is told the path of this very text. */
static void a_content_addressed_one_gets_the_path_of_its_own_text(void **state)
{
	struct talk *t = *state;
	struct store_path first;

	ask_floating(t);
	assert_int_equal(judged(t), ERR_NONE);
	first = asked.basic.drv_path;
	assert_true(store_path_is_drv(store_path_text(&first)));
	assert_string_equal(first.bytes + FAKE_PREFIX, "a.drv");
	assert_string_not_equal(first.bytes, STORE "00000000000000000000000000000000-a.drv");
	set("drvPath", first.bytes);
	assert_int_equal(judged(t), ERR_NONE);
	assert_string_equal(asked.basic.drv_path.bytes, first.bytes);
	set("builder", "/bin/bash");
	assert_int_equal(judged(t), ERR_NONE);
	assert_string_not_equal(asked.basic.drv_path.bytes, first.bytes);
	assert_false(asked.basic.stored);
}

static void its_facts_are_judged_as_those_of_a_target(void **state)
{
	static char kvm[] = "kvm", *words[] = { kvm };
	struct talk *t = *state;

	ask_floating(t);
	t->grant.derivations = KIND_INPUT_ADDRESSED | KIND_FIXED_OUTPUT;
	assert_int_equal(judged(t), ERR_DENIED);
	assert_holds(refusal, "build content-addressed derivations");
	t->grant.derivations = ~0U;
	only_system(t, "i686-linux");
	assert_int_equal(judged(t), ERR_DENIED);
	assert_int_equal(rule.line, 7);
	only_system(t, "x86_64-linux");
	assert_int_equal(judged(t), ERR_NONE);
	t->grant.mandatory_features = (struct text_list){ .items = words, .count = 1 };
	assert_int_equal(judged(t), ERR_DENIED);
	set_variable(t, "requiredSystemFeatures", "kvm");
	assert_int_equal(judged(t), ERR_NONE);
}

static void a_fixed_output_must_lie_where_its_hash_says(void **state)
{
	struct talk *t = *state;

	ask_addressed(t, STORE "00000000000000000000000000000000-a.drv", STORE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-a");
	set_output(t, "out", STORE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-a", "sha256",
		   "0a430879c266f8b57f4092a0f935cf3facd48bbccde5760d4748ca405171e969");
	t->grant.trust = TRUST_FULL;
	assert_int_equal(judged(t), ERR_DENIED);
	assert_holds(refusal, "whose path is not the one of its hash");
}

static void an_input_that_is_missing_is_fetched_or_an_end(void **state)
{
	struct talk *t = *state;
	struct fake_path *input = fake_add(&t->fake, INPUT, NULL, false);

	input->fetchable = true;
	ask_floating(t);
	*value_at(asked.request, asked.shape, "inputs") = LIST(t, INPUT);
	t->grant.operations = ~(unsigned)OPS_SUBSTITUTE;
	assert_int_equal(judged(t), ERR_DENIED);
	assert_holds(refusal, INPUT "; copy it to the builder first");
	assert_null(strstr(talk_heard(t), "EnsurePath"));
	t->grant.operations = ~0U;
	assert_int_equal(judged(t), ERR_NONE);
	assert_string_equal(talk_heard(t), "QueryValidPaths [ input ] 0\nEnsurePath input\n");
	assert_int_equal(judged(t), ERR_NONE);
	assert_string_equal(talk_heard(t), "QueryValidPaths [ input ] 0\n");
	input->valid = input->fetchable = false;
	assert_int_equal(path_set_add(&t->session.taken_off, text_of(INPUT), NULL), ERR_NONE);
	assert_int_equal(judged(t), ERR_DENIED);
	assert_holds(refusal, "its output came unsigned: sign it, or have the builder trust its cache");
	assert_null(t->session.outcome);
}

static void an_input_addressed_one_is_the_builders_own_or_none(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a");
	t->grant.rules[GRANT_TRUST].line = 9;
	ask_addressed(t, a.path, a.out);
	assert_int_equal(judged(t), ERR_DENIED);
	assert_holds(refusal, "alice may not say what an input-addressed derivation comes to");
	assert_int_equal(rule.line, 9);
	hold_drv(t, &a, false);
	assert_int_equal(judged(t), ERR_NONE);
	assert_true(asked.basic.stored);
}

static void the_builders_own_must_have_the_very_same_outputs(void **state)
{
	struct talk *t = *state;
	struct made a, b;

	MAKE(&a, .name = "a");
	MAKE(&b, .name = "b", .outputs = "dev out");
	hold_drv(t, &a, true);
	hold_drv(t, &b, true);
	ask_addressed(t, a.path, STORE "cccccccccccccccccccccccccccccccc-a");
	assert_int_equal(judged(t), ERR_DENIED);
	assert_false(asked.basic.stored);
	ask_addressed(t, b.path, b.out);        /* one output of two */
	assert_int_equal(judged(t), ERR_DENIED);
	assert_false(asked.basic.stored);
}

static void an_output_more_than_the_builders_own_has_is_not_the_very_same(void **state)
{
	struct talk *t = *state;
	struct value *outputs, *env;
	struct made a;
	char more[128];

	MAKE(&a, .name = "a");
	made_output(more, "a", "z");
	hold_drv(t, &a, true);
	ask_addressed(t, a.path, a.out);
	outputs = value_set_items(&t->session.arena, asked.request, asked.shape, "outputs", 2);
	env = value_set_items(&t->session.arena, asked.request, asked.shape, "environment", 2);
	for (size_t i = 0; i < 2; i++) {
		struct text name = text_of(i == 0 ? "out" : "z"), path = text_of(i == 0 ? a.out : more);

		value_set_text(outputs + i * shape_output.count, &shape_output, "name", name);
		value_set_text(outputs + i * shape_output.count, &shape_output, "path", path);
		value_set_text(env + i * shape_variable.count, &shape_variable, "name", name);
		value_set_text(env + i * shape_variable.count, &shape_variable, "value", path);
	}
	assert_int_equal(judged(t), ERR_DENIED);
	assert_holds(refusal, "may not say what an input-addressed derivation comes to");
	assert_false(asked.basic.stored);
}

/* Where no output has a path there is nothing to compare. */
static void outputs_without_a_path_are_never_the_very_same(void **state)
{
	struct talk *t = *state;
	struct made a;

	MAKE(&a, .name = "a", .floating = true);
	hold_drv(t, &a, true);
	ask_addressed(t, a.path, "");
	*value_at(asked.request, asked.shape, "environment") = (struct value){ .count = 0 };
	assert_int_equal(judged(t), ERR_DENIED);
	assert_false(asked.basic.stored);
}

static void full_trust_takes_the_clients_word_but_asks_policy(void **state)
{
	struct talk *t = *state;
	const char *drv = STORE "00000000000000000000000000000000-a.drv";

	t->grant.trust = TRUST_FULL;
	ask_addressed(t, drv, STORE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-a");
	assert_int_equal(judged(t), ERR_NONE);
	assert_string_equal(asked.basic.drv_path.bytes, drv);
	only_system(t, "i686-linux");
	assert_int_equal(judged(t), ERR_DENIED);
	assert_holds(refusal, "build for 'x86_64-linux'");
}

static void what_contradicts_itself_is_refused_whatever_the_trust(void **state)
{
	struct talk *t = *state;

	t->grant.trust = TRUST_FULL;
	ask_addressed(t, STORE "00000000000000000000000000000000-a.drv", STORE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-b");
	assert_int_equal(judged(t), ERR_DENIED);
	assert_holds(refusal, "whose path is named otherwise");
	set("drvPath", STORE "00000000000000000000000000000000-a");
	assert_int_equal(judged(t), ERR_DENIED);
	assert_holds(refusal, "is no derivation");
	ask_floating(t);
	set("builder", "");
	assert_int_equal(judged(t), ERR_DENIED);
	assert_holds(refusal, "names no builder");
	assert_null(t->session.outcome);
	assert_string_equal(talk_heard(t), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_content_addressed_one_gets_the_path_of_its_own_text),
		TEST(its_facts_are_judged_as_those_of_a_target),
		TEST(a_fixed_output_must_lie_where_its_hash_says),
		TEST(an_input_that_is_missing_is_fetched_or_an_end),
		TEST(an_input_addressed_one_is_the_builders_own_or_none),
		TEST(the_builders_own_must_have_the_very_same_outputs),
		TEST(an_output_more_than_the_builders_own_has_is_not_the_very_same),
		TEST(outputs_without_a_path_are_never_the_very_same),
		TEST(full_trust_takes_the_clients_word_but_asks_policy),
		TEST(what_contradicts_itself_is_refused_whatever_the_trust),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
