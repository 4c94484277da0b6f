#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/nix/hello_shapes.h"
#include "gateway/session/greet.h"
#include "tests/unit/session/talk.h"

enum { TOLD_NOTHING = -1 };

static struct backend backend = { .kind = BACKEND_SOCKET, .socket = "/run/daemon", .fd = -1, .out = -1 };

static void write_bytes(int fd, struct bytes *b)
{
	talk_write(fd, b->data, b->len);
	bytes_free(b);
}

/* What a client of this version says first. */
static void client_says_hello(struct talk *t, unsigned minor)
{
	struct bytes b = { .len = 0 };

	t->session.backend = &backend;
	t->session.client_minor = minor;
	add_number(&b, WORKER_MAGIC_CLIENT);
	add_number(&b, 256 + minor);
	for (int i = 0; i < (minor >= 38 ? 3 : 2); i++)
		add_number(&b, 0);      /* no features, no affinity, no reserve */
	write_bytes(t->client, &b);
}

static void daemon_says_hello(struct talk *t, unsigned minor, uint64_t trust)
{
	struct bytes b = { .len = 0 };

	add_number(&b, WORKER_MAGIC_DAEMON);
	add_number(&b, 256 + minor);
	if (minor >= 38)
		add_number(&b, 0);
	if (minor >= 33)
		add_word(&b, "2.99");
	if (minor >= 35)
		add_number(&b, trust);
	add_number(&b, STDERR_LAST);
	write_bytes(t->daemon, &b);
	t->session.daemon_minor = minor;
	t->fake.skip = minor >= 38 ? 40 : 32;
	talk_start_daemon(t);
}

/* The whole of what a client of 1.38 is told, up to the first LAST or ERROR. */
static void assert_welcome(struct talk *t, int trust, const char *refusal)
{
	struct bytes b = { .len = 0 };
	struct buf expected;

	add_number(&b, WORKER_MAGIC_DAEMON);
	add_number(&b, 256 + 38);
	add_number(&b, 0);
	buf_init(&expected, 8192);
	assert_int_equal(buf_put(&expected, b.data, b.len), ERR_NONE);
	bytes_free(&b);
	if (refusal == NULL) {
		add_word(&b, "2.99");
		add_number(&b, (uint64_t)trust);
		assert_int_equal(buf_put(&expected, b.data, b.len), ERR_NONE);
		assert_int_equal(stderr_put_last(&expected), ERR_NONE);
		assert_said(t, &expected);
	} else {
		struct buf end;
		const struct buf *said = talk_said(t);

		buf_init(&end, 8192);
		assert_int_equal(stderr_put_error(&end, 38, refusal), ERR_NONE);
		assert_true(buf_len(said) > buf_len(&expected) + buf_len(&end));
		assert_memory_equal(buf_data(said), buf_data(&expected), buf_len(&expected));
		assert_memory_equal(buf_data(said) + buf_len(said) - buf_len(&end), buf_data(&end), buf_len(&end));
		buf_free(&end);
	}
	buf_free(&expected);
	bytes_free(&b);
}

/* What the daemon thinks of our account is for a key of full trust alone: another would send what cannot be judged. */
static void a_client_is_told_to_be_trusted_only_where_its_key_is(void **state)
{
	struct talk *t = *state;

	client_says_hello(t, 38);
	daemon_says_hello(t, 38, HELLO_TRUST_TRUSTED);
	assert_int_equal(greet(&t->session), ERR_NONE);
	assert_welcome(t, HELLO_TRUST_NOT_TRUSTED, NULL);
	assert_int_equal(t->session.state, SESSION_IDLE);
	assert_holds(talk_records(t), "\"event\":\"session-start\"");
	assert_holds(talk_records(t), "\"client-version\":\"1.38\",\"daemon-version\":\"2.99\"");
	assert_holds(talk_records(t), "\"trust\":\"trusted\"");
	assert_holds(talk_records(t), "\"backend\":\"socket /run/daemon\"");
}

static void a_key_of_full_trust_is_told_what_the_daemon_says(void **state)
{
	struct talk *t = *state;

	t->grant.trust = TRUST_FULL;
	client_says_hello(t, 38);
	daemon_says_hello(t, 38, HELLO_TRUST_TRUSTED);
	assert_int_equal(greet(&t->session), ERR_NONE);
	assert_welcome(t, HELLO_TRUST_TRUSTED, NULL);
}

static void a_daemon_that_does_not_say_is_asked(void **state)
{
	struct talk *t = *state;

	t->fake.rules[0] = (struct fake_rule){ .about = "AddSignatures", .error = "you are not privileged to add" };
	client_says_hello(t, 38);
	daemon_says_hello(t, 34, 0);
	assert_int_equal(greet(&t->session), ERR_NONE);
	assert_int_equal(t->session.trust, HELLO_TRUST_NOT_TRUSTED);
	assert_int_equal(t->session.daemon_minor, 34);
	assert_string_equal(talk_heard(t), "AddToStore nix-gateway-probe text:sha256 [ ] 0 +63\nAddSignatures added [ ]\n");
}

