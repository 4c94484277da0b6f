#include "gateway/session/pace.h"

enum { WAIT_MAX_MS = 24 * 60 * 60 * 1000 };     /* nobody has saved more: keeps the products far from any overflow */

static int64_t worth(int64_t ms)
{
	return (ms < 0 ? 0 : ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS) * PACE_RATE;
}

void pace_begin(struct pace *p)
{
	p->left = worth(PACE_GRACE_MS);
}

void pace_moved(struct pace *p, uint64_t bytes, int64_t more_ms)
{
	int64_t most = worth(PACE_GRACE_MS) + worth(more_ms);

	if (pace_is_lost(p))
		return;
	if (p->left >= most || bytes >= (uint64_t)(most - p->left) / 1000)
		p->left = most;
	else
		p->left += (int64_t)bytes * 1000;
}

void pace_waited(struct pace *p, int64_t ms)
{
	if (!pace_is_lost(p))
		p->left -= worth(ms);
}

bool pace_is_lost(const struct pace *p)
{
	return p->left < 0;
}

bool pace_would_be_lost(const struct pace *p, int64_t ms)
{
	return p->left < worth(ms);
}
