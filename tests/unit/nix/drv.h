/* drv: a derivation to change one thing about, for tests. Everything that a .drv can hold is in it. */
#ifndef TESTS_UNIT_NIX_DRV_H
#define TESTS_UNIT_NIX_DRV_H

#include <stdlib.h>
#include <string.h>

#include "gateway/nix/aterm.h"

#define STORE "/nix/store/"
#define HASH_A "00000000000000000000000000000000"
#define HASH_B "11111111111111111111111111111111"
#define DEV STORE HASH_B "-p-dev"
#define OUT STORE HASH_A "-p"

#define DRV_OUTPUTS "[(\"dev\",\"" DEV "\",\"\",\"\"),(\"out\",\"" OUT "\",\"\",\"\")]"
#define DRV_INPUTS "[(\"" STORE HASH_A "-a.drv\",[\"dev\",\"out\"]),(\"" STORE HASH_B "-b.drv\",[\"out\"])]"
#define DRV_SRCS "[\"" STORE HASH_A "-s\",\"" STORE HASH_B "-s\"]"
#define DRV_ARGS "[\"-c\",\"echo \\\"x\\\"\\n\\t\\r\\\\\"]"
#define DRV_ENV "(\"dev\",\"" DEV "\"),(\"name\",\"p\"),(\"out\",\"" OUT "\")"
#define DRV_TEXT "Derive(" DRV_OUTPUTS "," DRV_INPUTS "," DRV_SRCS ",\"x86_64-linux\",\"/bin/sh\"," DRV_ARGS \
		",[" DRV_ENV "])"

struct drv {
	struct arena arena;
	struct derivation *drv;
	const char *why;
};

static inline enum err drv_parse_bytes(struct drv *d, const char *bytes, size_t len)
{
	arena_init(&d->arena, 64 * 1024 * 1024);
	return aterm_parse(&d->arena, "/nix/store", text_of("p"), bytes, len, &d->drv, &d->why);
}

static inline enum err drv_parse(struct drv *d, const char *text)
{
	return drv_parse_bytes(d, text, strlen(text));
}

static inline void drv_free(struct drv *d)
{
	arena_free(&d->arena);
}

/* DRV_TEXT with the first `from` exchanged for `to`; free it. */
static inline char *drv_changed(const char *from, const char *to)
{
	static const char text[] = DRV_TEXT;
	const char *found = strstr(text, from);
	char *changed = calloc(1, sizeof text + strlen(to));
	size_t start;

	assert_non_null(found);
	assert_non_null(changed);
	start = (size_t)(found - text);
	memcpy(changed, text, start);
	memcpy(changed + start, to, strlen(to));
	memcpy(changed + start + strlen(to), found + strlen(from), strlen(found + strlen(from)));
	return changed;
}

static inline enum err drv_error_of_change(const char *from, const char *to)
{
	char *text = drv_changed(from, to);
	struct drv d;
	enum err err = drv_parse(&d, text);

	assert_int_equal(err == ERR_NONE, d.drv != NULL);
	assert_int_equal(err == ERR_NONE, d.why == NULL);
	drv_free(&d);
	free(text);
	return err;
}

struct drv_change {
	const char *from, *to;
};

static inline void drv_refuses_all(const struct drv_change *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (drv_error_of_change(rows[i].from, rows[i].to) != ERR_PROTO)
			fail_msg("taken: %s for %s", rows[i].to, rows[i].from);
}

#define DRV_REFUSES_ALL(rows) drv_refuses_all(rows, sizeof(rows) / sizeof *(rows))

#endif
