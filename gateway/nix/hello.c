#include "gateway/nix/hello.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/nix/hello_shapes.h"
#include "gateway/wire/put.h"

enum {
	ANCIENT_MINOR = 10,             /* below, no client waits for an answer to its version */
	OFFERS_MAX = 64,
	SERVER_MEMORY = 64 * 1024,      /* 64 words of 128 bytes, and their values */
};

static const struct message_limits limits = { .store_dir = "", .bytes_max = SERVER_MEMORY };

static enum err fail(struct hello_server *h, enum err err, const char *format, ...) PRINTF_LIKE(3, 4);

static enum err fail(struct hello_server *h, enum err err, const char *format, ...)
{
	va_list args;

	h->state = HELLO_FAILED;
	h->failed = err;
	va_start(args, format);
	vsnprintf(h->reason, sizeof h->reason, format, args);
	va_end(args);
	return err;
}

/* What could not be put: the session ends as well, for half a handshake is none. */
static enum err put_done(struct hello_server *h, enum err err)
{
	return err ? fail(h, err, "the handshake's answer finds no room") : ERR_NONE;
}

/* --- the client's steps, in their order --- */

/* The answer must not wait for the client's version: some clients send theirs only after it. */
static enum err on_magic(struct hello_server *h, struct buf *out)
{
	enum err err;

	if (h->message.values->number != WORKER_MAGIC_CLIENT)
		return fail(h, ERR_PROTO, "what connected does not speak the Nix worker protocol");
	err = put_u64(out, WORKER_MAGIC_DAEMON);
	if (!err)
		err = put_u64(out, version_of(WORKER_MAJOR, h->our_minor));
	return put_done(h, err);
}

static enum err on_version(struct hello_server *h, struct buf *out)
{
	(void)out;
	if (!version_minor(h->message.values->number, WORKER_MAJOR, &h->client_minor) || h->client_minor < ANCIENT_MINOR)
		return fail(h, ERR_PROTO, "this client speaks an unknown version of the Nix worker protocol (0x%llx)",
			    (unsigned long long)h->message.values->number);
	h->minor = h->client_minor < h->our_minor ? h->client_minor : h->our_minor;
	return ERR_NONE;
}

/* Only words that both sides know are in force, so only these are said back. */
static enum err on_features(struct hello_server *h, struct buf *out)
{
	const struct value *words = h->message.values;
	size_t count = 0;
	enum err err;

	for (size_t i = 0; i < h->offers; i++)
		for (size_t j = 0; j < words->count; j++)
			if (text_is(value_text(words->items + j), h->offered[i]))
				h->features |= UINT64_C(1) << i;
	for (size_t i = 0; i < h->offers; i++)
		count += h->features >> i & 1;
	err = put_u64(out, count);
	for (size_t i = 0; !err && i < h->offers; i++)
		if ((h->features >> i & 1) != 0)
			err = put_text(out, h->offered[i]);
	return put_done(h, err);
}

/* Affinity and reserve are of no use to anybody any more. */
static enum err on_rest(struct hello_server *h, struct buf *out)
{
	char sentence[SENTENCE_MAX];
	enum err err;

	if (h->client_minor >= WORKER_MINOR_MIN) {
		h->state = HELLO_READY;
		return ERR_NONE;
	}
	log_sentence(sentence, "this client speaks Nix worker protocol 1.%u; Nix 2.4 (1.%d) or newer is needed",
		     h->client_minor, WORKER_MINOR_MIN);
	err = stderr_put_error(out, h->minor, sentence);
	return err ? put_done(h, err) : fail(h, ERR_PROTO, "%s", sentence);
}

static const struct step {
	const struct shape *shape;
	unsigned since;                 /* the common version that has it */
	enum err (*on)(struct hello_server *h, struct buf *out);
} steps[] = {
	{ &shape_magic, 0, on_magic },
	{ &shape_version, 0, on_version },
	{ &shape_features, WORKER_MINOR_FEATURES, on_features },
	{ &shape_rest, 0, on_rest },
};

/* To the next step that the common version has; a step without fields in it is done where it begins. */
static enum err next_step(struct hello_server *h, struct buf *out)
{
	enum err err = ERR_NONE;

	while (!err && h->state == HELLO_WAITING && message_done(&h->message)) {
		err = steps[h->step].on(h, out);
		if (err || h->state != HELLO_WAITING)
			break;
		do
			h->step++;
		while (h->minor < steps[h->step].since);
		arena_reset(&h->arena);
		message_start(&h->message, steps[h->step].shape, "the handshake", h->minor);
	}
	return err;
}

void hello_server_init(struct hello_server *h, unsigned our_minor, const char *const *offered, size_t offers)
{
	assert(our_minor >= WORKER_MINOR_MIN && our_minor <= WORKER_MINOR_MAX && offers <= OFFERS_MAX);
	*h = (struct hello_server){ .our_minor = our_minor, .offered = offered, .offers = offers };
	arena_init(&h->arena, SERVER_MEMORY);
	message_init(&h->message, &limits, &h->arena);
	message_start(&h->message, steps[0].shape, "the handshake", 0);
}

void hello_server_free(struct hello_server *h)
{
	message_free(&h->message);
	arena_free(&h->arena);
}

enum err hello_server_feed(struct hello_server *h, const uint8_t *in, size_t n, size_t *used, struct buf *out)
{
	size_t at = 0;

	while (h->state == HELLO_WAITING && at < n) {
		size_t took;
		enum err err = message_feed(&h->message, in + at, n - at, &took);

		at += took;
		if (err)
			fail(h, err, "%s", message_reason(&h->message));
		else
			h->failed = next_step(h, out);
	}
	*used = at;
	return h->failed;
}

/* --- our half of its end --- */

enum err hello_server_finish(struct hello_server *h, struct buf *out, const char *daemon_version, enum hello_trust trust)
{
	enum err err = ERR_NONE;

	assert(h->state == HELLO_READY && !h->finished);
	h->finished = true;
	if (h->minor >= WORKER_MINOR_DAEMON_VERSION)
		err = put_text(out, daemon_version);
	if (!err && h->minor >= WORKER_MINOR_TRUST)
		err = put_u64(out, (uint64_t)trust);
	return put_done(h, err);
}

enum err hello_server_accept(struct hello_server *h, struct buf *out)
{
	assert(h->state == HELLO_READY && h->finished);
	return put_done(h, stderr_put_last(out));
}

enum err hello_server_refuse(struct hello_server *h, struct buf *out, const char *sentence)
{
	enum err err = ERR_NONE;

	assert(h->state == HELLO_READY);
	if (!h->finished)
		err = hello_server_finish(h, out, "nix-gateway", HELLO_TRUST_NOT_TRUSTED);
	return err ? err : put_done(h, stderr_put_error(out, h->minor, sentence));
}
