#include "policy/resolve.h"

#include <string.h>

#include "policy/forms.h"
#include "policy/identities.h"
#include "policy/index.h"
#include "policy/resolve_check.h"
#include "policy/suggest.h"
#include "policy/values.h"

enum { ENVIRONMENT_MOST = 256 };        /* variables of [environment] */

struct role {
	const struct ini_section *section;      /* borrows */
	struct grant grant;                     /* default, then the role */
};

struct resolver {
	const struct ini_file *ini;     /* borrows */
	const struct caller *caller;    /* borrows; NULL: every key is kept, else those that can be the caller's */
	struct policy *p;               /* borrows */
	struct faults *faults;          /* borrows */
	struct faults late;             /* owns; of grants, told only where nothing else is wrong */
	struct pool *pool;              /* borrows; where what a section says is put */
	const struct grant *checked;    /* borrows; that of the key before, where it is one that keys share */
	struct grant *base;             /* lies in the pool: the built-in grant, then [default] */
	struct role *roles;             /* lie in the policy's pool; role_count of them */
	size_t role_count;
	struct index role_index;        /* a role's name -> its place in roles */
	struct index fingerprints;      /* ... -> its section's place in ini->sections */
};

static bool no_memory(struct resolver *r)
{
	faults_add(r->faults, 0, "cannot be loaded: out of memory");
	return false;
}

/* Where the values of one section go; NULL: its rows are not of that kind. */
struct target {
	struct gateway_settings *gateway;
	struct key *key;
	struct grant *grant;    /* of a key: NULL until it sets something of its own */
};

/* A grant is large: a key has one of its own only where it needs it, and else its role's. */
static bool give_own_grant(struct resolver *r, struct target *to)
{
	to->grant = pool_alloc(r->pool, sizeof *to->grant);
	if (to->grant == NULL)
		return no_memory(r);
	*to->grant = *to->key->grant;
	to->key->grant = to->grant;
	return true;
}

static void apply_one(struct resolver *r, const struct ini_section *section, const struct setting *s,
		      const struct ini_setting *set, struct target *to)
{
	struct reading reading = { .pool = r->pool, .faults = r->faults, .line = set->line };

	if (s->grant != NO_GRANT) {
		if (to->grant == NULL && !give_own_grant(r, to))
			return;
		to->grant->rules[s->grant].line = set->line;
		value_read(s, set->value, to->grant, &reading);
	} else if (s->sections == SECTION_GATEWAY) {
		value_read(s, set->value, to->gateway, &reading);
	} else {
		const struct text_list *prints = &to->key->fingerprints;
		size_t before = prints->count;

		value_read(s, set->value, to->key, &reading);
		for (size_t i = before; i < prints->count; i++)
			fingerprint_check(r->ini, section, prints->items[i], set->line, &r->fingerprints, r->faults);
	}
}

/* Reads a section's settings on top of what `to` holds already. */
static void apply(struct resolver *r, const struct ini_section *section, struct target *to)
{
	unsigned first[SETTINGS_MAX] = { 0 };   /* the line each setting stands in; 0: not yet */

	for (size_t i = section->first; i < section->first + section->count; i++) {
		const struct ini_setting *set = &r->ini->settings[i];
		const struct setting *s = setting_find(set->name, section->kind);

		if (s == NULL) {
			setting_unknown(set->name, section->kind, set->line, r->faults);
			continue;
		}
		if (first[setting_number(s)] != 0 && s->kind != VALUE_FINGERPRINTS) {
			faults_add(r->faults, set->line, "'%s' stands twice in this section, first in line %u", s->name,
				   first[setting_number(s)]);
			continue;
		}
		first[setting_number(s)] = set->line;
		apply_one(r, section, s, set, to);
	}
}

