#include "gateway/wire/put.h"

#include <assert.h>
#include <string.h>

static const uint8_t ZEROS[NUMBER_SIZE];

enum err put_u64(struct buf *b, uint64_t value)
{
	uint8_t bytes[NUMBER_SIZE];

	wire_put_u64(bytes, value);
	return buf_put(b, bytes, sizeof bytes);
}

enum err put_bool(struct buf *b, bool value)
{
	return put_u64(b, value);
}

/* Makes room for all of a value first, so that its parts go in whole or not at all. */
static enum err make_room(struct buf *b, size_t len)
{
	uint8_t *space;

	return buf_reserve(b, len, &space);
}

/* Bytes of a string on the wire. A `len` that would wrap becomes more than any buf holds. */
static size_t size_of_string(size_t len)
{
	return len > SIZE_MAX - 2 * (size_t)NUMBER_SIZE ? SIZE_MAX : NUMBER_SIZE + len + wire_padding(len);
}

enum err put_string(struct buf *b, const void *bytes, size_t len)
{
	enum err err = make_room(b, size_of_string(len));

	if (!err)
		err = put_u64(b, len);
	if (!err)
		err = buf_put(b, bytes, len);
	if (!err)
		err = buf_put(b, ZEROS, wire_padding(len));
	return err;
}

enum err put_text(struct buf *b, const char *text)
{
	return put_string(b, text, strlen(text));
}

enum err put_frame_header(struct buf *b, size_t len)
{
	assert(len > 0 && len <= UINT32_MAX);
	return put_u64(b, len);
}

enum err put_frame(struct buf *b, const void *bytes, size_t len)
{
	enum err err;

	assert(len > 0 && len <= UINT32_MAX);
	if (len > SIZE_MAX - NUMBER_SIZE)
		return ERR_LIMIT;
	err = make_room(b, NUMBER_SIZE + len);
	if (!err)
		err = put_frame_header(b, len);
	if (!err)
		err = buf_put(b, bytes, len);
	return err;
}

enum err put_frame_end(struct buf *b)
{
	return put_u64(b, 0);
}

/* One field of an error: a text, or where that is NULL a number. */
struct field {
	const char *text;
	uint64_t number;
};

static enum err put_fields(struct buf *b, const struct field *fields, size_t count)
{
	size_t size = 0;
	enum err err;

	for (size_t i = 0; i < count; i++) {
		size_t len = fields[i].text == NULL ? NUMBER_SIZE : size_of_string(strlen(fields[i].text));

		if (len > SIZE_MAX - size)
			return ERR_LIMIT;
		size += len;
	}
	err = make_room(b, size);
	for (size_t i = 0; !err && i < count; i++)
		err = fields[i].text == NULL ? put_u64(b, fields[i].number) : put_text(b, fields[i].text);
	return err;
}

enum err put_error(struct buf *b, unsigned minor, const char *sentence)
{
	const struct field plain[] = {
		{ NULL, STDERR_ERROR }, { sentence, 0 },
		{ NULL, 1 },                            /* the exit status */
	};
	const struct field structured[] = {
		{ NULL, STDERR_ERROR }, { "Error", 0 }, /* some clients insist on exactly this word */
		{ NULL, 0 },                            /* level: error */
		{ "Error", 0 }, { sentence, 0 },
		{ NULL, 0 }, { NULL, 0 },               /* no position, no traces */
	};

	if (minor < MINOR_STRUCTURED_ERRORS)
		return put_fields(b, plain, sizeof plain / sizeof *plain);
	return put_fields(b, structured, sizeof structured / sizeof *structured);
}
