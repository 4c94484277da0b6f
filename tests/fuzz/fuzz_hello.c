/* Any bytes as a peer's side of a handshake. The first byte picks which handshake and at which version we speak.
 * Property: in pieces or whole, the outcome is the same; a failure has a reason; what is ready is within what we speak. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/nix/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SERVER, CLIENT, SERVE, SIDES };

struct outcome {
	enum hello_state state;
	enum err failed;
	char reason[HELLO_REASON];
	unsigned minor;
	uint64_t more;                  /* features or trust */
	size_t used;
	struct buf out;
};

static const char *const offers[] = { "disable-set-options", "other" };

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void play_server(struct outcome *o, unsigned our_minor, const uint8_t *in, size_t n, size_t piece)
{
	struct hello_server h;

	hello_server_init(&h, our_minor, offers, 2);
	while (o->used < n && h.state == HELLO_WAITING) {
		size_t took;

		(void)!hello_server_feed(&h, in + o->used, piece < n - o->used ? piece : n - o->used, &took, &o->out);
		o->used += took;
	}
	if (h.state == HELLO_READY)
		must(hello_server_refuse(&h, &o->out, "no") == ERR_NONE);
	o->state = h.state;
	o->failed = h.failed;
	memcpy(o->reason, h.reason, sizeof o->reason);
	o->minor = h.minor;
	o->more = h.features;
	hello_server_free(&h);
}

static void play_client(struct outcome *o, unsigned our_minor, const uint8_t *in, size_t n, size_t piece)
{
	struct hello_client h;

	must(hello_client_start(&h, our_minor, &o->out) == ERR_NONE);
	while (o->used < n && h.state == HELLO_WAITING) {
		size_t took;

		(void)!hello_client_feed(&h, in + o->used, piece < n - o->used ? piece : n - o->used, &took, &o->out);
		o->used += took;
	}
	o->state = h.state;
	o->failed = h.failed;
	memcpy(o->reason, h.reason, sizeof o->reason);
	o->minor = h.minor;
	o->more = (uint64_t)h.trust;
	must(strlen(h.daemon_version) <= DAEMON_VERSION_MAX);
	hello_client_free(&h);
}

static void play_serve(struct outcome *o, const uint8_t *in, size_t n, size_t piece)
{
	struct hello_serve h;

	hello_serve_init(&h);
	while (o->used < n && h.state == HELLO_WAITING) {
		size_t took;

		(void)!hello_serve_feed(&h, in + o->used, piece < n - o->used ? piece : n - o->used, &took, &o->out);
		o->used += took;
	}
	o->state = h.state;
	o->failed = h.failed;
	memcpy(o->reason, h.reason, sizeof o->reason);
	o->minor = h.minor;
	hello_serve_free(&h);
}

static void play(struct outcome *o, unsigned side, unsigned our_minor, const uint8_t *in, size_t n, size_t piece)
{
	memset(o, 0, sizeof *o);
	buf_init(&o->out, 1 << 20);
	if (side == SERVER)
		play_server(o, our_minor, in, n, piece);
	else if (side == CLIENT)
		play_client(o, our_minor, in, n, piece);
	else
		play_serve(o, in, n, piece);
}

static void judge(const struct outcome *o, unsigned side, unsigned our_minor)
{
	must((o->state == HELLO_FAILED) == (o->failed != ERR_NONE));
	must((o->state == HELLO_FAILED) == (o->reason[0] != '\0'));
	for (const char *c = o->reason; *c != '\0'; c++)
		must(*c >= 0x20 && *c < 0x7f && *c != '%');
	if (o->state != HELLO_READY)
		return;
	if (side == SERVE)
		must(o->minor >= SERVE_MINOR_MIN && o->minor <= SERVE_MINOR_MAX);
	else
		must(o->minor >= WORKER_MINOR_MIN && o->minor <= our_minor);
	if (side == SERVER)
		must(o->more <= 3 && (o->more == 0 || o->minor >= 38));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, dripped;
	unsigned side, our_minor;

	if (size < 1)
		return 0;
	side = data[0] % SIDES;
	our_minor = WORKER_MINOR_MIN + data[0] / SIDES % (WORKER_MINOR_MAX - WORKER_MINOR_MIN + 1);
	play(&whole, side, our_minor, data + 1, size - 1, SIZE_MAX);
	play(&dripped, side, our_minor, data + 1, size - 1, 1);
	judge(&whole, side, our_minor);
	must(whole.state == dripped.state && whole.failed == dripped.failed);
	must(whole.failed || whole.used == dripped.used);
	must(strcmp(whole.reason, dripped.reason) == 0);
	must(whole.minor == dripped.minor && whole.more == dripped.more);
	must(buf_len(&whole.out) == buf_len(&dripped.out));
	must(buf_len(&whole.out) == 0 || memcmp(buf_data(&whole.out), buf_data(&dripped.out), buf_len(&whole.out)) == 0);
	buf_free(&whole.out);
	buf_free(&dripped.out);
	return 0;
}
