/* path_upload: paths that come with their description (AddToStoreNar and its kin), one after the other: each judged,
 * then forwarded, or taken off the wire, or the end of the upload.
 * Owner   the caller initialises and frees `in`.
 * Errors  as intake.h. */
#ifndef GATEWAY_SESSION_PATH_UPLOAD_H
#define GATEWAY_SESSION_PATH_UPLOAD_H

#include "gateway/nix/content_address.h"
#include "gateway/session/intake.h"
#include "gateway/session/storable.h"

struct path_upload {
	struct intake in;
	bool rebuild;           /* what is not storable is taken off the wire; else it ends the upload */
	size_t taken_off;       /* how many were */
};

void path_upload_init(struct path_upload *up, bool rebuild);

/* The path that `head` describes; its archive comes next in the content, or lies in the session's spool. */
MUST_USE enum err path_upload_next(struct session *s, struct path_upload *up, struct value *head);
MUST_USE enum err path_upload_spooled(struct session *s, struct path_upload *up, struct value *head);

/* Decides on the doubtful ones: what is valid already is well; else it is taken off the wire, or the upload fails. */
MUST_USE enum err path_upload_settle(struct session *s, struct path_upload *up);

/* Tells a worker client how many were taken off the wire, before the end of the operation. */
MUST_USE enum err path_upload_tell(struct session *s, struct path_upload *up);

/* The text of a derivation, for what is named as one. */
MUST_USE enum err path_upload_check_text(struct session *s, struct intake *in, struct text name,
					 const struct buf *body);

#endif
