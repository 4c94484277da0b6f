#include "tests/unit/wire/nar_play.h"

/* The last word of each is the wrong one, the others are not: refused when it is whole, no earlier and no later. */
static void a_word_out_of_order_is_refused_at_once(void **unused)
{
	static const char *const bad[] = {
		"type", ")", "-", "( (", "( directory", "( )", "( -", "( type type", "( type -", "( type fifo",
		"( type Regular", "( type (", "( type regular )", "( type regular type", "( type regular target",
		"( type regular entry", "( type regular Contents", "( type regular -", "( type regular content",
		"( type regular contentss", "( type regular AAAAAAAA", "( type regular executable contents",
		"( type regular executable x", "( type regular executable - executable",
		"( type regular executable - )", "( type regular executable - -",
		"( type regular contents hello executable", "( type regular contents hello contents",
		"( type regular contents hello type", "( type regular contents hello -",
		"( type symlink )", "( type symlink contents", "( type symlink executable", "( type symlink -",
		"( type symlink target x target", "( type symlink target x executable", "( type symlink target x type",
		"( type directory (", "( type directory name", "( type directory node", "( type directory contents",
		"( type directory executable", "( type directory type", "( type directory -",
		"( type directory entry )", "( type directory entry name", "( type directory entry entry",
		"( type directory entry ( )", "( type directory entry ( node", "( type directory entry ( -",
		"( type directory entry ( name a )", "( type directory entry ( name a name",
		"( type directory entry ( name a (", "( type directory entry ( name a node )",
		"( type directory entry ( name a node type", "( type directory entry ( name a node node",
		"( type directory entry ( name a node ( type directory ) node",
		"( type directory entry ( name a node ( type directory ) name",
		"( type directory entry ( name a node ( type directory ) entry",
		"( type directory entry ( name a node ( type regular contents x ) (",
		"( type directory entry ( name a node ( type directory ) ) (",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct bytes b = nar_of_words(bad[i]), before = { .data = b.data, .len = b.len - 8, .size = b.len };
		struct outcome o = play(&before, MUCH, before.len, before.len);

		if (o.err != ERR_NONE)
			fail_msg("refused too early: %s", bad[i]);
		bytes_free(&o.body);
		o = everywhere(b, MUCH);
		if (o.err != ERR_PROTO)
			fail_msg("taken: %s", bad[i]);
		assert_string_equal(o.fault, "a word of its format is missing or out of place");
		bytes_free(&o.body);
	}
}

static void another_format_is_refused(void **unused)
{
	static const char *const bad[] = { "nix-archive-2", "nix-archive-", "", "(", "nix-archive-1 " };

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct bytes b = { .len = 0 };

		add_word(&b, bad[i]);
		add_words(&b, "( type directory )");
		assert_bad(b, ERR_PROTO, "word");
	}
}

static void fields_that_come_late_are_refused(void **unused)
{
	struct bytes b = nar_of_words("( type directory entry ( name foo node ( type regular contents hello"), c;

	(void)unused;
	add_words(&b, "executable - ) ) )");
	assert_bad(b, ERR_PROTO, "word");
	c = nar_of_words("( type directory entry ( node ( type regular contents hello ) name foo ) )");
	assert_bad(c, ERR_PROTO, "word");
}