static bool variable_is_free(const struct ini_setting *set, struct faults *faults)
{
	static const char *const ours[] = { "HOME", "USER", "LOGNAME", "SHELL" };

	if (!form_variable(set->name)) {
		faults_add(faults, set->line, "'%.80s' is not a variable's name: letters, digits and _, at most 64",
			   set->name);
		return false;
	}
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		if (strcmp(set->name, ours[i]) == 0) {
			faults_add(faults, set->line, "'%s' is always the account's own and cannot be set", ours[i]);
			return false;
		}
	}
	return true;
}

static void read_environment(struct resolver *r, const struct ini_section *section)
{
	struct index names = { .slots = NULL };
	const struct index_slot *before;
	struct policy *p = r->p;

	if (section->count > ENVIRONMENT_MOST) {
		faults_add(r->faults, section->line, "[environment] has %zu variables; at most %d are read",
			   section->count, ENVIRONMENT_MOST);
		return;
	}
	p->environment = pool_array(p->pool, section->count, sizeof *p->environment);
	for (size_t i = section->first; p->environment != NULL && i < section->first + section->count; i++) {
		const struct ini_setting *set = &r->ini->settings[i];

		if (!variable_is_free(set, r->faults))
			continue;
		if (!index_add(&names, set->name, set->line, &before)) {
			no_memory(r);
			break;
		}
		if (before != NULL)
			faults_add(r->faults, set->line, "'%s' stands twice in this section, first in line %u",
				   set->name, before->value);
		else
			p->environment[p->environment_count++] = (struct variable){
				.name = set->name, .value = set->value, .rule = { .line = set->line } };
	}
	if (p->environment == NULL)
		no_memory(r);
	index_free(&names);
}

/* [gateway], [environment] and [default], wherever in the file they stand. */
static bool read_single_sections(struct resolver *r)
{
	r->base = pool_alloc(r->p->pool, sizeof *r->base);
	if (r->base == NULL || !default_gateway(&r->p->gateway, r->p->pool) || !default_grant(r->base, r->p->pool))
		return no_memory(r);
	for (size_t i = 0; i < r->ini->section_count; i++) {
		const struct ini_section *section = &r->ini->sections[i];

		if (section->kind == SECTION_GATEWAY)
			apply(r, section, &(struct target){ .gateway = &r->p->gateway });
		else if (section->kind == SECTION_DEFAULT)
			apply(r, section, &(struct target){ .grant = r->base });
		else if (section->kind == SECTION_ENVIRONMENT)
			read_environment(r, section);
	}
	return true;
}

static size_t sections_of(const struct ini_file *ini, enum section_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < ini->section_count; i++)
		count += ini->sections[i].kind == kind;
	return count;
}

static bool read_roles(struct resolver *r)
{
	const struct index_slot *before;

	r->roles = pool_array(r->p->pool, sections_of(r->ini, SECTION_ROLE), sizeof *r->roles);
	if (r->roles == NULL)
		return no_memory(r);
	for (size_t i = 0; i < r->ini->section_count; i++) {
		const struct ini_section *section = &r->ini->sections[i];
		struct role *role = &r->roles[r->role_count];

		if (section->kind != SECTION_ROLE)
			continue;
		*role = (struct role){ .section = section, .grant = *r->base };
		if (!index_add(&r->role_index, section->name, (uint32_t)r->role_count++, &before))
			return no_memory(r);
		apply(r, section, &(struct target){ .grant = &role->grant });
	}
	return true;
}

/* The grant a key starts from. An unknown role was said; [default] then serves to find further faults. */
static const struct grant *role_of(struct resolver *r, const struct ini_section *section)
{
	for (size_t i = section->first; i < section->first + section->count; i++) {
		const struct ini_setting *set = &r->ini->settings[i];
		const struct index_slot *slot = NULL;
		struct suggest near = suggest_for(set->value);
		char hint[SUGGEST_TEXT_MAX];

		if (strcmp(set->name, "role") != 0)
			continue;
		slot = index_find(&r->role_index, set->value);
		if (slot != NULL)
			return &r->roles[slot->value].grant;
		if (!name_is_plain(set->value))
			break;          /* said when the setting itself is read */
		for (size_t j = 0; j < r->role_count && !faults_full(r->faults); j++)
			suggest_try(&near, r->roles[j].section->name);
		faults_add(r->faults, set->line, "there is no [role %.60s]%s", set->value, suggest_text(&near, hint));
		break;
	}
	return r->base;
}

