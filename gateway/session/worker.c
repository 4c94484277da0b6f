#include "gateway/session/worker.h"

#include <stdio.h>

#include "gateway/nix/content_address.h"
#include "gateway/nix/shapes.h"
#include "gateway/nix/signature.h"
#include "gateway/session/build.h"
#include "gateway/session/gate.h"
#include "gateway/session/request.h"
#include "gateway/session/upload.h"
#include "gateway/session/upstream.h"
#include "gateway/session/valid.h"
#include "gateway/wire/put.h"

enum { PASS_LEAST = 256 * 1024 };       /* of a file: less is sooner copied than it is seen to */

static enum err put_reply(struct session *s, const struct value *reply)
{
	if (stderr_put_last(&s->client.tx) != ERR_NONE ||
	    message_put(&s->client.tx, s->op->reply, s->client_minor, reply) != ERR_NONE)
		return session_no_memory(s);
	return ERR_NONE;
}

/* Most operations: the request goes up, the log comes down, then the reply. */
static enum err relay(struct session *s, const struct value *request)
{
	const struct op *op = upstream_op(s, s->op->number);
	const struct value *reply;
	struct daemon_error error;
	enum err err;

	if (op == NULL)
		return session_tell_error(s, "this builder's Nix daemon is too old for what the client asks");
	session_set_state(s, SESSION_WORK);
	err = upstream_send(s, op, request);
	if (!err)
		err = upstream_loop(s, LOG_TO_CLIENT, &error);
	if (err)
		return err;
	if (error.failed)
		return upstream_pass_error(s);
	session_set_state(s, SESSION_REPLY);
	err = session_read(s, &s->daemon, op->reply, op->name, &reply);
	if (err)
		return err;
	if (op->number == OP_QUERY_PATH_INFO && value_of(reply, op->reply, "info")->number == 1)
		known_add(&s->known, value_text(value_of(request, s->op->request, "path")));
	return put_reply(s, reply);
}

/* Answered by us alone: the daemon hears nothing of it. */
static enum err answer(struct session *s, const struct value *request)
{
	struct value *reply = values_new(&s->arena, s->op->reply);

	(void)request;
	if (reply == NULL)
		return session_no_memory(s);
	if (s->op->reply->count > 0 && s->op->reply->fields[0].kind == KIND_NUMBER)
		reply[0].number = 1;
	return put_reply(s, reply);
}

enum err ask_valid(struct session *s, struct text path, bool *valid)
{
	const struct value *reply;
	struct daemon_error error;
	enum err err = upstream_ask_path(s, OP_IS_VALID_PATH, path, &reply, &error);

	*valid = !err && !error.failed && reply->number == 1;
	return err;
}

/* The daemon is not listened to meanwhile: what it says is to go by. */
static enum err wait_for_client(struct session *s)
{
	enum err err;

	s->daemon.unheard = true;
	err = session_drain(s, &s->client);
	s->client.wants_room = peer_has_input(&s->daemon);
	while (!err && s->client.wants_room)
		err = session_move(s);
	s->daemon.unheard = false;
	return err;
}

/* What is long in an archive is the content of files, which nobody looks at: it need not come to us at all. What the daemon
 * sends after a pause does, for that is how we are woken. */
static enum err pass_content(struct session *s)
{
	while (nar_content_next(&s->nar) >= PASS_LEAST && buf_len(&s->daemon.rx) == 0 && !s->daemon.cannot_pass) {
		enum err err = wait_for_client(s);
		size_t passed;

		if (err)
			return err;
		passed = peer_pass(&s->daemon, &s->client, nar_content_next(&s->nar));
		nar_passed(&s->nar, passed);
		if (passed == 0)
			break;
	}
	return ERR_NONE;
}

