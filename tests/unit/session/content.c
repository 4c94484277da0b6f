#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/session/content.h"
#include "tests/unit/session/talk.h"

static struct content content;

static void begin_content(struct talk *t, bool framed, uint64_t size)
{
	talk_in_request(t, &worker_ops, 44);
	t->session.state = SESSION_UPLOAD;
	if (framed)
		content_init_framed(&content, size);
	else
		content_init_sized(&content, size);
}

static void send_number(struct talk *t, uint64_t number)
{
	struct bytes b = { .len = 0 };

	add_number(&b, number);
	talk_write(t->client, b.data, b.len);
	bytes_free(&b);
}

/* Everything, by pieces of at most `step` bytes. */
static size_t take_all(struct talk *t, char *out, size_t step)
{
	size_t got = 0, len;
	const uint8_t *bytes;

	for (;;) {
		assert_int_equal(content_peek(&t->session, &content, &bytes, &len), ERR_NONE);
		if (len == 0)
			return got;
		len = len < step ? len : step;
		memcpy(out + got, bytes, len);
		content_take(&t->session, &content, len);
		got += len;
	}
}

static void frames_come_out_as_one_content_however_they_were_cut(void **state)
{
	struct talk *t = *state;
	char got[64];

	for (size_t step = 1; step < 8; step++) {
		begin_content(t, true, 100);
		send_number(t, 3);
		talk_write(t->client, "abc", 3);
		send_number(t, 5);
		talk_write(t->client, "defgh", 5);
		send_number(t, 0);
		talk_write(t->client, "next", 4);
		assert_int_equal(take_all(t, got, step), 8);
		assert_memory_equal(got, "abcdefgh", 8);
		assert_true(content_done(&content));
		assert_int_equal(content.taken, 8);
		if (buf_len(&t->session.client.rx) == 0)
			assert_int_equal(session_await(&t->session, &t->session.client), ERR_NONE);
		assert_int_equal(buf_len(&t->session.client.rx), 4);    /* what is behind the end stays */
		buf_take(&t->session.client.rx, 4);
	}
}

static void a_known_number_of_bytes_ends_by_itself(void **state)
{
	struct talk *t = *state;
	char got[64];

	begin_content(t, false, 5);
	talk_write(t->client, "abcdefgh", 8);
	assert_int_equal(take_all(t, got, 2), 5);
	assert_memory_equal(got, "abcde", 5);
	assert_int_equal(buf_len(&t->session.client.rx), 3);
}

static void more_than_the_limit_ends_the_session_at_the_header(void **state)
{
	struct talk *t = *state;
	const uint8_t *bytes;
	size_t len;

	begin_content(t, true, 4);
	send_number(t, 5);
	assert_int_equal(content_peek(&t->session, &content, &bytes, &len), ERR_LIMIT);
	assert_string_equal(t->session.outcome, "protocol-error");
	assert_holds(t->session.why, "AddMultipleToStore");
}

static void draining_takes_everything_up_to_the_end(void **state)
{
	struct talk *t = *state;

	begin_content(t, true, 1000);
	send_number(t, 4);
	talk_write(t->client, "abcd", 4);
	send_number(t, 0);
	send_number(t, 99);
	assert_int_equal(content_drain(&t->session, &content), ERR_NONE);
	assert_true(content_done(&content));
	assert_int_equal(buf_len(&t->session.client.rx), 8);
}

static void draining_ends_when_the_client_leaves(void **state)
{
	struct talk *t = *state;

	begin_content(t, true, 1000);
	send_number(t, 4);
	talk_write(t->client, "ab", 2);
	shutdown(t->client, SHUT_WR);
	assert_int_equal(content_drain(&t->session, &content), ERR_CLOSED);
	assert_string_equal(t->session.outcome, "client-gone");
}

static void a_message_within_may_be_cut_by_frames_but_not_by_the_end(void **state)
{
	struct talk *t = *state;
	const struct value *number;

	begin_content(t, true, 1000);
	send_number(t, 3);
	talk_write(t->client, "\x07\0\0", 3);
	send_number(t, 5);
	talk_write(t->client, "\0\0\0\0\0", 5);
	send_number(t, 3);
	talk_write(t->client, "\x07\0\0", 3);
	send_number(t, 0);
	assert_int_equal(content_read(&t->session, &content, &shape_number, "count", 16, &number), ERR_NONE);
	assert_int_equal(number->number, 7);
	assert_int_equal(content_read(&t->session, &content, &shape_number, "count", 16, &number), ERR_PROTO);
	assert_string_equal(t->session.why, "the client's count ends too early");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_come_out_as_one_content_however_they_were_cut),
		TEST(a_known_number_of_bytes_ends_by_itself),
		TEST(more_than_the_limit_ends_the_session_at_the_header),
		TEST(draining_takes_everything_up_to_the_end),
		TEST(draining_ends_when_the_client_leaves),
		TEST(a_message_within_may_be_cut_by_frames_but_not_by_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
