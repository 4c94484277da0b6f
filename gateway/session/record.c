#include "gateway/session/record.h"

#include <stdio.h>

#include "gateway/nix/derived_path.h"

static enum err write_record(struct session *s, const char *event, const struct audit_field *fields, size_t count)
{
	char why[SENTENCE_MAX];

	if (audit_write(s->audit, event, fields, count, why) == ERR_NONE)
		return ERR_NONE;
	return session_end(s, ERR_IO, "failed", "this builder cannot write its audit record (%s)", why);
}

static void join_features(const struct build_ask *ask, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < ask->feature_count && used < size; i++) {
		int n = snprintf(out + used, size - used, "%s%s", i > 0 ? " " : "", ask->features[i]);

		used += n < 0 ? size : (size_t)n;
	}
}

enum err record_ask(struct session *s, const struct build_ask *ask, const char *outcome, int64_t started_ms)
{
	char features[SENTENCE_MAX];
	struct audit_field fields[] = {
		{ .name = "drv", .text = ask->drv },
		{ .name = "system", .text = ask->system },
		{ .name = "features", .text = features },
		{ .name = "outcome", .text = outcome },
		{ .name = "seconds", .kind = AUDIT_NUMBER, .number = (uint64_t)(clock_ms() - started_ms) / 1000 },
	};

	join_features(ask, features, sizeof features);
	return write_record(s, "build", fields, sizeof fields / sizeof *fields);
}

enum err record_build(struct session *s, struct text target, const char *outcome, int64_t started_ms)
{
	struct derived_path d;
	const struct drv *drv;

	if (derived_path_parse(s->message_limits.store_dir, target, &d) != ERR_NONE)
		return ERR_NONE;
	drv = drv_find(&s->drvs, d.path);
	return drv == NULL ? ERR_NONE : record_ask(s, &drv->ask, outcome, started_ms);
}

enum err record_upload(struct session *s, const char *event, struct text path, uint64_t bytes)
{
	char name[STORE_PATH_MAX + 1];
	struct audit_field fields[] = {
		{ .name = "path", .text = name },
		{ .name = "bytes", .kind = AUDIT_NUMBER, .number = bytes },
	};

	snprintf(name, sizeof name, "%.*s", (int)path.len, path.bytes);
	return write_record(s, event, fields, sizeof fields / sizeof *fields);
}
