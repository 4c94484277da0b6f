#include "gateway/nix/message.h"

#include <stdio.h>

#include "gateway/nix/derived_path.h"
#include "gateway/nix/store_path.h"
#include "gateway/wire/tags.h"

/* The field's name comes from the table, so no byte of a peer gets into a reason. */
static void fail(struct message *m, enum err err, const char *why)
{
	m->failed = err;
	snprintf(m->reason, sizeof m->reason, "%s of %s %s", walk_field(&m->walk)->name, m->what, why);
}

static void fail_string(struct message *m, enum err err)
{
	fail(m, err, err == ERR_LIMIT ? "is longer than is allowed" :
		err == ERR_MEMORY ? "finds no memory" : "is padded with other than zero");
}

void message_init(struct message *m, const struct message_limits *limits, struct arena *arena)
{
	*m = (struct message){ .limits = limits, .arena = arena };
	string_init(&m->string, arena);
}

void message_free(struct message *m)
{
	string_free(&m->string);
}

/* The walk has moved: prepares for the field where it stands now. */
static void moved(struct message *m, enum err err)
{
	const struct field *field;

	if (err) {
		fail(m, err, err == ERR_LIMIT ? "comes more often than is allowed" : "finds no memory");
		return;
	}
	if (walk_ended(&m->walk))
		return;
	field = walk_field(&m->walk);
	m->chosen = CHOSEN_NOTHING;
	number_init(&m->number);
	string_start(&m->string, (size_t)field_max(field));
	if (field->kind == KIND_TEXT || field->kind == KIND_CHOICE)
		cut_text_start(&m->text, (size_t)field->max);
}

void message_start(struct message *m, const struct shape *shape, const char *what, unsigned minor)
{
	m->shape = shape;
	m->what = what;
	m->minor = minor;
	m->failed = ERR_NONE;
	m->reason[0] = '\0';
	m->bytes = 0;
	m->walk.depth = 0;
	m->values = values_new(m->arena, shape);
	if (m->values == NULL) {
		m->failed = ERR_MEMORY;
		snprintf(m->reason, sizeof m->reason, "%s finds no memory", what);
		return;
	}
	moved(m, walk_start(&m->walk, m->arena, shape, minor, m->values));
}

/* --- numbers --- */

static void on_number(struct message *m)
{
	walk_value(&m->walk)->number = m->number.value;
	moved(m, walk_next(&m->walk));
}

static void on_bounded_number(struct message *m)
{
	const struct field *field = walk_field(&m->walk);

	if (m->number.value > field_max(field))
		fail(m, ERR_PROTO, field->kind == KIND_BOOL ? "is neither 0 nor 1" : "is a number out of its range");
	else
		on_number(m);
}

static void on_count(struct message *m)
{
	if (m->number.value > field_max(walk_field(&m->walk)))
		fail(m, ERR_LIMIT, "has more items than are allowed");
	else
		moved(m, walk_into(&m->walk, m->number.value));
}

static void on_flag(struct message *m)
{
	if (m->number.value > field_max(walk_field(&m->walk))) {
		fail(m, ERR_PROTO, "is a number out of its range");
		return;
	}
	walk_value(&m->walk)->number = m->number.value;
	moved(m, walk_into(&m->walk, m->number.value != 0));
}

static void on_choice(struct message *m)
{
	if (m->number.value > STDERR_FIELD_TEXT) {
		fail(m, ERR_PROTO, "is neither a number nor a text");
		return;
	}
	m->chosen = m->number.value == STDERR_FIELD_NUMBER ? CHOSEN_NUMBER : CHOSEN_TEXT;
	number_init(&m->number);
}

/* --- texts --- */

static bool is_hash(struct text text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!(text.bytes[i] >= '0' && text.bytes[i] <= '9') && !(text.bytes[i] >= 'a' && text.bytes[i] <= 'f'))
			return false;
	return text.len == NAR_HASH_LEN;
}

