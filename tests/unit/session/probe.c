#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/session/probe.h"
#include "tests/unit/session/talk.h"

static enum hello_trust probed(struct talk *t, const char *about, const char *error)
{
	enum hello_trust trust = HELLO_TRUST_TRUSTED;

	t->session.daemon_minor = 34;
	if (about != NULL)
		t->fake.rules[0] = (struct fake_rule){ .about = about, .error = error };
	talk_start_daemon(t);
	assert_int_equal(probe_trust(&t->session, &trust), ERR_NONE);
	assert_null(t->session.outcome);
	assert_said_nothing(t);
	return trust;
}

/* Nothing is stored but a small text of ours, and no signature is added to it. */
static void a_reply_means_trusted(void **state)
{
	assert_int_equal(probed(*state, NULL, NULL), HELLO_TRUST_TRUSTED);
	assert_string_equal(talk_heard(*state),
			    "AddToStore nix-gateway-probe text:sha256 [ ] 0 +63\nAddSignatures added [ ]\n");
}

static void you_are_not_privileged_means_untrusted(void **state)
{
	assert_int_equal(probed(*state, "AddSignatures", "you are not privileged to add signatures"),
			 HELLO_TRUST_NOT_TRUSTED);
}

static void any_other_error_means_that_nobody_knows(void **state)
{
	assert_int_equal(probed(*state, "AddSignatures", "disk is full"), HELLO_TRUST_UNKNOWN);
}

static void where_the_text_is_not_taken_nothing_more_is_asked(void **state)
{
	assert_int_equal(probed(*state, "AddToStore", "you are not privileged"), HELLO_TRUST_UNKNOWN);
	assert_null(strstr(talk_heard(*state), "AddSignatures"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reply_means_trusted),
		TEST(you_are_not_privileged_means_untrusted),
		TEST(any_other_error_means_that_nobody_knows),
		TEST(where_the_text_is_not_taken_nothing_more_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
