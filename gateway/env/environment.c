#include "gateway/env/environment.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Behind Nix's own folder, in this order. */
static const char *const path_folders[] = {
	"/run/current-system/sw/bin", "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"
};

/* Where distributions, macOS and Nix keep certificates. "~/" is the account's home, "NIX/" the folder above Nix's. */
static const char *const certificate_files[] = {
	"/etc/ssl/certs/ca-certificates.crt",                   /* Debian, Arch, Gentoo, Alpine, NixOS */
	"/etc/pki/tls/certs/ca-bundle.crt",                     /* Fedora, RHEL */
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",    /* the same, where the old name is gone */
	"/etc/ssl/cert.pem",                                    /* macOS, Alpine */
	"/etc/ssl/ca-bundle.pem",                               /* openSUSE */
	"/var/lib/ca-certificates/ca-bundle.pem",               /* openSUSE, transactional */
	"/etc/ssl/certs/ca-bundle.crt",                         /* NixOS, old */
	"/nix/var/nix/profiles/default/etc/ssl/certs/ca-bundle.crt",
	"~/.nix-profile/etc/ssl/certs/ca-bundle.crt",
	"~/.local/state/nix/profile/etc/ssl/certs/ca-bundle.crt",
	"NIX/etc/ssl/certs/ca-bundle.crt"
};

static bool is_named(const char *item, const char *name, size_t name_len)
{
	return strncmp(item, name, name_len) == 0 && item[name_len] == '=';
}

static char **find(const struct environment *e, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < e->count; i++)
		if (is_named(e->items[i], name, len))
			return &e->items[i];
	return NULL;
}

/* Sets one variable; a later value replaces an earlier one in its place. */
static enum err set(struct environment *e, const char *name, const char *value)
{
	size_t name_len = strnlen(name, ENVIRONMENT_ITEM_MAX), value_len = strnlen(value, ENVIRONMENT_ITEM_MAX);
	size_t size = name_len + 1 + value_len + 1;
	char *item, **place;

	if (size > ENVIRONMENT_ITEM_MAX)
		return ERR_LIMIT;
	place = find(e, name);
	if (place == NULL && e->count >= ENVIRONMENT_MAX)
		return ERR_LIMIT;
	item = malloc(size);
	if (item == NULL)
		return ERR_MEMORY;
	snprintf(item, size, "%s=%s", name, value);
	if (place == NULL)
		place = &e->items[e->count++];
	free(*place);
	*place = item;
	return ERR_NONE;
}

