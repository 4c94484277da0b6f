#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/session/gate.h"
#include "tests/unit/session/talk.h"

#define PATH STORE "00000000000000000000000000000000-a"
#define DRV PATH ".drv"

static char refusal[SENTENCE_MAX];

static struct value *request_of(struct talk *t, const struct op_table *table, uint64_t number)
{
	struct value *request;

	talk_in_request(t, table, number);
	assert_non_null(t->session.op);
	request = arena_array(&t->session.arena, t->session.op->request->count + 1, sizeof *request);
	return request;
}

static void set(struct talk *t, struct value *request, const char *name, uint64_t number)
{
	value_set_number(request, t->session.op->request, name, number);
}

static enum err judged(struct talk *t, struct value *request)
{
	refusal[0] = '\0';
	return gate_judge(&t->session, request, refusal);
}

/* The one right that every operation needs; 0: none; ~0: no grant has it. */
static const struct {
	unsigned needed;
	uint64_t worker[10], serve[4];
} rights[] = {
	{ OPS_QUERY, { 1, 11, 18, 22, 26, 28, 31, 40, 41 }, { 1, 2, 7 } },
	{ OPS_DOWNLOAD, { 38 }, { 3 } },
	{ OPS_UPLOAD, { 7, 8, 39, 44 }, { 4, 9 } },
	{ OPS_SUBSTITUTE, { 10, 21, 30, 32 }, { 0 } },
	{ OPS_LOG, { 45 }, { 0 } },
	{ OPS_GC_ROOTS, { 12, 14 }, { 0 } },
	{ OPS_GC, { 20, 34, 35 }, { 0 } },
	{ OPS_SIGN, { 37 }, { 0 } },
	{ OPS_LIST_ALL, { 6, 23, 29, 33 }, { 0 } },
	{ OPS_REALISATIONS, { 42, 43 }, { 0 } },
	{ OPS_BUILD, { 36 }, { 8 } },
	{ 0, { 13, 19 }, { 0 } },
	{ ~0U, { 3, 4, 5, 16, 24, 25, 27, 47, 48 }, { 5 } },
	{ ~0U, { 49, 50, 1000, 1001 }, { 0 } },
};

static void assert_needs(struct talk *t, const struct op_table *table, uint64_t number, unsigned needed)
{
	for (unsigned bit = OPS_QUERY; bit <= OPS_REALISATIONS; bit <<= 1) {
		t->grant.operations = bit;
		if ((judged(t, request_of(t, table, number)) == ERR_NONE) != (needed == 0 || needed == bit))
			fail_msg("%s %llu with right %x alone", table->protocol, (unsigned long long)number, bit);
		t->grant.operations = ~bit;
		if ((judged(t, request_of(t, table, number)) == ERR_NONE) != (needed != bit && needed != ~0U))
			fail_msg("%s %llu without right %x", table->protocol, (unsigned long long)number, bit);
	}
}

static void each_operation_needs_its_own_right_and_no_other(void **state)
{
	struct talk *t = *state;
	size_t seen = 0;

	for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
		for (size_t k = 0; k < 10 && rights[i].worker[k] != 0; k++, seen++)
			assert_needs(t, &worker_ops, rights[i].worker[k], rights[i].needed);
		t->session.client_minor = 7;
		for (size_t k = 0; k < 4 && rights[i].serve[k] != 0; k++, seen++)
			assert_needs(t, &serve_ops, rights[i].serve[k], rights[i].needed);
		t->session.client_minor = 38;
	}
	/* All there are, but for those that depend on what they name: 9, 46 and the serve protocol's 6. */
	assert_int_equal(seen, worker_ops.count + serve_ops.count - 3);
}

