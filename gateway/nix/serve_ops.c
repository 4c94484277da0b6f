/* The serve protocol, row by row, from 2.5 to 2.7. */
#include "gateway/nix/hello.h"
#include "gateway/nix/ops.h"
#include "gateway/nix/shapes.h"

#define PATHS(title) FIELDS_ITEMS(title, PATHS_MAX, shape_path)

#define BUILD_OPTIONS                                                           \
	FIELDS_NUMBER("maxSilentTime"),                                         \
	FIELDS_NUMBER("buildTimeout"),                                          \
	FIELDS_NUMBER("maxLogSize"),                                            \
	FIELDS_NUMBER("nrRepeats"),                                             \
	FIELDS_BOOL("enforceDeterminism"),                                      \
	{ .name = "keepFailed", .kind = KIND_BOOL, .since = 7 }

LOCAL_SHAPE(shape_failure, "failure", FIELDS_TEXT("message", RESULT_TEXT_MAX));

LOCAL_SHAPE(serve_request_valid_paths, "request", FIELDS_BOOL("lock"), FIELDS_BOOL("substitute"), PATHS("paths"));
LOCAL_SHAPE(serve_request_paths, "request", PATHS("paths"));
LOCAL_SHAPE(serve_request_export, "request", FIELDS_NUMBER("sign"), PATHS("paths"));
LOCAL_SHAPE(serve_request_build, "request", FIELDS_ITEMS("targets", DERIVED_MAX, shape_derived), BUILD_OPTIONS);
LOCAL_SHAPE(serve_request_closure, "request", FIELDS_BOOL("includeOutputs"), PATHS("paths"));
LOCAL_SHAPE(serve_request_derivation, "request", FIELDS_DERIVATION, BUILD_OPTIONS);
LOCAL_SHAPE(serve_request_add_nar, "request", FIELDS_PATH("path"), FIELDS_PATH_INFO);

LOCAL_SHAPE(serve_reply_paths, "reply", FIELDS_ITEMS("paths", PATHS_ALL_MAX, shape_path));
LOCAL_SHAPE(serve_reply_done, "reply", FIELDS_NUMBER("done"));        /* 0: not added */
LOCAL_SHAPE(serve_reply_infos, "reply",
	{ .name = "infos", .kind = KIND_UNTIL_EMPTY, .max = PATHS_MAX, .item = &shape_serve_path_info });
LOCAL_SHAPE(serve_reply_build, "reply",
	{ .name = "status", .kind = KIND_OPTIONAL, .max = UINT8_MAX, .item = &shape_failure });

/* clang-format off */
static const struct op ops[] = {
	{ 1, "QueryValidPaths", CLASS_QUERY, .request = &serve_request_valid_paths, .reply = &serve_reply_paths,
	  .subject = "paths", .slow = true },
	{ 2, "QueryPathInfos", CLASS_QUERY, .request = &serve_request_paths, .reply = &serve_reply_infos,
	  .subject = "paths" },
	{ 3, "DumpStorePath", CLASS_DOWNLOAD, .request = &shape_path, .reply = &shape_none, .stream = STREAM_NAR,
	  .subject = "path" },
	{ 4, "ImportPaths", CLASS_UPLOAD, .request = &shape_none, .bulk = BULK_EXPORT, .reply = &serve_reply_done },
	{ 5, "ExportPaths", CLASS_NEVER, .request = &serve_request_export, .reply = &shape_none, .stream = STREAM_EXPORT,
	  .subject = "paths" },
	{ 6, "BuildPaths", CLASS_BUILD, .request = &serve_request_build, .reply = &serve_reply_build,
	  .subject = "targets", .slow = true },
	{ 7, "QueryClosure", CLASS_QUERY, .request = &serve_request_closure, .reply = &serve_reply_paths,
	  .subject = "paths" },
	{ 8, "BuildDerivation", CLASS_BUILD, .request = &serve_request_derivation, .reply = &shape_serve_build_result,
	  .subject = "drvPath", .slow = true },
	{ 9, "AddToStoreNar", CLASS_UPLOAD, .request = &serve_request_add_nar, .bulk = BULK_NAR,
	  .reply = &serve_reply_done, .subject = "path" },
};
/* clang-format on */

const struct op_table serve_ops = {
	.protocol = "serve",
	.major = 2,
	.minor_min = SERVE_MINOR_MIN,
	.minor_max = SERVE_MINOR_MAX,
	.ops = ops,
	.count = sizeof ops / sizeof *ops,
};
