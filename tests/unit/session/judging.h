/* judging: targets put to the judge with a fake daemon behind it, for tests. */
#ifndef TESTS_UNIT_SESSION_JUDGING_H
#define TESTS_UNIT_SESSION_JUDGING_H

#include "gateway/session/judge.h"
#include "tests/unit/session/made_drv.h"
#include "tests/unit/session/talk.h"

static char refusal[SENTENCE_MAX];
static struct rule rule;

/* The daemon holds the derivation, and these of its outputs. */
static inline void hold_drv(struct talk *t, const struct made *m, bool out_valid)
{
	fake_add(&t->fake, m->path, m->text, true);
	fake_add(&t->fake, m->out, NULL, out_valid);
}

static inline enum err judge_list(struct talk *t, struct value targets)
{
	if (!t->fake.started)
		talk_start_daemon(t);
	t->session.state = SESSION_WORK;
	snprintf(refusal, sizeof refusal, "nothing");
	rule.line = 999;
	return judge_targets(&t->session, &targets, refusal, &rule);
}

/* The path of a derivation with a part behind it: "!*". Lent until the end of the test program. */
static inline const char *all_of(const struct made *m, const char *outputs)
{
	static char texts[32][256];
	static size_t next;
	char *text = texts[next++ % 32];

	snprintf(text, 256, "%s%s", m->path, outputs);
	return text;
}

#define JUDGE(t, ...) judge_list(t, LIST(t, __VA_ARGS__))

static inline void only_system(struct talk *t, const char *system)
{
	static char *items[1];

	items[0] = talk_word(system);
	t->grant.systems = (struct text_list){ .items = items, .count = 1 };
	t->grant.rules[GRANT_SYSTEMS].line = 7;
}

static inline void only_feature(struct talk *t, const char *feature)
{
	static char *items[1];

	items[0] = talk_word(feature);
	t->grant.features = (struct text_list){ .items = items, .count = 1 };
	t->grant.rules[GRANT_FEATURES].line = 8;
}

#endif
