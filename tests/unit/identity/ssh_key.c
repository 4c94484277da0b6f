#include "tests/unit/identity/keys.h"

/* What ssh-keygen -l says of a key of the corpus. */
static void known_fingerprint(const char *name, char out[64])
{
	char other[64];
	FILE *file = fopen(CORPUS "fingerprints", "re");

	assert_non_null(file);
	while (fscanf(file, "%63s %63s", other, out) == 2)
		if (strcmp(other, name) == 0) {
			fclose(file);
			return;
		}
	fail_msg("%s is not in " CORPUS "fingerprints", name);
}

static struct ssh_identity parsed(const char *name)
{
	struct key_line line = corpus_key(name);
	struct ssh_identity identity;
	char why[SENTENCE_MAX] = "", fingerprint[64];

	if (ssh_key_parse_words(line.type, line.base64, &identity, why) != ERR_NONE)
		fail_msg("%s: %s", name, why);
	known_fingerprint(name, fingerprint);
	assert_string_equal(identity.fingerprint, fingerprint);
	assert_string_equal(identity.type, line.type);
	return identity;
}

static void plain_keys_have_the_fingerprint_that_ssh_keygen_says(void **unused)
{
	static const char *const names[] = { "ed25519", "rsa", "ecdsa-256", "ecdsa-384", "ecdsa-521", "sk-ed25519",
					     "sk-ecdsa", "ca", "ca-rsa" };

	(void)unused;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct ssh_identity identity = parsed(names[i]);

		assert_false(identity.certificate);
		assert_null(identity.key_id);
		assert_int_equal(identity.principal_count, 0);
		assert_string_equal(identity.ca_fingerprint, "");
		ssh_key_free(&identity);
	}
}

static void certificates_have_the_fingerprint_of_their_inner_key(void **unused)
{
	static const char *const pairs[][2] = {
		{ "ed25519-cert-1", "ed25519" }, { "rsa-cert", "rsa" }, { "ecdsa-256-cert", "ecdsa-256" },
		{ "ecdsa-384-cert", "ecdsa-384" }, { "ecdsa-521-cert", "ecdsa-521" },
		{ "sk-ed25519-cert", "sk-ed25519" }, { "sk-ecdsa-cert", "sk-ecdsa" }
	};

	(void)unused;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct ssh_identity identity = parsed(pairs[i][0]);
		char plain[64], authority[64];

		known_fingerprint(pairs[i][1], plain);
		known_fingerprint("ca", authority);
		assert_true(identity.certificate);
		assert_string_equal(identity.fingerprint, plain);
		assert_string_equal(identity.ca_fingerprint, authority);
		assert_string_equal(identity.key_id, "alice@laptop");
		assert_int_equal(identity.principal_count, 1);
		assert_string_equal(identity.principals[0], "alice");
		ssh_key_free(&identity);
	}
}

static void a_certificate_without_principals_has_none(void **unused)
{
	struct ssh_identity identity = parsed("ed25519-cert-0");

	(void)unused;
	assert_true(identity.certificate);
	assert_string_equal(identity.key_id, "nobody");
	assert_int_equal(identity.principal_count, 0);
	ssh_key_free(&identity);
}

static void a_certificate_gives_all_its_principals_in_order(void **unused)
{
	struct ssh_identity identity = parsed("ed25519-cert-3");

	(void)unused;
	assert_string_equal(identity.key_id, "ci runner");
	assert_int_equal(identity.principal_count, 3);
	assert_string_equal(identity.principals[0], "ci");
	assert_string_equal(identity.principals[1], "deploy");
	assert_string_equal(identity.principals[2], "alice");
	ssh_key_free(&identity);
}

static void the_authority_is_told_apart_whatever_the_certificate_says(void **unused)
{
	struct ssh_identity ours = parsed("ed25519-cert-1"), other = parsed("ed25519-cert-ca-rsa");
	char authority[64];

	(void)unused;
	known_fingerprint("ca-rsa", authority);
	assert_string_equal(other.ca_fingerprint, authority);
	assert_string_not_equal(other.ca_fingerprint, ours.ca_fingerprint);
	assert_string_equal(other.key_id, ours.key_id);
	assert_int_equal(ours.serial, 7);
	ssh_key_free(&ours);
	ssh_key_free(&other);
	ssh_key_free(&other);           /* fine twice */
}

static void host_certificates_are_refused(void **unused)
{
	(void)unused;
	assert_refused(corpus_blob("ed25519-host"), ERR_PROTO, "not one for a user");
}

static void a_blob_cut_at_any_byte_is_refused(void **unused)
{
	static const char *const names[] = { "ed25519", "rsa", "ecdsa-256", "sk-ed25519", "sk-ecdsa", "ed25519-cert-3",
					     "rsa-cert", "ecdsa-521-cert", "sk-ecdsa-cert", "ed25519-cert-ca-rsa" };

	(void)unused;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct blob whole = corpus_blob(names[i]);

		for (size_t len = 0; len < whole.len; len++) {
			struct blob cut = { 0 };

			put_bytes(&cut, whole.bytes, len);
			assert_refused(cut, ERR_PROTO, len < 4 ? "cut short" : "");
		}
		free(whole.bytes);
	}
}

