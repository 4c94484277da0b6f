#include "tests/unit/identity/keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/identity/auth_info.h"

struct place {
	char folder[64], file[96];
};

static int make_place(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	if (p == NULL)
		return -1;
	snprintf(p->folder, sizeof p->folder, "/tmp/nix-gateway-auth.XXXXXX");
	if (mkdtemp(p->folder) == NULL)
		return -1;
	snprintf(p->file, sizeof p->file, "%s/sshauth", p->folder);
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;
	char other[96];

	snprintf(other, sizeof other, "%s/other", p->folder);
	rmdir(p->file);
	unlink(p->file);
	unlink(other);
	rmdir(p->folder);
	free(p);
	return 0;
}

static void write_file(const struct place *p, const void *bytes, size_t len)
{
	int fd = open(p->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0600), 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

/* Writes the line as sshd does for a key of the corpus; gives it back for tests that go on from there. */
static size_t write_key(const struct place *p, const char *name, char *text, size_t size)
{
	struct key_line key = corpus_key(name);
	int n = snprintf(text, size, "publickey %s %s\n", key.type, key.base64);

	assert_true(n > 0 && (size_t)n < size);
	write_file(p, text, (size_t)n);
	return (size_t)n;
}

static void assert_read(const struct place *p)
{
	struct ssh_identity identity;
	char why[SENTENCE_MAX] = "";

	if (auth_info_read(p->file, &identity, why) != ERR_NONE)
		fail_msg("%s", why);
	ssh_key_free(&identity);
}

static void assert_not_read(const char *path, enum err err, const char *words)
{
	struct ssh_identity identity;
	char why[SENTENCE_MAX] = "";

	assert_int_equal(auth_info_read(path, &identity, why), err);
	if (strstr(why, words) == NULL)
		fail_msg("'%s' is not in '%s'", words, why);
	assert_non_null(strstr(why, ": "));     /* the cure */
	assert_null(identity.type);
}

static void a_plain_key_is_read(void **state)
{
	char text[9000], why[SENTENCE_MAX];
	struct ssh_identity identity;
	const struct place *p = *state;

	write_key(p, "ed25519", text, sizeof text);
	assert_int_equal(auth_info_read(p->file, &identity, why), ERR_NONE);
	assert_false(identity.certificate);
	assert_memory_equal(identity.fingerprint, "SHA256:", 7);
	ssh_key_free(&identity);
}

static void a_certificate_is_read(void **state)
{
	char text[9000], why[SENTENCE_MAX];
	struct ssh_identity identity;
	const struct place *p = *state;

	write_key(p, "ed25519-cert-3", text, sizeof text);
	assert_int_equal(auth_info_read(p->file, &identity, why), ERR_NONE);
	assert_string_equal(identity.key_id, "ci runner");
	assert_int_equal(identity.principal_count, 3);
	ssh_key_free(&identity);
}

static void any_mode_but_0600_is_refused(void **state)
{
	static const mode_t modes[] = { 0644, 0400, 0640, 0606, 0700, 01600, 04600 };
	char text[9000];
	const struct place *p = *state;

	write_key(p, "ed25519", text, sizeof text);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		assert_int_equal(chmod(p->file, modes[i]), 0);
		assert_not_read(p->file, ERR_DENIED, ", not 0600: set");
	}
	assert_int_equal(chmod(p->file, 0600), 0);
	assert_read(p);
}

static void a_symbolic_link_is_refused(void **state)
{
	char text[9000], other[96];
	const struct place *p = *state;

	write_key(p, "ed25519", text, sizeof text);
	snprintf(other, sizeof other, "%s/other", p->folder);
	assert_int_equal(symlink(p->file, other), 0);
	assert_not_read(other, ERR_DENIED, "is a symbolic link");
}

static void a_file_with_a_second_name_is_refused(void **state)
{
	char text[9000], other[96];
	const struct place *p = *state;

	write_key(p, "ed25519", text, sizeof text);
	snprintf(other, sizeof other, "%s/other", p->folder);
	assert_int_equal(link(p->file, other), 0);
	assert_not_read(p->file, ERR_DENIED, "hard link");
	assert_int_equal(unlink(other), 0);
	assert_read(p);
}

