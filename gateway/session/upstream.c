#include "gateway/session/upstream.h"

#include <string.h>

#include "gateway/nix/shapes.h"
#include "gateway/wire/put.h"

/* A client that is busy sending reads nothing (a single thread), and must not be waited for. Progress is thinned out
 * then; a log that still grows over this ends the session. */
enum { LOG_QUEUE_MAX = 2 * 1024 * 1024 };

enum result_type { RESULT_BUILD_LOG_LINE = 101, RESULT_PROGRESS = 105, RESULT_SET_EXPECTED = 106,
		   RESULT_POST_BUILD_LOG_LINE = 107 };

const struct op *upstream_op(const struct session *s, uint64_t number)
{
	return op_find(&worker_ops, s->daemon_minor, number);
}

static void start_loop(struct session *s)
{
	arena_reset(&s->loop_arena);
	stderr_loop_start(&s->loop, s->daemon_minor);
}

enum err upstream_send(struct session *s, const struct op *op, const struct value *request)
{
	enum err err = put_u64(&s->daemon.tx, op->number);

	if (!err)
		err = message_put(&s->daemon.tx, op->request, s->daemon_minor, request);
	return err ? session_fail(s, err) : ERR_NONE;
}

static const struct value *loop_value(const struct session *s, const char *name)
{
	return value_of(s->loop.message.values, s->loop.row->shape, name);
}

static bool is_progress(const struct session *s)
{
	uint64_t type;

	if (s->loop.row->tag != STDERR_RESULT)
		return false;
	type = loop_value(s, "type")->number;
	return type == RESULT_PROGRESS || type == RESULT_SET_EXPECTED;
}

/* The line of a build's log in a Result message; false where it is something else. */
static bool log_line(const struct session *s, struct text *line)
{
	const struct value *fields = loop_value(s, "fields");
	uint64_t type = loop_value(s, "type")->number;

	if ((type != RESULT_BUILD_LOG_LINE && type != RESULT_POST_BUILD_LOG_LINE) || fields->count == 0 ||
	    fields->items[0].text == NULL)
		return false;
	*line = value_text(&fields->items[0]);
	return true;
}

/* A serve client has no place for a log but its stderr. The lines are the builder's own and go as they are. */
static enum err put_log_line(struct session *s)
{
	struct text line;
	bool ended;
	enum err err;

	if (s->loop.row->tag == STDERR_NEXT)
		line = value_text(loop_value(s, "text"));
	else if (s->loop.row->tag != STDERR_RESULT || !log_line(s, &line))
		return ERR_NONE;
	ended = line.len > 0 && line.bytes[line.len - 1] == '\n';
	err = buf_put(&s->log.tx, line.bytes, line.len);
	return err || ended ? err : buf_put(&s->log.tx, "\n", 1);
}

static enum err pass_log(struct session *s)
{
	enum err err;

	if (s->command->kind == COMMAND_SERVE)
		err = put_log_line(s);
	else if (buf_len(&s->client.tx) > SESSION_QUEUE && is_progress(s))
		return ERR_NONE;
	else
		err = stderr_put(&s->client.tx, (enum stderr_tag)s->loop.row->tag, s->client_minor, s->loop.message.values);
	if (err)
		return session_fail(s, err);
	if (buf_len(&s->client.tx) > LOG_QUEUE_MAX)
		return session_end(s, ERR_LIMIT, "stalled", "the client does not take the log of its operation");
	return ERR_NONE;
}

static enum err on_message(struct session *s, enum log_to to, enum loop_event *event)
{
	enum err err = ERR_NONE;

	if (s->loop.row->tag == STDERR_LAST)
		*event = LOOP_LAST;
	else if (s->loop.row->tag == STDERR_ERROR)
		*event = LOOP_ERROR;
	else if (to == LOG_TO_CLIENT)
		err = pass_log(s);
	return err;
}

enum err upstream_step(struct session *s, enum log_to to, enum loop_event *event)
{
	struct buf *rx = &s->daemon.rx;

	*event = LOOP_GOES_ON;
	while (buf_len(rx) > 0 && *event == LOOP_GOES_ON) {
		size_t used = 0;
		enum err err;

		if (stderr_loop_done(&s->loop) || s->loop.minor == 0)
			start_loop(s);
		err = stderr_loop_feed(&s->loop, buf_data(rx), buf_len(rx), &used);
		buf_take(rx, used);
		if (err)
			return session_end(s, err, "daemon-error", "the Nix daemon broke the protocol: %s",
					   stderr_loop_reason(&s->loop));
		if (!stderr_loop_done(&s->loop))
			continue;
		err = on_message(s, to, event);
		if (err)
			return err;
	}
	return ERR_NONE;
}

enum err upstream_loop(struct session *s, enum log_to to, struct daemon_error *error)
{
	enum loop_event event;

	if (error != NULL)
		error->failed = false;
	for (;;) {
		enum err err = upstream_step(s, to, &event);

		if (!err && event == LOOP_LAST)
			return ERR_NONE;
		if (!err && event == LOOP_ERROR)
			break;
		if (!err)
			err = session_room(s, &s->client);
		if (!err)
			err = session_room(s, &s->log);
		if (!err)
			err = session_await(s, &s->daemon);
		if (err)
			return err;
	}
	if (error == NULL)
		return upstream_pass_error(s);
	error->failed = true;
	upstream_error_text(s, error->text);
	return ERR_NONE;
}

void upstream_error_text(const struct session *s, char text[SENTENCE_MAX])
{
	struct text message = value_text(loop_value(s, "message"));

	log_escape(text, SENTENCE_MAX, message.bytes, message.len);
}

enum err upstream_pass_error(struct session *s)
{
	struct text message = value_text(loop_value(s, "message"));
	enum err err;

	if (s->command->kind == COMMAND_SERVE) {
		err = buf_put(&s->log.tx, message.bytes, message.len);
		if (!err)
			err = buf_put(&s->log.tx, "\n", 1);
	} else {
		err = stderr_put(&s->client.tx, STDERR_ERROR, s->client_minor, s->loop.message.values);
	}
	return err ? session_fail(s, err) : ERR_NONE;
}

enum err upstream_ask(struct session *s, uint64_t number, const struct value *request, const struct value **reply,
		      struct daemon_error *error)
{
	const struct op *op = upstream_op(s, number);
	enum err err;

	*reply = NULL;
	if (op == NULL)
		return session_end(s, ERR_PROTO, "failed", "the Nix daemon is too old: it has no operation %llu",
				   (unsigned long long)number);
	err = upstream_send(s, op, request);
	if (!err)
		err = upstream_loop(s, LOG_NOWHERE, error);
	if (err || error->failed)
		return err;
	return session_read(s, &s->daemon, op->reply, op->name, reply);
}

enum err upstream_ask_path(struct session *s, uint64_t number, struct text path, const struct value **reply,
			   struct daemon_error *error)
{
	struct value request = { .text = path.bytes, .len = path.len };

	return upstream_ask(s, number, &request, reply, error);
}
