#include "gateway/session/session.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	REQUEST_MEMORY = 256 * 1024 * 1024,     /* values of one request and its reply; far below what a message may claim */
	LOOP_MEMORY = 4 * 1024 * 1024,          /* values of one message of the stderr loop */
	HANDSHAKE_MS = 30 * 1000,
	QUESTION_MS = 12 * 60 * 60 * 1000,      /* a daemon may wait for locks, but not for ever */
	TAKEN_MAX = 200000,                     /* paths taken off the wire in one session */
	SET_MEMORY = 64 * 1024 * 1024,
	LINGER_MS = 2 * 1000,                   /* what a client that has closed its sending side may still wait for an answer */
	POLL_MS = 1000                          /* how often limits are looked at while nothing moves */
};

#define BIT(state) (1u << (state))

static const unsigned may_follow[] = {
	[SESSION_HELLO] = BIT(SESSION_IDLE) | BIT(SESSION_CLOSED),
	[SESSION_IDLE] = BIT(SESSION_REQUEST) | BIT(SESSION_CLOSED),
	[SESSION_REQUEST] = BIT(SESSION_UPLOAD) | BIT(SESSION_WORK) | BIT(SESSION_REPLY) | BIT(SESSION_IDLE) |
			    BIT(SESSION_CLOSED),
	[SESSION_UPLOAD] = BIT(SESSION_WORK) | BIT(SESSION_REPLY) | BIT(SESSION_IDLE) | BIT(SESSION_CLOSED),
	[SESSION_WORK] = BIT(SESSION_WORK) | BIT(SESSION_UPLOAD) | BIT(SESSION_REPLY) | BIT(SESSION_IDLE) | BIT(SESSION_CLOSED),
	[SESSION_REPLY] = BIT(SESSION_WORK) | BIT(SESSION_REPLY) | BIT(SESSION_IDLE) | BIT(SESSION_CLOSED),
	[SESSION_CLOSED] = BIT(SESSION_CLOSED),
};

#define SESSION_STATE_TEXT(name, text) [SESSION_##name] = text,

const char *session_state_name(enum session_state state)
{
	static const char *const names[] = { SESSION_STATES(SESSION_STATE_TEXT) };

	return names[state];
}

void session_set_state(struct session *s, enum session_state state)
{
	assert((may_follow[s->state] & BIT(state)) != 0);
	s->state = state;
}

/* idle-time and stall-time have a default in the policy, so they are set in every grant that was loaded. */
static void set_limits(struct session *s)
{
	const struct grant *grant = s->key->grant;

	s->limits.handshake_ms = HANDSHAKE_MS;
	s->limits.question_ms = QUESTION_MS;
	s->limits.session_ms = grant->session_time.set ? (int64_t)grant->session_time.value * 1000 : 0;
	s->limits.stall_ms = (int64_t)grant->stall_time.value * 1000;
	s->limits.idle_ms = (int64_t)grant->idle_time.value * 1000;
}

void session_init(struct session *s, const struct policy *policy, const struct key *key, struct audit *audit,
		  const struct command *command, int in, int out, int log)
{
	memset(s, 0, sizeof *s);
	s->policy = policy;
	s->key = key;
	s->audit = audit;
	s->command = command;
	s->sandbox = "none";
	s->spool = -1;
	s->started_ms = clock_ms();
	set_limits(s);
	s->message_limits.store_dir = policy->gateway.store_dir;
	peer_init(&s->client, "client", in, out);
	peer_init_shared(&s->log, "log", log);
	s->daemon = (struct peer){ .name = "daemon", .in = -1, .out = -1, .ended = true, .broken = true };
	arena_init(&s->arena, REQUEST_MEMORY);
	arena_init(&s->loop_arena, LOOP_MEMORY);
	known_init(&s->known);
	drv_cache_init(&s->drvs);
	arena_init(&s->held_arena, SET_MEMORY);
	path_set_init(&s->held, &s->held_arena, HELD_MAX);
	arena_init(&s->taken_arena, SET_MEMORY);
	path_set_init(&s->taken_off, &s->taken_arena, TAKEN_MAX);
	message_init(&s->message, &s->message_limits, &s->arena);
	stderr_loop_init(&s->loop, &s->message_limits, &s->loop_arena);
}

void session_free(struct session *s)
{
	path_set_free(&s->held);
	arena_free(&s->held_arena);
	path_set_free(&s->taken_off);
	arena_free(&s->taken_arena);
	drv_cache_free(&s->drvs);
	stderr_loop_free(&s->loop);
	message_free(&s->message);
	hello_client_free(&s->upstream);
	hello_server_free(&s->hello);
	hello_serve_free(&s->serve_hello);
	arena_free(&s->loop_arena);
	arena_free(&s->arena);
	if (s->spool >= 0)
		close(s->spool);
	peer_close(&s->daemon);
	peer_close(&s->log);
	peer_close(&s->client);
}

