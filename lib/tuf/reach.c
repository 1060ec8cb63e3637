/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/reach.h"

#include <jansson.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/tuf/delegation.h"
#include "lib/tuf/role.h"

/* One rule of one entry. */
struct rule {
	const char *text; /* borrowed */
	size_t size;      /* components of a pattern, digits of a prefix */
	size_t entry;
	bool terminating;
};

/*
 * All patterns, or all hash prefixes. One is within another if it is the same once it has the
 * other's shape, which is where it has components `*`, or its length: a look for each shape.
 */
struct rules {
	struct rule *by_text; /* then by entry; none twice */
	size_t n;
	struct rule *shapes; /* one rule of each */
	size_t nshapes;
};

struct reach {
	struct rules patterns, prefixes;
	struct buf text;
	size_t *seen;           /* by entry: the last question that it stood in the way of */
	size_t asked, compared; /* questions; characters */
};

/* --- order and shape ----------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;
	int r = strcmp(x->text, y->text);

	return r ? r : (x->entry > y->entry) - (x->entry < y->entry);
}

static size_t count_parts(const char *pattern)
{
	size_t n = 1;

	for (; *pattern; pattern++)
		n += *pattern == '/';
	return n;
}

static int by_size(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	return (x->size > y->size) - (x->size < y->size);
}

static bool is_star(const char *part, size_t len)
{
	return len == 1 && *part == '*';
}

static int by_stars(const void *a, const void *b)
{
	const char *x = ((const struct rule *)a)->text, *y = ((const struct rule *)b)->text;
	int r = by_size(a, b);

	while (r == 0) {
		size_t nx = strcspn(x, "/"), ny = strcspn(y, "/");

		if (is_star(x, nx) != is_star(y, ny))
			r = is_star(x, nx) ? -1 : 1;
		if (!x[nx])
			break;
		x += nx + 1;
		y += ny + 1;
	}
	return r;
}

/* The pattern, with components `*` where the shape has them; it has as many. */
static int shape_pattern(const char *pattern, const char *shape, struct buf *out, struct error *err)
{
	int r = 0;

	while (r == 0) {
		size_t n = strcspn(pattern, "/"), ns = strcspn(shape, "/");

		r = is_star(shape, ns) ? buf_add(out, "*", 1, err) : buf_add(out, pattern, n, err);
		if (!pattern[n])
			break;
		if (r == 0)
			r = buf_add(out, "/", 1, err);
		pattern += n + 1;
		shape += ns + 1;
	}
	return r;
}

/* --- what there is ------------------------------------------------------------- */

/* Sort, and keep the first of those that are equal. */
static size_t sort(struct rule *a, size_t n, int (*order)(const void *, const void *))
{
	size_t kept = 0;

	if (n)
		qsort(a, n, sizeof(*a), order);
	for (size_t i = 0; i < n; i++)
		if (!kept || order(&a[kept - 1], &a[i]) != 0)
			a[kept++] = a[i];
	return kept;
}

static int collect(const struct delegation *list, bool hashed, struct rules *out, struct error *err)
{
	const char *member = hashed ? "path_hash_prefixes" : "paths";
	const struct delegation *d;
	const json_t *v;
	size_t i, n = 0, entry = 0;

	for (d = list; d; d = d->next)
		n += json_array_size(json_object_get(d->rule, member));
	out->by_text = calloc(n + 1, sizeof(*out->by_text));
	out->shapes = calloc(n + 1, sizeof(*out->shapes));
	if (!out->by_text || !out->shapes)
		return error_nomem(err);
	for (d = list; d; d = d->next, entry++)
		json_array_foreach(json_object_get(d->rule, member), i, v)
		{
			const char *text = json_string_value(v);
			size_t size = hashed ? strlen(text) : count_parts(text);

			out->by_text[out->n++] = (struct rule){text, size, entry, d->terminating};
		}
	memcpy(out->shapes, out->by_text, out->n * sizeof(*out->shapes));
	out->nshapes = sort(out->shapes, out->n, hashed ? by_size : by_stars);
	out->n = sort(out->by_text, out->n, by_text);
	return 0;
}

