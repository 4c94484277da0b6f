/* Any bytes as a policy file. Property: it loads, or each fault has a line that the file has; a comment in front moves
 * the lines and changes nothing else, blanks at the ends of lines change nothing at all; what two readers could disagree
 * about never loads; and silence means no: what the text does not name, nobody may. */
#include <stdio.h>
#include <unistd.h>

#include "policy/build.h"
#include "policy/load.h"
#include "policy/operation.h"
#include "tests/fuzz/holds.h"

enum { ROOM = 64 * 1024, LINES = 128 };

/* What a text came to: the policy, or the lines of its faults. Warnings count as lines behind them. */
struct outcome {
	struct policy *policy;          /* owns; NULL: it does not load */
	unsigned lines[LINES];
	size_t count;
};

static void on_fault(void *context, const struct policy_fault *fault)
{
	struct outcome *o = context;

	HOLDS(fault->text[0] != '\0' && strlen(fault->text) < POLICY_TEXT_MAX);
	for (const char *c = fault->text; *c != '\0'; c++)
		HOLDS(*c >= 0x20 && *c < 0x7f);
	if (o->count < LINES)
		o->lines[o->count++] = fault->line;
}

/* By way of a file without a name. */
static struct outcome load(const void *text, size_t len)
{
	char path[32], name[] = "/tmp/nix-gateway-fuzz.XXXXXX";
	static int file = -1;
	struct outcome o = { .count = 0 };

	if (file < 0) {
		file = mkstemp(name);
		HOLDS(file >= 0 && unlink(name) == 0);
	}
	HOLDS(ftruncate(file, 0) == 0 && pwrite(file, text, len, 0) == (ssize_t)len && lseek(file, 0, SEEK_SET) == 0);
	snprintf(path, sizeof path, "/dev/fd/%d", file);
	HOLDS(policy_load(path, POLICY_OWNER_IGNORED, &o.policy, on_fault, &o) == (o.policy != NULL));
	HOLDS((o.policy == NULL) == (o.count > 0));
	if (o.policy != NULL)
		policy_warnings(o.policy, on_fault, &o);
	return o;
}

/* --- the same policy --- */

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_list(const struct text_list *a, const struct text_list *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return a->count == b->count && a->any == b->any;
}

static bool same_limit(const struct limit *a, const struct limit *b)
{
	return a->set == b->set && a->value == b->value;
}

static bool same_grant(const struct grant *a, const struct grant *b, unsigned shift)
{
	for (size_t i = 0; i < GRANT_SETTINGS; i++)
		if (a->rules[i].line + (a->rules[i].line > 0 ? shift : 0) != b->rules[i].line)
			return false;
	return a->protocols == b->protocols && a->derivations == b->derivations && a->relaxations == b->relaxations &&
	       a->operations == b->operations && same_list(&a->systems, &b->systems) &&
	       same_list(&a->features, &b->features) && same_list(&a->mandatory_features, &b->mandatory_features) &&
	       same_list(&a->impure_env_vars, &b->impure_env_vars) &&
	       same_list(&a->trusted_public_keys, &b->trusted_public_keys) &&
	       same_list(&a->remote_stores, &b->remote_stores) && a->fixed_output == b->fixed_output &&
	       a->trust == b->trust && a->unsigned_uploads == b->unsigned_uploads && a->relay == b->relay &&
	       same_limit(&a->timeout, &b->timeout) && same_limit(&a->cores, &b->cores) &&
	       same_limit(&a->max_silent_time, &b->max_silent_time) && same_limit(&a->max_jobs, &b->max_jobs) &&
	       same_limit(&a->keep_failed, &b->keep_failed) && same_limit(&a->idle_time, &b->idle_time) &&
	       same_limit(&a->use_substitutes, &b->use_substitutes) && same_limit(&a->stall_time, &b->stall_time);
}