/* The same path below the tests' root; false: it does not fit. */
static bool below_root(const struct environment_plan *plan, const char *path, char out[PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s%s", plan->root != NULL ? plan->root : "", path);

	return n >= 0 && n < PATH_MAX;
}

static bool is_folder(const struct environment_plan *plan, const char *path)
{
	char real[PATH_MAX];
	struct stat st;

	return below_root(plan, path, real) && stat(real, &st) == 0 && S_ISDIR(st.st_mode);
}

/* By opening it: what we can open, Nix can. */
static bool is_readable_file(const struct environment_plan *plan, const char *path)
{
	char real[PATH_MAX];
	struct stat st;
	bool regular;
	int fd;

	if (!below_root(plan, path, real))
		return false;
	fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	close(fd);
	return regular;
}

/* Is `folder` one of the first `len` bytes' folders? */
static bool is_in_path(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	for (const char *at = path; *at != '\0'; at += strcspn(at, ":"), at += *at == ':')
		if (strcspn(at, ":") == len && strncmp(at, folder, len) == 0)
			return true;
	return false;
}

static enum err add_folder(char *path, size_t size, const char *folder)
{
	size_t used = strlen(path), len = strlen(folder);

	if (is_in_path(path, folder))
		return ERR_NONE;
	if (len + 2 > size - used)      /* the colon and the NUL */
		return ERR_LIMIT;
	snprintf(path + used, size - used, "%s%s", used > 0 ? ":" : "", folder);
	return ERR_NONE;
}

static enum err set_path(struct environment *e, const struct environment_plan *plan)
{
	char path[2 * PATH_MAX] = "";
	enum err err = ERR_NONE;

	if (plan->nix_folder != NULL)
		err = add_folder(path, sizeof path, plan->nix_folder);
	for (size_t i = 0; !err && i < sizeof path_folders / sizeof *path_folders; i++)
		if (is_folder(plan, path_folders[i]))
			err = add_folder(path, sizeof path, path_folders[i]);
	return err ? err : set(e, "PATH", path);
}

/* A row of certificate_files as a path of this account and this Nix; false: there is none. */
static bool expand(const struct environment_plan *plan, const char *row, char out[PATH_MAX])
{
	const char *slash = plan->nix_folder != NULL ? strrchr(plan->nix_folder, '/') : NULL;
	int n;

	if (strncmp(row, "~/", 2) == 0) {
		n = snprintf(out, PATH_MAX, "%s%s", plan->account->home, row + 1);
	} else if (strncmp(row, "NIX/", 4) == 0) {
		if (slash == NULL)
			return false;
		n = snprintf(out, PATH_MAX, "%.*s%s", (int)(slash - plan->nix_folder), plan->nix_folder, row + 3);
	} else {
		n = snprintf(out, PATH_MAX, "%s", row);
	}
	return n >= 0 && n < PATH_MAX;
}

static enum err set_certificates(struct environment *e, const struct environment_plan *plan)
{
	char file[PATH_MAX];

	for (size_t i = 0; i < sizeof certificate_files / sizeof *certificate_files; i++)
		if (expand(plan, certificate_files[i], file) && is_readable_file(plan, file))
			return set(e, "NIX_SSL_CERT_FILE", file);
	return ERR_NONE;
}

static enum err set_account(struct environment *e, const struct account *account)
{
	enum err err = set(e, "HOME", account->home);

	if (!err)
		err = set(e, "USER", account->name);
	if (!err)
		err = set(e, "LOGNAME", account->name);
	return err ? err : set(e, "SHELL", account->shell);
}

static enum err set_daemon(struct environment *e, const struct environment_plan *plan)
{
	enum err err = ERR_NONE;

	if (plan->daemon)
		err = set(e, "NIX_REMOTE", "daemon");
	if (!err && plan->socket != NULL)
		err = set(e, "NIX_DAEMON_SOCKET_PATH", plan->socket);
	if (!err && plan->store_dir != NULL && strcmp(plan->store_dir, "/nix/store") != 0)
		err = set(e, "NIX_STORE_DIR", plan->store_dir);
	return err;
}

static bool is_name(const char *name)
{
	for (const char *at = name; *at != '\0'; at++)
		if ((unsigned char)*at <= 0x20 || *at == 0x7f || *at == '=')
			return false;
	return name[0] != '\0';
}

static enum err set_extra(struct environment *e, const struct environment_plan *plan)
{
	enum err err = ERR_NONE;

	for (size_t i = 0; !err && i < plan->extra_count; i++)
		err = is_name(plan->extra[i].name) ? set(e, plan->extra[i].name, plan->extra[i].value) : ERR_PROTO;
	return err;
}

enum err environment_build(const struct environment_plan *plan, struct environment *out)
{
	enum err err;

	*out = (struct environment){ .items = calloc(ENVIRONMENT_MAX + 1, sizeof *out->items) };
	if (out->items == NULL)
		return ERR_MEMORY;
	err = set_account(out, plan->account);
	if (!err)
		err = set_path(out, plan);
	if (!err)
		err = set(out, "LANG", "C.UTF-8");
	if (!err)
		err = set_certificates(out, plan);
	if (!err)
		err = set_daemon(out, plan);
	if (!err)
		err = set_extra(out, plan);
	if (err)
		environment_free(out);
	return err;
}

const char *environment_value(const struct environment *e, const char *name)
{
	char **place = find(e, name);

	return place == NULL ? NULL : *place + strlen(name) + 1;
}

void environment_free(struct environment *e)
{
	for (size_t i = 0; i < e->count; i++)
		free(e->items[i]);
	free(e->items);
	*e = (struct environment){ 0 };
}
