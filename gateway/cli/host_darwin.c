#include "gateway/cli/host.h"

#include <grp.h>
#include <unistd.h>

const char host_nix_sandbox[] = "false";        /* much of nixpkgs does not build in it there */

bool host_take_groups(const char *account, gid_t first)
{
	return initgroups(account, (int)first) == 0;
}

/* Passwords are the directory service's, and Apple's sshd leaves all of that to PAM. */
bool host_account_is_locked(const char *account)
{
	(void)account;
	return false;
}
