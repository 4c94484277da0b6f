#include "tests/unit/wire/nar_play.h"

static void leaving_a_folder_gives_its_depth_back(void **unused)
{
	struct bytes b = nar_of_words("( type directory");
	char name[8];

	(void)unused;
	for (int i = 0; i < 100; i++) {
		nar_entry_open(&b, name, (size_t)snprintf(name, sizeof name, "%03d", i));
		nar_folder_open(&b);
		nar_folder_close(&b);
		nar_entry_close(&b);
	}
	add_word(&b, ")");
	assert_good(b);
}

static void what_is_too_long_is_refused_at_its_length(void **unused)
{
	static const struct { const char *before; size_t max; } rows[] = {
		{ "", NAR_WORD_MAX }, { "( type", NAR_WORD_MAX }, { "( type directory", NAR_WORD_MAX },
		{ "( type directory entry ( name", NAR_NAME_MAX }, { "( type symlink target", NAR_TARGET_MAX },
	};
	static const uint64_t claims[] = { 1 << 20, UINT32_MAX, 1ULL << 40, 1ULL << 63, UINT64_MAX - 7, UINT64_MAX };

	(void)unused;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bytes b = nar_of_words(rows[i].before);

		add_number(&b, rows[i].max + 1);
		assert_bad(b, ERR_LIMIT, "too long");
		for (size_t j = 0; j < sizeof claims / sizeof *claims; j++) {
			b = nar_of_words(rows[i].before);
			add_number(&b, claims[j]);
			assert_bad(b, ERR_LIMIT, "too long");
		}
	}
}

static void sixty_four_nodes_nest_and_no_more(void **unused)
{
	(void)unused;
	assert_good(nar_of_depth(NAR_DEPTH_MAX - 1));
	assert_good(nar_of_depth(NAR_DEPTH_MAX));
	assert_bad(nar_of_depth(NAR_DEPTH_MAX + 1), ERR_LIMIT, "nested");
	assert_bad(nar_of_depth(3000), ERR_LIMIT, "nested");
}

static void content_is_bounded_by_what_is_left(void **unused)
{
	static const uint64_t claims[] = { 1 << 20, 1ULL << 32, 1ULL << 63, UINT64_MAX - 8, UINT64_MAX - 7, UINT64_MAX - 6,
					   UINT64_MAX };

	(void)unused;
	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
		struct bytes b = nar_of_words("( type regular contents"), c = { .len = 0 };
		struct outcome o;

		add_number(&b, claims[i]);
		add_raw(&b, "x", 1);
		add_raw(&c, b.data, b.len);
		assert_bad(b, ERR_LIMIT, "longer");
		/* Without any bound the sum of a length and its padding must not wrap either. */
		o = play(&c, UINT64_MAX, c.len, c.len);
		assert_true(o.err == ERR_LIMIT || (o.err == ERR_NONE && o.size == c.len && !o.done));
		assert_int_equal(o.err == ERR_LIMIT, claims[i] > UINT64_MAX - 96);
		bytes_free(&o.body);
		bytes_free(&c);
	}
}

static void an_archive_may_fill_its_bound_exactly(void **unused)
{
	struct bytes b = nar_random(12);

	(void)unused;
	for (uint64_t max = 0; max <= b.len + 8; max++) {
		struct outcome whole = play(&b, max, b.len, b.len), dripped = play(&b, max, 1, 1);

		assert_same(&whole, &dripped);
		assert_int_equal(whole.err, max < b.len ? ERR_LIMIT : ERR_NONE);
		assert_int_equal(whole.done, max >= b.len);
		assert_true(whole.size <= max && dripped.size <= max);
		bytes_free(&whole.body);
		bytes_free(&dripped.body);
	}
	bytes_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaving_a_folder_gives_its_depth_back),
		cmocka_unit_test(what_is_too_long_is_refused_at_its_length),
		cmocka_unit_test(sixty_four_nodes_nest_and_no_more),
		cmocka_unit_test(content_is_bounded_by_what_is_left),
		cmocka_unit_test(an_archive_may_fill_its_bound_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