/* NULL: the text is what its kind wants. */
static const char *text_fault(const struct message *m, enum kind kind, struct text text)
{
	struct derived_path derived;

	switch (kind) {
	case KIND_MAYBE_PATH:
	case KIND_PATH:
		if (text.len == 0 && kind == KIND_MAYBE_PATH)
			return NULL;
		return store_path_ok(m->limits->store_dir, text) ? NULL : "is not a store path";
	case KIND_DERIVED:
		return derived_path_parse(m->limits->store_dir, text, &derived) ? "is nothing that can be built" : NULL;
	case KIND_NAR_HASH:
		return is_hash(text) ? NULL : "is not 64 hexadecimal digits";
	default:
		return NULL;
	}
}

static void on_string(struct message *m)
{
	struct text text = { m->string.bytes, m->string.len };
	const char *fault;

	if (text.len == 0 && walk_may_leave(&m->walk)) {
		moved(m, walk_out(&m->walk));
		return;
	}
	fault = text_fault(m, walk_field(&m->walk)->kind, text);
	if (fault != NULL) {
		fail(m, ERR_PROTO, fault);
		return;
	}
	walk_value(&m->walk)->text = text.bytes;
	walk_value(&m->walk)->len = text.len;
	moved(m, walk_next(&m->walk));
}

static void on_text(struct message *m)
{
	struct value *value = walk_value(&m->walk);

	value->text = m->string.bytes;
	value->len = m->string.len;
	value->number = m->text.dropped;
	moved(m, walk_next(&m->walk));
}

/* --- bytes --- */

static size_t feed_number(struct message *m, const uint8_t *in, size_t n, void (*on)(struct message *m))
{
	size_t took = number_feed(&m->number, in, n);

	if (number_done(&m->number))
		on(m);
	return took;
}

static size_t feed_string(struct message *m, const uint8_t *in, size_t n)
{
	size_t took;
	enum err err = string_feed(&m->string, in, n, &took);

	if (err)
		fail_string(m, err);
	else if (string_done(&m->string))
		on_string(m);
	return took;
}

static size_t feed_text(struct message *m, const uint8_t *in, size_t n)
{
	size_t took;
	enum err err = cut_text_feed(&m->text, &m->string, in, n, &took);

	if (err)
		fail_string(m, err);
	else if (cut_text_done(&m->text))
		on_text(m);
	return took;
}

static size_t feed_choice(struct message *m, const uint8_t *in, size_t n)
{
	if (m->chosen == CHOSEN_TEXT)
		return feed_text(m, in, n);
	return feed_number(m, in, n, m->chosen == CHOSEN_NUMBER ? on_number : on_choice);
}

static size_t feed_field(struct message *m, const uint8_t *in, size_t n)
{
	switch (walk_field(&m->walk)->kind) {
	case KIND_NUMBER:
	case KIND_BOOL:
	case KIND_TIME:
		return feed_number(m, in, n, on_bounded_number);
	case KIND_ITEMS:
		return feed_number(m, in, n, on_count);
	case KIND_OPTIONAL:
		return feed_number(m, in, n, on_flag);
	case KIND_TEXT:
		return feed_text(m, in, n);
	case KIND_CHOICE:
		return feed_choice(m, in, n);
	default:
		return feed_string(m, in, n);
	}
}

enum err message_feed(struct message *m, const uint8_t *in, size_t n, size_t *used)
{
	size_t max = m->limits->bytes_max == 0 ? MESSAGE_MAX : m->limits->bytes_max, at = 0;

	while (m->failed == ERR_NONE && !walk_ended(&m->walk) && at < n) {
		size_t left = max - m->bytes, part = n - at < left ? n - at : left, took;

		if (left == 0) {
			m->failed = ERR_LIMIT;
			snprintf(m->reason, sizeof m->reason, "%s is longer than %zu bytes", m->what, max);
			break;
		}
		took = feed_field(m, in + at, part);
		m->bytes += took;
		at += took;
	}
	*used = at;
	return m->failed;
}

bool message_done(const struct message *m)
{
	return m->failed == ERR_NONE && m->values != NULL && walk_ended(&m->walk);
}

const char *message_reason(const struct message *m)
{
	return m->reason;
}
