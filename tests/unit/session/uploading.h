/* uploading: a client that uploads, frame by frame, for tests of what becomes of each path. */
#ifndef TESTS_UNIT_SESSION_UPLOADING_H
#define TESTS_UNIT_SESSION_UPLOADING_H

#include "gateway/session/path_upload.h"
#include "tests/unit/session/heads.h"
#include "tests/unit/session/made_drv.h"

static struct path_upload up;

static inline void begin_upload(struct talk *t, bool rebuild)
{
	talk_in_request(t, &worker_ops, 44);
	t->session.state = SESSION_UPLOAD;
	path_upload_init(&up, rebuild);
	intake_init_framed(&up.in, 1 << 30);
	if (!t->fake.started)
		talk_start_daemon(t);
}

static inline int end_upload(void **state)
{
	intake_free(&up.in);
	return talk_end(state);
}

static inline void send_frame(struct talk *t, const void *bytes, size_t len)
{
	struct bytes b = { .len = 0 };

	add_number(&b, len);
	add_raw(&b, bytes, len);
	talk_write(t->client, b.data, b.len);
	bytes_free(&b);
}

static inline void send_end(struct talk *t)
{
	send_frame(t, "", 0);
}

/* The client sends the archive of a file with this text; the head is told its size. */
static inline struct value *send_file(struct talk *t, struct value *head, const char *text)
{
	struct bytes nar = nar_of_file(text, strlen(text), 0);

	value_set_number(head, shape(t), "narSize", nar.len);
	send_frame(t, nar.data, nar.len);
	bytes_free(&nar);
	return head;
}

static inline struct value *addressed_file(struct talk *t, const char *name)
{
	struct value none = { .count = 0 };

	return send_file(t, addressed(t, name, &none), name);
}

/* The path's turn, then the end on both sides. */
static inline void upload_all(struct talk *t, struct value *head)
{
	assert_int_equal(path_upload_next(&t->session, &up, head), ERR_NONE);
	assert_int_equal(path_upload_settle(&t->session, &up), ERR_NONE);
	assert_int_equal(intake_finish(&t->session, &up.in), ERR_NONE);
	assert_int_equal(path_upload_settle(&t->session, &up), ERR_NONE);
}

#define UPLOAD(name) cmocka_unit_test_setup_teardown(name, talk_begin, end_upload)

#endif
