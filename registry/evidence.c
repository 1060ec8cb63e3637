/* SPDX-License-Identifier: Apache-2.0 */
/* The registry's own tree as a source of evidence. */
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/tuf/role.h"
#include "policies/evidence.h"
#include "registry/internal.h"

int load_root(struct store *s, const char *product, int64_t version, struct tuf_root **out,
	      struct error *err)
{
	struct document_row row = {.type = "root", .role = "root", .version = version};
	CLEANUP(buf_clear) struct buf bytes = {0};
	int r;

	(void)snprintf(row.product, sizeof(row.product), "%s", product);
	r = store_document_find(s, &row, &bytes, err);
	return r < 0 ? r : tuf_root_parse(bytes.data, bytes.len, "root.json", out, err);
}

int own_tree_read(void *ctx, const char *path, size_t max, struct buf *out, struct error *err)
{
	const struct own_tree *tree = ctx;
	CLEANUP(buf_clear) struct buf full = {0};
	int r;

	if (!file_path_ok(path))
		return error_set(err, E_INVALID, "%s: not a path", path);
	r = buf_printf(&full, err, "p/%s/%s", tree->product, path);
	return r < 0 ? r : file_read(tree->public, full.data, max, out, err);
}

int deposit_evidence(struct registry *r, const char *product, const struct tuf_root *from,
		     const char *deposit, struct evidence *out, struct error *err)
{
	struct own_tree tree = {r->public, product};
	const struct evidence_source source = {.ctx = &tree, .read = own_tree_read, .own = true};
	const struct evidence_query query = {.product = product, .from = from, .deposit = deposit};

	return evidence_gather(&source, &query, out, err);
}

/* What earlier jobs of this transaction did is not in the tree yet. */
static int demand_clean(struct work *w, const char *product, struct error *err)
{
	if (!w->dirty)
		return 0;
	w->again = true;
	return error_set(err, E_BUSY, "%s: other changes come first", product);
}

int work_evidence(struct work *w, const char *product, const struct tuf_root *from,
		  const char *deposit, struct evidence *out, struct error *err)
{
	int r = demand_clean(w, product, err);

	return r < 0 ? r : deposit_evidence(w->r, product, from, deposit, out, err);
}

int work_step(struct work *w, const struct evidence_query *q, struct evidence *out,
	      struct error *err)
{
	struct own_tree tree = {w->r->public, q->product};
	const struct evidence_source source = {.ctx = &tree, .read = own_tree_read, .own = true};
	CLEANUP(buf_clear) struct buf checkpoint = {0};
	struct evidence_query query = *q;
	int r = demand_clean(w, q->product, err);

	if (r == 0)
		r = file_read(w->r->public, "log/checkpoint", NOTE_MAX, &checkpoint, err);
	if (r == 0)
		query.checkpoint = &checkpoint;
	else if (r != E_NOTFOUND)
		return r;
	query.ahead = true;
	return evidence_gather(&source, &query, out, err);
}
