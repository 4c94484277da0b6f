/* A whole session: any bytes as what a client says, from its hello to its end, between it and a model of the daemon.
 * Five bytes come first: the grant and the protocol; the daemon's version and its trust; how the bytes are cut; when
 * something odd happens, and what (enum odd). The last bytes serve as an odd answer of the daemon too.
 * Property: nothing goes upstream that the grant does not permit (watch.h), and for a signature's sake alone what one of the
 * grant's keys has signed (signed.h); where the bytes are cut on either side changes neither what the client is told nor what
 * the daemon is asked; every session ends, with a record of its end; and it leaves neither memory nor a descriptor behind. */
#include <signal.h>

#include <sodium.h>

#include "gateway/session/import.h"
#include "gateway/session/run.h"
#include "policy/load.h"
#include "tests/fuzz/model_daemon.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { HEADER = 5, BYTES_MAX = 64 };

struct play {
	struct buf answer, log, records;        /* own */
	struct model_store store;               /* owns */
	uint64_t sums[MODEL_SUMS];
	size_t sum_count, errors, hard, believed;
	char outcome[32], why[SENTENCE_MAX];
};

static struct policy *policy;
static struct model_store stock;

static void on_fault(void *context, const struct policy_fault *fault)
{
	(void)context;
	fprintf(stderr, "%u: %s\n", fault->line, fault->text);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[32], name[] = "/tmp/nix-gateway-fuzz.XXXXXX";
	int fd = mkstemp(name);

	(void)argc;
	(void)argv;
	HOLDS(sodium_init() >= 0 && fd >= 0 && unlink(name) == 0);
	HOLDS(write(fd, stances_policy, sizeof stances_policy - 1) == sizeof stances_policy - 1);
	snprintf(path, sizeof path, "/dev/fd/%d", fd);
	HOLDS(lseek(fd, 0, SEEK_SET) == 0 && policy_load(path, POLICY_OWNER_IGNORED, &policy, on_fault, NULL));
	close(fd);
	model_stock(&stock);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; getenv("FUZZ_SHOW") != NULL && i < stock.count; i++)
		printf("%s%s\n", stock.paths[i].path, stock.paths[i].valid ? "" : " (not valid)");
	return 0;
}

static const struct key *key_of(const struct stance *stance)
{
	for (size_t i = 0; i < policy->key_count; i++)
		if (strcmp(policy->keys[i].name, stance->key) == 0)
			return &policy->keys[i];
	abort();
}

/* The number of the lowest free descriptor: it is the same again when nothing was left open. */
static int lowest_free(void)
{
	int fd = dup(STDIN_FILENO);

	HOLDS(fd >= 0 && __real_close(fd) == 0);
	return fd;
}

static void set_model(const uint8_t *data, size_t size)
{
	size_t tail = size - HEADER < BYTES_MAX ? size - HEADER : BYTES_MAX;

	model = (struct model){ .stance = &stances[data[0] % STANCES], .minor = 32 + data[1] % 7,
				.trusts_us = data[1] / 7 % 2 == 1, .odd_at = data[3], .odd = data[4] % ODD_KINDS,
				.bytes = data + size - tail, .bytes_len = tail };
	model_copy(&model.store, &stock);
}

static void run(struct play *p, const struct command *command)
{
	struct backend backend = { .kind = BACKEND_SOCKET, .socket = "model", .fd = STAGE_DAEMON, .out = -1 };
	struct session session;
	struct audit audit;

	audit_init(&audit);
	audit.places = AUDIT_TO_FILE;
	audit.file = STAGE_RECORDS;
	audit.path = "records";
	session_init(&session, policy, key_of(model.stance), &audit, command, STAGE_CLIENT, STAGE_ANSWER, STAGE_LOG);
	if (command->write && command->kind == COMMAND_SERVE)
		session.spool = import_open_spool();
	HOLDS(session_run(&session, &backend) == (strcmp(session.outcome, "closed") == 0));
	HOLDS(session.state == SESSION_CLOSED);
	snprintf(p->outcome, sizeof p->outcome, "%s", session.outcome);
	memcpy(p->why, session.why, sizeof p->why);
	session_free(&session);
	audit_close(&audit);
}

static void take(struct buf *to, struct buf *from)
{
	*to = *from;
	buf_init(from, STAGE_ROOM);
}

static void play(struct play *p, const uint8_t *data, size_t size, size_t step)
{
	struct command command = { .kind = (data[0] & 8) != 0 ? COMMAND_SERVE : COMMAND_WORKER,
				   .write = (data[0] & 16) == 0 };
	int free_before = lowest_free();

	set_model(data, size);
	model.read_only = command.kind == COMMAND_SERVE && !command.write;
	stage_open(data + HEADER, size - HEADER, step, model_on_up);
	if (model.odd == ODD_DEAF || model.odd == ODD_GONE)
		stage.takes = 16 * (size_t)model.odd_at;
	if (model.odd == ODD_UNRECORDED)
		stage.records_fit = model.odd_at;
	stage.leaves = model.odd == ODD_GONE;
	run(p, &command);
	stage_end_play();
	HOLDS(lowest_free() == free_before);
	take(&p->answer, &stage.answer);
	take(&p->log, &stage.log);
	take(&p->records, &stage.records);
	stage_close();
	model_end();
	p->store = model.store;
	memcpy(p->sums, model.sums, sizeof p->sums);
	p->sum_count = model.sum_count;
	p->errors = model.errors;
	p->hard = model.hard;
	p->believed = model.believed;
}

