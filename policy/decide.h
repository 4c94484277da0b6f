/* decide: pure answers out of a loaded policy. No file, clock, log or look-up: what the answer depends on is handed in.
 * Every verdict names the rule behind it, so that audit and `explain` can say file and line. */
#ifndef POLICY_DECIDE_H
#define POLICY_DECIDE_H

#include "policy/model.h"

/* Who is calling, as far as it is known. Strings are lent by the caller; NULL: not known. */
struct caller {
	const char *key_name;                   /* --key NAME: decides alone */
	const char *fingerprint;                /* "SHA256:..." of the key, of a certificate the inner key */
	const char *certificate_authority;      /* "SHA256:..." of the CA that signed; NULL: a plain key */
	const char *key_id;                     /* of the certificate */
	const char *const *principals;          /* of the certificate; principal_count strings */
	size_t principal_count;
};

struct verdict {
	bool allow;
	struct rule rule;               /* what decided; line 0: no line did (silence means no) */
	char text[POLICY_TEXT_MAX];     /* when denied: the sentence of the contract, without "nix-gateway: " */
};

/* Finds the section for a caller. NULL: refused, and *why says so. A certificate's CA is matched before anything the
 * certificate says; a plain fingerprint names its section whatever role it has, also that of a certificate's inner key
 * where no section takes the certificate. [key *] is the last resort: for who is known and in no section, and for who
 * is not known where the policy knows nobody. *why allows and names the section's line when a key is found. */
const struct key *policy_identify(const struct policy *p, const struct caller *caller, struct verdict *why);

/* May policy_identify find this section for the caller, or for one of whom less is known? All others can be left out of
 * the policy without a change to what it answers. */
bool policy_could_be(const struct key *key, const struct caller *caller);

/* Is the last valid day over? A key without `expires` stays. */
bool policy_has_expired(const struct key *key, struct date today);

/* May this key open a session by this protocol (PROTOCOL_SSH_NG or PROTOCOL_SSH) on this day? */
struct verdict policy_decide_session(const struct policy *p, const struct key *key, enum protocol protocol,
				     struct date today);

#endif
