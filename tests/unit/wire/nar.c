#include "tests/unit/wire/nar_play.h"

static void the_smallest_archives_pass(void **unused)
{
	struct bytes folder = nar_of_words("( type directory )"), file = nar_of_file("", 0, 0);

	(void)unused;
	assert_int_equal(folder.len, NAR_SIZE_MIN);
	assert_int_equal(file.len, 112);
	assert_good(folder);
	assert_good(file);
}

static void an_archive_byte_for_byte(void **unused)
{
	static const uint8_t golden[] = "\x0d\0\0\0\0\0\0\0nix-archive-1\0\0\0" "\x01\0\0\0\0\0\0\0(\0\0\0\0\0\0\0"
		"\x04\0\0\0\0\0\0\0type\0\0\0\0" "\x07\0\0\0\0\0\0\0regular\0" "\x08\0\0\0\0\0\0\0contents"
		"\x01\0\0\0\0\0\0\0x\0\0\0\0\0\0\0" "\x01\0\0\0\0\0\0\0)\0\0\0\0\0\0";     /* the last zero is C's */
	struct bytes b = { .len = 0 }, made = nar_of_file("x", 1, 0);

	(void)unused;
	add_raw(&b, golden, sizeof golden);
	assert_int_equal(b.len, made.len);
	assert_memory_equal(b.data, made.data, b.len);
	bytes_free(&made);
	assert_good(b);
}

static void every_length_of_content_passes(void **unused)
{
	char text[40];

	(void)unused;
	memset(text, 'c', sizeof text);
	for (size_t len = 0; len <= sizeof text; len++) {
		assert_good(nar_of_file(text, len, 0));
		assert_good(nar_of_file(text, len, 1));
	}
}

static void every_length_of_name_and_target_passes(void **unused)
{
	char text[NAR_TARGET_MAX + 1];

	(void)unused;
	memset(text, 'n', sizeof text);
	for (size_t len = 1; len <= NAR_NAME_MAX; len += len < 20 || len >= 250 ? 1 : 23)
		assert_good(nar_of_name(text, len));
	for (size_t len = 1; len <= NAR_TARGET_MAX; len += len < 20 || len >= 4090 ? 1 : 814) {
		struct bytes b = nar_of_words("( type symlink target");

		add_bytes(&b, text, len);
		add_word(&b, ")");
		assert_good(b);
	}
}

static void a_tree_with_everything_passes(void **unused)
{
	struct bytes b = { .len = 0 };

	(void)unused;
	nar_start(&b);
	nar_folder_open(&b);
	nar_entry_open(&b, "empty-subdir", 12);
	nar_folder_open(&b);
	nar_folder_close(&b);
	nar_entry_close(&b);
	nar_entry_open(&b, "emptyfile", 9);
	nar_file(&b, "", 0, 0);
	nar_entry_close(&b);
	nar_entry_open(&b, "hello", 5);
	nar_file(&b, "hello world\n", 12, 1);
	nar_entry_close(&b);
	nar_entry_open(&b, "link", 4);
	nar_link(&b, "../../etc/passwd");       /* where a link points to is none of the format's business */
	nar_entry_close(&b);
	nar_folder_close(&b);
	assert_good(b);
}

static void archives_of_chance_pass(void **unused)
{
	(void)unused;
	for (uint32_t seed = 1; seed <= 60; seed++)
		assert_good(nar_random(seed));
}

static void a_truncated_archive_is_never_done(void **unused)
{
	struct bytes b = nar_random(9);

	(void)unused;
	for (size_t len = 0; len < b.len; len++) {
		struct bytes part = { .data = b.data, .len = len, .size = len };
		struct outcome o = play(&part, MUCH, len, len);

		assert_int_equal(o.err, ERR_NONE);
		assert_false(o.done);
		assert_int_equal(o.size, len);
		bytes_free(&o.body);
	}
	bytes_free(&b);
}

static void nothing_behind_the_end_is_taken(void **unused)
{
	struct bytes b = nar_of_file("hello", 5, 0);
	size_t size = b.len, used;
	struct nar r;

	(void)unused;
	add_words(&b, "( type regular");
	nar_init(&r, MUCH);
	assert_int_equal(nar_feed(&r, b.data, b.len, &used), ERR_NONE);
	assert_true(nar_done(&r));
	assert_int_equal(used, size);
	assert_int_equal(nar_feed(&r, b.data + used, b.len - used, &used), ERR_NONE);
	assert_int_equal(used, 0);
	assert_int_equal(r.size, size);
	bytes_free(&b);
}

