/* tags: what a daemon's messages begin with while an operation runs.
 * Source  NixOS/nix libstore/worker-protocol.hh (STDERR_*). */
#ifndef GATEWAY_WIRE_TAGS_H
#define GATEWAY_WIRE_TAGS_H

enum stderr_tag {
	STDERR_NEXT = 0x6f6c6d67,               /* string: a line of log */
	STDERR_READ = 0x64617461,               /* number: send me at most so many bytes */
	STDERR_WRITE = 0x64617416,              /* string: bulk for the client */
	STDERR_START_ACTIVITY = 0x53545254,     /* id, level, type, text, fields, parent */
	STDERR_STOP_ACTIVITY = 0x53544f50,      /* id */
	STDERR_RESULT = 0x52534c54,             /* id, type, fields */
	STDERR_LAST = 0x616c7473,               /* nothing: the reply follows */
	STDERR_ERROR = 0x63787470               /* put_error has both forms; no reply follows */
};

/* The two kinds of fields that activities and results carry. */
enum stderr_field { STDERR_FIELD_NUMBER = 0, STDERR_FIELD_TEXT = 1 };

enum { MINOR_STRUCTURED_ERRORS = 26 };  /* 1.26: errors as a structure; before, a message and a status */

#endif
