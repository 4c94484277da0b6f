#include "gateway/session/intake.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/session/record.h"
#include "gateway/session/upstream.h"
#include "gateway/wire/put.h"

enum { FRAME_MAX = 64 * 1024 };         /* a daemon makes room for a whole frame before it reads it */

static void init(struct intake *in)
{
	in->first = in->count = 0;
	in->name = text_of("");
	in->current_refused = in->failed = in->sent = in->whole = in->last = in->plain_file = false;
	pace_begin(&in->pace);
	in->paced = 0;
	in->why[0] = '\0';
	arena_init(&in->arena, (size_t)64 * 1024 * 1024);
	path_set_init(&in->doubtful, &in->arena, INTAKE_DOUBTS);
	in->doubtful_sizes = NULL;
	in->doubtful_room = 0;
}

void intake_init_framed(struct intake *in, uint64_t max)
{
	init(in);
	content_init_framed(&in->content, max);
}

void intake_init_sized(struct intake *in, uint64_t size)
{
	init(in);
	content_init_sized(&in->content, size);
}

void intake_free(struct intake *in)
{
	path_set_free(&in->doubtful);
	free(in->doubtful_sizes);
	in->doubtful_sizes = NULL;
	in->doubtful_room = 0;
	arena_free(&in->arena);
}

void intake_break_off(struct session *s, struct intake *in)
{
	for (; in->count > 0; in->count--) {
		const struct flying *oldest = &in->flying[in->first];
		struct text subject = oldest->path.len > 0 ? store_path_text(&oldest->path) : in->name;
		uint64_t size = oldest->size > 0 ? oldest->size : in->content.taken;
		bool whole = in->count > 1 || in->whole;

		if (whole && subject.len > 0 && record_upload(s, "upload", subject, size) != ERR_NONE)
			return;
		in->first = (in->first + 1) % FLYING_MAX;
	}
}

/* --- what the daemon says --- */

/* Its words for a path that it cannot check: no signature that it knows, or a reference that is not there. They hold
 * blanks, so no name of a path can bring them in. */
static bool is_not_storable(const char *text)
{
	static const char *const words[] = {
		"lacks a signature by a trusted key", "lacks a valid signature", "' is not valid",
		"' does not exist in the Lix database",         /* that a reference is not there, from Lix 2.91 on */
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(text, words[i]) != NULL)
			return true;
	return false;
}

static enum err doubt(struct intake *in, struct text path, uint64_t size)
{
	bool added;
	enum err err = path_set_add(&in->doubtful, path, &added);

	if (err || !added)
		return err;
	if (in->doubtful.count > in->doubtful_room) {
		uint64_t *sizes = realloc(in->doubtful_sizes, in->doubtful.capacity * sizeof *sizes);

		if (sizes == NULL)
			return ERR_MEMORY;
		in->doubtful_sizes = sizes;
		in->doubtful_room = in->doubtful.capacity;
	}
	in->doubtful_sizes[in->doubtful.count - 1] = size;
	return ERR_NONE;
}

enum err intake_doubt(struct session *s, struct intake *in, struct text path, uint64_t size)
{
	enum err err = doubt(in, path, size);

	return err ? session_fail(s, err) : ERR_NONE;
}

/* The oldest request has failed. What it was about may be not storable; else the daemon's error is passed on at once and
 * as it is, unless the client was told of one before. */
static enum err on_daemon_error(struct session *s, struct intake *in, const struct flying *request)
{
	char text[SENTENCE_MAX];

	if (in->failed)
		return ERR_NONE;
	upstream_error_text(s, text);
	if (request->path.len > 0 && is_not_storable(text)) {
		in->current_refused |= in->count == 0;
		return intake_doubt(s, in, store_path_text(&request->path), request->size);
	}
	in->failed = true;
	memcpy(in->why, text, sizeof in->why);
	return s->command->kind == COMMAND_WORKER ? upstream_pass_error(s) : ERR_NONE;
}

