/* commands: one function per command of nix-gateway(8). Each gets the words behind the command's name and returns the
 * exit status; none exits by itself, so main alone ends the process. */
#ifndef GATEWAY_CLI_COMMANDS_H
#define GATEWAY_CLI_COMMANDS_H

#include <stdbool.h>

int command_serve(int argc, char **argv);
int command_authorized_keys(int argc, char **argv);
int command_check(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_env(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_machines(int argc, char **argv);

/* As a login shell: the words behind `-c`, or NULL where sshd asked for no command. */
int login_shell(const char *command);

/* The two halves of command_serve, for the login shell, which finds its words elsewhere. Arguments may be NULL: not
 * given. key_is_claim: the client itself may have written `key`. */
bool serve_options(int argc, char **argv, const char **key, const char **policy_path);
int serve_with(const char *key, const char *policy_path, const char *request, bool key_is_claim);

#endif