static void bad_names_are_refused(void **unused)
{
	static const struct { const char *name; size_t len; } bad[] = {
		{ "", 0 }, { ".", 1 }, { "..", 2 }, { "x/y", 3 }, { "/", 1 }, { "x/", 2 }, { "/x", 2 }, { "f\0o", 3 },
		{ "\0", 1 }, { "foo\0", 4 }, { "../x", 4 },
		{ "~nix~case~hack~", 15 }, { "a~nix~case~hack~1", 17 }, { "~nix~case~hack~~", 16 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_bad(nar_of_name(bad[i].name, bad[i].len), ERR_PROTO, "name that is not allowed");
}

static struct bytes nar_of_two(const char *first, const char *second)
{
	struct bytes b = { .len = 0 };

	nar_start(&b);
	nar_folder_open(&b);
	nar_entry_open(&b, first, strlen(first));
	nar_link(&b, "/");
	nar_entry_close(&b);
	nar_entry_open(&b, second, strlen(second));
	nar_folder_open(&b);
	nar_folder_close(&b);
	nar_entry_close(&b);
	nar_folder_close(&b);
	return b;
}

static void names_have_to_ascend_by_their_bytes(void **unused)
{
	static const char *const good[][2] = {
		{ "a", "b" }, { "a", "aa" }, { "B", "a" }, { "Test", "test" }, { "a-b", "a.b" }, { "z", "\xc3\xa9" },
		{ "foo", "foo-1" }, { "\x7f", "\x80" }, { "a\x01", "a " },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_good(nar_of_two(good[i][0], good[i][1]));
		assert_bad(nar_of_two(good[i][1], good[i][0]), ERR_PROTO, "order");
		assert_bad(nar_of_two(good[i][0], good[i][0]), ERR_PROTO, "order");    /* a link, then a folder behind it */
	}
}

static void each_folder_has_an_order_of_its_own(void **unused)
{
	(void)unused;
	assert_good(nar_of_words("( type directory entry ( name m node ( type directory"
		" entry ( name a node ( type directory ) ) entry ( name z node ( type directory ) ) ) )"
		" entry ( name n node ( type directory entry ( name a node ( type directory ) ) ) ) )"));
	assert_bad(nar_of_words("( type directory entry ( name m node ( type directory"
		" entry ( name z node ( type directory ) ) ) ) entry ( name b node"), ERR_PROTO, "order");
}

static void an_empty_name_is_refused_with_its_length(void **unused)
{
	(void)unused;
	assert_bad(nar_of_words("( type directory entry ( name -"), ERR_PROTO, "name");
	assert_bad(nar_of_words("( type symlink target -"), ERR_PROTO, "target");
}

static void bad_targets_are_refused(void **unused)
{
	struct bytes nul = nar_of_words("( type symlink target");

	(void)unused;
	assert_bad(nar_of_words("( type symlink target - )"), ERR_PROTO, "target");
	add_bytes(&nul, "a\0b", 3);
	assert_bad(nul, ERR_PROTO, "target");
}

static void padding_has_to_be_zero(void **unused)
{
	char text[] = "xxxxxxxx";

	(void)unused;
	for (size_t len = 1; len < 8; len++) {
		struct bytes content = nar_of_words("( type regular contents");
		struct bytes name = nar_of_words("( type directory entry ( name");
		struct bytes target = nar_of_words("( type symlink target");

		add_padded(&content, text, len, 1);
		assert_bad(content, ERR_PROTO, "padding");
		add_padded(&name, text, len, 0x80);
		assert_bad(name, ERR_PROTO, "padding");
		add_padded(&target, text, len, ' ');
		assert_bad(target, ERR_PROTO, "padding");
	}
}

static void each_byte_of_padding_is_looked_at(void **unused)
{
	(void)unused;
	for (size_t at = 1; at < 8; at++) {
		struct bytes file = nar_of_file("x", 1, 0), word = nar_of_words("( type directory )");

		file.data[96 + at] = 1;                 /* content's text begins at 96 */
		assert_bad(file, ERR_PROTO, "padding");
		word.data[32 + at] = 1;                 /* the first "(" */
		assert_bad(word, ERR_PROTO, "padding");
	}
}

/* Whatever single byte of a small archive is changed, the result is refused, or it is another archive of another tree
 * (only a name, a target, a content or the executable mark can differ), never the same tree in other bytes. */
static void a_changed_byte_never_passes_outside_of_free_text(void **unused)
{
	struct bytes b = nar_of_words("( type directory entry ( name nn node ( type symlink target tttt ) ) )");
	size_t passed = 0;

	(void)unused;
	for (size_t at = 0; at < b.len; at++) {
		uint8_t was = b.data[at];

		for (unsigned value = 0; value < 256; value++) {
			struct outcome o;

			b.data[at] = (uint8_t)value;
			o = play(&b, b.len, b.len, b.len);
			passed += value != was && o.done && o.size == b.len;
			if (value != was && was != 'n' && was != 't')
				assert_false(o.done);
			bytes_free(&o.body);
		}
		b.data[at] = was;
	}
	/* two letters of a name and four of a target: any byte but itself, NUL, in a name not '/' (".." takes two) */
	assert_int_equal(passed, 2 * 253 + 4 * 254);
	bytes_free(&b);
}

/* The twelve archives of Nix's own tests, typed anew. */
static void what_nix_itself_takes_and_refuses(void **unused)
{
	struct bytes b = nar_of_file("x", 1, 0);
	struct outcome o;

	(void)unused;
	assert_good(b);                                                 /* regular-one-byte-zero-padding */
	assert_bad(nar_of_name(".", 1), ERR_PROTO, "name");             /* dot */
	assert_bad(nar_of_name("..", 2), ERR_PROTO, "name");            /* dotdot */
	assert_bad(nar_of_name("", 0), ERR_PROTO, "name");              /* empty */
	assert_bad(nar_of_name("x/y", 3), ERR_PROTO, "name");           /* slash */
	assert_bad(nar_of_name("f\0o", 3), ERR_PROTO, "name");          /* nul-character */
	assert_bad(nar_of_words("( type regular AAAAAAAA )"), ERR_PROTO, "word");      /* invalid-tag-instead-of-contents */
	b = nar_of_words("( type regular contents");
	add_padded(&b, "x", 1, 1);
	add_word(&b, ")");
	assert_bad(b, ERR_PROTO, "padding");                            /* regular-one-byte-non-zero-padding */
	b = nar_of_file("x", 1, 0);
	b.len = 100;
	o = everywhere(b, MUCH);                                        /* regular-truncated-padding */
	assert_int_equal(o.err, ERR_NONE);
	assert_false(o.done);
	bytes_free(&o.body);
	b = nar_of_words("( type regular contents");
	add_number(&b, UINT64_MAX);
	add_raw(&b, "x", 1);
	assert_bad(b, ERR_LIMIT, "longer");                             /* regular-truncated-large-contents */
	/* executable-after-contents and name-after-node: fields_that_come_late_are_refused */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_out_of_order_is_refused_at_once),
		cmocka_unit_test(another_format_is_refused),
		cmocka_unit_test(fields_that_come_late_are_refused),
		cmocka_unit_test(bad_names_are_refused),
		cmocka_unit_test(names_have_to_ascend_by_their_bytes),
		cmocka_unit_test(each_folder_has_an_order_of_its_own),
		cmocka_unit_test(an_empty_name_is_refused_with_its_length),
		cmocka_unit_test(bad_targets_are_refused),
		cmocka_unit_test(padding_has_to_be_zero),
		cmocka_unit_test(each_byte_of_padding_is_looked_at),
		cmocka_unit_test(a_changed_byte_never_passes_outside_of_free_text),
		cmocka_unit_test(what_nix_itself_takes_and_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