enum err relay_nar(struct session *s, struct text path)
{
	nar_init(&s->nar, UINT64_MAX);
	s->client_in_archive = true;
	while (!nar_done(&s->nar)) {
		size_t used = 0;
		enum err err = session_await(s, &s->daemon);

		if (err)
			return err;
		err = nar_feed(&s->nar, buf_data(&s->daemon.rx), buf_len(&s->daemon.rx), &used);
		if (err)
			return session_end(s, err, "daemon-error", "the Nix daemon broke off %.*s: %s", (int)path.len,
					   path.bytes, s->nar.fault);
		if (buf_put(&s->client.tx, buf_data(&s->daemon.rx), used) != ERR_NONE)
			return session_no_memory(s);
		buf_take(&s->daemon.rx, used);
		err = session_room(s, &s->client);
		if (!err)
			err = pass_content(s);
		if (err)
			return err;
	}
	s->client_in_archive = false;
	return ERR_NONE;
}

/* A daemon that cannot read the path breaks off in the middle of the archive; so it is asked first whether it can. */
static enum err send_nar(struct session *s, const struct value *request)
{
	const struct op *op = upstream_op(s, OP_NAR_FROM_PATH);
	struct text path = value_text(value_of(request, s->op->request, "path"));
	char sentence[SENTENCE_MAX];
	bool valid;
	enum err err;

	session_set_state(s, SESSION_WORK);
	valid = known_holds(&s->known, path);
	err = valid ? ERR_NONE : ask_valid(s, path, &valid);
	if (err)
		return err;
	if (!valid) {
		log_sentence(sentence, "path '%.*s' is not on this builder", (int)path.len, path.bytes);
		return session_tell_error(s, sentence);
	}
	err = upstream_send(s, op, request);
	if (!err)
		err = upstream_loop(s, LOG_TO_CLIENT, NULL);
	if (err || s->loop.row->tag == STDERR_ERROR)
		return err;
	session_set_state(s, SESSION_REPLY);
	if (stderr_put_last(&s->client.tx) != ERR_NONE)
		return session_no_memory(s);
	return relay_nar(s, path);
}

/* A daemon without content-addressed derivations dies of the question; so without the grant for them the answer is ours,
 * as where the daemon would not read it: none is known. */
static enum err query_realisation(struct session *s, const struct value *request)
{
	if ((s->key->grant->derivations & KIND_CONTENT_ADDRESSED) != 0 && !s->upstream.realisations_by_path)
		return relay(s, request);
	return answer(s, request);
}

/* What no grant changes: the daemon could not read it, or not get over it. On record, and told. */
static enum err decline(struct session *s, struct text subject, const char *why)
{
	char sentence[SENTENCE_MAX], name[SENTENCE_MAX];
	enum err err;

	log_escape(name, sizeof name, subject.bytes, subject.len);
	log_sentence(sentence, "%s may not use %s (allowed: %s)%s%s; leave it out", s->key->name, s->op->name, why,
		     name[0] == '\0' ? "" : ": ", name);
	err = session_record_denied(s, name[0] == '\0' ? NULL : name, sentence, NULL);
	return err ? err : session_tell_error(s, sentence);
}

static enum err register_realisation(struct session *s, const struct value *request)
{
	if (s->upstream.realisations_by_path)
		return decline(s, text_of(""), "to nobody with this Nix daemon");
	return relay(s, request);
}

/* Whoever reads the path's description later has to read these too, and some take the path for broken then. */
static enum err add_signatures(struct session *s, const struct value *request)
{
	const struct value *signatures = value_of(request, s->op->request, "signatures");
	struct signature parsed;

	for (size_t i = 0; i < signatures->count; i++)
		if (signature_parse(value_text(&signatures->items[i]), &parsed) != ERR_NONE)
			return decline(s, value_text(&signatures->items[i]), "signatures, NAME:BASE64");
	return relay(s, request);
}

/* Some daemons do not survive the question where it is about anything else. */
static enum err query_derivation(struct session *s, const struct value *request)
{
	struct text path = value_text(value_of(request, s->op->request, "path"));

	return store_path_is_drv(path) ? relay(s, request) : decline(s, path, "paths that end in .drv");
}

/* Some daemons do not survive an address that gives another path than the one it comes with. They make its path without
 * references, so that is what counts. */
static enum err query_substitutables(struct session *s, const struct value *request)
{
	const struct value *paths = value_of(request, s->op->request, "paths");
	const struct shape *item = s->op->request->fields[0].item;

