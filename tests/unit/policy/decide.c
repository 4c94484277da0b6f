#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/decide.h"

static char ca1[] = "SHA256:ca1", ca2[] = "SHA256:ca2", print_a[] = "SHA256:aaa", print_b[] = "SHA256:bbb";
static char alice[] = "alice", bob[] = "bob", laptop[] = "laptop", star[] = "*";
static char *prints_a[] = { print_a }, *prints_b[] = { print_b };

/* alice: key A, or a certificate of CA 1 for the principal alice; bob: key B; laptop: CA 1, bob and a key id. */
static struct key keys[] = {
	{ .name = alice,
	  .rule = { 10 },
	  .fingerprints = { .items = prints_a, .count = 1 },
	  .certificate_authority = ca1,
	  .principal = alice },
	{ .name = bob, .rule = { 20 }, .fingerprints = { .items = prints_b, .count = 1 } },
	{ .name = laptop, .rule = { 30 }, .certificate_authority = ca1, .principal = bob, .key_id = laptop },
	{ .name = star, .rule = { 40 } },
};

/* With or without [key *]. */
static struct policy team(bool open)
{
	return (struct policy){ .keys = keys, .key_count = open ? 4 : 3, .knows_identities = true };
}

/* Only [key *], as in the policy we ship. */
static struct policy shipped(void)
{
	return (struct policy){ .keys = keys + 3, .key_count = 1 };
}

enum { KEYS = sizeof keys / sizeof *keys };

/* What policy_could_be leaves of a policy answers as the whole does, also to one of whom less is known. */
static void assert_rest_answers_alike(const struct policy *p, const struct caller *known, const struct caller *caller)
{
	struct key kept[KEYS];
	struct policy rest = { .keys = kept, .knows_identities = p->knows_identities };
	struct verdict by_all, by_rest;
	const struct key *all, *one;

	for (size_t i = 0; i < p->key_count; i++)
		if (policy_could_be(&p->keys[i], known))
			kept[rest.key_count++] = p->keys[i];
	all = policy_identify(p, caller, &by_all);
	one = policy_identify(&rest, caller, &by_rest);
	assert_string_equal(all == NULL ? "nobody" : all->name, one == NULL ? "nobody" : one->name);
	assert_string_equal(by_all.text, by_rest.text);
	assert_int_equal(by_all.rule.line, by_rest.rule.line);
}

static const struct key *identify(const struct policy *p, const struct caller *caller, struct verdict *why)
{
	struct caller nameless = *caller;

	nameless.key_name = NULL;
	assert_rest_answers_alike(p, caller, caller);
	assert_rest_answers_alike(p, caller, &nameless);
	return policy_identify(p, caller, why);
}

static const char *name_of(const struct policy *p, struct caller caller)
{
	struct verdict why;
	const struct key *key = identify(p, &caller, &why);

	assert_int_equal(why.allow, key != NULL);
	assert_int_equal(strlen(why.text) == 0, key != NULL);
	assert_int_equal(why.rule.line, key != NULL ? key->rule.line : why.rule.line);
	return key == NULL ? "nobody" : key->name;
}

static struct verdict why_not(const struct policy *p, struct caller caller)
{
	struct verdict why;

	assert_null(identify(p, &caller, &why));
	assert_false(why.allow);
	return why;
}

static void a_fingerprint_names_its_section(void **unused)
{
	struct policy p = team(true);

	(void)unused;
	assert_string_equal(name_of(&p, (struct caller){ .fingerprint = print_a }), "alice");
	assert_string_equal(name_of(&p, (struct caller){ .fingerprint = print_b }), "bob");
}

/* I2 */
static void an_unknown_key_is_refused_or_star(void **unused)
{
	struct policy closed = team(false), open = team(true), all = shipped();
	struct caller caller = { .fingerprint = "SHA256:zzz" };

	(void)unused;
	assert_string_equal(name_of(&closed, caller), "nobody");
	assert_string_equal(why_not(&closed, caller).text, "this SSH key (SHA256:zzz) is not in this builder's policy");
	assert_int_equal(why_not(&closed, caller).rule.line, 0);
	assert_string_equal(name_of(&open, caller), "*");
	assert_string_equal(name_of(&all, caller), "*");
	caller.fingerprint = "SHA256:aa";
	assert_string_equal(name_of(&closed, caller), "nobody");
}

