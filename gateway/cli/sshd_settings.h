/* sshd_settings: what sshd says it would do for an account (sshd -T -C user=NAME), and who its files of keys let in.
 * Owner   sshd_settings.text is the caller's to free; keys_seen holds its own texts. Texts given are lent.
 * Source  sshd(8), AUTHORIZED_KEYS FILE FORMAT; sshd_config(5). */
#ifndef GATEWAY_CLI_SSHD_SETTINGS_H
#define GATEWAY_CLI_SSHD_SETTINGS_H

#include <limits.h>
#include <stdbool.h>

#include "gateway/env/account.h"
#include "gateway/nix/text.h"

struct sshd_settings {
	char *text;             /* owns; lines of a name in small letters, a space and a value. NULL: not known */
};

/* The value of a setting, or where it is repeated, of its `nth` line, from 0. bytes NULL: there is none. */
struct text sshd_value_nth(const struct sshd_settings *s, const char *name, unsigned nth);
struct text sshd_value(const struct sshd_settings *s, const char *name);
bool sshd_says(const struct sshd_settings *s, const char *name, const char *value);
/* A number; -1: there is none. */
long sshd_number(const struct sshd_settings *s, const char *name);

/* What the lines of files of keys come to. A place is "FILE:LINE"; "": there is none. */
struct keys_seen {
	unsigned count;                         /* keys that may log in */
	unsigned named;                         /* of them, whose command has --key */
	char open[PATH_MAX + 16];               /* the first whose command is not the gateway's serve */
	char unrestricted[PATH_MAX + 16];       /* the first without `restrict`, or with something given back */
	char missing[PATH_MAX];                 /* the first file that is not there */
	char unreadable[PATH_MAX];              /* the first that the account, as which sshd reads it, cannot read */
	char writable[PATH_MAX];                /* the first that the account could change or replace */
};

/* One file of keys, as text. `path` is for the places. */
void keys_read_text(struct keys_seen *seen, const char *path, struct text text);

/* A path of AuthorizedKeysFile for an account: tokens replaced, below its home where it is relative. False: too long. */
bool keys_file_path(struct text word, const struct account *account, char path[PATH_MAX]);

/* Is this the gateway's `serve`? *key: it has --key. policy: the file behind --policy; PATH_MAX bytes; "": none. */
bool command_is_serve(struct text command, bool *key, char *policy);

#endif
