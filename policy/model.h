/* model: what a policy file says, once it is read: the builder's settings, and per key one grant.
 * Owner   a struct policy owns every string and list below it until policy_free; a grant is part of its policy. All of
 *         it lies in the policy's pool, so grants may share a list and nothing is freed by itself.
 * Source  nix-gateway.policy(5); the rows that fill these structs stand in policy/settings.c. */
#ifndef POLICY_MODEL_H
#define POLICY_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_PATH "/etc/nix-gateway/policy.ini"

enum {
	POLICY_TEXT_MAX = 1024,         /* bytes of one sentence, with its NUL */
	POLICY_KEYS_MAX = 20000,        /* [key] sections of one file */
	POLICY_LINE_MAX = 16 * 1024     /* bytes of one line, without its newline */
};

/* Where a value was set. line 0: nowhere in the file, so it is the built-in default. */
struct rule {
	unsigned line;
};

struct text_list {
	char **items;           /* owns; count strings, in the file's order */
	size_t count;
	bool any;               /* the list was "*": everything, and items is empty */
};

enum relay { RELAY_FILTER, RELAY_EXEC };
enum trust { TRUST_NONE, TRUST_SIGNED, TRUST_FULL };
enum unsigned_uploads { UNSIGNED_DEFAULT, UNSIGNED_REBUILD, UNSIGNED_REFUSE };  /* DEFAULT: by operations */
enum fixed_output { FIXED_OUTPUT_ANY, FIXED_OUTPUT_BUILTIN };
enum account_trust { ACCOUNT_ANY, ACCOUNT_UNTRUSTED, ACCOUNT_TRUSTED };
enum confine { CONFINE_AUTO, CONFINE_REQUIRE, CONFINE_OFF };

/* Sets of words are bit masks; the words stand in policy/settings.c in the same order. */
enum protocol { PROTOCOL_SSH_NG = 1 << 0, PROTOCOL_SSH = 1 << 1 };
enum audit_to { AUDIT_AUTO = 1 << 0, AUDIT_SYSLOG = 1 << 1, AUDIT_STDERR = 1 << 2, AUDIT_FILE = 1 << 3 };
enum granted_kind {
	KIND_INPUT_ADDRESSED = 1 << 0, KIND_FIXED_OUTPUT = 1 << 1, KIND_CONTENT_ADDRESSED = 1 << 2,
	KIND_IMPURE = 1 << 3, KIND_DYNAMIC = 1 << 4
};
enum relaxation {
	RELAX_NO_CHROOT = 1 << 0, RELAX_IMPURE_HOST_DEPS = 1 << 1, RELAX_SANDBOX_PROFILE = 1 << 2,
	RELAX_LOCAL_NETWORKING = 1 << 3
};
enum operations {
	OPS_QUERY = 1 << 0, OPS_BUILD = 1 << 1, OPS_UPLOAD = 1 << 2, OPS_DOWNLOAD = 1 << 3, OPS_SUBSTITUTE = 1 << 4,
	OPS_CHECK = 1 << 5, OPS_LOG = 1 << 6, OPS_GC_ROOTS = 1 << 7, OPS_GC = 1 << 8, OPS_SIGN = 1 << 9,
	OPS_LIST_ALL = 1 << 10, OPS_REALISATIONS = 1 << 11
};

/* A number that may be left out. */
struct limit {
	bool set;
	uint64_t value;         /* seconds, bytes, a count, or 0 and 1, as the setting says */
};

/* Every setting that can stand in [default], [role] and [key], in the order of the manual. */
enum grant_setting {
	GRANT_PROTOCOLS, GRANT_SYSTEMS, GRANT_FEATURES, GRANT_MANDATORY_FEATURES, GRANT_DERIVATIONS, GRANT_FIXED_OUTPUT,
	GRANT_RELAXATIONS, GRANT_IMPURE_ENV_VARS, GRANT_OPERATIONS, GRANT_TRUST, GRANT_UNSIGNED_UPLOADS,
	GRANT_TRUSTED_PUBLIC_KEYS, GRANT_TIMEOUT, GRANT_MAX_SILENT_TIME, GRANT_CORES, GRANT_MAX_JOBS, GRANT_KEEP_FAILED,
	GRANT_USE_SUBSTITUTES, GRANT_MAX_SESSIONS, GRANT_MAX_BUILDS, GRANT_WEIGHT, GRANT_MAX_UPLOAD, GRANT_MAX_NAR_SIZE,
	GRANT_SESSION_TIME, GRANT_IDLE_TIME, GRANT_STALL_TIME, GRANT_REMOTE_STORES, GRANT_RELAY,
	GRANT_SETTINGS          /* how many there are */
};

struct grant {
	struct rule rules[GRANT_SETTINGS];      /* where each value below was set */
	unsigned protocols, derivations, relaxations, operations;
	struct text_list systems, features, mandatory_features, impure_env_vars, trusted_public_keys, remote_stores;
	enum fixed_output fixed_output;
	enum trust trust;
	enum unsigned_uploads unsigned_uploads;
	enum relay relay;
	struct limit timeout, max_silent_time, cores, max_jobs, keep_failed, use_substitutes;
	struct limit max_sessions, max_builds, weight, max_upload, max_nar_size, session_time, idle_time, stall_time;
};

struct date {
	int year, month, day;   /* year 0: none */
};

/* One [key NAME] section, resolved: default, then its role, then itself. */
struct key {
	char *name;                             /* owns; "*" for whoever no other section names */
	struct rule rule;                       /* the section's own line */
	struct text_list fingerprints;          /* owns; "SHA256:..." */
	char *certificate_authority, *principal, *key_id, *role;        /* own; NULL: not set */
	struct date expires;                    /* the last valid day, UTC */
	struct rule expires_rule;
	const struct grant *grant;              /* borrows: its own, or one that it shares with keys that set nothing else */
};

struct variable {
	char *name, *value;                     /* own */
	struct rule rule;
};

/* [gateway]: the builder as a whole. */
struct gateway_settings {
	char *nix;                      /* owns; NULL: auto. else an absolute folder */
	enum { DAEMON_AUTO, DAEMON_SOCKET, DAEMON_STDIO, DAEMON_PATH } daemon;
	char *daemon_path;              /* owns; only with DAEMON_PATH */
	char *store_dir;                /* owns; never NULL */
	enum account_trust account;
	enum confine sandbox;
	unsigned audit;                 /* enum audit_to */
	char *audit_file;               /* owns; only with AUDIT_FILE */
	char *state_dir;                /* owns; never NULL */
	uint64_t max_sessions, max_builds, min_free;    /* counts, counts, bytes */
};

struct pool;

struct policy {
	struct pool *pool;              /* owns; the memory of all below. NULL: put together by hand (tests) */
	char *path;                     /* owns; the file as it was named */
	struct gateway_settings gateway;
	struct variable *environment;   /* owns; [environment], in the file's order */
	size_t environment_count;
	struct key *keys;               /* owns; in the file's order: all, or those that can be one caller's */
	size_t key_count;
	bool knows_identities;          /* some section names a fingerprint or a certificate-authority */
};

/* One fault of a policy file. line 0: the file as a whole. */
struct policy_fault {
	unsigned line;
	char text[POLICY_TEXT_MAX];     /* a sentence without FILE:LINE, no newline, foreign bytes escaped */
};

void policy_free(struct policy *p);     /* NULL is fine */

#endif
