#include "gateway/session/upload.h"

#include <string.h>

#include "gateway/nix/shapes.h"
#include "gateway/session/path_upload.h"
#include "gateway/session/record.h"
#include "gateway/session/upstream.h"
#include "gateway/wire/put.h"

enum {
	ITEMS_MAX = 1000000,    /* paths of one AddMultipleToStore */
	ITEM_MINOR = 16,        /* the version in which its items are always written */
	LOG_MAX = 256 * 1024 * 1024     /* of one build; the daemon holds it in memory */
};

static enum err put_last(struct session *s)
{
	return stderr_put_last(&s->client.tx) == ERR_NONE ? ERR_NONE : session_no_memory(s);
}

static enum err put_reply(struct session *s, const struct value *reply)
{
	if (stderr_put_last(&s->client.tx) != ERR_NONE ||
	    message_put(&s->client.tx, s->op->reply, s->client_minor, reply) != ERR_NONE)
		return session_no_memory(s);
	return ERR_NONE;
}

/* However it has ended. */
static enum err end(struct session *s, struct intake *in, enum err err)
{
	if (err)
		intake_break_off(s, in);
	intake_free(in);
	return err;
}

/* The daemon's reply to a single request, passed on. It is read even where the client was told of an error meanwhile. */
static enum err answer(struct session *s, const struct intake *in, const struct op *op, const struct value **reply)
{
	enum err err;

	*reply = NULL;
	if (!in->last)
		return ERR_NONE;
	err = session_read(s, &s->daemon, op->reply, op->name, reply);
	return err || in->failed ? err : put_reply(s, *reply);
}

/* The same where something was added; its path is known from the reply alone. */
static enum err answer_added(struct session *s, const struct intake *in, const struct op *op, uint64_t size)
{
	const struct value *reply;
	enum err err = answer(s, in, op, &reply), recorded;

	if (!err && reply == NULL)
		return ERR_NONE;
	recorded = record_upload(s, "upload", reply == NULL ? in->name : value_text(value_of(reply, op->reply, "path")), size);
	return err ? err : recorded;
}

/* --- AddToStore: the daemon computes the path --- */

/* Why this cannot be added, for a sentence; NULL: it can. `add`: laid out as AddToStore's request. What the daemon would
 * stumble over is refused here, for some daemons do not get up again. */
static const char *add_fault(struct session *s, const struct value *add, struct text *subject)
{
	const struct shape *shape = upstream_op(s, OP_ADD_TO_STORE)->request;
	const struct value *references = value_of(add, shape, "references");
	struct text method = value_text(value_of(add, shape, "method")), name = value_text(value_of(add, shape, "name"));
	enum content_method kind;
	enum hash_algo algo;

	*subject = name;
	if (content_method_parse(method, &kind, &algo) != ERR_NONE)
		return "is to be added in a way that is not served (text:sha256, fixed:ALGO and fixed:r:ALGO are)";
	if (!store_name_ok(name))
		return "is no name for a store path";
	if (text_ends(name, ".drv") && kind != CONTENT_TEXT)
		return "is named as a derivation, and is not added as text";
	if (references->count > 0 && kind != CONTENT_TEXT && (kind != CONTENT_NAR || algo != HASH_SHA256))
		return "is to be added in a way that knows no references (text:sha256 and fixed:r:sha256 do)";
	for (size_t i = 0; i < references->count; i++) {
		*subject = value_text(&references->items[i]);
		if (path_set_holds(&s->taken_off, *subject))
			return "came unsigned and was not stored, so nothing can refer to it; sign it, or have the builder trust its "
			       "cache";
	}
	*subject = name;
	return NULL;
}

/* A text is read whole before the daemon sees a byte of it: some daemons hold all of it in memory, and one that was cut
 * short would be taken for whole. A derivation is looked into besides. */
static enum err forward_text(struct session *s, struct intake *in, const struct op *op, const struct value *request,
			     struct text name)
{
	struct buf body;
	enum err err = ERR_NONE;

	buf_init(&body, TEXT_FILE_MAX);
	for (bool more = true; !err && more && !in->failed;) {
		const uint8_t *bytes;
		size_t len;

		err = content_peek(s, &in->content, &bytes, &len);
		more = !err && len > 0;
		if (more && buf_put(&body, bytes, len) != ERR_NONE)
			err = intake_fail(s, in, name, "%.*s is over %d bytes", (int)name.len, name.bytes, TEXT_FILE_MAX);
		if (more)
			content_take(s, &in->content, len);
	}
	if (!err && !in->failed && text_ends(name, ".drv"))
		err = path_upload_check_text(s, in, name, &body);
	if (!err && !in->failed)
		err = intake_send(s, in, op, request, text_of(""), buf_len(&body));
	if (!err && !in->failed)
		err = intake_put(s, in, buf_data(&body), buf_len(&body));
	if (!err && in->sent)
		err = intake_put_end(s, in);
	buf_free(&body);
	return err;
}