static void an_error_stays(void **unused)
{
	struct bytes bad = nar_of_words("( type fifo"), good = nar_of_file("hello", 5, 0);
	size_t used;
	struct nar r;

	(void)unused;
	nar_init(&r, MUCH);
	assert_int_equal(nar_feed(&r, bad.data, bad.len, &used), ERR_PROTO);
	assert_int_equal(nar_feed(&r, good.data, good.len, &used), ERR_PROTO);
	assert_int_equal(used, 0);
	assert_false(nar_done(&r));
	bytes_free(&bad);
	bytes_free(&good);
}

static void the_file_comes_out_of_its_archive(void **unused)
{
	struct outcome o = everywhere(nar_of_file("Derive([(", 9, 1), MUCH);

	(void)unused;
	assert_int_equal(o.root, NAR_REGULAR);
	assert_true(o.executable);
	assert_int_equal(o.length, 9);
	assert_int_equal(o.body.len, 9);
	assert_memory_equal(o.body.data, "Derive([(", 9);
	bytes_free(&o.body);
}

/* Wherever the look at it stops, and whatever part of the content then goes by. */
static void content_may_go_by_unseen(void **unused)
{
	static const char text[] = "content of 21 bytes..";
	struct bytes b = nar_of_file(text, 21, 1);
	uint64_t next;

	(void)unused;
	for (size_t cut = 0; cut < b.len; cut++) {
		for (uint64_t by = 1; by <= 21; by++) {
			struct nar r;
			size_t used;

			nar_init(&r, b.len);
			assert_int_equal(nar_feed(&r, b.data, cut, &used), ERR_NONE);
			next = nar_content_next(&r);
			assert_true(next <= 21);
			if (next < by)
				continue;
			nar_passed(&r, by);
			assert_int_equal(nar_content_next(&r), next - by);
			assert_int_equal(nar_feed(&r, b.data + cut + by, b.len - cut - (size_t)by, &used), ERR_NONE);
			assert_true(nar_done(&r));
			assert_int_equal(r.size, b.len);
		}
	}
	bytes_free(&b);
}

static void a_file_in_a_folder_is_not_the_root(void **unused)
{
	struct bytes b = nar_of_words("( type directory entry ( name a node");
	struct outcome o;

	(void)unused;
	nar_file(&b, "hello", 5, 1);
	add_words(&b, ") )");
	o = everywhere(b, MUCH);
	assert_true(o.done);
	assert_int_equal(o.root, NAR_DIRECTORY);
	assert_false(o.executable);
	assert_int_equal(o.length, 0);
	assert_int_equal(o.body.len, 0);
}

static void the_root_of_a_link_is_a_link(void **unused)
{
	struct bytes b = nar_of_words("( type symlink target x )");
	struct outcome o = everywhere(b, MUCH);

	(void)unused;
	assert_true(o.done);
	assert_int_equal(o.root, NAR_SYMLINK);
}

static void odd_names_pass(void **unused)
{
	static const char *const odd[] = {
		"...", ".a", "..a", " ", "\n", "\xff\xfe", "\\", "~nix~case~hack", "~nix~case~hac~k~", "-", "a\"b", "%s",
		"\xe5\xa4\xa7", "nix~case~hack~1",
	};

	(void)unused;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		assert_good(nar_of_name(odd[i], strlen(odd[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_archives_pass),
		cmocka_unit_test(an_archive_byte_for_byte),
		cmocka_unit_test(every_length_of_content_passes),
		cmocka_unit_test(every_length_of_name_and_target_passes),
		cmocka_unit_test(a_tree_with_everything_passes),
		cmocka_unit_test(archives_of_chance_pass),
		cmocka_unit_test(a_truncated_archive_is_never_done),
		cmocka_unit_test(nothing_behind_the_end_is_taken),
		cmocka_unit_test(an_error_stays),
		cmocka_unit_test(the_file_comes_out_of_its_archive),
		cmocka_unit_test(content_may_go_by_unseen),
		cmocka_unit_test(a_file_in_a_folder_is_not_the_root),
		cmocka_unit_test(the_root_of_a_link_is_a_link),
		cmocka_unit_test(odd_names_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
