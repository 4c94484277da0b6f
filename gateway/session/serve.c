#include "gateway/session/serve.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/nix/hash.h"
#include "gateway/nix/nix32.h"
#include "gateway/nix/shapes.h"
#include "gateway/session/build.h"
#include "gateway/session/closure.h"
#include "gateway/session/gate.h"
#include "gateway/session/import.h"
#include "gateway/session/request.h"
#include "gateway/session/results.h"
#include "gateway/session/upload.h"
#include "gateway/session/upstream.h"
#include "gateway/session/valid.h"
#include "gateway/session/worker.h"
#include "gateway/wire/put.h"

enum { SAY_MS = 500 };          /* how long a sentence may take to be out, and then to be read */

/* As it stands wherever a person reads it; in s->arena, so that it can go into a reply. */
static const char *signed_sentence(struct session *s, const char *sentence)
{
	static const char prefix[] = "nix-gateway: ";
	size_t len = strlen(sentence);
	char *text = arena_alloc(&s->arena, sizeof prefix + len);

	if (text == NULL)
		return sentence;
	memcpy(text, prefix, sizeof prefix - 1);
	memcpy(text + sizeof prefix - 1, sentence, len);
	return text;
}

/* It has to be out before the answer is: a client that has that may leave at once. */
enum err serve_say(struct session *s, const char *sentence)
{
	const char *text = signed_sentence(s, sentence);

	if (buf_put(&s->log.tx, text, strlen(text)) != ERR_NONE || buf_put(&s->log.tx, "\n", 1) != ERR_NONE)
		return session_no_memory(s);
	session_flush(s, &s->log, SAY_MS);
	peer_wait_taken(&s->log, SAY_MS);       /* sshd passes stdout on first where both are there */
	return ERR_NONE;
}

static enum err put_reply(struct session *s, const struct value *reply)
{
	return message_put(&s->client.tx, s->op->reply, s->client_minor, reply) == ERR_NONE ? ERR_NONE : session_no_memory(s);
}

static enum err put_number(struct session *s, uint64_t number)
{
	return put_u64(&s->client.tx, number) == ERR_NONE ? ERR_NONE : session_no_memory(s);
}

static const struct value *asked(const struct session *s, const struct value *request, const char *name)
{
	return value_of(request, s->op->request, name);
}

/* The daemon's answer was an ERROR: its text goes to stderr, and the session ends where the stream has no word for it. */
static enum err give_up(struct session *s, const struct daemon_error *error)
{
	return session_end(s, ERR_DENIED, "daemon-error", "%s", error->text);
}

/* --- 1: which of these are valid --- */

static enum err hold(struct session *s, const struct value *paths)
{
	struct text *texts = arena_array(&s->arena, paths->count, sizeof *texts);

	if (texts == NULL)
		return session_no_memory(s);
	for (size_t i = 0; i < paths->count; i++)
		texts[i] = value_text(&paths->items[i]);
	return valid_hold(s, texts, paths->count);
}

static enum err query_valid_paths(struct session *s, const struct value *request)
{
	const struct op *op = upstream_op(s, OP_QUERY_VALID_PATHS);
	const struct value *paths = asked(s, request, "paths"), *reply;
	struct value *question = values_new(&s->arena, op->request);
	struct daemon_error error;
	enum err err;

	if (question == NULL)
		return session_no_memory(s);
	err = asked(s, request, "lock")->number == 1 ? hold(s, paths) : ERR_NONE;
	if (err)
		return err;
	*value_at(question, op->request, "paths") = *paths;
	value_set_number(question, op->request, "substitute", asked(s, request, "substitute")->number);
	err = upstream_ask(s, op->number, question, &reply, &error);
	if (err)
		return err;
	return error.failed ? give_up(s, &error) : put_reply(s, reply);
}

/* --- 2: what is known of these --- */

/* A worker's description of a path in the words of this protocol: another order, and the hash with its name. */
static enum err put_info(struct session *s, struct text path, const struct value *info)
{
	static const char *const same[] = { "deriver", "references", "narSize", "ca", "signatures" };
	const struct shape *from = &shape_unkeyed_path_info, *to = &shape_serve_path_info;
	struct value *out = values_new(&s->arena, to);
	uint8_t hash[SHA256_LEN];
	char *text = arena_alloc(&s->arena, NIX32_MAX + sizeof "sha256:");

