/* The tables: no row is forgotten, none contradicts another, and what one side of a row writes the other reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/nix/ops.h"
#include "gateway/nix/shapes.h"
#include "tests/unit/nix/sample.h"

static const struct op_table *const tables[] = { &worker_ops, &serve_ops };
static const struct message_limits limits = { .store_dir = "/nix/store" };

static void numbers_and_names_are_unique_and_ascend(void **unused)
{
	(void)unused;
	for (size_t t = 0; t < 2; t++)
		for (size_t i = 1; i < tables[t]->count; i++) {
			assert_true(tables[t]->ops[i - 1].number < tables[t]->ops[i].number);
			for (size_t j = 0; j < i; j++)
				assert_string_not_equal(tables[t]->ops[i].name, tables[t]->ops[j].name);
		}
}

static void every_row_has_a_class_a_request_and_a_reply(void **unused)
{
	(void)unused;
	for (size_t t = 0; t < 2; t++)
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct op *op = tables[t]->ops + i;

			assert_int_not_equal(op->class, CLASS_UNSET);
			assert_string_not_equal(op_class_name(op->class), "unknown");
			assert_non_null(op->request);
			assert_non_null(op->reply);
			assert_true(op->since == 0 || (op->since >= tables[t]->minor_min && op->since <= tables[t]->minor_max));
			if (op->subject != NULL)
				assert_true(shape_index(op->request, op->subject) < op->request->count);
			if (op->bulk == BULK_UNKNOWN)
				assert_int_equal(op->class, CLASS_NEVER);
		}
}

/* A class is what the rights of a key hang on: none changes unnoticed. */
static void every_number_is_in_the_class_it_is_promised_in(void **unused)
{
	static const struct { const struct op_table *table; enum op_class class; unsigned numbers[16]; } wanted[] = {
		{ &worker_ops, CLASS_QUERY, { 1, 11, 18, 22, 26, 28, 31, 40, 41 } },
		{ &worker_ops, CLASS_DOWNLOAD, { 38 } },
		{ &worker_ops, CLASS_UPLOAD, { 7, 8, 39, 44 } },
		{ &worker_ops, CLASS_BUILD, { 9, 36, 46 } },
		{ &worker_ops, CLASS_SUBSTITUTE, { 10, 21, 30, 32 } },
		{ &worker_ops, CLASS_LOG, { 45 } },
		{ &worker_ops, CLASS_GC_ROOTS, { 12, 14 } },
		{ &worker_ops, CLASS_GC, { 20, 34, 35 } },
		{ &worker_ops, CLASS_SIGN, { 37 } },
		{ &worker_ops, CLASS_LIST_ALL, { 6, 23, 29, 33 } },
		{ &worker_ops, CLASS_REALISATIONS, { 42, 43 } },
		{ &worker_ops, CLASS_ANSWERED, { 13, 19 } },
		{ &worker_ops, CLASS_NEVER, { 3, 4, 5, 16, 24, 25, 27, 47, 48, 49, 50, 1000, 1001 } },
		{ &serve_ops, CLASS_QUERY, { 1, 2, 7 } },
		{ &serve_ops, CLASS_DOWNLOAD, { 3 } },
		{ &serve_ops, CLASS_UPLOAD, { 4, 9 } },
		{ &serve_ops, CLASS_BUILD, { 6, 8 } },
		{ &serve_ops, CLASS_NEVER, { 5 } },
	};
	size_t rows = 0;

	(void)unused;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		for (size_t j = 0; wanted[i].numbers[j] != 0; j++, rows++) {
			const struct op *op = op_find(wanted[i].table, wanted[i].table->minor_max, wanted[i].numbers[j]);

			assert_non_null(op);
			assert_string_equal(op_class_name(op->class), op_class_name(wanted[i].class));
		}
	assert_int_equal(rows, worker_ops.count + serve_ops.count);
}

static void numbers_that_are_no_row_are_not_found(void **unused)
{
	static const uint64_t strange[] = { 0, 2, 15, 17, 51, 99, 1002, (UINT64_C(1) << 32) + 9, UINT64_MAX };

	(void)unused;
	for (size_t i = 0; i < sizeof strange / sizeof *strange; i++)
		assert_null(op_find(&worker_ops, 38, strange[i]));
	assert_null(op_find(&worker_ops, 33, 46));
	assert_non_null(op_find(&worker_ops, 34, 46));
	assert_null(op_find(&worker_ops, 35, 47));
	assert_null(op_find(&serve_ops, 7, 10));
}

