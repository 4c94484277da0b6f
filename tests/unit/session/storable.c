#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/nix/signature.h"
#include "gateway/session/storable.h"
#include "tests/unit/session/heads.h"

#define REF_A STORE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-a"
#define REF_B STORE "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-b"

static char why[SENTENCE_MAX];

static enum storable judged(struct talk *t, struct value *head)
{
	enum storable verdict;

	assert_int_equal(storable_judge(&t->session, head, &verdict, why), ERR_NONE);
	return verdict;
}

/* Signs what the head says, as a key of that name; the public half goes into the grant where `granted`. */
static void sign(struct talk *t, struct value *head, const char *key_name, bool granted)
{
	char *signature = arena_alloc(&t->session.arena, SIGNATURE_MAX);
	char **keys = arena_alloc(&t->session.arena, sizeof *keys);
	char *public_key = arena_alloc(&t->session.arena, SIGNATURE_MAX);
	unsigned char pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES], raw[crypto_sign_BYTES];
	const struct value *references = value_of(head, shape(t), "references");
	uint8_t hash[SHA256_LEN];
	struct text refs[4];
	struct signed_info info = { .path = value_text(value_of(head, shape(t), "path")), .nar_hash = hash,
				    .nar_size = value_of(head, shape(t), "narSize")->number, .refs = refs,
				    .ref_count = references->count };
	struct buf b;
	size_t used;

	for (size_t i = 0; i < references->count; i++)
		refs[i] = value_text(&references->items[i]);
	assert_true(hex_decode(value_text(value_of(head, shape(t), "narHash")), hash, sizeof hash));
	crypto_sign_keypair(pk, sk);
	buf_init(&b, 4096);
	assert_int_equal(fingerprint_put(&b, &info), ERR_NONE);
	crypto_sign_detached(raw, NULL, buf_data(&b), buf_len(&b), sk);
	buf_free(&b);
	used = (size_t)snprintf(signature, SIGNATURE_MAX, "%s:", key_name);
	sodium_bin2base64(signature + used, SIGNATURE_MAX - used, raw, sizeof raw, sodium_base64_VARIANT_ORIGINAL);
	used = (size_t)snprintf(public_key, SIGNATURE_MAX, "%s:", key_name);
	sodium_bin2base64(public_key + used, SIGNATURE_MAX - used, pk, sizeof pk, sodium_base64_VARIANT_ORIGINAL);
	*value_at(head, shape(t), "signatures") = LIST(t, signature);
	keys[0] = public_key;
	if (granted)
		t->grant.trusted_public_keys = (struct text_list){ .items = keys, .count = 1 };
}

static void a_path_without_address_and_signature_is_not_storable(void **state)
{
	struct talk *t = *state;
	struct value *head = head_of(t, PLAIN);

	assert_int_equal(judged(t, head), STORABLE_NOT);
	t->grant.trust = TRUST_SIGNED;
	assert_int_equal(judged(t, head), STORABLE_NOT);
	t->grant.trust = TRUST_FULL;
	assert_int_equal(judged(t, head), STORABLE_BELIEVED);
	value_set_number(head, shape(t), "dontCheckSigs", 0);
	assert_int_equal(judged(t, head), STORABLE_CHECKED);
}

static void a_path_must_be_the_one_that_its_address_gives(void **state)
{
	struct talk *t = *state;
	struct value none = { .count = 0 }, one = LIST(t, REF_A);
	struct value *head = addressed(t, "x", &none);

	assert_int_equal(judged(t, head), STORABLE_CHECKED);
	*value_at(head, shape(t), "references") = one;
	assert_int_equal(judged(t, head), STORABLE_NEVER);
	assert_holds(why, "is not the path that its content address");
	assert_int_equal(judged(t, addressed(t, "x", &one)), STORABLE_CHECKED);
	t->grant.trust = TRUST_FULL;
	assert_int_equal(judged(t, head), STORABLE_NEVER);
}

static void an_address_of_no_known_kind_is_never_taken(void **state)
{
	struct talk *t = *state;
	struct value *head = head_of(t, PLAIN);

	value_set_text(head, shape(t), "ca", text_of("fixed:git:sha1:0000000000000000000000000000000000000000"));
	assert_int_equal(judged(t, head), STORABLE_NEVER);
}