static void play_free(struct play *p)
{
	buf_free(&p->answer);
	buf_free(&p->log);
	buf_free(&p->records);
	model_free(&p->store);
}

static bool same_bytes(const struct buf *a, const struct buf *b)
{
	size_t len = buf_len(a);

	return len == buf_len(b) && (len == 0 || memcmp(buf_data(a), buf_data(b), len) == 0);
}

/* Each record starts with the time of day, which is the one thing that may differ. *at is moved behind the record. */
static size_t next_record(const struct buf *records, size_t *at, const char **line)
{
	static const char time_like[] = "{\"time\":\"2026-01-01T00:00:00Z\",";
	const char *start = (const char *)buf_data(records) + *at;
	const char *end = memchr(start, '\n', buf_len(records) - *at);

	HOLDS(end != NULL && end - start > (ptrdiff_t)sizeof time_like);
	*line = start + sizeof time_like - 1;
	*at += (size_t)(end - start) + 1;
	return (size_t)(end - *line);
}

static bool is_end(const char *line, size_t len)
{
	static const char event[] = "\"event\":\"session-end\"";

	return len > sizeof event && memcmp(line, event, sizeof event - 1) == 0;
}

/* The records without their order: an upload is on record when the daemon has confirmed it, and that may be before or
 * after the refusal of the next. The last word of the last one is how much the client was told; a log that ended at an error
 * is a part of it. */
static uint64_t sum_of_records(const struct play *p)
{
	uint64_t sum = 0;
	const char *line;

	for (size_t at = 0; at < buf_len(&p->records);) {
		size_t len = next_record(&p->records, &at, &line);

		while (model.odd == ODD_LOG && is_end(line, len) && line[len - 1] != ',')
			len--;
		sum += sum_of(SUM_START, line, len);
	}
	return sum;
}

/* The last record is that of the end. */
static void is_recorded(const struct play *p)
{
	const char *line = "";
	size_t len = 0;

	for (size_t at = 0; at < buf_len(&p->records);)
		len = next_record(&p->records, &at, &line);
	HOLDS(is_end(line, len));
}

/* Which paths there are in the end. */
static void same_store(struct play *a, struct play *b)
{
	for (size_t i = 0; i < a->store.count; i++)
		HOLDS(!a->store.paths[i].valid ||
		      model_is_valid(&b->store, a->store.paths[i].path, strlen(a->store.paths[i].path)));
}

/* An error of the daemon reaches us sooner or later than the client's next bytes, so it may be the second to be told, and
 * what follows may have been asked already; where it is about one path, what is stored in the end is the same. A session
 * that breaks off takes with it what was not sent yet; and a log ends where an error is told. Apart from these, nothing
 * may differ. */
static void same(struct play *a, struct play *b)
{
	size_t least_sums = least(a->sum_count, b->sum_count);

	if (a->hard + b->hard > 0)
		return;
	HOLDS(strcmp(a->outcome, b->outcome) == 0 && strcmp(a->why, b->why) == 0);
	if (strcmp(a->outcome, "closed") == 0) {
		same_store(a, b);
		same_store(b, a);
	}
	if (a->errors + b->errors > 0)
		return;
	HOLDS(least_sums == 0 || memcmp(a->sums, b->sums, least_sums * sizeof *a->sums) == 0);
	if (a->sum_count != b->sum_count) {
		HOLDS(strcmp(a->outcome, "closed") != 0);
		return;
	}
	HOLDS(model.odd == ODD_LOG || (same_bytes(&a->answer, &b->answer) && same_bytes(&a->log, &b->log)));
	HOLDS(sum_of_records(a) == sum_of_records(b));
}

static void show(const struct play *p)
{
	if (getenv("FUZZ_SHOW") == NULL)
		return;
	printf("believed %zu, answer %zu, log %zu: %.*s%.*s\n", p->believed, buf_len(&p->answer), buf_len(&p->log),
	       (int)buf_len(&p->log), (const char *)buf_data(&p->log), (int)buf_len(&p->records),
	       (const char *)buf_data(&p->records));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct play whole, pieces;

	if (size < HEADER)
		return 0;
	play(&whole, data, size, SIZE_MAX);
	play(&pieces, data, size, 1 + data[2] % 32);
	show(&whole);
	show(&pieces);
	if (data[4] % ODD_KINDS != ODD_UNRECORDED)
		is_recorded(&whole);
	if (data[4] % ODD_KINDS <= ODD_UNSIGNED)        /* the others break off in the middle of something */
		same(&whole, &pieces);
	play_free(&whole);
	play_free(&pieces);
	return 0;
}
