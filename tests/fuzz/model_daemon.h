/* model_daemon: a Nix daemon of a few hundred lines behind a fuzzed session. It shares no decoder with the gateway: see
 * heard.h. What it is asked is written down as a list of sums, to be compared between two runs.
 * Something may be odd about a session, at its `odd_at`th request: see enum odd. */
#ifndef TESTS_FUZZ_MODEL_DAEMON_H
#define TESTS_FUZZ_MODEL_DAEMON_H

#include "tests/fuzz/model_answers.h"

#define SUM_START UINT64_C(14695981039346656037)

static uint64_t sum_of(uint64_t sum, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum = (sum ^ ((const uint8_t *)bytes)[i]) * UINT64_C(1099511628211);
	return sum;
}

static void note(const struct request *q)
{
	uint64_t sum = sum_of(SUM_START, &q->number, sizeof q->number);

	for (size_t i = 0; i < q->count; i++) {
		sum = sum_of(sum, &q->fields[i].number, sizeof q->fields[i].number);
		sum = sum_of(sum, q->fields[i].text, q->fields[i].len);
	}
	if (watch_content_is_whole(q))
		sum = sum_of(sum, buf_data(&q->content), buf_len(&q->content));
	if (model.sum_count < MODEL_SUMS)
		model.sums[model.sum_count++] = sum;
	if (getenv("FUZZ_SHOW") == NULL)
		return;
	printf("  up %llu", (unsigned long long)q->number);
	for (size_t i = 0; i < q->count; i++)
		printf(q->fields[i].text == NULL ? " %llu" : " %.0llu'%.*s'", (unsigned long long)q->fields[i].number,
		       (int)q->fields[i].len, q->fields[i].text);
	printf(" +%zu\n", buf_len(&q->content));
}

static void put_odd(struct buf *b, const struct request *q)
{
	size_t before = buf_len(b);

	if (model.odd == ODD_LOG)
		put_talk(b);
	put_n(b, LAST_TAG);
	put_reply(b, q);
	if (model.odd == ODD_CHATTY)
		put_talk(b);
	if (model.odd == ODD_CUT) {
		stage.daemon_gone = true;
		b->end -= (buf_len(b) - before) / 2 + 1;
	}
}

static void answer(const struct request *q)
{
	enum odd odd = model.requests++ == model.odd_at ? model.odd : ODD_NOT;
	const char *failure = model.answered ? NULL : !watch_content_is_whole(q) ? "unexpected end-of-file" : failure_of(q);

	if (model.answered) {
		model.answered = false;
		return;
	}
	if (odd == ODD_UNSIGNED)
		failure = "it lacks a valid signature";
	else if (odd == ODD_ERROR || odd == ODD_EARLY)
		failure = "the disk is full";
	model.hard += failure != NULL && odd == ODD_ERROR;
	model.silent |= odd == ODD_SILENT;
	if (model.silent)
		return;
	if (odd == ODD_BYTES) {
		HOLDS(buf_put(&stage.down, model.bytes, model.bytes_len) == ERR_NONE);
	} else if (failure != NULL) {
		put_failure(&stage.down, failure);
	} else if (odd == ODD_NOT) {
		put_n(&stage.down, LAST_TAG);
		put_reply(&stage.down, q);
	} else {
		put_odd(&stage.down, q);
	}
}

/* --- the handshake: two numbers, the features of 1.38, affinity and reserve --- */

static bool meet(void)
{
	struct reading r = { .at = buf_data(&stage.up), .left = buf_len(&stage.up) };
	struct seen feature;
	uint64_t number = heard_number(&r);

	if (r.short_of)
		return false;
	if (model.met == 0) {
		HOLDS(number == 0x6e697863);
		put_n(&stage.down, 0x6478696f);
		put_n(&stage.down, 1 << 8 | model.minor);
	} else if (model.met == 1) {
		HOLDS(number >> 8 == 1 && (number & 0xff) >= 32 && (number & 0xff) <= 38);
		model.minor = number % 256 < model.minor ? number % 256 : model.minor;
		model.met += model.minor < 38;
	} else if (model.met == 2) {
		for (; number > 0 && !r.short_of; number--)
			heard_string(&r, &feature);
		if (r.short_of)
			return false;
		put_n(&stage.down, 0);
	} else {
		HOLDS(number == 0);
		if (model.met == 4 && model.minor >= 33)
			put_s(&stage.down, "2.99");
		if (model.met == 4 && model.minor >= 35)
			put_n(&stage.down, model.trusts_us ? 1 : 2);
		if (model.met == 4)
			put_n(&stage.down, LAST_TAG);
	}
	model.met++;
	buf_take(&stage.up, buf_len(&stage.up) - r.left);
	return true;
}

/* The request that is coming in, judged as soon as its head is there. */
static bool hear(void)
{
	struct request *q = &model.request;

	if (!model.has_head) {
		if (!heard_read_head(&stage.up, q))
			return false;
		model.has_head = true;
		watch_judge(&model.store, model.stance, q, model.began);
		if (model.read_only && !watch_is_probe(q, model.began))
			watch_read_only(q);
		/* A session whose start is not on record asks for nothing. */
		HOLDS(buf_len(&stage.records) > 0 || watch_is_probe(q, model.began));
		model.began |= !watch_is_probe(q, model.began);
	}
	if (!heard_read_content(&stage.up, q)) {
		if (!model.answered && model.odd == ODD_EARLY && model.requests == model.odd_at) {
			put_failure(&stage.down, "the disk is full");
			model.answered = true;
		}
		return false;
	}
	note(q);
	answer(q);
	request_free(q);
	model.has_head = false;
	return true;
}

static void model_end(void)
{
	if (model.has_head)
		request_free(&model.request);
}

static void model_on_up(void)
{
	if (stage.daemon_gone)
		return;
	while (model.met < 5 && meet())
		;
	while (model.met == 5 && !stage.daemon_gone && hear())
		;
}

#endif
