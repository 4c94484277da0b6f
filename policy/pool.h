/* pool: the memory of one policy, given back in one step. Strings stay where the file was read to; a policy of ten
 * thousand keys is then a few blocks and not a hundred thousand.
 * Owner   the pool owns all it lends; nothing is given back before pool_free or pool_reset.
 * Errors  NULL: the system has no memory. */
#ifndef POLICY_POOL_H
#define POLICY_POOL_H

#include <stddef.h>

struct pool;

struct pool *pool_new(void);
void pool_free(struct pool *pool);                              /* NULL is fine */
void pool_reset(struct pool *pool);                             /* ends all that it lent; memory is kept for more */
void pool_take(struct pool *pool, struct pool *from);           /* all that `from` lent is from now on `pool`'s */
void *pool_alloc(struct pool *pool, size_t len);                /* zeroed, aligned for any type */
void *pool_array(struct pool *pool, size_t count, size_t size); /* count * size may not wrap: NULL */
char *pool_text(struct pool *pool, const char *text);           /* a copy */

#endif