static void a_byte_behind_the_end_is_refused(void **unused)
{
	static const char *const names[] = { "ed25519", "rsa", "sk-ecdsa", "ed25519-cert-3", "rsa-cert" };

	(void)unused;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct blob longer = corpus_blob(names[i]);

		put_bytes(&longer, "", 1);
		assert_refused(longer, ERR_PROTO, "malformed");
	}
}

/* No byte of a certificate's key can change without changing who it is taken for. */
static void every_byte_of_the_key_counts(void **unused)
{
	struct blob plain = corpus_blob("ed25519");
	char known[64];

	(void)unused;
	known_fingerprint("ed25519", known);
	for (size_t i = 0; i < plain.len; i++) {
		struct ssh_identity identity;
		char why[SENTENCE_MAX];

		plain.bytes[i] ^= 1;
		if (ssh_key_parse(plain.bytes, plain.len, &identity, why) == ERR_NONE)
			assert_string_not_equal(identity.fingerprint, known);
		ssh_key_free(&identity);
		plain.bytes[i] ^= 1;
	}
	free(plain.bytes);
}

static void unknown_kinds_are_refused(void **unused)
{
	struct blob dsa = { 0 }, name_only = { 0 };

	(void)unused;
	put_word(&dsa, "ssh-dss");
	put_word(&dsa, "x");
	assert_refused(dsa, ERR_PROTO, "not supported");
	put_word(&name_only, "rsa-sha2-512");
	assert_refused(name_only, ERR_PROTO, "not supported");
}

static void numbers_not_in_their_shortest_form_are_refused(void **unused)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = { { "", 0 }, { "\0", 1 }, { "\0\x01", 2 }, { "\x80", 1 }, { "\xff\x01", 2 }, { "\0\0\x80", 3 } };

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct blob key = { 0 };

		put_word(&key, "ssh-rsa");
		put_string(&key, bad[i].bytes, bad[i].len);
		put_string(&key, "\x01", 1);
		assert_refused(key, ERR_PROTO, "malformed");
	}
}

static void curves_and_points_must_fit_the_kind(void **unused)
{
	uint8_t point[97] = { 4 };
	struct blob curve = { 0 }, length = { 0 }, compressed = { 0 };

	(void)unused;
	put_word(&curve, "ecdsa-sha2-nistp256");
	put_word(&curve, "nistp384");
	put_string(&curve, point, 65);
	assert_refused(curve, ERR_PROTO, "malformed");
	put_word(&length, "ecdsa-sha2-nistp256");
	put_word(&length, "nistp256");
	put_string(&length, point, 97);
	assert_refused(length, ERR_PROTO, "malformed");
	put_word(&compressed, "ecdsa-sha2-nistp256");
	put_word(&compressed, "nistp256");
	point[0] = 2;
	put_string(&compressed, point, 65);
	assert_refused(compressed, ERR_PROTO, "malformed");
}

static void the_type_word_must_be_what_the_blob_says(void **unused)
{
	struct key_line plain = corpus_key("ed25519"), certificate = corpus_key("ed25519-cert-1");
	struct ssh_identity identity;
	char why[SENTENCE_MAX];

	(void)unused;
	assert_int_equal(ssh_key_parse_words("ssh-rsa", plain.base64, &identity, why), ERR_PROTO);
	assert_non_null(strstr(why, "called 'ssh-rsa' but says of itself that it is 'ssh-ed25519'"));
	assert_null(identity.type);
	assert_int_equal(ssh_key_parse_words("ssh-ed25519", certificate.base64, &identity, why), ERR_PROTO);
	assert_null(identity.key_id);
}

static void what_is_not_base64_is_refused(void **unused)
{
	static const char *const bad[] = { "", "=", "AAAA=", "AAAA BBBB", "AAA", "AA==AA", "AAAA\n" };
	struct ssh_identity identity;
	char why[SENTENCE_MAX], *huge = calloc(1, 70000);

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(ssh_key_parse_words("ssh-ed25519", bad[i], &identity, why), ERR_PROTO);
	assert_non_null(huge);
	memset(huge, 'A', 69999);
	assert_int_equal(ssh_key_parse_words("ssh-ed25519", huge, &identity, why), ERR_LIMIT);
	free(huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_keys_have_the_fingerprint_that_ssh_keygen_says),
		cmocka_unit_test(certificates_have_the_fingerprint_of_their_inner_key),
		cmocka_unit_test(a_certificate_without_principals_has_none),
		cmocka_unit_test(a_certificate_gives_all_its_principals_in_order),
		cmocka_unit_test(the_authority_is_told_apart_whatever_the_certificate_says),
		cmocka_unit_test(host_certificates_are_refused),
		cmocka_unit_test(a_blob_cut_at_any_byte_is_refused),
		cmocka_unit_test(a_byte_behind_the_end_is_refused),
		cmocka_unit_test(every_byte_of_the_key_counts),
		cmocka_unit_test(unknown_kinds_are_refused),
		cmocka_unit_test(numbers_not_in_their_shortest_form_are_refused),
		cmocka_unit_test(curves_and_points_must_fit_the_kind),
		cmocka_unit_test(the_type_word_must_be_what_the_blob_says),
		cmocka_unit_test(what_is_not_base64_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
