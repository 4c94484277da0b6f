#include "gateway/session/path_upload.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "gateway/nix/facts.h"
#include "gateway/session/record.h"
#include "gateway/session/upload.h"
#include "gateway/session/upstream.h"
#include "gateway/session/valid.h"
#include "gateway/wire/put.h"

enum { PIECE = 16 * 1024, ARCHIVE_OVERHEAD = 1024 };

void path_upload_init(struct path_upload *up, bool rebuild)
{
	up->rebuild = rebuild;
	up->taken_off = 0;
}

static const struct op *add_op(const struct session *s)
{
	return upstream_op(s, OP_ADD_TO_STORE_NAR);
}

static struct text path_of(const struct session *s, const struct value *head)
{
	return value_text(value_of(head, add_op(s)->request, "path"));
}

static uint64_t size_of(const struct session *s, const struct value *head)
{
	return value_of(head, add_op(s)->request, "narSize")->number;
}

/* --- the fate of what is not storable --- */

static enum err take_off(struct session *s, struct path_upload *up, struct text path, uint64_t size)
{
	up->taken_off++;
	if (path_set_add(&s->taken_off, path, NULL) != ERR_NONE)
		return session_no_memory(s);
	return record_upload(s, "rebuild", path, size);
}

static enum err refuse(struct session *s, struct path_upload *up, struct text path)
{
	return intake_fail(s, &up->in, path, "%s may not upload what is neither content-addressed nor signed by a key that "
					     "this builder knows (allowed: both of these): %.*s; sign it (nix store sign)",
			   s->key->name, (int)path.len, path.bytes);
}

enum err path_upload_settle(struct session *s, struct path_upload *up)
{
	struct path_set *doubtful = &up->in.doubtful;
	bool *valid;
	enum err err = intake_await(s, &up->in, 0);

	if (err || doubtful->count == 0)
		return err;
	valid = arena_array(&s->arena, doubtful->count, sizeof *valid);
	if (valid == NULL)
		return session_no_memory(s);
	err = valid_ask(s, doubtful->items, doubtful->count, valid);
	for (size_t i = 0; !err && !up->in.failed && i < doubtful->count; i++) {
		if (valid[i])
			continue;
		err = up->rebuild ? take_off(s, up, doubtful->items[i], up->in.doubtful_sizes[i])
				  : refuse(s, up, doubtful->items[i]);
	}
	path_set_clear(doubtful);
	return err;
}

enum err path_upload_tell(struct session *s, struct path_upload *up)
{
	char sentence[SENTENCE_MAX];

	if (up->taken_off == 0)
		return ERR_NONE;
	log_sentence(sentence, "%zu unsigned paths not stored, to be rebuilt here", up->taken_off);
	return stderr_put_line(&s->client.tx, sentence) == ERR_NONE ? ERR_NONE : session_no_memory(s);
}

/* --- derivations --- */

enum err path_upload_check_text(struct session *s, struct intake *in, struct text name, const struct buf *body)
{
	struct text drv_name = text_part(name, 0, name.len - (sizeof ".drv" - 1));
	struct arena *scratch = &s->drvs.scratch;
	struct derivation *drv;
	struct facts facts;
	const char *fault = "";
	enum err err;

	arena_reset(scratch);
	err = aterm_parse(scratch, s->message_limits.store_dir, drv_name, buf_data(body), buf_len(body), &drv, &fault);
	if (!err)       /* daemons read its structured attributes as soon as they have it */
		err = facts_gather(scratch, drv, &facts, &fault);
	if (!err)
		return ERR_NONE;
	return intake_fail(s, in, name, "%.*s is named as a derivation, but this derivation %s", (int)name.len, name.bytes,
			   fault);
}

/* The archive of one file with this content, in frames. */
static enum err put_file(struct session *s, struct intake *in, const struct buf *body)
{
	static const char *const words[] = { "nix-archive-1", "(", "type", "regular", "contents" };
	struct buf archive;
	enum err err = ERR_NONE;

	buf_init(&archive, ATERM_MAX + ARCHIVE_OVERHEAD);
	for (size_t i = 0; !err && i < sizeof words / sizeof *words; i++)
		err = put_text(&archive, words[i]);
	if (!err)
		err = put_string(&archive, buf_data(body), buf_len(body));
	if (!err)
		err = put_text(&archive, ")");
	err = err ? session_no_memory(s) : intake_put(s, in, buf_data(&archive), buf_len(&archive));
	buf_free(&archive);
	return err ? err : intake_put_end(s, in);
}

/* Kept whole and read before the daemon sees it: a broken one has brought down daemons. */
static enum err read_drv(struct session *s, struct path_upload *up, struct text path, struct buf *body)
{
	char why[SENTENCE_MAX];
	enum err err = intake_swallow(s, &up->in, path, body);

	if (!err && !up->in.failed && (s->nar.root != NAR_REGULAR || s->nar.root_executable))
		err = intake_fail(s, &up->in, path, "%.*s is named as a derivation, and is no plain file", (int)path.len,
				  path.bytes);
	if (!err && !up->in.failed)
		err = drv_check(s, path, buf_data(body), buf_len(body), why);
	if (err == ERR_DENIED && s->outcome == NULL)
		err = intake_fail(s, &up->in, path, "%s", why);
	return err;
}

static enum err forward_drv(struct session *s, struct path_upload *up, const struct value *head)
{
	struct text path = path_of(s, head);
	struct buf body;
	enum err err;

