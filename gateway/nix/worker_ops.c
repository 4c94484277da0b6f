/* The worker protocol, row by row. The floor is 1.32, so forms that ended before it are not here; operations that ended
 * before it are, where a daemon may still have them, so that they are refused by name. */
#include "gateway/nix/hello.h"
#include "gateway/nix/ops.h"
#include "gateway/nix/shapes.h"

/* --- parts --- */

#define PATHS(title) FIELDS_ITEMS(title, PATHS_MAX, shape_path)
#define ALL_PATHS(title) FIELDS_ITEMS(title, PATHS_ALL_MAX, shape_path)
#define DERIVED_PATHS(title) FIELDS_ITEMS(title, DERIVED_MAX, shape_derived)
#define SIGNATURES(title) FIELDS_ITEMS(title, SIGNATURES_MAX, shape_signature)
#define BUILD_MODE FIELDS_UP_TO("mode", BUILD_MODE_CHECK)

LOCAL_SHAPE(shape_root, "root", FIELDS_STRING("link", TEXT_MAX), FIELDS_PATH("target"));
LOCAL_SHAPE(shape_wanted, "wanted", FIELDS_PATH("path"), FIELDS_STRING("ca", CA_MAX));
LOCAL_SHAPE(shape_output_path, "output", FIELDS_STRING("name", STORE_NAME_MAX), FIELDS_MAYBE_PATH("path"));
LOCAL_SHAPE(shape_json, "realisation", FIELDS_STRING("realisation", REALISATION_MAX));

/* --- requests --- */

LOCAL_SHAPE(request_paths, "request", PATHS("paths"));
LOCAL_SHAPE(request_derived, "request", DERIVED_PATHS("targets"));
LOCAL_SHAPE(request_build, "request", DERIVED_PATHS("targets"), BUILD_MODE);
LOCAL_SHAPE(request_link, "request", FIELDS_STRING("link", TEXT_MAX));
LOCAL_SHAPE(request_export, "request", FIELDS_PATH("path"), FIELDS_NUMBER("sign"));
LOCAL_SHAPE(request_texts, "request", FIELDS_ITEMS("paths", PATHS_MAX, shape_text));
LOCAL_SHAPE(request_hash_part, "request", FIELDS_STRING("hashPart", STORE_HASH_LEN));
LOCAL_SHAPE(request_wanted, "request", FIELDS_ITEMS("paths", PATHS_MAX, shape_wanted));
LOCAL_SHAPE(request_valid_paths, "request", PATHS("paths"), FIELDS_BOOL("substitute"));
LOCAL_SHAPE(request_verify, "request", FIELDS_BOOL("checkContents"), FIELDS_BOOL("repair"));
LOCAL_SHAPE(request_derivation, "request", FIELDS_DERIVATION, BUILD_MODE);
LOCAL_SHAPE(request_signatures, "request", FIELDS_PATH("path"), SIGNATURES("signatures"));
LOCAL_SHAPE(request_register, "request", FIELDS_STRING("realisation", REALISATION_MAX));
LOCAL_SHAPE(request_realisation, "request", FIELDS_STRING("id", STORE_PATH_MAX));
LOCAL_SHAPE(request_add_multiple, "request", FIELDS_BOOL("repair"), FIELDS_BOOL("dontCheckSigs"));
LOCAL_SHAPE(request_log, "request", FIELDS_STRING("drvName", STORE_PATH_MAX));
LOCAL_SHAPE(request_perm_root, "request", FIELDS_PATH("path"), FIELDS_STRING("link", TEXT_MAX));
LOCAL_SHAPE(request_scanning, "request", FIELDS_STRING("name", STORE_NAME_MAX), FIELDS_STRING("method", CA_MAX));

LOCAL_SHAPE(request_add, "request",
	FIELDS_STRING("name", STORE_NAME_MAX),
	FIELDS_STRING("method", CA_MAX),
	FIELDS_ITEMS("references", REFERENCES_MAX, shape_path),
	FIELDS_BOOL("repair"));