static void a_name_given_decides_alone_and_must_exist(void **unused)
{
	struct policy p = team(true);
	struct caller caller = { .key_name = "bob", .fingerprint = print_a };

	(void)unused;
	assert_string_equal(name_of(&p, caller), "bob");
	caller.key_name = "carol";
	assert_string_equal(why_not(&p, caller).text, "key 'carol' is not in this builder's policy");
	caller.key_name = "a\x1b[2J%s\\";
	assert_string_equal(why_not(&p, caller).text, "key 'a?[2J?s?' is not in this builder's policy");
}

static void without_an_identity_star_is_only_for_a_policy_that_knows_none(void **unused)
{
	struct policy open = team(true), all = shipped();

	(void)unused;
	assert_string_equal(name_of(&all, (struct caller){ .key_name = NULL }), "*");
	assert_string_equal(name_of(&open, (struct caller){ .key_name = NULL }), "nobody");
	assert_non_null(strstr(why_not(&open, (struct caller){ .key_name = NULL }).text, "ExposeAuthInfo yes"));
}

static struct caller certificate(const char *ca, const char *const *principals, size_t count, const char *key_id)
{
	return (struct caller){ .fingerprint = "SHA256:inner", .certificate_authority = ca, .principals = principals,
				.principal_count = count, .key_id = key_id };
}

/* I3 */
static void a_certificate_counts_only_under_its_authority(void **unused)
{
	static const char *const names[] = { "other", "alice" };
	struct policy p = team(false);
	struct caller wrong = certificate(ca2, names, 2, "laptop");

	(void)unused;
	assert_string_equal(name_of(&p, certificate(ca1, names, 2, "x")), "alice");
	assert_string_equal(name_of(&p, wrong), "nobody");
	assert_non_null(strstr(why_not(&p, wrong).text, "this SSH key (SHA256:inner) is not in this builder's policy"));
	assert_non_null(strstr(why_not(&p, wrong).text, ca2));
	assert_string_equal(name_of(&p, certificate(ca1, names, 1, "alice")), "nobody");
	assert_string_equal(name_of(&p, certificate(ca1, NULL, 0, NULL)), "nobody");
}

static void principal_and_key_id_must_both_match(void **unused)
{
	static const char *const names[] = { "bob" };
	struct policy p = team(false);

	(void)unused;
	assert_string_equal(name_of(&p, certificate(ca1, names, 1, "laptop")), "laptop");
	assert_string_equal(name_of(&p, certificate(ca1, names, 1, "desktop")), "nobody");
	assert_string_equal(name_of(&p, certificate(ca1, names, 1, NULL)), "nobody");
	assert_string_equal(name_of(&p, certificate(ca1, NULL, 0, "laptop")), "nobody");
}

static void a_certificate_of_two_sections_is_refused(void **unused)
{
	static const char *const names[] = { "alice", "bob" };
	struct policy p = team(true);
	struct verdict why = why_not(&p, certificate(ca1, names, 2, "laptop"));

	(void)unused;
	assert_non_null(strstr(why.text, "'alice' and 'laptop'"));
}

static void a_plain_authority_key_is_no_certificate(void **unused)
{
	struct policy p = team(false);

	(void)unused;
	assert_string_equal(name_of(&p, (struct caller){ .fingerprint = ca1 }), "nobody");
	assert_string_equal(name_of(&p, (struct caller){ .fingerprint = "SHA256:x", .key_id = "laptop" }), "nobody");
}

static void a_listed_inner_key_is_known_after_the_authority_failed(void **unused)
{
	static const char *const names[] = { "alice" };
	struct policy p = team(false);
	struct caller caller = certificate(ca2, names, 1, "alice");

	(void)unused;
	caller.fingerprint = print_b;
	assert_string_equal(name_of(&p, caller), "bob");
	caller.certificate_authority = ca1;             /* the authority's word comes first */
	assert_string_equal(name_of(&p, caller), "alice");
}

