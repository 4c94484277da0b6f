#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>

#include "tests/unit/nix/drv.h"

#define CORPUS "tests/corpus/drv"

static void everything_a_derivation_says_is_read(void **unused)
{
	struct drv d;

	(void)unused;
	assert_int_equal(drv_parse(&d, DRV_TEXT), ERR_NONE);
	assert_null(d.why);
	assert_int_equal(d.drv->output_count, 2);
	assert_string_equal(d.drv->outputs[0].name.bytes, "dev");
	assert_string_equal(d.drv->outputs[1].path.bytes, OUT);
	assert_int_equal(d.drv->outputs[1].method_algo.len + d.drv->outputs[1].hash.len, 0);
	assert_int_equal(d.drv->input_drv_count, 2);
	assert_string_equal(d.drv->input_drvs[0].path.bytes, STORE HASH_A "-a.drv");
	assert_int_equal(d.drv->input_drvs[0].output_count, 2);
	assert_string_equal(d.drv->input_drvs[0].outputs[1].bytes, "out");
	assert_string_equal(d.drv->input_drvs[1].outputs[0].bytes, "out");
	assert_int_equal(d.drv->input_src_count, 2);
	assert_string_equal(d.drv->input_srcs[1].bytes, STORE HASH_B "-s");
	assert_string_equal(d.drv->platform.bytes, "x86_64-linux");
	assert_string_equal(d.drv->builder.bytes, "/bin/sh");
	assert_int_equal(d.drv->arg_count, 2);
	assert_string_equal(d.drv->args[1].bytes, "echo \"x\"\n\t\r\\");
	assert_int_equal(d.drv->args[1].len, 12);
	assert_int_equal(d.drv->env_count, 3);
	assert_string_equal(d.drv->env[1].name.bytes, "name");
	assert_string_equal(d.drv->env[1].value.bytes, "p");
	drv_free(&d);
}

/* P16: table of what readers of Nix forgive, row by row. */
static void forgiven_punctuation_is_refused(void **unused)
{
	static const struct drv_change rows[] = {
		{ DRV_ENV "])", DRV_ENV "])\n" }, { DRV_ENV "])", DRV_ENV "])x" }, { DRV_ENV "])", DRV_ENV "]))" },
		{ "[\"-c\"", "[,\"-c\"" }, { "\"-c\",", "\"-c\"" }, { "\\\\\"]", "\\\\\",]" },
		{ "Derive([(", "Derive([,(" },
		{ ",[(\"dev\"", ",[,(\"dev\"" }, { "),(\"name\"", ")(\"name\"" }, { "),(\"out\"", ")(\"out\"" },
		{ "\"]),(\"", "\"])(\"" }, { "\"x86_64", " \"x86_64" }, { "\"x86_64", "\t\"x86_64" },
		{ "-linux\",", "-linux\" ," }, { "Derive(", " Derive(" }, { "Derive(", "Derive (" },
		{ "Derive(", "Derive" },
		{ "Derive(", "derive(" }, { "Derive(", "" }, { DRV_ENV "])", DRV_ENV "]" }, { DRV_ENV "])", DRV_ENV },
		{ "\"/bin/sh\",", "\"/bin/sh\",," }, { "\"/bin/sh\",", "" },
		{ "(\"name\",\"p\")", "(\"name\",\"p\",\"q\")" },
		{ "(\"name\",\"p\")", "(\"name\")" }, { "(\"name\",\"p\")", "\"name\"" }, { DRV_ARGS, "\"\"" },
		{ DRV_ARGS, "[[]]" }, { "\"\",\"\"),(", "\"\",\"\",\"\"),(" }, { "\"p\")", "p)" },
	};

	(void)unused;
	DRV_REFUSES_ALL(rows);
}

static void forgiven_escapes_are_refused(void **unused)
{
	static const struct drv_change rows[] = {
		{ "x86_64", "\\x86_64" }, { "/bin/sh", "\\/bin/sh" }, { "\"p\"", "\"\\p\"" }, { "\"p\"", "\"\\0\"" },
		{ "\"name\"", "\"n\\ame\"" }, { "\\n", "\n" }, { "\\t", "\t" }, { "\\r", "\r" }, { "\\n", "\\N" },
		{ "(\"out\"", "(\"\\out\"" },
	};

	(void)unused;
	DRV_REFUSES_ALL(rows);
}