static enum err forward_content(struct session *s, struct intake *in, const struct op *op, const struct value *request,
				struct text name)
{
	struct text method = value_text(value_of(request, op->request, "method"));
	enum err err = intake_send(s, in, op, request, text_of(""), 0);

	if (!err && !in->failed)
		err = intake_forward(s, in, text_starts(method, "fixed:r:"), name);
	return err;
}

enum err upload_add_to_store(struct session *s, const struct value *request)
{
	const struct op *op = upstream_op(s, OP_ADD_TO_STORE);
	struct text subject, name = value_text(value_of(request, op->request, "name"));
	struct text method = value_text(value_of(request, op->request, "method"));
	const char *fault = add_fault(s, request, &subject);
	struct intake in;
	enum err err = ERR_NONE;

	intake_init_framed(&in, UPLOAD_NAR_MAX);
	in.name = name;
	session_set_state(s, SESSION_UPLOAD);
	nar_init(&s->nar, UPLOAD_NAR_MAX);
	if (fault != NULL)
		err = intake_fail(s, &in, subject, "%.*s %s", (int)subject.len, subject.bytes, fault);
	else if (text_starts(method, "text:"))
		err = forward_text(s, &in, op, request, name);
	else
		err = forward_content(s, &in, op, request, name);
	if (!err)
		err = intake_finish(s, &in);
	if (!err)
		err = answer_added(s, &in, op, in.content.taken);
	return end(s, &in, err);
}

/* --- AddTextToStore, of which the daemon need not know: as AddToStore --- */

enum err upload_add_text(struct session *s, const struct value *request)
{
	const struct op *op = upstream_op(s, OP_ADD_TO_STORE);
	const struct value *content = value_of(request, s->op->request, "content");
	struct text name = value_text(value_of(request, s->op->request, "name"));
	struct value *add = values_new(&s->arena, op->request);
	struct buf body = { .memory = (uint8_t *)(uintptr_t)content->text, .size = content->len, .end = content->len };
	struct text subject;
	struct intake in;
	const char *fault;
	enum err err = ERR_NONE;

	if (add == NULL)
		return session_no_memory(s);
	value_set_text(add, op->request, "name", name);
	value_set_text(add, op->request, "method", text_of("text:sha256"));
	*value_at(add, op->request, "references") = *value_of(request, s->op->request, "references");
	intake_init_sized(&in, 0);
	in.name = name;
	session_set_state(s, SESSION_UPLOAD);
	fault = add_fault(s, add, &subject);
	if (fault != NULL)
		err = intake_fail(s, &in, subject, "%.*s %s", (int)subject.len, subject.bytes, fault);
	else if (text_ends(name, ".drv"))
		err = path_upload_check_text(s, &in, name, &body);
	if (!err && !in.failed)
		err = intake_send(s, &in, op, add, text_of(""), content->len);
	if (!err && !in.failed)
		err = intake_put(s, &in, content->text, content->len);
	if (!err && in.sent)
		err = intake_put_end(s, &in);
	if (!err)
		err = intake_finish(s, &in);
	if (!err)       /* the path alone, which is the first field of the daemon's reply */
		err = answer_added(s, &in, op, content->len);
	return end(s, &in, err);
}

/* --- AddToStoreNar and AddMultipleToStore --- */

/* A build hook says that signatures need not be checked; what a copy brings must not vanish without a word. */
static bool may_rebuild(const struct session *s, bool dont_check_sigs)
{
	return dont_check_sigs && storable_rebuilds(s->key->grant);
}

static enum err end_paths(struct session *s, struct path_upload *up)
{
	enum err err = path_upload_settle(s, up);

	if (!err)
		err = intake_finish(s, &up->in);
	if (!err && !up->in.failed)
		err = path_upload_settle(s, up);        /* what the daemon has refused while the end came */
	if (!err && up->in.failed)
		err = content_drain(s, &up->in.content);
	if (!err && !up->in.failed)
		err = path_upload_tell(s, up);
	return err || up->in.failed ? err : put_last(s);
}

enum err upload_nar(struct session *s, const struct value *request)
{
	const struct op *op = upstream_op(s, OP_ADD_TO_STORE_NAR);
	struct value *head = values_new(&s->arena, op->request);
	struct path_upload up;
	enum err err;

	if (head == NULL)
		return session_no_memory(s);
	memcpy(head, request, op->request->count * sizeof *head);
	session_set_state(s, SESSION_UPLOAD);
	path_upload_init(&up, may_rebuild(s, value_of(head, op->request, "dontCheckSigs")->number == 1));
	intake_init_framed(&up.in, UPLOAD_NAR_MAX);
	err = path_upload_next(s, &up, head);
	if (!err)
		err = end_paths(s, &up);
	return end(s, &up.in, err);
}

