/* nars: archives and other wire bytes put together by hand, good ones and bad ones, for tests. It checks nothing and
 * uses nothing of the program, so that a fault there cannot hide itself here.
 * Owner   a struct bytes owns its memory until bytes_free. */
#ifndef TESTS_UNIT_NARS_H
#define TESTS_UNIT_NARS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	uint8_t *data;
	size_t len, size;
};

static inline void add_raw(struct bytes *b, const void *raw, size_t len)
{
	if (len > b->size - b->len) {
		b->size = (b->len + len) * 2;
		b->data = realloc(b->data, b->size);
		if (b->data == NULL)
			abort();
	}
	if (len > 0)
		memcpy(b->data + b->len, raw, len);
	b->len += len;
}

static inline void bytes_free(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){ .len = 0 };
}

static inline void add_number(struct bytes *b, uint64_t value)
{
	uint8_t raw[8];

	for (int i = 0; i < 8; i++)
		raw[i] = (uint8_t)(value >> (8 * i));
	add_raw(b, raw, sizeof raw);
}

/* A string whose padding is made of `filler`. */
static inline void add_padded(struct bytes *b, const void *text, size_t len, uint8_t filler)
{
	add_number(b, len);
	add_raw(b, text, len);
	for (; len % 8 != 0; len++)
		add_raw(b, &filler, 1);
}

static inline void add_bytes(struct bytes *b, const void *text, size_t len)
{
	add_padded(b, text, len, 0);
}

static inline void add_word(struct bytes *b, const char *word)
{
	add_bytes(b, word, strlen(word));
}

/* Words with one blank between them, each added as a string: "( type regular". A word "-" is the empty string. */
static inline void add_words(struct bytes *b, const char *words)
{
	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		if (len == 1 && words[0] == '-')
			add_word(b, "");
		else
			add_bytes(b, words, len);
		words += len;
		words += *words == ' ';
	}
}

static inline void nar_start(struct bytes *b)
{
	add_word(b, "nix-archive-1");
}

static inline void nar_file(struct bytes *b, const void *content, size_t len, int executable)
{
	add_words(b, executable ? "( type regular executable - contents" : "( type regular contents");
	add_bytes(b, content, len);
	add_word(b, ")");
}

static inline void nar_link(struct bytes *b, const char *target)
{
	add_words(b, "( type symlink target");
	add_word(b, target);
	add_word(b, ")");
}

static inline void nar_folder_open(struct bytes *b)
{
	add_words(b, "( type directory");
}

static inline void nar_folder_close(struct bytes *b)
{
	add_word(b, ")");
}

/* Between open and close stands one node. */
static inline void nar_entry_open(struct bytes *b, const void *name, size_t len)
{
	add_words(b, "entry ( name");
	add_bytes(b, name, len);
	add_word(b, "node");
}

static inline void nar_entry_close(struct bytes *b)
{
	add_word(b, ")");
}

/* A whole archive of one file. */
static inline struct bytes nar_of_file(const void *content, size_t len, int executable)
{
	struct bytes b = { .len = 0 };

	nar_start(&b);
	nar_file(&b, content, len, executable);
	return b;
}

/* A whole archive of one folder with one file "hello" of this name. */
static inline struct bytes nar_of_name(const void *name, size_t len)
{
	struct bytes b = { .len = 0 };

	nar_start(&b);
	nar_folder_open(&b);
	nar_entry_open(&b, name, len);
	nar_file(&b, "hello", 5, 0);
	nar_entry_close(&b);
	nar_folder_close(&b);
	return b;
}

/* `depth` empty folders inside one another; the root is the first. */
static inline struct bytes nar_of_depth(size_t depth)
{
	struct bytes b = { .len = 0 };

	nar_start(&b);
	for (size_t i = 1; i < depth; i++) {
		nar_folder_open(&b);
		nar_entry_open(&b, "a", 1);
	}
	nar_folder_open(&b);
	for (size_t i = 1; i < depth; i++) {
		nar_folder_close(&b);
		nar_entry_close(&b);
	}
	nar_folder_close(&b);
	return b;
}

/* Whatever `seed` makes: folders, links and files in good order, to `depth` levels. The same seed gives the same. */
static inline uint32_t nar_dice(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 16;
}

static inline void nar_random_node(struct bytes *b, uint32_t *seed, unsigned depth)
{
	char text[64] = "content, target or name", name[16];
	unsigned kind = nar_dice(seed) % 4, count = nar_dice(seed) % 5;

	if (kind == 0) {
		text[1 + nar_dice(seed) % 20] = '\0';
		nar_link(b, text);
	} else if (kind == 1 || depth == 0) {
		nar_file(b, text, nar_dice(seed) % sizeof text, nar_dice(seed) % 2 == 0);
	} else {
		nar_folder_open(b);
		for (unsigned i = 0; i < count; i++) {
			int len = snprintf(name, sizeof name, "%c%u", 'a' + (int)i, nar_dice(seed));

			nar_entry_open(b, name, (size_t)len);
			nar_random_node(b, seed, depth - 1);
			nar_entry_close(b);
		}
		nar_folder_close(b);
	}
}

static inline struct bytes nar_random(uint32_t seed)
{
	struct bytes b = { .len = 0 };

	nar_start(&b);
	nar_random_node(&b, &seed, 5);
	return b;
}

#endif
