#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/nix/hello.h"
#include "gateway/nix/hello_shapes.h"
#include "gateway/wire/put.h"

enum { CLIENT_MEMORY = 8 * 1024 * 1024 };       /* the longest message that a loop may hold */

static const struct message_limits limits = { .store_dir = "", .bytes_max = CLIENT_MEMORY };

static enum err fail(struct hello_client *h, enum err err, const char *format, ...) PRINTF_LIKE(3, 4);

static enum err fail(struct hello_client *h, enum err err, const char *format, ...)
{
	va_list args;

	h->state = HELLO_FAILED;
	h->failed = err;
	va_start(args, format);
	vsnprintf(h->reason, sizeof h->reason, format, args);
	va_end(args);
	return err;
}

static enum err put_done(struct hello_client *h, enum err err)
{
	return err ? fail(h, err, "the handshake with the Nix daemon finds no room") : ERR_NONE;
}

/* --- the daemon's steps, in their order --- */

static enum err on_magic(struct hello_client *h, struct buf *out)
{
	uint64_t magic = h->message.values->number;

	(void)out;
	if (magic == WORKER_MAGIC_DENIED)
		return fail(h, ERR_DENIED, "the Nix daemon does not let this account in");
	if (magic != WORKER_MAGIC_DAEMON)
		return fail(h, ERR_PROTO, "what answers does not speak the Nix worker protocol");
	return ERR_NONE;
}

/* All of ours goes out at once: the daemon reads it in this order whenever it likes. */
static enum err on_version(struct hello_client *h, struct buf *out)
{
	enum err err = ERR_NONE;

	if (!version_minor(h->message.values->number, WORKER_MAJOR, &h->daemon_minor))
		return fail(h, ERR_PROTO, "the Nix daemon speaks an unknown version of the worker protocol (0x%llx)",
			    (unsigned long long)h->message.values->number);
	if (h->daemon_minor < WORKER_MINOR_MIN)
		return fail(h, ERR_PROTO, "the Nix daemon speaks worker protocol 1.%u; Nix 2.4 (1.%d) or newer is needed",
			    h->daemon_minor, WORKER_MINOR_MIN);
	h->minor = h->daemon_minor < h->our_minor ? h->daemon_minor : h->our_minor;
	if (h->minor >= WORKER_MINOR_FEATURES)
		err = put_u64(out, 0);          /* no features */
	if (!err)
		err = put_u64(out, 0);          /* no affinity */
	if (!err)
		err = put_u64(out, 0);          /* no reserve */
	return put_done(h, err);
}

/* We offered none, so none is in force. One says what the daemon cannot do without it. */
static enum err on_features(struct hello_client *h, struct buf *out)
{
	const struct value *words = h->message.values;

	(void)out;
	for (size_t i = 0; i < words->count; i++)
		h->realisations_by_path |= text_is(value_text(words->items + i), "realisation-with-path-not-hash");
	return ERR_NONE;
}

static enum err on_greeting(struct hello_client *h, struct buf *out)
{
	struct text version = value_text(value_of(h->message.values, &shape_greeting, "version"));

	(void)out;
	memcpy(h->daemon_version, version.bytes, version.len);  /* the shape bounds it */
	h->daemon_version[version.len] = '\0';
	h->trust = (enum hello_trust)value_of(h->message.values, &shape_greeting, "trust")->number;
	return ERR_NONE;
}

static const struct step {
	const struct shape *shape;
	unsigned since;                 /* the common version that has it */
	enum err (*on)(struct hello_client *h, struct buf *out);
} steps[] = {
	{ &shape_magic, 0, on_magic },
	{ &shape_version, 0, on_version },
	{ &shape_features, WORKER_MINOR_FEATURES, on_features },
	{ &shape_greeting, 0, on_greeting },
};
enum { STEPS = sizeof steps / sizeof *steps };  /* the step behind them: the first loop */

static void start_step(struct hello_client *h)
{
	arena_reset(&h->arena);
	if (h->step < STEPS)
		message_start(&h->message, steps[h->step].shape, "the daemon's handshake", h->minor);
	else
		stderr_loop_start(&h->loop, h->minor);
}

/* At 1.32 the greeting has no fields, so it is done where it begins. */
static enum err next_step(struct hello_client *h, struct buf *out)
{
	enum err err = ERR_NONE;

	while (!err && h->step < STEPS && message_done(&h->message)) {
		err = steps[h->step].on(h, out);
		do
			h->step++;
		while (h->step < STEPS && h->minor < steps[h->step].since);
		start_step(h);
	}
	return err;
}

enum err hello_client_start(struct hello_client *h, unsigned our_minor, struct buf *out)
{
	enum err err;

	*h = (struct hello_client){ .our_minor = our_minor };
	arena_init(&h->arena, CLIENT_MEMORY);
	message_init(&h->message, &limits, &h->arena);
	stderr_loop_init(&h->loop, &limits, &h->arena);
	start_step(h);
	err = put_u64(out, WORKER_MAGIC_CLIENT);
	if (!err)
		err = put_u64(out, version_of(WORKER_MAJOR, our_minor));
	return put_done(h, err);
}

void hello_client_free(struct hello_client *h)
{
	message_free(&h->message);
	stderr_loop_free(&h->loop);
	arena_free(&h->arena);
}

/* --- the first loop: what it logs is of no use, an error is a refusal --- */

static enum err on_loop_message(struct hello_client *h)
{
	char said[HELLO_REASON / 2];
	struct text text;

	if (h->loop.row->tag == STDERR_LAST) {
		h->state = HELLO_READY;
		return ERR_NONE;
	}
	if (h->loop.row->tag == STDERR_ERROR) {
		text = value_text(value_of(h->loop.message.values, h->loop.row->shape, "message"));
		log_escape(said, sizeof said, text.bytes, text.len);
		return fail(h, ERR_DENIED, "the Nix daemon refuses the session: %s", said);
	}
	start_step(h);
	return ERR_NONE;
}

static enum err feed_loop(struct hello_client *h, const uint8_t *in, size_t n, size_t *used)
{
	enum err err = stderr_loop_feed(&h->loop, in, n, used);

	if (err)
		return fail(h, err, "%s", stderr_loop_reason(&h->loop));
	return stderr_loop_done(&h->loop) ? on_loop_message(h) : ERR_NONE;
}

static enum err feed_step(struct hello_client *h, const uint8_t *in, size_t n, size_t *used, struct buf *out)
{
	enum err err = message_feed(&h->message, in, n, used);

	return err ? fail(h, err, "%s", message_reason(&h->message)) : next_step(h, out);
}

enum err hello_client_feed(struct hello_client *h, const uint8_t *in, size_t n, size_t *used, struct buf *out)
{
	size_t at = 0;

	while (h->state == HELLO_WAITING && at < n) {
		size_t took;

		if (h->step < STEPS)
			(void)!feed_step(h, in + at, n - at, &took, out);
		else
			(void)!feed_loop(h, in + at, n - at, &took);
		at += took;
	}
	*used = at;
	return h->failed;
}