/* The next item of AddMultipleToStore: its head becomes that of an AddToStoreNar, its archive follows. */
static enum err next_item(struct session *s, struct path_upload *up, bool dont_check_sigs)
{
	const struct op *op = upstream_op(s, OP_ADD_TO_STORE_NAR);
	const struct value *info;
	struct value *head;
	enum err err;

	arena_reset(&s->arena);
	err = content_read(s, &up->in.content, &shape_path_info, "path of AddMultipleToStore", ITEM_MINOR, &info);
	if (err)
		return err;
	head = values_new(&s->arena, op->request);
	if (head == NULL)
		return session_no_memory(s);
	memcpy(head, info, shape_path_info.count * sizeof *head);       /* the same fields, in the same order */
	value_set_number(head, op->request, "dontCheckSigs", dont_check_sigs);
	return path_upload_next(s, up, head);
}

enum err upload_multiple(struct session *s, const struct value *request)
{
	bool dont_check_sigs = value_of(request, s->op->request, "dontCheckSigs")->number == 1;
	const struct value *count;
	struct path_upload up;
	uint64_t left = 0;
	enum err err;

	session_set_state(s, SESSION_UPLOAD);
	path_upload_init(&up, may_rebuild(s, dont_check_sigs));
	intake_init_framed(&up.in, UPLOAD_MAX);
	err = content_read(s, &up.in.content, &shape_number, "count of AddMultipleToStore", ITEM_MINOR, &count);
	if (!err)
		left = count->number;
	if (!err && left > ITEMS_MAX)
		err = intake_fail(s, &up.in, text_of(""), "more than %d paths at once", ITEMS_MAX);
	for (; !err && !up.in.failed && left > 0; left--)
		err = next_item(s, &up, dont_check_sigs);
	if (!err)
		err = end_paths(s, &up);
	return end(s, &up.in, err);
}

/* --- AddBuildLog: text of any kind --- */

enum err upload_log(struct session *s, const struct value *request)
{
	const struct op *op = upstream_op(s, OP_ADD_BUILD_LOG);
	struct text drv = value_text(value_of(request, s->op->request, "drvName"));
	const struct value *reply;
	struct intake in;
	enum err err;

	if (!store_base_ok(drv) || !text_ends(drv, ".drv"))
		return upload_refuse(s, "a build log belongs to a derivation: HASH-NAME.drv");
	/* A daemon that does not trust us refuses, and then takes the log for requests. */
	if (s->trust != HELLO_TRUST_TRUSTED)
		return upload_refuse(s, "the Nix daemon takes build logs of trusted accounts only");
	session_set_state(s, SESSION_UPLOAD);
	intake_init_framed(&in, LOG_MAX);
	err = intake_send(s, &in, op, request, text_of(""), 0);
	if (!err && !in.failed)
		err = intake_forward(s, &in, false, text_of(""));
	if (!err)
		err = intake_finish(s, &in);
	if (!err)
		err = answer(s, &in, op, &reply);
	return end(s, &in, err);
}

/* --- the serve protocol --- */

static enum err end_one(struct session *s, struct path_upload *up, bool *stored, char *why)
{
	enum err err = path_upload_settle(s, up);

	if (!err)
		err = intake_await(s, &up->in, 0);
	if (!err && !up->in.failed)
		err = path_upload_settle(s, up);
	*stored = !up->in.failed;
	if (up->in.failed)
		memcpy(why, up->in.why, SENTENCE_MAX);
	return err;
}

enum err upload_one(struct session *s, struct value *head, bool *stored, char *why)
{
	struct path_upload up;
	enum err err;

	path_upload_init(&up, false);
	intake_init_sized(&up.in, value_of(head, upstream_op(s, OP_ADD_TO_STORE_NAR)->request, "narSize")->number);
	err = path_upload_next(s, &up, head);
	if (!err)
		err = end_one(s, &up, stored, why);
	if (!err)
		err = content_drain(s, &up.in.content);
	return end(s, &up.in, err);
}

enum err upload_spooled(struct session *s, struct value *head, bool *stored, char *why)
{
	struct path_upload up;
	enum err err;

	path_upload_init(&up, false);
	intake_init_sized(&up.in, 0);
	err = path_upload_spooled(s, &up, head);
	if (!err)
		err = end_one(s, &up, stored, why);
	return end(s, &up.in, err);
}

enum err upload_refuse(struct session *s, const char *sentence)
{
	struct content content;
	enum err err = session_tell_error(s, sentence);

	if (err)
		return err;
	content_init_framed(&content, UPLOAD_MAX);
	if (s->state != SESSION_UPLOAD)
		session_set_state(s, SESSION_UPLOAD);
	return content_drain(s, &content);
}