static void a_file_of_another_owner_is_refused(void **state)
{
	char text[9000];
	const struct place *p = *state;

	if (geteuid() != 0)
		skip();
	write_key(p, "ed25519", text, sizeof text);
	assert_int_equal(chown(p->file, 12345, (gid_t)-1), 0);
	assert_not_read(p->file, ERR_DENIED, "is owned by uid 12345");
}

static void a_missing_file_is_refused(void **state)
{
	const struct place *p = *state;

	assert_not_read(p->file, ERR_IO, "does not exist: set 'ExposeAuthInfo yes'");
}

static void a_relative_or_empty_path_is_refused(void **state)
{
	(void)state;
	assert_not_read("", ERR_DENIED, "is not an absolute path");
	assert_not_read("sshauth", ERR_DENIED, "is not an absolute path");
	assert_not_read("../tmp/sshauth", ERR_DENIED, "is not an absolute path");
}

static void a_pipe_a_folder_and_a_device_are_refused_at_once(void **state)
{
	const struct place *p = *state;

	assert_int_equal(mkfifo(p->file, 0600), 0);
	assert_not_read(p->file, ERR_DENIED, "is not a regular file");
	assert_int_equal(unlink(p->file), 0);
	assert_int_equal(mkdir(p->file, 0700), 0);
	assert_not_read(p->file, ERR_DENIED, "is not a regular file");
	assert_not_read("/dev/zero", ERR_DENIED, "is not a regular file");
}

static void two_publickey_lines_are_refused(void **state)
{
	char text[9000];
	const struct place *p = *state;
	size_t len = write_key(p, "ed25519", text, sizeof text / 2);

	memcpy(text + len, text, len);
	write_file(p, text, 2 * len);
	assert_not_read(p->file, ERR_PROTO, "more than one proof");
}

static void other_methods_are_refused(void **state)
{
	char text[9000];
	const struct place *p = *state;
	size_t len;

	write_file(p, "password\n", 9);
	assert_not_read(p->file, ERR_PROTO, "came by 'password'");
	write_file(p, "keyboard-interactive/pam\n", 25);
	assert_not_read(p->file, ERR_PROTO, "came by 'keyboard-interactive'");
	write_file(p, "hostbased ssh-ed25519 AAAA\n", 27);
	assert_not_read(p->file, ERR_PROTO, "AuthenticationMethods publickey");
	len = write_key(p, "ed25519", text, sizeof text / 2);
	memcpy(text + len, "password\n", 9);
	write_file(p, text, len + 9);
	assert_not_read(p->file, ERR_PROTO, "more than one proof");
}

/* The client may have chosen the file: what is in it stays in it. */
static void words_of_a_file_that_is_not_sshds_are_not_said(void **state)
{
	static const char *const lines[] = { "hunter2\n", "hunter2 ssh-ed25519 AAAA\n", "password2hunter2\n",
					     "password/hunter2\n", "publickey/hunter2\n" };
	const struct place *p = *state;

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct ssh_identity identity;
		char why[SENTENCE_MAX] = "";

		write_file(p, lines[i], strlen(lines[i]));
		assert_int_equal(auth_info_read(p->file, &identity, why), ERR_PROTO);
		assert_null(strstr(why, "hunter2"));
	}
}

static void an_empty_file_is_refused(void **state)
{
	const struct place *p = *state;

	write_file(p, "", 0);
	assert_not_read(p->file, ERR_PROTO, "is empty");
	write_file(p, "\n", 1);
	assert_not_read(p->file, ERR_PROTO, "is not 'publickey TYPE BASE64'");
}

static void a_line_cut_at_any_byte_is_refused(void **state)
{
	char text[9000];
	const struct place *p = *state;
	size_t len = write_key(p, "ed25519", text, sizeof text);

	for (size_t cut = 1; cut < len; cut++) {
		write_file(p, text, cut);
		assert_not_read(p->file, ERR_PROTO, "does not end with a newline");
	}
}