	buf_init(&body, ATERM_MAX);
	err = read_drv(s, up, path, &body);
	if (!err && !up->in.failed)
		err = intake_send(s, &up->in, add_op(s), head, path, size_of(s, head));
	if (!err && !up->in.failed)
		err = put_file(s, &up->in, &body);
	buf_free(&body);
	return err;
}

/* --- one path --- */

static enum err forward(struct session *s, struct path_upload *up, const struct value *head)
{
	enum err err;

	if (store_path_is_drv(path_of(s, head)))
		return forward_drv(s, up, head);
	err = intake_send(s, &up->in, add_op(s), head, path_of(s, head), size_of(s, head));
	return err || up->in.failed ? err : intake_forward(s, &up->in, true, path_of(s, head));
}

/* Not stored; what is named as a derivation has to be one all the same. */
static enum err pass_over(struct session *s, struct path_upload *up, struct text path)
{
	struct buf body;
	enum err err;

	if (!store_path_is_drv(path))
		return intake_swallow(s, &up->in, path, NULL);
	buf_init(&body, ATERM_MAX);
	err = read_drv(s, up, path, &body);
	buf_free(&body);
	return err;
}

/* Addresses but those of archives are made of a file's bytes alone. */
static bool addresses_file(struct text ca)
{
	struct content_address address;

	return ca.len > 0 && content_address_parse(ca, &address) == ERR_NONE && address.method != CONTENT_NAR;
}

/* What it refers to may be undecided; then that is decided first. */
static enum err judge(struct session *s, struct path_upload *up, struct value *head, enum storable *verdict)
{
	const struct shape *shape = add_op(s)->request;
	struct text path = path_of(s, head), reference;
	char why[SENTENCE_MAX];
	enum err err = ERR_NONE;

	if (storable_refers_to(head, &up->in.doubtful, &reference))
		err = path_upload_settle(s, up);
	if (!err && !up->in.failed && size_of(s, head) > UPLOAD_NAR_MAX)
		err = intake_fail(s, &up->in, path, "%.*s is over %llu bytes", (int)path.len, path.bytes,
				  (unsigned long long)UPLOAD_NAR_MAX);
	if (err || up->in.failed)
		return err;
	err = storable_judge(s, head, verdict, why);
	if (!err && *verdict == STORABLE_NEVER)
		err = intake_fail(s, &up->in, path, "%s", why);
	value_set_number(head, shape, "registrationTime", 0);
	value_set_number(head, shape, "ultimate", 0);
	value_set_number(head, shape, "repair", 0);
	value_set_number(head, shape, "dontCheckSigs", *verdict == STORABLE_BELIEVED);
	return err;
}

enum err path_upload_next(struct session *s, struct path_upload *up, struct value *head)
{
	struct text path = path_of(s, head);
	uint64_t size = size_of(s, head);
	enum storable verdict;
	enum err err = judge(s, up, head, &verdict);

	if (err || up->in.failed)
		return err;
	nar_init(&s->nar, size);
	up->in.plain_file = addresses_file(value_text(value_of(head, add_op(s)->request, "ca")));
	if (verdict == STORABLE_NOT) {
		err = intake_doubt(s, &up->in, path, size);
		/* Without a rebuild this is the end, unless the path is there already: so that is asked at once. */
		if (!err && !up->rebuild)
			err = path_upload_settle(s, up);
		if (!err)
			err = pass_over(s, up, path);
	} else {
		err = forward(s, up, head);
	}
	if (!err && !up->in.failed && s->nar.size != size)
		err = intake_fail(s, &up->in, path, "the archive of %.*s has %llu bytes and not %llu as announced",
				  (int)path.len, path.bytes, (unsigned long long)s->nar.size, (unsigned long long)size);
	return err;
}

/* --- out of the spool --- */

static enum err forward_spool(struct session *s, struct intake *in)
{
	uint64_t left = s->nar.size;

	if (lseek(s->spool, 0, SEEK_SET) != 0)
		return session_end(s, ERR_IO, "failed", "an upload cannot be read back: %s", strerror(errno));
	while (left > 0 && !in->failed) {
		uint8_t piece[PIECE];
		ssize_t n = read(s->spool, piece, sizeof piece);
		enum err err;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return session_end(s, ERR_IO, "failed", "an upload cannot be read back: %s", strerror(errno));
		err = intake_put(s, in, piece, (size_t)n < left ? (size_t)n : (size_t)left);
		if (err)
			return err;
		left -= (size_t)n < left ? (uint64_t)n : left;
	}
	return intake_put_end(s, in);
}

enum err path_upload_spooled(struct session *s, struct path_upload *up, struct value *head)
{
	struct text path = path_of(s, head);
	enum storable verdict;
	enum err err = judge(s, up, head, &verdict);

	if (err || up->in.failed)
		return err;
	if (verdict == STORABLE_NOT) {
		err = intake_doubt(s, &up->in, path, s->nar.size);
		return err ? err : path_upload_settle(s, up);
	}
	if (store_path_is_drv(path))
		return intake_fail(s, &up->in, path, "%.*s is a derivation, and those are not imported; use ssh-ng://",
				   (int)path.len, path.bytes);
	err = intake_send(s, &up->in, add_op(s), head, path, s->nar.size);
	return err || up->in.failed ? err : forward_spool(s, &up->in);
}
