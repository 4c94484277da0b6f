/* asked: derivations put together from a few variables, and the facts about them, for tests. */
#ifndef TESTS_UNIT_NIX_ASKED_H
#define TESTS_UNIT_NIX_ASKED_H

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "gateway/nix/facts.h"

/* A derivation whose variables are one to three of these, in order; its facts live in `arena`. */
struct asked_for {
	struct derivation_variable env[3];
	const char *platform, *builder;
};

static struct arena arena;

static inline int fresh_arena(void **unused)
{
	(void)unused;
	arena_init(&arena, 8 * 1024 * 1024);
	return 0;
}

static inline int free_arena(void **unused)
{
	(void)unused;
	arena_free(&arena);
	return 0;
}

static inline enum err gather(const struct asked_for *a, struct facts *facts)
{
	struct derivation *drv = arena_alloc(&arena, sizeof *drv);
	struct derivation_output *output = arena_alloc(&arena, sizeof *output);
	struct derivation_variable *env = arena_array(&arena, 3, sizeof *env);
	const char *why = NULL;
	enum err err;

	assert_true(drv != NULL && output != NULL && env != NULL);
	output->name = text_of("out");
	drv->outputs = output;
	drv->output_count = 1;
	drv->platform = text_of(a->platform != NULL ? a->platform : "x86_64-linux");
	drv->builder = text_of(a->builder != NULL ? a->builder : "/bin/sh");
	memcpy(env, a->env, sizeof a->env);
	drv->env = env;
	while (drv->env_count < 3 && env[drv->env_count].name.bytes != NULL)
		drv->env_count++;
	derivation_sort(drv);
	assert_int_equal(derivation_check(drv, "/nix/store", text_of("p"), &why), ERR_NONE);
	err = facts_gather(&arena, drv, facts, &why);
	assert_int_equal(err == ERR_NONE, why == NULL);
	return err;
}

#define VARIABLE(name, value) { { name, sizeof name - 1 }, { value, sizeof value - 1 } }
#define ASK(...) &(struct asked_for){ .env = { __VA_ARGS__ } }

/* The items, joined by a bar. */
static inline const char *joined(const struct texts *set)
{
	static char line[1024];
	size_t len = 0;

	line[0] = '\0';
	for (size_t i = 0; i < set->count; i++)
		len += (size_t)snprintf(line + len, sizeof line - len, "%s%.*s", i == 0 ? "" : "|",
					(int)set->items[i].len, set->items[i].bytes);
	return line;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh_arena, free_arena)

#endif