enum err session_end(struct session *s, enum err err, const char *outcome, const char *format, ...)
{
	va_list args;

	if (s->outcome != NULL)
		return err;
	s->outcome = outcome;
	va_start(args, format);
	log_vsentence(s->why, format, args);
	va_end(args);
	session_set_state(s, SESSION_CLOSED);
	return err;
}

enum err session_fail(struct session *s, enum err err)
{
	return session_end(s, err, "failed", "%s", err_text(err));
}

enum err session_no_memory(struct session *s)
{
	return session_fail(s, ERR_MEMORY);
}

/* Moves whatever can be moved, for a while. */
static void move_all(struct session *s, int timeout_ms)
{
	struct peer *peers[PEERS_MAX] = { &s->client, &s->daemon, &s->log };

	peers_poll(peers, PEERS_MAX, timeout_ms);
}

/* An operation that may run for hours is worth nothing without its client: the daemon is to stop at once. Questions end
 * by themselves soon, so a client that has closed its sending side may still hear the answer. */
static bool client_has_left(const struct session *s)
{
	bool slow = s->state == SESSION_WORK && s->op != NULL && s->op->slow && s->op->class != CLASS_QUERY;

	return s->client.broken || (slow && peer_gone_for(&s->client, -1));
}

/* How long `peer` may stay silent now; -1: any time. A build may be silent for as long as the grant's limits, which the
 * daemon keeps, allow. */
static int64_t patience_ms(const struct session *s, const struct peer *peer)
{
	if (s->state == SESSION_HELLO)
		return s->limits.handshake_ms;
	if (peer == &s->daemon)
		return s->op != NULL && s->op->slow ? -1 : s->limits.question_ms;
	return s->state == SESSION_IDLE ? s->limits.idle_ms : s->limits.stall_ms;
}

static enum err end_of_daemon(struct session *s)
{
	if (s->daemon.starved)
		return session_no_memory(s);
	return session_end(s, ERR_CLOSED, "daemon-gone", "the Nix daemon has closed the connection");
}

static enum err end_of_client(struct session *s)
{
	if (s->client.starved)
		return session_no_memory(s);
	return session_end(s, ERR_CLOSED, s->state == SESSION_IDLE ? "closed" : "client-gone", "%s", "");
}

bool session_is_deserted(const struct session *s)
{
	return peer_gone_for(&s->client, LINGER_MS);
}

/* Between two operations nothing is due from the daemon: what it says then could be taken for the next answer. */
static enum err check_idle_daemon(struct session *s)
{
	if (s->state != SESSION_IDLE)
		return ERR_NONE;
	if (buf_len(&s->daemon.rx) > 0)
		return session_end(s, ERR_PROTO, "daemon-error", "the Nix daemon has given up this connection");
	return s->daemon.ended ? end_of_daemon(s) : ERR_NONE;
}

/* A client that takes nothing holds up the daemon, and whoever waits for the lock it works under. */
static enum err check_stuck(struct session *s)
{
	struct peer *peers[] = { &s->client, &s->log };

	for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
		if (peers[i]->stuck_ms > 0 && clock_ms() - peers[i]->stuck_ms > s->limits.stall_ms)
			return session_end(s, ERR_TIMEOUT, "stalled", "the client has taken nothing for %lld seconds",
					   (long long)(s->limits.stall_ms / 1000));
		if (!peer_keeps_pace(peers[i], s->limits.stall_ms))
			return session_end(s, ERR_TIMEOUT, "stalled", "the client takes less than %d bytes a second", PACE_RATE);
	}
	return ERR_NONE;
}

/* The whole session's time is over, whatever it is at: a build that runs for it ends with it. */
static enum err check_session_time(struct session *s)
{
	char sentence[SENTENCE_MAX];
	enum err err;

	if (s->limits.session_ms == 0 || clock_ms() - s->started_ms <= s->limits.session_ms)
		return ERR_NONE;
	log_sentence(sentence, "%s may not stay any longer (allowed: %lld seconds); begin a new session", s->key->name,
		     (long long)(s->limits.session_ms / 1000));
	err = session_record_denied(s, NULL, sentence, &s->key->grant->rules[GRANT_SESSION_TIME]);
	return err ? err : session_end(s, ERR_TIMEOUT, "session-time", "%s", sentence);
}

static enum err check_limits(struct session *s)
{
	enum err err = check_session_time(s);

	return err ? err : check_stuck(s);
}

enum err session_move(struct session *s)
{
	enum err err = check_limits(s);

	if (err)
		return err;
	if (client_has_left(s))
		return end_of_client(s);
	move_all(s, POLL_MS);
	return check_idle_daemon(s);
}

