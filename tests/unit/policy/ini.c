#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/ini.h"

/* A text as it was read: a copy of exact size, so that the sanitizer sees every byte over its end. */
struct read {
	char *text;
	struct ini_file ini;
	struct faults faults;
};

static struct read read_bytes(const char *bytes, size_t len)
{
	struct read r = { .text = malloc(len + 1) };

	assert_non_null(r.text);
	memcpy(r.text, bytes, len);
	r.text[len] = '\0';
	ini_read(r.text, len, &r.ini, &r.faults);
	return r;
}

static void read_free(struct read *r)
{
	ini_free(&r->ini);
	faults_free(&r->faults);
	free(r->text);
}

static void assert_setting(const struct read *r, size_t i, const char *name, const char *value, unsigned line)
{
	assert_true(i < r->ini.setting_count);
	assert_string_equal(r->ini.settings[i].name, name);
	assert_string_equal(r->ini.settings[i].value, value);
	assert_int_equal(r->ini.settings[i].line, line);
}

#define READ(text) read_bytes(text, sizeof text - 1)

static void sections_and_settings_come_with_their_lines(void **unused)
{
	struct read r =
	    READ("; comment\n\n[gateway]\nnix = auto ; why\n\n[key alice]\na=b=c\nempty =\nb =\t c  d \t;e\n");

	(void)unused;
	assert_false(faults_any(&r.faults));
	assert_int_equal(r.ini.section_count, 2);
	assert_int_equal(r.ini.sections[0].kind, SECTION_GATEWAY);
	assert_string_equal(r.ini.sections[0].name, "");
	assert_int_equal(r.ini.sections[0].line, 3);
	assert_int_equal(r.ini.sections[0].count, 1);
	assert_int_equal(r.ini.sections[1].kind, SECTION_KEY);
	assert_string_equal(r.ini.sections[1].name, "alice");
	assert_int_equal(r.ini.sections[1].first, 1);
	assert_int_equal(r.ini.sections[1].count, 3);
	assert_setting(&r, 0, "nix", "auto", 4);
	assert_setting(&r, 1, "a", "b=c", 7);
	assert_setting(&r, 2, "empty", "", 8);
	assert_setting(&r, 3, "b", "c  d", 9);
	read_free(&r);
}

/* inih alone reads 200 bytes of a line and takes the rest for a new setting. */
static void a_value_of_any_length_is_one_value(void **unused)
{
	static char text[POLICY_LINE_MAX + 64];
	const char head[] = "[key a]\nfeatures = ", tail[] = " relay = exec\n";

	(void)unused;
	for (size_t len = 150; len <= POLICY_LINE_MAX - 64; len += len < 260 ? 1 : 4001) {
		struct read r;

		memcpy(text, head, sizeof head - 1);
		memset(text + sizeof head - 1, 'x', len);
		memcpy(text + sizeof head - 1 + len, tail, sizeof tail - 1);
		r = read_bytes(text, sizeof head - 1 + len + sizeof tail - 1);
		assert_false(faults_any(&r.faults));
		assert_int_equal(r.ini.setting_count, 1);
		assert_int_equal(strlen(r.ini.settings[0].value), len + strlen(" relay = exec"));
		read_free(&r);
	}
}

static void a_line_of_the_greatest_length_is_read_and_one_more_byte_refused(void **unused)
{
	static char text[POLICY_LINE_MAX + 64];
	const char head[] = "[key a]\n";

	(void)unused;
	for (size_t len = POLICY_LINE_MAX; len <= POLICY_LINE_MAX + 1; len++) {
		struct read r;

		memcpy(text, head, sizeof head - 1);
		memset(text + sizeof head - 1, 'x', len);
		text[sizeof head] = '=';
		text[sizeof head - 1 + len] = '\n';
		r = read_bytes(text, sizeof head + len);
		assert_int_equal(faults_any(&r.faults), len > POLICY_LINE_MAX);
		assert_int_equal(r.ini.setting_count, len > POLICY_LINE_MAX ? 0 : 1);
		read_free(&r);
	}
}

