#include "gateway/wire/nar.h"

#include <assert.h>
#include <string.h>

/* What the next token has to be. Behind a word the grammar's rows say what follows; a name, a target and the size of a
 * content are free, within bounds. */
enum expect {
	AT_START, AT_NODE, AT_TYPE, AT_KIND,
	AT_FILE, AT_EXECUTABLE, AT_CONTENTS, AT_SIZE, AT_BODY, AT_BODY_PADDING,
	AT_TARGET_WORD, AT_TARGET, AT_CLOSE,
	AT_ENTRY, AT_ENTRY_OPEN, AT_NAME_WORD, AT_NAME, AT_NODE_WORD, AT_ENTRY_CLOSE,
	AT_END
};

typedef void act_fn(struct nar *r);

/* A word that may stand here, and what stands behind it; `act` (may be NULL) runs then. */
struct way {
	const char *word;       /* NULL: no such way */
	size_t len;
	enum expect then;
	act_fn *act;
};

static act_fn enter_node, leave_node, is_file, is_link, is_folder, is_executable;

#define WORD(text) (text), sizeof(text) - 1

/* clang-format off */
static const struct way grammar[][3] = {
	[AT_START] =       { { WORD("nix-archive-1"), AT_NODE, NULL } },
	[AT_NODE] =        { { WORD("("), AT_TYPE, enter_node } },
	[AT_TYPE] =        { { WORD("type"), AT_KIND, NULL } },
	[AT_KIND] =        { { WORD("regular"), AT_FILE, is_file }, { WORD("symlink"), AT_TARGET_WORD, is_link },
			     { WORD("directory"), AT_ENTRY, is_folder } },
	[AT_FILE] =        { { WORD("contents"), AT_SIZE, NULL },
			     { WORD("executable"), AT_EXECUTABLE, is_executable } },
	[AT_EXECUTABLE] =  { { WORD(""), AT_CONTENTS, NULL } },
	[AT_CONTENTS] =    { { WORD("contents"), AT_SIZE, NULL } },
	[AT_TARGET_WORD] = { { WORD("target"), AT_TARGET, NULL } },
	[AT_CLOSE] =       { { WORD(")"), AT_ENTRY_CLOSE, leave_node } },
	[AT_ENTRY] =       { { WORD("entry"), AT_ENTRY_OPEN, NULL }, { WORD(")"), AT_ENTRY_CLOSE, leave_node } },
	[AT_ENTRY_OPEN] =  { { WORD("("), AT_NAME_WORD, NULL } },
	[AT_NAME_WORD] =   { { WORD("name"), AT_NAME, NULL } },
	[AT_NODE_WORD] =   { { WORD("node"), AT_NODE, NULL } },
	[AT_ENTRY_CLOSE] = { { WORD(")"), AT_ENTRY, NULL } },
	[AT_END] =         { { NULL, 0, AT_END, NULL } },
};
/* clang-format on */

void nar_init(struct nar *r, uint64_t max)
{
	*r = (struct nar){ .state = AT_START, .left = max };
}

static void fail(struct nar *r, enum err err, const char *fault)
{
	r->failed = err;
	r->fault = fault;
	r->body = NULL;
	r->body_len = 0;
}

/* Every byte is claimed here before it is taken, so `size` never passes max, whatever a length says. */
static bool claim(struct nar *r, uint64_t len)
{
	if (len > r->left) {
		fail(r, ERR_LIMIT, "it is longer than it may be");
		return false;
	}
	r->left -= len;
	return true;
}

static void enter_node(struct nar *r)
{
	if (r->depth == NAR_DEPTH_MAX)
		fail(r, ERR_LIMIT, "its folders are nested too deeply");
	else
		r->depth++;
}

static void leave_node(struct nar *r)
{
	r->depth--;
	if (r->depth == 0)
		r->state = AT_END;
}

static void set_root(struct nar *r, enum nar_type type)
{
	if (r->depth == 1)
		r->root = type;
}

static void is_file(struct nar *r)
{
	set_root(r, NAR_REGULAR);
}

static void is_link(struct nar *r)
{
	set_root(r, NAR_SYMLINK);
}

static void is_folder(struct nar *r)
{
	set_root(r, NAR_DIRECTORY);
	r->last[r->depth - 1].len = 0;
}

static void is_executable(struct nar *r)
{
	if (r->depth == 1)
		r->root_executable = true;
}

static void on_word(struct nar *r, const uint8_t *text, size_t len)
{
	const struct way *ways = grammar[r->state];

	for (size_t i = 0; i < sizeof grammar[0] / sizeof *ways && ways[i].word != NULL; i++) {
		if (ways[i].len != len || memcmp(ways[i].word, text, len) != 0)
			continue;
		r->state = ways[i].then;
		if (ways[i].act != NULL)
			ways[i].act(r);
		return;
	}
	fail(r, ERR_PROTO, "a word of its format is missing or out of place");
}

/* macOS unpacks names that differ in case only with this suffix, and drops it when packing: two trees, one archive. */
static bool has_case_hack(const uint8_t *name, size_t len)
{
	static const char suffix[] = "~nix~case~hack~";

	return memmem(name, len, suffix, sizeof suffix - 1) != NULL;
}

static bool is_name(const uint8_t *name, size_t len)
{
	if (len == 0 || memchr(name, '/', len) != NULL || memchr(name, '\0', len) != NULL)
		return false;
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return false;
	return !has_case_hack(name, len);
}