static void building_is_for_derivations_and_fetching_for_bare_paths(void **state)
{
	static const uint64_t numbers[] = { 9, 46 };
	struct talk *t = *state;
	struct value *request;

	for (size_t i = 0; i < 2; i++) {
		t->grant.operations = OPS_SUBSTITUTE;
		request = request_of(t, &worker_ops, numbers[i]);
		*request = LIST(t, PATH, PATH);
		assert_int_equal(judged(t, request), ERR_NONE);
		*request = LIST(t, PATH, DRV "!out");
		assert_int_equal(judged(t, request), ERR_DENIED);
		*request = LIST(t, PATH, DRV);
		assert_int_equal(judged(t, request), ERR_DENIED);
		t->grant.operations = OPS_BUILD | OPS_SUBSTITUTE;
		assert_int_equal(judged(t, request), ERR_NONE);
		t->grant.operations = OPS_BUILD;
		*request = LIST(t, DRV, DRV "!*");
		assert_int_equal(judged(t, request), ERR_NONE);
	}
	t->session.client_minor = 7;
	request = request_of(t, &serve_ops, 6);
	*request = LIST(t, DRV);
	assert_int_equal(judged(t, request), ERR_NONE);
	t->grant.operations = OPS_SUBSTITUTE;
	assert_int_equal(judged(t, request), ERR_DENIED);
}

static void asking_for_bare_paths_that_are_all_there_is_a_question(void **state)
{
	struct talk *t = *state;
	struct value *request = request_of(t, &worker_ops, 46);

	fake_add(&t->fake, PATH, NULL, true);
	talk_start_daemon(t);
	t->grant.operations = OPS_QUERY;
	*request = LIST(t, PATH, PATH);
	assert_int_equal(judged(t, request), ERR_NONE);
	assert_string_equal(talk_heard(t), "QueryValidPaths [ a a ] 0\n");
	*request = LIST(t, PATH, PATH "-dev");
	assert_int_equal(judged(t, request), ERR_DENIED);
	*request = LIST(t, PATH, DRV "!*");
	assert_int_equal(judged(t, request), ERR_DENIED);
	t->grant.operations = OPS_BUILD | OPS_QUERY;
	assert_int_equal(judged(t, request), ERR_NONE);
	*request = LIST(t, DRV "!*", PATH "-dev");      /* a build does not bring the right to fetch beside it */
	assert_int_equal(judged(t, request), ERR_DENIED);
}

/* Not even by the gateway itself, on the way to its verdict. */
static void nothing_is_asked_for_a_key_that_may_not_ask(void **state)
{
	struct talk *t = *state;
	struct value *request = request_of(t, &worker_ops, 46);

	fake_add(&t->fake, PATH, NULL, true);
	talk_start_daemon(t);
	t->grant.operations = OPS_BUILD;
	*request = LIST(t, PATH);
	assert_int_equal(judged(t, request), ERR_DENIED);
	assert_string_equal(talk_heard(t), "");
	t->grant.operations = 0;
	*request = (struct value){ .count = 0 };
	assert_int_equal(judged(t, request), ERR_DENIED);
	t->grant.operations = OPS_QUERY;
	assert_int_equal(judged(t, request), ERR_NONE);
	t->grant.operations = OPS_SUBSTITUTE;
	assert_int_equal(judged(t, request), ERR_NONE);
	assert_string_equal(talk_heard(t), "");
}

static void to_check_needs_both_rights_and_to_repair_is_for_nobody(void **state)
{
	static const uint64_t numbers[] = { 9, 36, 46 };
	struct talk *t = *state;

	for (size_t i = 0; i < 3; i++) {
		struct value *request = request_of(t, &worker_ops, numbers[i]);

		if (numbers[i] != 36)
			*request = LIST(t, DRV "!*");
		set(t, request, "mode", BUILD_MODE_CHECK);
		t->grant.operations = OPS_BUILD;
		assert_int_equal(judged(t, request), ERR_DENIED);
		t->grant.operations = OPS_CHECK;
		assert_int_equal(judged(t, request), ERR_DENIED);
		t->grant.operations = OPS_BUILD | OPS_CHECK;
		assert_int_equal(judged(t, request), ERR_NONE);
		assert_int_equal(t->session.build_mode, BUILD_MODE_CHECK);
		t->grant.operations = ~0U;
		set(t, request, "mode", BUILD_MODE_REPAIR);
		assert_int_equal(judged(t, request), ERR_DENIED);
		assert_holds(refusal, "alice may not use repair (allowed: to nobody)");
		set(t, request, "mode", BUILD_MODE_NORMAL);
		assert_int_equal(judged(t, request), ERR_NONE);
		assert_int_equal(t->session.build_mode, BUILD_MODE_NORMAL);
	}
}

