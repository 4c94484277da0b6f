#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/cli/options.h"

/* What a command line left behind. */
struct seen {
	const char *key, *policy, *features[16], *operands[2];
	struct option_list list;
	size_t count;
	bool json;
};

static bool read_words(struct seen *s, const char *const *words, int count)
{
	const struct option_row rows[] = {
		{ .name = "--key", .value = &s->key },
		{ .name = "--policy", .value = &s->policy },
		{ .name = "--feature", .list = &s->list },
		{ .name = "--json", .flag = &s->json },
	};

	*s = (struct seen){ .policy = "default" };
	s->list.items = s->features;
	return options_read(count, (char **)(uintptr_t)words, rows, 4, s->operands, 2, &s->count);
}

#define READ(s, ...) read_words(s, (const char *const[]){ __VA_ARGS__ }, \
				(int)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *)))

static void a_value_stands_in_the_next_word_or_behind_an_equals_sign(void **unused)
{
	struct seen s;

	(void)unused;
	assert_true(READ(&s, "--key", "alice", "--policy=/etc/p.ini"));
	assert_string_equal(s.key, "alice");
	assert_string_equal(s.policy, "/etc/p.ini");
	assert_true(READ(&s, "--key="));
	assert_string_equal(s.key, "");
	assert_string_equal(s.policy, "default");
	assert_true(READ(&s, "--key=a=b"));
	assert_string_equal(s.key, "a=b");
}

/* What sshd hands over may begin with a dash: it is the value all the same, not another option. */
static void a_value_may_look_like_an_option(void **unused)
{
	struct seen s;

	(void)unused;
	assert_true(READ(&s, "--key", "--policy"));
	assert_string_equal(s.key, "--policy");
	assert_string_equal(s.policy, "default");
}

static void an_option_without_its_value_is_refused(void **unused)
{
	struct seen s;

	(void)unused;
	assert_false(READ(&s, "--key"));
	assert_false(READ(&s, "--policy", "x", "--feature"));
}

static void an_option_is_given_once_unless_it_has_a_list(void **unused)
{
	struct seen s;

	(void)unused;
	assert_false(READ(&s, "--key", "alice", "--key", "bob"));
	assert_string_equal(s.key, "alice");
	assert_false(READ(&s, "--key=alice", "--key", "alice"));
	assert_true(READ(&s, "--feature", "kvm", "--feature=gpu", "--feature", "kvm"));
	assert_int_equal(s.list.count, 3);
	assert_string_equal(s.features[0], "kvm");
	assert_string_equal(s.features[1], "gpu");
}

static void no_part_of_a_name_is_a_name(void **unused)
{
	struct seen s;

	(void)unused;
	assert_false(READ(&s, "--ke", "alice"));
	assert_false(READ(&s, "--keys", "alice"));
	assert_false(READ(&s, "--KEY", "alice"));
	assert_false(READ(&s, "-k", "alice"));
	assert_false(READ(&s, "-"));
	assert_false(READ(&s, "--"));
}

static void other_words_are_operands_up_to_so_many(void **unused)
{
	struct seen s;

	(void)unused;
	assert_true(READ(&s, "one", "--key", "alice", "two"));
	assert_int_equal(s.count, 2);
	assert_string_equal(s.operands[0], "one");
	assert_string_equal(s.operands[1], "two");
	assert_false(READ(&s, "one", "two", "three"));
	assert_true(READ(&s, ""));
	assert_int_equal(s.count, 1);
}

static void a_flag_takes_no_value(void **unused)
{
	struct seen s;

	(void)unused;
	assert_true(READ(&s, "one"));
	assert_false(s.json);
	assert_true(READ(&s, "--json", "one", "--json"));
	assert_true(s.json);
	assert_int_equal(s.count, 1);
	assert_false(READ(&s, "--json=yes"));
	assert_false(READ(&s, "--jso"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_stands_in_the_next_word_or_behind_an_equals_sign),
		cmocka_unit_test(a_value_may_look_like_an_option),
		cmocka_unit_test(an_option_without_its_value_is_refused),
		cmocka_unit_test(an_option_is_given_once_unless_it_has_a_list),
		cmocka_unit_test(no_part_of_a_name_is_a_name),
		cmocka_unit_test(other_words_are_operands_up_to_so_many),
		cmocka_unit_test(a_flag_takes_no_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
