/* stances: the grants under which sessions are fuzzed, each as a policy says it, and once more in the words of who
 * watches what goes upstream. The two are written apart from each other, so that a gate that opens too far is seen. */
#ifndef TESTS_FUZZ_STANCES_H
#define TESTS_FUZZ_STANCES_H

#include <stdbool.h>
#include <stdint.h>

#define FUZZ_STORE "/srv/store"
/* Whose signatures are believed. tests/attack/signed_seeds.py has the secret keys, and signs seeds with them. */
#define FUZZ_KEY "fuzz-1:2LaoZq1Ne5JaGa3pREKNVu7qIfQP0fnj60IxgG8FbPA="
#define FUZZ_OTHER_KEY "fuzz-2:sRpAfvgrLXVTWpqsv0e00Z7Y5FKgsB6B7zQpn5WFogY="

static const char stances_policy[] =
	"[gateway]\n"
	"store-dir = " FUZZ_STORE "\n"
	"[key plain]\n"
	"systems = x86_64-linux\n"
	"features = kvm\n"
	"[key asks]\n"
	"operations = query\n"
	"[key copies]\n"
	"operations = query upload download\n"
	"unsigned-uploads = refuse\n"
	"[key full]\n"
	"trust = full\n"
	"operations = *\n"
	"systems = *\n"
	"features = *\n"
	"derivations = *\n"
	"relaxations = *\n"
	"impure-env-vars = *\n"
	"[key every]\n"
	"operations = *\n"
	"derivations = *\n"
	"trusted-public-keys = " FUZZ_KEY " " FUZZ_OTHER_KEY "\n"       /* of no use without trust = signed */
	"systems = x86_64-linux\n"
	"timeout = 10m\n"
	"cores = 2\n"
	"[key signed]\n"
	"trust = signed\n"
	"trusted-public-keys = " FUZZ_KEY " " FUZZ_OTHER_KEY "\n"
	"systems = x86_64-linux\n"
	"[key builds]\n"
	"operations = query build\n"
	"systems = x86_64-linux\n"
	"[key nothing]\n"
	"operations =\n";

enum may {
	MAY_QUERY = 1 << 0, MAY_BUILD = 1 << 1, MAY_UPLOAD = 1 << 2, MAY_DOWNLOAD = 1 << 3, MAY_SUBSTITUTE = 1 << 4,
	MAY_DEFAULT = MAY_QUERY | MAY_BUILD | MAY_UPLOAD | MAY_DOWNLOAD | MAY_SUBSTITUTE,
	MAY_REST = 1 << 5,              /* check, log, gc-roots, gc, sign, list-all, realisations */
	MAY_ANYTHING = MAY_DEFAULT | MAY_REST
};

static const struct stance {
	const char *key;
	unsigned may;
	bool full;                      /* of trust */
	bool believes;                  /* what is signed by the two keys */
	bool floating;                  /* content-addressed derivations */
	bool kvm;
	bool limits;                    /* the grant has limits of its own for the daemon */
} stances[] = {
	{ "plain", MAY_DEFAULT, .kvm = true },
	{ "asks", MAY_QUERY, .full = false },
	{ "copies", MAY_QUERY | MAY_UPLOAD | MAY_DOWNLOAD, .full = false },
	{ "full", MAY_ANYTHING, .full = true, .floating = true, .kvm = true },
	{ "every", MAY_ANYTHING, .floating = true, .limits = true },
	{ "signed", MAY_DEFAULT, .believes = true },
	{ "builds", MAY_QUERY | MAY_BUILD, .full = false },
	{ "nothing", 0, .full = false },
};

enum { STANCES = sizeof stances / sizeof *stances };

/* Which of these rights an operation needs, for the client's own request or for a question that the gateway asks on the
 * way to an answer. 0: it never goes upstream. The protocol's list of numbers, and not the program's rows. */
static unsigned needed_upstream(uint64_t number)
{
	switch (number) {
	case 1: case 11: case 31:
		return MAY_ANYTHING;
	case 18: case 22: case 28: case 41:
		return MAY_QUERY | MAY_BUILD;
	case 26:
		return MAY_QUERY | MAY_DOWNLOAD;
	case 40:
		return MAY_QUERY | MAY_BUILD;
	case 7: case 39:
		return MAY_UPLOAD;
	case 9: case 46:
		return MAY_QUERY | MAY_BUILD | MAY_SUBSTITUTE;  /* by its targets: see watch_targets */
	case 10: case 21: case 30: case 32:
		return MAY_SUBSTITUTE;
	case 36:
		return MAY_BUILD;
	case 38:
		return MAY_DOWNLOAD | MAY_BUILD;
	case 6: case 12: case 14: case 20: case 23: case 29: case 33: case 34: case 35: case 37: case 42: case 43: case 45:
		return MAY_REST;
	default:
		return 0;
	}
}

#endif
