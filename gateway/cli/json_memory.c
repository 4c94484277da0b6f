#include "gateway/cli/json_memory.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/cli/options.h"

static void *memory_or_end(size_t size)
{
	void *memory = malloc(size);

	if (memory != NULL || size == 0)
		return memory;
	log_say("%s", err_text(ERR_MEMORY));
	_exit(EXIT_REFUSED);
}

void json_memory_strict(void)
{
	json_set_alloc_funcs(memory_or_end, free);
}
