#include "gateway/nix/ops.h"

#include <inttypes.h>

#include "gateway/nix/hello_shapes.h"
#include "gateway/nix/stderr_loop.h"

#define CLASS_NAME(name, text) [CLASS_##name] = text,

const char *op_class_name(enum op_class class)
{
	static const char *const names[] = { OP_CLASS_LIST(CLASS_NAME) };

	return (size_t)class < sizeof names / sizeof *names ? names[class] : "unknown";
}

const char *op_bulk_name(enum op_bulk bulk)
{
	static const char *const names[] = {
		[BULK_NONE] = "-", [BULK_FRAMED] = "framed", [BULK_PULLED] = "pulled", [BULK_NAR] = "nar",
		[BULK_EXPORT] = "export", [BULK_UNKNOWN] = "unknown",
	};

	return (size_t)bulk < sizeof names / sizeof *names ? names[bulk] : "unknown";
}

const char *op_stream_name(enum op_stream stream)
{
	static const char *const names[] = { [STREAM_NONE] = "-", [STREAM_NAR] = "nar", [STREAM_EXPORT] = "export" };

	return (size_t)stream < sizeof names / sizeof *names ? names[stream] : "unknown";
}

static bool spoken(const struct op *op, unsigned minor)
{
	return minor >= op->since && (op->until == 0 || minor <= op->until);
}

const struct op *op_find(const struct op_table *table, unsigned minor, uint64_t number)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->ops[i].number == number && spoken(table->ops + i, minor))
			return table->ops + i;
	return NULL;
}

/* --- the list for people --- */

static void print_kind(FILE *out, const struct field *field)
{
	fprintf(out, "%s:%s", field->name, kind_name(field->kind));
	if (field->item != NULL)
		fprintf(out, "(%s)", field->item->name);
	if (field->since != 0)
		fprintf(out, "@%u", field->since);
}

static void print_shape(FILE *out, const struct shape *shape)
{
	if (shape->count == 0)
		fputs("-", out);
	for (size_t i = 0; i < shape->count; i++) {
		fputs(i > 0 ? " " : "", out);
		print_kind(out, shape->fields + i);
	}
}

/* number, name, class, since, request, bulk, reply, stream; tabs between, so that other programs can read it. */
static void list_op(FILE *out, const struct op_table *table, const struct op *op)
{
	fprintf(out, "%s\t%" PRIu32 "\t%-27s\t%-12s\t%u.%u\t", table->protocol, op->number, op->name,
		op_class_name(op->class), table->major, op->since > table->minor_min ? op->since : table->minor_min);
	print_shape(out, op->request);
	fprintf(out, "\t%s\t", op_bulk_name(op->bulk));
	print_shape(out, op->reply);
	fprintf(out, "\t%s\n", op_stream_name(op->stream));
}

static const struct op_table *const tables[] = { &worker_ops, &serve_ops };
enum { TABLES = sizeof tables / sizeof *tables };

void ops_list(FILE *out)
{
	for (size_t t = 0; t < TABLES; t++)
		for (size_t i = 0; i < tables[t]->count; i++)
			list_op(out, tables[t], tables[t]->ops + i);
}

/* --- the dictionary for fuzzers --- */

static void print_word(FILE *out, const char *name, uint64_t number)
{
	uint8_t bytes[NUMBER_SIZE];

	wire_put_u64(bytes, number);
	fprintf(out, "%s=\"", name);
	for (size_t i = 0; i < sizeof bytes; i++)
		fprintf(out, "\\x%02x", bytes[i]);
	fputs("\"\n", out);
}

void ops_dictionary(FILE *out)
{
	char name[64];

	for (size_t t = 0; t < TABLES; t++)
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct op *op = tables[t]->ops + i;

			snprintf(name, sizeof name, "%s_%s", tables[t]->protocol, op->name);
			print_word(out, name, op->number);
		}
	for (size_t i = 0; i < stderr_rows_count; i++) {
		snprintf(name, sizeof name, "loop_%s", stderr_rows[i].name);
		print_word(out, name, stderr_rows[i].tag);
	}
	for (size_t t = 0; t < TABLES; t++)
		for (unsigned minor = tables[t]->minor_min; minor <= tables[t]->minor_max; minor++) {
			snprintf(name, sizeof name, "%s_version_%u", tables[t]->protocol, minor);
			print_word(out, name, version_of(tables[t]->major, minor));
		}
	print_word(out, "worker_magic_client", WORKER_MAGIC_CLIENT);
	print_word(out, "worker_magic_daemon", WORKER_MAGIC_DAEMON);
	print_word(out, "serve_magic_client", SERVE_MAGIC_CLIENT);
	print_word(out, "serve_magic_server", SERVE_MAGIC_SERVER);
}