LOCAL_SHAPE(request_add_text, "request",
	FIELDS_STRING("name", STORE_NAME_MAX),
	FIELDS_STRING("content", TEXT_FILE_MAX),
	FIELDS_ITEMS("references", REFERENCES_MAX, shape_path));

LOCAL_SHAPE(request_add_nar, "request",
	FIELDS_PATH("path"),
	FIELDS_PATH_INFO,
	FIELDS_BOOL("repair"),
	FIELDS_BOOL("dontCheckSigs"));

LOCAL_SHAPE(request_collect, "request",
	FIELDS_UP_TO("action", GC_ACTION_MAX),
	PATHS("paths"),
	FIELDS_BOOL("ignoreLiveness"),
	FIELDS_NUMBER("maxFreed"),
	FIELDS_NUMBER("obsolete1"),
	FIELDS_NUMBER("obsolete2"),
	FIELDS_NUMBER("obsolete3"));

LOCAL_SHAPE(request_options, "request",
	FIELDS_BOOL("keepFailed"),
	FIELDS_BOOL("keepGoing"),
	FIELDS_BOOL("tryFallback"),
	FIELDS_NUMBER("verbosity"),
	FIELDS_NUMBER("maxBuildJobs"),
	FIELDS_NUMBER("maxSilentTime"),
	FIELDS_NUMBER("useBuildHook"),
	FIELDS_NUMBER("buildVerbosity"),
	FIELDS_NUMBER("logType"),
	FIELDS_NUMBER("printBuildTrace"),
	FIELDS_NUMBER("buildCores"),
	FIELDS_BOOL("useSubstitutes"),
	FIELDS_ITEMS("settings", SETTINGS_MAX, shape_setting));

/* --- replies --- */

LOCAL_SHAPE(reply_valid, "reply", FIELDS_BOOL("valid"));
LOCAL_SHAPE(reply_one, "reply", FIELDS_NUMBER("done"));       /* always 1; nobody looks at it */
LOCAL_SHAPE(reply_maybe_path, "reply", FIELDS_MAYBE_PATH("path"));
LOCAL_SHAPE(reply_hash, "reply", FIELDS_STRING("hash", CA_MAX));
LOCAL_SHAPE(reply_paths, "reply", PATHS("paths"));
LOCAL_SHAPE(reply_all_paths, "reply", ALL_PATHS("paths"));
LOCAL_SHAPE(reply_names, "reply", FIELDS_ITEMS("names", PATHS_MAX, shape_text));
LOCAL_SHAPE(reply_roots, "reply", FIELDS_ITEMS("roots", PATHS_ALL_MAX, shape_root));
LOCAL_SHAPE(reply_errors, "reply", FIELDS_BOOL("errors"));
LOCAL_SHAPE(reply_link, "reply", FIELDS_STRING("link", TEXT_MAX));
LOCAL_SHAPE(reply_json, "reply", FIELDS_STRING("json", TEXT_FILE_MAX));
LOCAL_SHAPE(reply_info, "reply",
	{ .name = "info", .kind = KIND_OPTIONAL, .max = 1, .item = &shape_unkeyed_path_info });
LOCAL_SHAPE(reply_infos, "reply", FIELDS_ITEMS("infos", PATHS_MAX, shape_kept_path_info));
LOCAL_SHAPE(reply_substitutable, "reply",
	{ .name = "info", .kind = KIND_OPTIONAL, .max = 1, .item = &shape_unkeyed_substitutable });
LOCAL_SHAPE(reply_substitutables, "reply", FIELDS_ITEMS("infos", PATHS_MAX, shape_substitutable));
LOCAL_SHAPE(reply_outputs, "reply", FIELDS_ITEMS("outputs", DERIVED_OUTPUTS_MAX, shape_output_path));
LOCAL_SHAPE(reply_results, "reply", FIELDS_ITEMS("results", DERIVED_MAX, shape_keyed_build_result));
LOCAL_SHAPE(reply_realisations, "reply", FIELDS_ITEMS("realisations", DERIVED_OUTPUTS_MAX, shape_json));

