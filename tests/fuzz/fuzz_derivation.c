/* Property: a .drv that is taken prints to the very same bytes, and has one path, which no other bytes have; gathering
 * its facts either works or says why not. */
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/nix/aterm.h"
#include "gateway/nix/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void check_printed(const struct derivation *drv, const uint8_t *data, size_t size)
{
	struct buf printed;

	buf_init(&printed, ATERM_MAX);
	demand(aterm_put(&printed, drv) == ERR_NONE);
	demand(buf_len(&printed) == size && memcmp(buf_data(&printed), data, size) == 0);
	buf_free(&printed);
}

static void check_path(const struct derivation *drv, const uint8_t *data, size_t size)
{
	struct store_path by_bytes, by_value;

	demand(aterm_path("/nix/store", text_of("p"), data, size, drv, &by_bytes) == ERR_NONE);
	demand(derivation_path("/nix/store", text_of("p"), drv, ATERM_MAX, &by_value) == ERR_NONE);
	demand(store_path_ok("/nix/store", store_path_text(&by_bytes)));
	demand(text_equal(store_path_text(&by_bytes), store_path_text(&by_value)));
	demand(aterm_path_check("/nix/store", store_path_text(&by_bytes), data, size, drv) == ERR_NONE);
	demand(aterm_path_check("/nix/store", store_path_text(&by_bytes), data, size - 1, drv) == ERR_PROTO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;
	struct derivation *drv;
	struct facts facts;
	const char *why = NULL;
	enum err err;

	demand(sodium_init() >= 0);
	arena_init(&arena, 64 * 1024 * 1024);
	err = aterm_parse(&arena, "/nix/store", text_of("p"), data, size, &drv, &why);
	demand((err == ERR_NONE) == (drv != NULL) && (err == ERR_NONE) == (why == NULL));
	if (!err) {
		check_printed(drv, data, size);
		check_path(drv, data, size);
		err = facts_gather(&arena, drv, &facts, &why);
		demand((err == ERR_NONE) == (why == NULL));
	}
	arena_free(&arena);
	return 0;
}
