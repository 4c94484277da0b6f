#include "gateway/base/err.h"

#include <stddef.h>

#define ERR_TEXT(name, text) [ERR_##name] = text,

const char *err_text(enum err err)
{
	static const char *const texts[] = { ERR_LIST(ERR_TEXT) };

	return (size_t)err < sizeof texts / sizeof *texts ? texts[err] : "unknown error";
}
