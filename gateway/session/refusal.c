#include "gateway/session/refusal.h"

#include "gateway/nix/hello.h"
#include "gateway/session/peer.h"

enum {
	HANDSHAKE_MS = 30 * 1000,       /* a client says hello at once */
	FAREWELL_MS = 3 * 1000          /* closing at once could destroy what is still under way to the client */
};

/* Feeds what has come to the handshake; false when no more is to be expected of it. */
static bool greet(struct peer *client, struct hello_server *hello)
{
	size_t used = 0;
	enum err err = hello_server_feed(hello, buf_data(&client->rx), buf_len(&client->rx), &used, &client->tx);

	buf_take(&client->rx, used);
	return err == ERR_NONE && hello->state == HELLO_WAITING;
}

static void greet_within(struct peer *client, struct hello_server *hello, int64_t until_ms)
{
	for (;;) {
		int64_t left = until_ms - clock_ms();

		if (!greet(client, hello) || client->ended || client->broken || left <= 0)
			return;
		peers_poll(&client, 1, (int)left);
	}
}

/* Sends what is queued and reads what comes into the void until the client has left. */
static void see_off(struct peer *client, int64_t until_ms)
{
	while (!client->ended && !client->broken) {
		int64_t left = until_ms - clock_ms();

		if (left <= 0)
			return;
		buf_take(&client->rx, buf_len(&client->rx));
		peers_poll(&client, 1, (int)left);
	}
}

void refusal_tell_worker(int in, int out, const char *sentence)
{
	struct hello_server hello;
	struct peer client;

	peer_init(&client, "client", in, out);
	hello_server_init(&hello, WORKER_MINOR_MAX, NULL, 0);
	greet_within(&client, &hello, clock_ms() + HANDSHAKE_MS);
	if (hello.state != HELLO_READY || hello_server_refuse(&hello, &client.tx, sentence) == ERR_NONE)
		see_off(&client, clock_ms() + FAREWELL_MS);
	hello_server_free(&hello);
	peer_close(&client);
}
