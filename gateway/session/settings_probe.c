/* The settings that a client of a gateway has no say in, by what they decide. Part of settings; see there.
 * Nothing of what a client sets reaches the daemon; these names only tell the administrator that somebody tried. Old
 * names of a setting count as well. */
#include <stdio.h>

#include "gateway/nix/shapes.h"
#include "gateway/session/settings.h"

/* clang-format off */
static const struct {
	const char *name;
	enum settings_loss loss;
} rows[] = {
	{ "build-hook", LOSS_CODE }, { "post-build-hook", LOSS_CODE }, { "pre-build-hook", LOSS_CODE },
	{ "diff-hook", LOSS_CODE }, { "run-diff-hook", LOSS_CODE }, { "external-builders", LOSS_CODE },
	{ "builders", LOSS_CODE }, { "plugin-files", LOSS_CODE }, { "experimental-features", LOSS_CODE },

	{ "sandbox", LOSS_SANDBOX }, { "build-use-sandbox", LOSS_SANDBOX }, { "build-use-chroot", LOSS_SANDBOX },
	{ "sandbox-fallback", LOSS_SANDBOX }, { "sandbox-paths", LOSS_SANDBOX }, { "build-sandbox-paths", LOSS_SANDBOX },
	{ "build-chroot-dirs", LOSS_SANDBOX }, { "sandbox-build-dir", LOSS_SANDBOX }, { "build-dir", LOSS_SANDBOX },
	{ "allowed-impure-host-deps", LOSS_SANDBOX }, { "filter-syscalls", LOSS_SANDBOX },
	{ "allow-new-privileges", LOSS_SANDBOX }, { "build-users-group", LOSS_SANDBOX },
	{ "auto-allocate-uids", LOSS_SANDBOX }, { "start-id", LOSS_SANDBOX }, { "id-count", LOSS_SANDBOX },
	{ "use-cgroups", LOSS_SANDBOX }, { "require-drop-supplementary-groups", LOSS_SANDBOX },
	{ "ignored-acls", LOSS_SANDBOX }, { "impersonate-linux-26", LOSS_SANDBOX },
	{ "darwin-log-sandbox-violations", LOSS_SANDBOX },

	{ "require-sigs", LOSS_BELIEF }, { "trusted-public-keys", LOSS_BELIEF },
	{ "binary-cache-public-keys", LOSS_BELIEF }, { "substituters", LOSS_BELIEF }, { "binary-caches", LOSS_BELIEF },
	{ "trusted-substituters", LOSS_BELIEF }, { "trusted-binary-caches", LOSS_BELIEF },
	{ "hashed-mirrors", LOSS_BELIEF }, { "ssl-cert-file", LOSS_BELIEF }, { "netrc-file", LOSS_BELIEF },
	{ "secret-key-files", LOSS_BELIEF }, { "impure-env", LOSS_BELIEF }, { "system", LOSS_BELIEF },
	{ "extra-platforms", LOSS_BELIEF }, { "system-features", LOSS_BELIEF }, { "store", LOSS_BELIEF },
};
/* clang-format on */

static bool is_named(const struct value *settings, const char *name)
{
	static const char extra[] = "extra-";

	for (size_t i = 0; i < settings->count; i++) {
		struct text set = value_text(value_of(value_item(settings, &shape_setting, i), &shape_setting, "name"));

		if (text_is(set, name))
			return true;
		if (text_starts(set, extra) && text_is(text_part(set, sizeof extra - 1, set.len), name))
			return true;
	}
	return false;
}

size_t settings_probe(const struct value *request, const struct shape *shape, unsigned losses, char names[SENTENCE_MAX])
{
	const struct value *settings = value_of(request, shape, "settings");
	size_t found = 0, used = 0;

	names[0] = '\0';
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int n;

		if ((losses & (unsigned)rows[i].loss) == 0 || !is_named(settings, rows[i].name))
			continue;
		n = snprintf(names + used, SENTENCE_MAX - used, "%s%s", found > 0 ? ", " : "", rows[i].name);
		if (n > 0 && (size_t)n < SENTENCE_MAX - used)   /* always: all of them fit */
			used += (size_t)n;
		found++;
	}
	return found;
}
