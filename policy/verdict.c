#include "policy/verdict.h"

#include <stdarg.h>
#include <stdio.h>

struct verdict verdict_refuse(struct rule rule, const char *format, ...)
{
	struct verdict v = { .allow = false, .rule = rule };
	va_list args;

	va_start(args, format);
	vsnprintf(v.text, sizeof v.text, format, args);
	va_end(args);
	for (char *at = v.text; *at != '\0'; at++) {
		if (*at < 0x20 || *at > 0x7e || *at == '\\' || *at == '%')
			*at = '?';
	}
	return v;
}