enum err session_move_lazily(struct session *s)
{
	int64_t now = clock_ms();
	enum err err;

	if (now != s->heard_ms || s->daemon.ended) {
		s->heard_ms = now;
		return session_move(s);
	}
	err = check_limits(s);
	if (!err && client_has_left(s))
		err = end_of_client(s);
	if (err)
		return err;
	s->daemon.unheard = true;
	move_all(s, 1);
	s->daemon.unheard = false;
	return ERR_NONE;
}

enum err session_check_patience(struct session *s, const struct peer *peer, int64_t since_ms)
{
	int64_t patience = patience_ms(s, peer);

	if (buf_len(&peer->rx) > 0)
		return ERR_NONE;
	if (peer->ended)
		return peer == &s->daemon ? end_of_daemon(s) : end_of_client(s);
	if (peer == &s->daemon && session_is_deserted(s))
		return end_of_client(s);
	if (patience < 0 || clock_ms() - since_ms <= patience)
		return ERR_NONE;
	return session_end(s, ERR_TIMEOUT, s->state == SESSION_IDLE ? "idle" : "stalled",
			   "the %s has said nothing for %lld seconds", peer->name, (long long)(patience / 1000));
}

/* What is queued is written at once, for nearly always it can be: asking poll first would cost a request two calls. */
static void push(struct peer *p)
{
	if (p->stuck_ms == 0)
		peer_write(p);
}

enum err session_await(struct session *s, struct peer *peer)
{
	int64_t since = clock_ms();
	enum err err = check_idle_daemon(s);    /* also where the client's next request is there already */

	while (!err && buf_len(&peer->rx) == 0) {
		err = session_check_patience(s, peer, since);
		push(&s->daemon);
		push(&s->client);
		if (!err)
			err = session_move(s);
	}
	return err;
}

static enum err wait_for_queue(struct session *s, struct peer *peer, size_t most)
{
	while (buf_len(&peer->tx) > most) {
		enum err err = session_move(s);

		if (err)
			return err;
	}
	return ERR_NONE;
}

enum err session_room(struct session *s, struct peer *peer)
{
	return wait_for_queue(s, peer, SESSION_QUEUE);
}

enum err session_drain(struct session *s, struct peer *peer)
{
	push(peer);
	return wait_for_queue(s, peer, 0);
}

void session_flush(struct session *s, struct peer *peer, int64_t limit_ms)
{
	int64_t until = clock_ms() + limit_ms;

	while (buf_len(&peer->tx) > 0 && !peer->broken && clock_ms() < until)
		move_all(s, POLL_MS / 10);
}

enum err session_read(struct session *s, struct peer *peer, const struct shape *shape, const char *what,
		      const struct value **values)
{
	unsigned minor = peer == &s->client ? s->client_minor : s->daemon_minor;

	message_start(&s->message, shape, what, minor);
	while (!message_done(&s->message)) {
		size_t used = 0;
		enum err err = session_await(s, peer);

		if (err)
			return err;
		err = message_feed(&s->message, buf_data(&peer->rx), buf_len(&peer->rx), &used);
		buf_take(&peer->rx, used);
		if (err == ERR_MEMORY)
			return session_no_memory(s);
		if (err)
			return session_end(s, err, "protocol-error", "the %s has sent what is no %s: %s", peer->name, what,
					   message_reason(&s->message));
	}
	*values = s->message.values;
	return ERR_NONE;
}

enum err session_tell_error(struct session *s, const char *sentence)
{
	enum err err = stderr_put_error(&s->client.tx, s->client_minor, sentence);

	return err ? session_end(s, err, "failed", "%s", err_text(err)) : ERR_NONE;
}

enum err session_record_denied(struct session *s, const char *subject, const char *reason, const struct rule *rule)
{
	char where[SENTENCE_MAX] = "", why[SENTENCE_MAX];
	struct audit_field fields[] = {
		{ .name = "operation", .text = s->op == NULL ? "session" : s->op->name },
		{ .name = "subject", .text = subject },
		{ .name = "reason", .text = reason },
		{ .name = "rule", .text = where[0] == '\0' ? NULL : where },
	};

	if (rule != NULL && rule->line > 0) {
		snprintf(where, sizeof where, "%s:%u", s->policy->path, rule->line);
		fields[3].text = where;
	}
	if (audit_write(s->audit, "denied", fields, sizeof fields / sizeof *fields, why) != ERR_NONE)
		return session_end(s, ERR_IO, "failed", "this builder cannot write its audit record (%s)", why);
	if (++s->denied <= DENIED_MAX)
		return ERR_NONE;
	return session_end(s, ERR_LIMIT, "refused", "%d requests of this session have been refused, and that is enough", DENIED_MAX);
}
