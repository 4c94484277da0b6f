#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/nix/drv.h"

#define HEX "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

/* A derivation of one output "out" with these three fields, and this value of $out. */
static enum err check(const char *path, const char *method, const char *hash, const char *env, struct derivation *drv)
{
	static struct derivation_output output;
	static struct derivation_variable variable;
	const char *why = NULL;
	enum err err;

	output = (struct derivation_output){ text_of("out"), text_of(path), text_of(method), text_of(hash) };
	variable = (struct derivation_variable){ .name = text_of("out"), .value = text_of(env) };
	*drv = (struct derivation){
		.outputs = &output, .output_count = 1, .platform = text_of("x86_64-linux"),
		.builder = text_of("/bin/sh"),
		.env = &variable, .env_count = 1,
	};
	err = derivation_check(drv, "/nix/store", text_of("hello.txt"), &why);
	assert_int_equal(err == ERR_NONE, why == NULL);
	return err;
}

static enum err with_output(const char *path, const char *method, const char *hash, const char *env)
{
	struct derivation drv;

	return check(path, method, hash, env, &drv);
}

#define FLAT STORE "iixxin28s82lrxs8v4lcf7nha2dkwprm-hello.txt"
#define TEXT STORE "q790zdjk75hm2cn42nh77pqw4gbv1b88-hello.txt"
#define ANY STORE HASH_A "-hello.txt"

/* P11, P13 */
static void an_outputs_kind_follows_from_its_fields(void **unused)
{
	static const struct {
		const char *path, *method, *hash;
		enum derivation_kind kind;
	} rows[] = {
		{ ANY, "", "", DERIVATION_INPUT_ADDRESSED }, { "", "", "", DERIVATION_DEFERRED },
		{ FLAT, "sha256", HEX, DERIVATION_FIXED }, { "", "r:sha256", "", DERIVATION_FLOATING },
		{ "", "sha1", "", DERIVATION_FLOATING }, { "", "r:sha256", "impure", DERIVATION_IMPURE },
		{ TEXT, "text:sha256", HEX, DERIVATION_FIXED }, { "", "text:sha256", "", DERIVATION_FLOATING },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct derivation drv;

		assert_int_equal(check(rows[i].path, rows[i].method, rows[i].hash, rows[i].path, &drv), ERR_NONE);
		assert_int_equal(drv.kind, rows[i].kind);
		assert_int_equal(drv.makes_derivation, strcmp(rows[i].method, "text:sha256") == 0);
	}
}

