/* Structured attributes and records, read and written by the JSON library, in a process of their own each time: with less
 * memory than that takes, the process ends, or there is an error. What is understood otherwise is what was said. */
#include "tests/unit/no_memory/scarce.h"

#include <sodium.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/audit/audit.h"
#include "gateway/base/log.h"
#include "gateway/cli/json_memory.h"
#include "gateway/nix/structured_attrs.h"

#define FEATURES "a-feature-with-a-name-of-some-length", "big-parallel", "kvm"

/* How a child has ended. */
enum { ENDED_WHOLE, ENDED_BY_ITSELF, ENDED_WITH_AN_ERROR, ENDED_WRONG };

/* Runs `child`, whose result is its status; did an allocation fail? */
static bool status_is_sound(int (*child)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) >= ENDED_WRONG)
		fail_msg("allocation %zu%s: status 0x%x", scarce.at, scarce.once ? " alone" : "", (unsigned)status);
	return WEXITSTATUS(status) != ENDED_WHOLE;
}

static bool is_understood(const struct structured_attrs *attrs, struct arena *arena, enum err *err)
{
	static const char *const features[] = { FEATURES };
	struct text items[3];
	size_t count = 0;

	*err = structured_attr_count(attrs, "requiredSystemFeatures", &count);
	if (*err || count != 3)
		return false;
	*err = structured_attr_strings(attrs, "requiredSystemFeatures", arena, items);
	for (size_t i = 0; !*err && i < count; i++)
		if (!text_is(items[i], features[i]))
			return false;
	return !*err;
}

static int read_attributes(void)
{
	static const char json[] = "{\"name\":\"a\",\"another-attribute-with-a-name-of-some-length\":[{\"x\":[1.5,true]}],"
				   "\"requiredSystem\\u0046eatures\":[\"a-feature-with-a-name-of-some-\\u006cength\","
				   "\"big-parallel\",\"kvm\"]}";
	struct structured_attrs attrs;
	struct arena arena;
	bool right;
	enum err err;

	arena_init(&arena, 1 << 20);
	scarce_begin();
	err = structured_attrs_parse((struct text){ json, sizeof json - 1 }, &attrs);
	right = !err && is_understood(&attrs, &arena, &err);
	structured_attrs_free(&attrs);
	arena_free(&arena);
	if (scarce_end() && err)
		return ENDED_WITH_AN_ERROR;
	return right && !asked.hit ? ENDED_WHOLE : ENDED_WRONG;
}

static bool attributes(void *unused)
{
	(void)unused;
	return status_is_sound(read_attributes);
}

static void attributes_are_understood_as_they_were_sent(void **unused)
{
	(void)unused;
	assert_true(scarce_case(attributes, NULL) > 20);
}

static int write_record(void)
{
	static const char rest[] = "\"event\":\"an-event-with-a-name-of-some-length\",\"session\":\"\",\"drv\":\"a\"}\n";
	const struct audit_field fields[] = { { .name = "drv", .text = "a" } };
	char name[] = "/tmp/nix-gateway-unit.XXXXXX", why[SENTENCE_MAX], line[1024];
	struct audit audit;
	enum err err;
	ssize_t n;

	audit_init(&audit);
	audit.places = AUDIT_TO_FILE;
	audit.path = name;
	audit.file = mkstemp(name);
	unlink(name);
	scarce_begin();
	err = audit_write(&audit, "an-event-with-a-name-of-some-length", fields, 1, why);
	if (scarce_end() && err)
		return ENDED_WITH_AN_ERROR;
	n = pread(audit.file, line, sizeof line - 1, 0);
	line[n > 0 ? n : 0] = '\0';
	return !asked.hit && strstr(line, rest) != NULL && strncmp(line, "{\"time\":\"2", 10) == 0 ? ENDED_WHOLE : ENDED_WRONG;
}

static bool record(void *unused)
{
	(void)unused;
	return status_is_sound(write_record);
}

static void a_record_says_what_happened_or_is_none(void **unused)
{
	(void)unused;
	assert_true(scarce_case(record, NULL) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_understood_as_they_were_sent),
		cmocka_unit_test(a_record_says_what_happened_or_is_none),
	};

	if (sodium_init() < 0)
		return 1;
	json_memory_strict();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
