/* A .drv file becomes a question for policy: in a store only if it is the text of its path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/cli/drv_file.h"
#include "gateway/nix/aterm.h"

/* Its output's path is not known yet, so no path of any store is in it. */
static const char text[] = "Derive([(\"out\",\"\",\"\",\"\")],[],[],\"x86_64-linux\",\"/bin/sh\",[],[(\"name\",\"thing\")])";

#define PATTERN "/tmp/nix-gateway-test.XXXXXX"

static char folder[sizeof PATTERN];
static struct arena arena;
static const char *why;

static int begin(void **unused)
{
	(void)unused;
	memcpy(folder, PATTERN, sizeof folder);
	arena_init(&arena, 1 << 20);
	return mkdtemp(folder) == NULL;
}

static int end(void **unused)
{
	(void)unused;
	arena_free(&arena);
	return rmdir(folder);
}

static void write_file(const char *path, const char *bytes)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(bytes, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* What is said of a file with these bytes. */
static enum err asked(const char *path, const char *bytes)
{
	struct build_ask ask;
	enum err err;

	write_file(path, bytes);
	err = drv_file_ask(&arena, folder, path, &ask, &why);
	assert_int_equal(unlink(path), 0);
	return err;
}

static void path_of_text(struct store_path *path)
{
	struct derivation *drv;

	assert_int_equal(aterm_parse(&arena, folder, text_of("thing"), text, strlen(text), &drv, &why), ERR_NONE);
	assert_int_equal(aterm_path(folder, text_of("thing"), text, strlen(text), drv, path), ERR_NONE);
}

static void a_file_of_a_store_has_to_be_the_text_of_its_path(void **unused)
{
	struct store_path path;
	char changed[sizeof text];

	(void)unused;
	path_of_text(&path);
	assert_int_equal(asked(path.bytes, text), ERR_NONE);
	memcpy(changed, text, sizeof text);
	memcpy(strstr(changed, "/bin/sh"), "/bin/ss", 7);
	assert_int_equal(asked(path.bytes, changed), ERR_PROTO);
	assert_string_equal(why, "is not the text that its path names");
}

static void a_file_elsewhere_may_have_any_name(void **unused)
{
	char path[sizeof folder + 64];

	(void)unused;
	(void)snprintf(path, sizeof path, "%s/thing.drv", folder);
	assert_int_equal(asked(path, text), ERR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_of_a_store_has_to_be_the_text_of_its_path, begin, end),
		cmocka_unit_test_setup_teardown(a_file_elsewhere_may_have_any_name, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
