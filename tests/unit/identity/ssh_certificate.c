/* Certificates as ssh-keygen would not write them. */
#include "tests/unit/identity/keys.h"

struct made {
	struct blob key_id, principals, authority;
	uint32_t use;
	const char *nonce;
};

static struct made usual(void)
{
	struct made m = { .use = 1, .nonce = "a nonce" };

	put_bytes(&m.key_id, "alice@laptop", 12);
	put_word(&m.principals, "alice");
	m.authority = corpus_blob("ca");
	return m;
}

static void replace(struct blob *b, const void *bytes, size_t len)
{
	b->len = 0;
	put_bytes(b, bytes, len);
}

/* Puts the certificate together and frees its parts. */
static struct blob sealed(struct made m)
{
	static const uint8_t key[32] = { 1 };
	struct blob b = { 0 };

	put_word(&b, "ssh-ed25519-cert-v01@openssh.com");
	put_word(&b, m.nonce);
	put_string(&b, key, sizeof key);
	put_number(&b, UINT64_MAX, 8);
	put_number(&b, m.use, 4);
	put_string(&b, m.key_id.bytes, m.key_id.len);
	put_string(&b, m.principals.bytes, m.principals.len);
	put_number(&b, 0, 8);
	put_number(&b, UINT64_MAX, 8);
	put_word(&b, "");
	put_word(&b, "");
	put_word(&b, "");
	put_string(&b, m.authority.bytes, m.authority.len);
	put_word(&b, "a signature");
	free(m.key_id.bytes);
	free(m.principals.bytes);
	free(m.authority.bytes);
	return b;
}

static struct ssh_identity accepted(struct blob b)
{
	struct ssh_identity identity;
	char why[SENTENCE_MAX] = "";

	if (ssh_key_parse(b.bytes, b.len, &identity, why) != ERR_NONE)
		fail_msg("%s", why);
	free(b.bytes);
	return identity;
}

static void what_the_other_tests_change_is_accepted_unchanged(void **unused)
{
	struct ssh_identity identity = accepted(sealed(usual()));

	(void)unused;
	assert_true(identity.serial == UINT64_MAX);
	assert_string_equal(identity.key_id, "alice@laptop");
	assert_string_equal(identity.principals[0], "alice");
	ssh_key_free(&identity);
}

static void key_ids_with_control_bytes_are_refused(void **unused)
{
	static const char *const bad[] = { "a\0b", "a\nb", "\x1b[m", "a\177b", "\t\t\t", "ab\r" };

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct made m = usual();

		replace(&m.key_id, bad[i], 3);
		assert_refused(sealed(m), ERR_PROTO, "key id holds control bytes");
	}
}

static void principals_with_control_bytes_are_refused(void **unused)
{
	static const char *const bad[] = { "a\0b", "a\nb", "a\037b" };

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct made m = usual();

		put_string(&m.principals, bad[i], 3);   /* behind a good one, which must be freed again */
		assert_refused(sealed(m), ERR_PROTO, "principal holds control bytes");
	}
}

static void key_ids_and_principals_may_be_as_long_as_the_bound(void **unused)
{
	static const char text[SSH_KEY_ID_MAX + 2] = { 0 };
	char *letters = malloc(sizeof text);
	struct made m = usual();
	struct ssh_identity identity;

	(void)unused;
	assert_non_null(letters);
	memset(letters, 'k', sizeof text);
	replace(&m.key_id, letters, SSH_KEY_ID_MAX);
	m.principals.len = 0;
	put_string(&m.principals, letters, SSH_PRINCIPAL_MAX);
	identity = accepted(sealed(m));
	assert_int_equal(strlen(identity.key_id), SSH_KEY_ID_MAX);
	assert_int_equal(strlen(identity.principals[0]), SSH_PRINCIPAL_MAX);
	ssh_key_free(&identity);
	m = usual();
	replace(&m.key_id, letters, SSH_KEY_ID_MAX + 1);
	assert_refused(sealed(m), ERR_LIMIT, "key id is longer than 1024 bytes");
	m = usual();
	put_string(&m.principals, letters, SSH_PRINCIPAL_MAX + 1);
	assert_refused(sealed(m), ERR_LIMIT, "principal is longer than 1024 bytes");
	free(letters);
}

