/* model_answers: what the model of the daemon says to each request, out of the model of its store. */
#ifndef TESTS_FUZZ_MODEL_ANSWERS_H
#define TESTS_FUZZ_MODEL_ANSWERS_H

#include "gateway/wire/put.h"
#include "tests/fuzz/stage.h"
#include "tests/fuzz/watch.h"

enum odd {
	ODD_NOT,
	ODD_LOG,                        /* says much before its answer */
	ODD_ERROR,
	ODD_UNSIGNED,                   /* an error that means: not signed by anybody I know */
	ODD_EARLY,                      /* an error before the content has come */
	ODD_CUT,                        /* leaves in the middle of its answer */
	ODD_SILENT,                     /* says nothing more */
	ODD_CHATTY,                     /* says more than it was asked */
	ODD_BYTES,                      /* answers with bytes of the input */
	/* Not the daemon: the client takes no more of its answer, or leaves; the audit is full. */
	ODD_DEAF, ODD_GONE, ODD_UNRECORDED,
	ODD_KINDS
};

enum { MODEL_SUMS = 4096 };

struct model {
	const struct stance *stance;
	bool read_only;                 /* the client asked for a session that writes nothing */
	unsigned minor;
	bool trusts_us;
	enum odd odd;
	unsigned odd_at;
	const uint8_t *bytes;           /* borrows; of ODD_BYTES */
	size_t bytes_len;

	struct model_store store;
	unsigned met;                   /* what has come of the handshake */
	unsigned requests;
	struct request request;         /* the one that is coming in */
	bool has_head;
	bool began;                     /* the client's own requests go up, or the limits of its grant */
	bool answered;                  /* the request that is coming in was told an error already */
	bool silent;
	size_t errors;                  /* that it has told; hard: of them, those that end an upload */
	size_t hard;
	size_t believed;                /* paths that were added unchecked */
	uint64_t sums[MODEL_SUMS];
	size_t sum_count;
};

static struct model model;

#define LAST_TAG  UINT64_C(0x616c7473)
#define ERROR_TAG UINT64_C(0x63787470)
#define NEXT_TAG  UINT64_C(0x6f6c6d67)
#define START_TAG UINT64_C(0x53545254)
#define STOP_TAG  UINT64_C(0x53544f50)
#define RESULT_TAG UINT64_C(0x52534c54)

static void put_n(struct buf *b, uint64_t number)
{
	HOLDS(put_u64(b, number) == ERR_NONE);
}

static void put_s(struct buf *b, const char *text)
{
	HOLDS(put_text(b, text) == ERR_NONE);
}

static void put_seen(struct buf *b, const struct seen *s)
{
	HOLDS(put_string(b, s->text, s->len) == ERR_NONE);
}

static void put_failure(struct buf *b, const char *message)
{
	put_n(b, ERROR_TAG);
	put_s(b, "Error");
	put_n(b, 0);
	put_s(b, "Error");
	put_s(b, message);
	put_n(b, 0);
	put_n(b, 0);
	model.errors++;
}

static void put_talk(struct buf *b)
{
	put_n(b, NEXT_TAG);
	put_s(b, "a line\n");
	put_n(b, START_TAG);
	for (uint64_t i = 0; i < 3; i++)
		put_n(b, 5 + i);
	put_s(b, "building");
	put_n(b, 1);
	put_n(b, 1);
	put_s(b, "field");
	put_n(b, 0);
	put_n(b, RESULT_TAG);
	put_n(b, 5);
	put_n(b, 101);
	put_n(b, 1);
	put_n(b, 1);
	put_s(b, "a line of the build");
	put_n(b, STOP_TAG);
	put_n(b, 5);
}

/* --- the answers --- */

static void put_info(struct buf *b)
{
	put_s(b, "");
	put_s(b, "0a430879c266f8b57f4092a0f935cf3facd48bbccde5760d4748ca405171e969");
	for (int i = 0; i < 2; i++)
		put_n(b, 0);
	put_n(b, 112);
	put_n(b, 0);
	put_n(b, 0);
	put_s(b, "");
}

