/* audit: the proof of what happened, one JSON object a line, to every place the policy names.
 * A record that cannot be written to each of its places is an error: the caller then refuses what it was about.
 * Owner   audit_open opens what it needs and keeps it, so that nothing has to be opened after confinement.
 * Errors  ERR_IO with the reason in `why` (SENTENCE_MAX bytes).
 * Source  nix-gateway(8), AUDIT. */
#ifndef GATEWAY_AUDIT_AUDIT_H
#define GATEWAY_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"

enum audit_place {
	AUDIT_TO_AUTO = 1 << 0,         /* the syslog socket, else stderr */
	AUDIT_TO_SYSLOG = 1 << 1,
	AUDIT_TO_STDERR = 1 << 2,
	AUDIT_TO_FILE = 1 << 3
};

struct audit {
	unsigned places;                /* enum audit_place; never AUTO once open */
	int syslog, file;               /* own; -1: not used */
	bool torn;                      /* the file's last line has no end: a full disk has cut it */
	const char *path;               /* borrows: the file's name, for the reason of a failure */
	char session[33];               /* random, hexadecimal */
	const char *key, *fingerprint, *peer;   /* borrow; NULL: not known, left out. The caller may set them at any time */
};

/* One member of a record behind those that every record has. */
struct audit_field {
	const char *name;
	enum { AUDIT_TEXT, AUDIT_NUMBER } kind;
	const char *text;               /* foreign bytes allowed: they are escaped. NULL: the member is left out */
	uint64_t number;
};

/* Before audit_open (or after audit_close), records go nowhere: an audit of no places. */
void audit_init(struct audit *a);
MUST_USE enum err audit_open(struct audit *a, unsigned places, const char *file, char *why);
void audit_close(struct audit *a);

MUST_USE enum err audit_write(struct audit *a, const char *event, const struct audit_field *fields, size_t count,
			      char *why);

#endif
