#include "policy/operation.h"

#include "policy/settings.h"
#include "policy/verdict.h"
#include "policy/words.h"

struct verdict policy_decide_operation(const struct key *key, unsigned needed, const char *what, const char *subject)
{
	const struct grant *grant = key->grant;
	struct rule rule = grant->rules[GRANT_OPERATIONS];
	char allowed[WORDS_TEXT_MAX];

	if ((grant->operations & needed) == needed)
		return (struct verdict){ .allow = true, .rule = rule };
	words_of_bits(setting_of_grant(GRANT_OPERATIONS)->words, grant->operations, allowed);
	return verdict_refuse(rule, "%s may not %.*s (allowed: %s)%s%.*s; ask the builder's administrator", key->name,
			      VERDICT_WORD_MAX, what, allowed, subject == NULL ? "" : ": ", VERDICT_PATH_MAX,
			      subject == NULL ? "" : subject);
}
