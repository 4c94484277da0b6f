#include "gateway/session/build.h"

#include <string.h>

#include "gateway/nix/shapes.h"
#include "gateway/session/basic.h"
#include "gateway/session/judge.h"
#include "gateway/session/record.h"
#include "gateway/session/results.h"
#include "gateway/session/valid.h"

enum { FORMATTING_MINOR = 35 };

/* A refusal of judge becomes an outcome, on record; everything else stays what it is. */
static enum err settle(struct session *s, enum err err, struct text subject, const struct rule *rule,
		       struct build_outcome *out)
{
	char name[STORE_PATH_MAX + 1];

	if (err != ERR_DENIED || s->outcome != NULL)
		return err;
	out->refused = true;
	log_escape(name, sizeof name, subject.bytes, subject.len);
	return session_record_denied(s, name, out->text, rule);
}

static struct text first_target(const struct value *targets)
{
	return targets->count > 0 ? value_text(&targets->items[0]) : text_of("");
}

static enum err record_results(struct session *s, const struct value *targets, const struct build_outcome *out,
			       int64_t started_ms)
{
	enum err err = ERR_NONE;

	for (size_t i = 0; !err && out->failed && i < targets->count; i++)
		err = record_build(s, value_text(&targets->items[i]), "failed", started_ms);
	for (size_t i = 0; !err && !out->failed && i < out->results->count; i++) {
		const struct value *result = value_item(out->results, &shape_keyed_build_result, i);

		err = record_build(s, value_text(value_of(result, &shape_keyed_build_result, "path")),
				   status_name(value_of(result, &shape_keyed_build_result, "status")->number), started_ms);
	}
	return err;
}

/* The session ends while the daemon builds: what has run is on record all the same. */
static enum err record_aborted(struct session *s, const struct value *targets, int64_t started_ms, enum err err)
{
	for (size_t i = 0; i < targets->count; i++)
		(void)!record_build(s, value_text(&targets->items[i]), "aborted", started_ms);
	return err;
}

static enum err admit(struct session *s, const struct value *targets, struct build_outcome *out)
{
	struct rule rule;
	enum err err;

	*out = (struct build_outcome){ .shape = &shape_keyed_build_result };
	err = judge_targets(s, targets, out->text, &rule);
	return settle(s, err, first_target(targets), &rule, out);
}

enum err build_targets(struct session *s, const struct value *targets, struct build_outcome *out)
{
	int64_t started_ms = clock_ms();
	struct daemon_error error;
	enum err err = admit(s, targets, out);

	if (err || out->refused)
		return err;
	err = results_build(s, targets, s->build_mode, &out->results, &error);
	if (err)
		return record_aborted(s, targets, started_ms, err);
	out->failed = error.failed;
	if (error.failed)
		memcpy(out->text, error.text, sizeof out->text);
	err = record_results(s, targets, out, started_ms);
	return err || error.failed ? err : valid_forget_made(s);
}

/* --- BuildDerivation --- */

/* The derivation that the builder holds under this path is what is built, all of it. */
static enum err build_stored(struct session *s, struct text drv, struct build_outcome *out)
{
	char *all = arena_alloc(&s->arena, drv.len + 3);
	struct value target, targets = { .items = &target, .count = 1 };
	enum err err;

	if (all == NULL)
		return session_no_memory(s);
	memcpy(all, drv.bytes, drv.len);
	memcpy(all + drv.len, "!*", 2);
	target = (struct value){ .text = all, .len = drv.len + 2 };
	err = build_targets(s, &targets, out);
	if (err || out->refused || out->failed)
		return err;
	if (out->results->count != 1)
		return session_end(s, ERR_PROTO, "daemon-error", "the Nix daemon broke the protocol: one build, %zu results",
				   out->results->count);
	out->results = value_item(out->results, &shape_keyed_build_result, 0);
	return ERR_NONE;
}

static enum err forward_derivation(struct session *s, const struct basic *basic, const struct value *request,
				   const struct shape *shape, struct build_outcome *out)
{
	const struct op *op = upstream_op(s, OP_BUILD_DERIVATION);
	struct value *build = values_new(&s->arena, op->request);
	int64_t started_ms = clock_ms();
	struct daemon_error error;
	enum err err;

	if (build == NULL)
		return session_no_memory(s);
	for (size_t i = 0; i < op->request->count; i++) {
		size_t at = shape_index(shape, op->request->fields[i].name);

		if (at < shape->count)
			build[i] = request[at];
	}
	value_set_text(build, op->request, "drvPath", store_path_text(&basic->drv_path));
	err = upstream_send(s, op, build);
	if (!err)
		err = upstream_loop(s, LOG_TO_CLIENT, &error);
	if (!err && !error.failed)
		err = session_read(s, &s->daemon, op->reply, op->name, &out->results);
	if (err) {
		(void)!record_ask(s, &basic->ask, "aborted", started_ms);
		return err;
	}
	out->failed = error.failed;
	out->shape = op->reply;
	if (error.failed)
		memcpy(out->text, error.text, sizeof out->text);
	return record_ask(s, &basic->ask,
			  error.failed ? "failed" : status_name(value_of(out->results, op->reply, "status")->number),
			  started_ms);
}

enum err build_one(struct session *s, const struct value *request, const struct shape *shape,
		   struct build_outcome *out)
{
	struct text drv = value_text(value_of(request, shape, "drvPath"));
	struct basic basic;
	struct rule rule;
	enum err err;

