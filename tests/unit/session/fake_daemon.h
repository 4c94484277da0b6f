/* fake_daemon: a Nix daemon with a store of a few paths, for tests: a thread that decodes requests by the same rows as the
 * program, answers them, and writes down what it was asked, a line each: "AddTempRoot a.drv". Store folder and hash of
 * every path are left out, an empty text is "-", a list stands in brackets, "+N" is a framed content of N bytes.
 * Owner   the struct is the test's; fake_stop ends the thread, which closes nothing. */
#ifndef TESTS_UNIT_SESSION_FAKE_DAEMON_H
#define TESTS_UNIT_SESSION_FAKE_DAEMON_H

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/nix/stderr_loop.h"
#include "gateway/wire/frames.h"
#include "gateway/wire/put.h"
#include "tests/unit/nars.h"
#include "tests/unit/session/fake_store.h"

static inline bool fake_more(struct fake *f)
{
	uint8_t *space;
	ssize_t n;

	if (buf_reserve(&f->rx, 65536, &space) != ERR_NONE)
		abort();
	n = read(f->fd, space, 65536);
	if (n > 0)
		buf_commit(&f->rx, (size_t)n);
	return n > 0;
}

static inline bool fake_read(struct fake *f, const struct shape *shape, const struct value **values)
{
	message_start(&f->decoder, shape, "request", f->minor);
	while (!message_done(&f->decoder)) {
		size_t used = 0;

		if (buf_len(&f->rx) == 0 && !fake_more(f))
			return false;
		if (message_feed(&f->decoder, buf_data(&f->rx), buf_len(&f->rx), &used) != ERR_NONE)
			abort();        /* the gateway has sent what is no request */
		buf_take(&f->rx, used);
	}
	*values = f->decoder.values;
	return true;
}

static inline bool fake_read_frames(struct fake *f)
{
	struct frames frames;

	frames_init(&frames, UINT64_MAX);
	while (!frames_done(&frames)) {
		const uint8_t *span;
		size_t used = 0, len = 0;

		if (buf_len(&f->rx) == 0 && !fake_more(f))
			return false;
		if (frames_feed(&frames, buf_data(&f->rx), buf_len(&f->rx), &used, &span, &len) != ERR_NONE ||
		    (len > 0 && buf_put(&f->content, span, len) != ERR_NONE))
			abort();
		buf_take(&f->rx, used);
	}
	return true;
}

static inline void fake_note(char *line, size_t size, const char *text, size_t len)
{
	size_t used = strlen(line), skip = 0;

	if (len > FAKE_PREFIX && memcmp(text, "/nix/store/", FAKE_PREFIX - 33) == 0)
		skip = FAKE_PREFIX;
	snprintf(line + used, size - used, " %.*s", len == 0 ? 1 : (int)(len - skip), len == 0 ? "-" : text + skip);
}

static inline void fake_note_values(char *line, size_t size, const struct shape *shape, const struct value *values)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct value *value = values + i;
		char number[32];

		switch (shape->fields[i].kind) {
		case KIND_NUMBER:
		case KIND_BOOL:
		case KIND_TIME:
			snprintf(number, sizeof number, "%llu", (unsigned long long)value->number);
			fake_note(line, size, number, strlen(number));
			break;
		case KIND_NAR_HASH:
			break;
		case KIND_ITEMS:
			fake_note(line, size, "[", 1);
			for (size_t k = 0; k < value->count; k++)
				fake_note_values(line, size, shape->fields[i].item,
						 value_item(value, shape->fields[i].item, k));
			fake_note(line, size, "]", 1);
			break;
		default:
			fake_note(line, size, value->text, value->text == NULL ? 0 : value->len);
		}
	}
}

static inline void fake_say(struct fake *f, const char *line)
{
	size_t used;

	pthread_mutex_lock(&f->lock);
	used = strlen(f->heard);
	snprintf(f->heard + used, sizeof f->heard - used, "%s\n", line);
	pthread_mutex_unlock(&f->lock);
}

static inline void fake_put_error(struct fake *f, struct buf *out, const char *text)
{
	struct value *error = values_new(&f->arena, &shape_error);

	value_set_text(error, &shape_error, "type", text_of("Error"));
	value_set_text(error, &shape_error, "name", text_of("Error"));
	value_set_text(error, &shape_error, "message", text_of(text));
	if (stderr_put(out, STDERR_ERROR, f->minor, error) != ERR_NONE)
		abort();
}

