/* fake_store: the store of a fake daemon, and what it answers to which request. */
#ifndef TESTS_UNIT_SESSION_FAKE_STORE_H
#define TESTS_UNIT_SESSION_FAKE_STORE_H

#include <pthread.h>
#include <string.h>

#include "gateway/nix/message.h"
#include "gateway/nix/ops.h"
#include "gateway/nix/shapes.h"

enum { FAKE_PATHS = 64, FAKE_RULES = 8, FAKE_HEARD = 64 * 1024, FAKE_PREFIX = sizeof "/nix/store/" - 1 + 33 };

struct fake_path {
	const char *path, *text;        /* borrow; text NULL: an archive is never asked for */
	const char *references;         /* borrows; one path or NULL */
	bool valid, fetchable;
};

struct fake_output {
	const char *drv, *name, *path;  /* borrow; what QueryDerivationOutputMap says */
};

/* The first row that fits the line of a request answers it with an ERROR. */
struct fake_rule {
	const char *about, *error;      /* borrow; about: a part of the line */
	bool early;                     /* before the content was read */
};

struct fake {
	int fd;
	unsigned minor;
	size_t skip;                    /* bytes of a handshake before the first request */
	struct fake_path paths[FAKE_PATHS];
	size_t path_count;
	struct fake_output outputs[FAKE_RULES];
	struct fake_rule rules[FAKE_RULES];
	const char *will_build[FAKE_RULES], *will_substitute[FAKE_RULES];
	uint64_t status;                /* of every build */
	const char *message;            /* of every build; NULL: none */

	pthread_t thread;
	bool started;
	pthread_mutex_t lock;           /* of heard */
	char heard[FAKE_HEARD];
	struct buf content;             /* of the last framed request */
	struct buf rx;
	struct arena arena;
	struct message_limits limits;
	struct message decoder;
};

static inline struct fake_path *fake_add(struct fake *f, const char *path, const char *text, bool valid)
{
	f->paths[f->path_count] = (struct fake_path){ .path = path, .text = text, .valid = valid };
	return &f->paths[f->path_count++];
}

static inline struct fake_path *fake_find(struct fake *f, struct text path)
{
	for (size_t i = 0; i < f->path_count; i++)
		if (text_is(path, f->paths[i].path))
			return &f->paths[i];
	return NULL;
}

static inline void fake_list(struct fake *f, struct value *list, const char *const *paths)
{
	list->items = arena_array(&f->arena, FAKE_RULES, sizeof *list->items);
	for (list->count = 0; list->count < FAKE_RULES && paths[list->count] != NULL; list->count++)
		list->items[list->count] =
		    (struct value){ .text = paths[list->count], .len = strlen(paths[list->count]) };
}

static inline void fake_answer_info(struct fake *f, const struct fake_path *path, struct value *reply)
{
	struct value *info = arena_array(&f->arena, shape_unkeyed_path_info.count, sizeof *info);
	struct value *references = value_at(info, &shape_unkeyed_path_info, "references");

	*reply = (struct value){ .number = 1, .items = info };
	value_set_text(info, &shape_unkeyed_path_info, "narHash",
		       text_of("0a430879c266f8b57f4092a0f935cf3facd48bbccde5760d4748ca405171e969"));
	value_set_number(info, &shape_unkeyed_path_info, "narSize", 120);
	if (path->references != NULL)
		fake_list(f, references, (const char *[FAKE_RULES]){ path->references });
}

static inline void fake_answer_outputs(struct fake *f, struct text drv, const struct op *op, struct value *reply)
{
	const struct shape *item = op->reply->fields[0].item;
	struct value *items = value_set_items(&f->arena, reply, op->reply, "outputs", FAKE_RULES);

	reply->count = 0;
	for (size_t i = 0; i < FAKE_RULES && f->outputs[i].drv != NULL; i++) {
		if (!text_is(drv, f->outputs[i].drv))
			continue;
		value_set_text(items + item->count * reply->count, item, "name", text_of(f->outputs[i].name));
		value_set_text(items + item->count * reply->count++, item, "path", text_of(f->outputs[i].path));
	}
}

static inline void fake_answer_results(struct fake *f, const struct value *targets, struct value *reply)
{
	const struct shape *shape = &shape_keyed_build_result;

	reply->items = arena_array(&f->arena, targets->count * shape->count + 1, sizeof *reply->items);
	reply->count = targets->count;
	for (size_t i = 0; i < targets->count; i++) {
		value_set_text(reply->items + i * shape->count, shape, "path", value_text(&targets->items[i]));
		value_set_number(reply->items + i * shape->count, shape, "status", f->status);
		value_set_text(reply->items + i * shape->count, shape, "message",
			       text_of(f->message == NULL ? "" : f->message));
	}
}

/* The reply's values. *error: what the daemon says instead. */
static inline void fake_answer(struct fake *f, const struct op *op, const struct value *request, struct value *reply,
			       const char **error)
{
	struct fake_path *path = NULL;

	if (op->request->count > 0 && op->request->fields[0].kind == KIND_PATH)
		path = fake_find(f, value_text(request));
	switch (op->number) {
	case 1:
		reply->number = path != NULL && path->valid;
		break;
	case 7:
		value_set_text(reply, op->reply, "path", text_of("/nix/store/00000000000000000000000000000000-added"));
		value_set_text(reply, op->reply, "narHash",
			       text_of("0a430879c266f8b57f4092a0f935cf3facd48bbccde5760d4748ca405171e969"));
		break;
	case 9:
		for (size_t i = 0; i < request->count; i++) {
			path = fake_find(f, value_text(&request->items[i]));
			if (path != NULL)
				path->valid |= path->fetchable;
		}
		reply->number = 1;
		break;
	case 10:
		if (path == NULL || !(path->valid |= path->fetchable))
			*error = "path does not exist and cannot be fetched";
		reply->number = 1;
		break;
	case 26:
		if (path != NULL && path->valid)
			fake_answer_info(f, path, reply);
		break;
	case 31:
		reply->items = arena_array(&f->arena, request->count + 1, sizeof *reply->items);
		for (size_t i = 0; i < request->count; i++) {
			path = fake_find(f, value_text(&request->items[i]));
			if (path != NULL && path->valid)
				reply->items[reply->count++] = request->items[i];
		}
		break;
	case 36:
		reply->number = f->status;
		break;
	case 39:
		if (path != NULL)
			path->valid = true;
		break;
	case 40:
		fake_list(f, value_at(reply, op->reply, "willBuild"), f->will_build);
		fake_list(f, value_at(reply, op->reply, "willSubstitute"), f->will_substitute);
		break;
	case 41:
		fake_answer_outputs(f, value_text(request), op, reply);
		break;
	case 46:
		fake_answer_results(f, request, reply);
		break;
	default:
		if (op->reply->count > 0 && op->reply->fields[0].kind == KIND_NUMBER)
			reply->number = 1;
	}
}

#endif
