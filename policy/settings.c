#include "policy/settings.h"

#include <stdio.h>
#include <string.h>

#include "policy/forms.h"
#include "policy/suggest.h"

/* Enums are read and written through `unsigned`, see VALUE_ONE_OF. */
_Static_assert(sizeof(enum trust) == sizeof(unsigned) && sizeof(enum relay) == sizeof(unsigned) &&
		       sizeof(enum account_trust) == sizeof(unsigned) && sizeof(enum confine) == sizeof(unsigned) &&
		       sizeof(enum fixed_output) == sizeof(unsigned) && sizeof(enum unsigned_uploads) == sizeof(unsigned),
	       "an enum of the model is not as wide as unsigned");

/* Words in the order of the model's enums. */
static const char *const account_words[] = { "any", "untrusted", "trusted", NULL };
static const char *const confine_words[] = { "auto", "require", "off", NULL };
static const char *const protocol_words[] = { "ssh-ng", "ssh", NULL };
static const char *const kind_words[] = {
	"input-addressed", "fixed-output", "content-addressed", "impure", "dynamic", NULL
};
static const char *const fixed_output_words[] = { "any", "builtin", NULL };
static const char *const relaxation_words[] = {
	"no-chroot", "impure-host-deps", "sandbox-profile", "local-networking", NULL
};
static const char *const operation_words[] = {
	"query", "build", "upload", "download", "substitute", "check", "log", "gc-roots", "gc", "sign", "list-all",
	"realisations", NULL
};
static const char *const trust_words[] = { "none", "signed", "full", NULL };
static const char *const unsigned_words[] = { "", "rebuild", "refuse", NULL };
static const char *const relay_words[] = { "filter", "exec", NULL };

/* What nixpkgs' fetchers ask for. */
#define FETCHER_VARIABLES                                                                                              \
	"http_proxy https_proxy ftp_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY "     \
	"NIX_SSL_CERT_FILE NIX_CURL_FLAGS NIX_HASHED_MIRRORS NIX_CONNECT_TIMEOUT NIX_MIRRORS_* GIT_PROXY_COMMAND "     \
	"SOCKS_SERVER GOPROXY NETRC"

#define MIB ((uint64_t)1024 * 1024)
#define DAY ((uint64_t)24 * 60 * 60)
enum { COUNT_MOST = 1000000 };

/* clang-format off */
#define GATEWAY(member)      .sections = SECTION_GATEWAY, .offset = offsetof(struct gateway_settings, member), .grant = NO_GRANT
#define KEY(member)          .sections = SECTION_KEY, .offset = offsetof(struct key, member), .grant = NO_GRANT
#define GRANT(number, member) .sections = SECTION_GRANTS, .offset = offsetof(struct grant, member), .grant = GRANT_##number
#define COUNT                .kind = VALUE_COUNT, .least = 1, .most = COUNT_MOST
#define SIZE                 .kind = VALUE_SIZE, .least = 1, .most = UINT64_MAX
#define TIME                 .kind = VALUE_TIME, .least = 1, .most = 3660 * DAY
#define FLAG                 .kind = VALUE_FLAG
#define PATH                 .kind = VALUE_TEXT, .form = form_path, .what = "an absolute path"
#define PRINT                .form = form_fingerprint, \
	.what = "a fingerprint as ssh-keygen -lf prints it (SHA256: and 43 characters)"