static void so_many_principals_and_not_one_more(void **unused)
{
	struct made most = usual(), more = usual();
	struct ssh_identity identity;

	(void)unused;
	for (size_t i = 1; i < SSH_PRINCIPALS_MAX; i++) {
		put_word(&most.principals, "p");
		put_word(&more.principals, "p");
	}
	put_word(&more.principals, "p");
	identity = accepted(sealed(most));
	assert_int_equal(identity.principal_count, SSH_PRINCIPALS_MAX);
	ssh_key_free(&identity);
	assert_refused(sealed(more), ERR_LIMIT, "more than 256 principals");
}

static void a_list_of_principals_that_does_not_come_out_even_is_refused(void **unused)
{
	struct made m = usual();

	(void)unused;
	put_number(&m.principals, 2, 4);
	put_bytes(&m.principals, "x", 1);
	assert_refused(sealed(m), ERR_PROTO, "malformed");
	m = usual();
	put_number(&m.principals, UINT32_MAX, 4);
	assert_refused(sealed(m), ERR_PROTO, "malformed");
	m = usual();
	put_bytes(&m.principals, "\0\0", 2);
	assert_refused(sealed(m), ERR_PROTO, "malformed");
}

static void an_authority_must_be_one_plain_key(void **unused)
{
	struct made m = usual();
	struct blob certificate = corpus_blob("ed25519-cert-1");

	(void)unused;
	replace(&m.authority, certificate.bytes, certificate.len);
	free(certificate.bytes);
	assert_refused(sealed(m), ERR_PROTO, "signed by a key of a kind that is not supported");
	m = usual();
	put_bytes(&m.authority, "x", 1);
	assert_refused(sealed(m), ERR_PROTO, "malformed");
	m = usual();
	m.authority.len--;
	assert_refused(sealed(m), ERR_PROTO, "malformed");
	m = usual();
	m.authority.len = 0;
	assert_refused(sealed(m), ERR_PROTO, "malformed");
}

static void only_certificates_for_users_are_taken(void **unused)
{
	static const uint32_t uses[] = { 0, 2, 3, 257, UINT32_MAX };

	(void)unused;
	for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
		struct made m = usual();

		m.use = uses[i];
		assert_refused(sealed(m), ERR_PROTO, "not one for a user");
	}
}

static void a_certificate_over_the_bound_is_refused_unread(void **unused)
{
	struct blob huge = sealed(usual()), most = { 0 };

	(void)unused;
	while (huge.len <= SSH_BLOB_MAX)
		put_bytes(&huge, "", 1);
	put_bytes(&most, huge.bytes, SSH_BLOB_MAX);
	assert_refused(huge, ERR_LIMIT, "longer than 48 KiB");
	assert_refused(most, ERR_PROTO, "malformed");
}

static void an_empty_key_id_is_not_an_absent_one(void **unused)
{
	struct made m = usual();
	struct ssh_identity identity;

	(void)unused;
	m.key_id.len = 0;
	identity = accepted(sealed(m));
	assert_non_null(identity.key_id);
	assert_string_equal(identity.key_id, "");
	ssh_key_free(&identity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_other_tests_change_is_accepted_unchanged),
		cmocka_unit_test(key_ids_with_control_bytes_are_refused),
		cmocka_unit_test(principals_with_control_bytes_are_refused),
		cmocka_unit_test(key_ids_and_principals_may_be_as_long_as_the_bound),
		cmocka_unit_test(so_many_principals_and_not_one_more),
		cmocka_unit_test(a_list_of_principals_that_does_not_come_out_even_is_refused),
		cmocka_unit_test(an_authority_must_be_one_plain_key),
		cmocka_unit_test(only_certificates_for_users_are_taken),
		cmocka_unit_test(a_certificate_over_the_bound_is_refused_unread),
		cmocka_unit_test(an_empty_key_id_is_not_an_absent_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