/* A repaired path is overwritten, a mode may repair: the gate finds these by name. */
static void what_the_gate_asks_for_is_where_it_looks(void **unused)
{
	static const struct { const struct op_table *table; uint64_t number; const char *field; } wanted[] = {
		{ &worker_ops, 7, "repair" }, { &worker_ops, 39, "repair" }, { &worker_ops, 44, "repair" },
		{ &worker_ops, 35, "repair" }, { &worker_ops, 9, "mode" }, { &worker_ops, 36, "mode" },
		{ &worker_ops, 46, "mode" }, { &worker_ops, 31, "substitute" }, { &serve_ops, 1, "substitute" },
		{ &worker_ops, 9, "targets" }, { &worker_ops, 46, "targets" }, { &serve_ops, 6, "targets" },
		{ &worker_ops, 36, "drvPath" }, { &serve_ops, 8, "drvPath" }, { &worker_ops, 39, "narSize" },
		{ &serve_ops, 9, "narSize" }, { &worker_ops, 39, "dontCheckSigs" }, { &worker_ops, 44, "dontCheckSigs" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		const struct op *op = op_find(wanted[i].table, wanted[i].table->minor_max, wanted[i].number);

		assert_non_null(op);
		assert_true(shape_index(op->request, wanted[i].field) < op->request->count);
	}
}

static void assert_bounded(const struct shape *shape, unsigned depth)
{
	assert_true(depth <= SHAPE_DEPTH);
	assert_true(shape->count <= FIELDS_MAX);
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = shape->fields + i;
		bool nested = field->kind == KIND_ITEMS || field->kind == KIND_UNTIL_EMPTY || field->kind == KIND_OPTIONAL;

		assert_int_not_equal(field->kind, KIND_NONE);
		assert_true(field_max(field) > 0);
		assert_int_equal(field->item != NULL, nested);
		if (field->kind != KIND_NUMBER && field->kind != KIND_OPTIONAL && field->kind != KIND_TIME)
			assert_true(field_max(field) <= MESSAGE_MAX);
		if (field->kind == KIND_TEXT || field->kind == KIND_CHOICE)
			assert_int_equal(field->max % 8, 0);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(field->name, shape->fields[j].name);
		if (!nested)
			continue;
		/* Its first field is there at every version: an element without bytes would be repeated for nothing. */
		assert_true(field->item->count > 0 && field->item->fields[0].since == 0 && field->item->fields[0].until == 0);
		if (field->kind == KIND_UNTIL_EMPTY)
			assert_int_equal(field->item->fields[0].kind, KIND_PATH);
		assert_bounded(field->item, depth + 1);
	}
}

static void every_field_is_bounded_and_named_once(void **unused)
{
	(void)unused;
	for (size_t t = 0; t < 2; t++)
		for (size_t i = 0; i < tables[t]->count; i++) {
			assert_bounded(tables[t]->ops[i].request, 1);
			assert_bounded(tables[t]->ops[i].reply, 1);
		}
}

/* Decodes what the buf holds, `piece` bytes at a time. */
static void decode(struct message *m, const struct shape *shape, unsigned minor, const struct buf *bytes, size_t piece)
{
	size_t at = 0, n = buf_len(bytes);

	message_start(m, shape, "Sample", minor);
	while (at < n) {
		size_t part = piece < n - at ? piece : n - at, took;

		assert_false(message_done(m));
		assert_int_equal(message_feed(m, buf_data(bytes) + at, part, &took), ERR_NONE);
		assert_int_equal(took, part);
		at += part;
	}
	assert_true(message_done(m));
}

