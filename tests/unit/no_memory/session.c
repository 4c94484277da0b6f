/* Whole sessions without memory. Whichever allocation fails: the session ends, with a record of why; the daemon was asked
 * nothing but what it is asked anyway; and a worker client was told the beginning of what it is told anyway, then an error. */
#include "tests/unit/no_memory/scarce.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>

#include "gateway/nix/hello_shapes.h"
#include "gateway/session/run.h"
#include "gateway/session/serve.h"
#include "tests/unit/nix/sample.h"
#include "tests/unit/session/heads.h"
#include "tests/unit/session/made_drv.h"

/* What a client says after the handshake, and what policy and daemon make of it. */
struct course {
	void (*say)(struct talk *t, struct bytes *out);
	enum command_kind kind;
	bool denied;                    /* every right but that to ask is missing */
	struct buf said;                /* what the client is told where nothing fails */
	char heard[FAKE_HEARD];         /* likewise the daemon */
	char why[SENTENCE_MAX];         /* how it ends */
};

static struct made drv;

static void add_hello(struct bytes *b, enum command_kind kind)
{
	if (kind == COMMAND_SERVE) {
		add_number(b, SERVE_MAGIC_CLIENT);
		add_number(b, 512 + 7);
		return;
	}
	add_number(b, WORKER_MAGIC_CLIENT);
	add_number(b, 256 + 38);
	for (int i = 0; i < 3; i++)
		add_number(b, 0);       /* no features, no affinity, no reserve */
}

static void daemon_says_hello(struct talk *t)
{
	struct bytes b = { .len = 0 };

	add_number(&b, WORKER_MAGIC_DAEMON);
	add_number(&b, 256 + 38);
	add_number(&b, 0);
	add_word(&b, "2.99");
	add_number(&b, HELLO_TRUST_NOT_TRUSTED);
	add_number(&b, STDERR_LAST);
	talk_write(t->daemon, b.data, b.len);
	bytes_free(&b);
	t->session.daemon_minor = 38;
	t->fake.skip = 40;
	talk_start_daemon(t);
}

static struct talk *start(const struct course *c)
{
	struct bytes b = { .len = 0 };
	void *state;
	struct talk *t;

	assert_int_equal(talk_begin(&state), 0);
	t = state;
	t->command.kind = c->kind;
	t->command.write = true;
	if (c->denied)
		t->grant.operations = OPS_QUERY;
	fake_add(&t->fake, SAMPLE_PATH, "text", true);
	fake_add(&t->fake, drv.path, drv.text, true);
	fake_add(&t->fake, drv.out, NULL, false);
	daemon_says_hello(t);
	add_hello(&b, c->kind);
	c->say(t, &b);
	add_number(&b, 9999);           /* no operation: here a session ends where nothing fails */
	arena_free(&t->session.arena);
	talk_write(t->client, b.data, b.len);
	bytes_free(&b);
	return t;
}

/* Everything the client was told, though the session is over. */
static void read_said(struct talk *t, struct buf *said)
{
	uint8_t *space;
	ssize_t n;

	do {
		assert_int_equal(buf_reserve(said, 65536, &space), ERR_NONE);
		n = recv(t->client, space, 65536, MSG_DONTWAIT);
		buf_commit(said, n > 0 ? (size_t)n : 0);
	} while (n > 0);
}

static bool holds(const struct buf *said, const char *text)
{
	return buf_len(said) > 0 && memmem(buf_data(said), buf_len(said), text, strlen(text)) != NULL;
}

