/* auth_info: the file in which sshd (ExposeAuthInfo yes) says how the client has proved itself: one line per method
 * that succeeded, of which we take exactly one, "publickey TYPE BASE64".
 * The client may have chosen the path (AcceptEnv), so nothing is believed that sshd would not have written: the file
 * is opened once, and owner, mode, links and size are judged on that descriptor.
 * Owner   out: ssh_key_free. `why` holds SENTENCE_MAX bytes and names the thing and the cure; not escaped yet.
 * Errors  ERR_IO: the file cannot be had. ERR_DENIED: not a file of sshd's making. ERR_LIMIT: over AUTH_INFO_MAX.
 *         ERR_PROTO: not one publickey line, or the key is none; else as ssh_key_parse. *out is empty then. */
#ifndef GATEWAY_IDENTITY_AUTH_INFO_H
#define GATEWAY_IDENTITY_AUTH_INFO_H

#include "gateway/identity/ssh_key.h"

enum { AUTH_INFO_MAX = 64 * 1024 };     /* bytes of the file */

/* path: the value of SSH_USER_AUTH. Unset is the caller's case ("no identity"), not ours; empty is refused. */
MUST_USE enum err auth_info_read(const char *path, struct ssh_identity *out, char *why);

#endif
