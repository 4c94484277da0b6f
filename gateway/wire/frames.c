#include "gateway/wire/frames.h"

void frames_init(struct frames *f, uint64_t max)
{
	*f = (struct frames){ .state = FRAMES_HEAD, .max = max };
}

static void on_head(struct frames *f)
{
	uint64_t claimed = f->head.value;

	if (claimed > UINT32_MAX || claimed > f->max - f->size) {
		f->failed = ERR_LIMIT;
		return;
	}
	f->left = claimed;
	f->state = claimed > 0 ? FRAMES_BODY : FRAMES_DONE;
}

enum err frames_feed(struct frames *f, const uint8_t *in, size_t n, size_t *used, const uint8_t **content,
		     size_t *content_len)
{
	size_t at = 0;

	*content = NULL;
	*content_len = 0;
	if (f->failed == ERR_NONE && f->state == FRAMES_HEAD) {
		at = number_feed(&f->head, in, n);
		if (number_done(&f->head)) {
			on_head(f);
			number_init(&f->head);
		}
	}
	if (f->failed == ERR_NONE && f->state == FRAMES_BODY && at < n) {
		*content = in + at;
		*content_len = n - at < f->left ? n - at : (size_t)f->left;
		at += *content_len;
		f->size += *content_len;
		f->left -= *content_len;
		if (f->left == 0)
			f->state = FRAMES_HEAD;
	}
	*used = at;
	return f->failed;
}

bool frames_done(const struct frames *f)
{
	return f->failed == ERR_NONE && f->state == FRAMES_DONE;
}