static void a_section_that_names_another_cannot_be_the_callers(void **unused)
{
	static const char *const names[] = { "alice" };
	struct caller a = { .fingerprint = print_a }, named = { .key_name = "bob" }, none = { .key_name = NULL },
		      signed_alice = certificate(ca1, names, 1, "x");

	(void)unused;
	assert_true(policy_could_be(&keys[0], &a) && policy_could_be(&keys[3], &a));
	assert_false(policy_could_be(&keys[1], &a) || policy_could_be(&keys[2], &a));
	assert_true(policy_could_be(&keys[1], &named));
	assert_false(policy_could_be(&keys[0], &named) || policy_could_be(&keys[2], &named));
	assert_true(policy_could_be(&keys[0], &signed_alice));
	assert_false(policy_could_be(&keys[1], &signed_alice) || policy_could_be(&keys[2], &signed_alice));
	for (size_t i = 0; i < 3; i++)
		assert_false(policy_could_be(&keys[i], &none));
}

static void a_key_works_on_its_last_day_and_not_on_the_next(void **unused)
{
	struct policy p = team(true);
	struct grant grant = { .protocols = PROTOCOL_SSH | PROTOCOL_SSH_NG };
	struct key key = { .name = bob, .rule = { 20 }, .expires = { 2020, 1, 1 }, .expires_rule = { 22 },
			   .grant = &grant };
	struct verdict v;

	(void)unused;
	assert_true(policy_decide_session(&p, &key, PROTOCOL_SSH, (struct date){ 2020, 1, 1 }).allow);
	assert_true(policy_decide_session(&p, &key, PROTOCOL_SSH, (struct date){ 2019, 12, 31 }).allow);
	assert_false(policy_decide_session(&p, &key, PROTOCOL_SSH, (struct date){ 2020, 2, 1 }).allow);
	assert_false(policy_decide_session(&p, &key, PROTOCOL_SSH, (struct date){ 2021, 1, 1 }).allow);
	v = policy_decide_session(&p, &key, PROTOCOL_SSH, (struct date){ 2020, 1, 2 });
	assert_false(v.allow);
	assert_int_equal(v.rule.line, 22);
	assert_string_equal(v.text, "key 'bob' expired on 2020-01-01");
	key.expires.year = 0;
	assert_true(policy_decide_session(&p, &key, PROTOCOL_SSH, (struct date){ 9999, 1, 1 }).allow);
}

static void a_protocol_that_is_not_allowed_is_refused_with_what_is(void **unused)
{
	struct policy p = team(true);
	struct grant grant = { .protocols = PROTOCOL_SSH_NG };
	struct key key = { .name = bob, .rule = { 20 }, .grant = &grant };
	struct date today = { 2026, 1, 1 };
	struct verdict v;

	(void)unused;
	grant.rules[GRANT_PROTOCOLS].line = 21;
	v = policy_decide_session(&p, &key, PROTOCOL_SSH_NG, today);
	assert_true(v.allow);
	assert_int_equal(v.rule.line, 21);
	v = policy_decide_session(&p, &key, PROTOCOL_SSH, today);
	assert_false(v.allow);
	assert_int_equal(v.rule.line, 21);
	assert_string_equal(v.text, "key 'bob' may not use ssh:// (allowed: ssh-ng)");
	grant.protocols = PROTOCOL_SSH;
	v = policy_decide_session(&p, &key, PROTOCOL_SSH_NG, today);
	assert_string_equal(v.text, "key 'bob' may not use ssh-ng:// (allowed: ssh)");
	grant.protocols = 0;
	v = policy_decide_session(&p, &key, PROTOCOL_SSH, today);
	assert_string_equal(v.text, "key 'bob' may not use ssh:// (allowed: none)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fingerprint_names_its_section),
		cmocka_unit_test(an_unknown_key_is_refused_or_star),
		cmocka_unit_test(a_name_given_decides_alone_and_must_exist),
		cmocka_unit_test(without_an_identity_star_is_only_for_a_policy_that_knows_none),
		cmocka_unit_test(a_certificate_counts_only_under_its_authority),
		cmocka_unit_test(principal_and_key_id_must_both_match),
		cmocka_unit_test(a_certificate_of_two_sections_is_refused),
		cmocka_unit_test(a_plain_authority_key_is_no_certificate),
		cmocka_unit_test(a_listed_inner_key_is_known_after_the_authority_failed),
		cmocka_unit_test(a_section_that_names_another_cannot_be_the_callers),
		cmocka_unit_test(a_key_works_on_its_last_day_and_not_on_the_next),
		cmocka_unit_test(a_protocol_that_is_not_allowed_is_refused_with_what_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
