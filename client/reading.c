/* SPDX-License-Identifier: Apache-2.0 */
#include "client/reading.h"

#include "client/leaves.h"
#include "lib/base/error.h"
#include "policies/publisher.h"

/* What a person is told of: a deposit, its notice or end, and an approval of each trustee. */
enum { TEXTS_MAX = 80, TEXT_MAX = 512 * 1024 };

#define FOLDER "statements/"
#define LOG_FOLDER "log/"

int reading_init(struct reading *r, const struct source *from, const struct device *d,
		 struct error *err)
{
	json_t *kept = json_object();

	if (!kept)
		return error_nomem(err);
	*r = (struct reading){.from = from, .d = d, .kept = kept};
	return 0;
}

void reading_clear(struct reading *r)
{
	json_decref(r->kept);
	leaf_chain_clear(&r->ready);
	*r = (struct reading){0};
}

static int keep(struct reading *r, const char *path, const char *data, size_t len,
		struct error *err)
{
	json_t *text;

	if (len > READING_KEPT_MAX - r->bytes)
		return 0;
	text = json_stringn(data, len);
	if (!text) /* not UTF-8: whoever asked for it will say so */
		return 0;
	if (json_object_set_new(r->kept, path, text) < 0)
		return error_nomem(err);
	r->bytes += len;
	return 0;
}

static int read_file(void *ctx, const char *path, size_t max, struct buf *out, struct error *err)
{
	struct reading *r = ctx;
	const json_t *text = json_object_get(r->kept, path);
	size_t before = out->len;
	int e;

	if (text && json_string_length(text) <= max)
		return buf_add(out, json_string_value(text), json_string_length(text), err);
	e = source_get(r->from, path, max, out, err);
	return e == 0 && !text ? keep(r, path, out->data + before, out->len - before, err) : e;
}

static int read_leaves(void *ctx, struct leaf_chain *out, struct error *err)
{
	struct reading *r = ctx;

	if (r->ready.n) {
		*out = r->ready;
		r->ready = (struct leaf_chain){0};
		return 0;
	}
	return leaves_read(r->from, r->d->conf.product, &r->d->st, out, err);
}

/* Where the trusted root says that this log is; one that it moved to lies beside the products. */
static struct publisher_log log_of(const struct publisher *who, const char *origin)
{
	for (size_t i = 0; i < who->nlogs; i++)
		if (strcmp(who->logs[i].key.name, origin) == 0)
			return who->logs[i];
	return (struct publisher_log){.origin = origin, .url = LOG_FOLDER};
}

static int read_log(void *ctx, const char *origin, const char *path, size_t max, struct buf *out,
		    struct error *err)
{
	struct reading *r = ctx;
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	int e = who ? publisher_read(r->d->root, "root.json", who, err) : error_nomem(err);

	if (e < 0)
		return e;
	const struct publisher_log log = log_of(who, origin);
	bool away = source_elsewhere(log.url);
	if (!away || !r->dead)
		e = source_get_log(r->from, &log, path, max, out, err);
	/* Somebody else's server may be gone for good, while this mirror has the product. */
	r->dead = r->dead || (away && e == E_NET);
	return away && r->dead ? error_set(err, E_NOTFOUND, "%s: gave no answer", log.url) : e;
}

struct evidence_source reading_source(struct reading *r)
{
	return (struct evidence_source){
		.ctx = r, .read = read_file, .leaves = read_leaves, .log = read_log};
}

static void unref(json_t **j)
{
	json_decref(*j);
}

int reading_texts(struct reading *r, const json_t *ids, json_t **out, struct error *err)
{
	CLEANUP(unref) json_t *texts = json_object();
	size_t n = json_array_size(ids) < TEXTS_MAX ? json_array_size(ids) : TEXTS_MAX;
	size_t room = READING_TEXTS_MAX;

	if (!texts)
		return error_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const char *id = json_string_value(json_array_get(ids, i));
		CLEANUP(buf_clear) struct buf path = {0};
		CLEANUP(buf_clear) struct buf text = {0};
		struct error why = {0};
		int e = buf_printf(&path, err, FOLDER "%s.json", id ? id : "");

		if (e < 0)
			return e;
		e = read_file(r, path.data, TEXT_MAX, &text, &why);
		if (e == E_NOMEM)
			return error_nomem(err);
		if (e < 0 || !text.len || text.len > room)
			continue;
		/* json_stringn() makes nothing of what is not UTF-8, and NULL sets nothing. */
		(void)json_object_set_new(texts, path.data, json_stringn(text.data, text.len));
		room -= text.len;
	}
	*out = steal(texts);
	return 0;
}
