#include "tests/unit/env/place.h"

#include "gateway/session/nix_conf.h"

/* What was said of the last file. */
static char said[SENTENCE_MAX];

static bool read_at(const struct place *p, const char *at, struct nix_conf *conf)
{
	char path[PATH_MAX];

	return nix_conf_read(path_at(p, at, path), conf, said);
}

static uint64_t all_processors(void)
{
	return (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
}

static void assert_defaults(const struct nix_conf *c)
{
	assert_int_equal(c->keep_failed, 0);
	assert_int_equal(c->keep_going, 0);
	assert_int_equal(c->fallback, 0);
	assert_int_equal(c->max_jobs, 1);
	assert_int_equal(c->max_silent_time, 0);
	assert_int_equal(c->timeout, 0);
	assert_int_equal(c->cores, all_processors());
	assert_int_equal(c->substitute, 1);
}

/* Reads `text` as nix.conf. */
static struct nix_conf taken(const struct place *p, const char *text)
{
	struct nix_conf conf;

	make_file(p, "/nix.conf", 0644, text);
	if (!read_at(p, "/nix.conf", &conf))
		fail_msg("refused: %s", said);
	assert_string_equal(said, "");
	return conf;
}

/* The sentence, without the folder that each file's name begins with. */
static void assert_refused(const struct place *p, const char *text, const char *sentence)
{
	struct nix_conf conf = { .timeout = 77 };

	make_file(p, "/nix.conf", 0644, text);
	assert_false(read_at(p, "/nix.conf", &conf));
	assert_memory_equal(said, p->folder, strlen(p->folder));
	assert_string_equal(said + strlen(p->folder), sentence);
	assert_defaults(&conf);
}

static void no_file_and_an_empty_one_mean_the_defaults(void **state)
{
	struct nix_conf conf;

	assert_true(read_at(*state, "/absent.conf", &conf));
	assert_defaults(&conf);
	assert_false(conf.partial);
	conf = taken(*state, "");
	assert_defaults(&conf);
	conf = taken(*state, "\n\n# keep-failed = true\n   \t \r\n");
	assert_defaults(&conf);
}

static void every_setting_is_read(void **state)
{
	struct nix_conf c = taken(*state, "keep-failed = true\nkeep-going = yes\nfallback = 1\nmax-jobs = 12\n"
					  "max-silent-time = 600\ntimeout = 7200\ncores = 3\nsubstitute = false");

	assert_int_equal(c.keep_failed, 1);
	assert_int_equal(c.keep_going, 1);
	assert_int_equal(c.fallback, 1);
	assert_int_equal(c.max_jobs, 12);
	assert_int_equal(c.max_silent_time, 600);
	assert_int_equal(c.timeout, 7200);
	assert_int_equal(c.cores, 3);
	assert_int_equal(c.substitute, 0);
	assert_false(c.partial);
}

static void old_names_are_the_same_settings(void **state)
{
	struct nix_conf c = taken(*state, "build-fallback = true\nbuild-max-jobs = 5\nbuild-max-silent-time = 6\n"
					  "build-timeout = 7\nbuild-cores = 8\nbuild-use-substitutes = no\n");

	assert_int_equal(c.fallback, 1);
	assert_int_equal(c.max_jobs, 5);
	assert_int_equal(c.max_silent_time, 6);
	assert_int_equal(c.timeout, 7);
	assert_int_equal(c.cores, 8);
	assert_int_equal(c.substitute, 0);
	assert_int_equal(taken(*state, "timeout = 1\nbuild-timeout = 2\n").timeout, 2);
	assert_int_equal(taken(*state, "build-timeout = 2\ntimeout = 1\n").timeout, 1);
}

static void the_last_value_wins(void **state)
{
	assert_int_equal(taken(*state, "cores = 4\ncores = 2\n").cores, 2);
	assert_int_equal(taken(*state, "keep-failed = true\nkeep-failed = false\n").keep_failed, 0);
}

static void blanks_comments_and_ends_of_lines_do_not_matter(void **state)
{
	assert_int_equal(taken(*state, "  \tcores\t =   4   # of 8\r\n").cores, 4);
	assert_int_equal(taken(*state, "cores = 4#8").cores, 4);
	assert_int_equal(taken(*state, "#cores = 4\ncores = 0").cores, 0);
}

static void auto_is_the_number_of_processors(void **state)
{
	assert_int_equal(taken(*state, "max-jobs = auto\n").max_jobs, all_processors());
	assert_refused(*state, "cores = auto\n", "/nix.conf:1: cores wants a number, not 'auto'");
}

static void numbers_may_have_a_unit(void **state)
{
	assert_int_equal(taken(*state, "timeout = 2K\n").timeout, 2048);
	assert_int_equal(taken(*state, "timeout = 1m\n").timeout, 1048576);
	assert_int_equal(taken(*state, "timeout = 3G\n").timeout, 3ull << 30);
	assert_int_equal(taken(*state, "timeout = 1T\n").timeout, 1ull << 40);
	assert_int_equal(taken(*state, "timeout = 18446744073709551615\n").timeout, UINT64_MAX);
	assert_refused(*state, "timeout = 2KK", "/nix.conf:1: timeout wants a number, not '2KK'");
	assert_refused(*state, "timeout = 2h", "/nix.conf:1: timeout wants a number, not '2h'");
	assert_refused(*state, "timeout = K", "/nix.conf:1: timeout wants a number, not 'K'");
	assert_refused(*state, "timeout = 17179869184G", "/nix.conf:1: timeout wants a number, not '17179869184G'");
	assert_refused(*state, "max-jobs = 1K", "/nix.conf:1: max-jobs wants a number or auto, not '1K'");
}

static void what_is_no_value_is_refused_with_its_line(void **state)
{
	assert_refused(*state, "\n# x\ncores = many\n", "/nix.conf:3: cores wants a number, not 'many'");
	assert_refused(*state, "timeout = -1", "/nix.conf:1: timeout wants a number, not '-1'");
	assert_refused(*state, "timeout =", "/nix.conf:1: timeout wants a number, not ''");
	assert_refused(*state, "timeout = 1 2", "/nix.conf:1: timeout wants a number, not '1'");
	assert_refused(*state, "timeout = 18446744073709551616",
		       "/nix.conf:1: timeout wants a number, not '18446744073709551616'");
	assert_refused(*state, "timeout = 000000000000000000000000000000000000000001",
		       "/nix.conf:1: timeout wants a number, not '000000000000000000000000000000000000000001'");
	assert_refused(*state, "keep-failed = maybe", "/nix.conf:1: keep-failed wants true or false, not 'maybe'");
	assert_refused(*state, "keep-failed = True", "/nix.conf:1: keep-failed wants true or false, not 'True'");
	assert_refused(*state, "build-cores = x", "/nix.conf:1: build-cores wants a number, not 'x'");
	assert_refused(*state, "timeout = 5\ncores = x", "/nix.conf:2: cores wants a number, not 'x'");
	/* Nix would not start either. */
	assert_refused(*state, "cores = x\ncores = 2\n", "/nix.conf:1: cores wants a number, not 'x'");
}

static void foreign_bytes_are_escaped(void **state)
{
	assert_refused(*state, "cores = \033[1m\n", "/nix.conf:1: cores wants a number, not '\\x1b[1m'");
}

static void lines_of_another_form_are_refused(void **state)
{
	assert_refused(*state, "cores=2\n", "/nix.conf:1: 'cores=2' stands alone; a line is NAME = VALUE");
	assert_refused(*state, "cores =2\n", "/nix.conf:1: 'cores' is not followed by ' = '");
	assert_refused(*state, "a = 1\nunknown\n", "/nix.conf:2: 'unknown' stands alone; a line is NAME = VALUE");
	assert_refused(*state, "include a b\n", "/nix.conf:1: one file is included at a time");
	assert_refused(*state, "include\n", "/nix.conf:1: 'include' stands alone; a line is NAME = VALUE");
}

static void other_settings_are_not_looked_at(void **state)
{
	struct nix_conf c = taken(*state, "sandbox = perhaps\nextra-cores = x\nnonsense = 1 2 3\nsystem-features =\n"
					  "Cores = 7\ncores2 = 9\nexperimental-features = nix-command flakes\n");

	assert_defaults(&c);
}

static void an_included_file_is_read_where_it_stands(void **state)
{
	struct place *p = *state;
	char path[PATH_MAX], text[PATH_MAX + 64];

	assert_int_equal(mkdir(path_at(p, "/more", path), 0755), 0);
	make_file(p, "/more/a.conf", 0644, "cores = 5\ninclude b.conf\n");
	make_file(p, "/more/b.conf", 0644, "timeout = 9\n");
	make_file(p, "/b.conf", 0644, "timeout = 1\n");
	assert_int_equal(taken(p, "cores = 2\ninclude more/a.conf\n").cores, 5);
	assert_int_equal(taken(p, "include more/a.conf\ncores = 2\n").cores, 2);
	/* Relative to the including file. */
	assert_int_equal(taken(p, "include more/a.conf\n").timeout, 9);
	assert_int_equal(taken(p, "!include ./more/a.conf # here\n").timeout, 9);
	snprintf(text, sizeof text, "include %s\n", path_at(p, "/more/b.conf", path));
	assert_int_equal(taken(p, text).timeout, 9);
}

static void a_fault_in_an_included_file_is_named_there(void **state)
{
	make_file(*state, "/more.conf", 0644, "\ncores = x\n");
	assert_refused(*state, "\n\n\ninclude more.conf\n", "/more.conf:2: cores wants a number, not 'x'");
	assert_refused(*state, "!include more.conf\n", "/more.conf:2: cores wants a number, not 'x'");
}

static void only_include_wants_the_file_to_be_there(void **state)
{
	struct place *p = *state;
	char sentence[SENTENCE_MAX];
	struct nix_conf c = taken(p, "!include gone.conf\n!include gone/gone.conf\ncores = 2\n");

	assert_int_equal(c.cores, 2);
	assert_false(c.partial);
	snprintf(sentence, sizeof sentence, "/nix.conf:2: there is no %s/gone.conf to include", p->folder);
	assert_refused(p, "cores = 2\ninclude gone.conf\n", sentence);
}

static void what_cannot_be_read_is_left_out_and_told(void **state)
{
	struct place *p = *state;
	char path[PATH_MAX];
	struct nix_conf c;

	assert_int_equal(mkfifo(path_at(p, "/fifo", path), 0644), 0);
	c = taken(p, "include fifo\ncores = 2\n");
	assert_int_equal(c.cores, 2);
	assert_true(c.partial);
	c = taken(p, "!include .\ncores = 3\n");
	assert_int_equal(c.cores, 3);
	assert_true(c.partial);
	assert_int_equal(symlink("loop", path_at(p, "/loop", path)), 0);
	c = taken(p, "include loop\ncores = 4\n");
	assert_int_equal(c.cores, 4);
	assert_true(c.partial);
	if (geteuid() == 0)
		return;                 /* root may read everything */
	make_file(p, "/secret.conf", 0, "cores = 1\n");
	c = taken(p, "cores = 4\ninclude secret.conf\n");
	assert_int_equal(c.cores, 4);
	assert_true(c.partial);
}

static void depth_and_number_of_files_are_bounded(void **state)
{
	struct place *p = *state;
	char name[32], text[64], all[8192] = "";
	size_t used = 0;

	assert_refused(p, "include nix.conf\n", "/nix.conf:1: more than 10 files include one another");
	assert_refused(p, "\n!include nix.conf\n", "/nix.conf:2: more than 10 files include one another");
	for (int i = 2; i <= NIX_CONF_DEPTH; i++) {
		snprintf(name, sizeof name, "/%d.conf", i);
		snprintf(text, sizeof text, i == NIX_CONF_DEPTH ? "cores = 2\n" : "include %d.conf\n", i + 1);
		make_file(p, name, 0644, text);
	}
	assert_int_equal(taken(p, "include 2.conf\n").cores, 2);
	for (int i = 1; i < NIX_CONF_FILES; i++)
		used += (size_t)snprintf(all + used, sizeof all - used, "include %d.conf\n", NIX_CONF_DEPTH);
	assert_int_equal(taken(p, all).cores, 2);
	snprintf(all + used, sizeof all - used, "include %d.conf\n", NIX_CONF_DEPTH);
	assert_refused(p, all, "/nix.conf:100: more than 100 files are included");
}

static void the_size_of_a_file_is_bounded(void **state)
{
	static char text[NIX_CONF_MAX + 2];

	memset(text, '\n', NIX_CONF_MAX + 1);
	memcpy(text + NIX_CONF_MAX - 9, "cores = 2", 9);
	text[NIX_CONF_MAX] = '\0';
	assert_int_equal(taken(*state, text).cores, 2);
	text[NIX_CONF_MAX] = '\n';
	assert_refused(*state, text, "/nix.conf: cannot be read: it is over 1 MiB");
}

static void a_nul_is_a_byte_like_others_but_in_no_name_or_number(void **state)
{
	static const char number[] = "cores = 2\0\n", name[] = "include a\0b\n", other[] = "x = a\0b\ncores = 2\n";
	const struct {
		const char *bytes;
		size_t len;
		bool fine;
	} cases[] = {
		{ number, sizeof number - 1, false },
		{ name, sizeof name - 1, false },
		{ other, sizeof other - 1, true },
	};
	struct place *p = *state;
	char path[PATH_MAX];

	make_file(p, "/a", 0644, "cores = 9\n");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		FILE *file = fopen(path_at(p, "/nix.conf", path), "w");
		struct nix_conf conf;

		assert_non_null(file);
		assert_int_equal(fwrite(cases[i].bytes, 1, cases[i].len, file), cases[i].len);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(read_at(p, "/nix.conf", &conf), cases[i].fine);
		assert_int_equal(conf.cores, cases[i].fine ? 2 : all_processors());
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(no_file_and_an_empty_one_mean_the_defaults),
		IN_PLACE(every_setting_is_read),
		IN_PLACE(old_names_are_the_same_settings),
		IN_PLACE(the_last_value_wins),
		IN_PLACE(blanks_comments_and_ends_of_lines_do_not_matter),
		IN_PLACE(auto_is_the_number_of_processors),
		IN_PLACE(numbers_may_have_a_unit),
		IN_PLACE(what_is_no_value_is_refused_with_its_line),
		IN_PLACE(foreign_bytes_are_escaped),
		IN_PLACE(lines_of_another_form_are_refused),
		IN_PLACE(other_settings_are_not_looked_at),
		IN_PLACE(an_included_file_is_read_where_it_stands),
		IN_PLACE(a_fault_in_an_included_file_is_named_there),
		IN_PLACE(only_include_wants_the_file_to_be_there),
		IN_PLACE(what_cannot_be_read_is_left_out_and_told),
		IN_PLACE(depth_and_number_of_files_are_bounded),
		IN_PLACE(the_size_of_a_file_is_bounded),
		IN_PLACE(a_nul_is_a_byte_like_others_but_in_no_name_or_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
