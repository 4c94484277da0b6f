#include "policy/forms.h"

#include <string.h>

enum { WORD_MAX = 64, FINGERPRINT_LEN = 43, PUBLIC_KEY_LEN = 44, PATH_LEN_MAX = 1023 };

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define BASE64_LAST "AEIMQUYcgkosw048"      /* of 32 bytes: the last of 43 characters carries four bits */

static bool made_of(const char *text, const char *bytes, size_t max)
{
	size_t len = strspn(text, bytes);

	return len > 0 && len <= max && text[len] == '\0';
}

bool form_system(const char *text)
{
	return made_of(text, LETTERS DIGITS "_.-", WORD_MAX) && text[0] != '-' && text[0] != '.';
}

bool form_feature(const char *text)
{
	return made_of(text, LETTERS DIGITS "_.+-", WORD_MAX) && text[0] != '-' && text[0] != '.';
}

bool form_variable(const char *text)
{
	return made_of(text, LETTERS DIGITS "_", WORD_MAX) && strchr(DIGITS, text[0]) == NULL;
}

bool form_variables(const char *text)
{
	size_t len = strspn(text, LETTERS DIGITS "_");

	if (len == 0 || len > WORD_MAX || strchr(DIGITS, text[0]) != NULL)
		return false;
	return text[len] == '\0' || strcmp(text + len, "*") == 0;
}

/* Are these `len` bytes of base64? Without a branch and without strspn's table, for a policy may hold ten thousand. */
static bool is_base64(const char *text, size_t len)
{
	bool fine = true;

	for (size_t i = 0; i < len; i++) {
		unsigned byte = (unsigned char)text[i];

		fine &= ((byte | 0x20) - 'a' < 26) | (byte - '0' < 10) | (byte == '+') | (byte == '/');
	}
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

	if (key == NULL || strspn(text, LETTERS DIGITS "._@+-") != (size_t)(key - text) || key == text)
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
	size_t scheme = strspn(text, LETTERS DIGITS "+.-");

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
