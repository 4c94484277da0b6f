#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/nix/structured_attrs.h"

static enum err parses(const char *json, size_t len)
{
	struct structured_attrs attrs;
	enum err err = structured_attrs_parse((struct text){ json, len }, &attrs);

	assert_int_equal(err == ERR_NONE, attrs.top != NULL);
	structured_attrs_free(&attrs);
	structured_attrs_free(&attrs);
	return err;
}

/* P5 */
static void what_is_no_strict_json_object_is_refused(void **unused)
{
	static const char fine[] = " {\"a\" : [ 1, -2.5e3, true, null, {} ] }\n";
	static const char *const odd[] = {
		"", " ", "null", "[]", "[{}]", "\"a\"", "1", "{", "}", "{}x", "{}{}", "{,}", "{\"a\":1,}", "{\"a\"}",
		"{a:1}",
		"{'a':1}", "{\"a\":01}", "{\"a\":+1}", "{\"a\":NaN}", "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}",
		"{\"a\":\"\\u00\"}",
		"{\"a\":\"\\ud800\"}", "{\"a\":\"\x80\"}", "{\"a\":\"\xc0\x80\"}", "{\"a\":\"\xed\xa0\x80\"}",
		"\xef\xbb\xbf{}",
		"{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}", "{\"x\":{\"a\":1,\"a\":2}}",
		"{\"x\":[{\"a\":1,\"a\":2}]}",
		"{\"a\":\"\\u0000\"}", "{\"\\u0000\":1}", "{\"a\\u0000b\":1}", "{\"a\":tru}", "{\"a\":1 // x\n}",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		if (parses(odd[i], strlen(odd[i])) != ERR_PROTO)
			fail_msg("taken: %s", odd[i]);
	assert_int_equal(parses("{\"a\":\"\0\"}", 9), ERR_PROTO);
	assert_int_equal(parses("{}\0", 3), ERR_PROTO);
	assert_int_equal(parses(NULL, 0), ERR_PROTO);
	assert_int_equal(parses("{}", 2), ERR_NONE);
	assert_int_equal(parses(fine, sizeof fine - 1), ERR_NONE);
}

/* {"a":[[...]]} of so many levels, the object included. */
static enum err nested(size_t depth, const char *open, const char *close)
{
	size_t step = strlen(open), len = 0;
	char *json = malloc(depth * (step + strlen(close)) + 16);
	enum err err;

	assert_non_null(json);
	memcpy(json, "{\"a\":", 5);
	len = 5;
	for (size_t i = 1; i < depth; i++, len += step)
		memcpy(json + len, open, step);
	json[len++] = '1';
	for (size_t i = 1; i < depth; i++, len += strlen(close))
		memcpy(json + len, close, strlen(close));
	json[len++] = '}';
	err = parses(json, len);
	free(json);
	return err;
}

static void depth_is_bounded_before_anybody_recurses(void **unused)
{
	(void)unused;
	assert_int_equal(nested(JSON_DEPTH_MAX, "[", "]"), ERR_NONE);
	assert_int_equal(nested(JSON_DEPTH_MAX + 1, "[", "]"), ERR_LIMIT);
	assert_int_equal(nested(JSON_DEPTH_MAX, "{\"b\":", "}"), ERR_NONE);
	assert_int_equal(nested(JSON_DEPTH_MAX + 1, "{\"b\":", "}"), ERR_LIMIT);
	assert_int_equal(nested(100000, "[", "]"), ERR_LIMIT);
}

static void brackets_in_strings_are_no_depth(void **unused)
{
	char json[512] = "{\"a\":\"\\\"", *end = json + strlen(json);

	(void)unused;
	memset(end, '[', 200);
	memcpy(end + 200, "\\\\\"}", 5);
	assert_int_equal(parses(json, strlen(json)), ERR_NONE);
	/* The quote that a backslash hides does not end the string: these brackets count. */
	memset(end + 204, '[', 100);
	end[203] = '[';
	assert_int_equal(parses(json, strlen(json)), ERR_LIMIT);
}

static void the_number_of_values_is_bounded(void **unused)
{
	size_t len = 2 * JSON_VALUES_MAX + 16;
	char *json = malloc(len);

	(void)unused;
	assert_non_null(json);
	memcpy(json, "{\"a\":[", 6);
	for (size_t i = 6; i < len; i += 2)
		memcpy(json + i, "1,", 2);
	memcpy(json + len - 3, "1]}", 3);
	assert_int_equal(parses(json, len), ERR_LIMIT);
	memcpy(json + 1001, "]}", 2);
	memset(json + 1003, ' ', len - 1003);
	assert_int_equal(parses(json, len), ERR_NONE);
	free(json);
}

static void attributes_are_of_the_type_that_is_asked_for(void **unused)
{
	static const char json[] = "{\"yes\":true,\"no\":false,\"one\":1,\"null\":null,\"text\":\"a b\","
				   "\"list\":[\"a\",\"\\u0062 c\"],"
				   "\"mixed\":[\"a\",1],\"deep\":[[\"a\"]],\"object\":{\"yes\":true}}";
	static const char *const no_list[] = { "yes", "one", "null", "text", "object" };
	static const char *const no_bool[] = { "one", "null", "text", "list", "object" };
	struct structured_attrs attrs;
	struct text text = { 0 }, items[2];
	struct arena arena;
	size_t count = 99;
	bool value = false;

	(void)unused;
	arena_init(&arena, 4096);
	assert_int_equal(structured_attrs_parse(text_of(json), &attrs), ERR_NONE);
	assert_int_equal(structured_attr_bool(&attrs, "absent", &value), ERR_NONE);
	assert_false(value);
	assert_int_equal(structured_attr_bool(&attrs, "yes", &value), ERR_NONE);
	assert_true(value);
	assert_int_equal(structured_attr_bool(&attrs, "no", &value), ERR_NONE);
	assert_false(value);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(structured_attr_bool(&attrs, no_bool[i], &value), ERR_PROTO);
		assert_int_equal(structured_attr_count(&attrs, no_list[i], &count), ERR_PROTO);
	}
	assert_int_equal(structured_attr_string(&attrs, "text", &arena, &text), ERR_NONE);
	assert_true(text_is(text, "a b"));
	assert_int_equal(structured_attr_string(&attrs, "absent", &arena, &text), ERR_NONE);
	assert_int_equal(structured_attr_string(&attrs, "list", &arena, &text), ERR_PROTO);
	assert_int_equal(structured_attr_string(&attrs, "null", &arena, &text), ERR_PROTO);
	assert_int_equal(structured_attr_count(&attrs, "absent", &count), ERR_NONE);
	assert_int_equal(count, 0);
	assert_int_equal(structured_attr_count(&attrs, "list", &count), ERR_NONE);
	assert_int_equal(count, 2);
	assert_int_equal(structured_attr_strings(&attrs, "list", &arena, items), ERR_NONE);
	assert_true(text_is(items[0], "a") && text_is(items[1], "b c"));
	assert_int_equal(structured_attr_strings(&attrs, "mixed", &arena, items), ERR_PROTO);
	assert_int_equal(structured_attr_strings(&attrs, "deep", &arena, items), ERR_PROTO);
	structured_attrs_free(&attrs);
	assert_int_equal(structured_attr_count(&attrs, "list", &count), ERR_NONE);
	assert_int_equal(count, 0);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_strict_json_object_is_refused),
		cmocka_unit_test(depth_is_bounded_before_anybody_recurses),
		cmocka_unit_test(brackets_in_strings_are_no_depth),
		cmocka_unit_test(the_number_of_values_is_bounded),
		cmocka_unit_test(attributes_are_of_the_type_that_is_asked_for),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