static enum err take_events(struct session *s, struct intake *in)
{
	while (in->count > 0 && buf_len(&s->daemon.rx) > 0) {
		const struct flying *oldest = &in->flying[in->first];
		enum loop_event event;
		/* Behind an error nothing more belongs to this operation: the client would take it for the next one's. */
		enum err err = upstream_step(s, in->failed ? LOG_NOWHERE : LOG_TO_CLIENT, &event);

		if (err || event == LOOP_GOES_ON)
			return err;
		in->first = (in->first + 1) % FLYING_MAX;
		in->count--;
		in->last = in->count == 0 && event == LOOP_LAST;
		if (event == LOOP_ERROR)
			err = on_daemon_error(s, in, oldest);
		else if (oldest->path.len > 0)
			err = record_upload(s, "upload", store_path_text(&oldest->path), oldest->size);
		if (err)
			return err;
	}
	return ERR_NONE;
}

enum err intake_await(struct session *s, struct intake *in, size_t flying)
{
	for (;;) {
		enum err err = take_events(s, in);

		if (err || (in->count <= flying && buf_len(&s->daemon.tx) <= SESSION_QUEUE))
			return err;
		err = session_check_patience(s, &s->daemon, clock_ms());
		if (!err)
			err = in->count > 1 ? session_move_lazily(s) : session_move(s);
		if (err)
			return err;
	}
}

/* --- what the client sends --- */

/* A client that sends a byte now and then would keep the daemon's lock on the path as well as one that sends none. */
static enum err check_pace(struct session *s, const struct intake *in, int64_t since_ms)
{
	if (!pace_would_be_lost(&in->pace, clock_ms() - since_ms))
		return ERR_NONE;
	return session_end(s, ERR_TIMEOUT, "stalled", "the client sends less than %d bytes a second", PACE_RATE);
}

static enum err find_content(struct session *s, struct intake *in, const uint8_t **bytes, size_t *len)
{
	int64_t since = clock_ms();

	for (*len = 0;;) {
		enum err err = take_events(s, in);

		if (err || in->failed)
			return err;
		err = content_look(s, &in->content, bytes, len);
		if (err || *len > 0 || content_done(&in->content))
			return err;
		err = session_check_patience(s, &s->client, since);
		if (!err)
			err = check_pace(s, in, since);
		if (!err)
			err = in->count > 1 ? session_move_lazily(s) : session_move(s);
		if (err)
			return err;
	}
}

/* Until there is content, its end, or a failure. */
static enum err await_content(struct session *s, struct intake *in, const uint8_t **bytes, size_t *len)
{
	int64_t since = clock_ms();
	enum err err;

	pace_moved(&in->pace, in->content.taken - in->paced, s->limits.stall_ms);
	in->paced = in->content.taken;
	err = find_content(s, in, bytes, len);
	pace_waited(&in->pace, clock_ms() - since);
	return err;
}

enum err intake_fail(struct session *s, struct intake *in, struct text subject, const char *format, ...)
{
	char name[STORE_PATH_MAX + 1];
	va_list args;
	enum err err;

	if (in->failed)
		return ERR_NONE;
	va_start(args, format);
	log_vsentence(in->why, format, args);
	va_end(args);
	in->failed = true;
	log_escape(name, sizeof name, subject.bytes, subject.len);
	err = session_record_denied(s, name, in->why, NULL);
	if (!err && s->command->kind == COMMAND_WORKER)
		err = session_tell_error(s, in->why);
	return err;
}

/* --- upstream --- */

enum err intake_send(struct session *s, struct intake *in, const struct op *op, const struct value *request,
		     struct text path, uint64_t size)
{
	struct flying *slot;
	enum err err = intake_await(s, in, FLYING_MAX - 1);

	if (err || in->failed)
		return err;
	err = upstream_send(s, op, request);
	if (err)
		return err;
	slot = &in->flying[(in->first + in->count++) % FLYING_MAX];
	if (path.len > 0)
		memcpy(slot->path.bytes, path.bytes, path.len);
	slot->path.bytes[path.len] = '\0';
	slot->path.len = path.len;
	slot->size = size;
	in->sent = true;
	in->whole = in->last = in->current_refused = false;
	return ERR_NONE;
}

enum err intake_put(struct session *s, struct intake *in, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len > 0 && !in->failed) {
		size_t piece = len < FRAME_MAX ? len : FRAME_MAX;
		enum err err = put_frame(&s->daemon.tx, at, piece);

		err = err ? session_fail(s, err) : intake_await(s, in, FLYING_MAX);
		if (err)
			return err;
		at += piece;
		len -= piece;
	}
	return ERR_NONE;
}

