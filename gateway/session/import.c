#include "gateway/session/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "gateway/nix/hash.h"
#include "gateway/nix/shapes.h"
#include "gateway/session/upload.h"
#include "gateway/session/upstream.h"

enum { EXPORT_MAGIC = 0x4558494e };

/* What follows an archive in the stream. */
SHAPE(shape_export_signature, "signature", FIELDS_STRING("signature", SIGNATURE_MAX));
SHAPE(shape_export, "exported path",
	{ .name = "magic", .kind = KIND_NUMBER, .max = EXPORT_MAGIC },
	FIELDS_PATH("path"),
	FIELDS_ITEMS("references", REFERENCES_MAX, shape_path),
	FIELDS_MAYBE_PATH("deriver"),
	{ .name = "signature", .kind = KIND_OPTIONAL, .max = 1, .item = &shape_export_signature });

int import_open_spool(void)
{
	static const char *const names[] = { "/var/tmp/nix-gateway.XXXXXX", "/tmp/nix-gateway.XXXXXX" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char name[64];
		int fd;

		memcpy(name, names[i], strlen(names[i]) + 1);
		fd = mkostemp(name, O_CLOEXEC);
		if (fd < 0)
			continue;
		unlink(name);
		return fd;
	}
	return -1;
}

static enum err spool_write(struct session *s, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(s->spool, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return session_end(s, ERR_IO, "failed", "an upload cannot be kept: %s", strerror(errno));
		bytes += n;
		len -= (size_t)n;
	}
	return ERR_NONE;
}

/* Empties the spool. What a longer archive has left behind is never read, so where a locked process may not truncate (macOS
 * checks that as it checks an open) it merely stays on disk until the session ends. */
static bool spool_rewind(int spool)
{
	return (ftruncate(spool, 0) == 0 || errno == EPERM) && lseek(spool, 0, SEEK_SET) == 0;
}

/* Keeps one archive as it comes (or only reads it), and makes its hash. */
static enum err spool_archive(struct session *s, bool keep, uint8_t hash[SHA256_LEN])
{
	crypto_hash_sha256_state state;
	enum err err = ERR_NONE;

	crypto_hash_sha256_init(&state);
	nar_init(&s->nar, UPLOAD_NAR_MAX);
	if (!spool_rewind(s->spool))
		return session_end(s, ERR_IO, "failed", "an upload cannot be kept: %s", strerror(errno));
	while (!err && !nar_done(&s->nar)) {
		const uint8_t *bytes;
		size_t used = 0;

		err = session_await(s, &s->client);
		if (err)
			return err;
		bytes = buf_data(&s->client.rx);
		err = nar_feed(&s->nar, bytes, buf_len(&s->client.rx), &used);
		if (err)
			return session_end(s, err, "protocol-error", "an imported archive is not in canonical form: %s",
					   s->nar.fault);
		crypto_hash_sha256_update(&state, bytes, used);
		if (keep)
			err = spool_write(s, bytes, used);
		buf_take(&s->client.rx, used);
	}
	crypto_hash_sha256_final(&state, hash);
	return err;
}

static struct value *make_head(struct session *s, const struct value *exported, const uint8_t hash[SHA256_LEN])
{
	const struct op *op = upstream_op(s, OP_ADD_TO_STORE_NAR);
	struct value *head = values_new(&s->arena, op->request);
	char *hex = arena_alloc(&s->arena, 2 * SHA256_LEN + 1);

	if (head == NULL || hex == NULL)
		return NULL;
	hex_encode(hash, SHA256_LEN, hex);
	value_set_text(head, op->request, "path", value_text(value_of(exported, &shape_export, "path")));
	value_set_text(head, op->request, "deriver", value_text(value_of(exported, &shape_export, "deriver")));
	*value_at(head, op->request, "references") = *value_of(exported, &shape_export, "references");
	value_set_text(head, op->request, "narHash", text_of(hex));
	value_set_number(head, op->request, "narSize", s->nar.size);
	value_set_number(head, op->request, "dontCheckSigs", 1);
	return head;
}

/* The format has neither content address nor signature, so it is only for a key of full trust that anything can be stored:
 * of others nothing is kept, not even for a while. */
static enum err import_path(struct session *s, bool *stored, char *why)
{
	uint8_t hash[SHA256_LEN];
	const struct value *exported;
	struct value *head;
	enum err err = spool_archive(s, *stored && s->key->grant->trust == TRUST_FULL, hash);

	if (!err)
		err = session_read(s, &s->client, &shape_export, "exported path", &exported);
	if (err)
		return err;
	if (value_of(exported, &shape_export, "magic")->number != EXPORT_MAGIC)
		return session_end(s, ERR_PROTO, "protocol-error", "the client has sent what is no export stream");
	head = make_head(s, exported, hash);
	if (head == NULL)
		return session_no_memory(s);
	if (!*stored)
		return ERR_NONE;                /* one is lost already: the rest is read, and not kept */
	return upload_spooled(s, head, stored, why);
}

enum err import_paths(struct session *s, bool *stored, char *why)
{
	*stored = true;
	if (s->spool < 0)
		return session_end(s, ERR_IO, "failed", "this builder has no place for an upload on its way (/var/tmp or "
							"/tmp); ask its administrator");
	for (;;) {
		const struct value *more;
		enum err err = session_read(s, &s->client, &shape_number, "export stream", &more);

		if (err || more->number == 0)
			return err;
		if (more->number != 1)
			return session_end(s, ERR_PROTO, "protocol-error", "the client has sent what is no export stream");
		err = import_path(s, stored, why);
		if (err)
			return err;
		arena_reset(&s->arena);
	}
}
