#include "gateway/session/greet.h"

#include <stdio.h>

#include "gateway/session/probe.h"

/* After a refusal a client may still be sending; closing at once could destroy what is on its way to it. */
enum { FAREWELL_MS = 3 * 1000 };

const char *trust_name(enum hello_trust trust)
{
	static const char *const names[] = { "unknown", "trusted", "untrusted" };

	return names[trust];
}

/* The session is not to be: on record, on stderr, and where the client's first STDERR_LAST is due. */
static enum err refuse(struct session *s, const char *format, ...) PRINTF_LIKE(2, 3);

static enum err refuse(struct session *s, const char *format, ...)
{
	char sentence[SENTENCE_MAX];
	va_list args;
	enum err err;

	va_start(args, format);
	log_vsentence(sentence, format, args);
	va_end(args);
	err = session_record_denied(s, NULL, sentence, NULL);
	if (s->command->kind == COMMAND_SERVE)
		buf_take(&s->client.tx, buf_len(&s->client.tx));        /* a welcome that was not sent yet */
	/* The client is told even where that cannot be recorded. */
	if (s->command->kind == COMMAND_WORKER && s->hello.state == HELLO_READY &&
	    hello_server_refuse(&s->hello, &s->client.tx, sentence) == ERR_NONE)
		session_flush(s, &s->client, FAREWELL_MS);
	return session_end(s, err ? err : ERR_DENIED, "refused", "%s", sentence);
}

static enum err feed_client(struct session *s, const uint8_t *in, size_t n, size_t *used)
{
	if (s->command->kind == COMMAND_SERVE)
		return hello_serve_feed(&s->serve_hello, in, n, used, &s->client.tx);
	return hello_server_feed(&s->hello, in, n, used, &s->client.tx);
}

static bool client_waits(const struct session *s)
{
	return (s->command->kind == COMMAND_SERVE ? s->serve_hello.state : s->hello.state) == HELLO_WAITING;
}

/* The client's part. Its answers go out as they are made: some clients wait for ours before they go on. */
static enum err greet_client(struct session *s)
{
	int64_t since = clock_ms();

	while (client_waits(s)) {
		size_t used = 0;
		enum err err = session_await(s, &s->client);

		if (!err && clock_ms() - since > s->limits.handshake_ms)
			err = session_end(s, ERR_TIMEOUT, "stalled", "the client has not said hello within %lld seconds",
					  (long long)(s->limits.handshake_ms / 1000));
		if (err)
			return err;
		err = feed_client(s, buf_data(&s->client.rx), buf_len(&s->client.rx), &used);
		buf_take(&s->client.rx, used);
		if (err) {
			session_flush(s, &s->client, FAREWELL_MS);
			return session_end(s, err, "protocol-error", "%s",
					   s->command->kind == COMMAND_SERVE ? s->serve_hello.reason : s->hello.reason);
		}
	}
	s->client_minor = s->command->kind == COMMAND_SERVE ? s->serve_hello.minor : s->hello.minor;
	return ERR_NONE;
}

/* The daemon's part. What goes wrong here is told to the client, so it does not end the session by itself. */
static bool greet_daemon(struct session *s, char *why)
{
	struct peer *daemon = &s->daemon;
	int64_t until = clock_ms() + s->limits.handshake_ms;

	while (s->upstream.state == HELLO_WAITING) {
		struct peer *peers[] = { daemon, &s->client };
		size_t used = 0;

		if (buf_len(&daemon->rx) > 0) {
			enum err err = hello_client_feed(&s->upstream, buf_data(&daemon->rx), buf_len(&daemon->rx), &used,
							 &daemon->tx);

			buf_take(&daemon->rx, used);
			if (err)
				log_sentence(why, "%s", s->upstream.reason);
			if (err)
				return false;
		} else if (daemon->ended) {
			log_sentence(why, "%s", daemon->starved ? err_text(ERR_MEMORY) :
				     "the Nix daemon closed the connection; is this account in its allowed-users?");
			return false;
		} else if (session_is_deserted(s)) {
			log_sentence(why, "the client has gone before the Nix daemon answered");
			return false;
		} else if (clock_ms() > until) {
			log_sentence(why, "the Nix daemon does not answer within %lld seconds",
				     (long long)(s->limits.handshake_ms / 1000));
			return false;
		} else {
			peers_poll(peers, 2, 100);
		}
	}
	if (s->upstream.state != HELLO_READY)
		log_sentence(why, "%s", s->upstream.reason);
	s->daemon_minor = s->upstream.minor;
	s->trust = s->upstream.trust;
	return s->upstream.state == HELLO_READY;
}

static enum err judge_account(struct session *s)
{
	enum account_trust wanted = s->policy->gateway.account;