static bool follows(const struct nar_name *last, const uint8_t *name, size_t len)
{
	size_t both = len < last->len ? len : last->len;
	int order = memcmp(name, last->bytes, both);

	return order > 0 || (order == 0 && len > last->len);
}

static void on_name(struct nar *r, const uint8_t *name, size_t len)
{
	struct nar_name *last = &r->last[r->depth - 1];

	if (!is_name(name, len)) {
		fail(r, ERR_PROTO, "a file in it has a name that is not allowed");
		return;
	}
	if (!follows(last, name, len)) {
		fail(r, ERR_PROTO, "its names are not in order");
		return;
	}
	memcpy(last->bytes, name, len);
	last->len = (uint8_t)len;
	r->state = AT_NODE_WORD;
}

static void on_target(struct nar *r, const uint8_t *target, size_t len)
{
	if (len == 0 || memchr(target, '\0', len) != NULL)
		fail(r, ERR_PROTO, "a symbolic link in it has a target that is not allowed");
	else
		r->state = AT_CLOSE;
}

static void on_size(struct nar *r, uint64_t claimed)
{
	size_t padding = wire_padding(claimed);

	if (!claim(r, claimed) || !claim(r, padding))
		return;
	r->content = claimed;
	r->padding = (unsigned)padding;
	r->state = claimed > 0 ? AT_BODY : AT_CLOSE;
	if (r->depth == 1)
		r->root_length = claimed;
}

/* A whole text with its padding. */
static void on_text(struct nar *r, const uint8_t *text)
{
	size_t len = r->text_len;

	r->in_text = false;
	if (!wire_is_zero(text + len, wire_padding(len)))
		fail(r, ERR_PROTO, "its padding is not zero");
	else if (r->state == AT_NAME)
		on_name(r, text, len);
	else if (r->state == AT_TARGET)
		on_target(r, text, len);
	else
		on_word(r, text, len);
}

static size_t longest_text(unsigned state)
{
	return state == AT_NAME ? NAR_NAME_MAX : state == AT_TARGET ? NAR_TARGET_MAX : NAR_WORD_MAX;
}

static void on_length(struct nar *r, const uint8_t *bytes)
{
	uint64_t claimed = wire_get_u64(bytes);

	if (r->state == AT_SIZE) {
		on_size(r, claimed);
		return;
	}
	if (number_length(claimed, longest_text(r->state), &r->text_len)) {
		fail(r, ERR_LIMIT, "a word, name or target in it is too long");
		return;
	}
	if (!claim(r, r->text_len + wire_padding(r->text_len)))
		return;
	r->in_text = true;
	if (r->text_len == 0)
		on_text(r, bytes + NUMBER_SIZE);
}

/* A length, or a text with its padding: judged where it lies when the input has all of it, else gathered in `piece`. */
static size_t on_token(struct nar *r, const uint8_t *in, size_t n)
{
	size_t want = r->in_text ? r->text_len + wire_padding(r->text_len) : NUMBER_SIZE;
	size_t took = n < want - r->held ? n : want - r->held;
	const uint8_t *whole = in;

	if (!r->in_text && r->held == 0 && !claim(r, NUMBER_SIZE))
		return 0;
	if (took < want) {
		assert(want <= sizeof r->piece);
		memcpy(r->piece + r->held, in, took);
		r->held += took;
		if (r->held < want)
			return took;
		r->held = 0;
		whole = r->piece;
	}
	if (r->in_text)
		on_text(r, whole);
	else
		on_length(r, whole);
	return took;
}

static void take_content(struct nar *r, uint64_t len)
{
	r->content -= len;
	if (r->content == 0)
		r->state = r->padding > 0 ? AT_BODY_PADDING : AT_CLOSE;
}

static size_t on_body(struct nar *r, const uint8_t *in, size_t n)
{
	size_t took = n < r->content ? n : (size_t)r->content;

	if (r->depth == 1) {
		r->body = in;
		r->body_len = took;
	}
	take_content(r, took);
	return took;
}

static size_t on_body_padding(struct nar *r, const uint8_t *in, size_t n)
{
	size_t took = n < r->padding ? n : r->padding;

	if (!wire_is_zero(in, took))
		fail(r, ERR_PROTO, "its padding is not zero");
	r->padding -= (unsigned)took;
	if (r->padding == 0)
		r->state = AT_CLOSE;
	return took;
}

enum err nar_feed(struct nar *r, const uint8_t *in, size_t n, size_t *used)
{
	size_t at = 0;

	r->body = NULL;
	r->body_len = 0;
	while (r->failed == ERR_NONE && r->state != AT_END && at < n) {
		if (r->state == AT_BODY)
			at += on_body(r, in + at, n - at);
		else if (r->state == AT_BODY_PADDING)
			at += on_body_padding(r, in + at, n - at);
		else
			at += on_token(r, in + at, n - at);
	}
	r->size += at;
	*used = at;
	return r->failed;
}

bool nar_done(const struct nar *r)
{
	return r->failed == ERR_NONE && r->state == AT_END;
}

uint64_t nar_content_next(const struct nar *r)
{
	return r->failed == ERR_NONE && r->state == AT_BODY ? r->content : 0;
}

void nar_passed(struct nar *r, uint64_t len)
{
	assert(len <= nar_content_next(r));
	r->body = NULL;
	r->body_len = 0;
	r->size += len;
	take_content(r, len);
}
