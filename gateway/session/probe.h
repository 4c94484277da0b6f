/* probe: does the daemon trust our account? Daemons from 1.35 say so themselves; older ones are asked in a way that
 * harms nothing: they add a small text of fixed content and are then asked to add no signature at all to it, which is
 * for trusted clients only. */
#ifndef GATEWAY_SESSION_PROBE_H
#define GATEWAY_SESSION_PROBE_H

#include "gateway/session/session.h"

MUST_USE enum err probe_trust(struct session *s, enum hello_trust *trust);

#endif
