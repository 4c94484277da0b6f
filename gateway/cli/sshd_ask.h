/* sshd_ask: sshd itself says what it would do for an account. Only root may ask. See sshd_settings.h. */
#ifndef GATEWAY_CLI_SSHD_ASK_H
#define GATEWAY_CLI_SSHD_ASK_H

#include "gateway/base/err.h"
#include "gateway/cli/sshd_settings.h"

/* Runs `sshd -T`, in bounded time. False with a sentence in `why` (SENTENCE_MAX bytes); out->text is NULL then. */
MUST_USE bool sshd_ask(const char *account, struct sshd_settings *out, char *why);

#endif
