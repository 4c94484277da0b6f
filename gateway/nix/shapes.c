#include "gateway/nix/shapes.h"

const struct shape shape_none = { "nothing", NULL, 0 };

SHAPE(shape_path, "path", FIELDS_PATH("path"));
SHAPE(shape_text, "text", FIELDS_STRING("text", TEXT_MAX));
SHAPE(shape_number, "number", FIELDS_NUMBER("number"));
SHAPE(shape_derived, "derived path", { .name = "path", .kind = KIND_DERIVED, .max = DERIVED_PATH_MAX });
SHAPE(shape_signature, "signature", FIELDS_STRING("signature", SIGNATURE_MAX));

SHAPE(shape_setting, "setting",
	FIELDS_STRING("name", SETTING_NAME_MAX),
	FIELDS_STRING("value", SETTING_VALUE_MAX));

SHAPE(shape_output, "output",
	FIELDS_STRING("name", STORE_NAME_MAX),
	FIELDS_MAYBE_PATH("path"),
	FIELDS_STRING("methodAlgo", 32),
	FIELDS_STRING("hash", CA_MAX));
SHAPE(shape_argument, "argument", FIELDS_STRING("argument", ENVIRONMENT_VALUE_MAX));
SHAPE(shape_variable, "variable",
	FIELDS_STRING("name", ENVIRONMENT_NAME_MAX),
	FIELDS_STRING("value", ENVIRONMENT_VALUE_MAX));

SHAPE(shape_realisation, "realisation",
	FIELDS_STRING("id", STORE_PATH_MAX),
	FIELDS_STRING("realisation", REALISATION_MAX));

SHAPE(shape_path_info, "path info", FIELDS_PATH("path"), FIELDS_PATH_INFO);

LOCAL_SHAPE(shape_kept_signature, "signature", FIELDS_STRING("signature", TEXT_MAX));
#define FIELDS_KEPT_INFO FIELDS_INFO(KEPT_REFERENCES_MAX, KEPT_SIGNATURES_MAX, shape_kept_signature)
SHAPE(shape_kept_path_info, "path info", FIELDS_PATH("path"), FIELDS_KEPT_INFO);
SHAPE(shape_unkeyed_path_info, "path info", FIELDS_KEPT_INFO);

SHAPE(shape_serve_path_info, "path info",
	FIELDS_PATH("path"),
	FIELDS_MAYBE_PATH("deriver"),
	FIELDS_ITEMS("references", KEPT_REFERENCES_MAX, shape_path),
	FIELDS_NUMBER("downloadSize"),
	FIELDS_NUMBER("narSize"),
	FIELDS_STRING("narHash", CA_MAX),
	FIELDS_STRING("ca", CA_MAX),
	FIELDS_ITEMS("signatures", KEPT_SIGNATURES_MAX, shape_kept_signature));

SHAPE(shape_substitutable, "substitutable",
	FIELDS_PATH("path"),
	FIELDS_SUBSTITUTABLE);
SHAPE(shape_unkeyed_substitutable, "substitutable", FIELDS_SUBSTITUTABLE);

/* Neither has ever been without these since 1.32 and 2.6, the oldest that are spoken, but for the CPU times. */
#define FIELDS_RESULT                                                           \
	FIELDS_UP_TO("status", UINT8_MAX),                                      \
	FIELDS_TEXT("message", RESULT_TEXT_MAX),                                \
	FIELDS_NUMBER("timesBuilt"),                                            \
	FIELDS_BOOL("isNonDeterministic"),                                      \
	{ .name = "startTime", .kind = KIND_TIME },                             \
	{ .name = "stopTime", .kind = KIND_TIME }

#define FIELDS_WORKER_RESULT                                                    \
	FIELDS_RESULT,                                                          \
	{ .name = "cpuUser", .kind = KIND_OPTIONAL, .max = 1, .item = &shape_number, .since = 37 },     \
	{ .name = "cpuSystem", .kind = KIND_OPTIONAL, .max = 1, .item = &shape_number, .since = 37 },   \
	FIELDS_ITEMS("builtOutputs", DERIVED_OUTPUTS_MAX, shape_realisation)

SHAPE(shape_build_result, "build result", FIELDS_WORKER_RESULT);
SHAPE(shape_keyed_build_result, "build result",
	{ .name = "path", .kind = KIND_DERIVED, .max = DERIVED_PATH_MAX },
	FIELDS_WORKER_RESULT);
SHAPE(shape_serve_build_result, "build result",
	FIELDS_RESULT,
	{ .name = "builtOutputs", .kind = KIND_ITEMS, .max = DERIVED_OUTPUTS_MAX, .item = &shape_realisation,
	  .since = 6 });
