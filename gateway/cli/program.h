/* program: the path of the program itself, as the system knows it, not as argv says. */
#ifndef GATEWAY_CLI_PROGRAM_H
#define GATEWAY_CLI_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

/* Absolute, NUL-terminated. False where the system does not tell or `size` is too small. Ask before process_settle: on
 * Linux a process that is not dumpable may not read its own /proc/self/exe. Of the system: program_linux.c,
 * program_darwin.c. */
bool program_path(char *path, size_t size);

#endif
