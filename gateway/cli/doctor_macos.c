/* macOS lets in by ssh whom a group of its directory names, whatever sshd_config says. Elsewhere there is no such check. */
#include "gateway/cli/doctor.h"

#ifdef __APPLE__
#include <grp.h>
#include <membership.h>
#include <string.h>
#include <uuid/uuid.h>

#define ACCESS_GROUP "com.apple.access_ssh"

static void judge_access(const struct doctor *d, struct finding *f)
{
	const struct group *group = getgrnam(ACCESS_GROUP);
	uuid_t user_id, group_id;
	int member = 0;

	if (group == NULL) {
		finding_ok(f, "Remote Login is open to all accounts");
	} else if (mbr_uid_to_uuid(d->builder->account.uid, user_id) != 0 || mbr_gid_to_uuid(group->gr_gid, group_id) != 0 ||
		   mbr_check_membership(user_id, group_id, &member) != 0) {
		finding_warn(f, "whether the account is in the group " ACCESS_GROUP " cannot be found out");
	} else if (member == 0) {
		finding_fail(f, "Remote Login is for the group " ACCESS_GROUP ", and the account is not in it");
		finding_mend(f, "dseditgroup -o edit -a %s -t user " ACCESS_GROUP, d->builder->account.name);
	} else {
		finding_ok(f, "the account is in the group " ACCESS_GROUP);
	}
}

const struct check checks_of_macos[] = {
	{ "remote-login", judge_access, FOR_ACCOUNT | FOR_ROOT, false },
	{ .name = NULL },
};
#else
const struct check checks_of_macos[] = { { .name = NULL } };
#endif
