#include "gateway/cli/doctor_way.h"

static bool is_set(struct text value)
{
	return value.bytes != NULL && value.len > 0 && !text_is(value, "none");
}

bool way_is_set(const struct doctor *d, const char *name)
{
	return is_set(sshd_value(&d->sshd, name));
}

struct way find_way(const struct doctor *d)
{
	struct text command = sshd_value(&d->sshd, "forcecommand");
	struct text asked = sshd_value(&d->sshd, "authorizedkeyscommand"), program, verb;
	struct way way = { .forced = is_set(command) };

	if (way.forced)
		way.forced_is_ours = command_is_serve(command, &way.forced_names_key, way.policy);
	way.asks_us = is_set(asked) && text_word(&asked, &program) && text_ends(program, "/nix-gateway") &&
		      text_word(&asked, &verb) && text_is(verb, "authorized-keys");
	return way;
}

bool way_is_restricted(const struct doctor *d)
{
	struct way way = find_way(d);
	bool others = way_is_set(d, "trustedusercakeys") || (way_is_set(d, "authorizedkeyscommand") && !way.asks_us);

	return !others && d->keys.unrestricted[0] == '\0' && (d->keys.count > 0 || way.asks_us);
}
