/* fake_daemon: a Nix daemon with a store of a few paths, for tests: a thread that decodes requests by the same rows as the
 * program, answers them, and writes down what it was asked, a line each: "AddTempRoot a.drv". Store folder and hash of
 * every path are left out, an empty text is "-", a list stands in brackets, "+N" is a framed content of N bytes.
 * Owner   the struct is the test's; fake_stop ends the thread, which closes nothing. */
#ifndef TESTS_UNIT_SESSION_FAKE_DAEMON_H
#define TESTS_UNIT_SESSION_FAKE_DAEMON_H

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/nix/message.h"
#include "gateway/nix/ops.h"
#include "gateway/nix/shapes.h"
#include "gateway/nix/stderr_loop.h"
#include "gateway/wire/frames.h"
#include "gateway/wire/put.h"
#include "tests/unit/nars.h"

enum { FAKE_PATHS = 64, FAKE_RULES = 8, FAKE_HEARD = 64 * 1024, FAKE_PREFIX = sizeof "/nix/store/" - 1 + 33 };

struct fake_path {
	const char *path, *text;        /* borrow; text NULL: an archive is never asked for */
	const char *references;         /* borrows; one path or NULL */
	bool valid, fetchable;
};

struct fake_output {
	const char *drv, *name, *path;  /* borrow; what QueryDerivationOutputMap says */
};

/* The first row that fits the line of a request answers it with an ERROR. */
struct fake_rule {
	const char *about, *error;      /* borrow; about: a part of the line */
	bool early;                     /* before the content was read */
};

struct fake {
	int fd;
	unsigned minor;
	struct fake_path paths[FAKE_PATHS];
	size_t path_count;
	struct fake_output outputs[FAKE_RULES];
	struct fake_rule rules[FAKE_RULES];
	const char *will_build[FAKE_RULES], *will_substitute[FAKE_RULES];
	uint64_t status;                /* of every build */
	const char *message;            /* of every build; NULL: none */

	pthread_t thread;
	bool started;
	pthread_mutex_t lock;           /* of heard */
	char heard[FAKE_HEARD];
	struct buf content;             /* of the last framed request */
	struct buf rx;
	struct arena arena;
	struct message_limits limits;
	struct message decoder;
};

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

static inline struct fake_path *fake_find(struct fake *f, struct text path)
{
	for (size_t i = 0; i < f->path_count; i++)
		if (text_is(path, f->paths[i].path))
			return &f->paths[i];
	return NULL;
}

static inline void fake_list(struct fake *f, struct value *list, const char *const *paths)
{
	list->items = arena_array(&f->arena, FAKE_RULES, sizeof *list->items);
	for (list->count = 0; list->count < FAKE_RULES && paths[list->count] != NULL; list->count++)
		list->items[list->count] =
		    (struct value){ .text = paths[list->count], .len = strlen(paths[list->count]) };
}

static inline void fake_answer_info(struct fake *f, const struct fake_path *path, struct value *reply)
{
	struct value *info = arena_array(&f->arena, shape_unkeyed_path_info.count, sizeof *info);
	struct value *references = value_at(info, &shape_unkeyed_path_info, "references");

	*reply = (struct value){ .number = 1, .items = info };
	value_set_text(info, &shape_unkeyed_path_info, "narHash",
		       text_of("0a430879c266f8b57f4092a0f935cf3facd48bbccde5760d4748ca405171e969"));
	value_set_number(info, &shape_unkeyed_path_info, "narSize", 120);
	if (path->references != NULL)
		fake_list(f, references, (const char *[FAKE_RULES]){ path->references });
}

static inline void fake_answer_outputs(struct fake *f, struct text drv, const struct op *op, struct value *reply)
{
	const struct shape *item = op->reply->fields[0].item;
	struct value *items = value_set_items(&f->arena, reply, op->reply, "outputs", FAKE_RULES);

	reply->count = 0;
	for (size_t i = 0; i < FAKE_RULES && f->outputs[i].drv != NULL; i++) {
		if (!text_is(drv, f->outputs[i].drv))
			continue;
		value_set_text(items + item->count * reply->count, item, "name", text_of(f->outputs[i].name));
		value_set_text(items + item->count * reply->count++, item, "path", text_of(f->outputs[i].path));
	}
}

static inline void fake_answer_results(struct fake *f, const struct value *targets, struct value *reply)
{
	const struct shape *shape = &shape_keyed_build_result;

	reply->items = arena_array(&f->arena, targets->count * shape->count + 1, sizeof *reply->items);
	reply->count = targets->count;
	for (size_t i = 0; i < targets->count; i++) {
		value_set_text(reply->items + i * shape->count, shape, "path", value_text(&targets->items[i]));
		value_set_number(reply->items + i * shape->count, shape, "status", f->status);
		value_set_text(reply->items + i * shape->count, shape, "message",
			       text_of(f->message == NULL ? "" : f->message));
	}
}

/* The reply's values. *error: what the daemon says instead. */
static inline void fake_answer(struct fake *f, const struct op *op, const struct value *request, struct value *reply,
			       const char **error)
{
	struct fake_path *path = NULL;

	if (op->request->count > 0 && op->request->fields[0].kind == KIND_PATH)
		path = fake_find(f, value_text(request));
	switch (op->number) {
	case 1:
		reply->number = path != NULL && path->valid;
		break;
	case 7:
		value_set_text(reply, op->reply, "path", text_of("/nix/store/00000000000000000000000000000000-added"));
		value_set_text(reply, op->reply, "narHash",
			       text_of("0a430879c266f8b57f4092a0f935cf3facd48bbccde5760d4748ca405171e969"));
		break;
	case 9:
		for (size_t i = 0; i < request->count; i++) {
			path = fake_find(f, value_text(&request->items[i]));
			if (path != NULL)
				path->valid |= path->fetchable;
		}
		reply->number = 1;
		break;
	case 10:
		if (path == NULL || !(path->valid |= path->fetchable))
			*error = "path does not exist and cannot be fetched";
		reply->number = 1;
		break;
	case 26:
		if (path != NULL && path->valid)
			fake_answer_info(f, path, reply);
		break;
	case 31:
		reply->items = arena_array(&f->arena, request->count + 1, sizeof *reply->items);
		for (size_t i = 0; i < request->count; i++) {
			path = fake_find(f, value_text(&request->items[i]));
			if (path != NULL && path->valid)
				reply->items[reply->count++] = request->items[i];
		}
		break;
	case 36:
		reply->number = f->status;
		break;
	case 39:
		if (path != NULL)
			path->valid = true;
		break;
	case 40:
		fake_list(f, value_at(reply, op->reply, "willBuild"), f->will_build);
		fake_list(f, value_at(reply, op->reply, "willSubstitute"), f->will_substitute);
		break;
	case 41:
		fake_answer_outputs(f, value_text(request), op, reply);
		break;
	case 46:
		fake_answer_results(f, request, reply);
		break;
	default:
		if (op->reply->count > 0 && op->reply->fields[0].kind == KIND_NUMBER)
			reply->number = 1;
	}
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

static inline struct fake_path *fake_add(struct fake *f, const char *path, const char *text, bool valid)
{
	f->paths[f->path_count] = (struct fake_path){ .path = path, .text = text, .valid = valid };
	return &f->paths[f->path_count++];
}

#endif