enum err intake_put_end(struct session *s, struct intake *in)
{
	enum err err = put_frame_end(&s->daemon.tx);

	in->whole = !in->failed;
	return err ? session_fail(s, err) : ERR_NONE;
}

/* Such an address is made of a file's bytes and of nothing else: it says neither that there is a link, nor that the file may
 * be executed. */
static bool is_plain_so_far(const struct nar *nar)
{
	return nar->root == NAR_UNKNOWN || (nar->root == NAR_REGULAR && !nar->root_executable);
}

/* The next piece of an archive, judged; *len 0: the upload has failed. */
static enum err next_piece(struct session *s, struct intake *in, struct text subject, const uint8_t **bytes, size_t *len)
{
	size_t there;
	enum err err = await_content(s, in, bytes, &there);

	*len = 0;
	if (err || in->failed)
		return err;
	if (there == 0)
		return intake_fail(s, in, subject, "the archive of %.*s ends too early", (int)subject.len, subject.bytes);
	if (nar_feed(&s->nar, *bytes, there, len) == ERR_NONE && (!in->plain_file || is_plain_so_far(&s->nar)))
		return ERR_NONE;
	*len = 0;
	if (s->nar.fault == NULL)
		return intake_fail(s, in, subject, "%.*s is no plain file, as its content address says it is",
				   (int)subject.len, subject.bytes);
	return intake_fail(s, in, subject, "the archive of %.*s is not in canonical form: %s", (int)subject.len,
			   subject.bytes, s->nar.fault);
}

enum err intake_swallow(struct session *s, struct intake *in, struct text subject, struct buf *body)
{
	while (!in->failed && !nar_done(&s->nar)) {
		const uint8_t *bytes;
		size_t len;
		enum err err = next_piece(s, in, subject, &bytes, &len);

		if (!err && !in->failed && body != NULL && buf_put(body, s->nar.body, s->nar.body_len) != ERR_NONE)
			err = intake_fail(s, in, subject, "%.*s is over %zu bytes", (int)subject.len, subject.bytes, body->max);
		content_take(s, &in->content, len);
		if (err)
			return err;
	}
	return ERR_NONE;
}

static enum err forward_archive(struct session *s, struct intake *in, struct text subject)
{
	while (!in->failed && !in->current_refused && !nar_done(&s->nar)) {
		const uint8_t *bytes = NULL;
		size_t len;
		enum err err = next_piece(s, in, subject, &bytes, &len);

		if (!err && !in->failed && put_frame(&s->daemon.tx, bytes, len) != ERR_NONE)
			err = session_no_memory(s);
		content_take(s, &in->content, len);
		if (!err)
			err = intake_await(s, in, FLYING_MAX);
		if (err)
			return err;
	}
	return ERR_NONE;
}

static enum err forward_rest(struct session *s, struct intake *in)
{
	while (!in->failed) {
		const uint8_t *bytes;
		size_t len;
		enum err err = await_content(s, in, &bytes, &len);

		if (err || in->failed || len == 0)
			return err;
		if (put_frame(&s->daemon.tx, bytes, len) != ERR_NONE)
			return session_no_memory(s);
		content_take(s, &in->content, len);
		err = intake_await(s, in, FLYING_MAX);
		if (err)
			return err;
	}
	return ERR_NONE;
}

enum err intake_forward(struct session *s, struct intake *in, bool archive, struct text subject)
{
	enum err err = archive ? forward_archive(s, in, subject) : forward_rest(s, in);

	if (!err)
		err = intake_put_end(s, in);
	/* What the daemon does not want is read to its end all the same. */
	if (!err && archive)
		err = intake_swallow(s, in, subject, NULL);
	return err;
}

enum err intake_finish(struct session *s, struct intake *in)
{
	const uint8_t *bytes;
	size_t len = 0;
	enum err err = intake_await(s, in, 0);

	if (!err && !in->failed)
		err = await_content(s, in, &bytes, &len);
	if (!err && !in->failed && len > 0)
		err = intake_fail(s, in, text_of(""), "bytes follow the end of %s", s->op->name);
	if (!err && in->failed)
		err = content_drain(s, &in->content);
	return err;
}
