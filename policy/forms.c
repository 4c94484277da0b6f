#include "policy/forms.h"

#include <string.h>

enum { WORD_MAX = 64, FINGERPRINT_LEN = 43, PUBLIC_KEY_LEN = 44, BASE64_STEP = 16, PATH_LEN_MAX = 1023 };

#define BASE64_LAST "AEIMQUYcgkosw048"      /* of 32 bytes: the last of 43 characters carries four bits */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* How many letters, digits and bytes of `more` the text starts with. strspn makes a table of all its bytes first, each time. */
static size_t span(const char *text, const char *more)
{
	const char *at = text;

	while (is_digit(*at) || (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
	       (*at != '\0' && strchr(more, *at) != NULL))
		at++;
	return (size_t)(at - text);
}

static bool made_of(const char *text, const char *more, size_t max)
{
	size_t len = span(text, more);

	return len > 0 && len <= max && text[len] == '\0';
}

bool form_system(const char *text)
{
	return made_of(text, "_.-", WORD_MAX) && text[0] != '-' && text[0] != '.';
}

bool form_feature(const char *text)
{
	return made_of(text, "_.+-", WORD_MAX) && text[0] != '-' && text[0] != '.';
}

bool form_variable(const char *text)
{
	return made_of(text, "_", WORD_MAX) && !is_digit(text[0]);
}

bool form_variables(const char *text)
{
	size_t len = span(text, "_");

	if (len == 0 || len > WORD_MAX || is_digit(text[0]))
		return false;
	return text[len] == '\0' || strcmp(text + len, "*") == 0;
}

/* A policy may hold ten thousand fingerprints. Of a fixed count of bytes, looked at without a branch, compilers make a few
 * instructions. */
static bool step_is_base64(const char text[BASE64_STEP])
{
	unsigned char fine = 1;

	for (size_t i = 0; i < BASE64_STEP; i++) {
		unsigned char byte = (unsigned char)text[i], letter = (unsigned char)((byte | 0x20) - 'a'),
			      digit = (unsigned char)(byte - '0');

		fine &= (letter < 26) | (digit < 10) | (byte == '+') | (byte == '/');
	}
	return fine != 0;
}

/* Are these `len` bytes, at least one step, of base64? The last step looks again at bytes of the one before. */
static bool is_base64(const char *text, size_t len)
{
	bool fine = step_is_base64(text + len - BASE64_STEP);

	for (size_t i = 0; i + BASE64_STEP <= len; i += BASE64_STEP)
		fine &= step_is_base64(text + i);
	return fine;
}

bool form_fingerprint(const char *text)
{
	static const char kind[] = "SHA256:";

	if (strncmp(text, kind, sizeof kind - 1) != 0)
		return false;
	text += sizeof kind - 1;
	return strlen(text) == FINGERPRINT_LEN && is_base64(text, FINGERPRINT_LEN) &&
	       strchr(BASE64_LAST, text[FINGERPRINT_LEN - 1]) != NULL;
}

bool form_public_key(const char *text)
{
	const char *key = strchr(text, ':');

	if (key == NULL || span(text, "._@+-") != (size_t)(key - text) || key == text)
		return false;
	key++;
	return strlen(key) == PUBLIC_KEY_LEN && is_base64(key, PUBLIC_KEY_LEN - 1) &&
	       strchr(BASE64_LAST, key[PUBLIC_KEY_LEN - 2]) != NULL && key[PUBLIC_KEY_LEN - 1] == '=';
}

bool form_path(const char *text)
{
	size_t len = strlen(text);

	if (text[0] != '/' || len < 2 || len > PATH_LEN_MAX || strpbrk(text, " \t") != NULL)
		return false;
	while (text[0] == '/') {
		size_t name = strcspn(text + 1, "/");

		if (name == 0 || (name == 1 && text[1] == '.') || (name == 2 && text[1] == '.' && text[2] == '.'))
			return false;
		text += 1 + name;
	}
	return true;
}

bool form_uri(const char *text)
{
	size_t scheme = span(text, "+.-");

	return form_path(text) || strcmp(text, "daemon") == 0 || strcmp(text, "local") == 0 ||
	       strcmp(text, "auto") == 0 || (scheme > 0 && strncmp(text + scheme, "://", 3) == 0 && form_word(text));
}

bool form_word(const char *text)
{
	return text[0] != '\0' && strpbrk(text, " \t,") == NULL;
}

bool form_text(const char *text)
{
	return text[0] != '\0';
}

static bool two_digits(const char *text, int *number)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*number = (text[0] - '0') * 10 + (text[1] - '0');
	return true;
}

static int days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

bool form_date(const char *text, struct date *date)
{
	int century, year, month, day;

	if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' || !two_digits(text, &century) ||
	    !two_digits(text + 2, &year) || !two_digits(text + 5, &month) || !two_digits(text + 8, &day))
		return false;
	year += century * 100;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_of(year, month))
		return false;
	*date = (struct date){ .year = year, .month = month, .day = day };
	return true;
}

bool form_number(const char *text, uint64_t *number, const char **unit)
{
	const char *at = text;

	*number = 0;
	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (*number > (UINT64_MAX - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	*unit = at;
	return at != text;
}