static inline void fake_put_archive(struct fake *f, struct buf *out, struct text path)
{
	struct fake_path *found = fake_find(f, path);
	const char *text = found == NULL || found->text == NULL ? "" : found->text;
	struct bytes nar = nar_of_file(text, strlen(text), 0);

	if (buf_put(out, nar.data, nar.len) != ERR_NONE)
		abort();
	bytes_free(&nar);
}

static inline const struct fake_rule *fake_rule_for(const struct fake *f, const char *line)
{
	for (size_t i = 0; i < FAKE_RULES && f->rules[i].about != NULL; i++)
		if (strstr(line, f->rules[i].about) != NULL)
			return &f->rules[i];
	return NULL;
}

static inline void fake_send(struct fake *f, struct buf *out)
{
	while (buf_len(out) > 0) {
		ssize_t n = send(f->fd, buf_data(out), buf_len(out), MSG_NOSIGNAL);

		buf_take(out, n > 0 ? (size_t)n : buf_len(out));
	}
}

static inline bool fake_serve_one(struct fake *f)
{
	const struct value *values;
	const struct op *op;
	const struct fake_rule *rule;
	const char *error = NULL;
	char line[8192];
	struct value *reply;
	struct buf out;

	arena_reset(&f->arena);
	if (!fake_read(f, &shape_number, &values))
		return false;
	op = op_find(&worker_ops, f->minor, values->number);
	if (op == NULL)
		abort();
	if (!fake_read(f, op->request, &values))
		return false;
	snprintf(line, sizeof line, "%s", op->name);
	fake_note_values(line, sizeof line, op->request, values);
	rule = fake_rule_for(f, line);
	buf_init(&out, 1 << 26);
	if (rule != NULL && rule->early)
		fake_put_error(f, &out, rule->error);
	fake_send(f, &out);
	if (op->bulk == BULK_FRAMED) {
		buf_take(&f->content, buf_len(&f->content));
		if (!fake_read_frames(f))
			return false;
		snprintf(line + strlen(line), sizeof line - strlen(line), " +%zu", buf_len(&f->content));
	}
	reply = arena_array(&f->arena, op->reply->count + 1, sizeof *reply);
	if (rule != NULL)
		error = rule->error;
	else
		fake_answer(f, op, values, reply, &error);
	fake_say(f, line);
	if (error != NULL && (rule == NULL || !rule->early))
		fake_put_error(f, &out, error);
	if (error == NULL && (stderr_put_last(&out) != ERR_NONE ||
			      message_put(&out, op->reply, f->minor, reply) != ERR_NONE))
		abort();
	if (error == NULL && op->stream == STREAM_NAR)
		fake_put_archive(f, &out, value_text(values));
	fake_send(f, &out);
	buf_free(&out);
	return true;
}

static inline void *fake_run(void *argument)
{
	struct fake *f = argument;

	while (buf_len(&f->rx) < f->skip && fake_more(f))
		;
	buf_take(&f->rx, f->skip < buf_len(&f->rx) ? f->skip : buf_len(&f->rx));
	while (fake_serve_one(f))
		;
	shutdown(f->fd, SHUT_WR);
	return NULL;
}

static inline void fake_start(struct fake *f, int fd, unsigned minor)
{
	f->fd = fd;
	f->minor = minor;
	f->limits.store_dir = "/nix/store";
	buf_init(&f->rx, 1 << 26);
	buf_init(&f->content, 1 << 26);
	arena_init(&f->arena, 1 << 26);
	message_init(&f->decoder, &f->limits, &f->arena);
	if (pthread_mutex_init(&f->lock, NULL) != 0 || pthread_create(&f->thread, NULL, fake_run, f) != 0)
		abort();
	f->started = true;
}

/* Ends it: whatever the gateway has sent until now is answered before. */
static inline void fake_stop(struct fake *f)
{
	if (!f->started)
		return;
	shutdown(f->fd, SHUT_RD);
	pthread_join(f->thread, NULL);
	f->started = false;
	pthread_mutex_destroy(&f->lock);
	message_free(&f->decoder);
	buf_free(&f->rx);
	buf_free(&f->content);
	arena_free(&f->arena);
}

#endif
