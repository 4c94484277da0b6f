#include "gateway/env/nix.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/log.h"
#include "gateway/env/guard.h"

#define CURE "set '[gateway] nix = FOLDER' in the policy to the folder that holds nix-daemon"

const char *const nix_folders[] = {
	"/run/current-system/sw/bin",
	"/nix/var/nix/profiles/default/bin",
	"/etc/profiles/per-user/USER/bin",
	"~/.nix-profile/bin",
	"~/.local/state/nix/profile/bin",
	"/usr/local/bin",
	"/usr/bin",
	"/opt/homebrew/bin",
	NULL
};

static enum err no_memory(char *why)
{
	snprintf(why, SENTENCE_MAX, "%s", err_text(ERR_MEMORY));
	return ERR_MEMORY;
}

/* Writes a row of the table as a path of this account; false: it would not fit. */
static bool expand(char out[PATH_MAX], const char *folder, const struct account *account)
{
	static const char user[] = "/USER/";
	const char *at = strstr(folder, user);
	int n;

	if (strncmp(folder, "~/", 2) == 0)
		n = snprintf(out, PATH_MAX, "%s%s", account->home, folder + 1);
	else if (at != NULL)
		n = snprintf(out, PATH_MAX, "%.*s/%s/%s", (int)(at - folder), folder, account->name,
			     at + sizeof user - 1);
	else
		n = snprintf(out, PATH_MAX, "%s", folder);
	return n >= 0 && n < PATH_MAX;
}

static char *path_in(const char *folder, const char *name)
{
	size_t size = strlen(folder) + 1 + strlen(name) + 1;
	char *path = malloc(size);

	if (path != NULL)
		snprintf(path, size, "%s/%s", folder, name);
	return path;
}

static enum err note_skipped(struct nix *n, const char *file, const char *reason)
{
	size_t size = strlen(file) + strlen(reason) + sizeof ": ";
	char *text;

	if (n->skipped_count >= NIX_FOLDERS_MAX)
		return ERR_NONE;
	text = malloc(size);
	if (text == NULL)
		return ERR_MEMORY;
	snprintf(text, size, "%s: %s", file, reason);
	n->skipped[n->skipped_count++] = text;
	return ERR_NONE;
}

/* A folder that simply has no Nix is no news; anything else that keeps us from it is. */
static bool is_absent(const char *program)
{
	struct stat st;

	return lstat(program, &st) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* Takes the folder if it can be taken, and leaves n->daemon NULL if not. */
static enum err try_folder(struct nix *n, const char *folder, bool must_be_there)
{
	char *daemon = path_in(folder, "nix-daemon"), *store = path_in(folder, "nix-store"), *copy = strdup(folder);
	char fault[GUARD_FAULT_MAX];
	enum err err = ERR_NONE;

	if (daemon == NULL || store == NULL || copy == NULL) {
		err = ERR_MEMORY;
	} else if (is_absent(daemon)) {
		if (must_be_there)
			err = note_skipped(n, daemon, "there is no such file");
	} else if (strchr(folder, ':') != NULL) {
		err = note_skipped(n, daemon, "a folder with a colon cannot stand in PATH");
	} else if (!guard_program(daemon, fault)) {
		err = note_skipped(n, daemon, fault);
	} else if (!guard_program(store, fault)) {
		err = note_skipped(n, store, fault);
	} else {
		n->folder = copy;
		n->daemon = daemon;
		n->store = store;
		return ERR_NONE;
	}
	free(daemon);
	free(store);
	free(copy);
	return err;
}

/* "A; B; C", with "..." for what would not leave room for the cure. */
static void join_skipped(const struct nix *n, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < n->skipped_count; i++) {
		size_t len = strlen(n->skipped[i]);

		if (len + sizeof "; ..." > size - used) {
			snprintf(out + used, size - used, "%s", "...");
			return;
		}
		used += (size_t)snprintf(out + used, size - used, "%s%s", n->skipped[i],
					 i + 1 < n->skipped_count ? "; " : "");
	}
}

static enum err not_found(const struct nix *n, char *why)
{
	char reasons[SENTENCE_MAX - 256] = "";

	join_skipped(n, reasons, sizeof reasons);
	if (n->skipped_count == 0)
		snprintf(why, SENTENCE_MAX, "no Nix was found on this builder: " CURE);
	else
		snprintf(why, SENTENCE_MAX, "no Nix on this builder can be taken (%s): mend that, or " CURE, reasons);
	return ERR_IO;
}

static enum err search_configured(struct nix *n, const char *configured)
{
	char folder[PATH_MAX];
	size_t len = strnlen(configured, sizeof folder);

	if (configured[0] != '/' || len >= sizeof folder)
		return note_skipped(n, configured, "not an absolute path");
	memcpy(folder, configured, len + 1);
	while (len > 1 && folder[len - 1] == '/')
		folder[--len] = '\0';
	return try_folder(n, folder, true);
}

static enum err search_folders(struct nix *n, const char *const *folders, const struct account *account)
{
	char folder[PATH_MAX];
	enum err err = ERR_NONE;

	for (size_t i = 0; !err && n->daemon == NULL && folders[i] != NULL && i < NIX_FOLDERS_MAX; i++)
		if (expand(folder, folders[i], account))
			err = try_folder(n, folder, false);
	return err;
}

enum err nix_find(const struct nix_search *search, struct nix *out, char *why)
{
	enum err err;

	*out = (struct nix){ 0 };
	if (search->configured != NULL)
		err = search_configured(out, search->configured);
	else
		err = search_folders(out, search->folders != NULL ? search->folders : nix_folders, search->account);
	if (err)
		return no_memory(why);
	return out->daemon != NULL ? ERR_NONE : not_found(out, why);
}

void nix_free(struct nix *n)
{
	for (size_t i = 0; i < n->skipped_count; i++)
		free(n->skipped[i]);
	free(n->folder);
	free(n->daemon);
	free(n->store);
	*n = (struct nix){ 0 };
}
