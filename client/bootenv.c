/* SPDX-License-Identifier: Apache-2.0 */
#include "client/bootenv.h"

#include <inttypes.h>

#include "lib/base/error.h"
#include "lib/base/file.h"

enum { BOOTENV_MAX = 64 * 1024, BOOTENV_MODE = 0644 };

static const char letters[] = "AB-";

char slot_letter(enum slot s)
{
	return letters[s];
}

enum slot slot_other(enum slot s)
{
	return s == SLOT_A ? SLOT_B : SLOT_A;
}

/* The slot that one letter names, or SLOT_NONE. */
static enum slot slot_of(const char *text, size_t len)
{
	if (len == 1 && text[0] == 'A')
		return SLOT_A;
	if (len == 1 && text[0] == 'B')
		return SLOT_B;
	return SLOT_NONE;
}

void bootenv_init(struct bootenv *e, int64_t tries)
{
	*e = (struct bootenv){
		.order = {SLOT_A, SLOT_B},
		.n = SLOTS,
		.left = {tries, tries},
		.booted = SLOT_NONE,
	};
}

void bootenv_clear(struct bootenv *e)
{
	buf_clear(&e->others);
}

static bool take_order(struct bootenv *e, const char *v, size_t len)
{
	e->n = 0;
	while (len) {
		size_t word = 0;

		while (word < len && v[word] != ' ')
			word++;

		enum slot s = slot_of(v, word);
		if (s == SLOT_NONE || bootenv_lists(e, s))
			return false;
		e->order[e->n++] = s;
		v += word;
		len -= word;
		if (len) {
			v++;
			len--;
		}
	}
	return true;
}

static bool take_left(int64_t *left, const char *v, size_t len)
{
	int64_t n = 0;

	if (len < 1 || len > 3)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (v[i] < '0' || v[i] > '9')
			return false;
		n = 10 * n + (v[i] - '0');
	}
	*left = n;
	return n <= BOOT_TRIES_MAX;
}

enum { SEEN_ORDER = 1, SEEN_A = 2, SEEN_B = 4, SEEN_BOOTED = 8 };

/* Which of our names a line begins with; 0: none. */
static unsigned name_of(const char *line, size_t len)
{
	static const struct {
		const char *name;
		unsigned bit;
	} names[] = {{"BOOT_ORDER", SEEN_ORDER},
		     {"BOOT_A_LEFT", SEEN_A},
		     {"BOOT_B_LEFT", SEEN_B},
		     {"BOOTED", SEEN_BOOTED}};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i].name) == len && memcmp(names[i].name, line, len) == 0)
			return names[i].bit;
	return 0;
}

static bool take_value(struct bootenv *e, unsigned bit, const char *v, size_t len)
{
	switch (bit) {
	case SEEN_ORDER: return take_order(e, v, len);
	case SEEN_A: return take_left(&e->left[SLOT_A], v, len);
	case SEEN_B: return take_left(&e->left[SLOT_B], v, len);
	default: e->booted = slot_of(v, len); return e->booted != SLOT_NONE || len == 0;
	}
}

static int take_line(struct bootenv *e, const char *line, size_t len, unsigned *seen,
		     struct error *err)
{
	const char *equals = memchr(line, '=', len);
	size_t name = equals ? (size_t)(equals - line) : 0;
	unsigned bit = name_of(line, name);

	if (!equals || name == 0 || memchr(line, '\0', len))
		return error_set(err, E_INVALID, "want name=value");
	if (!bit) {
		int r = buf_add(&e->others, line, len, err);

		return r == 0 ? buf_puts(&e->others, "\n", err) : r;
	}
	if (*seen & bit)
		return error_set(err, E_INVALID, "%.*s: given twice", (int)name, line);
	*seen |= bit;
	if (!take_value(e, bit, equals + 1, len - name - 1))
		return error_set(err, E_INVALID, "%.*s: want %s", (int)name, line,
				 bit == SEEN_ORDER    ? "slots A and B, each at most once"
				 : bit == SEEN_BOOTED ? "A or B"
						      : "0 to 100");
	return 0;
}

int bootenv_parse(const char *text, size_t len, const char *name, struct bootenv *out,
		  struct error *err)
{
	CLEANUP(bootenv_clear) struct bootenv e = {.booted = SLOT_NONE};
	unsigned seen = 0, line = 0;

	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t here = end ? (size_t)(end - text) : len;
		int r;

		line++;
		if (here) {
			r = take_line(&e, text, here, &seen, err);
			if (r < 0)
				return error_prefix(err, r, "%s: line %u", name, line);
		}
		text += here;
		len -= here;
		if (len) {
			text++;
			len--;
		}
	}
	if (!(seen & SEEN_ORDER))
		return error_set(err, E_INVALID, "%s: BOOT_ORDER: is missing", name);
	*out = e;
	e.others = (struct buf){0};
	return 0;
}

int bootenv_load(int dir, const char *path, struct bootenv *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = file_read(dir, path, BOOTENV_MAX, &text, err);

	if (r < 0)
		return r;
	return bootenv_parse(text.data ? text.data : "", text.len, path, out, err);
}

int bootenv_save(const struct bootenv *e, int dir, const char *path, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = buf_puts(&text, "BOOT_ORDER=", err);

	for (size_t i = 0; r == 0 && i < e->n; i++)
		r = buf_printf(&text, err, "%s%c", i ? " " : "", slot_letter(e->order[i]));
	if (r == 0)
		r = buf_printf(&text, err, "\nBOOT_A_LEFT=%" PRId64 "\nBOOT_B_LEFT=%" PRId64 "\n",
			       e->left[SLOT_A], e->left[SLOT_B]);
	if (r == 0 && e->booted != SLOT_NONE)
		r = buf_printf(&text, err, "BOOTED=%c\n", slot_letter(e->booted));
	if (r == 0)
		r = buf_add(&text, e->others.data, e->others.len, err);
	if (r == 0)
		r = file_write(dir, path, text.data, text.len, BOOTENV_MODE, err);
	return r;
}

bool bootenv_lists(const struct bootenv *e, enum slot s)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->order[i] == s)
			return true;
	return false;
}

void bootenv_put_first(struct bootenv *e, enum slot s)
{
	bool behind = bootenv_lists(e, slot_other(s));

	e->order[0] = s;
	e->order[1] = slot_other(s);
	e->n = behind ? SLOTS : 1;
}

void bootenv_drop(struct bootenv *e, enum slot s)
{
	e->left[s] = 0;
	if (!bootenv_lists(e, s))
		return;
	e->order[0] = slot_other(s);
	e->n--;
}

enum slot bootenv_boot(struct bootenv *e, int64_t tries)
{
	bool any = false;

	for (size_t i = 0; i < e->n; i++)
		any = any || e->left[e->order[i]] > 0;
	for (size_t i = 0; !any && i < e->n; i++)
		e->left[e->order[i]] = tries;
	for (size_t i = 0; i < e->n; i++) {
		enum slot s = e->order[i];

		if (e->left[s] > 0) {
			e->left[s]--;
			e->booted = s;
			return s;
		}
	}
	return SLOT_NONE;
}