static bool same_key(const struct key *a, const struct key *b, unsigned shift)
{
	return same_text(a->name, b->name) && a->rule.line + shift == b->rule.line &&
	       same_list(&a->fingerprints, &b->fingerprints) && same_text(a->principal, b->principal) &&
	       same_text(a->certificate_authority, b->certificate_authority) && same_text(a->key_id, b->key_id) &&
	       same_text(a->role, b->role) && a->expires.year == b->expires.year && a->expires.month == b->expires.month &&
	       a->expires.day == b->expires.day && same_grant(a->grant, b->grant, shift);
}

static void same_policy(const struct policy *a, const struct policy *b, unsigned shift)
{
	const struct gateway_settings *x = &a->gateway, *y = &b->gateway;

	HOLDS(same_text(x->nix, y->nix) && x->daemon == y->daemon && same_text(x->daemon_path, y->daemon_path));
	HOLDS(same_text(x->store_dir, y->store_dir) && x->account == y->account && x->audit == y->audit);
	HOLDS(same_text(x->audit_file, y->audit_file) && x->sandbox == y->sandbox);
	HOLDS(a->knows_identities == b->knows_identities && a->environment_count == b->environment_count);
	for (size_t i = 0; i < a->environment_count; i++)
		HOLDS(same_text(a->environment[i].name, b->environment[i].name) &&
		      same_text(a->environment[i].value, b->environment[i].value));
	HOLDS(a->key_count == b->key_count);
	for (size_t i = 0; i < a->key_count; i++)
		HOLDS(same_key(&a->keys[i], &b->keys[i], shift));
}

static void same(const struct outcome *a, const struct outcome *b, unsigned shift)
{
	HOLDS((a->policy == NULL) == (b->policy == NULL) && a->count == b->count);
	for (size_t i = 0; i < a->count; i++)
		HOLDS(a->lines[i] + (a->lines[i] > 0 ? shift : 0) == b->lines[i]);
	if (a->policy != NULL)
		same_policy(a->policy, b->policy, shift);
}

/* --- other spellings --- */

static void moves_behind_a_comment(const struct outcome *o, const uint8_t *text, size_t len)
{
	static const char comment[] = "; a comment\n";
	static uint8_t longer[ROOM + sizeof comment];
	struct outcome moved;

	if (len == 0)
		return;                 /* a file of nothing is refused for being that */
	memcpy(longer, comment, sizeof comment - 1);
	memcpy(longer + sizeof comment - 1, text, len);
	moved = load(longer, len + sizeof comment - 1);
	same(o, &moved, 1);
	policy_free(moved.policy);
}

/* A line that is nearly too long already is left as it is; carriage returns are told of once, and only at ends. */
static void takes_blanks_at_ends(const struct outcome *o, const uint8_t *text, size_t len)
{
	static uint8_t longer[3 * ROOM];
	struct outcome blanked;
	size_t n = 0, line = 0;

	if (memchr(text, '\r', len) != NULL)
		return;
	for (size_t i = 0; i < len; i++, line++) {
		if (text[i] == '\n' && line + 2 <= POLICY_LINE_MAX) {
			longer[n++] = ' ';
			longer[n++] = '\t';
		}
		if (text[i] == '\n')
			line = 0;
		longer[n++] = text[i];
	}
	blanked = load(longer, n);
	same(o, &blanked, 0);
	policy_free(blanked.policy);
}

static void does_not_stand_twice(const struct outcome *o, const uint8_t *text, size_t len)
{
	static uint8_t twice[2 * ROOM];
	struct outcome both;

	if (o->policy->key_count == 0)
		return;
	memcpy(twice, text, len);
	memcpy(twice + len, text, len);
	both = load(twice, 2 * len);
	HOLDS(both.policy == NULL);
}

/* --- what it says --- */

static bool names(const uint8_t *text, size_t len, const char *word)
{
	size_t n = strlen(word);

	for (size_t at = 0; at + n <= len; at++)
		if (memcmp(text + at, word, n) == 0)
			return true;
	return false;
}

