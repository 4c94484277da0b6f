#include "gateway/cli/host.h"

#include <grp.h>
#include <shadow.h>
#include <stddef.h>

const char host_nix_sandbox[] = "true";

bool host_take_groups(const char *account, gid_t first)
{
	return initgroups(account, first) == 0;
}

bool host_account_is_locked(const char *account)
{
	const struct spwd *entry = getspnam(account);

	return entry != NULL && entry->sp_pwdp != NULL && entry->sp_pwdp[0] == '!';
}
