/* The handshakes, word by word, at every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/nix/hello.h"
#include "tests/unit/nix/said.h"

/* Feeds what was said in pieces: `cut` bytes, then `piece` at a time. Returns how many bytes the handshake took. */
static size_t play_server(struct hello_server *h, struct buf *out, size_t cut, size_t piece)
{
	const uint8_t *in = buf_data(&said);
	size_t at = 0, n = buf_len(&said), next = cut;

	while (at < n && h->state == HELLO_WAITING) {
		size_t part = next > n - at ? n - at : next, took;
		enum err err = hello_server_feed(h, in + at, part, &took, out);

		assert_int_equal(err, h->failed);
		assert_int_equal(err != ERR_NONE, h->state == HELLO_FAILED);
		if (h->state == HELLO_WAITING)
			assert_int_equal(took, part);
		at += took;
		next = piece;
	}
	return at;
}

/* 1.38 without features: protocol magic, version, lists, no affinity, no reserve. */
static const uint8_t client_38[] = {
	0x63, 0x78, 0x69, 0x6e, 0, 0, 0, 0,  0x26, 1, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,
};
static const uint8_t daemon_38[] = {
	0x6f, 0x69, 0x78, 0x64, 0, 0, 0, 0,  0x26, 1, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0,
	6, 0, 0, 0, 0, 0, 0, 0,  '2', '.', '3', '4', '.', '8', 0, 0,  1, 0, 0, 0, 0, 0, 0, 0,
	0x73, 0x74, 0x6c, 0x61, 0, 0, 0, 0,
};

static void the_handshake_of_1_38_is_the_same_at_every_cut(void **unused)
{
	(void)unused;
	assert_int_equal(buf_put(&said, client_38, sizeof client_38), ERR_NONE);
	for (size_t cut = 1; cut <= sizeof client_38; cut++)
		for (size_t piece = 1; piece <= sizeof client_38; piece += sizeof client_38 - 1) {
			struct hello_server h;
			struct buf out;

			buf_init(&out, 4096);
			hello_server_init(&h, 38, NULL, 0);
			assert_int_equal(play_server(&h, &out, cut, piece), sizeof client_38);
			assert_int_equal(h.state, HELLO_READY);
			assert_int_equal(h.minor, 38);
			assert_int_equal(hello_server_finish(&h, &out, "2.34.8", HELLO_TRUST_TRUSTED), ERR_NONE);
			assert_int_equal(hello_server_accept(&h, &out), ERR_NONE);
			assert_bytes(&out, daemon_38, sizeof daemon_38);
			hello_server_free(&h);
			buf_free(&out);
		}
}

/* Many clients say their version only after they have read ours. */
static void our_version_goes_out_right_after_the_magic(void **unused)
{
	struct hello_server h;
	struct buf out;
	size_t used;

	(void)unused;
	buf_init(&out, 4096);
	hello_server_init(&h, 38, NULL, 0);
	assert_int_equal(hello_server_feed(&h, client_38, 7, &used, &out), ERR_NONE);
	assert_int_equal(buf_len(&out), 0);
	assert_int_equal(hello_server_feed(&h, client_38 + 7, 1, &used, &out), ERR_NONE);
	assert_bytes(&out, daemon_38, 16);
	hello_server_free(&h);
	buf_free(&out);
}

/* Lets a client with these words be greeted, and returns the state; h and out are the caller's to free. */
static void greet(struct hello_server *h, struct buf *out, unsigned our_minor, uint64_t version, unsigned words)
{
	static const char *const ours[] = { "disable-set-options", "other" };

	say_nothing_yet();
	say(0x6e697863);
	say(version);
	for (unsigned i = 0; i < words; i++)
		say(0);
	buf_init(out, 4096);
	hello_server_init(h, our_minor, ours, 2);
	play_server(h, out, 1, 1);
}

