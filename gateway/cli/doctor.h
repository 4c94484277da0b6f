/* doctor: is this builder as it should be? What can be seen is gathered first; then each check, a row of a table, judges
 * it without looking at anything else, so that the judges can be tested with made-up builders.
 *
 * Two phases where root asks: what only root can see (sshd's own account of its configuration), then for good as the
 * builder's account, so that the rest is seen with the eyes of a session, and nothing that the account could have placed
 * is run with root's rights.
 * Owner   a struct doctor owns its texts and frees them where it is made; builder and key are borrowed. */
#ifndef GATEWAY_CLI_DOCTOR_H
#define GATEWAY_CLI_DOCTOR_H

#include <limits.h>

#include "gateway/cli/builder.h"
#include "gateway/cli/finding.h"
#include "gateway/cli/nix_settings.h"
#include "gateway/cli/sshd_settings.h"
#include "gateway/env/nix_version.h"
#include "gateway/nix/hello.h"

/* Who asks decides what is looked at and shown. */
enum audience {
	FOR_OWNER = 1 << 0,             /* of a key, over ssh: nothing of the administrator's files */
	FOR_ACCOUNT = 1 << 1,           /* the builder's account itself, on the builder */
	FOR_ROOT = 1 << 2
};

struct nix_seen {
	bool found, answers;
	struct nix_version version;
	char why[SENTENCE_MAX];
};

struct daemon_seen {
	bool answers;
	char where[SENTENCE_MAX], version[DAEMON_VERSION_MAX + 1], why[SENTENCE_MAX];
	enum hello_trust trust;
	int64_t took_ms;
};

struct policy_seen {
	unsigned faults, warnings;
	char fault[SENTENCE_MAX], warning[SENTENCE_MAX];        /* the first of each, with file and line */
};

struct shell_seen {
	bool ours;                      /* it is this very program: nothing was run */
	enum err err;
	int status, error;              /* error: errno where err is ERR_IO */
	char out[256], noise[256];      /* what it prints on stdout and stderr, cut, not escaped */
};

struct folder_seen {
	char path[PATH_MAX];            /* "": nothing is wrong */
	const char *fault;              /* static: "belongs to the account", ... */
};

struct state_seen {
	bool there, open, writable;     /* open: to others than root and the account */
};

struct audit_seen {
	bool to_stderr;                 /* auto, and there is no syslog */
	char why[SENTENCE_MAX];         /* "": it can be written */
};

struct confinement_seen {
	unsigned locks;                 /* enum sandbox_lock */
	char why[SENTENCE_MAX];         /* what the system answered, where it did not work */
};

enum { GROUPS_TEXT_MAX = 4096 };

struct doctor {
	enum audience audience;
	const char *policy_path, *program;      /* borrow; program: our own path, "" if not known */
	struct builder *builder;                /* borrows; its policy is NULL if it does not load */
	const struct key *key;                  /* borrows; of the owner who asks */
	struct policy_seen policy;
	struct nix_seen nix;
	struct daemon_seen daemon;
	struct nix_settings conf;
	char conf_fault[SENTENCE_MAX];          /* "": nix.conf can be read */
	struct shell_seen shell;
	struct folder_seen home;                /* a place where the account could leave something that runs */
	struct state_seen state;
	struct audit_seen audit;
	struct sshd_settings sshd;              /* text NULL: not seen, and sshd_fault says why */
	char sshd_fault[SENTENCE_MAX];
	bool locked;                            /* the account has no password that could be right: see usepam */
	char groups[GROUPS_TEXT_MAX];           /* the account's, a word each */
	struct keys_seen keys;                  /* the files of keys that sshd would read */
	struct confinement_seen confinement;
};

typedef void check_fn(const struct doctor *d, struct finding *f);

struct check {
	const char *name;
	check_fn *judge;
	unsigned audiences;             /* enum audience: who is shown it */
	bool needs_policy;              /* without one there is nothing to say */
};

/* The checks, a table for each subject; all end with a row without a name. Those of_system are in doctor_linux.c or
 * doctor_darwin.c. */
extern const struct check checks_of_nix[], checks_of_conf[], checks_of_grants[], checks_of_account[], check_of_sshd[],
	checks_of_sshd_way[], checks_of_sshd_doors[], checks_of_system[], checks_of_confinement[];

/* What is gathered, in this order. look_at_sshd is root's; the others are the account's. */
void look_at_sshd(struct doctor *d, const char *account);
void look_at_policy(struct doctor *d);
void look_at_nix(struct doctor *d);
void look_at_daemon(struct doctor *d);
void look_at_conf(struct doctor *d);
void look_at_account(struct doctor *d);
void look_at_keys(struct doctor *d);                    /* and groups */
void look_at_confinement(struct doctor *d);             /* nothing can be looked at behind it */

/* `ssh builder@host doctor`: the builder is the visit's, its policy loaded and the key known. Returns the exit status. */
int doctor_for_owner(struct builder *builder, const struct key *key, const char *policy_path);

#endif