static void round_trip(const struct shape *shape, const struct op_table *table, uint64_t seed)
{
	struct arena arena;
	struct message m;
	struct buf first, second;
	struct value *values;

	arena_init(&arena, 1 << 22);
	message_init(&m, &limits, &arena);
	buf_init(&first, 1 << 20);
	buf_init(&second, 1 << 20);
	values = sample_values(&arena, shape, seed);
	for (unsigned minor = table->minor_min; minor <= table->minor_max; minor++) {
		assert_int_equal(message_put(&first, shape, minor, values), ERR_NONE);
		assert_int_equal(buf_len(&first), message_size(shape, minor, values));
		for (size_t piece = 1; piece <= buf_len(&first) + 1; piece = piece * 3 + 2) {
			decode(&m, shape, minor, &first, piece);
			assert_true(same_values(shape, minor, values, m.values));
			assert_int_equal(message_put(&second, shape, minor, m.values), ERR_NONE);
			assert_int_equal(buf_len(&first), buf_len(&second));
			if (buf_len(&first) > 0)
				assert_memory_equal(buf_data(&first), buf_data(&second), buf_len(&first));
			buf_take(&second, buf_len(&second));
		}
		buf_take(&first, buf_len(&first));
	}
	message_free(&m);
	arena_free(&arena);
	buf_free(&first);
	buf_free(&second);
}

static void what_is_written_is_read_for_every_row_and_version(void **unused)
{
	(void)unused;
	for (size_t t = 0; t < 2; t++)
		for (size_t i = 0; i < tables[t]->count; i++)
			for (uint64_t seed = 1; seed <= 12; seed++) {
				round_trip(tables[t]->ops[i].request, tables[t], seed);
				round_trip(tables[t]->ops[i].reply, tables[t], seed);
			}
}

/* A daemon at 1.35 answers a client at 1.37, and the other way round. */
static void what_a_version_lacks_is_nothing_in_the_other(void **unused)
{
	const struct shape *shape = &shape_build_result;
	struct arena arena;
	struct message m;
	struct buf older, newer;
	struct value *values, *cpu;

	(void)unused;
	arena_init(&arena, 1 << 20);
	message_init(&m, &limits, &arena);
	buf_init(&older, 4096);
	buf_init(&newer, 4096);
	values = values_new(&arena, shape);
	assert_non_null(values);
	value_set_number(values, shape, "timesBuilt", 3);
	cpu = value_set_items(&arena, values, shape, "cpuUser", 1);
	assert_non_null(cpu);
	cpu->number = 77;
	assert_int_equal(message_put(&newer, shape, 37, values), ERR_NONE);
	decode(&m, shape, 37, &newer, 1);
	assert_int_equal(value_item(value_of(m.values, shape, "cpuUser"), &shape_number, 0)->number, 77);
	assert_int_equal(message_put(&older, shape, 35, m.values), ERR_NONE);
	assert_int_equal(buf_len(&older), buf_len(&newer) - 3 * 8);
	decode(&m, shape, 35, &older, 1);
	assert_int_equal(value_of(m.values, shape, "cpuUser")->number, 0);
	buf_take(&newer, buf_len(&newer));
	assert_int_equal(message_put(&newer, shape, 38, m.values), ERR_NONE);
	assert_int_equal(buf_len(&newer), buf_len(&older) + 2 * 8);
	decode(&m, shape, 38, &newer, 1);
	assert_int_equal(value_of(m.values, shape, "timesBuilt")->number, 3);
	assert_int_equal(value_of(m.values, shape, "cpuSystem")->number, 0);
	message_free(&m);
	arena_free(&arena);
	buf_free(&older);
	buf_free(&newer);
}

static size_t count_lines(void (*print)(FILE *out), const char *wanted)
{
	char *text = NULL;
	size_t len = 0, lines = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	print(out);
	fclose(out);
	assert_non_null(strstr(text, wanted));
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	free(text);
	return lines;
}

static void the_list_has_one_line_for_each_row(void **unused)
{
	(void)unused;
	assert_int_equal(count_lines(ops_list, "\t38\tNarFromPath "), worker_ops.count + serve_ops.count);
	assert_int_equal(count_lines(ops_dictionary, "worker_NarFromPath=\"\\x26\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"\n"),
			 worker_ops.count + serve_ops.count + 8 + 7 + 3 + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_names_are_unique_and_ascend),
		cmocka_unit_test(every_row_has_a_class_a_request_and_a_reply),
		cmocka_unit_test(every_number_is_in_the_class_it_is_promised_in),
		cmocka_unit_test(numbers_that_are_no_row_are_not_found),
		cmocka_unit_test(what_the_gate_asks_for_is_where_it_looks),
		cmocka_unit_test(every_field_is_bounded_and_named_once),
		cmocka_unit_test(what_is_written_is_read_for_every_row_and_version),
		cmocka_unit_test(what_a_version_lacks_is_nothing_in_the_other),
		cmocka_unit_test(the_list_has_one_line_for_each_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
