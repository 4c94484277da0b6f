/* heard: what goes to the daemon, decoded by a grammar of its own: no fault of the gateway's decoders can hide here.
 *   n number   b 0 or 1   p store path   q the same or ""   s string   d path with its outputs   h hash in hex
 *   *x a count and so many x; x may be a group in parentheses
 * Owner   a request owns its bytes until request_free. */
#ifndef TESTS_FUZZ_HEARD_H
#define TESTS_FUZZ_HEARD_H

#include "gateway/wire/number.h"
#include "tests/fuzz/model_store.h"

enum { HEARD_FIELDS = 1024 };

struct seen {
	char kind;                      /* of the grammar; '*': number counts what follows */
	uint64_t number;
	const char *text;
	size_t len;
};

struct request {
	uint64_t number;
	struct seen fields[HEARD_FIELDS];
	size_t count;
	struct buf head;                /* owns; where the texts lie */
	struct buf content;             /* owns */
	uint64_t frame_left;            /* of the frame that is coming in */
};

struct reading {
	const uint8_t *at;
	size_t left;
	bool short_of;                  /* more has to come first */
	struct request *request;
};

static const char *heard_grammar(uint64_t number)
{
	static const struct {
		uint64_t number;
		const char *grammar;
	} rows[] = {
		{ 1, "p" }, { 6, "p" }, { 7, "ss*pb" }, { 9, "*dn" }, { 10, "p" }, { 11, "p" }, { 12, "s" }, { 14, "" },
		{ 18, "p" }, { 19, "bbbnnnnnnnnb*(ss)" }, { 20, "n*pbnnnn" }, { 21, "p" }, { 22, "p" }, { 23, "" },
		{ 26, "p" }, { 28, "p" }, { 29, "s" }, { 30, "*(ps)" }, { 31, "*pb" }, { 32, "*p" }, { 33, "p" }, { 34, "" },
		{ 35, "bb" }, { 36, "p*(sqss)*pss*s*(ss)n" }, { 37, "p*s" }, { 38, "p" }, { 39, "pqh*pnnb*ssbb" },
		{ 40, "*d" }, { 41, "p" }, { 42, "s" }, { 43, "s" }, { 45, "s" }, { 46, "*dn" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].number == number)
			return rows[i].grammar;
	return NULL;
}

static uint64_t heard_number(struct reading *r)
{
	uint64_t number;

	r->short_of |= r->left < 8;
	if (r->short_of)
		return 0;
	number = wire_get_u64(r->at);
	r->at += 8;
	r->left -= 8;
	return number;
}

static void heard_string(struct reading *r, struct seen *s)
{
	size_t padded;

	s->number = heard_number(r);
	r->short_of |= s->number > r->left;
	if (r->short_of)
		return;
	s->text = (const char *)r->at;
	s->len = (size_t)s->number;
	padded = (s->len + 7) / 8 * 8;
	r->short_of |= padded > r->left;
	if (r->short_of)
		return;
	for (size_t i = s->len; i < padded; i++)
		HOLDS(r->at[i] == 0);
	r->at += padded;
	r->left -= padded;
}

/* A store path in its one spelling, up to `len`. */
static bool heard_is_path(const char *text, size_t len)
{
	static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._?=";
	size_t base = sizeof FUZZ_STORE;

	if (len <= base + 33 || len > base + 33 + 211 || memcmp(text, FUZZ_STORE "/", base) != 0 || text[base + 32] != '-' ||
	    text[base + 33] == '.')
		return false;
	for (size_t i = 0; i < len - base; i++)
		if (text[base + i] == '\0' || strchr(i < 32 ? "0123456789abcdfghijklmnpqrsvwxyz" : name_bytes, text[base + i]) == NULL)
			return false;
	return true;
}

static size_t heard_path_len(const struct seen *s)
{
	const char *mark = s->len == 0 ? NULL : memchr(s->text, '!', s->len);

	return mark == NULL ? s->len : (size_t)(mark - s->text);
}

static void heard_field(struct reading *r, char kind)
{
	struct seen s = { .kind = kind };

	if (kind == 'n' || kind == 'b')
		s.number = heard_number(r);
	else
		heard_string(r, &s);
	if (r->short_of)
		return;
	HOLDS(kind != 'b' || s.number <= 1);
	HOLDS(kind != 'p' || heard_is_path(s.text, s.len));
	HOLDS(kind != 'q' || s.len == 0 || heard_is_path(s.text, s.len));
	HOLDS(kind != 'd' || heard_is_path(s.text, heard_path_len(&s)));
	HOLDS(kind != 'h' || (s.len == 64 && strspn(s.text, "0123456789abcdef") >= 64));
	HOLDS(r->request->count < HEARD_FIELDS);
	r->request->fields[r->request->count++] = s;
}

static const char *heard_item_end(const char *grammar)
{
	return *grammar == '(' ? strchr(grammar, ')') + 1 : grammar + 1;
}

static void heard_fields(struct reading *r, const char *grammar, const char *end)
{
	while (grammar < end && !r->short_of) {
		struct seen count = { .kind = '*' };
		const char *item = grammar + 1;

		if (*grammar != '*') {
			heard_field(r, *grammar++);
			continue;
		}
		count.number = heard_number(r);
		HOLDS(r->request->count < HEARD_FIELDS);
		r->request->fields[r->request->count++] = count;
		grammar = heard_item_end(item);
		for (uint64_t i = 0; i < count.number && !r->short_of; i++)
			heard_fields(r, item + (*item == '('), grammar - (*item == '('));
	}
}

static bool heard_read_fields(struct request *request, const uint8_t *bytes, size_t len, size_t *used)
{
	struct reading r = { .at = bytes, .left = len, .request = request };
	const char *grammar;

	request->count = 0;
	request->number = heard_number(&r);
	if (r.short_of)
		return false;
	grammar = heard_grammar(request->number);
	HOLDS(grammar != NULL);
	heard_fields(&r, grammar, grammar + strlen(grammar));
	*used = len - r.left;
	return !r.short_of;
}

/* The head of one request from the front of `up`, taken off it; false: it is not whole yet. */
static bool heard_read_head(struct buf *up, struct request *request)
{
	size_t len;

	if (!heard_read_fields(request, buf_data(up), buf_len(up), &len))
		return false;
	buf_init(&request->head, 1 << 26);
	buf_init(&request->content, 1 << 26);
	request->frame_left = 0;
	HOLDS(buf_put(&request->head, buf_data(up), len) == ERR_NONE);
	HOLDS(heard_read_fields(request, buf_data(&request->head), len, &len));
	buf_take(up, len);
	return true;
}

static bool heard_is_framed(const struct request *request)
{
	return request->number == 7 || request->number == 39 || request->number == 45;
}

/* Its content likewise; true: it has come to its end, or there is none. */
static bool heard_read_content(struct buf *up, struct request *request)
{
	while (heard_is_framed(request)) {
		size_t len = buf_len(up) < request->frame_left ? buf_len(up) : (size_t)request->frame_left;

		HOLDS(buf_put(&request->content, buf_data(up), len) == ERR_NONE);
		buf_take(up, len);
		request->frame_left -= len;
		if (request->frame_left > 0 || buf_len(up) < 8)
			return false;
		request->frame_left = wire_get_u64(buf_data(up));
		buf_take(up, 8);
		if (request->frame_left == 0)
			return true;
	}
	return true;
}

static void request_free(struct request *request)
{
	buf_free(&request->head);
	buf_free(&request->content);
}

#endif
