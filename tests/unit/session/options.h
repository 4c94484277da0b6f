/* options: a client's SetOptions, made by hand: for the tests of settings. */
#ifndef TESTS_UNIT_SESSION_OPTIONS_H
#define TESTS_UNIT_SESSION_OPTIONS_H

#include "gateway/nix/ops.h"
#include "gateway/nix/shapes.h"
#include "gateway/nix/value.h"

static inline const struct shape *set_options_shape(void)
{
	return op_find(&worker_ops, 38, 19)->request;
}

/* Field i holds `first` + i, so that no two can be mistaken for each other. Lent until the next call. */
static inline struct value *options(uint64_t first, const char *const (*settings)[2], size_t count)
{
	static struct value request[13], pairs[2 * SETTINGS_MAX];

	assert_true(count <= SETTINGS_MAX);
	memset(request, 0, sizeof request);
	for (size_t i = 0; i < 12; i++)
		request[i].number = first + i;
	for (size_t i = 0; i < 2 * count; i++)
		pairs[i] = (struct value){ .text = settings[i / 2][i % 2], .len = strlen(settings[i / 2][i % 2]) };
	request[12] = (struct value){ .items = pairs, .count = count };
	return request;
}

#endif
