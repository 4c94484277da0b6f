#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/nix/aterm.h"
#include "tests/unit/nix/asked.h"

/* What a derivation that Nix wrote asks for. */
static void read_sample(const char *base, struct facts *facts)
{
	static char bytes[16384];
	char name[512];
	struct text path;
	struct derivation *drv;
	const char *why;
	size_t len;
	FILE *f;

	(void)snprintf(name, sizeof name, "tests/corpus/drv/%s", base);
	path = text_of(name + strlen("tests/corpus"));
	f = fopen(name, "rb");
	assert_non_null(f);
	len = fread(bytes, 1, sizeof bytes, f);
	(void)fclose(f);
	assert_int_equal(aterm_parse(&arena, "/nix/store", store_path_drv_name(path), bytes, len, &drv, &why),
			 ERR_NONE);
	assert_int_equal(facts_gather(&arena, drv, facts, &why), ERR_NONE);
}

static void derivations_like_those_of_nixpkgs_ask_for_nothing_odd(void **unused)
{
	struct facts f;

	(void)unused;
	read_sample("lgpkx85cfd7bs0gz7pq9wf3yrgla02fp-hello-2.12.1.tar.gz.drv", &f);
	assert_int_equal(f.kind, DERIVATION_FIXED);
	assert_int_equal(f.impure_env_vars.count, 15);
	assert_int_equal(f.builtin, BUILTIN_NONE);
	assert_int_equal(f.asked, 0);
	read_sample("3w50j2swmp6d8a4gl0xja8p0vfrymq6z-source.tar.xz.drv", &f);
	assert_int_equal(f.builtin, BUILTIN_FETCHURL);
	assert_string_equal(joined(&f.urls), "https://example.org/source.tar.xz");
	assert_null(facts_odd_url(&f));
	read_sample("yy51gw686v2xy71hlpgc5hxgszj1ig8f-hello-2.12.1.drv", &f);
	assert_true(text_is(f.system, "aarch64-darwin"));
	assert_string_equal(joined(&f.features), "apple-virt|big-parallel");
	assert_int_equal(f.asked, ASKS_IMPURE_HOST_DEPS);
	assert_int_equal(facts_relaxations(&f), 0);
	read_sample("xziimwq54cs7wala61dmz3mvhw2qlbz6-structured-1.0.drv", &f);
	assert_string_equal(joined(&f.features), "kvm|nixos-test");
	assert_string_equal(joined(&f.host_deps), "/bin/sh|/usr/lib/libSystem.B.dylib");
	assert_int_equal(facts_relaxations(&f), 0);
}

static void derivations_that_ask_for_more_are_seen_to(void **unused)
{
	struct facts f;

	(void)unused;
	read_sample("20i7x177zi24nkn22h6nln2vvbxakbyr-nochroot.drv", &f);
	assert_int_equal(facts_relaxations(&f),
			 ASKS_NO_CHROOT | ASKS_IMPURE_HOST_DEPS | ASKS_SANDBOX_PROFILE | ASKS_LOCAL_NETWORKING);
	read_sample("i5z7x0ys65z6zq7jizmyzpn9nrfdnaak-floating.drv", &f);
	assert_int_equal(f.kind, DERIVATION_FLOATING);
	read_sample("nkk32ffc78q05svjmi9sw4k25ih16ra7-deferred.drv", &f);
	assert_int_equal(f.kind, DERIVATION_DEFERRED);
	read_sample("q8nz6l65qyqqp0sscmdizkl7489pav2v-impure.drv", &f);
	assert_int_equal(f.kind, DERIVATION_IMPURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(derivations_like_those_of_nixpkgs_ask_for_nothing_odd),
		TEST(derivations_that_ask_for_more_are_seen_to),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