static void a_grants_limits_are_told_before_the_client_may_ask(void **state)
{
	struct talk *t = *state;

	t->grant.max_jobs = (struct limit){ true, 1 };
	client_says_hello(t, 38);
	daemon_says_hello(t, 38, HELLO_TRUST_NOT_TRUSTED);
	assert_int_equal(greet(&t->session), ERR_NONE);
	assert_holds(talk_heard(t), "SetOptions ");
	assert_welcome(t, HELLO_TRUST_NOT_TRUSTED, NULL);
}

static void assert_refused(struct talk *t, const char *sentence)
{
	assert_int_equal(greet(&t->session), ERR_DENIED);
	assert_string_equal(t->session.outcome, "refused");
	assert_string_equal(t->session.why, sentence);
	assert_welcome(t, TOLD_NOTHING, sentence);
	assert_holds(talk_records(t), "\"event\":\"denied\"");
	assert_null(strstr(talk_records(t), "session-start"));
}

static void an_account_that_is_not_as_the_policy_wants_it_is_refused(void **state)
{
	struct talk *t = *state;

	t->policy.gateway.account = ACCOUNT_UNTRUSTED;
	client_says_hello(t, 38);
	daemon_says_hello(t, 38, HELLO_TRUST_TRUSTED);
	assert_refused(t, "the Nix daemon says this account is trusted, and the policy wants it untrusted; take the account out "
			  "of trusted-users in nix.conf");
}

static void an_account_of_unknown_trust_is_neither(void **state)
{
	struct talk *t = *state;

	t->policy.gateway.account = ACCOUNT_TRUSTED;
	t->fake.rules[0] = (struct fake_rule){ .about = "AddSignatures", .error = "something else" };
	client_says_hello(t, 38);
	daemon_says_hello(t, 34, 0);
	assert_refused(t, "the Nix daemon says this account is unknown, and the policy wants it trusted; put the account into "
			  "trusted-users in nix.conf");
}

static void a_daemon_that_leaves_is_told_in_the_clients_handshake(void **state)
{
	struct talk *t = *state;

	client_says_hello(t, 38);
	shutdown(t->daemon, SHUT_WR);
	assert_refused(t, "the Nix daemon closed the connection; is this account in its allowed-users?");
}

static void a_daemon_that_is_silent_is_given_up(void **state)
{
	struct talk *t = *state;

	t->session.limits.handshake_ms = 150;
	client_says_hello(t, 38);
	assert_refused(t, "the Nix daemon does not answer within 0 seconds");
}

static void a_session_that_cannot_be_recorded_is_refused_where_the_client_reads_it(void **state)
{
	struct talk *t = *state;

	close(t->audit.file);
	t->audit.file = open("/dev/full", O_WRONLY);
	client_says_hello(t, 38);
	daemon_says_hello(t, 38, HELLO_TRUST_NOT_TRUSTED);
	assert_int_not_equal(greet(&t->session), ERR_NONE);
	assert_holds(t->session.why, "this builder cannot write its audit record (records: No space left on device)");
	assert_welcome(t, TOLD_NOTHING, t->session.why);
}

static void a_client_that_speaks_something_else_is_no_client(void **state)
{
	struct talk *t = *state;

	talk_write(t->client, "SSH-2.0-x\r\n......", 16);
	daemon_says_hello(t, 38, HELLO_TRUST_NOT_TRUSTED);
	assert_int_equal(greet(&t->session), ERR_PROTO);
	assert_string_equal(t->session.outcome, "protocol-error");
	assert_string_equal(talk_records(t), "");
}

static void a_serve_client_is_greeted_in_its_own_protocol(void **state)
{
	struct talk *t = *state;
	struct bytes b = { .len = 0 };

	t->command.kind = COMMAND_SERVE;
	t->session.backend = &backend;
	add_number(&b, SERVE_MAGIC_CLIENT);
	add_number(&b, 512 + 6);
	write_bytes(t->client, &b);
	daemon_says_hello(t, 38, HELLO_TRUST_NOT_TRUSTED);
	assert_int_equal(greet(&t->session), ERR_NONE);
	assert_int_equal(t->session.client_minor, 6);
	assert_int_equal(buf_len(talk_said(t)), 16);
	assert_holds(talk_records(t), "\"client-version\":\"2.6\"");
	assert_holds(talk_records(t), "\"protocol\":\"ssh\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_is_told_to_be_trusted_only_where_its_key_is),
		TEST(a_key_of_full_trust_is_told_what_the_daemon_says),
		TEST(a_daemon_that_does_not_say_is_asked),
		TEST(a_grants_limits_are_told_before_the_client_may_ask),
		TEST(an_account_that_is_not_as_the_policy_wants_it_is_refused),
		TEST(an_account_of_unknown_trust_is_neither),
		TEST(a_daemon_that_leaves_is_told_in_the_clients_handshake),
		TEST(a_daemon_that_is_silent_is_given_up),
		TEST(a_session_that_cannot_be_recorded_is_refused_where_the_client_reads_it),
		TEST(a_client_that_speaks_something_else_is_no_client),
		TEST(a_serve_client_is_greeted_in_its_own_protocol),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
