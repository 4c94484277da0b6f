/* ops: every operation of the worker protocol and every command of the serve protocol, one row each.
 * What is not a row does not exist: its length on the wire is unknown, so it is answered with an error and ends the session.
 * Owner   everything is static and constant.
 * Source  NixOS/nix libstore: worker-protocol.hh, daemon.cc, serve-protocol.hh; nix-store.cc (opServe). */
#ifndef GATEWAY_NIX_OPS_H
#define GATEWAY_NIX_OPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "gateway/nix/shape.h"

/* What a grant's `operations` is about, with the name used there. UNSET is a fault of the table and found by a test. */
#define OP_CLASS_LIST(X)                \
	X(UNSET, "unset")               \
	X(QUERY, "query")               \
	X(DOWNLOAD, "download")         \
	X(UPLOAD, "upload")             \
	X(BUILD, "build")               \
	X(SUBSTITUTE, "substitute")     \
	X(CHECK, "check")               \
	X(LOG, "log")                   \
	X(GC_ROOTS, "gc-roots")         \
	X(GC, "gc")                     \
	X(SIGN, "sign")                 \
	X(LIST_ALL, "list-all")         \
	X(REALISATIONS, "realisations") \
	X(ANSWERED, "answered")         \
	X(NEVER, "never")

#define OP_CLASS_ENUM(name, text) CLASS_##name,
/* ANSWERED is answered by the gateway alone; NEVER is refused whatever the grant. */
enum op_class { OP_CLASS_LIST(OP_CLASS_ENUM) };

/* What follows a request's fields. PULLED: piece by piece, when the daemon asks for it; a refusal leaves nothing to drain.
 * UNKNOWN: cannot be read to its end, so a refusal ends the session. NAR: exactly narSize bytes. */
enum op_bulk { BULK_NONE, BULK_FRAMED, BULK_PULLED, BULK_NAR, BULK_EXPORT, BULK_UNKNOWN };

/* What a reply is besides its fields. */
enum op_stream { STREAM_NONE, STREAM_NAR, STREAM_EXPORT };

struct op {
	uint32_t number;
	const char *name;
	enum op_class class;
	unsigned since, until;          /* minor versions, as in a field */
	const struct shape *request;    /* the fields behind the number */
	enum op_bulk bulk;
	const struct shape *reply;      /* the fields of the reply; a shape without fields where there is none */
	enum op_stream stream;          /* follows the reply's fields */
	const char *subject;            /* the field of the request that a sentence names (of a list: its first item); NULL: none */
	bool slow;                      /* may run for hours: builds, substitutes, collects */
};

struct op_table {
	const char *protocol;           /* "worker", "serve" */
	unsigned major;
	unsigned minor_min, minor_max;  /* what we speak of it */
	const struct op *ops;
	size_t count;
};

extern const struct op_table worker_ops, serve_ops;

/* The row of a number as it came off the wire; NULL where there is none in this version. */
const struct op *op_find(const struct op_table *table, unsigned minor, uint64_t number);

const char *op_class_name(enum op_class class);
const char *op_bulk_name(enum op_bulk bulk);
const char *op_stream_name(enum op_stream stream);

/* Both tables, a row per line. ops_dictionary: the same as a dictionary for libFuzzer. */
void ops_list(FILE *out);
void ops_dictionary(FILE *out);

#endif
