#include <stdio.h>

#include "gateway/nix/hello.h"
#include "gateway/nix/hello_shapes.h"
#include "gateway/wire/put.h"

enum { STEP_MAGIC, STEP_VERSION, SERVE_MEMORY = 1024 };

static const struct message_limits limits = { .store_dir = "", .bytes_max = SERVE_MEMORY };

static void fail(struct hello_serve *h, enum err err, const char *reason)
{
	h->state = HELLO_FAILED;
	h->failed = err;
	snprintf(h->reason, sizeof h->reason, "%s", reason);
}

void hello_serve_init(struct hello_serve *h)
{
	*h = (struct hello_serve){ .step = STEP_MAGIC };
	arena_init(&h->arena, SERVE_MEMORY);
	message_init(&h->message, &limits, &h->arena);
	message_start(&h->message, &shape_magic, "the handshake", 0);
}

void hello_serve_free(struct hello_serve *h)
{
	message_free(&h->message);
	arena_free(&h->arena);
}

static void on_magic(struct hello_serve *h, struct buf *out)
{
	enum err err;

	if (h->message.values->number != SERVE_MAGIC_CLIENT) {
		fail(h, ERR_PROTO, "what connected does not speak the Nix serve protocol");
		return;
	}
	err = put_u64(out, SERVE_MAGIC_SERVER);
	if (!err)
		err = put_u64(out, version_of(SERVE_MAJOR, SERVE_MINOR_MAX));
	if (err) {
		fail(h, err, "the handshake's answer finds no room");
		return;
	}
	h->step = STEP_VERSION;
	arena_reset(&h->arena);
	message_start(&h->message, &shape_version, "the handshake", 0);
}

static void on_version(struct hello_serve *h)
{
	uint64_t version = h->message.values->number;
	char why[HELLO_REASON];
	unsigned minor;

	if (!version_minor(version, SERVE_MAJOR, &minor)) {
		snprintf(why, sizeof why, "this client speaks an unknown version of the Nix serve protocol (0x%llx)",
			 (unsigned long long)version);
		fail(h, ERR_PROTO, why);
	} else if (minor < SERVE_MINOR_MIN) {
		snprintf(why, sizeof why, "this client speaks Nix serve protocol 2.%u; Nix 2.1 (2.%d) or newer is needed",
			 minor, SERVE_MINOR_MIN);
		fail(h, ERR_PROTO, why);
	} else {
		h->minor = minor < SERVE_MINOR_MAX ? minor : SERVE_MINOR_MAX;
		h->state = HELLO_READY;
	}
}

enum err hello_serve_feed(struct hello_serve *h, const uint8_t *in, size_t n, size_t *used, struct buf *out)
{
	size_t at = 0;

	while (h->state == HELLO_WAITING && at < n) {
		size_t took;
		enum err err = message_feed(&h->message, in + at, n - at, &took);

		at += took;
		if (err)
			fail(h, err, message_reason(&h->message));
		else if (message_done(&h->message) && h->step == STEP_MAGIC)
			on_magic(h, out);
		else if (message_done(&h->message))
			on_version(h);
	}
	*used = at;
	return h->failed;
}