static void the_common_version_is_the_smaller(void **unused)
{
	static const struct { unsigned ours; uint64_t client; unsigned words, common; } cases[] = {
		{ 38, 0x120, 2, 32 }, { 38, 0x123, 2, 35 }, { 35, 0x126, 2, 35 }, { 38, 0x126, 3, 38 },
		{ 38, 0x1ff, 3, 38 }, { 35, 0x120, 2, 32 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hello_server h;
		struct buf out;

		greet(&h, &out, cases[i].ours, cases[i].client, cases[i].words);
		assert_int_equal(h.state, HELLO_READY);
		assert_int_equal(h.minor, cases[i].common);
		assert_int_equal(h.client_minor, cases[i].client & 0xff);
		hello_server_free(&h);
		buf_free(&out);
	}
}

static void versions_of_no_known_protocol_are_closed_upon(void **unused)
{
	static const uint64_t strange[] = { 0x10123, 0x223, UINT64_MAX, 0, 0x109, 0x26, 0x100000126 };

	(void)unused;
	for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
		struct hello_server h;
		struct buf out;

		greet(&h, &out, 38, strange[i], 3);
		assert_int_equal(h.state, HELLO_FAILED);
		assert_non_null(strstr(h.reason, "unknown version"));
		assert_bytes(&out, daemon_38, 16);
		hello_server_free(&h);
		buf_free(&out);
	}
}

static void what_is_no_client_hears_nothing(void **unused)
{
	struct hello_server h;
	struct buf out;

	(void)unused;
	assert_int_equal(buf_put(&said, "GET / HTTP/1.1\r\n", 16), ERR_NONE);
	buf_init(&out, 4096);
	hello_server_init(&h, 38, NULL, 0);
	assert_int_equal(play_server(&h, &out, 16, 16), 8);
	assert_int_equal(h.state, HELLO_FAILED);
	assert_int_equal(buf_len(&out), 0);
	hello_server_free(&h);
	buf_free(&out);
}

static void a_client_too_old_is_told_so_in_its_own_version(void **unused)
{
	static const struct { unsigned minor, words; bool structured; } cases[] = {
		{ 10, 0, false }, { 11, 1, false }, { 13, 1, false }, { 14, 2, false }, { 21, 2, false },
		{ 25, 2, false }, { 26, 2, true }, { 31, 2, true },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hello_server h;
		struct buf out, wanted;
		char sentence[160];

		greet(&h, &out, 38, 0x100u + cases[i].minor, cases[i].words);
		assert_int_equal(h.state, HELLO_FAILED);
		snprintf(sentence, sizeof sentence, "nix-gateway: this client speaks Nix worker protocol 1.%u; "
			 "Nix 2.4 (1.32) or newer is needed", cases[i].minor);
		assert_string_equal(h.reason, sentence + strlen("nix-gateway: "));
		buf_init(&wanted, 4096);
		assert_int_equal(buf_put(&wanted, daemon_38, 16), ERR_NONE);
		assert_int_equal(put_error(&wanted, cases[i].minor, sentence), ERR_NONE);
		assert_bytes(&out, buf_data(&wanted), buf_len(&wanted));
		hello_server_free(&h);
		buf_free(&out);
		buf_free(&wanted);
	}
}

/* Nix 2.23: the second copy stands where the affinity's flag is due, the flag where the processor is. */
static void a_version_said_twice_is_taken_as_affinity(void **unused)
{
	struct hello_server h;
	struct buf out;

	(void)unused;
	say(0x6e697863);
	say(0x125);
	say(0x125);
	say(0);
	say(0);
	say(26);                /* the first request */
	buf_init(&out, 4096);
	hello_server_init(&h, 38, NULL, 0);
	assert_int_equal(play_server(&h, &out, 1, 1), 5 * 8);
	assert_int_equal(h.state, HELLO_READY);
	hello_server_free(&h);
	buf_free(&out);
}

