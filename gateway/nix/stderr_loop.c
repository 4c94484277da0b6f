#include "gateway/nix/stderr_loop.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/nix/shapes.h"
#include "gateway/wire/put.h"

static const char PREFIX[] = "nix-gateway: ";

LOCAL_SHAPE(shape_tag, "a message between request and reply", FIELDS_NUMBER("tag"));

SHAPE(shape_next, "Next", FIELDS_TEXT("text", LOG_LINE_MAX));

LOCAL_SHAPE(shape_log_field, "field", { .name = "value", .kind = KIND_CHOICE, .max = LOG_LINE_MAX });

SHAPE(shape_start_activity, "StartActivity",
	FIELDS_NUMBER("id"),
	FIELDS_UP_TO("level", UINT32_MAX),
	FIELDS_UP_TO("type", UINT32_MAX),
	FIELDS_TEXT("text", LOG_LINE_MAX),
	FIELDS_ITEMS("fields", LOG_FIELDS_MAX, shape_log_field),
	FIELDS_NUMBER("parent"));

SHAPE(shape_stop_activity, "StopActivity", FIELDS_NUMBER("id"));

SHAPE(shape_result, "Result",
	FIELDS_NUMBER("id"),
	FIELDS_UP_TO("type", UINT32_MAX),
	FIELDS_ITEMS("fields", LOG_FIELDS_MAX, shape_log_field));

/* Positions were never sent by a daemon, and clients break off where one is. */
LOCAL_SHAPE(shape_trace, "trace",
	FIELDS_UP_TO("position", 0),
	FIELDS_TEXT("text", LOG_LINE_MAX));

SHAPE(shape_error, "Error",
	{ .name = "type", .kind = KIND_STRING, .max = 64, .since = MINOR_STRUCTURED_ERRORS },
	{ .name = "level", .kind = KIND_NUMBER, .max = UINT64_MAX, .since = MINOR_STRUCTURED_ERRORS },
	{ .name = "name", .kind = KIND_STRING, .max = 256, .since = MINOR_STRUCTURED_ERRORS },
	FIELDS_TEXT("message", ERROR_TEXT_MAX),
	{ .name = "status", .kind = KIND_NUMBER, .max = UINT64_MAX, .until = MINOR_STRUCTURED_ERRORS - 1 },
	{ .name = "position", .kind = KIND_NUMBER, .max = 0, .since = MINOR_STRUCTURED_ERRORS },
	{ .name = "traces", .kind = KIND_ITEMS, .max = ERROR_TRACES_MAX, .item = &shape_trace,
	  .since = MINOR_STRUCTURED_ERRORS });

const struct stderr_row stderr_rows[] = {
	{ STDERR_NEXT, "Next", &shape_next },
	{ STDERR_READ, "Read", NULL },
	{ STDERR_WRITE, "Write", NULL },
	{ STDERR_START_ACTIVITY, "StartActivity", &shape_start_activity },
	{ STDERR_STOP_ACTIVITY, "StopActivity", &shape_stop_activity },
	{ STDERR_RESULT, "Result", &shape_result },
	{ STDERR_LAST, "Last", &shape_none },
	{ STDERR_ERROR, "Error", &shape_error },
};
const size_t stderr_rows_count = sizeof stderr_rows / sizeof *stderr_rows;

static const struct stderr_row *find(uint64_t tag)
{
	for (size_t i = 0; i < stderr_rows_count; i++)
		if (stderr_rows[i].tag == tag)
			return stderr_rows + i;
	return NULL;
}

const struct stderr_row *stderr_row(enum stderr_tag tag)
{
	const struct stderr_row *row = find((uint64_t)tag);

	assert(row != NULL);
	return row;
}

void stderr_loop_init(struct stderr_loop *l, const struct message_limits *limits, struct arena *arena)
{
	l->row = NULL;
	l->minor = 0;
	message_init(&l->message, limits, arena);
}

void stderr_loop_free(struct stderr_loop *l)
{
	message_free(&l->message);
}

void stderr_loop_start(struct stderr_loop *l, unsigned minor)
{
	l->row = NULL;
	l->minor = minor;
	message_start(&l->message, &shape_tag, shape_tag.name, minor);
}

static void refuse(struct stderr_loop *l, const char *why)
{
	l->message.failed = ERR_PROTO;
	snprintf(l->message.reason, sizeof l->message.reason, "the daemon's message %s", why);
}

static void on_tag(struct stderr_loop *l)
{
	const struct stderr_row *row = find(l->message.values->number);
	char why[64];

	if (row == NULL) {
		refuse(l, "is of no kind that is known");
	} else if (row->shape == NULL) {
		snprintf(why, sizeof why, "'%s' has no place here", row->name);
		refuse(l, why);
	} else {
		l->row = row;
		message_start(&l->message, row->shape, row->name, l->minor);
	}
}

enum err stderr_loop_feed(struct stderr_loop *l, const uint8_t *in, size_t n, size_t *used)
{
	enum err err = message_feed(&l->message, in, n, used);
	size_t more = 0;

	if (err || l->row != NULL || !message_done(&l->message))
		return err;
	on_tag(l);
	err = message_feed(&l->message, in + *used, n - *used, &more);
	*used += more;
	return err;
}

bool stderr_loop_done(const struct stderr_loop *l)
{
	return l->row != NULL && message_done(&l->message);
}

const char *stderr_loop_reason(const struct stderr_loop *l)
{
	return message_reason(&l->message);
}

enum err stderr_put(struct buf *out, enum stderr_tag tag, unsigned minor, const struct value *values)
{
	const struct shape *shape = stderr_row(tag)->shape;
	uint8_t *space;
	enum err err = buf_reserve(out, NUMBER_SIZE + message_size(shape, minor, values), &space);

	if (!err)
		err = put_u64(out, (uint64_t)tag);
	return err ? err : message_put(out, shape, minor, values);
}

enum err stderr_put_last(struct buf *out)
{
	return put_u64(out, STDERR_LAST);
}

enum err stderr_put_line(struct buf *out, const char *sentence)
{
	char line[sizeof PREFIX + SENTENCE_MAX + 1];
	struct value text = { .text = line };

	snprintf(line, sizeof line, "%s%.*s\n", PREFIX, SENTENCE_MAX - 1, sentence);
	text.len = strlen(line);
	return stderr_put(out, STDERR_NEXT, 0, &text);
}

enum err stderr_put_error(struct buf *out, unsigned minor, const char *sentence)
{
	char line[sizeof PREFIX + SENTENCE_MAX];

	snprintf(line, sizeof line, "%s%.*s", PREFIX, SENTENCE_MAX - 1, sentence);
	return put_error(out, minor, line);
}
