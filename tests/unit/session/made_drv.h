/* made_drv: derivations in a few words, with the text and the path that Nix would give them, for tests.
 * The outputs of "a" lie at /nix/store/aaa...-a and /nix/store/aaa...-a-dev: the first letter of a name makes the hash. */
#ifndef TESTS_UNIT_SESSION_MADE_DRV_H
#define TESTS_UNIT_SESSION_MADE_DRV_H

#include <stdio.h>
#include <string.h>

#include "gateway/nix/aterm.h"

struct recipe {
	const char *name;
	const char *outputs;            /* "dev out" in order; NULL: "out" */
	const char *needs;              /* the list of inputs, made by need(); NULL: none */
	const char *system;             /* NULL: x86_64-linux */
	const char *features;           /* NULL: none */
	bool floating;                  /* the paths of its outputs are not known before */
};

struct made {
	char path[128], text[4096];
	char out[128], dev[128];        /* paths of two of its outputs */
};

static inline void made_output(char *path, const char *drv, const char *output)
{
	char hash[33];

	memset(hash, drv[0], 32);
	hash[32] = '\0';
	snprintf(path, 128, "/nix/store/%s-%s%s%s", hash, drv, strcmp(output, "out") == 0 ? "" : "-",
		 strcmp(output, "out") == 0 ? "" : output);
}

/* An item of `needs`; more than one stand in the order of their paths with commas between. */
static inline const char *need(char *text, size_t size, const struct made *made, const char *outputs)
{
	snprintf(text, size, "(\"%s\",[%s])", made->path, outputs);
	return text;
}

static inline void make_drv(struct made *m, const struct recipe *r)
{
	char outputs[1024] = "", env[1024] = "", words[128], *rest = words;
	struct derivation *drv;
	struct store_path path;
	struct arena arena;
	const char *why = "";

	snprintf(words, sizeof words, "%s", r->outputs == NULL ? "out" : r->outputs);
	if (r->features != NULL)
		snprintf(env, sizeof env, ",(\"requiredSystemFeatures\",\"%s\")", r->features);
	while (*rest != '\0') {
		size_t used = strlen(outputs), len = strcspn(rest, " ");
		char name[64], at[128];

		snprintf(name, sizeof name, "%.*s", (int)len, rest);
		made_output(at, r->name, name);
		snprintf(outputs + used, sizeof outputs - used, "%s(\"%s\",\"%s\",\"%s\",\"\")", used > 0 ? "," : "", name,
			 r->floating ? "" : at, r->floating ? "r:sha256" : "");
		rest += len + (rest[len] == ' ');
	}
	made_output(m->out, r->name, "out");
	made_output(m->dev, r->name, "dev");
	snprintf(m->text, sizeof m->text,
		 "Derive([%s],[%s],[],\"%s\",\"/bin/sh\",[],[(\"dev\",\"%s\"),(\"name\",\"%s\"),(\"out\",\"%s\")%s])", outputs,
		 r->needs == NULL ? "" : r->needs, r->system == NULL ? "x86_64-linux" : r->system, m->dev, r->name, m->out,
		 env);
	arena_init(&arena, 1 << 22);
	if (aterm_parse(&arena, "/nix/store", text_of(r->name), m->text, strlen(m->text), &drv, &why) != ERR_NONE)
		fail_msg("%s %s", r->name, why);
	assert_int_equal(aterm_path("/nix/store", text_of(r->name), m->text, strlen(m->text), drv, &path), ERR_NONE);
	snprintf(m->path, sizeof m->path, "%.127s", path.bytes);
	arena_free(&arena);
}

#define MAKE(m, ...) make_drv(m, &(struct recipe){ __VA_ARGS__ })

#endif
