/* clock: time that only goes forward, for limits and durations.
 * Units   milliseconds since some moment in the past. */
#ifndef GATEWAY_BASE_CLOCK_H
#define GATEWAY_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_ms(void);

#endif