static void features_in_force_are_those_of_both(void **unused)
{
	static const char *const ours[] = { "first", "disable-set-options" };
	struct hello_server h;
	struct buf out, wanted;

	(void)unused;
	say(0x6e697863);
	say(0x126);
	say(4);
	say_text("provenance");
	say_text("disable-set-options");
	say_text("disable-set-options");
	say_text("zzz");
	say(0);
	say(0);
	buf_init(&out, 4096);
	hello_server_init(&h, 38, ours, 2);
	play_server(&h, &out, 1, 1);
	assert_int_equal(h.state, HELLO_READY);
	assert_int_equal(h.features, 1 << 1);
	buf_init(&wanted, 4096);
	assert_int_equal(buf_put(&wanted, daemon_38, 16), ERR_NONE);
	assert_int_equal(put_u64(&wanted, 1), ERR_NONE);
	assert_int_equal(put_text(&wanted, "disable-set-options"), ERR_NONE);
	assert_bytes(&out, buf_data(&wanted), buf_len(&wanted));
	hello_server_free(&h);
	buf_free(&out);
	buf_free(&wanted);
}

static void features_are_bounded(void **unused)
{
	char letters[128];
	struct hello_server h;
	struct buf out;

	(void)unused;
	greet(&h, &out, 38, 0x126, 0);
	say_nothing_yet();
	say(65);
	play_server(&h, &out, 8, 8);
	assert_int_equal(h.failed, ERR_LIMIT);
	assert_string_equal(h.reason, "words of the handshake has more items than are allowed");
	hello_server_free(&h);
	buf_free(&out);

	greet(&h, &out, 38, 0x126, 0);
	say_nothing_yet();
	say(64);
	memset(letters, 'x', sizeof letters);
	for (int i = 0; i < 63; i++)
		assert_int_equal(put_string(&said, letters, sizeof letters), ERR_NONE);
	say(129);
	play_server(&h, &out, 1 << 20, 1 << 20);
	assert_int_equal(h.failed, ERR_LIMIT);
	hello_server_free(&h);
	buf_free(&out);
}

