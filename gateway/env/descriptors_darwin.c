#include "gateway/env/descriptors.h"

enum err descriptors_close_from(int first)
{
	return descriptors_close_listed(first);         /* no call closes many at once; /dev/fd lists what is open */
}
