/* shapes: the messages and parts of messages that more than one place speaks of by name.
 * Owner   everything is static and constant.
 * Source  NixOS/nix libstore: worker-protocol.cc, serve-protocol.cc. */
#ifndef GATEWAY_NIX_SHAPES_H
#define GATEWAY_NIX_SHAPES_H

#include "gateway/nix/derived_path.h"
#include "gateway/nix/shape.h"
#include "gateway/nix/store_path.h"

enum build_mode { BUILD_MODE_NORMAL = 0, BUILD_MODE_REPAIR = 1, BUILD_MODE_CHECK = 2 };
enum { GC_ACTION_MAX = 3 };             /* return live, return dead, delete dead, delete these */

/* Bounds of what is kept whole. A system's closure has some thousand paths; nobody's has more than these. */
enum {
	PATHS_MAX = 200000,             /* in one list of a request */
	PATHS_ALL_MAX = 1000000,        /* in a reply about the whole store */
	DERIVED_MAX = 10000,            /* things to build in one request */
	DERIVED_PATH_MAX = 16 * 1024,   /* bytes of one, output names included */
	REFERENCES_MAX = 10000,
	SIGNATURES_MAX = 16,
	SIGNATURE_MAX = 256,
	KEPT_REFERENCES_MAX = 100000,   /* of a path that is there: however much others have put to it must not be an end */
	KEPT_SIGNATURES_MAX = 10000,
	CA_MAX = 256,
	SETTINGS_MAX = 512,
	SETTING_NAME_MAX = 128,
	SETTING_VALUE_MAX = 64 * 1024,
	TEXT_FILE_MAX = 32 * 1024 * 1024,
	ENVIRONMENT_MAX = 65536,        /* pairs, and as many arguments */
	ENVIRONMENT_NAME_MAX = 64 * 1024,
	ENVIRONMENT_VALUE_MAX = 16 * 1024 * 1024,
	REALISATION_MAX = 64 * 1024,
	TEXT_MAX = 4096,                /* a name, a link, a file of another system */
	RESULT_TEXT_MAX = 1024 * 1024,
};

extern const struct shape shape_none;                   /* no fields */
extern const struct shape shape_path;                   /* path */
extern const struct shape shape_text;                   /* text */
extern const struct shape shape_number;                 /* number */
extern const struct shape shape_derived;                /* path: a derived path */
extern const struct shape shape_signature;              /* signature */
extern const struct shape shape_setting;                /* name value */
extern const struct shape shape_output;                 /* of a derivation: name path methodAlgo hash */
extern const struct shape shape_variable;               /* of its environment: name value */
extern const struct shape shape_argument;               /* of its builder: argument */
extern const struct shape shape_realisation;            /* id realisation */

/* path deriver narHash references registrationTime narSize ultimate signatures ca: as a client describes what it brings;
 * an item of AddMultipleToStore has this form at every version. kept: as the daemon describes what it has; unkeyed:
 * without the path. */
extern const struct shape shape_path_info, shape_kept_path_info, shape_unkeyed_path_info;

/* path deriver references downloadSize narSize narHash ca signatures */
extern const struct shape shape_serve_path_info;

/* deriver references downloadSize narSize; substitutable: path, then these */
extern const struct shape shape_unkeyed_substitutable, shape_substitutable;

/* status message timesBuilt isNonDeterministic startTime stopTime cpuUser cpuSystem builtOutputs; keyed: path, then
 * these, as BuildPathsWithResults replies them; serve: without the CPU times. */
extern const struct shape shape_build_result, shape_keyed_build_result, shape_serve_build_result;

/* Fields by kind; then those of a derivation as requests carry it, and of a path's description, for other shapes. */
#define FIELDS_NUMBER(title) { .name = title, .kind = KIND_NUMBER, .max = UINT64_MAX }
#define FIELDS_UP_TO(title, largest) { .name = title, .kind = KIND_NUMBER, .max = largest }
#define FIELDS_BOOL(title) { .name = title, .kind = KIND_BOOL }
#define FIELDS_PATH(title) { .name = title, .kind = KIND_PATH }
#define FIELDS_MAYBE_PATH(title) { .name = title, .kind = KIND_MAYBE_PATH }
#define FIELDS_STRING(title, bytes) { .name = title, .kind = KIND_STRING, .max = bytes }
#define FIELDS_TEXT(title, bytes) { .name = title, .kind = KIND_TEXT, .max = bytes }
#define FIELDS_ITEMS(title, items, shape) { .name = title, .kind = KIND_ITEMS, .max = items, .item = &shape }

#define FIELDS_INFO(references_max, signatures_max, signature)                  \
	FIELDS_MAYBE_PATH("deriver"),                                           \
	{ .name = "narHash", .kind = KIND_NAR_HASH },                           \
	FIELDS_ITEMS("references", references_max, shape_path),                 \
	{ .name = "registrationTime", .kind = KIND_TIME },                      \
	FIELDS_NUMBER("narSize"),                                               \
	FIELDS_BOOL("ultimate"),                                                \
	FIELDS_ITEMS("signatures", signatures_max, signature),                  \
	FIELDS_STRING("ca", CA_MAX)
#define FIELDS_PATH_INFO FIELDS_INFO(REFERENCES_MAX, SIGNATURES_MAX, shape_signature)

#define FIELDS_SUBSTITUTABLE                                                    \
	FIELDS_MAYBE_PATH("deriver"),                                           \
	FIELDS_ITEMS("references", REFERENCES_MAX, shape_path),                 \
	FIELDS_NUMBER("downloadSize"),                                          \
	FIELDS_NUMBER("narSize")

#define FIELDS_DERIVATION                                                       \
	FIELDS_PATH("drvPath"),                                                 \
	FIELDS_ITEMS("outputs", DERIVED_OUTPUTS_MAX, shape_output),                     \
	FIELDS_ITEMS("inputs", PATHS_MAX, shape_path),                          \
	FIELDS_STRING("system", 256),                                           \
	FIELDS_STRING("builder", 4096),                                         \
	FIELDS_ITEMS("arguments", ENVIRONMENT_MAX, shape_argument),             \
	FIELDS_ITEMS("environment", ENVIRONMENT_MAX, shape_variable)

/* A shape out of its fields; LOCAL: for one file alone. */
#define SHAPE(id, title, ...)                                                   \
	static const struct field id##_fields[] = { __VA_ARGS__ };              \
	const struct shape id = { title, id##_fields, sizeof id##_fields / sizeof *id##_fields }
#define LOCAL_SHAPE(id, title, ...)                                             \
	static const struct field id##_fields[] = { __VA_ARGS__ };              \
	static const struct shape id = { title, id##_fields, sizeof id##_fields / sizeof *id##_fields }

#endif