	if (out == NULL || text == NULL)
		return session_no_memory(s);
	if (!hex_decode(value_text(value_of(info, from, "narHash")), hash, sizeof hash))
		return session_end(s, ERR_PROTO, "daemon-error", "the Nix daemon broke the protocol: a hash is none");
	memcpy(text, "sha256:", 7);
	nix32_encode(hash, sizeof hash, text + 7);
	value_set_text(out, to, "path", path);
	value_set_text(out, to, "narHash", text_of(text));
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		*value_at(out, to, same[i]) = *value_of(info, from, same[i]);
	value_set_number(out, to, "downloadSize", value_of(info, from, "narSize")->number);
	return message_put(&s->client.tx, to, s->client_minor, out) == ERR_NONE ? ERR_NONE : session_no_memory(s);
}

static enum err query_path_infos(struct session *s, const struct value *request)
{
	const struct op *op = upstream_op(s, OP_QUERY_PATH_INFO);
	const struct value *paths = asked(s, request, "paths");

	for (size_t i = 0; i < paths->count; i++) {
		struct text path = value_text(&paths->items[i]);
		const struct value *reply, *info;
		struct daemon_error error;
		enum err err = upstream_ask_path(s, op->number, path, &reply, &error);

		info = err || error.failed ? NULL : value_of(reply, op->reply, "info");
		if (info != NULL && info->number == 1)
			err = put_info(s, path, info->items);
		if (!err)
			err = session_room(s, &s->client);
		if (err)
			return err;
	}
	return put_text(&s->client.tx, "") == ERR_NONE ? ERR_NONE : session_no_memory(s);
}

/* --- 3: an archive --- */

static enum err dump_store_path(struct session *s, const struct value *request)
{
	const struct op *op = upstream_op(s, OP_NAR_FROM_PATH);
	struct text path = value_text(asked(s, request, "path"));
	struct daemon_error error;
	bool valid;
	enum err err = ask_valid(s, path, &valid);

	if (err)
		return err;
	if (!valid)
		return session_end(s, ERR_DENIED, "refused", "path '%.*s' is not on this builder", (int)path.len, path.bytes);
	err = upstream_send(s, op, request);
	if (!err)
		err = upstream_loop(s, LOG_NOWHERE, &error);
	if (err)
		return err;
	return error.failed ? give_up(s, &error) : relay_nar(s, path);
}

/* --- 4 and 9: uploads --- */

static enum err answer_upload(struct session *s, bool stored, const char *why)
{
	enum err err = stored ? ERR_NONE : serve_say(s, why);

	return err ? err : put_number(s, stored);
}

static enum err do_import_paths(struct session *s, const struct value *request)
{
	char why[SENTENCE_MAX] = "";
	bool stored;
	enum err err = import_paths(s, &stored, why);

	(void)request;
	return err ? err : answer_upload(s, stored, why);
}

static enum err add_to_store_nar(struct session *s, const struct value *request)
{
	const struct op *op = upstream_op(s, OP_ADD_TO_STORE_NAR);
	uint64_t size = asked(s, request, "narSize")->number;
	struct value *head = values_new(&s->arena, op->request);
	char why[SENTENCE_MAX] = "";
	bool stored = false;
	enum err err;

	if (head == NULL)
		return session_no_memory(s);
	/* What is no archive's size cannot be read to its end in step with anybody. */
	if (size < NAR_SIZE_MIN || size % NUMBER_SIZE != 0 || size > UPLOAD_NAR_MAX)
		return session_end(s, ERR_PROTO, "protocol-error", "%llu is no archive's size", (unsigned long long)size);
	memcpy(head, request, s->op->request->count * sizeof *head);    /* the same fields, in the same order */
	value_set_number(head, op->request, "dontCheckSigs", 1);
	session_set_state(s, SESSION_UPLOAD);
	err = upload_one(s, head, &stored, why);
	return err ? err : answer_upload(s, stored, why);
}

/* --- 6 and 8: builds --- */