static void lists_out_of_order_or_with_doubles_are_refused(void **unused)
{
	static const struct drv_change rows[] = {
		{ "(\"name\",\"p\"),", "(\"name\",\"p\"),(\"name\",\"p\")," },
		{ "(\"name\",\"p\"),", "(\"name\",\"p\"),(\"name\",\"q\")," },
		{ "(\"name\",\"p\"),", "(\"a\",\"p\")," },
		{ "(\"dev\",\"" DEV "\",\"\",\"\"),",
		"(\"dev\",\"" DEV "\",\"\",\"\"),(\"dev\",\"" DEV "\",\"\",\"\")," },
		{ DRV_OUTPUTS, "[(\"out\",\"" OUT "\",\"\",\"\"),(\"dev\",\"" DEV "\",\"\",\"\")]" },
		{ STORE HASH_B "-b.drv", STORE HASH_A "-a.drv" }, { STORE HASH_B "-b.drv", STORE HASH_A "-Z.drv" },
		{ "[\"dev\",\"out\"]", "[\"out\",\"dev\"]" }, { "[\"dev\",\"out\"]", "[\"out\",\"out\"]" },
		{ "[\"dev\",\"out\"]", "[]" }, { STORE HASH_B "-s", STORE HASH_A "-s" },
		{ STORE HASH_B "-s", STORE HASH_A "-r" },
	};

	(void)unused;
	DRV_REFUSES_ALL(rows);
}

static void a_nul_byte_is_refused_wherever_it_stands(void **unused)
{
	static const char text[] = DRV_TEXT;

	(void)unused;
	for (size_t i = 0; i < sizeof text - 1; i++) {
		char copy[sizeof text];
		struct drv d;

		memcpy(copy, text, sizeof text);
		copy[i] = '\0';
		assert_int_equal(drv_parse_bytes(&d, copy, sizeof text - 1), ERR_PROTO);
		drv_free(&d);
	}
}

/* U18: the input is handed over in memory of its exact size, so that a reader running over its end is seen. */
static void every_beginning_of_a_derivation_is_refused(void **unused)
{
	static const char text[] = DRV_TEXT;

	(void)unused;
	for (size_t len = 0; len < sizeof text - 1; len++) {
		char *start = malloc(len + (len == 0));
		struct drv d;

		assert_non_null(start);
		memcpy(start, text, len);
		assert_int_equal(drv_parse_bytes(&d, start, len), ERR_PROTO);
		assert_non_null(d.why);
		drv_free(&d);
		free(start);
	}
}

/* P12 */
static void a_dynamic_derivation_has_an_error_of_its_own(void **unused)
{
	struct drv d;

	(void)unused;
	assert_int_equal(drv_error_of_change("Derive(", "DrvWithVersion(\"xp-dyn-drv\","), ERR_DENIED);
	assert_int_equal(drv_parse(&d, "DrvWithVersion("), ERR_DENIED);
	drv_free(&d);
	assert_int_equal(drv_error_of_change("[\"dev\",\"out\"]", "([\"dev\"],[(\"out\",[\"a\"])])"), ERR_PROTO);
}

static void any_other_byte_is_read_and_printed_as_it_is(void **unused)
{
	(void)unused;
	for (unsigned byte = 1; byte < 256; byte++) {
		char value[] = { (char)byte, '\0' };
		char *text;
		struct drv d;
		struct buf printed;

		if (strchr("\"\\\n\r\t", (char)byte) != NULL)
			continue;
		buf_init(&printed, 4096);
		text = drv_changed("\"/bin/sh\"", (char[]){ '"', value[0], '"', '\0' });
		assert_int_equal(drv_parse(&d, text), ERR_NONE);
		assert_string_equal(d.drv->builder.bytes, value);
		assert_int_equal(aterm_put(&printed, d.drv), ERR_NONE);
		assert_int_equal(buf_len(&printed), strlen(text));
		assert_memory_equal(buf_data(&printed), text, strlen(text));
		buf_free(&printed);
		drv_free(&d);
		free(text);
	}
}

/* A list of `count` arguments "a" in place of the usual ones. */
static enum err with_arguments(size_t count)
{
	char *list = malloc(4 * count + 3);
	enum err err;

	assert_non_null(list);
	list[0] = '[';
	for (size_t i = 0; i < count; i++)
		memcpy(list + 1 + 4 * i, "\"a\",", 4);
	memcpy(list + 4 * count + (count == 0), "]", 2);
	err = drv_error_of_change(DRV_ARGS, list);
	free(list);
	return err;
}

static void lists_and_files_are_bounded(void **unused)
{
	static char big[ATERM_MAX + 1] = "Derive(";
	struct drv d;

	(void)unused;
	assert_int_equal(with_arguments(0), ERR_NONE);
	assert_int_equal(with_arguments(DERIVATION_ARGS_MAX), ERR_NONE);
	assert_int_equal(with_arguments(DERIVATION_ARGS_MAX + 1), ERR_LIMIT);
	assert_int_equal(drv_parse_bytes(&d, big, sizeof big), ERR_LIMIT);
	drv_free(&d);
	arena_init(&d.arena, 1024);
	assert_int_equal(aterm_parse(&d.arena, "/nix/store", text_of("p"), DRV_TEXT, sizeof DRV_TEXT - 1, &d.drv,
			 &d.why),
			 ERR_MEMORY);
	assert_null(d.drv);
	drv_free(&d);
}

