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
	struct policy *p;               /* borrows */
	struct faults *faults;          /* borrows */
	struct grant *base;             /* lies in the pool: the built-in grant, then [default] */
	struct role *roles;             /* lie in the policy's pool; role_count of them */
	size_t role_count;
	struct index role_index;        /* a role's name -> its place in roles */
	struct index fingerprints;      /* ... -> its key's place in p->keys */
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
	struct grant *grant;
};

static void apply_one(struct resolver *r, const struct setting *s, const struct ini_setting *set,
		      const struct target *to)
{
	struct reading reading = { .pool = r->p->pool, .faults = r->faults, .line = set->line };

	if (s->grant != NO_GRANT) {
		to->grant->rules[s->grant].line = set->line;
		value_read(s, set->value, to->grant, &reading);
	} else if (s->sections == SECTION_GATEWAY) {
		value_read(s, set->value, to->gateway, &reading);
	} else {
		size_t before = to->key->fingerprints.count;

		value_read(s, set->value, to->key, &reading);
		fingerprints_check(r->p, before, set->line, &r->fingerprints, r->faults);
	}
}

/* Reads a section's settings on top of what `to` holds already. */
static void apply(struct resolver *r, const struct ini_section *section, const struct target *to)
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
		apply_one(r, s, set, to);
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

static bool sets_grant(const struct resolver *r, const struct ini_section *section)
{
	for (size_t i = section->first; i < section->first + section->count; i++) {
		const struct setting *s = setting_find(r->ini->settings[i].name, section->kind);

		if (s != NULL && s->grant != NO_GRANT)
			return true;
	}
	return false;
}

/* A key that sets nothing of a grant shares its role's. */
static bool read_key(struct resolver *r, const struct ini_section *section, struct key *key)
{
	size_t faults_before = r->faults->count + r->faults->left_out;
	struct grant *own = NULL;

	key->name = section->name;
	key->rule.line = section->line;
	key->grant = role_of(r, section);
	if (sets_grant(r, section)) {
		own = pool_alloc(r->p->pool, sizeof *own);
		if (own == NULL)
			return no_memory(r);
		*own = *key->grant;
		key->grant = own;
	}
	apply(r, section, &(struct target){ .key = key, .grant = own });
	if (r->faults->count + r->faults->left_out == faults_before)
		resolve_check_identity(key, r->faults);         /* else what is missing may be what was misspelt */
	r->p->knows_identities |= key->fingerprints.count > 0 || key->certificate_authority != NULL;
	return true;
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

		if (section->kind == SECTION_KEY && !read_key(r, section, &p->keys[p->key_count++]))
			return false;
	}
	return true;
}

/* Keys of one role have one grant; values that were set in the same lines need no second look. */
static bool same_grant(const struct key *a, const struct key *b)
{
	return a->grant == b->grant || memcmp(a->grant->rules, b->grant->rules, sizeof a->grant->rules) == 0;
}

static void check_grants(const struct policy *p, struct faults *faults)
{
	for (size_t i = 0; i < p->key_count; i++) {
		if (i > 0 && same_grant(&p->keys[i], &p->keys[i - 1]))
			continue;
		resolve_check_relay(&p->keys[i], &p->gateway, faults);
		resolve_check_trust(&p->keys[i], &p->gateway, faults);
	}
}

void resolve(const struct ini_file *ini, struct policy *p, struct faults *faults)
{
	struct resolver r = { .ini = ini, .p = p, .faults = faults };

	if (read_single_sections(&r) && read_roles(&r) && read_keys(&r)) {
		certificates_check(p, faults);
		if (!faults_any(faults))
			check_grants(p, faults);
	}
	index_free(&r.role_index);
	index_free(&r.fingerprints);
}
