#include "policy/identities.h"

#include <stdio.h>

#include "policy/pool.h"

static void no_memory(struct faults *faults)
{
	faults_add(faults, 0, "cannot be loaded: out of memory");
}

void fingerprint_check(const struct ini_file *ini, const struct ini_section *section, const char *fingerprint,
		       unsigned line, struct index *seen, struct faults *faults)
{
	const struct index_slot *before;
	const struct ini_section *other;

	if (!index_add(seen, fingerprint, (uint32_t)(section - ini->sections), &before)) {
		no_memory(faults);
		return;
	}
	if (before == NULL)
		return;
	other = &ini->sections[before->value];
	if (other == section)
		faults_add(faults, line, "the fingerprint %s stands twice in this section", fingerprint);
	else
		faults_add(faults, line,
			   "the fingerprint %s is that of [key %s] (line %u) already: one key, one "
			   "section",
			   fingerprint, other->name, other->line);
}

/* "CA\nPRINCIPAL\nKEY-ID", where what is not asked for is empty: no value holds a newline. */
static char *certificate_text(struct pool *pool, const char *ca, const char *principal, const char *key_id)
{
	int len = snprintf(NULL, 0, "%s\n%s\n%s", ca, principal, key_id);
	char *text = len < 0 ? NULL : pool_alloc(pool, (size_t)len + 1);

	if (text != NULL)
		snprintf(text, (size_t)len + 1, "%s\n%s\n%s", ca, principal, key_id);
	return text;
}

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

static void say_overlap(const struct policy *p, size_t key, size_t other, struct faults *faults)
{
	faults_add(faults, p->keys[key].rule.line,
		   "every certificate of [key %s] is one of [key %s] (line %u) too: change "
		   "principal or key-id of one of them",
		   p->keys[key].name, p->keys[other].name, p->keys[other].rule.line);
}

static void check_same(const struct policy *p, struct index *seen, struct pool *pool, struct faults *faults)
{
	for (size_t i = 0; i < p->key_count; i++) {
		const struct key *key = &p->keys[i];
		const struct index_slot *before;
		char *text;

		if (key->certificate_authority == NULL)
			continue;
		text =
		    certificate_text(pool, key->certificate_authority, or_empty(key->principal), or_empty(key->key_id));
		if (text == NULL || !index_add(seen, text, (uint32_t)i, &before)) {
			no_memory(faults);
			return;
		}
		if (before != NULL)
			say_overlap(p, i, before->value, faults);
	}
}

/* A key that asks for principal and key id, beside one that asks for either alone. */
static void check_wider(const struct policy *p, const struct index *seen, struct pool *pool, struct faults *faults)
{
	for (size_t i = 0; i < p->key_count; i++) {
		const struct key *key = &p->keys[i];

		if (key->certificate_authority == NULL || key->principal == NULL || key->key_id == NULL)
			continue;
		for (int by_principal = 0; by_principal < 2; by_principal++) {
			const char *text = certificate_text(pool, key->certificate_authority,
							    by_principal != 0 ? key->principal : "",
							    by_principal != 0 ? "" : key->key_id);
			const struct index_slot *wider = text == NULL ? NULL : index_find(seen, text);

			if (text == NULL)
				no_memory(faults);
			else if (wider != NULL)
				say_overlap(p, i, wider->value, faults);
		}
	}
}

void certificates_check(const struct policy *p, struct faults *faults)
{
	struct index seen = { .slots = NULL };
	struct pool *pool = pool_new();

	if (pool == NULL) {
		no_memory(faults);
		return;
	}
	check_same(p, &seen, pool, faults);
	check_wider(p, &seen, pool, faults);
	index_free(&seen);
	pool_free(pool);
}
