/* scarce: memory that runs out where a test wants it. The programs of this folder are linked so that every malloc, calloc,
 * realloc and strdup of the project's own code comes here, and every request to an arena, which seldom has to ask for more.
 *
 * A case sets up what it needs, calls scarce_begin, does the one thing it is about, calls scarce_end, and judges what came
 * of it. scarce_case runs it again and again: with the first allocation refused, with the second, and so on until none is
 * left to refuse; then the same with all allocations refused from that one on.
 * Owner   nothing is kept. Threads other than the one that called scarce_begin (a fake daemon) have all the memory they want. */
#ifndef TESTS_UNIT_NO_MEMORY_SCARCE_H
#define TESTS_UNIT_NO_MEMORY_SCARCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/arena.h"

static struct {
	size_t at;              /* which allocation is refused, from 1 */
	bool once;              /* that one alone, or all that follow as well */
} scarce;

static _Thread_local struct {
	bool on, hit;
	size_t seen;
} asked;

static inline bool scarce_refuses(void)
{
	if (!asked.on || ++asked.seen < scarce.at || (scarce.once && asked.seen > scarce.at))
		return false;
	asked.hit = true;
	return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
	return scarce_refuses() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return scarce_refuses() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return scarce_refuses() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text)
{
	size_t len = strlen(text) + 1;
	char *copy = __wrap_malloc(len);

	return copy == NULL ? NULL : memcpy(copy, text, len);
}

void *__real_arena_alloc(struct arena *a, size_t len);
void *__real_arena_array(struct arena *a, size_t count, size_t size);
char *__real_arena_text(struct arena *a, const void *bytes, size_t len);
void *__wrap_arena_alloc(struct arena *a, size_t len);
void *__wrap_arena_array(struct arena *a, size_t count, size_t size);
char *__wrap_arena_text(struct arena *a, const void *bytes, size_t len);

void *__wrap_arena_alloc(struct arena *a, size_t len)
{
	return scarce_refuses() ? NULL : __real_arena_alloc(a, len);
}

void *__wrap_arena_array(struct arena *a, size_t count, size_t size)
{
	return scarce_refuses() ? NULL : __real_arena_array(a, count, size);
}

char *__wrap_arena_text(struct arena *a, const void *bytes, size_t len)
{
	return scarce_refuses() ? NULL : __real_arena_text(a, bytes, len);
}

static inline void scarce_begin(void)
{
	asked.on = true;
	asked.hit = false;
	asked.seen = 0;
}

/* Was an allocation refused? */
static inline bool scarce_end(void)
{
	asked.on = false;
	return asked.hit;
}

/* `run` returns what scarce_end did. Returns how many allocations there are. */
static inline size_t scarce_case(bool (*run)(void *context), void *context)
{
	for (int once = 0; once <= 1; once++) {
		scarce.once = once == 1;
		for (scarce.at = 1; run(context); scarce.at++)
			assert_true(scarce.at < 100000);
	}
	return scarce.at - 1;
}

#endif