static void every_flag_to_repair_is_refused(void **state)
{
	struct talk *t = *state;
	size_t flags = 0;

	for (size_t i = 0; i < worker_ops.count; i++) {
		const struct op *op = &worker_ops.ops[i];
		struct value *request = request_of(t, &worker_ops, op->number);

		if (shape_index(op->request, "repair") == op->request->count)
			continue;
		flags++;
		set(t, request, "repair", 1);
		assert_int_equal(judged(t, request), ERR_DENIED);
		assert_holds(refusal, "may not use repair");
	}
	assert_int_equal(flags, 4);     /* AddToStore, AddToStoreNar, AddMultipleToStore, VerifyStore */
}

static void fetching_meanwhile_is_left_out_where_it_is_not_granted(void **state)
{
	struct talk *t = *state;
	struct value *request = request_of(t, &worker_ops, 31);

	t->grant.operations = OPS_QUERY | OPS_SUBSTITUTE;
	set(t, request, "substitute", 1);
	assert_int_equal(judged(t, request), ERR_NONE);
	assert_int_equal(value_of(request, t->session.op->request, "substitute")->number, 1);
	t->grant.operations = OPS_QUERY;
	assert_int_equal(judged(t, request), ERR_NONE);
	assert_int_equal(value_of(request, t->session.op->request, "substitute")->number, 0);
}

static void a_refusal_names_key_operation_and_subject_and_is_on_record_with_its_rule(void **state)
{
	struct talk *t = *state;
	struct value *request = request_of(t, &worker_ops, 38);

	*request = (struct value){ .text = PATH, .len = strlen(PATH) };
	t->grant.operations = OPS_QUERY | OPS_BUILD;
	t->grant.rules[GRANT_OPERATIONS].line = 41;
	assert_int_equal(judged(t, request), ERR_DENIED);
	assert_string_equal(refusal, "alice may not use NarFromPath (allowed: query build): " PATH
				     "; ask the builder's administrator");
	assert_holds(talk_records(t), "\"event\":\"denied\"");
	assert_holds(talk_records(t), "\"operation\":\"NarFromPath\",\"subject\":\"" PATH "\"");
	assert_holds(talk_records(t), "\"rule\":\"policy.ini:41\"");
	assert_null(t->session.outcome);
}

static void a_refusal_that_cannot_be_recorded_ends_the_session(void **state)
{
	struct talk *t = *state;

	close(t->audit.file);
	t->audit.file = open("/dev/full", O_WRONLY);
	t->grant.operations = 0;
	assert_int_equal(judged(t, request_of(t, &worker_ops, 38)), ERR_IO);
	assert_string_equal(t->session.outcome, "failed");
	assert_holds(t->session.why, "this builder cannot write its audit record (records: No space left on device)");
}

static void the_subject_is_the_field_that_the_row_names(void **state)
{
	struct talk *t = *state;
	struct value *request = request_of(t, &worker_ops, 46);

	assert_int_equal(gate_subject(t->session.op, request).len, 0);
	*request = LIST(t, DRV "!*", PATH);
	assert_true(text_is(gate_subject(t->session.op, request), DRV "!*"));
	request = request_of(t, &worker_ops, 14);
	assert_int_equal(gate_subject(t->session.op, request).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_operation_needs_its_own_right_and_no_other),
		TEST(building_is_for_derivations_and_fetching_for_bare_paths),
		TEST(asking_for_bare_paths_that_are_all_there_is_a_question),
		TEST(nothing_is_asked_for_a_key_that_may_not_ask),
		TEST(to_check_needs_both_rights_and_to_repair_is_for_nobody),
		TEST(every_flag_to_repair_is_refused),
		TEST(fetching_meanwhile_is_left_out_where_it_is_not_granted),
		TEST(a_refusal_names_key_operation_and_subject_and_is_on_record_with_its_rule),
		TEST(a_refusal_that_cannot_be_recorded_ends_the_session),
		TEST(the_subject_is_the_field_that_the_row_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
