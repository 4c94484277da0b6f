/* talk: a session between a client, which is the test, and a daemon: a fake one, or bytes that are laid ready.
 * The grant allows everything until a test takes something away. Records go to a file without a name. */
#ifndef TESTS_UNIT_SESSION_TALK_H
#define TESTS_UNIT_SESSION_TALK_H

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "gateway/nix/shapes.h"
#include "gateway/session/session.h"
#include "tests/unit/session/fake_daemon.h"

struct talk {
	struct policy policy;
	struct key key;
	struct grant grant;
	struct command command;
	struct audit audit;
	struct session session;
	int client, daemon;             /* their ends */
	int log;                        /* reads what a serve client is told on stderr */
	struct fake fake;
	struct buf said;                /* what the client was told: talk_said */
	char records[64 * 1024];        /* talk_records */
};

#define STORE "/nix/store/"

static inline char *talk_word(const char *word)
{
	return (char *)(uintptr_t)word;
}

static inline void talk_grant(struct talk *t)
{
	t->grant.operations = ~0U;
	t->grant.protocols = ~0U;
	t->grant.derivations = ~0U;
	t->grant.systems.any = t->grant.features.any = t->grant.impure_env_vars.any = true;
	t->grant.stall_time.value = t->grant.idle_time.value = 60;
}

static inline int talk_temporary(void)
{
	char name[] = "/tmp/nix-gateway-unit.XXXXXX";
	int fd = mkstemp(name);

	if (fd >= 0)
		unlink(name);
	return fd;
}

static inline int talk_begin(void **state)
{
	struct talk *t = calloc(1, sizeof *t);
	int client[2], daemon[2], log[2];

	signal(SIGPIPE, SIG_IGN);
	if (t == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, client) != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, daemon) != 0 || pipe(log) != 0)
		return -1;
	t->policy.path = talk_word("policy.ini");
	t->policy.gateway.store_dir = talk_word("/nix/store");
	t->key.name = talk_word("alice");
	t->key.grant = &t->grant;
	t->command.kind = COMMAND_WORKER;
	talk_grant(t);
	audit_init(&t->audit);
	t->audit.places = AUDIT_TO_FILE;
	t->audit.path = "records";
	t->audit.file = talk_temporary();
	session_init(&t->session, &t->policy, &t->key, &t->audit, &t->command, client[0], client[0], log[1]);
	nix_conf_default(&t->session.settings.conf);
	peer_init(&t->session.daemon, "daemon", daemon[0], daemon[0]);
	t->session.daemon_minor = t->session.client_minor = 38;
	t->client = client[1];
	t->daemon = daemon[1];
	t->log = log[0];
	buf_init(&t->said, 1 << 26);
	*state = t;
	return t->audit.file < 0 ? -1 : 0;
}

static inline int talk_end(void **state)
{
	struct talk *t = *state;
	int log = t->session.log.out;

	session_free(&t->session);
	fake_stop(&t->fake);
	buf_free(&t->said);
	audit_close(&t->audit);
	close(t->client);
	close(t->daemon);
	close(t->log);
	close(log);
	free(t);
	return 0;
}

/* From now on a fake daemon answers. */
static inline void talk_start_daemon(struct talk *t)
{
	fake_start(&t->fake, t->daemon, t->session.daemon_minor);
}

/* In the middle of a request of this number. */
static inline void talk_in_request(struct talk *t, const struct op_table *table, uint64_t number)
{
	t->session.op = op_find(table, t->session.client_minor, number);
	t->session.state = SESSION_REQUEST;
}

/* What the daemon was asked since the last call; lent until the next. */
static inline const char *talk_heard(struct talk *t)
{
	static char heard[FAKE_HEARD];

	pthread_mutex_lock(&t->fake.lock);
	memcpy(heard, t->fake.heard, sizeof heard);
	t->fake.heard[0] = '\0';
	pthread_mutex_unlock(&t->fake.lock);
	return heard;
}

static inline void talk_write(int fd, const void *bytes, size_t len)
{
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
}

/* The client sends a request, number and all. */
static inline void talk_request(struct talk *t, const struct op_table *table, uint64_t number, const struct value *values)
{
	const struct op *op = op_find(table, t->session.client_minor, number);
	struct buf b;

	buf_init(&b, 1 << 20);
	assert_non_null(op);
	assert_int_equal(put_u64(&b, number), ERR_NONE);
	assert_int_equal(message_put(&b, op->request, t->session.client_minor, values), ERR_NONE);
	talk_write(t->client, buf_data(&b), buf_len(&b));
	buf_free(&b);
}

/* Everything the client was told and has not taken yet, in t->said; the session need not go on for it. */
static inline const struct buf *talk_said(struct talk *t)
{
	uint8_t *space;
	ssize_t n;

	do {
		peer_write(&t->session.client);
		assert_int_equal(buf_reserve(&t->said, 65536, &space), ERR_NONE);
		n = recv(t->client, space, 65536, MSG_DONTWAIT);
		if (n > 0)
			buf_commit(&t->said, (size_t)n);
	} while (n > 0 || buf_len(&t->session.client.tx) > 0);
	return &t->said;
}

/* The client was told this and nothing else. */
static inline void assert_said(struct talk *t, const struct buf *expected)
{
	const struct buf *got = talk_said(t);

	assert_int_equal(buf_len(got), buf_len(expected));
	if (buf_len(expected) > 0)
		assert_memory_equal(buf_data(got), buf_data(expected), buf_len(expected));
	buf_take(&t->said, buf_len(&t->said));
}

static inline void assert_said_error(struct talk *t, const char *sentence)
{
	struct buf b;

	buf_init(&b, 1 << 16);
	assert_int_equal(stderr_put_error(&b, t->session.client_minor, sentence), ERR_NONE);
	assert_said(t, &b);
	buf_free(&b);
}

static inline void assert_said_nothing(struct talk *t)
{
	struct buf nothing;

	buf_init(&nothing, 1);
	assert_said(t, &nothing);
}

/* The audit until now, a line each. */
static inline const char *talk_records(struct talk *t)
{
	ssize_t n = pread(t->audit.file, t->records, sizeof t->records - 1, 0);

	t->records[n > 0 ? n : 0] = '\0';
	return t->records;
}

static inline void assert_holds(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no '%s' in '%s'", part, text);
}

/* A list of texts as the values of a request have it; lent until the arena is reset. */
static inline struct value talk_list(struct talk *t, const char *const *texts, size_t count)
{
	struct value list = { .items = arena_array(&t->session.arena, count + 1, sizeof list), .count = count };

	for (size_t i = 0; i < count; i++)
		list.items[i] = (struct value){ .text = texts[i], .len = strlen(texts[i]) };
	return list;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, talk_begin, talk_end)
#define LIST(t, ...) talk_list(t, (const char *const[]){ __VA_ARGS__ }, \
			       sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))

#endif