LOCAL_SHAPE(reply_missing, "reply",
	PATHS("willBuild"),
	PATHS("willSubstitute"),
	PATHS("unknown"),
	FIELDS_NUMBER("downloadSize"),
	FIELDS_NUMBER("narSize"));

LOCAL_SHAPE(reply_collected, "reply",
	FIELDS_ITEMS("paths", PATHS_ALL_MAX, shape_text),
	FIELDS_NUMBER("bytesFreed"),
	FIELDS_NUMBER("obsolete"));

/* clang-format off */
static const struct op ops[] = {
	{ 1, "IsValidPath", CLASS_QUERY, .request = &shape_path, .reply = &reply_valid, .subject = "path" },
	{ 3, "HasSubstitutes", CLASS_NEVER, .request = &shape_path, .reply = &reply_valid, .subject = "path" },
	{ 4, "QueryPathHash", CLASS_NEVER, .request = &shape_path, .reply = &reply_hash, .subject = "path" },
	{ 5, "QueryReferences", CLASS_NEVER, .request = &shape_path, .reply = &reply_paths, .subject = "path" },
	{ 6, "QueryReferrers", CLASS_LIST_ALL, .request = &shape_path, .reply = &reply_all_paths, .subject = "path" },
	{ 7, "AddToStore", CLASS_UPLOAD, .request = &request_add, .bulk = BULK_FRAMED, .reply = &shape_kept_path_info,
	  .subject = "name" },
	{ 8, "AddTextToStore", CLASS_UPLOAD, .request = &request_add_text, .reply = &shape_path, .subject = "name" },
	{ 9, "BuildPaths", CLASS_BUILD, .request = &request_build, .reply = &reply_one, .subject = "targets", .slow = true },
	{ 10, "EnsurePath", CLASS_SUBSTITUTE, .request = &shape_path, .reply = &reply_one, .subject = "path", .slow = true },
	{ 11, "AddTempRoot", CLASS_QUERY, .request = &shape_path, .reply = &reply_one, .subject = "path" },
	{ 12, "AddIndirectRoot", CLASS_GC_ROOTS, .request = &request_link, .reply = &reply_one, .subject = "link" },
	{ 13, "SyncWithGC", CLASS_ANSWERED, .request = &shape_none, .reply = &reply_one },
	{ 14, "FindRoots", CLASS_GC_ROOTS, .request = &shape_none, .reply = &reply_roots },
	{ 16, "ExportPath", CLASS_NEVER, .request = &request_export, .reply = &reply_one, .subject = "path" },
	{ 18, "QueryDeriver", CLASS_QUERY, .request = &shape_path, .reply = &reply_maybe_path, .subject = "path" },
	{ 19, "SetOptions", CLASS_ANSWERED, .request = &request_options, .reply = &shape_none },
	{ 20, "CollectGarbage", CLASS_GC, .request = &request_collect, .reply = &reply_collected, .slow = true },
	{ 21, "QuerySubstitutablePathInfo", CLASS_SUBSTITUTE, .request = &shape_path, .reply = &reply_substitutable,
	  .subject = "path", .slow = true },
	{ 22, "QueryDerivationOutputs", CLASS_QUERY, .request = &shape_path, .reply = &reply_paths, .subject = "path" },
	{ 23, "QueryAllValidPaths", CLASS_LIST_ALL, .request = &shape_none, .reply = &reply_all_paths },
	{ 24, "QueryFailedPaths", CLASS_NEVER, .request = &shape_none, .reply = &reply_names },
	{ 25, "ClearFailedPaths", CLASS_NEVER, .request = &request_texts, .reply = &reply_one },
	{ 26, "QueryPathInfo", CLASS_QUERY, .request = &shape_path, .reply = &reply_info, .subject = "path" },
	{ 27, "ImportPaths", CLASS_NEVER, .request = &shape_none, .bulk = BULK_PULLED, .reply = &reply_paths },
	{ 28, "QueryDerivationOutputNames", CLASS_QUERY, .request = &shape_path, .reply = &reply_names, .subject = "path" },
	{ 29, "QueryPathFromHashPart", CLASS_LIST_ALL, .request = &request_hash_part, .reply = &reply_maybe_path,
	  .subject = "hashPart" },
	{ 30, "QuerySubstitutablePathInfos", CLASS_SUBSTITUTE, .request = &request_wanted, .reply = &reply_substitutables,
	  .subject = "paths", .slow = true },
	{ 31, "QueryValidPaths", CLASS_QUERY, .request = &request_valid_paths, .reply = &reply_paths, .subject = "paths",
	  .slow = true },
	{ 32, "QuerySubstitutablePaths", CLASS_SUBSTITUTE, .request = &request_paths, .reply = &reply_paths,
	  .subject = "paths", .slow = true },
	{ 33, "QueryValidDerivers", CLASS_LIST_ALL, .request = &shape_path, .reply = &reply_paths, .subject = "path" },
	{ 34, "OptimiseStore", CLASS_GC, .request = &shape_none, .reply = &reply_one, .slow = true },
	{ 35, "VerifyStore", CLASS_GC, .request = &request_verify, .reply = &reply_errors, .slow = true },
	{ 36, "BuildDerivation", CLASS_BUILD, .request = &request_derivation, .reply = &shape_build_result,
	  .subject = "drvPath", .slow = true },
	{ 37, "AddSignatures", CLASS_SIGN, .request = &request_signatures, .reply = &reply_one, .subject = "path" },
	{ 38, "NarFromPath", CLASS_DOWNLOAD, .request = &shape_path, .reply = &shape_none, .stream = STREAM_NAR,
	  .subject = "path" },
	{ 39, "AddToStoreNar", CLASS_UPLOAD, .request = &request_add_nar, .bulk = BULK_FRAMED, .reply = &shape_none,
	  .subject = "path" },
	{ 40, "QueryMissing", CLASS_QUERY, .request = &request_derived, .reply = &reply_missing, .subject = "targets",
	  .slow = true },
	{ 41, "QueryDerivationOutputMap", CLASS_QUERY, .request = &shape_path, .reply = &reply_outputs, .subject = "path" },
	{ 42, "RegisterDrvOutput", CLASS_REALISATIONS, .request = &request_register, .reply = &shape_none },
	{ 43, "QueryRealisation", CLASS_REALISATIONS, .request = &request_realisation, .reply = &reply_realisations,
	  .subject = "id" },
	{ 44, "AddMultipleToStore", CLASS_UPLOAD, .request = &request_add_multiple, .bulk = BULK_FRAMED,
	  .reply = &shape_none },
	{ 45, "AddBuildLog", CLASS_LOG, .request = &request_log, .bulk = BULK_FRAMED, .reply = &reply_one,
	  .subject = "drvName" },
	{ 46, "BuildPathsWithResults", CLASS_BUILD, .since = 34, .request = &request_build, .reply = &reply_results,
	  .subject = "targets", .slow = true },
	{ 47, "AddPermRoot", CLASS_NEVER, .since = 36, .request = &request_perm_root, .reply = &reply_link,
	  .subject = "link" },
	/* Only behind features that are never offered. */
	{ 48, "QueryActiveBuilds", CLASS_NEVER, .since = 38, .request = &shape_none, .reply = &reply_json },
	{ 49, "AddTempRoots", CLASS_NEVER, .since = 38, .request = &request_paths, .reply = &reply_one, .subject = "paths" },
	{ 50, "QueryPathInfos", CLASS_NEVER, .since = 38, .request = &request_paths, .reply = &reply_infos,
	  .subject = "paths" },
	{ 1000, "SubmitOutput", CLASS_NEVER, .since = 38, .request = &shape_none, .bulk = BULK_UNKNOWN,
	  .reply = &reply_one },
	{ 1001, "AddToStoreScanning", CLASS_NEVER, .since = 38, .request = &request_scanning, .bulk = BULK_FRAMED,
	  .reply = &shape_kept_path_info, .subject = "name" },
};
/* clang-format on */

const struct op_table worker_ops = {
	.protocol = "worker",
	.major = 1,
	.minor_min = WORKER_MINOR_MIN,
	.minor_max = WORKER_MINOR_MAX,
	.ops = ops,
	.count = sizeof ops / sizeof *ops,
};
