/* macOS lets in by ssh whom a group of its directory names, whatever sshd_config says. */
#include "gateway/cli/doctor.h"

#include <grp.h>
#include <unistd.h>

#define ACCESS_GROUP "com.apple.access_ssh"

enum { GROUPS_MAX = 1024 };

/* Groups within groups are counted by the system. */
static bool is_member(const struct doctor *d, gid_t wanted)
{
	int groups[GROUPS_MAX], count = GROUPS_MAX;

	(void)getgrouplist(d->builder->account.name, (int)getgid(), groups, &count);
	for (int i = 0; i < count && i < GROUPS_MAX; i++)
		if ((gid_t)groups[i] == wanted)
			return true;
	return false;
}

static void judge_access(const struct doctor *d, struct finding *f)
{
	const struct group *group = getgrnam(ACCESS_GROUP);

	if (group == NULL) {
		finding_ok(f, "Remote Login is open to all accounts");
	} else if (is_member(d, group->gr_gid)) {
		finding_ok(f, "the account is in the group " ACCESS_GROUP);
	} else {
		finding_fail(f, "Remote Login is for the group " ACCESS_GROUP ", and the account is not in it");
		finding_mend(f, "dseditgroup -o edit -a %s -t user " ACCESS_GROUP, d->builder->account.name);
	}
}

const struct check checks_of_system[] = {
	{ "remote-login", judge_access, FOR_ACCOUNT | FOR_ROOT, false },
	{ .name = NULL },
};