static void is_unambiguous(const uint8_t *text, size_t len)
{
	size_t line = 0;

	HOLDS(len > 0 && text[len - 1] == '\n');
	for (size_t i = 0; i < len; i++) {
		HOLDS(text[i] >= 0x20 || text[i] == '\t' || text[i] == '\n');
		line = text[i] == '\n' ? 0 : line + 1;
		HOLDS(line <= POLICY_LINE_MAX);
	}
}

static bool may_build(const struct key *key, const char *system, const char *const *features, size_t count, unsigned kinds)
{
	struct build_ask ask = { .drv = "/nix/store/x.drv", .system = system, .features = features, .feature_count = count,
				 .kinds = kinds };
	struct verdict first = policy_decide_build(key, &ask), second = policy_decide_build(key, &ask);

	HOLDS(first.allow == second.allow && first.rule.line == second.rule.line);
	HOLDS(first.allow || (first.text[0] != '\0' && strcmp(first.text, second.text) == 0));
	return first.allow;
}

static void silence_means_no(const struct key *key, const uint8_t *text, size_t len)
{
	static const char *const feature[] = { "made-up-feature" };
	static const struct {
		unsigned bit;
		const char *word;
	} rights[] = { { OPS_CHECK, "check" }, { OPS_LOG, "log" }, { OPS_GC_ROOTS, "gc-roots" }, { OPS_GC, "gc" },
		       { OPS_SIGN, "sign" }, { OPS_LIST_ALL, "list-all" }, { OPS_REALISATIONS, "realisations" } };
	bool all = names(text, len, "*");

	HOLDS(all || !may_build(key, "made-up-system", NULL, 0, 0));
	HOLDS(all || names(text, len, feature[0]) || !may_build(key, NULL, feature, 1, 0));
	HOLDS(all || names(text, len, "impure") || !may_build(key, NULL, NULL, 0, KIND_IMPURE));
	HOLDS(all || names(text, len, "content-addressed") || !may_build(key, NULL, NULL, 0, KIND_CONTENT_ADDRESSED));
	for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
		HOLDS(all || names(text, len, rights[i].word) ||
		      !policy_decide_operation(key, rights[i].bit, "do that", NULL).allow);
	HOLDS(names(text, len, "full") || key->grant->trust != TRUST_FULL);
	HOLDS(names(text, len, "exec") || key->grant->relay != RELAY_EXEC);
	HOLDS(key->grant->stall_time.set && key->grant->idle_time.set && key->grant->protocols <= 3);
}

/* Each key is found by its name and by each of its fingerprints, and nobody by another. */
static void tells_keys_apart(const struct policy *p, const struct key *key)
{
	struct caller by_name = { .key_name = key->name }, stranger = { .fingerprint = "SHA256:nobody" };
	const struct key *found;
	struct verdict why;

	HOLDS(policy_identify(p, &by_name, &why) == key && why.allow);
	for (size_t i = 0; i < key->fingerprints.count; i++) {
		struct caller caller = { .fingerprint = key->fingerprints.items[i] };

		HOLDS(policy_identify(p, &caller, &why) == key);
	}
	found = policy_identify(p, &stranger, &why);
	HOLDS(found == NULL || strcmp(found->name, "*") == 0);
	HOLDS((found != NULL) == why.allow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome o;
	unsigned lines = 1;

	if (size > ROOM)
		return 0;
	o = load(data, size);
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	for (size_t i = 0; i < o.count; i++)
		HOLDS(o.lines[i] <= lines);
	moves_behind_a_comment(&o, data, size);
	takes_blanks_at_ends(&o, data, size);
	if (o.policy != NULL) {
		is_unambiguous(data, size);
		does_not_stand_twice(&o, data, size);
		for (size_t i = 0; i < o.policy->key_count; i++) {
			silence_means_no(&o.policy->keys[i], data, size);
			tells_keys_apart(o.policy, &o.policy->keys[i]);
		}
	}
	policy_free(o.policy);
	return 0;
}
