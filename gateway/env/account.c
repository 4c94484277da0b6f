#include "gateway/env/account.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

enum { FIRST_SIZE = 1024 };

static bool is_line(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static enum err refuse(char *why, const char *what, const char *value)
{
	snprintf(why, SENTENCE_MAX, "the account's passwd entry has no usable %s ('%.256s'): mend it with usermod(8)",
		 what, value);
	return ERR_DENIED;
}

static enum err no_memory(char *why)
{
	snprintf(why, SENTENCE_MAX, "%s", err_text(ERR_MEMORY));
	return ERR_MEMORY;
}

/* The name becomes a part of paths, so it may not be more than one. */
static bool is_name(const char *name)
{
	return name[0] != '\0' && is_line(name) && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static bool is_path(const char *path)
{
	return path[0] == '/' && is_line(path);
}

enum err account_from_entry(const struct passwd *entry, struct account *out, char *why)
{
	const char *shell = entry->pw_shell != NULL && entry->pw_shell[0] != '\0' ? entry->pw_shell : "/bin/sh";

	*out = (struct account){ 0 };
	if (entry->pw_name == NULL || !is_name(entry->pw_name))
		return refuse(why, "name", entry->pw_name == NULL ? "" : entry->pw_name);
	if (entry->pw_dir == NULL || !is_path(entry->pw_dir))
		return refuse(why, "home folder", entry->pw_dir == NULL ? "" : entry->pw_dir);
	if (!is_path(shell))
		return refuse(why, "shell", shell);
	*out = (struct account){ .uid = entry->pw_uid, .name = strdup(entry->pw_name), .home = strdup(entry->pw_dir),
				 .shell = strdup(shell) };
	if (out->name == NULL || out->home == NULL || out->shell == NULL) {
		account_free(out);
		return no_memory(why);
	}
	return ERR_NONE;
}

/* One try with a memory of `size` bytes; ERR_LIMIT asks for more. */
static enum err read_entry(uid_t uid, size_t size, struct account *out, char *why)
{
	char *memory = malloc(size);
	struct passwd entry, *found = NULL;
	enum err err;
	int failed;

	if (memory == NULL)
		return no_memory(why);
	do
		failed = getpwuid_r(uid, &entry, memory, size, &found);
	while (failed == EINTR);
	if (found != NULL) {
		err = account_from_entry(found, out, why);
	} else if (failed == ERANGE) {
		snprintf(why, SENTENCE_MAX, "the passwd entry of uid %ju is over %d bytes", (uintmax_t)uid,
			 ACCOUNT_ENTRY_MAX);
		err = ERR_LIMIT;
	} else {
		snprintf(why, SENTENCE_MAX, "uid %ju has no passwd entry (%s): make the account known to passwd",
			 (uintmax_t)uid, failed == 0 ? "not found" : strerror(failed));
		err = ERR_IO;
	}
	free(memory);
	return err;
}

enum err account_read(uid_t uid, struct account *out, char *why)
{
	enum err err = ERR_LIMIT;

	*out = (struct account){ 0 };
	for (size_t size = FIRST_SIZE; err == ERR_LIMIT && size <= ACCOUNT_ENTRY_MAX; size *= 4)
		err = read_entry(uid, size, out, why);
	return err;
}

void account_free(struct account *a)
{
	free(a->name);
	free(a->home);
	free(a->shell);
	*a = (struct account){ 0 };
}
