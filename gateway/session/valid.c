#include "gateway/session/valid.h"

#include "gateway/session/upstream.h"

enum { ROOTS_FLYING = 64 };     /* temporary roots asked for ahead of the daemon's answers */

static enum err end_root(struct session *s)
{
	const struct op *op = upstream_op(s, OP_ADD_TEMP_ROOT);
	const struct value *reply;
	struct daemon_error error;
	enum err err = upstream_loop(s, LOG_NOWHERE, &error);

	if (!err && error.failed)
		return session_end(s, ERR_PROTO, "daemon-error", "the Nix daemon holds no path: %s", error.text);
	return err ? err : session_read(s, &s->daemon, op->reply, op->name, &reply);
}

/* What is not held yet goes behind what is. Whatever fails from there on ends the session, so the set stays true. */
static enum err note_held(struct session *s, const struct text *paths, size_t count)
{
	enum err err = ERR_NONE;

	for (size_t i = 0; !err && i < count; i++)
		err = path_set_add(&s->held, paths[i], NULL);
	if (err == ERR_LIMIT)
		return session_end(s, err, "refused", "this session holds %d paths, which is all it may; begin a new one", HELD_MAX);
	return err ? session_no_memory(s) : ERR_NONE;
}

enum err valid_hold(struct session *s, const struct text *paths, size_t count)
{
	const struct op *op = upstream_op(s, OP_ADD_TEMP_ROOT);
	size_t asked = s->held.count, done = asked;
	enum err err = note_held(s, paths, count);

	for (; !err && done < s->held.count; done++) {
		for (; !err && asked < s->held.count && asked < done + ROOTS_FLYING; asked++) {
			struct value path = { .text = s->held.items[asked].bytes, .len = s->held.items[asked].len };

			err = upstream_send(s, op, &path);
		}
		if (!err)
			err = end_root(s);
	}
	return err;
}

enum err valid_ask(struct session *s, const struct text *paths, size_t count, bool *valid)
{
	const struct op *op = upstream_op(s, OP_QUERY_VALID_PATHS);
	struct value *question = values_new(&s->arena, op->request), *items;
	const struct value *reply, *answer;
	struct daemon_error error;
	struct path_set found;
	enum err err;

	if (count == 0)
		return ERR_NONE;
	items = question == NULL ? NULL : value_set_items(&s->arena, question, op->request, "paths", count);
	if (items == NULL)
		return session_no_memory(s);
	for (size_t i = 0; i < count; i++)
		items[i] = (struct value){ .text = paths[i].bytes, .len = paths[i].len };
	err = upstream_ask(s, op->number, question, &reply, &error);
	if (!err && error.failed)
		err = session_end(s, ERR_PROTO, "daemon-error", "the Nix daemon does not say what is valid: %s", error.text);
	if (err)
		return err;
	path_set_init(&found, &s->arena, count);
	answer = value_of(reply, op->reply, "paths");
	for (size_t i = 0; !err && i < answer->count; i++)
		err = path_set_add(&found, value_text(&answer->items[i]), NULL);
	for (size_t i = 0; i < count; i++)
		valid[i] = path_set_holds(&found, paths[i]);
	path_set_free(&found);
	return err ? session_no_memory(s) : ERR_NONE;
}

enum err valid_forget_made(struct session *s)
{
	struct path_set left;
	bool *valid = arena_array(&s->arena, s->taken_off.count, sizeof *valid);
	enum err err;

	if (s->taken_off.count == 0)
		return ERR_NONE;
	if (valid == NULL)
		return session_no_memory(s);
	err = valid_ask(s, s->taken_off.items, s->taken_off.count, valid);
	path_set_init(&left, &s->arena, s->taken_off.count);
	for (size_t i = 0; !err && i < s->taken_off.count; i++)
		if (!valid[i] && path_set_add(&left, s->taken_off.items[i], NULL) != ERR_NONE)
			err = session_no_memory(s);
	if (!err)
		path_set_clear(&s->taken_off);
	for (size_t i = 0; !err && i < left.count; i++)
		if (path_set_add(&s->taken_off, left.items[i], NULL) != ERR_NONE)
			err = session_no_memory(s);
	path_set_free(&left);
	return err;
}
