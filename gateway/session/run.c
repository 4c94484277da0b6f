#include "gateway/session/run.h"

#include <string.h>

#include "gateway/session/greet.h"
#include "gateway/session/serve.h"
#include "gateway/session/worker.h"

/* How long the last words may take to reach the client, and how long it may take to leave. */
enum { LAST_WORDS_MS = 3 * 1000 };

/* Whoever is in the middle of a conversation is told why it ends: in the protocol where it has a place for that. */
static void say_last_words(struct session *s)
{
	if (s->why[0] == '\0')
		return;
	log_say("%s", s->why);
	if (s->command->kind != COMMAND_WORKER || s->client_in_archive)
		return;
	if (s->accepted)
		(void)!stderr_put_error(&s->client.tx, s->client_minor, s->why);
	else if (s->hello.state == HELLO_READY && !s->hello.finished)   /* lost before the welcome: refused where that is due */
		(void)!hello_server_refuse(&s->hello, &s->client.tx, s->why);
}

/* What the client still sends is read into the void: closing with bytes unread could destroy the last words. */
static void see_off(struct session *s)
{
	int64_t until = clock_ms() + LAST_WORDS_MS;
	struct peer *peers[] = { &s->client, &s->log };

	while (s->why[0] != '\0' && !s->client.ended && !s->client.broken && clock_ms() < until) {
		buf_take(&s->client.rx, buf_len(&s->client.rx));
		peers_poll(peers, 2, 100);
	}
}

static void record_end(struct session *s)
{
	char why[SENTENCE_MAX];
	struct audit_field fields[] = {
		{ .name = "outcome", .text = s->outcome },
		{ .name = "reason", .text = s->why[0] == '\0' ? NULL : s->why },
		{ .name = "seconds", .kind = AUDIT_NUMBER, .number = (uint64_t)(clock_ms() - s->started_ms) / 1000 },
		{ .name = "requests", .kind = AUDIT_NUMBER, .number = s->requests },
		{ .name = "bytes-in", .kind = AUDIT_NUMBER, .number = s->client.received },
		{ .name = "bytes-out", .kind = AUDIT_NUMBER, .number = s->client.sent },
	};

	if (audit_write(s->audit, "session-end", fields, sizeof fields / sizeof *fields, why) != ERR_NONE)
		log_say("the end of the session was not recorded: %s", why);
}

/* The peer owns the descriptors from here on. */
static void take_backend(struct session *s, struct backend *backend)
{
	s->backend = backend;
	peer_init(&s->daemon, "daemon", backend->fd, backend->out < 0 ? backend->fd : backend->out);
	backend->fd = backend->out = -1;
}

bool session_inquire(struct session *s, struct backend *backend, char *why)
{
	bool answers;

	take_backend(s, backend);
	answers = greet_daemon_only(s, why);
	peer_close(&s->daemon);
	backend_close(backend);
	return answers;
}

bool session_run(struct session *s, struct backend *backend)
{
	enum err err;

	take_backend(s, backend);
	err = greet(s);
	if (!err)
		err = s->command->kind == COMMAND_SERVE ? serve_serve(s) : worker_serve(s);
	(void)err;                              /* outcome says more */
	peer_close(&s->daemon);                 /* first: whatever still runs for this client stops now */
	backend_close(backend);
	say_last_words(s);
	session_flush(s, &s->log, LAST_WORDS_MS);
	session_flush(s, &s->client, LAST_WORDS_MS);
	see_off(s);
	record_end(s);
	return strcmp(s->outcome, "closed") == 0;
}