static void version_and_trust_go_to_who_can_read_them(void **unused)
{
	static const struct { uint64_t client; unsigned words, more; } cases[] = {
		{ 0x120, 2, 0 }, { 0x121, 2, 16 }, { 0x122, 2, 16 }, { 0x123, 2, 24 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hello_server h;
		struct buf out;

		greet(&h, &out, 38, cases[i].client, cases[i].words);
		assert_int_equal(hello_server_finish(&h, &out, "2.4", HELLO_TRUST_NOT_TRUSTED), ERR_NONE);
		assert_int_equal(buf_len(&out), 16 + cases[i].more);
		hello_server_free(&h);
		buf_free(&out);
	}
}

static void a_refused_session_finishes_the_handshake_first(void **unused)
{
	struct hello_server h;
	struct buf out, wanted;

	(void)unused;
	greet(&h, &out, 38, 0x123, 2);
	assert_int_equal(hello_server_refuse(&h, &out, "key 'bob' expired"), ERR_NONE);
	buf_init(&wanted, 4096);
	assert_int_equal(buf_put(&wanted, daemon_38, 16), ERR_NONE);
	assert_int_equal(put_text(&wanted, "nix-gateway"), ERR_NONE);
	assert_int_equal(put_u64(&wanted, 2), ERR_NONE);
	assert_int_equal(put_error(&wanted, 35, "nix-gateway: key 'bob' expired"), ERR_NONE);
	assert_bytes(&out, buf_data(&wanted), buf_len(&wanted));
	hello_server_free(&h);
	buf_free(&out);
	buf_free(&wanted);
}

static void an_answer_without_room_fails_the_handshake(void **unused)
{
	struct hello_server h;
	struct buf out;
	size_t used;

	(void)unused;
	buf_init(&out, 15);
	hello_server_init(&h, 38, NULL, 0);
	assert_int_equal(hello_server_feed(&h, client_38, 8, &used, &out), ERR_LIMIT);
	assert_int_equal(h.state, HELLO_FAILED);
	hello_server_free(&h);
	buf_free(&out);
}

/* --- the gateway as a client --- */

static void play_client(struct hello_client *h, struct buf *out, unsigned our_minor, size_t piece, size_t *taken)
{
	size_t at = 0, n = buf_len(&said);

	buf_init(out, 4096);
	assert_int_equal(hello_client_start(h, our_minor, out), ERR_NONE);
	while (at < n && h->state == HELLO_WAITING) {
		size_t part = piece > n - at ? n - at : piece, took;
		enum err err = hello_client_feed(h, buf_data(&said) + at, part, &took, out);

		assert_int_equal(err, h->failed);
		at += took;
	}
	*taken = at;
}

static void the_daemon_is_greeted_the_same_at_every_cut(void **unused)
{
	(void)unused;
	assert_int_equal(buf_put(&said, daemon_38, sizeof daemon_38), ERR_NONE);
	for (size_t piece = 1; piece <= sizeof daemon_38; piece++) {
		struct hello_client h;
		struct buf out;
		size_t taken;

		play_client(&h, &out, 38, piece, &taken);
		assert_int_equal(taken, sizeof daemon_38);
		assert_int_equal(h.state, HELLO_READY);
		assert_int_equal(h.daemon_minor, 38);
		assert_string_equal(h.daemon_version, "2.34.8");
		assert_int_equal(h.trust, HELLO_TRUST_TRUSTED);
		assert_bytes(&out, client_38, sizeof client_38);
		hello_client_free(&h);
		buf_free(&out);
	}
}

static void an_older_daemon_is_greeted_in_its_version(void **unused)
{
	static const struct { unsigned minor; const char *version; enum hello_trust trust; } cases[] = {
		{ 32, "", HELLO_TRUST_UNKNOWN }, { 33, "2.7", HELLO_TRUST_UNKNOWN },
		{ 34, "2.8.0", HELLO_TRUST_UNKNOWN }, { 35, "2.15", HELLO_TRUST_NOT_TRUSTED },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct hello_client h;
		struct buf out;
		size_t taken;

		say_nothing_yet();
		say(0x6478696f);
		say(0x100 + cases[i].minor);
		if (cases[i].minor >= 33)
			say_text(cases[i].version);
		if (cases[i].minor >= 35)
			say((uint64_t)cases[i].trust);
		say(STDERR_NEXT);
		say_text("a line of log");
		say(STDERR_LAST);
		say(99);                /* no longer the handshake's */
		play_client(&h, &out, 38, 1, &taken);
		assert_int_equal(taken, buf_len(&said) - 8);
		assert_int_equal(h.state, HELLO_READY);
		assert_int_equal(h.minor, cases[i].minor);
		assert_string_equal(h.daemon_version, cases[i].version);
		assert_int_equal(h.trust, cases[i].trust);
		assert_int_equal(buf_len(&out), 4 * 8);
		hello_client_free(&h);
		buf_free(&out);
	}
}

static void assert_daemon_refused(const char *reason)
{
	for (size_t piece = 1; piece <= 4096; piece += 4095) {
		struct hello_client h;
		struct buf out;
		size_t taken;

		play_client(&h, &out, 38, piece, &taken);
		assert_int_equal(h.state, HELLO_FAILED);
		assert_int_not_equal(h.failed, ERR_NONE);
		assert_string_equal(h.reason, reason);
		hello_client_free(&h);
		buf_free(&out);
	}
	say_nothing_yet();
}

static void strange_daemons_are_refused_with_the_reason(void **unused)
{
	(void)unused;
	say(0xab9a9ff0);
	assert_daemon_refused("the Nix daemon does not let this account in");
	say(0x5452eecb);
	assert_daemon_refused("what answers does not speak the Nix worker protocol");
	say(0x6478696f);
	say(0x115);
	assert_daemon_refused("the Nix daemon speaks worker protocol 1.21; Nix 2.4 (1.32) or newer is needed");
	say(0x6478696f);
	say(0x226);
	assert_daemon_refused("the Nix daemon speaks an unknown version of the worker protocol (0x226)");
	say(0x6478696f);
	say(0x123);
	say_text("2.15");
	say(3);
	assert_daemon_refused("trust of the daemon's handshake is a number out of its range");
	say(0x6478696f);
	say(0x120);
	assert_int_equal(put_error(&said, 32, "account 'nix' is not allowed"), ERR_NONE);
	assert_daemon_refused("the Nix daemon refuses the session: account 'nix' is not allowed");
	say(0x6478696f);
	say(0x120);
	say(STDERR_READ);
	assert_daemon_refused("the daemon's message 'Read' has no place here");
}

/* --- serve --- */

static void play_serve(struct hello_serve *h, struct buf *out, size_t piece, size_t *taken)
{
	size_t at = 0, n = buf_len(&said);

	buf_init(out, 4096);
	hello_serve_init(h);
	while (at < n && h->state == HELLO_WAITING) {
		size_t part = piece > n - at ? n - at : piece, took;
		enum err err = hello_serve_feed(h, buf_data(&said) + at, part, &took, out);

		assert_int_equal(err, h->failed);
		at += took;
	}
	*taken = at;
}

static void serve_clients_are_answered_2_7(void **unused)
{
	static const struct { uint64_t version; unsigned minor; const char *reason; } cases[] = {
		{ 0x205, 5, NULL }, { 0x206, 6, NULL }, { 0x207, 7, NULL }, { 0x208, 7, NULL }, { 0x2ff, 7, NULL },
		{ 0x204, 0, "this client speaks Nix serve protocol 2.4; Nix 2.1 (2.5) or newer is needed" },
		{ 0x305, 0, "this client speaks an unknown version of the Nix serve protocol (0x305)" },
		{ 0x10205, 0, "this client speaks an unknown version of the Nix serve protocol (0x10205)" },
	};
	static const uint8_t answer[] = { 0xcb, 0xee, 0x52, 0x54, 0, 0, 0, 0, 7, 2, 0, 0, 0, 0, 0, 0 };

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t piece = 1; piece <= 24; piece++) {
			struct hello_serve h;
			struct buf out;
			size_t taken;

			say_nothing_yet();
			say(0x390c9deb);
			say(cases[i].version);
			say(1);
			play_serve(&h, &out, piece, &taken);
			assert_int_equal(taken, 16);
			assert_bytes(&out, answer, sizeof answer);
			assert_int_equal(h.state, cases[i].reason == NULL ? HELLO_READY : HELLO_FAILED);
			assert_int_equal(h.minor, cases[i].minor);
			assert_string_equal(h.reason, cases[i].reason == NULL ? "" : cases[i].reason);
			hello_serve_free(&h);
			buf_free(&out);
		}
}