static void put_archive(struct buf *b, const struct model_path *p)
{
	static const char *const words[] = { "nix-archive-1", "(", "type", "regular", "contents" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		put_s(b, words[i]);
	HOLDS(put_string(b, p == NULL ? NULL : p->text, p == NULL || p->text == NULL ? 0 : p->len) == ERR_NONE);
	put_s(b, ")");
}

/* What has to run for a derivation, runs. */
static void build(const char *drv, size_t len, unsigned depth)
{
	const struct model_path *found = model_find(&model.store, drv, len);
	struct scanned s;
	const char *out;

	if (found == NULL || found->text == NULL || depth > 16 || !scan(&model.store, found->text, &s) || s.any_output_valid)
		return;
	for (size_t i = 0; i < s.input_count; i++)
		build(s.inputs[i], s.input_lens[i], depth + 1);
	out = strstr(found->text, FUZZ_STORE);
	if (out != NULL && strcspn(out, "\"") > sizeof FUZZ_STORE)
		model_add(&model.store, out, strcspn(out, "\""))->valid = true;
}

static void run_targets(const struct request *q)
{
	for (size_t i = 1; i + 1 < q->count; i++) {
		struct model_path *p = model_find(&model.store, q->fields[i].text, q->fields[i].len);

		build(q->fields[i].text, heard_path_len(&q->fields[i]), 0);
		if (p != NULL)
			p->valid |= p->fetchable;
	}
}

static void put_result(struct buf *b)
{
	put_n(b, 0);                    /* built */
	put_s(b, "");
	put_n(b, 1);
	for (int i = 0; i < 3; i++)
		put_n(b, 0);
	for (int i = 0; model.minor >= 37 && i < 2; i++)
		put_n(b, 0);
	put_n(b, 0);                    /* outputs */
}

static void answer_valid(struct buf *b, const struct request *q)
{
	size_t valid = 0;

	for (size_t i = 1; i + 1 < q->count; i++) {
		struct model_path *p = model_find(&model.store, q->fields[i].text, q->fields[i].len);

		if (p != NULL && q->fields[q->count - 1].number == 1)
			p->valid |= p->fetchable;
		valid += p != NULL && p->valid;
	}
	put_n(b, valid);
	for (size_t i = 1; i + 1 < q->count; i++)
		if (model_is_valid(&model.store, q->fields[i].text, q->fields[i].len))
			put_seen(b, &q->fields[i]);
}

static void answer_missing(struct buf *b, const struct request *q)
{
	size_t count = 0;

	put_n(b, 0);
	for (size_t i = 1; i < q->count; i++) {
		const struct model_path *p = model_find(&model.store, q->fields[i].text, q->fields[i].len);

		count += p != NULL && p->fetchable && !p->valid;
	}
	put_n(b, count);
	for (size_t i = 1; i < q->count; i++) {
		const struct model_path *p = model_find(&model.store, q->fields[i].text, q->fields[i].len);

		if (p != NULL && p->fetchable && !p->valid)
			put_seen(b, &q->fields[i]);
	}
	for (int i = 0; i < 3; i++)
		put_n(b, 0);
}

/* Why a path cannot be added; NULL: it is. */
static const char *add(const struct request *q)
{
	struct added a = added_of(q);
	struct model_path *added;
	const uint8_t *body = buf_data(&q->content);
	struct reading r = { .at = body, .left = buf_len(&q->content) };
	struct seen word = { .len = 0 };

	for (uint64_t i = 0; i < a.ref_count; i++)
		if (!says(a.refs[i].text, a.refs[i].len, "") && !model_is_valid(&model.store, a.refs[i].text, a.refs[i].len) &&
		    !(a.refs[i].len == a.path->len && memcmp(a.refs[i].text, a.path->text, a.path->len) == 0))
			return "path '" FUZZ_STORE "/x' is not valid";
	if (!a.believed && a.ca->len == 0 &&
	    (a.signature_count == 0 || a.signatures[0].len < 5 || memcmp(a.signatures[0].text, "good-", 5) != 0))
		return "cannot add path because it lacks a signature by a trusted key";
	model.believed += a.believed;
	added = model_add(&model.store, a.path->text, a.path->len);
	if (added == NULL || added->valid)
		return NULL;
	added->valid = true;
	for (int i = 0; i < 6 && is_drv(a.path); i++)
		heard_string(&r, &word);        /* the sixth string of an archive of one file is its content */
	if (word.len > 0 && !r.short_of)
		model_keep_text(added, word.text, word.len);
	return NULL;
}

static const char *failure_of(const struct request *q)
{
	struct model_path *p = q->count > 0 && q->fields[0].kind == 'p' ?
		model_find(&model.store, q->fields[0].text, q->fields[0].len) : NULL;

	switch (q->number) {
	case 10:
		if (p != NULL)
			p->valid |= p->fetchable;
		return p != NULL && p->valid ? NULL : "path does not exist";
	case 37:
		return model.trusts_us ? NULL : "you are not privileged";
	case 38:
		return p != NULL && p->valid ? NULL : "path is not valid";
	case 39:
		return add(q);
	default:
		return NULL;
	}
}

/* The fields of the reply, and the archive behind them. */
static void put_reply(struct buf *b, const struct request *q)
{
	const struct model_path *p = q->count > 0 && q->fields[0].kind == 'p' ?
		model_find(&model.store, q->fields[0].text, q->fields[0].len) : NULL;

	switch (q->number) {
	case 1:
		put_n(b, p != NULL && p->valid);
		break;
	case 7:
		put_s(b, FUZZ_STORE "/00000000000000000000000000000000-added");
		put_info(b);
		break;
	case 18: case 29:
		put_s(b, "");
		break;
	case 19: case 39: case 42:
		break;
	case 20:
		for (int i = 0; i < 3; i++)
			put_n(b, 0);
		break;
	case 26:
		put_n(b, p != NULL && p->valid);
		if (p != NULL && p->valid)
			put_info(b);
		break;
	case 31:
		answer_valid(b, q);
		break;
	case 36:
		build(q->fields[0].text, q->fields[0].len, 0);
		put_result(b);
		break;
	case 38:
		put_archive(b, p);
		break;
	case 40:
		answer_missing(b, q);
		break;
	case 46:
		run_targets(q);
		put_n(b, q->count - 2);
		for (size_t i = 1; i + 1 < q->count; i++) {
			put_seen(b, &q->fields[i]);
			put_result(b);
		}
		break;
	case 9:
		run_targets(q);
		put_n(b, 1);
		break;
	case 10: case 11: case 12: case 34: case 37: case 45:
		put_n(b, 1);
		break;
	default:
		put_n(b, 0);            /* no items, no errors, none */
	}
}

#endif
