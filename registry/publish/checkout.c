/* SPDX-License-Identifier: Apache-2.0 */
/* bequest-publish checkout: a work folder with what is published, verified, and a draft after it.
 */
#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "lib/json/print.h"
#include "lib/json/strict.h"
#include "lib/tuf/repo.h"
#include "policies/statement.h"
#include "registry/publish/verbs.h"
#include "registry/publish/work.h"

enum { INDEX_MAX = 64 * 1024 * 1024 };

struct options {
	const char *product, *registry, *root, *role;
	bool unpublished;
};

static const struct cli_option options[] = {
	CLI_NEED(struct options, product, CLI_TEXT, "product", "ID", "the product"),
	CLI_NEED(struct options, registry, CLI_TEXT, "registry", "URL",
		 "the registry that publishes it"),
	CLI_OPT(struct options, root, CLI_TEXT, "root", "FILE",
		"a root of this product that you trust; default: its first one"),
	CLI_OPT(struct options, unpublished, CLI_FLAG, "unpublished", NULL,
		"take --root as the newest: it is not published yet"),
	CLI_OPT(struct options, role, CLI_TEXT, "role", "NAME",
		"start the next version of this delegated role; default: of the top-level targets"),
	{0},
};

/* Bytes of the root to start from: the person's file, or the product's first root. */
static int first_root(const struct work *w, const struct options *o, struct buf *out,
		      struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	CLEANUP(freep) char *url = NULL;
	int r;

	if (o->root) {
		r = file_read(AT_FDCWD, o->root, TUF_ROOT_MAX, out, err);
		return r == E_NOTFOUND ? error_prefix(err, E_USAGE, "--root") : r;
	}
	r = buf_printf(&path, err, "p/%s/metadata/1.root.json", w->product);
	if (r == 0)
		r = http_url(w->registry, path.data, &url, err);
	if (r == 0)
		r = http_get(w->http, url, TUF_ROOT_MAX, out, err);
	return r;
}

/* Trust on first use happens once, in the open: the id is printed to be compared. */
static int pin_root(const struct work *w, const struct options *o, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	int r = first_root(w, o, &bytes, err);

	if (r == 0)
		r = tuf_root_parse(bytes.data, bytes.len, o->root ? o->root : "1.root.json", &root,
				   err);
	if (r == 0)
		r = tuf_root_self_signed(root, err);
	if (r < 0)
		return r;
	assert(root);
	if (!root->product || strcmp(root->product, w->product) != 0)
		return error_set(err, E_UNTRUSTED, "%s: signed.product: want %s, got %s",
				 o->root ? o->root : "1.root.json", w->product,
				 root->product ? root->product : "nothing");
	if (!o->root)
		(void)fprintf(stderr,
			      "trusting root %" PRId64 " of %s on first use; compare its id: %s\n",
			      root->version, w->product, envelope_id(root->doc));
	return file_write(w->metadata, "root.json", bytes.data, bytes.len, 0644, err);
}

/* The highest version of the targets role in the registry's index. */
static int highest_version(const json_t *index, int64_t *out, struct error *err)
{
	struct {
		const char *type, *role;
		int64_t version;
	} doc;
	static const struct field fields[] = {
		{.key = "type", .kind = FIELD_TEXT, .offset = offsetof(__typeof__(doc), type)},
		{.key = "role",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(__typeof__(doc), role),
		 .optional = true},
		{.key = "version",
		 .kind = FIELD_INT,
		 .offset = offsetof(__typeof__(doc), version),
		 .max = INT32_MAX - 1},
	};
	const json_t *documents = json_object_get(index, "documents"), *entry;
	size_t i;

	*out = 0;
	json_array_foreach(documents, i, entry)
	{
		memset(&doc, 0, sizeof(doc));
		int r = strict_read(entry, "index.json: documents", fields, ARRAY_LEN(fields),
				    STRICT_OPEN, &doc, err);

		if (r < 0)
			return r;
		if (strcmp(doc.type, "targets") == 0 && doc.role &&
		    strcmp(doc.role, "targets") == 0 && doc.version > *out)
			*out = doc.version;
	}
	return 0;
}

/*
 * The version for the first targets under a root: after those of the publisher
 * before, so that no cache can take one for the other. The registry's word will
 * do, since it judges the number anyway.
 */
