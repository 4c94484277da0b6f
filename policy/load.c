#include "policy/load.h"

#include <stdlib.h>

#include "policy/faults.h"
#include "policy/ini.h"
#include "policy/owner.h"
#include "policy/pool.h"
#include "policy/resolve.h"
#include "policy/source.h"

void policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	pool_free(p->pool);
	free(p);
}

static struct policy *policy_new(const char *path)
{
	struct policy *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->pool = pool_new();
	if (p->pool != NULL)
		p->path = pool_text(p->pool, path);
	if (p->path != NULL)
		return p;
	policy_free(p);
	return NULL;
}

static void report(const struct faults *faults, policy_fault_fn *fault, void *context)
{
	struct faults more = { .items = NULL };

	if (fault == NULL)
		return;
	for (size_t i = 0; i < faults->count; i++)
		fault(context, &faults->items[i]);
	if (faults->left_out == 0)
		return;
	faults_add(&more, 0, "and %zu more", faults->left_out);
	if (more.count > 0)
		fault(context, &more.items[0]);
	else
		fault(context, &(struct policy_fault){ .text = "out of memory" });
	faults_free(&more);
}

bool policy_load_for(const struct caller *caller, const char *path, enum policy_trustee trustee, struct policy **out,
		     policy_fault_fn *fault, void *context)
{
	struct faults faults = { .items = NULL };
	struct policy *p = policy_new(path);
	struct source source;
	struct ini_file ini;

	*out = NULL;                    /* the caller never holds half a policy */
	if (p == NULL) {
		faults_add(&faults, 0, "cannot be loaded: out of memory");
	} else if (source_read(path, trustee, owner_of_program(), p->pool, &source, &faults)) {
		ini_read(source.text, source.len, &ini, &faults);
		resolve(&ini, caller, p, &faults);
		ini_free(&ini);
	}
	if (!faults_any(&faults)) {
		*out = p;
		p = NULL;               /* handed over */
	}
	report(&faults, fault, context);
	faults_free(&faults);
	policy_free(p);
	return *out != NULL;
}

bool policy_load(const char *path, enum policy_trustee trustee, struct policy **out, policy_fault_fn *fault,
		 void *context)
{
	return policy_load_for(NULL, path, trustee, out, fault, context);
}