static void a_line_of_other_words_is_refused(void **state)
{
	char text[9000];
	const struct place *p = *state;
	size_t len = write_key(p, "ed25519", text, sizeof text / 2);

	memcpy(text + len - 1, " x\n", 3);
	write_file(p, text, len + 2);
	assert_not_read(p->file, ERR_PROTO, "is not 'publickey TYPE BASE64'");
	memcpy(text + len - 1, " \n", 2);
	write_file(p, text, len + 1);
	assert_not_read(p->file, ERR_PROTO, "is not 'publickey TYPE BASE64'");
	write_file(p, "publickey\n", 10);
	assert_not_read(p->file, ERR_PROTO, "is not 'publickey TYPE BASE64'");
	write_file(p, "publickey ssh-ed25519\n", 22);
	assert_not_read(p->file, ERR_PROTO, "is not 'publickey TYPE BASE64'");
	write_file(p, "publickey ssh-ed25519 \n", 23);
	assert_not_read(p->file, ERR_PROTO, "cut short");
	write_file(p, "publickey  ssh-ed25519 AAAA\n", 28);
	assert_not_read(p->file, ERR_PROTO, "is not 'publickey TYPE BASE64'");
	write_file(p, " publickey ssh-ed25519 AAAA\n", 28);
	assert_not_read(p->file, ERR_PROTO, "is not 'publickey TYPE BASE64'");
	write_file(p, "publickey ssh-ed25519 AA*A\n", 27);
	assert_not_read(p->file, ERR_PROTO, "is not base64");
}

static void control_bytes_are_refused(void **state)
{
	char text[9000];
	const struct place *p = *state;
	size_t len = write_key(p, "ed25519", text, sizeof text);

	for (size_t i = 0; i < len - 1; i += 7) {
		char kept = text[i];

		text[i] = '\0';
		write_file(p, text, len);
		assert_not_read(p->file, ERR_PROTO, "control bytes");
		text[i] = kept;
	}
	text[len - 1] = '\r';
	text[len] = '\n';
	write_file(p, text, len + 1);
	assert_not_read(p->file, ERR_PROTO, "control bytes");
}

static void a_file_over_64_kib_is_refused(void **state)
{
	static char text[70 * 1024];
	const struct place *p = *state;

	memset(text, 'A', sizeof text);
	text[sizeof text - 1] = '\n';
	write_file(p, text, sizeof text);
	assert_not_read(p->file, ERR_LIMIT, "is over 64 KiB");
	write_file(p, text, AUTH_INFO_MAX + 1);
	assert_not_read(p->file, ERR_LIMIT, "is over 64 KiB");
	write_file(p, text, AUTH_INFO_MAX);
	assert_not_read(p->file, ERR_PROTO, "does not end with a newline");
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(a_plain_key_is_read),
		IN_PLACE(a_certificate_is_read),
		IN_PLACE(any_mode_but_0600_is_refused),
		IN_PLACE(a_symbolic_link_is_refused),
		IN_PLACE(a_file_with_a_second_name_is_refused),
		IN_PLACE(a_file_of_another_owner_is_refused),
		IN_PLACE(a_missing_file_is_refused),
		IN_PLACE(a_relative_or_empty_path_is_refused),
		IN_PLACE(a_pipe_a_folder_and_a_device_are_refused_at_once),
		IN_PLACE(two_publickey_lines_are_refused),
		IN_PLACE(other_methods_are_refused),
		IN_PLACE(words_of_a_file_that_is_not_sshds_are_not_said),
		IN_PLACE(an_empty_file_is_refused),
		IN_PLACE(a_line_cut_at_any_byte_is_refused),
		IN_PLACE(a_line_of_other_words_is_refused),
		IN_PLACE(control_bytes_are_refused),
		IN_PLACE(a_file_over_64_kib_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