static int first_version(const struct work *w, int64_t *out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *index = NULL;
	CLEANUP(buf_clear) struct buf path = {0};
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(freep) char *url = NULL;
	int64_t last = 0;
	int r = buf_printf(&path, err, "p/%s/index.json", w->product);

	if (r == 0)
		r = http_url(w->registry, path.data, &url, err);
	if (r == 0)
		r = http_get(w->http, url, INDEX_MAX, &text, err);
	if (r == 0)
		r = strict_parse(text.data ? text.data : "", text.len, "index.json", &index, err);
	if (r == 0)
		r = highest_version(index, &last, err);
	if (r == 0 || r == E_NOTFOUND)
		*out = last + 1;
	return r == E_NOTFOUND ? 0 : r;
}

/* A draft that is published by now, or was overtaken, is done with. */
static int drop_done(struct work *w, struct error *err)
{
	for (struct draft *d = w->drafts, *next; d; d = next) {
		const struct tuf_role *published = NULL;
		struct error none = {0};
		int r = work_published(w, d->role, &published, &none);

		next = d->next;
		if (r < 0 || (published->version <= envelope_version(d->doc) &&
			      strcmp(envelope_id(published->doc), envelope_id(d->doc)) != 0))
			continue;
		r = work_drop_draft(w, d->role, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* All of what is published into the folder, so that the other verbs need no network. */
static int fetch_delegated(struct work *w, struct error *err)
{
	CLEANUP(lineage_freep) struct lineage *lineage = NULL;
	const struct tuf_role *role = NULL;
	const struct descent *at = NULL;
	struct error none = {0};
	int r = work_lineage(w, &lineage, err);

	while (r == 0) {
		r = lineage_next(lineage, &at, &none);
		if (r == E_NOTFOUND)
			return 0;
		if (r == 0)
			r = work_published(w, at->d->name, &role, &none);
		if (r == E_NOTFOUND) /* it is delegated to by a draft only */
			r = 0;
	}
	return error_set(err, r, "%s", none.text);
}

/* The draft starts as the next version of what is published, or as an empty first one. */
static int start_draft(struct work *w, const char *role, struct error *err)
{
	const struct tuf_role *published = NULL;
	struct error none = {0};
	int64_t version = 1;
	int r = work_published(w, role, &published, &none);

	if (r == E_NOTFOUND && strcmp(role, "targets") != 0)
		return error_set(err, E_USAGE,
				 "--role: %s: is not published; who delegates to it makes its "
				 "first version, by bequest-publish delegate add",
				 role);
	if (r == E_NOTFOUND)
		r = first_version(w, &version, err);
	else if (r < 0)
		return error_set(err, r, "%s", none.text);
	return r < 0 ? r : work_start(w, role, version, err);
}

static int run(const struct cli_call *call, struct error *err)
{
	CLEANUP(work_close) struct work w = WORK_NONE;
	const struct options *o = call->opt;
	const char *role = o->role ? o->role : "targets";
	int r;

	if (!product_id_ok(o->product))
		return error_set(err, E_USAGE, "--product: %s: not a product id", o->product);
	if (o->unpublished && !o->root)
		return error_set(err, E_USAGE, "--unpublished needs --root");
	r = work_make(call->args[0], o->product, o->registry, &w, err);
	if (r == 0 && (o->unpublished || !file_exists(w.metadata, "root.json")))
		r = pin_root(&w, o, err);
	if (r == 0)
		r = work_trust(&w, !o->unpublished, err);
	if (r == 0)
		r = drop_done(&w, err);
	if (r == 0)
		r = fetch_delegated(&w, err);
	if (r == 0)
		r = start_draft(&w, role, err);
	if (r < 0)
		return r;

	const struct tuf_root *root = tuf_trusted_root(w.tuf);
	int64_t version = envelope_version(work_draft(&w, role));
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s, s:I, s:s, s:I}", "ok", 1, "role", role,
					    "product", w.product, "root_version",
					    (json_int_t)root->version, "root_id",
					    envelope_id(root->doc), "draft_version",
					    (json_int_t)version),
				  err);
	(void)printf("%s: root %" PRId64 ", draft of %s %" PRId64 " in %s\n", w.product,
		     root->version, role, version, call->args[0]);
	return 0;
}

const struct cli_verb verb_checkout = {
	.name = "checkout",
	.args = "DIR",
	.help = "make a work folder: fetch and verify what is published, start the next version",
	.options = options,
	.size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