const struct setting settings[] = {
	/* [key]: first, because a large policy consists of these. */
	{ .name = "fingerprint", KEY(fingerprints), .kind = VALUE_FINGERPRINTS, PRINT, .enforced = true },
	{ .name = "certificate-authority", KEY(certificate_authority), .kind = VALUE_TEXT, PRINT, .enforced = true },
	{ .name = "principal", KEY(principal), .kind = VALUE_TEXT, .form = form_word, .what = "one principal", .enforced = true },
	{ .name = "key-id", KEY(key_id), .kind = VALUE_TEXT, .form = form_text, .what = "a key id", .enforced = true },
	{ .name = "role", KEY(role), .kind = VALUE_TEXT, .form = name_is_plain, .what = "a role's name", .enforced = true },
	{ .name = "expires", KEY(expires), .kind = VALUE_DATE, .enforced = true },

	/* What a key may do: the order of enum grant_setting and of the manual. */
	{ .name = "protocols", GRANT(PROTOCOLS, protocols), .kind = VALUE_BITS, .words = protocol_words,
	  .permissive = "*", .initial = "ssh-ng ssh", .enforced = true, .with_exec = true },
	{ .name = "systems", GRANT(SYSTEMS, systems), .kind = VALUE_LIST, .form = form_system,
	  .what = "a system (like x86_64-linux)", .permissive = "*", .enforced = true },
	{ .name = "features", GRANT(FEATURES, features), .kind = VALUE_LIST, .form = form_feature,
	  .what = "a feature (like big-parallel)", .permissive = "*", .enforced = true },
	{ .name = "mandatory-features", GRANT(MANDATORY_FEATURES, mandatory_features), .kind = VALUE_LIST,
	  .form = form_feature, .what = "a feature (like big-parallel)", .permissive = "", .enforced = true },
	{ .name = "derivations", GRANT(DERIVATIONS, derivations), .kind = VALUE_BITS, .words = kind_words,
	  .permissive = "*", .initial = "input-addressed fixed-output", .enforced = true },
	{ .name = "fixed-output", GRANT(FIXED_OUTPUT, fixed_output), .kind = VALUE_ONE_OF, .words = fixed_output_words,
	  .permissive = "any", .initial = "any", .enforced = true },
	{ .name = "relaxations", GRANT(RELAXATIONS, relaxations), .kind = VALUE_BITS, .words = relaxation_words,
	  .permissive = "*", .enforced = true },
	{ .name = "impure-env-vars", GRANT(IMPURE_ENV_VARS, impure_env_vars), .kind = VALUE_LIST, .form = form_variables,
	  .what = "a variable's name", .permissive = "*", .initial = FETCHER_VARIABLES, .enforced = true },
	{ .name = "operations", GRANT(OPERATIONS, operations), .kind = VALUE_BITS, .words = operation_words,
	  .permissive = "*", .initial = "query build upload download substitute", .enforced = true },
	{ .name = "trust", GRANT(TRUST, trust), .kind = VALUE_ONE_OF, .words = trust_words, .permissive = "full",
	  .initial = "none", .enforced = true },
	{ .name = "unsigned-uploads", GRANT(UNSIGNED_UPLOADS, unsigned_uploads), .kind = VALUE_ONE_OF,
	  .words = unsigned_words, .enforced = true },
	{ .name = "trusted-public-keys", GRANT(TRUSTED_PUBLIC_KEYS, trusted_public_keys), .kind = VALUE_LIST,
	  .form = form_public_key, .what = "a public key (NAME:BASE64)", .permissive = "", .enforced = true },
	{ .name = "timeout", GRANT(TIMEOUT, timeout), TIME, .enforced = true },
	{ .name = "max-silent-time", GRANT(MAX_SILENT_TIME, max_silent_time), TIME, .enforced = true },
	{ .name = "cores", GRANT(CORES, cores), COUNT, .enforced = true },
	{ .name = "max-jobs", GRANT(MAX_JOBS, max_jobs), COUNT, .enforced = true },
	{ .name = "keep-failed", GRANT(KEEP_FAILED, keep_failed), FLAG, .enforced = true },
	{ .name = "use-substitutes", GRANT(USE_SUBSTITUTES, use_substitutes), FLAG, .enforced = true },
	{ .name = "max-sessions", GRANT(MAX_SESSIONS, max_sessions), COUNT },
	{ .name = "max-builds", GRANT(MAX_BUILDS, max_builds), COUNT },
	{ .name = "weight", GRANT(WEIGHT, weight), COUNT },
	{ .name = "max-upload", GRANT(MAX_UPLOAD, max_upload), SIZE },
	{ .name = "max-nar-size", GRANT(MAX_NAR_SIZE, max_nar_size), SIZE },
	{ .name = "session-time", GRANT(SESSION_TIME, session_time), TIME, .enforced = true },
	{ .name = "idle-time", GRANT(IDLE_TIME, idle_time), TIME, .initial = "30m", .enforced = true },
	{ .name = "stall-time", GRANT(STALL_TIME, stall_time), TIME, .initial = "60s", .enforced = true },
	{ .name = "remote-stores", GRANT(REMOTE_STORES, remote_stores), .kind = VALUE_LIST, .form = form_uri,
	  .what = "a store's URI", .permissive = "" },
	{ .name = "relay", GRANT(RELAY, relay), .kind = VALUE_ONE_OF, .words = relay_words, .permissive = "exec",
	  .initial = "filter", .enforced = true, .with_exec = true },

	{ .name = "nix", GATEWAY(nix), .kind = VALUE_NIX, .initial = "auto", .enforced = true },
	{ .name = "daemon", GATEWAY(daemon), .kind = VALUE_DAEMON, .initial = "auto", .enforced = true },
	{ .name = "store-dir", GATEWAY(store_dir), PATH, .initial = "/nix/store", .enforced = true },
	{ .name = "account", GATEWAY(account), .kind = VALUE_ONE_OF, .words = account_words, .permissive = "any",
	  .initial = "any", .enforced = true },
	{ .name = "sandbox", GATEWAY(sandbox), .kind = VALUE_ONE_OF, .words = confine_words, .permissive = "auto off",
	  .initial = "auto", .enforced = true },
	{ .name = "audit", GATEWAY(audit), .kind = VALUE_AUDIT, .initial = "auto", .enforced = true },
	{ .name = "state-dir", GATEWAY(state_dir), PATH, .permissive = "/run/nix-gateway", .initial = "/run/nix-gateway" },
	{ .name = "max-sessions", GATEWAY(max_sessions), COUNT },
	{ .name = "max-builds", GATEWAY(max_builds), COUNT },
	{ .name = "min-free", GATEWAY(min_free), SIZE },
};
/* clang-format on */

