/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/git/bundle.h"

#include <stdbool.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"

enum { OID_DIGITS = 40 };

static const char signature[] = "# v2 git bundle\n";
static const char pack_signature[] = {'P', 'A', 'C', 'K'};

/* One line of the header, without its end. */
struct line {
	const char *at;
	size_t len;
};

struct parser {
	const char *at;
	size_t left;
	size_t cap, prerequisites_cap; /* of the arrays that grow */
	struct bundle *out;
};

static bool next_line(struct parser *p, struct line *out)
{
	const char *end = memchr(p->at, '\n', p->left);

	if (!end)
		return false;
	*out = (struct line){p->at, (size_t)(end - p->at)};
	p->left -= out->len + 1;
	p->at = end + 1;
	return true;
}

static bool copy_oid(const char *at, char out[OID_DIGITS + 1])
{
	memcpy(out, at, OID_DIGITS);
	out[OID_DIGITS] = '\0';
	return hex_is(out, OID_DIGITS);
}

/* One component of a name, between slashes: git-check-ref-format(1). */
static bool component_ok(const char *at, size_t len)
{
	static const char lock[] = ".lock";
	size_t tail = sizeof(lock) - 1;

	if (len == 0 || at[0] == '.' || at[len - 1] == '.')
		return false;
	if (len >= tail && memcmp(at + len - tail, lock, tail) == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)at[i] <= ' ' || strchr("\x7f~^:?*[\\", at[i]))
			return false;
		if (i > 0 &&
		    ((at[i - 1] == '.' && at[i] == '.') || (at[i - 1] == '@' && at[i] == '{')))
			return false;
	}
	return true;
}

/* "HEAD", or a name of at least two components that starts with "refs/". */
static bool name_ok(const char *name, size_t len)
{
	static const char head[] = "HEAD", refs[] = "refs/";

	if (len == sizeof(head) - 1 && memcmp(name, head, len) == 0)
		return true;
	if (len > BUNDLE_REF_LEN_MAX || len < sizeof(refs) || memcmp(name, refs, 5) != 0)
		return false;
	for (size_t start = 0; start <= len;) {
		const char *slash = memchr(name + start, '/', len - start);
		size_t end = slash ? (size_t)(slash - name) : len;

		if (!component_ok(name + start, end - start))
			return false;
		start = end + 1;
	}
	return true;
}

/* Room for one more element of `size` bytes in an array of n. */
static int grow(void *array, size_t *cap, size_t n, size_t size, struct error *err)
{
	size_t more = *cap ? 2 * *cap : 16;
	void *old, *grown;

	if (n < *cap)
		return 0;
	memcpy(&old, array, sizeof(old));
	grown = realloc(old, more * size);
	if (!grown)
		return error_nomem(err);
	memcpy(array, &grown, sizeof(grown));
	*cap = more;
	return 0;
}

static int add_prerequisite(struct parser *p, const struct line *l, struct error *err)
{
	struct bundle *b = p->out;
	char oid[OID_DIGITS + 1];
	int r;

	/* A comment may follow. */
	if (l->len < 1 + OID_DIGITS || !copy_oid(l->at + 1, oid) ||
	    (l->len > 1 + OID_DIGITS && l->at[1 + OID_DIGITS] != ' '))
		return error_set(err, E_INVALID, "git bundle: malformed prerequisite");
	if (b->nprerequisites == BUNDLE_REFS_MAX)
		return error_set(err, E_INVALID, "git bundle: more than %d prerequisites",
				 BUNDLE_REFS_MAX);
	r = grow(&b->prerequisites, &p->prerequisites_cap, b->nprerequisites,
		 sizeof(b->prerequisites[0]), err);
	if (r < 0)
		return r;
	memcpy(b->prerequisites[b->nprerequisites++], oid, sizeof(oid));
	return 0;
}

static int add_ref(struct parser *p, const struct line *l, struct error *err)
{
	struct bundle *b = p->out;
	struct bundle_ref ref = {.name = NULL};
	const char *name = l->at + OID_DIGITS + 1;
	size_t len;
	int r;

	if (l->len <= OID_DIGITS + 1 || l->at[OID_DIGITS] != ' ' || !copy_oid(l->at, ref.oid))
		return error_set(err, E_INVALID, "git bundle: malformed reference");
	len = l->len - OID_DIGITS - 1;
	if (!name_ok(name, len))
		return error_set(err, E_INVALID, "git bundle: bad name of a reference: %.*s",
				 (int)(len < 100 ? len : 100), name);
	if (b->n == BUNDLE_REFS_MAX)
		return error_set(err, E_INVALID, "git bundle: more than %d references",
				 BUNDLE_REFS_MAX);
	r = grow(&b->refs, &p->cap, b->n, sizeof(b->refs[0]), err);
	if (r < 0)
		return r;
	ref.name = strndup(name, len);
	if (!ref.name)
		return error_nomem(err);
	b->refs[b->n++] = ref;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int check_unique(const struct bundle *b, struct error *err)
{
	CLEANUP(freep) const char **names = calloc(b->n, sizeof(*names));

	if (!names)
		return error_nomem(err);
	for (size_t i = 0; i < b->n; i++)
		names[i] = b->refs[i].name;
	qsort(names, b->n, sizeof(*names), by_name);
	for (size_t i = 1; i < b->n; i++)
		if (strcmp(names[i - 1], names[i]) == 0)
			return error_set(err, E_INVALID, "git bundle: %.100s is there twice",
					 names[i]);
	return 0;
}

static int parse_lines(struct parser *p, struct error *err)
{
	struct line l;

	while (next_line(p, &l)) {
		int r;

		if (l.len == 0)
			return 0;
		if (l.at[0] == '-' && p->out->n)
			return error_set(err, E_INVALID,
					 "git bundle: prerequisite after a reference");
		r = l.at[0] == '-' ? add_prerequisite(p, &l, err) : add_ref(p, &l, err);
		if (r < 0)
			return r;
	}
	return error_set(err, E_INVALID, "git bundle: header has no end within %d bytes",
			 BUNDLE_HEADER_MAX);
}

int bundle_parse(const void *data, size_t len, struct bundle *out, struct error *err)
{
	CLEANUP(bundle_clear) struct bundle b = {0};
	size_t bound = len < BUNDLE_HEADER_MAX ? len : BUNDLE_HEADER_MAX;
	struct parser p = {.at = data, .left = bound, .out = &b};
	size_t skip = strlen(signature), rest;
	int r;

	if (len < skip || memcmp(data, signature, skip) != 0)
		return error_set(err, E_INVALID,
				 "git bundle: want version 2 (\"# v2 git bundle\")");
	p.at += skip;
	p.left -= skip;
	r = parse_lines(&p, err);
	if (r < 0)
		return r;
	if (!b.n)
		return error_set(err, E_INVALID, "git bundle: no references");
	r = check_unique(&b, err);
	if (r < 0)
		return r;
	b.pack_offset = bound - p.left;
	/* Of a header that ends at the bound, the caller may not have what follows. */
	rest = len - b.pack_offset;
	if (rest > sizeof(pack_signature))
		rest = sizeof(pack_signature);
	if ((rest < sizeof(pack_signature) && len < BUNDLE_HEADER_MAX) ||
	    memcmp((const char *)data + b.pack_offset, pack_signature, rest) != 0)
		return error_set(err, E_INVALID, "git bundle: no pack after the header");
	*out = b;
	b = (struct bundle){0};
	return 0;
}

void bundle_clear(struct bundle *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->refs[i].name);
	free(b->refs);
	free(b->prerequisites);
	*b = (struct bundle){0};
}