/* A known derivation, its path, and its path when it names other inputs. */
static void the_path_of_a_derivation_follows_from_its_bytes_and_inputs(void **unused)
{
	static const char text[] = "Derive([(\"out\",\"/nix/store/vg74fw6rm3fhcf3rnml8h3k5sq19qgr4-p\",\"\",\"\")],"
		"[],[],\"x86_64-linux\",\"/bin/sh\",[],[(\"__noChroot\",\"1\"),(\"builder\",\"/bin/sh\"),(\"name\",\"p\"),"
		"(\"out\",\"/nix/store/vg74fw6rm3fhcf3rnml8h3k5sq19qgr4-p\"),(\"preferLocalBuild\",\"\"),"
		"(\"requiredSystemFeatures\",\"kvm big-parallel\"),(\"system\",\"x86_64-linux\")])";
	struct text path = text_of("/nix/store/15mby86fmbq771i6y2x87wi7bdkmwjda-p.drv");
	struct text src = text_of(STORE HASH_A "-s");
	struct store_path made;
	struct drv d;

	(void)unused;
	assert_int_equal(drv_parse(&d, text), ERR_NONE);
	assert_int_equal(aterm_path_check("/nix/store", path, text, sizeof text - 1, d.drv), ERR_NONE);
	assert_int_equal(aterm_path_check("/nix/stort", path, text, sizeof text - 1, d.drv), ERR_PROTO);
	assert_int_equal(aterm_path_check("/nix/store", path, text, sizeof text - 2, d.drv), ERR_PROTO);
	assert_int_equal(derivation_path("/nix/store", text_of("p"), d.drv, 4096, &made), ERR_NONE);
	assert_true(text_equal(store_path_text(&made), path));
	assert_int_equal(derivation_path("/nix/store", text_of("q"), d.drv, 4096, &made), ERR_NONE);
	assert_false(text_equal(store_path_text(&made), path));
	assert_int_equal(derivation_path("/nix/store", text_of("p"), d.drv, 200, &made), ERR_LIMIT);
	d.drv->input_srcs = &src;
	d.drv->input_src_count = 1;
	assert_int_equal(aterm_path_check("/nix/store", path, text, sizeof text - 1, d.drv), ERR_PROTO);
	drv_free(&d);
}

/* P17: one file that Nix wrote, under the path that Nix computed for it; and not when a byte of it is another. */
static void check_sample(const char *base)
{
	static char bytes[16384];
	char name[512], path[512];
	size_t len;
	FILE *f;
	struct derivation *drv;
	struct arena arena;
	struct buf printed;
	const char *why;
	struct text path_text;

	(void)snprintf(name, sizeof name, CORPUS "/%s", base);
	(void)snprintf(path, sizeof path, STORE "%s", base);
	path_text = text_of(path);
	f = fopen(name, "rb");
	assert_non_null(f);
	len = fread(bytes, 1, sizeof bytes, f);
	assert_in_range(len, 100, sizeof bytes - 1);
	(void)fclose(f);
	arena_init(&arena, 1024 * 1024);
	buf_init(&printed, sizeof bytes);
	if (aterm_parse(&arena, "/nix/store", store_path_drv_name(path_text), bytes, len, &drv, &why))
		fail_msg("%s %s", base, why);
	assert_int_equal(aterm_path_check("/nix/store", path_text, bytes, len, drv), ERR_NONE);
	assert_int_equal(aterm_put(&printed, drv), ERR_NONE);
	assert_int_equal(buf_len(&printed), len);
	assert_memory_equal(buf_data(&printed), bytes, len);
	bytes[len / 2] ^= 1;
	assert_int_equal(aterm_path_check("/nix/store", path_text, bytes, len, drv), ERR_PROTO);
	buf_free(&printed);
	arena_free(&arena);
}

static void derivations_written_by_nix_are_read_under_their_own_paths(void **unused)
{
	DIR *dir = opendir(CORPUS);
	struct dirent *entry;
	size_t seen = 0;

	(void)unused;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		if (text_ends(text_of(entry->d_name), ".drv")) {
			check_sample(entry->d_name);
			seen++;
		}
	(void)closedir(dir);
	assert_in_range(seen, 14, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_a_derivation_says_is_read),
		cmocka_unit_test(forgiven_punctuation_is_refused),
		cmocka_unit_test(forgiven_escapes_are_refused),
		cmocka_unit_test(lists_out_of_order_or_with_doubles_are_refused),
		cmocka_unit_test(a_nul_byte_is_refused_wherever_it_stands),
		cmocka_unit_test(every_beginning_of_a_derivation_is_refused),
		cmocka_unit_test(a_dynamic_derivation_has_an_error_of_its_own),
		cmocka_unit_test(any_other_byte_is_read_and_printed_as_it_is),
		cmocka_unit_test(lists_and_files_are_bounded),
		cmocka_unit_test(the_path_of_a_derivation_follows_from_its_bytes_and_inputs),
		cmocka_unit_test(derivations_written_by_nix_are_read_under_their_own_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
