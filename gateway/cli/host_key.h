/* host_key: the public key by which clients know this machine.
 * Owner   the caller's buffer. */
#ifndef GATEWAY_CLI_HOST_KEY_H
#define GATEWAY_CLI_HOST_KEY_H

#include <stdbool.h>

#include "gateway/cli/sshd_settings.h"

enum { HOST_KEY_MAX = 1024 };   /* bytes of its two words, with the NUL; an RSA key of 4096 bits has 724 */

/* "ssh-ed25519 AAAA...", out of what sshd has told (text NULL: of the place where it usually is): ed25519 where there is
 * one, else the first that can be read. False: there is none. */
bool host_key_find(const struct sshd_settings *sshd, char key[HOST_KEY_MAX]);

/* The same from one file. False: it cannot be read, or is no public key. */
bool host_key_read(const char *path, char key[HOST_KEY_MAX]);

#endif
