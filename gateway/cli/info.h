/* info: what the gateway tells a key's owner: who they are to it, what they may do, and whether the builder is well. */
#ifndef GATEWAY_CLI_INFO_H
#define GATEWAY_CLI_INFO_H

#include "gateway/cli/visit.h"

/* Prints to stdout for an admitted visit; returns the exit status: EXIT_REFUSED where builds cannot work. */
int info_print(struct visit *v);

/* Its last line alone, with the host key. */
int info_print_machine(struct visit *v);

#endif