/* A bare .drv meant all its outputs before 1.30, and does in this protocol. */
static enum err copy_targets(struct session *s, const struct value *targets, struct value *to)
{
	for (size_t i = 0; i < targets->count; i++) {
		struct text target = value_text(&targets->items[i]);
		char *all;

		to[i] = targets->items[i];
		if (text_holds(target, '!') || !text_ends(target, ".drv"))
			continue;
		all = arena_alloc(&s->arena, target.len + 3);
		if (all == NULL)
			return session_no_memory(s);
		memcpy(all, target.bytes, target.len);
		memcpy(all + target.len, "!*", 2);
		to[i] = (struct value){ .text = all, .len = target.len + 2 };
	}
	return ERR_NONE;
}

/* Status 1 would be success to clients, and a failure's message would be left in the stream: so it is always this one. */
static enum err put_failure(struct session *s, const char *text)
{
	if (put_u64(&s->client.tx, STATUS_MISC_FAILURE) != ERR_NONE || put_text(&s->client.tx, text) != ERR_NONE)
		return session_no_memory(s);
	return ERR_NONE;
}

/* What did not come to be is told on stderr as well: that is where people look. */
static enum err say_outcome(struct session *s, const struct build_outcome *out)
{
	return out->refused ? serve_say(s, out->text) : ERR_NONE;
}

/* Our own sentence, or the daemon's words. */
static const char *outcome_text(struct session *s, const struct build_outcome *out)
{
	return out->refused ? signed_sentence(s, out->text) : out->text;
}

/* Both build commands bring limits of their own, which may lower those of the grant. */
static enum err set_options(struct session *s, const struct value *request)
{
	struct wish wish;

	wish_from_serve_options(request, s->op->request, s->client_minor, &wish);
	return settings_send(s, &s->settings, &wish);
}

static enum err do_build_paths(struct session *s, const struct value *request)
{
	const struct value *targets = asked(s, request, "targets");
	struct value *items = arena_array(&s->arena, targets->count, sizeof *items);
	struct value all = { .items = items, .count = targets->count };
	struct build_outcome out;
	enum err err;

	if (items == NULL)
		return session_no_memory(s);
	err = copy_targets(s, targets, items);
	if (!err)
		err = set_options(s, request);
	if (!err)
		err = build_paths(s, &all, &out);
	if (!err)
		err = say_outcome(s, &out);
	if (err)
		return err;
	return out.refused || out.failed ? put_failure(s, outcome_text(s, &out)) : put_number(s, STATUS_BUILT);
}

static enum err put_failed_result(struct session *s, const char *text)
{
	const struct shape *to = &shape_serve_build_result;
	struct value *result = values_new(&s->arena, to);

	if (result == NULL)
		return session_no_memory(s);
	value_set_number(result, to, "status", STATUS_MISC_FAILURE);
	value_set_text(result, to, "message", text_of(text));
	return put_reply(s, result);
}

static enum err build_derivation(struct session *s, const struct value *request)
{
	struct build_outcome out;
	struct value *reply;
	enum err err = set_options(s, request);

	if (!err)
		err = build_one(s, request, s->op->request, &out);
	if (!err)
		err = say_outcome(s, &out);
	if (err)
		return err;
	if (out.refused || out.failed)
		return put_failed_result(s, outcome_text(s, &out));
	err = result_copy(s, out.results, out.shape, s->op->reply, &reply);
	return err ? err : put_reply(s, reply);
}

/* --- 7: a closure --- */

static enum err put_closure(struct session *s, struct path_set *set)
{
	struct value *reply = values_new(&s->arena, s->op->reply), *items;

	items = reply == NULL ? NULL : value_set_items(&s->arena, reply, s->op->reply, "paths", set->count);
	if (reply == NULL || (items == NULL && set->count > 0))
		return session_no_memory(s);
	if (set->count > 0)
		qsort(set->items, set->count, sizeof *set->items, text_compare_items);
	for (size_t i = 0; i < set->count; i++)
		items[i] = (struct value){ .text = set->items[i].bytes, .len = set->items[i].len };
	return put_reply(s, reply);
}

static enum err query_closure(struct session *s, const struct value *request)
{
	char why[SENTENCE_MAX];
	struct path_set set;
	bool whole;
	enum err err;

