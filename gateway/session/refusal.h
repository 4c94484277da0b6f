/* refusal: a session that is not to be, told where people read it.
 * For the worker protocol the handshake is finished in the client's version and the sentence goes where the first
 * STDERR_LAST is due: every client prints it behind "cannot open connection", and a build hook then turns to the next
 * machine. The serve protocol has no such place; there stderr is all there is, and the caller has used it already. */
#ifndef GATEWAY_SESSION_REFUSAL_H
#define GATEWAY_SESSION_REFUSAL_H

/* Speaks the worker protocol on the two descriptors until the client has read the sentence and left, or the time is
 * over. `sentence` is one escaped line without "nix-gateway: ". Takes over both descriptors. */
void refusal_tell_worker(int in, int out, const char *sentence);

#endif
