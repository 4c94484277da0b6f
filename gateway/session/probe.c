#include "gateway/session/probe.h"

#include <string.h>

#include "gateway/session/upstream.h"
#include "gateway/wire/put.h"

static const char PROBE_NAME[] = "nix-gateway-probe";
static const char PROBE_TEXT[] = "nix-gateway asks the Nix daemon whether it trusts its account.\n";

/* Adds the text; the request's content follows it in one frame. */
static enum err add_text(struct session *s, const struct value **info, struct daemon_error *error)
{
	const struct op *op = upstream_op(s, OP_ADD_TO_STORE);
	struct value *request = op == NULL ? NULL : values_new(&s->arena, op->request);
	enum err err;

	if (request == NULL)
		return session_no_memory(s);
	value_set_text(request, op->request, "name", text_of(PROBE_NAME));
	value_set_text(request, op->request, "method", text_of("text:sha256"));
	err = upstream_send(s, op, request);
	if (!err && (put_frame(&s->daemon.tx, PROBE_TEXT, sizeof PROBE_TEXT - 1) || put_frame_end(&s->daemon.tx)))
		return session_no_memory(s);
	if (!err)
		err = upstream_loop(s, LOG_NOWHERE, error);
	if (err || error->failed)
		return err;
	return session_read(s, &s->daemon, op->reply, op->name, info);
}

enum err probe_trust(struct session *s, enum hello_trust *trust)
{
	const struct op *add = upstream_op(s, OP_ADD_TO_STORE), *sign = upstream_op(s, OP_ADD_SIGNATURES);
	const struct value *info = NULL, *reply = NULL;
	struct daemon_error error = { .failed = false };
	struct value *request;
	enum err err;

	*trust = HELLO_TRUST_UNKNOWN;
	err = add_text(s, &info, &error);
	if (err || error.failed || sign == NULL)
		return err;
	request = values_new(&s->arena, sign->request);
	if (request == NULL)
		return session_no_memory(s);
	value_set_text(request, sign->request, "path", value_text(value_of(info, add->reply, "path")));
	err = upstream_ask(s, OP_ADD_SIGNATURES, request, &reply, &error);
	if (err)
		return err;
	if (!error.failed)
		*trust = HELLO_TRUST_TRUSTED;
	else if (strstr(error.text, "you are not privileged") != NULL)
		*trust = HELLO_TRUST_NOT_TRUSTED;
	return ERR_NONE;
}
