/* watch: whether a request may go up to the daemon. One that the stance of the session does not permit ends the fuzzer. */
#ifndef TESTS_FUZZ_WATCH_H
#define TESTS_FUZZ_WATCH_H

#include "gateway/wire/nar.h"
#include "tests/fuzz/signed.h"

static bool is_drv(const struct seen *s)
{
	size_t len = heard_path_len(s);

	return len > 4 && memcmp(s->text + len - 4, ".drv", 4) == 0;
}

static void watch_mode(const struct stance *stance, uint64_t mode)
{
	HOLDS(mode == 0 || (mode == 2 && (stance->may & MAY_REST) != 0));
}

static void watch_targets(struct model_store *m, const struct stance *stance, const struct request *q)
{
	watch_mode(stance, q->fields[q->count - 1].number);
	for (size_t i = 1; i + 1 < q->count; i++) {
		const struct seen *target = &q->fields[i];

		if (is_drv(target))
			HOLDS((stance->may & MAY_BUILD) != 0 &&
			      model_may_run(m, stance, target->text, heard_path_len(target), 0));
		else
			HOLDS((stance->may & MAY_SUBSTITUTE) != 0 || model_is_valid(m, target->text, target->len));
	}
}

/* A derivation by value: its outputs say what they are. Fields: path, count, name path method hash ... */
static void watch_derivation(const struct stance *stance, const struct request *q)
{
	const struct seen *system, *builder;
	size_t at = 2;

	watch_mode(stance, q->fields[q->count - 1].number);
	HOLDS(is_drv(&q->fields[0]) && q->fields[1].number > 0);
	for (uint64_t i = 0; i < q->fields[1].number; i++, at += 4)
		HOLDS(stance->full || q->fields[at + 2].len > 0);
	at += 1 + (size_t)q->fields[at].number;         /* inputs */
	system = &q->fields[at];
	builder = &q->fields[at + 1];
	HOLDS(stance->full || says(system->text, system->len, "x86_64-linux") ||
	      (builder->len > 8 && memcmp(builder->text, "builtin:", 8) == 0));
	for (; !stance->full && at + 1 < q->count; at++)
		HOLDS(!says(q->fields[at].text, q->fields[at].len, "__noChroot") ||
		      says(q->fields[at + 1].text, q->fields[at + 1].len, ""));
}

static void watch_added(const struct stance *stance, const struct request *q)
{
	struct added a = added_of(q);
	const struct seen *repair = a.ca + 1;

	HOLDS(a.size[-1].number == 0 && a.size[1].number == 0); /* no time, not ultimate */
	HOLDS(repair->number == 0);
	HOLDS(stance->full || a.ca->len > 0 || a.signature_count > 0);
	HOLDS(buf_len(&q->content) <= a.size->number);
	if (!stance->full)
		signed_watch(stance, &a);
}

static void watch_text(const struct request *q)
{
	HOLDS(q->fields[q->count - 1].number == 0);             /* no repair */
	HOLDS(!is_drv(&q->fields[0]) || says(q->fields[1].text, q->fields[1].len, "text:sha256"));
}

/* Nobody's limits are above those of the grant; 0 would be none at all. */
static void watch_options(const struct stance *stance, const struct request *q)
{
	const struct seen *f = q->fields;
	uint64_t timeout = 0;

	HOLDS(f[3].number == 3 && f[12].number == 1 && q->count == 15);
	HOLDS(says(f[13].text, f[13].len, "timeout"));
	for (size_t i = 4; i < 11; i++)
		HOLDS(f[i].number <= UINT32_MAX);
	for (size_t i = 0; i < f[14].len; i++)
		timeout = timeout * 10 + (uint64_t)(f[14].text[i] - '0');
	HOLDS(!stance->limits || (timeout >= 1 && timeout <= 600 && f[10].number >= 1 && f[10].number <= 2));
}

/* Before the client's first request the gateway may find out what the daemon thinks of it. */
static bool watch_is_probe(const struct request *q, bool probed)
{
	if (probed)
		return false;
	return (q->number == 7 && says(q->fields[0].text, q->fields[0].len, "nix-gateway-probe")) ||
	       (q->number == 37 && q->fields[1].number == 0);
}

/* nix-store --serve without --write. */
static void watch_read_only(const struct request *q)
{
	static const uint64_t reads[] = { 1, 11, 26, 31, 38, 41 };
	bool read = q->number == 19;

	for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
		read |= q->number == reads[i];
	HOLDS(read && (q->number != 31 || q->fields[q->count - 1].number == 0));
}

/* What the head of a request says, before any content comes. probed: the session has begun. */
static void watch_judge(struct model_store *m, const struct stance *stance, const struct request *q, bool probed)
{
	unsigned needed = needed_upstream(q->number);

	if (watch_is_probe(q, probed))
		return;
	if (q->number == 19) {
		watch_options(stance, q);
		return;
	}
	HOLDS(needed != 0 && (stance->may & needed) != 0);
	if (q->number == 9 || q->number == 46)
		watch_targets(m, stance, q);
	else if (q->number == 36)
		watch_derivation(stance, q);
	else if (q->number == 39)
		watch_added(stance, q);
	else if (q->number == 7)
		watch_text(q);
	else if (q->number == 35)
		HOLDS(q->fields[1].number == 0);
	else if (q->number == 38 && (stance->may & MAY_DOWNLOAD) == 0)
		HOLDS(is_drv(&q->fields[0]));
	else if (q->number == 43)
		HOLDS(stance->floating);
	else if (q->number == 31 && (stance->may & MAY_SUBSTITUTE) == 0)
		HOLDS(q->fields[q->count - 1].number == 0);
}

static bool watch_is_archive(const struct buf *content)
{
	struct nar nar;
	size_t used;

	nar_init(&nar, buf_len(content));
	return nar_feed(&nar, buf_data(content), buf_len(content), &used) == ERR_NONE && nar_done(&nar) &&
	       used == buf_len(content);
}

/* Has the content come to its end? An archive that turns out to be none is cut short, for the daemon to refuse; how far
 * it went before depends on how the bytes came. */
static bool watch_content_is_whole(const struct request *q)
{
	bool archive = q->number == 39 ||
		       (q->number == 7 && q->fields[1].len > 8 && memcmp(q->fields[1].text, "fixed:r:", 8) == 0);

	if (q->number == 39 && buf_len(&q->content) != q->fields[5 + q->fields[3].number].number)
		return false;
	return !archive || watch_is_archive(&q->content);
}

#endif
