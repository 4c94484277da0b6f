/* account: the passwd entry of the account we run as. The environment says the same things, but whoever reaches sshd
 * may have chosen them; passwd is the administrator's.
 * Owner   a struct account owns its strings until account_free. `why` holds SENTENCE_MAX bytes, not escaped yet.
 * Errors  ERR_IO: no entry, or it cannot be read. ERR_DENIED: an entry that cannot be used (home not absolute, a name
 *         that would change a path). ERR_LIMIT: over ACCOUNT_ENTRY_MAX. ERR_MEMORY. *out is empty then. */
#ifndef GATEWAY_ENV_ACCOUNT_H
#define GATEWAY_ENV_ACCOUNT_H

#include <pwd.h>
#include <sys/types.h>

#include "gateway/base/err.h"

enum { ACCOUNT_ENTRY_MAX = 64 * 1024 }; /* bytes of one passwd entry */

struct account {
	uid_t uid;
	char *name, *home, *shell;      /* own; home and shell absolute */
};

MUST_USE enum err account_read(uid_t uid, struct account *out, char *why);      /* uid: getuid() */
MUST_USE enum err account_from_entry(const struct passwd *entry, struct account *out, char *why);
void account_free(struct account *a);   /* leaves it empty; fine twice */

#endif
