#include "gateway/cli/doctor.h"

/* Who may log in is up to sshd and PAM, which other checks ask. */
const struct check checks_of_system[] = { { .name = NULL } };
