#include "gateway/session/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/nix/shapes.h"
#include "gateway/session/upstream.h"
#include "policy/forms.h"

enum { SET_OPTIONS = 19, VERBOSITY_INFO = 3 };

/* --- what holds --- */

/* Of two numbers where 0 is the most. */
static uint64_t least_but_zero(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a == 0 ? b : a;
	return a < b ? a : b;
}

/* The daemon reads 32 bits of each, and gives up on more. */
static uint64_t narrow(uint64_t number)
{
	return number < UINT32_MAX ? number : UINT32_MAX;
}

static uint64_t base(const struct limit *grant, uint64_t conf)
{
	return grant->set ? grant->value : conf;
}

static uint64_t lower(const struct limit *grant, uint64_t conf, const struct limit *wish)
{
	uint64_t most = base(grant, conf);

	return narrow(wish->set && wish->value < most ? wish->value : most);
}

static uint64_t lower_but_zero(const struct limit *grant, uint64_t conf, const struct limit *wish)
{
	uint64_t most = base(grant, conf);

	return narrow(wish->set ? least_but_zero(most, wish->value) : most);
}

void settings_effective(const struct grant *grant, const struct nix_conf *conf, const struct wish *wish,
			struct set_options *out)
{
	static const struct limit nothing;
	const struct limit *substitutes = grant->use_substitutes.set ? &nothing : &wish->use_substitutes;

	*out = (struct set_options){
		.keep_failed = lower(&grant->keep_failed, conf->keep_failed, &wish->keep_failed),
		.keep_going = conf->keep_going,
		.try_fallback = conf->fallback,
		.verbosity = VERBOSITY_INFO,
		.max_build_jobs = lower(&grant->max_jobs, conf->max_jobs, &wish->max_jobs),
		.max_silent_time = lower_but_zero(&grant->max_silent_time, conf->max_silent_time, &wish->max_silent_time),
		.use_build_hook = 1,
		.build_cores = lower_but_zero(&grant->cores, conf->cores, &wish->cores),
		.use_substitutes = lower(&grant->use_substitutes, conf->substitute, substitutes),
		.timeout = lower_but_zero(&grant->timeout, conf->timeout, &wish->timeout),
	};
}

/* Only numbers of one size: no bytes between them. */
static bool same(const struct set_options *a, const struct set_options *b)
{
	_Static_assert(sizeof *a == 13 * sizeof(uint64_t), "set_options has holes");
	return memcmp(a, b, sizeof *a) == 0;
}

bool settings_needed(const struct grant *grant, const struct nix_conf *conf, const struct wish *wish)
{
	static const struct wish nothing;
	struct set_options asked, unasked;

	if (grant->keep_failed.set || grant->max_jobs.set || grant->max_silent_time.set || grant->timeout.set ||
	    grant->cores.set || grant->use_substitutes.set)
		return true;
	settings_effective(grant, conf, wish, &asked);
	settings_effective(grant, conf, &nothing, &unasked);
	return !same(&asked, &unasked);
}

/* --- telling the daemon --- */

static void fill(struct value *request, const struct shape *shape, const struct set_options *o)
{
	value_set_number(request, shape, "keepFailed", o->keep_failed);
	value_set_number(request, shape, "keepGoing", o->keep_going);
	value_set_number(request, shape, "tryFallback", o->try_fallback);
	value_set_number(request, shape, "verbosity", o->verbosity);
	value_set_number(request, shape, "maxBuildJobs", o->max_build_jobs);
	value_set_number(request, shape, "maxSilentTime", o->max_silent_time);
	value_set_number(request, shape, "useBuildHook", o->use_build_hook);
	value_set_number(request, shape, "buildVerbosity", o->build_verbosity);
	value_set_number(request, shape, "logType", o->log_type);
	value_set_number(request, shape, "printBuildTrace", o->print_build_trace);
	value_set_number(request, shape, "buildCores", o->build_cores);
	value_set_number(request, shape, "useSubstitutes", o->use_substitutes);
}

