#include "gateway/cli/drv_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "gateway/nix/aterm.h"
#include "gateway/session/facts_ask.h"

enum { PIECE = 64 * 1024 };

static enum err read_pieces(int fd, struct buf *file)
{
	for (;;) {
		uint8_t *space;
		enum err err = buf_reserve(file, PIECE, &space);
		ssize_t n;

		if (err)
			return err;
		n = read(fd, space, PIECE);
		if (n == 0)
			return ERR_NONE;
		if (n < 0 && errno != EINTR)
			return ERR_IO;
		buf_commit(file, n > 0 ? (size_t)n : 0);
	}
}

static enum err read_file(const char *path, struct buf *file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), saved;
	enum err err;

	if (fd < 0)
		return ERR_IO;
	err = read_pieces(fd, file);
	saved = errno;
	close(fd);
	errno = saved;
	return err;
}

/* A file outside a store has a plain name; one in it has "HASH-" in front. */
static struct text name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct text name = text_of(slash == NULL ? path : slash + 1);

	if (store_base_ok(name))
		name = text_part(name, STORE_HASH_LEN + 1, name.len);
	return text_ends(name, ".drv") ? text_part(name, 0, name.len - strlen(".drv")) : name;
}

static enum err ask_of(struct arena *arena, const char *store_dir, const char *path, const struct buf *file,
		       struct build_ask *ask, const char **why)
{
	struct derivation *drv;
	struct facts facts;
	enum err err = aterm_parse(arena, store_dir, name_of(path), buf_data(file), buf_len(file), &drv, why);

	/* In a store it has to be the text of its path, as it has to be in a session; elsewhere a file may have any name. */
	if (!err && store_path_ok(store_dir, text_of(path))) {
		err = aterm_path_check(store_dir, text_of(path), buf_data(file), buf_len(file), drv);
		if (err)
			*why = "is not the text that its path names";
	}
	if (!err)
		err = facts_gather(arena, drv, &facts, why);
	if (!err)
		err = facts_to_ask(arena, &facts, text_of(path), ask);
	return err;
}

enum err drv_file_ask(struct arena *arena, const char *store_dir, const char *path, struct build_ask *ask,
		      const char **why)
{
	struct buf file;
	enum err err;

	*why = "is longer than derivations are";
	buf_init(&file, ATERM_MAX + PIECE);
	err = read_file(path, &file);
	if (!err)
		err = ask_of(arena, store_dir, path, &file, ask, why);
	buf_free(&file);
	return err;
}
