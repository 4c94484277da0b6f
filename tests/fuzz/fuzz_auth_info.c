/* Any bytes as the file in which sshd says who the client is. Property: what is taken is the one line
 * "publickey TYPE BASE64", and names the key that these words name; the same line twice, without its newline or with
 * blanks is refused, as is the file when others may read it; a refusal names the file and leaves nothing. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/identity/auth_info.h"
#include "tests/fuzz/holds.h"

/* The file is the fuzzer's, and written anew for each input; it goes when the fuzzer ends. */
static char path[] = "/tmp/nix-gateway-fuzz.XXXXXX";
static int file = -1;

static void remove_file(void)
{
	unlink(path);
}

static void write_file(const void *bytes, size_t len)
{
	if (file < 0) {
		file = mkstemp(path);
		HOLDS(file >= 0 && atexit(remove_file) == 0);
	}
	HOLDS(ftruncate(file, 0) == 0 && pwrite(file, bytes, len, 0) == (ssize_t)len);
}

static bool reads(const void *bytes, size_t len, struct ssh_identity *out)
{
	char why[SENTENCE_MAX] = "";

	write_file(bytes, len);
	if (auth_info_read(path, out, why) == ERR_NONE)
		return true;
	HOLDS(why[0] != '\0' && out->type == NULL && out->key_id == NULL && out->fingerprint[0] == '\0');
	return false;
}

static bool refuses(const void *bytes, size_t len)
{
	struct ssh_identity other;
	bool read = reads(bytes, len, &other);

	ssh_key_free(&other);
	return !read;
}

static void is_the_key_of_its_words(const char *text, const struct ssh_identity *id)
{
	char *line = strdup(text), *type, *base64, why[SENTENCE_MAX];
	struct ssh_identity words;

	HOLDS(line != NULL && strncmp(line, "publickey ", 10) == 0);
	type = line + 10;
	base64 = strchr(type, ' ');
	HOLDS(base64 != NULL && strchr(base64 + 1, ' ') == NULL);
	*base64++ = '\0';
	base64[strlen(base64) - 1] = '\0';
	HOLDS(ssh_key_parse_words(type, base64, &words, why) == ERR_NONE);
	HOLDS(strcmp(words.fingerprint, id->fingerprint) == 0 && strcmp(type, id->type) == 0);
	ssh_key_free(&words);
	free(line);
}

static void nothing_else_is_taken(const char *text, size_t len)
{
	char *twice = malloc(2 * len);

	HOLDS(twice != NULL);
	memcpy(twice, text, len);
	memcpy(twice + len, text, len);
	HOLDS(refuses(twice, 2 * len));
	HOLDS(refuses(text, len - 1));
	twice[len - 1] = ' ';
	HOLDS(refuses(twice, len));
	memcpy(twice + len - 1, " \n", 2);
	HOLDS(refuses(twice, len + 1));
	free(twice);
}

static void others_may_not_read_it(const char *text, size_t len)
{
	static const mode_t modes[] = { 0644, 0640, 0602, 0700, 0400, 02600 };

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		HOLDS(fchmod(file, modes[i]) == 0);
		HOLDS(refuses(text, len));
	}
	HOLDS(fchmod(file, 0600) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ssh_identity id;
	char *text;

	if (!reads(data, size, &id))
		return 0;
	HOLDS(size > 0 && size <= AUTH_INFO_MAX && data[size - 1] == '\n' && memchr(data, '\0', size) == NULL);
	HOLDS(memchr(data, '\n', size) == data + size - 1);
	text = text_from(data, size);
	is_the_key_of_its_words(text, &id);
	nothing_else_is_taken(text, size);
	others_may_not_read_it(text, size);
	free(text);
	ssh_key_free(&id);
	return 0;
}
