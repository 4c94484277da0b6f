/* source: a policy file's text, from a file that nobody but root and the program's owner can have written.
 * The file is opened once. What is judged is that open descriptor, and the way to it: every folder and every link that
 * the path goes through, those of a link's target as well, for whoever can exchange one of them chooses the policy.
 * A link's folders count too: /nix/store holds root's files with anybody's text, so where a link leads is no proof.
 * At the end the way must have led to the very object that was opened.
 *
 * May write: root, and the owner of this program (who could exchange the program instead). A folder that belongs to
 * root and is sticky may be writable by its group (/nix/store) or by all (/tmp): in it only an entry's owner, and root,
 * can rename or remove the entry, and the entry's owner is judged next.
 * Errors  false: one fault was added, with the file or folder at fault and the cure. */
#ifndef POLICY_SOURCE_H
#define POLICY_SOURCE_H

#include <sys/types.h>

#include "policy/faults.h"
#include "policy/load.h"
#include "policy/pool.h"

enum { SOURCE_MAX = 16 * 1024 * 1024, SOURCE_LINKS_MAX = 40 };

struct source {
	char *text;     /* lies in the pool; len bytes and a NUL */
	size_t len;
};

bool source_read(const char *path, enum policy_trustee trustee, uid_t program_owner, struct pool *pool,
		 struct source *out, struct faults *faults);

#endif
