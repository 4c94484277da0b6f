#include "gateway/session/request.h"

#include "gateway/nix/shapes.h"

static enum err read_number(struct session *s, const struct op_table *table)
{
	const struct value *number;
	enum err err = session_await(s, &s->client);

	if (err)
		return err;
	session_set_state(s, SESSION_REQUEST);
	s->requests++;
	err = session_read(s, &s->client, &shape_number, "operation", &number);
	if (err)
		return err;
	s->op = op_find(table, s->client_minor, number->number);
	if (s->op == NULL)
		return session_end(s, ERR_PROTO, "protocol-error", "the %s operation %llu is not known here", table->protocol,
				   (unsigned long long)number->number);
	return ERR_NONE;
}

enum err request_read(struct session *s, const struct op_table *table, struct value **request)
{
	const struct value *values = NULL;
	enum err err = read_number(s, table);

	if (!err)
		err = session_read(s, &s->client, s->op->request, s->op->name, &values);
	*request = (struct value *)(uintptr_t)values;
	return err;
}

enum err request_done(struct session *s)
{
	session_set_state(s, SESSION_IDLE);
	s->op = NULL;
	arena_reset(&s->arena);
	peer_trim(&s->client);
	peer_trim(&s->daemon);
	return session_room(s, &s->client);
}