	path_set_init(&set, &s->arena, CLOSURE_MAX);
	err = closure_find(s, asked(s, request, "paths"), asked(s, request, "includeOutputs")->number == 1, &set, &whole,
			   why);
	if (!err)
		err = whole ? put_closure(s, &set) : session_end(s, ERR_DENIED, "refused", "%s", why);
	path_set_free(&set);
	return err;
}

/* --- the commands --- */

static enum err refuse_valid_paths(struct session *s, const char *sentence)
{
	(void)sentence;
	return put_number(s, 0);                /* none is valid */
}

static enum err refuse_infos(struct session *s, const char *sentence)
{
	(void)sentence;
	return put_text(&s->client.tx, "") == ERR_NONE ? ERR_NONE : session_no_memory(s);
}

static enum err refuse_nar(struct session *s, const char *sentence)
{
	(void)sentence;
	return put_number(s, 0);                /* not added; the archive is drained before */
}

/* What each command is made of, and what it says in the stream when it is refused (NULL: the session ends). */
static const struct serve_row {
	uint64_t number;
	enum err (*run)(struct session *s, const struct value *request);
	enum err (*refuse)(struct session *s, const char *sentence);
	bool write;             /* only for nix-store --serve --write */
} rows[] = {
	{ SERVE_QUERY_VALID_PATHS, query_valid_paths, refuse_valid_paths, false },
	{ SERVE_QUERY_PATH_INFOS, query_path_infos, refuse_infos, false },
	{ SERVE_DUMP_STORE_PATH, dump_store_path, NULL, false },
	{ SERVE_IMPORT_PATHS, do_import_paths, NULL, true },
	{ SERVE_BUILD_PATHS, do_build_paths, put_failure, true },
	{ SERVE_QUERY_CLOSURE, query_closure, NULL, false },
	{ SERVE_BUILD_DERIVATION, build_derivation, put_failed_result, true },
	{ SERVE_ADD_TO_STORE_NAR, add_to_store_nar, refuse_nar, true },
};

static const struct serve_row *find_row(uint64_t number)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].number == number)
			return &rows[i];
	return NULL;
}

static enum err refuse(struct session *s, const struct serve_row *row, const struct value *request, const char *sentence)
{
	enum err err = ERR_NONE;

	if (row == NULL || row->refuse == NULL)
		return session_end(s, ERR_DENIED, "refused", "%s", sentence);
	if (s->op->bulk == BULK_NAR) {
		struct content content;

		session_set_state(s, SESSION_UPLOAD);
		content_init_sized(&content, asked(s, request, "narSize")->number);
		err = content_drain(s, &content);
	}
	if (!err)
		err = serve_say(s, sentence);
	return err ? err : row->refuse(s, signed_sentence(s, sentence));
}

static enum err judge(struct session *s, const struct serve_row *row, struct value *request, char refusal[SENTENCE_MAX])
{
	struct value *substitute;

	if (row != NULL && row->write && !s->command->write) {
		enum err err;

		log_sentence(refusal, "%s needs nix-store --serve --write", s->op->name);
		err = session_record_denied(s, NULL, refusal, NULL);
		return err ? err : ERR_DENIED;
	}
	if (!s->command->write && s->op->number == SERVE_QUERY_VALID_PATHS) {
		substitute = value_at(request, s->op->request, "substitute");
		substitute->number = 0;
	}
	return gate_judge(s, request, refusal);
}

static enum err one_command(struct session *s)
{
	char refusal[SENTENCE_MAX];
	const struct serve_row *row = NULL;
	struct value *request;
	enum err err = request_read(s, &serve_ops, &request);

	if (!err) {
		row = find_row(s->op->number);
		err = judge(s, row, request, refusal);
	}
	if (err == ERR_DENIED && s->outcome == NULL) {
		err = refuse(s, row, request, refusal);
	} else if (!err) {
		session_set_state(s, SESSION_WORK);
		err = row->run(s, request);
	}
	return err ? err : request_done(s);
}

enum err serve_serve(struct session *s)
{
	enum err err = ERR_NONE;

	while (!err)
		err = one_command(s);
	return err;
}
