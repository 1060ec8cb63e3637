/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/tree/rehearsal.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "lib/tuf/client.h"

#define STALE_DAYS INT64_C(36500)

struct stage {
	struct work *w;
	const char *product;
	int64_t tenure;
};

static int nibble(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : toupper((unsigned char)c) - 'A' + 10;
}

/* Undo what tuf_quote() did. */
static void unquote(char *name)
{
	char *to = name;

	for (const char *p = name; *p; p++) {
		if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
			*to++ = (char)(nibble(p[1]) << 4 | nibble(p[2]));
			p += 2;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
}

static int online(const struct stage *s, const char *type, struct buf *out, struct error *err)
{
	struct online_row row = {.tenure = s->tenure};

	(void)snprintf(row.product, sizeof(row.product), "%s", s->product);
	(void)snprintf(row.type, sizeof(row.type), "%s", type);
	return store_online(s->w->store, &row, out, err);
}

/* "timestamp.json", "<version>.<quoted role>.json" as they will be served. */
static int fetch(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	const struct stage *s = ctx;
	struct document_row doc;
	struct role_row row;
	char role[PATH_SIZE];
	const char *dot = strchr(name, '.');
	size_t before = out->len, len;
	int r;

	if (strcmp(name, "timestamp.json") == 0) {
		r = online(s, "timestamp", out, err);
	} else {
		assert(dot);
		(void)snprintf(role, sizeof(role), "%s", dot + 1);
		len = strlen(role);
		role[len - (sizeof(".json") - 1)] = '\0';
		unquote(role);
		if (strcmp(role, "snapshot") == 0)
			return online(s, role, out, err);
		r = store_role(s->w->store, s->product, s->tenure, role, &row, err);
		if (r == 0 && row.version != strtoll(name, NULL, 10))
			return error_set(err, E_NOTFOUND, "%s", name);
		if (r == 0)
			r = store_document(s->w->store, row.document, &doc, out, err);
	}
	if (r == 0 && out->len - before > max)
		return error_set(err, E_INVALID, "%s: larger than %zu bytes", name, max);
	return r;
}

/* The root that will be current; of the rest what a client may have from before. */
static int load(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	const struct stage *s = ctx;
	struct document_row doc = {.type = "root", .role = "root"};
	char path[PATH_SIZE];

	(void)snprintf(doc.product, sizeof(doc.product), "%s", s->product);
	if (strcmp(name, "root.json") == 0)
		return store_document_latest(s->w->store, &doc, out, err);
	if (strcmp(name, "timestamp.json") != 0) /* the others have their versions in their names */
		return error_set(err, E_NOTFOUND, "%s", name);
	(void)snprintf(path, sizeof(path), "p/%s/metadata/%s", s->product, name);
	return file_read(s->w->r->public, path, max, out, err);
}

static int save(void *ctx, const char *name, const void *data, size_t len, struct error *err)
{
	(void)ctx;
	(void)name;
	(void)data;
	(void)len;
	(void)err;
	return 0;
}

static int run(struct stage *s, const struct publication *p, struct error *err)
{
	const struct tuf_io io = {.ctx = s, .fetch = fetch, .load = load, .save = save};
	const struct tuf_options o = {.now = s->w->now, .product = s->product, .keep_root = true};
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	int r = tuf_open(&io, &o, &t, err);

	if (r == 0)
		r = tuf_refresh(t, err);
	for (size_t i = 0; r == 0 && i < p->ntargets; i++) {
		struct tuf_delegated role;

		if (strcmp(p->targets[i].role, "targets") != 0)
			r = tuf_delegated(t, p->targets[i].role, &role, err);
		/* A later version in the same array took it back: all else is found, by the judge.
		 */
		if (r == E_NOTFOUND)
			r = 0;
	}
	return r;
}

int rehearse(struct work *w, int64_t tenure, const struct publication *p, struct error *err)
{
	struct stage s = {w, p->product, tenure};
	struct error why = {0};
	int r = run(&s, p, &why);

	if (r == 0)
		return 0;
	if (r == E_NOMEM || r == E_SYS || r == E_FULL)
		return error_set(err, r, "%s", why.text);
	return error_set(err, E_DENIED, "clients would refuse it: %s", why.text);
}
