#include "gateway/cli/nix_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "gateway/cli/host.h"
#include "gateway/session/nix_conf_file.h"

enum { SYSTEM_MAX = 160 };

/* clang-format off */
static const struct row {
	const char *name, *old_name;    /* old_name: what releases before 2.0 called it; NULL: the same */
	bool list;
	const char *initial;            /* NULL: found out below */
} rows[NIX_SETTINGS] = {
	[NIX_SYSTEM]               = { "system", NULL, false, NULL },
	[NIX_EXTRA_PLATFORMS]      = { "extra-platforms", NULL, true, NULL },
	[NIX_SYSTEM_FEATURES]      = { "system-features", NULL, true, NULL },
	[NIX_SANDBOX]              = { "sandbox", "build-use-sandbox", false, host_nix_sandbox },
	[NIX_SANDBOX_FALLBACK]     = { "sandbox-fallback", NULL, false, "true" },
	[NIX_REQUIRE_SIGS]         = { "require-sigs", NULL, false, "true" },
	[NIX_SUBSTITUTE]           = { "substitute", "build-use-substitutes", false, "true" },
	[NIX_SUBSTITUTERS]         = { "substituters", "binary-caches", true, "https://cache.nixos.org/" },
	[NIX_BUILD_USERS_GROUP]    = { "build-users-group", NULL, false, "nixbld" },
	[NIX_ALLOW_NEW_PRIVILEGES] = { "allow-new-privileges", NULL, false, "false" },
	[NIX_POST_BUILD_HOOK]      = { "post-build-hook", NULL, false, "" },
};
/* clang-format on */

/* The builder's own system in Nix's words, e.g. "aarch64-darwin". */
static void own_system(char system[SYSTEM_MAX])
{
	struct utsname name;

	system[0] = '\0';
	if (uname(&name) == 0)
		snprintf(system, SYSTEM_MAX, "%.64s-%s", strcmp(name.machine, "arm64") == 0 ? "aarch64" : name.machine,
			 strcmp(name.sysname, "Darwin") == 0 ? "darwin" : "linux");
}

/* What Nix builds for besides its own system, without being told to. */
static const char *own_extra_platforms(void)
{
	char system[SYSTEM_MAX];

	own_system(system);
	if (strcmp(system, "x86_64-linux") == 0)
		return "i686-linux";
	if (strcmp(system, "aarch64-darwin") == 0 &&
	    access("/Library/Apple/System/Library/LaunchDaemons/com.apple.oahd.plist", F_OK) == 0)
		return "x86_64-darwin";
	return "";
}

/* The daemon is root's: a device that is there is one it may use. */
static const char *own_features(void)
{
	return access("/dev/kvm", F_OK) == 0 ? "nixos-test benchmark big-parallel kvm" : "nixos-test benchmark big-parallel";
}

static char *initial_value(enum nix_setting setting)
{
	char system[SYSTEM_MAX];

	if (rows[setting].initial != NULL)
		return strdup(rows[setting].initial);
	if (setting == NIX_EXTRA_PLATFORMS)
		return strdup(own_extra_platforms());
	if (setting == NIX_SYSTEM_FEATURES)
		return strdup(own_features());
	own_system(system);
	return strdup(system);
}

/* `before` and the words, with one space between them. NULL: no memory. */
static char *join(const char *before, struct text words)
{
	size_t used = strlen(before), size = used + words.len + 2;
	char *joined = malloc(size);
	struct text word;

	if (joined == NULL)
		return NULL;
	memcpy(joined, before, used);
	while (text_word(&words, &word)) {
		if (used > 0)
			joined[used++] = ' ';
		memcpy(joined + used, word.bytes, word.len);
		used += word.len;
	}
	joined[used] = '\0';
	return joined;
}

/* Which row a name is of; *adds: it adds to the list instead of replacing it. NULL: none of ours. */
static const struct row *find(struct text name, bool *adds)
{
	static const char extra[] = "extra-";

	for (size_t i = 0; i < NIX_SETTINGS; i++) {
		*adds = false;
		if (text_is(name, rows[i].name) || (rows[i].old_name != NULL && text_is(name, rows[i].old_name)))
			return &rows[i];
		*adds = rows[i].list && text_starts(name, extra) &&
			text_is(text_part(name, sizeof extra - 1, name.len), rows[i].name);
		if (*adds)
			return &rows[i];
	}
	return NULL;
}

static bool set(void *context, const struct nix_conf_setting *setting, char *reason)
{
	struct nix_settings *s = context;
	bool adds;
	const struct row *row = find(setting->name, &adds);
	char *value;

	if (row == NULL)
		return true;
	value = join(adds ? s->values[row - rows] : "", setting->value);
	if (value == NULL) {
		snprintf(reason, SENTENCE_MAX, "%s", err_text(ERR_MEMORY));
		return false;
	}
	free(s->values[row - rows]);
	s->values[row - rows] = value;
	s->stated[row - rows] = true;
	return true;
}

static bool set_initial(struct nix_settings *out, char *why)
{
	*out = (struct nix_settings){ .partial = false };
	for (size_t i = 0; i < NIX_SETTINGS; i++) {
		out->values[i] = initial_value((enum nix_setting)i);
		if (out->values[i] != NULL)
			continue;
		nix_settings_free(out);
		log_sentence(why, "%s", err_text(ERR_MEMORY));
		return false;
	}
	return true;
}

bool nix_settings_read(const char *path, struct nix_settings *out, char *why)
{
	char later[SENTENCE_MAX];

	if (!set_initial(out, why))
		return false;
	if (nix_conf_each(path, set, out, &out->partial, why))
		return true;
	nix_settings_free(out);
	(void)set_initial(out, later);
	return false;
}

void nix_settings_free(struct nix_settings *s)
{
	for (size_t i = 0; i < NIX_SETTINGS; i++)
		free(s->values[i]);
	*s = (struct nix_settings){ .partial = false };
}

const char *nix_setting_value(const struct nix_settings *s, enum nix_setting setting)
{
	return s->values[setting] == NULL ? "" : s->values[setting];
}

bool nix_setting_is_true(const struct nix_settings *s, enum nix_setting setting)
{
	const char *value = nix_setting_value(s, setting);

	return strcmp(value, "true") == 0 || strcmp(value, "yes") == 0 || strcmp(value, "1") == 0;
}

bool nix_setting_has(const struct nix_settings *s, enum nix_setting setting, const char *word)
{
	struct text rest = text_of(nix_setting_value(s, setting)), found;

	while (text_word(&rest, &found))
		if (text_is(found, word))
			return true;
	return false;
}