/* Keys of one role have one grant; values that were set in the same lines need no second look. A grant of a key's own was
 * set in lines of its own, and may lie where that of the key before has lain. */
static void check_grant(struct resolver *r, const struct key *key, bool shared)
{
	const struct grant *before = shared ? r->checked : NULL;

	r->checked = shared ? key->grant : NULL;
	if (before != NULL && memcmp(before->rules, key->grant->rules, sizeof before->rules) == 0)
		return;
	resolve_check_relay(key, &r->p->gateway, &r->late);
	resolve_check_trust(key, &r->p->gateway, &r->late);
}

static void read_key(struct resolver *r, const struct ini_section *section, struct key *key)
{
	size_t faults_before = r->faults->count + r->faults->left_out;
	struct target to = { .key = key };

	key->name = section->name;
	key->rule.line = section->line;
	key->grant = role_of(r, section);
	apply(r, section, &to);
	if (r->faults->count + r->faults->left_out == faults_before)
		resolve_check_identity(key, r->faults);         /* else what is missing may be what was misspelt */
	r->p->knows_identities |= key->fingerprints.count > 0 || key->certificate_authority != NULL;
	check_grant(r, key, to.grant == NULL);
}

/* A section that cannot be the caller's was read for its faults alone. What it said is forgotten, but for a certificate that
 * those of other sections are still to be compared with. */
static void keep_or_forget(struct resolver *r, struct key *key)
{
	if (r->caller == NULL)
		return;
	if (policy_could_be(key, r->caller)) {
		pool_take(r->p->pool, r->pool);
		return;
	}
	key->grant = NULL;
	key->fingerprints = (struct text_list){ .items = NULL };
	pool_reset(r->pool);
	if (key->certificate_authority == NULL) {
		*key = (struct key){ .name = NULL };
		r->p->key_count--;
	}
}

static bool read_keys(struct resolver *r)
{
	struct policy *p = r->p;
	size_t count = sections_of(r->ini, SECTION_KEY);

	if (count > POLICY_KEYS_MAX) {
		faults_add(r->faults, 0, "has %zu [key] sections; at most %d are read", count, POLICY_KEYS_MAX);
		return false;
	}
	p->keys = pool_array(p->pool, count, sizeof *p->keys);
	if (p->keys == NULL)
		return no_memory(r);
	for (size_t i = 0; i < r->ini->section_count; i++) {
		const struct ini_section *section = &r->ini->sections[i];
		struct key *key = &p->keys[p->key_count];

		if (section->kind != SECTION_KEY)
			continue;
		p->key_count++;
		read_key(r, section, key);
		keep_or_forget(r, key);
	}
	return true;
}

static bool read_all(struct resolver *r)
{
	bool fine;

	r->pool = r->p->pool;
	if (!read_single_sections(r) || !read_roles(r))
		return false;
	if (r->caller == NULL)
		return read_keys(r);
	r->pool = pool_new();
	fine = r->pool != NULL ? read_keys(r) : no_memory(r);
	pool_free(r->pool);
	return fine;
}

/* The keys that were kept for their certificates alone. */
static void forget_certificates(struct policy *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->key_count; i++) {
		if (p->keys[i].grant != NULL)
			p->keys[kept++] = p->keys[i];
	}
	p->key_count = kept;
}

void resolve(const struct ini_file *ini, const struct caller *caller, struct policy *p, struct faults *faults)
{
	struct resolver r = { .ini = ini, .caller = caller, .p = p, .faults = faults };

	if (read_all(&r)) {
		certificates_check(p, faults);
		forget_certificates(p);
		if (!faults_any(faults))
			faults_take(faults, &r.late);
	}
	faults_free(&r.late);
	index_free(&r.role_index);
	index_free(&r.fingerprints);
}
