#include "gateway/nix/text.h"

#include <assert.h>
#include <string.h>

struct text text_of(const char *string)
{
	return (struct text){ .bytes = string, .len = strlen(string) };
}

struct text text_part(struct text t, size_t start, size_t end)
{
	assert(start <= end && end <= t.len);
	return (struct text){ .bytes = t.bytes == NULL ? NULL : t.bytes + start, .len = end - start };
}

/* memcmp and memchr may not be handed NULL, not even for no bytes. */
static bool same_bytes(const char *a, const char *b, size_t len)
{
	return len == 0 || memcmp(a, b, len) == 0;
}

bool text_equal(struct text a, struct text b)
{
	return a.len == b.len && same_bytes(a.bytes, b.bytes, a.len);
}

bool text_is(struct text t, const char *string)
{
	return text_equal(t, text_of(string));
}

int text_compare(struct text a, struct text b)
{
	size_t both = a.len < b.len ? a.len : b.len;
	int order = both == 0 ? 0 : memcmp(a.bytes, b.bytes, both);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int text_compare_items(const void *a, const void *b)
{
	return text_compare(*(const struct text *)a, *(const struct text *)b);
}

bool text_starts(struct text t, const char *prefix)
{
	size_t len = strlen(prefix);

	return len <= t.len && same_bytes(t.bytes, prefix, len);
}

bool text_ends(struct text t, const char *suffix)
{
	size_t len = strlen(suffix);

	return len <= t.len && (len == 0 || same_bytes(t.bytes + t.len - len, suffix, len));
}

bool text_holds(struct text t, char byte)
{
	return t.len > 0 && memchr(t.bytes, byte, t.len) != NULL;
}

bool texts_ascend(const struct text *items, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (text_compare(items[i - 1], items[i]) >= 0)
			return false;
	return true;
}

bool texts_hold(const struct text *items, size_t count, struct text wanted)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = text_compare(wanted, items[middle]);

		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool text_word(struct text *rest, struct text *word)
{
	size_t start = 0, end;

	while (start < rest->len && is_blank(rest->bytes[start]))
		start++;
	end = start;
	while (end < rest->len && !is_blank(rest->bytes[end]))
		end++;
	*word = text_part(*rest, start, end);
	*rest = text_part(*rest, end, rest->len);
	return word->len > 0;
}
