/* pace: whether a client keeps up. One that takes or sends a byte now and then holds up others (a lock of the daemon's, a
 * slot) as one that does nothing does. So every byte that moves buys it time, at PACE_RATE, and waiting for it spends
 * that; who has nothing left is too slow. What can be saved up is bounded: else the first megabytes of an upload would
 * buy hours.
 * Units   bytes; milliseconds. Inside, thousandths of a byte, so that nothing is lost in rounding. */
#ifndef GATEWAY_SESSION_PACE_H
#define GATEWAY_SESSION_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	PACE_GRACE_MS = 30 * 1000,      /* what everybody has to begin with */
	PACE_RATE = 16 * 1024           /* bytes a second */
};

struct pace {
	int64_t left;                   /* below 0: too slow, for good */
};

void pace_begin(struct pace *p);
/* At most the grace and `more_ms` are saved: so long may a pause be, whatever came before it. */
void pace_moved(struct pace *p, uint64_t bytes, int64_t more_ms);
void pace_waited(struct pace *p, int64_t ms);
bool pace_is_lost(const struct pace *p);
/* Would be after so long a wait. */
bool pace_would_be_lost(const struct pace *p, int64_t ms);

#endif