/* Where what a worker client is told leaves the whole, one error follows, as far as it was got out. */
static void assert_beginning_or_error(const struct course *c, const struct buf *said, const struct talk *t)
{
	const uint8_t *got = buf_data(said), *whole = buf_data(&c->said);
	size_t same = 0, len = buf_len(said);
	struct buf error;
	bool found;

	while (same < len && same < buf_len(&c->said) && got[same] == whole[same])
		same++;
	buf_init(&error, 1 << 16);
	assert_int_equal(stderr_put_error(&error, 38, t->session.why), ERR_NONE);
	found = same == len || (!t->session.accepted && holds(said, "nix-gateway: "));
	for (size_t from = same < 128 ? 0 : same - 128; !found && from <= same; from++)
		found = len - from <= buf_len(&error) && memcmp(got + from, buf_data(&error), len - from) == 0;
	buf_free(&error);
	if (!found)
		fail_msg("allocation %zu: the client was told something else behind %zu bytes", scarce.at, same);
}

/* Only what is asked anyway, were it asked once more: a refusal for want of memory does not end a session. */
static void assert_asked_nothing_else(const struct course *c, const struct talk *t)
{
	char line[256];

	for (const char *at = t->fake.heard; *at != '\0'; at += strcspn(at, "\n") + 1) {
		snprintf(line, sizeof line, "%.*s\n", (int)strcspn(at, "\n"), at);
		if (strstr(c->heard, line) == NULL)
			fail_msg("allocation %zu: the daemon was asked %s", scarce.at, line);
	}
}

/* An allocation may have failed for what is of no use: the greeting of the other protocol, the record of the end. */
static void assert_ended_well_or_told(const struct course *c, const struct buf *said, const struct talk *t, bool hit)
{
	bool whole = strcmp(t->fake.heard, c->heard) == 0 &&
		     (c->kind == COMMAND_SERVE || buf_len(said) == buf_len(&c->said));
	bool ended = strcmp(t->session.why, c->why) != 0;

	if (ended ? !hit || t->session.why[0] == '\0' : !whole && !holds(said, "out of memory"))
		fail_msg("allocation %zu: %s, %s", scarce.at, t->session.outcome, t->session.why);
	assert_asked_nothing_else(c, t);
	if (ended && c->kind == COMMAND_WORKER)
		assert_beginning_or_error(c, said, t);
}

/* A client that leaves when the gateway has left the daemon. Earlier, and a build would end for want of a client. */
static void *leave(void *context)
{
	struct talk *t = context;
	struct pollfd daemon = { .fd = t->daemon };

	while (poll(&daemon, 1, 60 * 1000) < 0 && errno == EINTR)
		continue;
	shutdown(t->client, SHUT_WR);
	return NULL;
}

static bool play(void *context)
{
	static struct backend backend = { .kind = BACKEND_SOCKET, .socket = "/run/daemon", .out = -1 };
	struct course *c = context;
	struct talk *t = start(c);
	struct buf said;
	const char *heard;
	pthread_t client;
	bool hit;
	void *state = t;

	backend.fd = t->session.daemon.in;
	assert_int_equal(pthread_create(&client, NULL, leave, t), 0);
	scarce_begin();
	assert_false(session_run(&t->session, &backend));
	hit = scarce_end();
	pthread_join(client, NULL);
	assert_non_null(t->session.outcome);
	buf_init(&said, 1 << 20);
	read_said(t, &said);
	fake_stop(&t->fake);
	heard = t->fake.heard;
	if (scarce.at == SIZE_MAX) {
		c->said = said;
		snprintf(c->why, sizeof c->why, "%s", t->session.why);
		snprintf(c->heard, sizeof c->heard, "%s", heard);
	} else {
		assert_ended_well_or_told(c, &said, t, hit);
		buf_free(&said);
	}
	talk_end(&state);
	return hit;
}

static void play_course(void (*say)(struct talk *, struct bytes *), enum command_kind kind, bool denied)
{
	struct course c = { .say = say, .kind = kind, .denied = denied };

	scarce.at = SIZE_MAX;
	(void)play(&c);
	assert_true(scarce_case(play, &c) > 5);
	buf_free(&c.said);
}

/* --- what clients say --- */