static void outputs_of_no_kind_are_refused(void **unused)
{
	static const struct {
		const char *path, *method, *hash;
	} rows[] = {
		{ ANY, "", HEX }, { "", "", HEX }, { "", "", "impure" }, { ANY, "", "impure" }, { ANY, "sha256", "" },
		{ ANY, "r:sha256", "impure" }, { "", "sha256", HEX }, { "", "r:sha256", "Impure" },
		{ "", "git:sha1", "" },
		{ "", "blake3", "" }, { "", "r:", "" }, { "", "sha-256", "" }, { "", "fixed:sha256", "" },
		{ "", "text:sha1", "" }, { "/etc/passwd", "", "" }, { STORE HASH_A "-hello", "", "" },
		{ STORE HASH_A "-hello.txt-out", "", "" }, { "/nix/store//" HASH_A "-hello.txt", "", "" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (with_output(rows[i].path, rows[i].method, rows[i].hash, rows[i].path) != ERR_PROTO)
			fail_msg("taken: %zu", i);
}

/* B3 */
static void the_path_of_a_fixed_output_is_the_one_of_its_hash(void **unused)
{
	(void)unused;
	assert_int_equal(with_output(FLAT, "sha256", HEX, FLAT), ERR_NONE);
	assert_int_equal(with_output(ANY, "sha256", HEX, ANY), ERR_PROTO);
	assert_int_equal(with_output(FLAT, "r:sha256", HEX, FLAT), ERR_PROTO);
	assert_int_equal(with_output(FLAT, "sha256", "3cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
				     FLAT), ERR_PROTO);
	assert_int_equal(with_output(FLAT, "sha256", "2CF24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
				     FLAT), ERR_PROTO);
	assert_int_equal(with_output(FLAT, "sha256", "094qif9n4cq4fdg459qzbhg1c6wywawwaaivx0k0x8xhbyx4vwic", FLAT),
			 ERR_PROTO);
	assert_int_equal(with_output(FLAT, "sha1", HEX, FLAT), ERR_PROTO);
}

static void variables_tell_the_path_of_each_output(void **unused)
{
	static const struct drv_change rows[] = {
		{ "(\"dev\",\"" DEV "\"),", "" }, { ",(\"out\",\"" OUT "\")]", "]" },
		{ "(\"dev\",\"" DEV "\"),", "(\"dev\",\"" OUT "\")," }, { "(\"dev\",\"" DEV "\"),", "(\"dev\",\"\")," },
	};

	(void)unused;
	DRV_REFUSES_ALL(rows);
	assert_int_equal(with_output(FLAT, "sha256", HEX, ""), ERR_PROTO);
	assert_int_equal(with_output("", "sha256", "", "/0whatever"), ERR_NONE);
}

/* B2 */
static void kinds_of_outputs_are_not_mixed(void **unused)
{
	static const struct drv_change rows[] = {
		{ "\"" DEV "\",\"\",\"\"", "\"\",\"\",\"\"" }, { "\"" DEV "\",\"\",\"\"", "\"\",\"sha256\",\"\"" },
		{ "\"" OUT "\",\"\",\"\"", "\"\",\"sha256\",\"\"" },
		{ "\"" OUT "\",\"\",\"\"", "\"\",\"sha256\",\"impure\"" },
		{ "\"" OUT "\",\"\",\"\"", "\"" OUT "\",\"sha256\",\"" HEX "\"" },
	};

	(void)unused;
	DRV_REFUSES_ALL(rows);
	assert_int_equal(drv_error_of_change(DRV_OUTPUTS,
			 "[(\"dev\",\"\",\"sha256\",\"\"),(\"out\",\"\",\"r:sha256\",\"\")]"),
			 ERR_NONE);
	assert_int_equal(drv_error_of_change(DRV_OUTPUTS,
			 "[(\"dev\",\"\",\"sha256\",\"\"),(\"out\",\"\",\"sha256\",\"impure\")]"),
			 ERR_PROTO);
}

static void a_fixed_output_is_alone_and_called_out(void **unused)
{
	/* "hello" flat by sha256, as p-dev and as p */
	static const char *const two =
		"[(\"dev\",\"" DEV "\",\"sha256\",\"" HEX "\"),(\"out\",\"" OUT "\",\"sha256\",\"" HEX "\")]";
	struct drv d;
	char *text;

	(void)unused;
	assert_int_equal(drv_error_of_change(DRV_OUTPUTS, two), ERR_PROTO);
	assert_int_equal(drv_error_of_change(DRV_OUTPUTS, "[(\"dev\",\"" DEV "\",\"sha256\",\"" HEX "\")]"), ERR_PROTO);
	text = drv_changed(DRV_OUTPUTS, two);
	assert_int_equal(drv_parse(&d, text), ERR_PROTO);
	assert_string_equal(d.why, "has a fixed output that is not called 'out'");
	drv_free(&d);
	free(text);
	assert_int_equal(drv_error_of_change(DRV_OUTPUTS, "[]"), ERR_PROTO);
}

static void names_and_paths_are_canonical(void **unused)
{
	static const struct drv_change rows[] = {
		{ STORE HASH_A "-a.drv", STORE HASH_A "-a" }, { STORE HASH_A "-a.drv", "/nix/store//" HASH_A "-a.drv" },
		{ STORE HASH_A "-a.drv", STORE HASH_A "-.a.drv" }, { STORE HASH_A "-s", "/etc/passwd" },
		{ STORE HASH_A "-s", STORE HASH_A "-s/x" }, { "[\"dev\",\"out\"]", "[\"\",\"out\"]" },
		{ "[\"dev\",\"out\"]", "[\"*\",\"out\"]" }, { "[\"dev\",\"out\"]", "[\"a,b\",\"out\"]" },
		{ "[(\"dev\",\"" DEV "\"", "[(\"d v\",\"" DEV "\"" }, { "[(\"dev\",\"" DEV "\"", "[(\"\",\"" DEV "\"" },
		{ "[(\"dev\",\"" DEV "\"", "[(\"doc\",\"" DEV "\"" }, { DEV, STORE HASH_B "-p" },
		{ DEV, STORE HASH_B "-q-dev" }, { DEV, STORE HASH_B "-p-devs" }, { DEV, "/nix/stort/" HASH_B "-p-dev" },
		{ "x86_64-linux", "" }, { "x86_64-linux", "x86_64 linux" }, { "x86_64-linux", "x86_64-linux\\n" },
		{ "x86_64-linux", "x86_64\\\"linux" }, { "x86_64-linux", "x86_64\\\\linux" },
		{ "x86_64-linux", "x86_64\x80" },
		{ "\"/bin/sh\"", "\"\"" },
	};
	struct derivation drv = { 0 };
	const char *why;

	(void)unused;
	DRV_REFUSES_ALL(rows);
	assert_int_equal(derivation_check(&drv, "/nix/store", text_of("p"), &why), ERR_PROTO);
	assert_string_equal(why, "has no output");
}

static void a_name_that_no_path_can_have_is_refused(void **unused)
{
	struct drv d;

	(void)unused;
	assert_int_equal(drv_parse(&d, DRV_TEXT), ERR_NONE);
	assert_int_equal(derivation_check(d.drv, "/nix/store", text_of("p"), &d.why), ERR_NONE);
	assert_int_equal(derivation_check(d.drv, "/nix/store", text_of("q"), &d.why), ERR_PROTO);
	assert_int_equal(derivation_check(d.drv, "/nix/store", text_of(""), &d.why), ERR_PROTO);
	assert_int_equal(derivation_check(d.drv, "/nix/store", text_of("a/b"), &d.why), ERR_PROTO);
	drv_free(&d);
}

static void numbers_and_lengths_are_bounded(void **unused)
{
	static char system[DERIVATION_SYSTEM_MAX + 2], builder[DERIVATION_BUILDER_MAX + 2];
	struct drv d;

	(void)unused;
	assert_int_equal(drv_parse(&d, DRV_TEXT), ERR_NONE);
	memset(system, 's', DERIVATION_SYSTEM_MAX + 1);
	memset(builder, 'b', DERIVATION_BUILDER_MAX + 1);
	d.drv->platform = (struct text){ system, DERIVATION_SYSTEM_MAX };
	d.drv->builder = (struct text){ builder, DERIVATION_BUILDER_MAX };
	assert_int_equal(derivation_check(d.drv, "/nix/store", text_of("p"), &d.why), ERR_NONE);
	d.drv->platform.len++;
	assert_int_equal(derivation_check(d.drv, "/nix/store", text_of("p"), &d.why), ERR_LIMIT);
	d.drv->platform.len--;
	d.drv->builder.len++;
	assert_int_equal(derivation_check(d.drv, "/nix/store", text_of("p"), &d.why), ERR_LIMIT);
	d.drv->builder.len--;
	/* Counts are judged before a single item is looked at. */
	d.drv->input_src_count = DERIVATION_INPUTS_MAX - 1;
	assert_int_equal(derivation_check(d.drv, "/nix/store", text_of("p"), &d.why), ERR_LIMIT);
	d.drv->input_src_count = SIZE_MAX;
	assert_int_equal(derivation_check(d.drv, "/nix/store", text_of("p"), &d.why), ERR_LIMIT);
	d.drv->input_src_count = 0;
	d.drv->output_count = DERIVATION_OUTPUTS_MAX + 1;
	assert_int_equal(derivation_check(d.drv, "/nix/store", text_of("p"), &d.why), ERR_LIMIT);
	drv_free(&d);
}

static void fields_of_a_request_are_sorted_and_judged_alike(void **unused)
{
	struct derivation_output outputs[] = { { .name = text_of("out") }, { .name = text_of("dev") } };
	struct text srcs[] = { text_of(STORE HASH_B "-s"), text_of(STORE HASH_A "-s") };
	struct derivation_variable env[] = {
		{ text_of("z"), text_of("1") }, { text_of("out"), text_of("") }, { text_of("a"), { "x\0", 2 } },
	};
	struct derivation drv = {
		.outputs = outputs, .output_count = 2, .input_srcs = srcs, .input_src_count = 2,
		.platform = text_of("x86_64-linux"), .builder = text_of("/bin/sh"), .env = env, .env_count = 3,
	};
	const char *why = NULL;

	(void)unused;
	assert_int_equal(derivation_check(&drv, "/nix/store", text_of("p"), &why), ERR_PROTO);
	derivation_sort(&drv);
	assert_int_equal(derivation_check(&drv, "/nix/store", text_of("p"), &why), ERR_PROTO);
	assert_string_equal(why, "has a NUL byte in a string");
	env[0].value.len = 1;
	assert_int_equal(derivation_check(&drv, "/nix/store", text_of("p"), &why), ERR_NONE);
	assert_true(text_is(*derivation_env(&drv, "a"), "x"));
	assert_true(text_is(*derivation_env(&drv, "z"), "1"));
	assert_null(derivation_env(&drv, "b"));
	assert_true(derivation_output(&drv, text_of("dev")) == &outputs[0]);
	assert_null(derivation_output(&drv, text_of("doc")));
	assert_int_equal(derivation_check(&drv, "/nix/store", text_of("a/b"), &why), ERR_PROTO);
	env[1].name = text_of("a");
	derivation_sort(&drv);
	assert_int_equal(derivation_check(&drv, "/nix/store", text_of("p"), &why), ERR_PROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_outputs_kind_follows_from_its_fields),
		cmocka_unit_test(outputs_of_no_kind_are_refused),
		cmocka_unit_test(the_path_of_a_fixed_output_is_the_one_of_its_hash),
		cmocka_unit_test(variables_tell_the_path_of_each_output),
		cmocka_unit_test(kinds_of_outputs_are_not_mixed),
		cmocka_unit_test(a_fixed_output_is_alone_and_called_out),
		cmocka_unit_test(names_and_paths_are_canonical),
		cmocka_unit_test(a_name_that_no_path_can_have_is_refused),
		cmocka_unit_test(numbers_and_lengths_are_bounded),
		cmocka_unit_test(fields_of_a_request_are_sorted_and_judged_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
