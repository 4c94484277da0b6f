#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/nix/hello.h"
#include "gateway/nix/hello_shapes.h"
#include "gateway/session/refusal.h"
#include "gateway/wire/put.h"
#include "tests/unit/nars.h"

#define SENTENCE "this SSH key (SHA256:x) is not in this builder's policy"

/* What a client that has said this and leaves is told. */
static size_t told(const struct bytes *hello, uint8_t *out, size_t size)
{
	size_t got = 0;
	ssize_t n;
	int pair[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[1], hello->data, hello->len), (ssize_t)hello->len);
	shutdown(pair[1], SHUT_WR);
	refusal_tell_worker(pair[0], pair[0], SENTENCE);
	while ((n = read(pair[1], out + got, size - got)) > 0)
		got += (size_t)n;
	close(pair[1]);
	return got;
}

static struct bytes hello_of(unsigned minor)
{
	struct bytes b = { .len = 0 };

	add_number(&b, WORKER_MAGIC_CLIENT);
	add_number(&b, 256 + minor);
	for (int i = 0; i < (minor >= 38 ? 3 : 2); i++)
		add_number(&b, 0);
	return b;
}

static void every_client_reads_the_sentence_where_its_first_last_is_due(void **unused)
{
	(void)unused;
	for (unsigned minor = WORKER_MINOR_MIN; minor <= WORKER_MINOR_MAX; minor++) {
		struct bytes hello = hello_of(minor);
		uint8_t got[8192];
		size_t len = told(&hello, got, sizeof got);
		struct buf end;

		buf_init(&end, 8192);
		assert_int_equal(stderr_put_error(&end, minor, SENTENCE), ERR_NONE);
		assert_true(len >= 16 + buf_len(&end));
		assert_memory_equal(got + len - buf_len(&end), buf_data(&end), buf_len(&end));
		buf_free(&end);
		bytes_free(&hello);
	}
}

static void who_speaks_something_else_is_told_nothing(void **unused)
{
	struct bytes hello = { .len = 0 };
	uint8_t got[8192];

	(void)unused;
	add_raw(&hello, "GET / HTTP/1.1\r\n\r\n", 18);
	assert_int_equal(told(&hello, got, sizeof got), 0);
	bytes_free(&hello);
}

static void who_leaves_in_the_middle_is_not_waited_for(void **unused)
{
	struct bytes hello = hello_of(38);
	int64_t began = clock_ms();
	uint8_t got[8192];

	(void)unused;
	for (size_t cut = 0; cut < hello.len; cut += 5) {
		struct bytes part = { .data = hello.data, .len = cut };

		(void)told(&part, got, sizeof got);
	}
	assert_true(clock_ms() - began < 2000);
	bytes_free(&hello);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_client_reads_the_sentence_where_its_first_last_is_due),
		cmocka_unit_test(who_speaks_something_else_is_told_nothing),
		cmocka_unit_test(who_leaves_in_the_middle_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