static void what_is_no_serve_client_hears_nothing(void **unused)
{
	struct hello_serve h;
	struct buf out;
	size_t taken;

	(void)unused;
	say(0x6e697863);
	play_serve(&h, &out, 1, &taken);
	assert_int_equal(h.state, HELLO_FAILED);
	assert_int_equal(buf_len(&out), 0);
	hello_serve_free(&h);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_handshake_of_1_38_is_the_same_at_every_cut),
		TEST(our_version_goes_out_right_after_the_magic),
		TEST(the_common_version_is_the_smaller),
		TEST(versions_of_no_known_protocol_are_closed_upon),
		TEST(what_is_no_client_hears_nothing),
		TEST(a_client_too_old_is_told_so_in_its_own_version),
		TEST(a_version_said_twice_is_taken_as_affinity),
		TEST(features_in_force_are_those_of_both),
		TEST(features_are_bounded),
		TEST(version_and_trust_go_to_who_can_read_them),
		TEST(a_refused_session_finishes_the_handshake_first),
		TEST(an_answer_without_room_fails_the_handshake),
		TEST(the_daemon_is_greeted_the_same_at_every_cut),
		TEST(an_older_daemon_is_greeted_in_its_version),
		TEST(strange_daemons_are_refused_with_the_reason),
		TEST(serve_clients_are_answered_2_7),
		TEST(what_is_no_serve_client_hears_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
