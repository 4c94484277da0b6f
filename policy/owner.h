/* owner: who owns the program that is running. Whoever does could exchange it, so is trusted with the policy as well. */
#ifndef POLICY_OWNER_H
#define POLICY_OWNER_H

#include <sys/types.h>

/* Of the system: owner_linux.c, owner_darwin.c. 0, so root alone, where it cannot be found out. */
uid_t owner_of_program(void);

#endif
