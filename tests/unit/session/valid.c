#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/session/valid.h"
#include "tests/unit/session/talk.h"

#define A STORE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-a"
#define B STORE "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-b"
#define C STORE "cccccccccccccccccccccccccccccccc-c"

static enum err hold(struct talk *t, const char *first, const char *second)
{
	struct text paths[] = { text_of(first), text_of(second) };

	if (!t->fake.started)
		talk_start_daemon(t);
	t->session.state = SESSION_WORK;
	return valid_hold(&t->session, paths, 2);
}

/* The daemon writes down each time that it is asked. */
static void a_path_is_held_once_however_often_it_is_asked_for(void **state)
{
	struct talk *t = *state;

	assert_int_equal(hold(t, A, B), ERR_NONE);
	assert_int_equal(hold(t, B, C), ERR_NONE);
	assert_int_equal(hold(t, C, C), ERR_NONE);
	assert_string_equal(talk_heard(t), "AddTempRoot a\nAddTempRoot b\nAddTempRoot c\n");
}

static void a_session_holds_so_many_paths_and_no_more(void **state)
{
	struct talk *t = *state;

	t->session.held.max = 2;
	assert_int_equal(hold(t, A, B), ERR_NONE);
	assert_int_equal(hold(t, B, A), ERR_NONE);
	assert_int_equal(hold(t, B, C), ERR_LIMIT);
	assert_string_equal(t->session.outcome, "refused");
	assert_holds(t->session.why, "which is all it may; begin a new one");
	assert_string_equal(talk_heard(t), "AddTempRoot a\nAddTempRoot b\n");
}

/* What is in the set is taken for held: it must not be there where the daemon has said no. */
static void a_daemon_that_does_not_hold_a_path_ends_the_session(void **state)
{
	struct talk *t = *state;

	t->fake.rules[0] = (struct fake_rule){ .about = "AddTempRoot b", .error = "disk is full" };
	assert_int_equal(hold(t, A, B), ERR_PROTO);
	assert_holds(t->session.why, "the Nix daemon holds no path: disk is full");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_is_held_once_however_often_it_is_asked_for),
		TEST(a_session_holds_so_many_paths_and_no_more),
		TEST(a_daemon_that_does_not_hold_a_path_ends_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