static enum err tell(struct session *s, const struct set_options *options)
{
	const struct op *op = upstream_op(s, SET_OPTIONS);
	struct value *request = op == NULL ? NULL : values_new(&s->arena, op->request), *timeout = NULL;
	const struct value *reply;
	struct daemon_error error;
	char seconds[24];
	enum err err;

	if (request != NULL)
		timeout = value_set_items(&s->arena, request, op->request, "settings", 1);
	if (timeout == NULL)
		return session_no_memory(s);
	snprintf(seconds, sizeof seconds, "%" PRIu64, options->timeout);
	fill(request, op->request, options);
	value_set_text(timeout, &shape_setting, "name", text_of("timeout"));
	value_set_text(timeout, &shape_setting, "value", text_of(seconds));
	err = upstream_ask(s, SET_OPTIONS, request, &reply, &error);
	if (!err && error.failed)
		err = session_end(s, ERR_DENIED, "daemon-error", "the Nix daemon does not take the limits of this key: %s",
				  error.text);
	return err;
}

enum err settings_send(struct session *s, struct settings_state *state, const struct wish *wish)
{
	const struct grant *grant = s->key->grant;
	struct set_options options;
	enum err err;

	/* Once told, the daemon must be told again, also that an earlier wish is over. */
	if (!state->sent && !settings_needed(grant, &state->conf, wish))
		return ERR_NONE;
	settings_effective(grant, &state->conf, wish, &options);
	if (state->sent && same(&options, &state->last))
		return ERR_NONE;
	err = tell(s, &options);
	if (err)
		return err;
	state->sent = true;
	state->last = options;
	return ERR_NONE;
}

/* --- wishes --- */

static void take(struct limit *wish, const struct value *request, const struct shape *shape, const char *name)
{
	*wish = (struct limit){ .set = true, .value = value_of(request, shape, name)->number };
}

static void take_override(struct limit *wish, const struct value *value)
{
	const char *rest;
	uint64_t number;

	if (value->text != NULL && form_number(value->text, &number, &rest) && rest == value->text + value->len)
		*wish = (struct limit){ .set = true, .value = number };
}

/* An override speaks after the fixed field of its kind, as it does to a daemon. */
void wish_from_set_options(const struct value *request, const struct shape *shape, struct wish *wish)
{
	const struct value *settings = value_of(request, shape, "settings");
	const struct {
		const char *name;
		struct limit *wish;
	} known[] = {
		{ "timeout", &wish->timeout },
		{ "max-silent-time", &wish->max_silent_time },
		{ "cores", &wish->cores },
		{ "max-jobs", &wish->max_jobs },
	};

	*wish = (struct wish){ .timeout = { .set = false } };
	take(&wish->keep_failed, request, shape, "keepFailed");
	take(&wish->max_jobs, request, shape, "maxBuildJobs");
	take(&wish->max_silent_time, request, shape, "maxSilentTime");
	take(&wish->cores, request, shape, "buildCores");
	take(&wish->use_substitutes, request, shape, "useSubstitutes");
	for (size_t i = 0; i < settings->count; i++) {
		const struct value *setting = value_item(settings, &shape_setting, i);

		for (size_t k = 0; k < sizeof known / sizeof *known; k++)
			if (text_is(value_text(value_of(setting, &shape_setting, "name")), known[k].name))
				take_override(known[k].wish, value_of(setting, &shape_setting, "value"));
	}
}

/* How often to build and how much to log have no place in the worker protocol: they end here. */
void wish_from_serve_options(const struct value *request, const struct shape *shape, unsigned minor, struct wish *wish)
{
	*wish = (struct wish){ .timeout = { .set = false } };
	take(&wish->max_silent_time, request, shape, "maxSilentTime");
	take(&wish->timeout, request, shape, "buildTimeout");
	if (field_present(&shape->fields[shape_index(shape, "keepFailed")], minor))
		take(&wish->keep_failed, request, shape, "keepFailed");
}