	*out = (struct build_outcome){ .shape = &shape_keyed_build_result };
	err = basic_judge(s, request, shape, &basic, out->text, &rule);
	if (err)
		return settle(s, err, drv, &rule, out);
	if (basic.stored)
		return build_stored(s, drv, out);
	return forward_derivation(s, &basic, request, shape, out);
}

/* --- answers of the worker protocol --- */

static enum err put_reply(struct session *s, const struct value *reply)
{
	if (stderr_put_last(&s->client.tx) != ERR_NONE ||
	    message_put(&s->client.tx, s->op->reply, s->client_minor, reply) != ERR_NONE)
		return session_no_memory(s);
	return ERR_NONE;
}

/* *told: the client has its answer already, an error. */
static enum err tell_failure(struct session *s, const struct build_outcome *out, bool *told)
{
	*told = out->refused || out->failed;
	if (out->refused)
		return session_tell_error(s, out->text);
	return out->failed ? upstream_pass_error(s) : ERR_NONE;
}

/* BuildPaths says how it went by an ERROR or by none. */
enum err build_paths(struct session *s, const struct value *targets, struct build_outcome *out)
{
	const struct op *op = upstream_op(s, OP_BUILD_PATHS);
	struct value *request = values_new(&s->arena, op->request);
	int64_t started_ms = clock_ms();
	const struct value *reply;
	struct daemon_error error;
	enum err err = admit(s, targets, out);

	if (err || out->refused)
		return err;
	if (request == NULL)
		return session_no_memory(s);
	*value_at(request, op->request, "targets") = *targets;
	value_set_number(request, op->request, "mode", s->build_mode);
	err = upstream_send(s, op, request);
	if (!err)
		err = upstream_loop(s, LOG_TO_CLIENT, &error);
	if (!err && !error.failed)
		err = session_read(s, &s->daemon, op->reply, op->name, &reply);
	if (err)
		return record_aborted(s, targets, started_ms, err);
	out->failed = error.failed;
	if (error.failed)
		memcpy(out->text, error.text, sizeof out->text);
	for (size_t i = 0; !err && i < targets->count; i++)
		err = record_build(s, value_text(&targets->items[i]), error.failed ? "failed" : "built", started_ms);
	return err || error.failed ? err : valid_forget_made(s);
}

enum err build_answer_paths(struct session *s, const struct value *request)
{
	struct value done = { .number = 1 };
	struct build_outcome out;
	bool told = false;
	enum err err;

	session_set_state(s, SESSION_WORK);
	err = build_paths(s, value_of(request, s->op->request, "targets"), &out);
	if (!err)
		err = tell_failure(s, &out, &told);
	return err || told ? err : put_reply(s, &done);
}

/* The clients of 1.35 (Nix 2.15 to 2.19) take an error's text for a format and throw on most of what can follow a '%', of
 * which logs are full; they never did so with a result's text. */
static struct text without_format(struct session *s, struct text message)
{
	char *plain = s->client_minor == FORMATTING_MINOR ? arena_array(&s->arena, message.len, 2) : NULL;
	size_t used = 0;

	if (plain == NULL)
		return message;
	for (size_t i = 0; i < message.len; i++) {
		if (message.bytes[i] == '%')
			plain[used++] = '%';
		plain[used++] = message.bytes[i];
	}
	return (struct text){ plain, used };
}

/* A build hook asks for one derivation and does not look at the status of its result: what failed is told as an error,
 * so that people read why. */
static enum err tell_result(struct session *s, const struct value *result, const struct shape *shape)
{
	struct text message = value_text(value_of(result, shape, "message"));
	const struct shape *to = &shape_error;
	struct value *error = values_new(&s->arena, to);

	if (error == NULL)
		return session_no_memory(s);
	value_set_text(error, to, "type", text_of("Error"));
	value_set_text(error, to, "name", text_of("Error"));
	value_set_text(error, to, "message", without_format(s, message));
	return stderr_put(&s->client.tx, STDERR_ERROR, s->client_minor, error) == ERR_NONE ? ERR_NONE : session_no_memory(s);
}

static bool is_hook(const struct value *targets)
{
	return targets->count == 1 && text_ends(value_text(&targets->items[0]), "!*");
}

enum err build_answer_results(struct session *s, const struct value *request)
{
	const struct value *targets = value_of(request, s->op->request, "targets");
	struct value *reply = values_new(&s->arena, s->op->reply), *results;
	struct build_outcome out;
	bool told = false;
	enum err err;

	if (reply == NULL)
		return session_no_memory(s);
	session_set_state(s, SESSION_WORK);
	err = build_targets(s, targets, &out);
	if (!err)
		err = tell_failure(s, &out, &told);
	if (err || told)
		return err;
	results = value_at(reply, s->op->reply, "results");
	*results = *out.results;
	for (size_t i = 0; i < results->count; i++) {
		struct value *result = results->items + i * out.shape->count;
		struct value *status = value_at(result, out.shape, "status");

		if (!status_is_success(status->number) && is_hook(targets))
			return tell_result(s, result, out.shape);
		if (status->number > STATUS_LAST)
			status->number = STATUS_MISC_FAILURE;
	}
	return put_reply(s, reply);
}

enum err build_answer_derivation(struct session *s, const struct value *request)
{
	struct build_outcome out;
	struct value *reply;
	bool told = false;
	enum err err;

	session_set_state(s, SESSION_WORK);
	err = build_one(s, request, s->op->request, &out);
	if (!err)
		err = tell_failure(s, &out, &told);
	if (!err && !told)
		err = result_copy(s, out.results, out.shape, s->op->reply, &reply);
	return err || told ? err : put_reply(s, reply);
}
