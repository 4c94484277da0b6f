#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/audit/audit.h"
#include "gateway/base/log.h"

/* An audit in a file of its own folder. */
struct place {
	struct audit audit;
	char folder[64], file[96];
};

static char why[SENTENCE_MAX];

static int begin(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	if (p == NULL || sodium_init() < 0)
		return -1;
	snprintf(p->folder, sizeof p->folder, "/tmp/nix-gateway-audit.XXXXXX");
	if (mkdtemp(p->folder) == NULL)
		return -1;
	snprintf(p->file, sizeof p->file, "%s/audit", p->folder);
	audit_init(&p->audit);
	*state = p;
	return 0;
}

static int end(void **state)
{
	struct place *p = *state;

	audit_close(&p->audit);
	unlink(p->file);
	rmdir(p->folder);
	free(p);
	return 0;
}

static void open_file(struct place *p)
{
	assert_int_equal(audit_open(&p->audit, AUDIT_TO_FILE, p->file, why), ERR_NONE);
}

static size_t read_all(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, size - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* Line `number` of the file as an object; the caller drops it. */
static json_t *line_of(const struct place *p, int number)
{
	char text[32 * 1024], *line = text;
	json_t *record;

	assert_true(read_all(p->file, text, sizeof text) > 0);
	assert_int_equal(text[strlen(text) - 1], '\n');
	while (number-- > 0)
		line = strchr(line, '\n') + 1;
	*strchr(line, '\n') = '\0';
	record = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(record);
	return record;
}

static const char *text_in(const json_t *record, const char *name)
{
	return json_string_value(json_object_get(record, name));
}

static void write_plain(struct place *p, const char *event)
{
	assert_int_equal(audit_write(&p->audit, event, NULL, 0, why), ERR_NONE);
}

static void each_record_is_one_object_a_line_with_the_members_all_have(void **state)
{
	struct place *p = *state;
	json_t *record;

	open_file(p);
	p->audit.key = "alice";
	p->audit.peer = "192.0.2.1";
	write_plain(p, "session-start");
	p->audit.fingerprint = "SHA256:abc";
	write_plain(p, "session-end");
	record = line_of(p, 0);
	assert_string_equal(text_in(record, "event"), "session-start");
	assert_string_equal(text_in(record, "key"), "alice");
	assert_string_equal(text_in(record, "peer"), "192.0.2.1");
	assert_null(json_object_get(record, "fingerprint"));
	assert_int_equal(strlen(text_in(record, "session")), 32);
	assert_int_equal(strlen(text_in(record, "time")), 20);
	assert_int_equal(text_in(record, "time")[19], 'Z');
	json_decref(record);
	record = line_of(p, 1);
	assert_string_equal(text_in(record, "fingerprint"), "SHA256:abc");
	json_decref(record);
}

static void a_records_own_members_follow(void **state)
{
	struct audit_field fields[] = {
		{ .name = "drv", .text = "/nix/store/a.drv" },
		{ .name = "left-out", .text = NULL },
		{ .name = "bytes", .kind = AUDIT_NUMBER, .number = 1234567890123 },
	};
	struct place *p = *state;
	json_t *record;

	open_file(p);
	assert_int_equal(audit_write(&p->audit, "upload", fields, 3, why), ERR_NONE);
	record = line_of(p, 0);
	assert_string_equal(text_in(record, "drv"), "/nix/store/a.drv");
	assert_int_equal(json_integer_value(json_object_get(record, "bytes")), 1234567890123);
	assert_null(json_object_get(record, "left-out"));
	json_decref(record);
}

/* A client chooses names: it can neither forge a second record nor break the line. */
static void foreign_bytes_are_escaped(void **state)
{
	struct audit_field field = { .name = "subject", .text = "a\"}\n{\"event\":\"x\"\x1b[2J\xff%s" };
	struct place *p = *state;
	char text[8192];
	json_t *record;

	open_file(p);
	assert_int_equal(audit_write(&p->audit, "denied", &field, 1, why), ERR_NONE);
	record = line_of(p, 0);
	assert_string_equal(text_in(record, "event"), "denied");
	assert_string_equal(text_in(record, "subject"), "a\"}\\x0a{\"event\":\"x\"\\x1b[2J\\xff\\x25s");
	json_decref(record);
	read_all(p->file, text, sizeof text);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void a_text_of_any_length_is_cut_and_still_a_record(void **state)
{
	static char large[100000];
	struct audit_field field = { .name = "subject", .text = large };
	struct place *p = *state;
	json_t *record;

	memset(large, '\n', sizeof large - 1);
	open_file(p);
	assert_int_equal(audit_write(&p->audit, "denied", &field, 1, why), ERR_NONE);
	record = line_of(p, 0);
	assert_in_range(strlen(text_in(record, "subject")), 1000, 4096);
	json_decref(record);
}

static void every_session_has_a_name_of_its_own(void **state)
{
	struct place *p = *state;
	struct audit other;

	audit_init(&other);
	open_file(p);
	assert_int_equal(audit_open(&other, AUDIT_TO_FILE, p->file, why), ERR_NONE);
	assert_string_not_equal(p->audit.session, other.session);
	assert_int_equal(audit_write(&other, "second", NULL, 0, why), ERR_NONE);
	write_plain(p, "third");        /* both at the end of the file */
	json_decref(line_of(p, 1));
	audit_close(&other);
}

static void what_cannot_be_written_is_an_error_with_its_reason(void **state)
{
	struct place *p = *state;

	if (access("/dev/full", W_OK) != 0)
		skip();
	assert_int_equal(audit_open(&p->audit, AUDIT_TO_FILE, "/dev/full", why), ERR_NONE);
	assert_int_equal(audit_write(&p->audit, "denied", NULL, 0, why), ERR_IO);
	assert_string_equal(why, "/dev/full: No space left on device");
}

/* A part of a line at the end of the file: what follows begins a line of its own. */
static void a_record_that_was_cut_is_not_joined_by_the_next(void **state)
{
	struct place *p = *state;
	struct audit other;

	audit_init(&other);
	open_file(p);
	assert_int_equal(write(p->audit.file, "{\"cut", 5), 5);
	assert_int_equal(audit_open(&other, AUDIT_TO_FILE, p->file, why), ERR_NONE);
	assert_int_equal(audit_write(&other, "second", NULL, 0, why), ERR_NONE);
	assert_int_equal(audit_write(&other, "third", NULL, 0, why), ERR_NONE);
	json_decref(line_of(p, 1));
	json_decref(line_of(p, 2));
	audit_close(&other);
}

static void one_place_that_fails_is_enough(void **state)
{
	struct place *p = *state;

	open_file(p);
	p->audit.places |= AUDIT_TO_SYSLOG;
	p->audit.syslog = open("/dev/null", O_RDONLY);  /* no socket */
	assert_int_equal(audit_write(&p->audit, "denied", NULL, 0, why), ERR_IO);
	assert_non_null(strstr(why, "syslog: "));
	json_decref(line_of(p, 0));
}

static void a_file_that_cannot_be_opened_is_an_error_with_its_reason(void **state)
{
	struct place *p = *state;
	char inside[128];

	snprintf(inside, sizeof inside, "%s/missing/audit", p->folder);
	assert_int_equal(audit_open(&p->audit, AUDIT_TO_FILE, inside, why), ERR_IO);
	assert_non_null(strstr(why, "/missing/audit: No such file or directory"));
}

/* Whoever could put a link there would have our records go elsewhere. */
static void a_link_is_not_followed_and_the_file_is_for_the_owner_alone(void **state)
{
	struct place *p = *state;
	struct stat st;

	open_file(p);
	assert_int_equal(fstat(p->audit.file, &st), 0);
	assert_int_equal(st.st_mode & 0077, 0);
	assert_true((fcntl(p->audit.file, F_GETFD) & FD_CLOEXEC) != 0);
	audit_close(&p->audit);
	unlink(p->file);
	assert_int_equal(symlink("/dev/null", p->file), 0);
	assert_int_equal(audit_open(&p->audit, AUDIT_TO_FILE, p->file, why), ERR_IO);
}

static void a_record_for_syslog_has_its_header_and_no_newline(void **state)
{
	struct place *p = *state;
	char got[4096];
	ssize_t n;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	assert_int_equal(audit_open(&p->audit, 0, NULL, why), ERR_NONE);
	p->audit.places = AUDIT_TO_SYSLOG;
	p->audit.syslog = pair[0];
	write_plain(p, "session-start");
	n = recv(pair[1], got, sizeof got - 1, MSG_DONTWAIT);
	assert_true(n > 0);
	got[n] = '\0';
	assert_memory_equal(got, "<86>nix-gateway[", 16);
	assert_non_null(strstr(got, "]: {\"time\":\""));
	assert_int_equal(got[n - 1], '}');
	close(pair[1]);
	assert_int_equal(audit_write(&p->audit, "x", NULL, 0, why), ERR_IO);    /* the logger has gone */
}

static void without_a_logger_auto_is_stderr_and_syslog_is_an_error(void **state)
{
	struct place *p = *state;

	if (access("/dev/log", F_OK) == 0 || access("/var/run/syslog", F_OK) == 0)
		skip();
	assert_int_equal(audit_open(&p->audit, AUDIT_TO_AUTO, NULL, why), ERR_NONE);
	assert_int_equal(p->audit.places, AUDIT_TO_STDERR);
	assert_int_equal(audit_open(&p->audit, AUDIT_TO_SYSLOG, NULL, why), ERR_IO);
	assert_non_null(strstr(why, "nobody listens"));
}

static void stderr_gets_the_whole_line_or_it_is_an_error(void **state)
{
	struct place *p = *state;
	int saved = dup(STDERR_FILENO), file;
	enum err err;

	assert_int_equal(audit_open(&p->audit, AUDIT_TO_STDERR, NULL, why), ERR_NONE);
	file = open(p->file, O_WRONLY | O_CREAT, 0600);
	dup2(file, STDERR_FILENO);
	write_plain(p, "x");
	close(STDERR_FILENO);
	err = audit_write(&p->audit, "y", NULL, 0, why);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(file);
	assert_int_equal(err, ERR_IO);
	json_decref(line_of(p, 0));
}

static void before_it_is_open_records_go_nowhere(void **state)
{
	struct place *p = *state;

	write_plain(p, "x");
	assert_int_equal(access(p->file, F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_record_is_one_object_a_line_with_the_members_all_have),
		TEST(a_records_own_members_follow),
		TEST(foreign_bytes_are_escaped),
		TEST(a_text_of_any_length_is_cut_and_still_a_record),
		TEST(every_session_has_a_name_of_its_own),
		TEST(what_cannot_be_written_is_an_error_with_its_reason),
		TEST(a_record_that_was_cut_is_not_joined_by_the_next),
		TEST(one_place_that_fails_is_enough),
		TEST(a_file_that_cannot_be_opened_is_an_error_with_its_reason),
		TEST(a_link_is_not_followed_and_the_file_is_for_the_owner_alone),
		TEST(a_record_for_syslog_has_its_header_and_no_newline),
		TEST(without_a_logger_auto_is_stderr_and_syslog_is_an_error),
		TEST(stderr_gets_the_whole_line_or_it_is_an_error),
		TEST(before_it_is_open_records_go_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
