/* machines: how a client names this builder: one line of its machines file, out of the grant.
 * Source  Nix manual, "Distributed builds": store, systems, identity file, max jobs, speed, features, mandatory. */
#ifndef GATEWAY_CLI_MACHINES_H
#define GATEWAY_CLI_MACHINES_H

#include <stdio.h>

#include "policy/model.h"

void machines_line(FILE *to, const struct grant *grant, const char *user, const char *host);

#endif