const size_t settings_count = sizeof settings / sizeof *settings;
_Static_assert(sizeof settings / sizeof *settings <= SETTINGS_MAX, "SETTINGS_MAX is too small");

const struct setting *setting_find(const char *name, enum section_kind section)
{
	for (const struct setting *s = settings; s < settings + settings_count; s++) {
		if ((s->sections & (unsigned)section) != 0 && s->name[0] == name[0] && strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

const struct setting *setting_of_grant(enum grant_setting grant)
{
	for (const struct setting *s = settings; s < settings + settings_count; s++) {
		if (s->grant == (int)grant)
			return s;
	}
	return NULL;
}

size_t setting_number(const struct setting *s)
{
	return (size_t)(s - settings);
}

/* All sections that know the name. */
static unsigned sections_of(const char *name)
{
	unsigned sections = 0;

	for (const struct setting *s = settings; s < settings + settings_count; s++) {
		if (strcmp(s->name, name) == 0)
			sections |= s->sections;
	}
	return sections;
}

void setting_unknown(const char *name, enum section_kind section, unsigned line, struct faults *faults)
{
	unsigned elsewhere = sections_of(name);
	struct suggest near = suggest_for(name);
	char hint[SUGGEST_TEXT_MAX];

	if (elsewhere != 0) {
		faults_add(faults, line, "'%s' does not belong in [%s]: it stands in %s", name, section_word(section),
			   (elsewhere & SECTION_ROLE) != 0 ? "[default], [role NAME] or [key NAME]" :
			   (elsewhere & SECTION_KEY) != 0 ? "[key NAME]" : "[gateway]");
		return;
	}
	for (size_t i = 0; i < settings_count && !faults_full(faults); i++) {
		if ((settings[i].sections & (unsigned)section) != 0)
			suggest_try(&near, settings[i].name);
	}
	for (size_t i = 0; i < settings_count && near.best == NULL && !faults_full(faults); i++)
		suggest_try(&near, settings[i].name);
	faults_add(faults, line, "unknown setting '%.80s' in [%s]%s", name, section_word(section),
		   suggest_text(&near, hint));
}

static unsigned all_bits(const char *const *words)
{
	unsigned bits = 0;

	for (size_t i = 0; words[i] != NULL; i++)
		bits |= 1u << i;
	return bits;
}

/* Is `word` one of the words, blanks between them, in `list`? */
static bool word_in(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n == len && memcmp(at, word, n) == 0)
			return true;
		at += n;
	}
	return false;
}

bool setting_is_wide(const struct setting *s, const void *base)
{
	const char *at = (const char *)base + s->offset, *path;
	struct text_list list;
	unsigned number;

	if (s->permissive == NULL)
		return false;
	switch (s->kind) {
	case VALUE_BITS:
		memcpy(&number, at, sizeof number);
		return number == (s->permissive[0] == '*' ? all_bits(s->words) : 0);
	case VALUE_ONE_OF:
		memcpy(&number, at, sizeof number);
		return word_in(s->permissive, s->words[number]);
	case VALUE_LIST:
		memcpy(&list, at, sizeof list);
		return s->permissive[0] == '*' ? list.any : !list.any && list.count == 0;
	case VALUE_TEXT:
		memcpy(&path, at, sizeof path);
		return path != NULL && strcmp(path, s->permissive) == 0;
	default:
		return false;
	}
}