	if (wanted == ACCOUNT_UNTRUSTED && s->trust != HELLO_TRUST_NOT_TRUSTED)
		return refuse(s, "the Nix daemon says this account is %s, and the policy wants it untrusted; take the account "
				 "out of trusted-users in nix.conf", trust_name(s->trust));
	if (wanted == ACCOUNT_TRUSTED && s->trust != HELLO_TRUST_TRUSTED)
		return refuse(s, "the Nix daemon says this account is %s, and the policy wants it trusted; put the account "
				 "into trusted-users in nix.conf", trust_name(s->trust));
	return ERR_NONE;
}

static enum err record_start(struct session *s)
{
	char client[32], backend[SENTENCE_MAX], daemon[32], why[SENTENCE_MAX];
	const char *version = s->upstream.daemon_version;
	struct audit_field fields[] = {
		{ .name = "client-version", .text = client },
		{ .name = "daemon-version", .text = version[0] == '\0' ? daemon : version },
		{ .name = "daemon-protocol", .text = daemon },
		{ .name = "protocol", .text = s->command->kind == COMMAND_SERVE ? "ssh" : "ssh-ng" },
		{ .name = "trust", .text = trust_name(s->trust) },
		{ .name = "sandbox", .text = s->sandbox },
		{ .name = "backend", .text = backend },
	};

	snprintf(client, sizeof client, "%d.%u", s->command->kind == COMMAND_SERVE ? 2 : 1,
		 s->command->kind == COMMAND_SERVE ? s->client_minor : s->hello.client_minor);
	snprintf(daemon, sizeof daemon, "1.%u", s->upstream.daemon_minor);
	backend_describe(s->backend, backend, sizeof backend);
	if (audit_write(s->audit, "session-start", fields, sizeof fields / sizeof *fields, why) == ERR_NONE)
		return ERR_NONE;
	return refuse(s, "this builder cannot write its audit record (%s)", why);
}

/* A client that is not trusted uploads derivations and has them built, which can be judged; one that is trusted sends
 * what it says they come to, which cannot. So only a key of full trust is told what the daemon says. */
static enum hello_trust told_trust(const struct session *s)
{
	return s->key->grant->trust == TRUST_FULL ? s->trust : HELLO_TRUST_NOT_TRUSTED;
}

/* The last words of the handshake: from here on the client may ask. */
static enum err welcome(struct session *s)
{
	const char *version = s->upstream.daemon_version;
	enum err err = ERR_NONE;

	if (s->command->kind == COMMAND_WORKER)
		err = hello_server_finish(&s->hello, &s->client.tx, version[0] == '\0' ? "unknown" : version,
					  told_trust(s));
	if (!err && s->command->kind == COMMAND_WORKER)
		err = hello_server_accept(&s->hello, &s->client.tx);
	if (err)
		return session_end(s, err, "failed", "%s", err_text(err));
	s->accepted = true;
	session_set_state(s, SESSION_IDLE);
	return ERR_NONE;
}

static enum err find_trust(struct session *s)
{
	enum err err = ERR_NONE;

	if (s->trust == HELLO_TRUST_UNKNOWN)
		err = probe_trust(s, &s->trust);
	arena_reset(&s->arena);
	return err;
}

/* The daemon's hello, its trust, and whether the policy takes it. */
static enum err meet_daemon(struct session *s)
{
	char why[SENTENCE_MAX];
	enum err err;

	if (!greet_daemon(s, why))
		return refuse(s, "%s", why);
	err = find_trust(s);
	return err ? err : judge_account(s);
}

/* A worker client is refused at the end of its handshake, so that comes first. For a serve client our part of the handshake
 * is a welcome already: it must not have heard it where the session is refused. */
static enum err meet(struct session *s)
{
	bool serve = s->command->kind == COMMAND_SERVE;
	enum err err = serve ? meet_daemon(s) : greet_client(s);

	if (!err)
		err = serve ? greet_client(s) : meet_daemon(s);
	return err ? err : record_start(s);
}

enum err greet(struct session *s)
{
	static const char *const offered[] = { "disable-set-options" };
	const struct wish nothing = { .timeout = { .set = false } };
	enum err err;

	hello_server_init(&s->hello, WORKER_MINOR_MAX, offered, 1);
	hello_serve_init(&s->serve_hello);
	err = hello_client_start(&s->upstream, WORKER_MINOR_MAX, &s->daemon.tx);
	if (err)
		return session_end(s, err, "failed", "%s", err_text(err));
	peer_write(&s->daemon);         /* it can answer while the client says hello */
	err = meet(s);
	if (!err)
		err = settings_send(s, &s->settings, &nothing);
	arena_reset(&s->arena);
	return err ? err : welcome(s);
}

bool greet_daemon_only(struct session *s, char *why)
{
	if (hello_client_start(&s->upstream, WORKER_MINOR_MAX, &s->daemon.tx) != ERR_NONE || !greet_daemon(s, why))
		return false;
	return find_trust(s) == ERR_NONE;
}
