/* What locks a session's process in. It is found out by being locked in, so this is the last check of all. */
#include "gateway/cli/doctor.h"
#include "gateway/sandbox/sandbox.h"

void look_at_confinement(struct doctor *d)
{
	const struct sandbox_plan plan = { .child = 0 };

	if (d->builder->policy->gateway.sandbox != CONFINE_OFF &&
	    sandbox_enter(&plan, &d->confinement.locks, d->confinement.why) != ERR_NONE)
		d->confinement.locks &= ~(unsigned)SANDBOX_CALLS;
}

static void judge_confinement(const struct doctor *d, struct finding *f)
{
	enum confine wanted = d->builder->policy->gateway.sandbox;

	if (wanted == CONFINE_OFF) {
		finding_warn(f, "the policy has it off: a flaw in the gateway would be a flaw in the builder");
		finding_mend(f, "say '[gateway] sandbox = require', or leave it out");
	} else if ((d->confinement.locks & SANDBOX_CALLS) != 0) {
		finding_ok(f, "sessions are locked in by %s", sandbox_name(d->confinement.locks));
	} else if (wanted == CONFINE_REQUIRE) {
		finding_fail(f, "%s, and the policy requires it: no session starts", d->confinement.why);
		finding_mend(f, "a kernel with seccomp, or '[gateway] sandbox = auto'");
	} else {
		finding_warn(f, "sessions are not locked in: %s", d->confinement.why);
		finding_mend(f, "a kernel, or a container, that allows seccomp");
	}
}

const struct check checks_of_confinement[] = {
	{ "confinement", judge_confinement, FOR_ACCOUNT | FOR_ROOT, true },
	{ .name = NULL },
};
