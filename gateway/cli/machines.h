/* machines: how a client names this builder, out of the grant and of what the builder offers: a line of its machines
 * file, or the same for NixOS, home-manager and ssh_config.
 * Owner   a struct machine borrows all it points to.
 * Source  Nix manual, "Remote Builds": store, systems, identity file, max jobs, speed, features, mandatory, host key. */
#ifndef GATEWAY_CLI_MACHINES_H
#define GATEWAY_CLI_MACHINES_H

#include <stdbool.h>
#include <stdio.h>

#include "gateway/cli/host_key.h"
#include "gateway/cli/nix_settings.h"
#include "policy/model.h"

struct machine {
	const char *key;                        /* the section's name */
	const struct grant *grant;
	const struct nix_settings *offered;     /* stands where the grant says "*" */
	const char *user, *host;                /* host: as machine_host_is_fine has it */
	char host_key[HOST_KEY_MAX];            /* "": not known, left out */
};

/* A host's name or address: no port, which is ssh_config's to say, and nothing that a file of Nix would take for more. */
bool machine_host_is_fine(const char *host);

/* The line of a machines file. */
void machine_print_line(FILE *to, const struct machine *m);

/* By the name of a format: machines, nixos, home-manager, ssh-config. False: no such format, nothing printed. */
bool machine_print(FILE *to, const struct machine *m, const char *format);

#endif