static void a_signature_that_the_grant_does_not_know_is_the_daemons_to_check(void **state)
{
	struct talk *t = *state;
	struct value *head = head_of(t, PLAIN);

	sign(t, head, "cache-1", false);
	assert_int_equal(judged(t, head), STORABLE_CHECKED);
	t->grant.trust = TRUST_SIGNED;
	assert_int_equal(judged(t, head), STORABLE_CHECKED);
}

static void a_key_of_the_grant_is_believed_where_trust_is_signed(void **state)
{
	struct talk *t = *state;
	struct value *head = head_of(t, PLAIN);

	*value_at(head, shape(t), "references") = LIST(t, REF_A, REF_B);
	sign(t, head, "alice-1", true);
	assert_int_equal(judged(t, head), STORABLE_CHECKED);    /* trust none: the keys say nothing */
	t->grant.trust = TRUST_SIGNED;
	assert_int_equal(judged(t, head), STORABLE_BELIEVED);
	value_set_number(head, shape(t), "narSize", 128);
	assert_int_equal(judged(t, head), STORABLE_CHECKED);
	value_set_number(head, shape(t), "narSize", 120);
	*value_at(head, shape(t), "references") = LIST(t, REF_A);
	assert_int_equal(judged(t, head), STORABLE_CHECKED);
	*value_at(head, shape(t), "references") = LIST(t, REF_A, REF_B);
	value_set_text(head, shape(t), "path", text_of(REF_B "2"));
	assert_int_equal(judged(t, head), STORABLE_CHECKED);
}

static void another_key_of_the_same_name_is_not_believed(void **state)
{
	struct talk *t = *state;
	struct value *head = head_of(t, PLAIN);

	t->grant.trust = TRUST_SIGNED;
	sign(t, head, "alice-1", true);
	assert_int_equal(judged(t, head), STORABLE_BELIEVED);
	value_set_text(head, shape(t), "narHash",
		       text_of("1a430879c266f8b57f4092a0f935cf3facd48bbccde5760d4748ca405171e969"));
	assert_int_equal(judged(t, head), STORABLE_CHECKED);
	sign(t, head, "alice-1", false);
	assert_int_equal(judged(t, head), STORABLE_CHECKED);
}

static void what_refers_to_a_path_taken_off_is_not_storable_whoever_signed_it(void **state)
{
	struct talk *t = *state;
	struct value one = LIST(t, REF_A);
	struct value *head = head_of(t, PLAIN);
	struct text reference;

	assert_int_equal(path_set_add(&t->session.taken_off, text_of(REF_A), NULL), ERR_NONE);
	*value_at(head, shape(t), "references") = one;
	sign(t, head, "alice-1", true);
	t->grant.trust = TRUST_SIGNED;
	assert_int_equal(judged(t, head), STORABLE_NOT);
	assert_int_equal(judged(t, addressed(t, "x", &one)), STORABLE_NOT);
	assert_true(storable_refers_to(head, &t->session.taken_off, &reference));
	assert_true(text_is(reference, REF_A));
}

#define JUNK "no signature at all"
#define STRANGERS "cache-1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="

static size_t signatures_left(const struct talk *t, const struct value *head)
{
	return value_of(head, shape(t), "signatures")->count;
}

static void what_is_no_signature_goes_nowhere(void **state)
{
	struct talk *t = *state;
	struct value *head = head_of(t, PLAIN);

	*value_at(head, shape(t), "signatures") = LIST(t, JUNK, STRANGERS, "a:b");
	assert_int_equal(judged(t, head), STORABLE_CHECKED);
	assert_int_equal(signatures_left(t, head), 1);
	assert_true(text_is(value_text(&value_of(head, shape(t), "signatures")->items[0]), STRANGERS));
	*value_at(head, shape(t), "signatures") = LIST(t, JUNK);
	assert_int_equal(judged(t, head), STORABLE_NOT);
	*value_at(head, shape(t), "signatures") = LIST(t, JUNK, STRANGERS);
	t->grant.trust = TRUST_FULL;
	assert_int_equal(judged(t, head), STORABLE_BELIEVED);
	assert_int_equal(signatures_left(t, head), 1);
}

