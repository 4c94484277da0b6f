/* err: the one list of what can go wrong, shared by every room.
 * A function that returns `enum err` has said all there is to say to its caller; the sentence a person reads is made
 * where the failure is understood (a session's refusal, a policy's FILE:LINE). ERR_NONE is 0, so `if (err)` reads well. */
#ifndef GATEWAY_BASE_ERR_H
#define GATEWAY_BASE_ERR_H

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

#define ERR_LIST(X)                                       \
	X(NONE, "no error")                               \
	X(PROTO, "the peer broke the protocol")           \
	X(LIMIT, "a value is over a fixed limit")         \
	X(DENIED, "refused by policy")                    \
	X(IO, "a system call failed")                     \
	X(CLOSED, "the peer has gone")                    \
	X(TIMEOUT, "the peer was too slow")               \
	X(MEMORY, "out of memory")

#define ERR_ENUM(name, text) ERR_##name,
enum err { ERR_LIST(ERR_ENUM) };

/* The text of an error, static; "unknown error" for a number that is none. */
const char *err_text(enum err err);

#endif