static void add_request(struct bytes *b, const struct op_table *table, uint64_t number, const struct value *values)
{
	const struct op *op = op_find(table, table->minor_max, number);
	struct buf buf;

	buf_init(&buf, 1 << 20);
	assert_non_null(op);
	add_number(b, number);
	assert_int_equal(message_put(&buf, op->request, table->minor_max, values), ERR_NONE);
	add_raw(b, buf_data(&buf), buf_len(&buf));
	buf_free(&buf);
}

static void ask_and_build(struct talk *t, struct bytes *b)
{
	char all[160];
	struct value of_path = { .text = SAMPLE_PATH, .len = strlen(SAMPLE_PATH) }, targets[2] = { { .number = 0 } };
	struct value paths[2] = { LIST(t, SAMPLE_PATH, drv.out), { .number = 0 } };

	snprintf(all, sizeof all, "%s!*", drv.path);
	targets[0] = LIST(t, all);
	add_request(b, &worker_ops, OP_IS_VALID_PATH, &of_path);
	add_request(b, &worker_ops, OP_QUERY_PATH_INFO, &of_path);
	add_request(b, &worker_ops, OP_QUERY_VALID_PATHS, paths);
	add_request(b, &worker_ops, OP_QUERY_MISSING, targets);
	add_request(b, &worker_ops, OP_NAR_FROM_PATH, &of_path);
	add_request(b, &worker_ops, OP_BUILD_PATHS_WITH_RESULTS, targets);
	add_request(b, &worker_ops, OP_BUILD_PATHS, targets);
}

/* A path that proves itself, and one that does not and is to be built again; then an old form of upload. */
static void upload(struct talk *t, struct bytes *b)
{
	struct value none = { .count = 0 }, flags[2] = { { .number = 0 }, { .number = 1 } };
	const struct value *heads[] = { addressed(t, "good", &none), head_of(t, PLAIN) };
	struct bytes nar = nar_of_file("text", 4, 0), items = { .len = 0 };
	struct buf head;

	buf_init(&head, 1 << 16);
	add_number(&items, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(message_put(&head, &shape_path_info, 16, heads[i]), ERR_NONE);
		add_raw(&items, buf_data(&head), buf_len(&head));
		add_raw(&items, nar.data, nar.len);
		buf_take(&head, buf_len(&head));
	}
	add_request(b, &worker_ops, OP_ADD_MULTIPLE_TO_STORE, flags);
	add_number(b, items.len);
	add_raw(b, items.data, items.len);
	add_number(b, 0);
	buf_free(&head);
	bytes_free(&nar);
	bytes_free(&items);
}

static void a_worker_client_that_uploads(void **unused)
{
	(void)unused;
	play_course(upload, COMMAND_WORKER, false);
	play_course(upload, COMMAND_WORKER, true);
}

static void add_one_path(struct bytes *b, uint64_t number, const char *path)
{
	add_number(b, number);
	if (number != SERVE_DUMP_STORE_PATH)
		add_number(b, 1);
	add_word(b, path);
}

static void serve(struct talk *t, struct bytes *b)
{
	(void)t;
	add_one_path(b, SERVE_QUERY_PATH_INFOS, SAMPLE_PATH);
	add_one_path(b, SERVE_BUILD_PATHS, drv.path);
	for (int i = 0; i < 6; i++)
		add_number(b, 0);       /* its limits: none */
	add_one_path(b, SERVE_DUMP_STORE_PATH, SAMPLE_PATH);
}

static void a_serve_client_that_asks_builds_and_downloads(void **unused)
{
	(void)unused;
	play_course(serve, COMMAND_SERVE, false);
	play_course(serve, COMMAND_SERVE, true);
}

static void a_worker_client_that_asks_and_builds(void **unused)
{
	(void)unused;
	play_course(ask_and_build, COMMAND_WORKER, false);
	play_course(ask_and_build, COMMAND_WORKER, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_client_that_asks_and_builds),
		cmocka_unit_test(a_worker_client_that_uploads),
		cmocka_unit_test(a_serve_client_that_asks_builds_and_downloads),
	};

	if (sodium_init() < 0)
		return 1;
	MAKE(&drv, .name = "a");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
