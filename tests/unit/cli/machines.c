#include "tests/unit/env/place.h"

#include "gateway/cli/machines.h"

#define HOST_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICD8wvHOj6Ps8EnDbMa8E28fqROMXTmGY1gf3GRHit61"

static char system_word[] = "x86_64-linux", odd_word[] = "a\"b\\c${d}";
static char *systems[] = { system_word }, *odd[] = { odd_word };

static char *printed(const struct machine *m, const char *format)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(to);
	assert_true(machine_print(to, m, format));
	fclose(to);
	return text;
}

static void assert_holds(const struct machine *m, const char *format, const char *words)
{
	char *text = printed(m, format);

	assert_says(text, words);
	free(text);
}

static void the_line_has_a_dash_for_each_empty_place(void **unused)
{
	const struct nix_settings nothing = { .partial = false };
	const struct grant grant = { .protocols = PROTOCOL_SSH, .max_builds = { true, 1 } };
	const struct machine m = { .key = "k", .grant = &grant, .offered = &nothing, .user = "u", .host = "h" };
	char *text = printed(&m, "machines");

	(void)unused;
	assert_string_equal(text, "ssh://u@h - - 1 1 - -\n");
	free(text);
}

static void the_grants_words_stand_before_the_builders(void **unused)
{
	char own[] = "own", extra[] = "more another", features[] = "kvm";
	const struct nix_settings offered = { .values = { [NIX_SYSTEM] = own, [NIX_EXTRA_PLATFORMS] = extra,
							  [NIX_SYSTEM_FEATURES] = features } };
	struct grant grant = { .protocols = PROTOCOL_SSH_NG | PROTOCOL_SSH, .max_builds = { true, 1 },
			       .systems = { .any = true }, .features = { .any = true }, .mandatory_features = { .any = true } };
	struct machine m = { .key = "k", .grant = &grant, .offered = &offered, .user = "u", .host = "fe80::1" };
	char *text = printed(&m, "machines");

	(void)unused;
	assert_string_equal(text, "ssh-ng://u@[fe80::1] own,more,another - 1 1 kvm -\n");
	free(text);
	grant.systems = (struct text_list){ .items = systems, .count = 1 };
	grant.mandatory_features = (struct text_list){ .items = systems, .count = 1 };
	snprintf(m.host_key, sizeof m.host_key, "k");
	text = printed(&m, "machines");
	assert_string_equal(text, "ssh-ng://u@[fe80::1] x86_64-linux - 1 1 kvm x86_64-linux aw==\n");
	free(text);
}

static void nothing_ends_a_string_of_nix_early(void **unused)
{
	const struct nix_settings nothing = { .partial = false };
	const struct grant grant = { .features = { .items = odd, .count = 1 } };
	const struct machine m = { .key = "k", .grant = &grant, .offered = &nothing, .user = odd_word, .host = "h" };

	(void)unused;
	assert_holds(&m, "nixos", "supportedFeatures = [ \"a\\\"b\\\\c\\${d}\" ];");
	assert_holds(&m, "home-manager", "    user = \"a\\\"b\\\\c\\${d}\";");
}

static void a_host_is_a_name_or_an_address(void **unused)
{
	static const char *const fine[] = { "h", "builder.example.org", "10.0.0.1", "2001:db8::1", "my_builder-2" };
	static const char *const wrong[] = { "", "-h", "h:22", "a b", "a\nb", "a\"", "a/b", "${x}", "u@h", "[::1]" };
	char endless[300];

	(void)unused;
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		assert_true(machine_host_is_fine(fine[i]));
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(machine_host_is_fine(wrong[i]));
	memset(endless, 'a', sizeof endless);
	endless[256] = '\0';
	assert_false(machine_host_is_fine(endless));
	endless[255] = '\0';
	assert_true(machine_host_is_fine(endless));
}

static void there_are_no_other_formats(void **unused)
{
	const struct nix_settings nothing = { .partial = false };
	const struct grant grant = { .protocols = PROTOCOL_SSH };
	const struct machine m = { .key = "k", .grant = &grant, .offered = &nothing, .user = "u", .host = "h" };

	(void)unused;
	assert_false(machine_print(stdout, &m, "toml"));
	assert_false(machine_print(stdout, &m, ""));
}

/* What the program has found, in a file of the test's own. */
static bool find(const struct place *p, const char *settings, char key[HOST_KEY_MAX])
{
	char text[PATH_MAX * 2];
	struct sshd_settings sshd = { .text = text };

	snprintf(text, sizeof text, "hostkey %s/none\nhostkey %s/%s\n", p->folder, p->folder, settings);
	return host_key_find(&sshd, key);
}

static void a_host_key_is_a_public_key_and_nothing_else(void **state)
{
	char key[HOST_KEY_MAX];

	make_file(*state, "/good.pub", 0644, HOST_KEY " root@builder\n");
	make_file(*state, "/bare.pub", 0644, HOST_KEY);
	make_file(*state, "/cut.pub", 0644, "ssh-ed25519 AAAAC3NzaC1lZDI1\n");
	make_file(*state, "/other.pub", 0644, "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAICD8wvHOj6Ps8EnDbMa8E28fqROMXTmGY1gf3GRHit61\n");
	make_file(*state, "/text.pub", 0644, "hello world\n");
	assert_true(find(*state, "good", key));
	assert_string_equal(key, HOST_KEY);
	assert_true(find(*state, "bare", key));
	assert_string_equal(key, HOST_KEY);
	assert_false(find(*state, "cut", key));
	assert_false(find(*state, "other", key));
	assert_false(find(*state, "text", key));
	assert_false(find(*state, "none", key));
	assert_string_equal(key, "");
}

static void an_ed25519_key_stands_before_others(void **state)
{
	char key[HOST_KEY_MAX], path[PATH_MAX], text[PATH_MAX * 2];
	struct sshd_settings sshd = { .text = text };

	make_file(*state, "/first.pub", 0644, HOST_KEY "\n");
	path_at(*state, "/first", path);
	snprintf(text, sizeof text, "hostkey tests/corpus/ssh/ecdsa-256\nhostkey %.2000s\nhostkey tests/corpus/ssh/rsa\n", path);
	assert_true(host_key_find(&sshd, key));
	assert_string_equal(key, HOST_KEY);
	snprintf(text, sizeof text, "hostkey tests/corpus/ssh/ecdsa-256\nhostkey tests/corpus/ssh/rsa\n");
	assert_true(host_key_find(&sshd, key));
	assert_memory_equal(key, "ecdsa-sha2-nistp256 AAAA", 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_has_a_dash_for_each_empty_place),
		cmocka_unit_test(the_grants_words_stand_before_the_builders),
		cmocka_unit_test(nothing_ends_a_string_of_nix_early),
		cmocka_unit_test(a_host_is_a_name_or_an_address),
		cmocka_unit_test(there_are_no_other_formats),
		IN_PLACE(a_host_key_is_a_public_key_and_nothing_else),
		IN_PLACE(an_ed25519_key_stands_before_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