/* inih alone ends a value at a NUL and joins an indented line to the one before. */
static void what_inih_passes_over_is_refused_with_its_line(void **unused)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = {
#define BAD(text) { text, sizeof text - 1 }
		BAD("[key a]\nb = c\0d\n"),  BAD("[key a]\n b = c\n"),	 BAD("[key a]\nb = c"),
		BAD("[key a]\nb = c\r\n"),   BAD("[key a]\nb\n"),	 BAD("[key a]\n= c\n"),
		BAD("[key a]\nb : c\n"),     BAD("[key a]\n[key a]\n"),	 BAD("[key a]\n[key b] c = d\n"),
		BAD("[key a]\n[key b\n"),    BAD("[key a]\n[]\n"),	 BAD("[key a]\n[key]\n"),
		BAD("[key a]\nb\x80 = c\n"), BAD("[key a]\nb = \x7f\n"), BAD("[key a]\nb ; = c\n"),
		BAD("[key a]\nb =;c\n"),     BAD("[key a]\n[key ]\n"),	 BAD("[key a]\n[ key b]\n"),
		BAD("[key a]\n[key b ]\n"),
	};

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct read r = read_bytes(bad[i].text, bad[i].len);

		assert_int_equal(r.faults.count, 1);
		assert_int_equal(r.faults.items[0].line, 2);
		assert_int_equal(r.ini.setting_count, 0);
		read_free(&r);
	}
}

static void settings_of_a_refused_section_go_to_no_other(void **unused)
{
	struct read r = READ("[key a]\nb = c\n[kee d]\nsystems = *\n[key e]\nf = g\n");

	(void)unused;
	assert_int_equal(r.faults.count, 1);
	assert_int_equal(r.faults.items[0].line, 3);
	assert_int_equal(r.ini.setting_count, 2);
	assert_int_equal(r.ini.sections[0].count, 1);
	assert_setting(&r, 1, "f", "g", 6);
	read_free(&r);
}

static void every_cut_of_a_text_is_a_fault_or_whole_lines(void **unused)
{
	static const char text[] = "[gateway]\nnix = auto\n\n; c\n[key a]\nb = c d ; e\n";

	(void)unused;
	for (size_t cut = 0; cut < sizeof text - 1; cut++) {
		struct read r = read_bytes(text, cut);

		assert_int_equal(faults_any(&r.faults), cut > 0 && text[cut - 1] != '\n');
		read_free(&r);
	}
}

/* Whatever byte stands in a line, it is read as it is or refused: never dropped. */
static void no_byte_is_lost(void **unused)
{
	(void)unused;
	for (int byte = 0; byte < 256; byte++) {
		char text[] = "[key a]\nb = c?d\n";
		struct read r;

		text[sizeof "[key a]\nb = c" - 1] = (char)byte;
		r = read_bytes(text, sizeof text - 1);
		if (byte == '\n') {
			assert_int_equal(r.faults.count, 1);
		} else if (byte == '\t' || (byte >= 0x20 && byte < 0x7f)) {
			assert_false(faults_any(&r.faults));
			assert_int_equal(strlen(r.ini.settings[0].value), 3);
		} else {
			assert_int_equal(r.faults.count, 1);
			assert_int_equal(r.ini.setting_count, 0);
		}
		read_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_and_settings_come_with_their_lines),
		cmocka_unit_test(a_value_of_any_length_is_one_value),
		cmocka_unit_test(a_line_of_the_greatest_length_is_read_and_one_more_byte_refused),
		cmocka_unit_test(what_inih_passes_over_is_refused_with_its_line),
		cmocka_unit_test(settings_of_a_refused_section_go_to_no_other),
		cmocka_unit_test(every_cut_of_a_text_is_a_fault_or_whole_lines),
		cmocka_unit_test(no_byte_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