int reach_new(const struct delegation *list, struct reach **out, struct error *err)
{
	CLEANUP(reach_freep) struct reach *r = calloc(1, sizeof(*r));
	size_t entries = 0;
	int rc;

	if (!r)
		return error_nomem(err);
	for (const struct delegation *d = list; d; d = d->next)
		entries++;
	r->seen = calloc(entries + 1, sizeof(*r->seen));
	if (!r->seen)
		return error_nomem(err);
	rc = collect(list, false, &r->patterns, err);
	if (rc == 0)
		rc = collect(list, true, &r->prefixes, err);
	if (rc < 0)
		return rc;
	*out = steal(r);
	return 0;
}

void reach_free(struct reach *r)
{
	if (!r)
		return;
	free(r->patterns.by_text);
	free(r->patterns.shapes);
	free(r->prefixes.by_text);
	free(r->prefixes.shapes);
	buf_clear(&r->text);
	free(r->seen);
	free(r);
}

/* --- questions ----------------------------------------------------------------- */

/* Before characters of this number are compared: are these too many? */
static int charge(struct reach *r, size_t n, struct error *err)
{
	r->compared += n;
	if (r->compared <= REACH_COMPARED_MAX)
		return 0;
	return error_set(err, E_INVALID,
			 "signed.delegations: to compare its rules takes more than %d characters: "
			 "want fewer, or shorter ones",
			 REACH_COMPARED_MAX);
}

/* The place of the first rule of this text, if there is any. */
static size_t find(const struct rules *rules, const char *text)
{
	size_t low = 0, high = rules->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(rules->by_text[middle].text, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Give r->text the rule in this shape. 0: it has none such. */
static int reshape(struct reach *r, const struct rule *rule, const struct rule *shape, bool hashed,
		   struct error *err)
{
	bool fits = hashed ? shape->size <= rule->size : shape->size == rule->size;
	int rc = charge(r, fits ? strlen(rule->text) + 1 : 1, err);

	if (rc < 0 || !fits)
		return rc;
	buf_cut(&r->text, 0);
	rc = hashed ? buf_add(&r->text, rule->text, shape->size, err)
		    : shape_pattern(rule->text, shape->text, &r->text, err);
	return rc < 0 ? rc : 1;
}

/* Count the entries that have r->text for a rule. 0: no search comes past them. */
static int pass(struct reach *r, const struct rules *rules, size_t entry, size_t *before,
		struct error *err)
{
	for (size_t i = find(rules, r->text.data); i < rules->n; i++) {
		const struct rule *at = &rules->by_text[i];
		int rc;

		if (at->entry >= entry || strcmp(at->text, r->text.data) != 0)
			return 1;
		rc = charge(r, r->text.len + 1, err);
		if (rc < 0)
			return rc;
		if (r->seen[at->entry] == r->asked)
			continue;
		r->seen[at->entry] = r->asked;
		if (at->terminating || ++*before == TUF_DELEGATIONS_MAX)
			return 0;
	}
	return 1;
}

int reach_comes(struct reach *r, size_t entry, const char *text, bool hashed, struct error *err)
{
	const struct rules *rules = hashed ? &r->prefixes : &r->patterns;
	const struct rule rule = {text, hashed ? strlen(text) : count_parts(text), entry, false};
	size_t before = 0;

	r->asked++;
	for (size_t i = 0; i < rules->nshapes; i++) {
		int rc = reshape(r, &rule, &rules->shapes[i], hashed, err);

		if (rc == 1)
			rc = pass(r, rules, entry, &before, err);
		else if (rc == 0)
			continue;
		if (rc != 1)
			return rc;
	}
	return 1;
}