	for (size_t i = 0; i < paths->count; i++) {
		const struct value *wanted = value_item(paths, item, i);
		struct text path = value_text(value_of(wanted, item, "path")), ca = value_text(value_of(wanted, item, "ca"));
		struct content_address address;

		if (ca.len > 0 &&
		    content_address_check(s->message_limits.store_dir, path, ca, NULL, 0, &address) != ERR_NONE)
			return decline(s, path, "content addresses that give their paths");
	}
	return relay(s, request);
}

static enum err add_temp_root(struct session *s, const struct value *request)
{
	struct text path = value_text(value_of(request, s->op->request, "path"));
	enum err err;

	session_set_state(s, SESSION_WORK);
	err = valid_hold(s, &path, 1);
	return err ? err : answer(s, request);
}

/* What a client sets is heard only where it lowers a limit; names that would have meant code as root, or no sandbox, are
 * on record. The daemon hears ours alone. */
static enum err set_options(struct session *s, const struct value *request)
{
	char names[SENTENCE_MAX];
	struct wish wish;
	enum err err = ERR_NONE;

	if (settings_probe(request, s->op->request, LOSS_CODE | LOSS_SANDBOX, names) > 0)
		err = session_record_denied(s, names, "settings that no client may change", NULL);
	wish_from_set_options(request, s->op->request, &wish);
	session_set_state(s, SESSION_WORK);
	if (!err)
		err = settings_send(s, &s->settings, &wish);
	return err ? err : answer(s, request);
}

/* What more there is to some operations than to pass them on. Everything else about them is in their rows. */
static const struct {
	uint64_t number;
	enum err (*run)(struct session *s, const struct value *request);
} specials[] = {
	{ OP_ADD_TO_STORE, upload_add_to_store },
	{ OP_ADD_TEXT_TO_STORE, upload_add_text },
	{ OP_ADD_TEMP_ROOT, add_temp_root },
	{ OP_SET_OPTIONS, set_options },
	{ OP_QUERY_DERIVATION_OUTPUTS, query_derivation },
	{ OP_QUERY_DERIVATION_OUTPUT_NAMES, query_derivation },
	{ OP_QUERY_SUBSTITUTABLES, query_substitutables },
	{ OP_ADD_SIGNATURES, add_signatures },
	{ OP_NAR_FROM_PATH, send_nar },
	{ OP_ADD_TO_STORE_NAR, upload_nar },
	{ OP_QUERY_DERIVATION_OUTPUT_MAP, query_derivation },
	{ OP_REGISTER_REALISATION, register_realisation },
	{ OP_QUERY_REALISATION, query_realisation },
	{ OP_ADD_MULTIPLE_TO_STORE, upload_multiple },
	{ OP_ADD_BUILD_LOG, upload_log },
	{ OP_BUILD_PATHS, build_answer_paths },
	{ OP_BUILD_DERIVATION, build_answer_derivation },
	{ OP_BUILD_PATHS_WITH_RESULTS, build_answer_results },
};

static enum err run(struct session *s, const struct value *request)
{
	for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
		if (specials[i].number == s->op->number)
			return specials[i].run(s, request);
	return s->op->class == CLASS_ANSWERED ? answer(s, request) : relay(s, request);
}

/* Told in the place of an answer; what cannot be read to its end takes the session with it. */
static enum err refuse(struct session *s, const char *sentence)
{
	if (s->op->bulk == BULK_FRAMED)
		return upload_refuse(s, sentence);
	if (s->op->bulk == BULK_UNKNOWN)
		return session_end(s, ERR_DENIED, "refused", "%s", sentence);
	return session_tell_error(s, sentence);
}

static enum err one_request(struct session *s)
{
	char refusal[SENTENCE_MAX];
	struct value *request;
	enum err err = request_read(s, &worker_ops, &request);

	if (!err)
		err = gate_judge(s, request, refusal);
	if (err == ERR_DENIED && s->outcome == NULL)
		err = refuse(s, refusal);
	else if (!err)
		err = run(s, request);
	return err ? err : request_done(s);
}

enum err worker_serve(struct session *s)
{
	enum err err = ERR_NONE;

	while (!err)
		err = one_request(s);
	return err;
}
