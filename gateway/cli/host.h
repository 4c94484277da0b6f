/* host: what commands for administrators ask of a system in its own way: host_linux.c, host_darwin.c. */
#ifndef GATEWAY_CLI_HOST_H
#define GATEWAY_CLI_HOST_H

#include <stdbool.h>
#include <sys/types.h>

/* initgroups(3): all groups of the account, and `first`. */
bool host_take_groups(const char *account, gid_t first);

/* The place of the account's password says that nobody is let in: sshd heeds that, unless it leaves it to PAM. */
bool host_account_is_locked(const char *account);

/* What Nix's `sandbox` is where nix.conf does not say: "true" or "false". */
extern const char host_nix_sandbox[];

#endif