static void a_signature_that_nobody_checks_is_left_out(void **state)
{
	struct talk *t = *state;
	struct value none = { .count = 0 }, *head = addressed(t, "x", &none);
	const char *own;

	*value_at(head, shape(t), "signatures") = LIST(t, STRANGERS);
	assert_int_equal(judged(t, head), STORABLE_CHECKED);
	assert_int_equal(signatures_left(t, head), 0);
	head = head_of(t, PLAIN);
	sign(t, head, "alice-1", true);
	own = value_of(head, shape(t), "signatures")->items[0].text;
	*value_at(head, shape(t), "signatures") = LIST(t, STRANGERS, own, STRANGERS);
	t->grant.trust = TRUST_SIGNED;
	assert_int_equal(judged(t, head), STORABLE_BELIEVED);
	assert_int_equal(signatures_left(t, head), 1);
	assert_ptr_equal(value_of(head, shape(t), "signatures")->items[0].text, own);
}

static void a_path_that_refers_to_itself_does_not_stand_in_its_own_way(void **state)
{
	struct talk *t = *state;
	struct value *head = head_of(t, REF_A);
	struct text reference;

	assert_int_equal(path_set_add(&t->session.taken_off, text_of(REF_A), NULL), ERR_NONE);
	*value_at(head, shape(t), "references") = LIST(t, REF_A);
	assert_false(storable_refers_to(head, &t->session.taken_off, &reference));
}

static void a_deriver_must_be_a_derivation(void **state)
{
	struct talk *t = *state;
	struct value none = { .count = 0 }, *head = addressed(t, "x", &none);

	value_set_text(head, shape(t), "deriver", text_of(REF_A ".drv"));
	assert_int_equal(judged(t, head), STORABLE_CHECKED);
	value_set_text(head, shape(t), "deriver", text_of(REF_A));
	assert_int_equal(judged(t, head), STORABLE_NEVER);
	assert_holds(why, "is no derivation");
	t->grant.trust = TRUST_FULL;
	assert_int_equal(judged(t, head), STORABLE_NEVER);
}

static void references_must_ascend(void **state)
{
	struct talk *t = *state;
	struct value *head = head_of(t, PLAIN);

	t->grant.trust = TRUST_FULL;
	*value_at(head, shape(t), "references") = LIST(t, REF_A, REF_B);
	assert_int_equal(judged(t, head), STORABLE_BELIEVED);
	*value_at(head, shape(t), "references") = LIST(t, REF_B, REF_A);
	assert_int_equal(judged(t, head), STORABLE_NEVER);
	*value_at(head, shape(t), "references") = LIST(t, REF_A, REF_A);
	assert_int_equal(judged(t, head), STORABLE_NEVER);
	assert_holds(why, "not in their order");
}

static void rebuilding_is_the_default_where_building_is_granted(void **unused)
{
	struct grant grant = { .operations = OPS_BUILD | OPS_UPLOAD };

	(void)unused;
	assert_true(storable_rebuilds(&grant));
	grant.unsigned_uploads = UNSIGNED_REFUSE;
	assert_false(storable_rebuilds(&grant));
	grant.operations = OPS_UPLOAD;
	grant.unsigned_uploads = UNSIGNED_DEFAULT;
	assert_false(storable_rebuilds(&grant));
	grant.unsigned_uploads = UNSIGNED_REBUILD;
	assert_true(storable_rebuilds(&grant));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_without_address_and_signature_is_not_storable),
		TEST(a_path_must_be_the_one_that_its_address_gives),
		TEST(an_address_of_no_known_kind_is_never_taken),
		TEST(a_signature_that_the_grant_does_not_know_is_the_daemons_to_check),
		TEST(a_key_of_the_grant_is_believed_where_trust_is_signed),
		TEST(another_key_of_the_same_name_is_not_believed),
		TEST(what_refers_to_a_path_taken_off_is_not_storable_whoever_signed_it),
		TEST(what_is_no_signature_goes_nowhere),
		TEST(a_signature_that_nobody_checks_is_left_out),
		TEST(a_path_that_refers_to_itself_does_not_stand_in_its_own_way),
		TEST(a_deriver_must_be_a_derivation),
		TEST(references_must_ascend),
		cmocka_unit_test(rebuilding_is_the_default_where_building_is_granted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
