/* forms: is a text of the form that a setting's value must have? Pure, for one word or one value at a time. */
#ifndef POLICY_FORMS_H
#define POLICY_FORMS_H

#include "policy/model.h"

bool form_system(const char *text);             /* x86_64-linux */
bool form_feature(const char *text);            /* big-parallel, gccarch-x86-64-v3 */
bool form_variable(const char *text);           /* http_proxy: the name of an environment variable */
bool form_variables(const char *text);          /* ... which may end in "*": all that start so */
bool form_fingerprint(const char *text);        /* SHA256: and 43 characters, as ssh-keygen -l prints it */
bool form_public_key(const char *text);         /* cache.example.org-1: and 44 characters, as nix key prints it */
bool form_uri(const char *text);                /* ssh-ng://host, daemon, /an/absolute/path */
bool form_path(const char *text);               /* absolute; no ".", "..", "//", blank, or slash at the end */
bool form_word(const char *text);               /* no blank and no comma */
bool form_text(const char *text);               /* anything that a line can hold */

bool form_date(const char *text, struct date *date);                    /* 2027-01-31, a day that exists */
bool form_number(const char *text, uint64_t *number, const char **unit);        /* digits; *unit: what is behind them */

#endif
