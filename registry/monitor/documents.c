/* SPDX-License-Identifier: Apache-2.0 */
/* The document of every new leaf, in the order of the log: fetched, identified, judged. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/tuf/client.h"
#include "registry/monitor/finding.h"

enum {
	STATEMENT_BYTES_MAX = 512 * 1024,
	HELD_MAX = 32, /* folders of earlier publishers that one file is looked for in */
};

static void finding_clear(struct finding *f)
{
	envelope_free(f->doc);
	tuf_root_free(f->root);
}

bool finding_fault(int code)
{
	return code == E_INVALID || code == E_UNTRUSTED;
}

struct happening finding_event(const struct finding *f, enum level level, const char *kind)
{
	return (struct happening){.level = level,
				  .kind = kind,
				  .product = f->w.id,
				  .id = f->leaf.id,
				  .has_index = true,
				  .index = f->leaf.index};
}

/* --- fetching ------------------------------------------------------------------------- */

/* Where the file may be, in the order to look. */
struct places {
	const struct finding *f;
	size_t max;
	char *role; /* URL-quoted; owned; NULL: no role */
};

static void places_clear(struct places *p)
{
	free(p->role);
}

static int places_init(struct places *p, const struct finding *f, struct error *err)
{
	p->f = f;
	p->max = STATEMENT_BYTES_MAX;
	if (!f->leaf.role[0])
		return 0;
	p->max = strcmp(f->leaf.kind, "root") == 0 ? TUF_ROOT_MAX : TUF_TARGETS_MAX;
	return tuf_quote(f->leaf.role, false, &p->role, err);
}

/* Place `i`; 1: there are no more. */
static int place(const struct places *p, int64_t i, struct buf *out, struct error *err)
{
	const struct leaf *l = &p->f->leaf;
	const struct watched *w = &p->f->w;

	buf_clear(out);
	if (!p->role)
		return i ? 1 : buf_printf(out, err, "p/%s/statements/%s.json", w->id, l->id);
	if (i == 0)
		return buf_printf(out, err, "p/%s/metadata/%" PRId64 ".%s.json", w->id, l->version,
				  p->role);
	/* Of a publisher that has left: in the folder of its last root. */
	if (strcmp(l->kind, "root") == 0 || w->root + i - 1 > w->top_root || i > HELD_MAX)
		return 1;
	return buf_printf(out, err, "p/%s/metadata/held/%" PRId64 "/%" PRId64 ".%s.json", w->id,
			  w->root + i - 1, l->version, p->role);
}

/* What became of looking: the worst of what was met, so far. */
enum outcome { NOT_THERE, NOT_ASKED, WRONG, GOOD };

/* Read one place of one tree. */
static int try_place(const struct vantage *v, const struct places *p, const char *path,
		     struct finding *f, enum outcome *out, struct error *why)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct error now = {0};
	int r = v->read(v->ctx, path, p->max, &bytes, &now);

	if (r == E_NOTFOUND)
		return 0;
	if (r == E_NET || r == E_BUSY) {
		if (*out < NOT_ASKED)
			*out = NOT_ASKED;
		return 0;
	}
	if (r == 0)
		r = envelope_parse(bytes.data ? bytes.data : "", bytes.len, path, &doc, &now);
	if (r == 0 && strcmp(envelope_id(doc), f->leaf.id) != 0)
		r = error_set(&now, E_UNTRUSTED, "%s: is another document, with id %.16s...", path,
			      envelope_id(doc));
	if (r == E_INVALID || r == E_UNTRUSTED) {
		*out = WRONG;
		*why = now;
		return 0;
	}
	if (r < 0)
		return error_set(why, r, "%s", now.text);
	*out = GOOD;
	f->doc = steal(doc);
	return 0;
}

/* From whoever has it, the lead first. */
static int fetch(struct monitor *m, struct finding *f, enum outcome *out, struct error *why)
{
	CLEANUP(places_clear) struct places p = {0};
	CLEANUP(buf_clear) struct buf path = {0};
	int r = places_init(&p, f, why);

	*out = NOT_THERE;
	for (int64_t i = 0; r == 0; i++) {
		struct error failed = {0};

		r = place(&p, i, &path, &failed);
		if (r == 1)
			return 0;
		if (r < 0)
			return error_set(why, r, "%s", failed.text);
		r = try_place(m->lead, &p, path.data, f, out, why);
		for (size_t v = 0; r == 0 && *out != GOOD && v < m->n; v++)
			if (&m->vantage[v] != m->lead && m->vantage[v].reached &&
			    !m->vantage[v].bare)
				r = try_place(&m->vantage[v], &p, path.data, f, out, why);
		if (*out == GOOD)
			return r;
	}
	return r;
}

/* --- identity ------------------------------------------------------------------------- */

static const char *product_of(const struct envelope *doc)
{
	const char *p = json_string_value(json_object_get(envelope_signed(doc), "product"));

	return p ? p : "";
}

/* What the leaf says of the document; *same says whether it may be judged. */
static int check_identity(struct monitor *m, const struct finding *f, bool *same, struct error *err)
{
	struct happening h = finding_event(f, LEVEL_ALARM, "altered");
	const struct leaf *l = &f->leaf;
	int r = 0;

	if (strcmp(envelope_sha256(f->doc), l->sha256) != 0)
		r = monitor_tell(m, &h, err,
				 "%s version %" PRId64 " has other bytes than were logged: "
				 "signatures were added or taken away",
				 l->kind, l->version);
	*same = strcmp(envelope_type(f->doc), l->kind) == 0 &&
		envelope_version(f->doc) == l->version && strcmp(product_of(f->doc), f->w.id) == 0;
	if (r < 0 || *same)
		return r;
	h.kind = "false-leaf";
	return monitor_tell(m, &h, err,
			    "leaf %" PRIu64 " says %s version %" PRId64 " of %s, but its document "
			    "is %.32s version %" PRId64 " of %.64s",
			    l->index, l->kind, l->version, f->w.id, envelope_type(f->doc),
			    envelope_version(f->doc), product_of(f->doc));
}

/* The root in force when the leaf was logged: usually the last one. */
static int find_root(struct monitor *m, struct finding *f, struct error *err)
{
	char of[MEMORY_NAME_SIZE];

	(void)snprintf(of, sizeof(of), "%s/root/root", f->w.id);
	for (int64_t v = f->w.root; v >= 1; v--) {
		struct versioned at;
		int r = version_get(m, of, v, &at, err);

		if (r < 0)
			return r;
		if (r == 0 && at.index < f->leaf.index)
			return watched_root(m, f->w.id, at.id, &f->root, err);
		f->late = true;
	}
	return 0;
}

int finding_version(struct monitor *m, const struct finding *f, const char *whose, bool *fresh,
		    struct error *err)
{
	struct happening h = finding_event(f, LEVEL_ALARM, "two-versions");
	char of[MEMORY_NAME_SIZE], folder[EVIDENCE_SIZE];
	struct versioned now = {.index = f->leaf.index}, first;
	CLEANUP(buf_clear) struct buf proof = {0};
	const struct buf *bytes = envelope_bytes(f->doc);
	int64_t last = 0;
	int r;

	memcpy(now.id, f->leaf.id, sizeof(now.id));
	memcpy(now.sha256, f->leaf.sha256, sizeof(now.sha256));
	(void)snprintf(of, sizeof(of), "%s/%s/%.200s", f->w.id, f->leaf.kind, whose);
	*fresh = false;
	r = version_get(m, of, f->leaf.version, &first, err);
	if (r < 0)
		return r;
	if (r == 0 && strcmp(first.id, now.id) == 0) {
		h.kind = "twice";
		return monitor_tell(m, &h, err,
				    "%s version %" PRId64 " is logged twice, as leaf "
				    "%" PRIu64 " and as leaf %" PRIu64,
				    f->leaf.kind, f->leaf.version, first.index, now.index);
	}
	if (r == 0) {
		r = watched_proof(m, f->leaf.index, &f->leaf.hash, &proof, err);
		if (r < 0)
			return r;
		const struct exhibit files[] = {{"b.json", bytes->data, bytes->len},
						{"b.tlog-proof", proof.data, proof.len},
						{"a.id", first.id, SHA256_HEX}};
		if (strcmp(f->leaf.kind, "root") == 0)
			h.kind = "two-roots";
		r = monitor_keep(m, h.kind, files, ARRAY_LEN(files), folder, err);
		h.evidence = folder;
		return r < 0 ? r
			     : monitor_tell(m, &h, err,
					    "there are two of %s version %" PRId64 ": leaf %" PRIu64
					    " (%.16s...) was first, leaf %" PRIu64
					    " (%.16s...) is the second; see %s",
					    f->leaf.kind, f->leaf.version, first.index, first.id,
					    now.index, now.id, folder);
	}
	r = version_last(m, of, &last, err);
	if (r == 0 && last > f->leaf.version && !f->late) {
		h.kind = "version-falls";
		return monitor_tell(m, &h, err,
				    "%s version %" PRId64 " was logged after version %" PRId64,
				    f->leaf.kind, f->leaf.version, last);
	}
	*fresh = true;
	return r < 0 ? r : version_put(m, of, f->leaf.version, &now, err);
}

/* --- judging -------------------------------------------------------------------------- */

static int name_withheld(const struct finding *f, char out[MEMORY_NAME_SIZE])
{
	return snprintf(out, MEMORY_NAME_SIZE, "%s/%" PRIu64, f->w.id, f->leaf.index);
}

/* As a step: what the document says is kept, and its leaf is done with. */
static int judge(struct monitor *m, void *arg, struct error *err)
{
	struct finding *f = arg;
	char name[MEMORY_NAME_SIZE], scope[MEMORY_NAME_SIZE];
	bool same = false;
	int r = check_identity(m, f, &same, err);

	if (r == 0 && same)
		r = find_root(m, f, err);
	if (r == 0 && same && strcmp(f->leaf.kind, "root") == 0)
		r = finding_root(m, f, err);
	else if (r == 0 && same && strcmp(f->leaf.kind, "targets") == 0)
		r = finding_targets(m, f, err);
	else if (r == 0 && same)
		r = finding_statement(m, f, err);
	if (r == 0)
		r = watched_save(m, &f->w, err);
	name_queued(f->w.id, f->leaf.index, name);
	if (r == 0)
		r = memory_drop(m->memory, name, err);
	(void)name_withheld(f, scope);
	return r < 0 ? r : monitor_fine(m, "withheld", scope, err);
}

/* It is in the log, and nobody shows it: what the log commits to is kept from us. */
static int withheld(struct monitor *m, const struct finding *f, enum outcome what,
		    const struct error *why, struct error *err)
{
	struct happening h = finding_event(f, LEVEL_ALARM, "withheld");
	char scope[MEMORY_NAME_SIZE];

	(void)name_withheld(f, scope);
	h.scope = scope;
	m->incomplete = true;
	if (what == NOT_ASKED)
		return 0;
	if (what == NOT_THERE)
		h.patience = m->limits.grace;
	return monitor_trouble(m, &h, err, "%s version %" PRId64 " (%.16s...) is logged, but %s",
			       f->leaf.kind, f->leaf.version, f->leaf.id,
			       what == WRONG ? why->text : "nobody serves it");
}

/* Is this one known to be kept back? Then what comes after it need not wait, save for a root. */
static int may_pass(struct monitor *m, const struct finding *f, bool *out, struct error *err)
{
	char scope[MEMORY_NAME_SIZE];

	(void)name_withheld(f, scope);
	*out = false;
	if (strcmp(f->leaf.kind, "root") == 0)
		return 0;
	return monitor_stands(m, "withheld", scope, out, err);
}

/* One queued leaf; *wait: the product's later ones are not looked at now. */
static int one(struct monitor *m, const char *product, uint64_t index, const struct buf *bytes,
	       bool *wait, struct error *err)
{
	CLEANUP(finding_clear) struct finding f = {0};
	enum outcome what = NOT_THERE;
	struct error why = {0};
	bool pass = false;
	int r = watched_load(m, product, &f.w, err);

	if (r == 0)
		r = leaf_parse(bytes->data, bytes->len, &f.leaf, err);
	f.leaf.index = index;
	if (r < 0)
		return r;
	r = fetch(m, &f, &what, &why);
	if (r < 0)
		return error_set(err, r, "%s", why.text);
	if (what == GOOD)
		return monitor_step(m, judge, &f, err);
	r = withheld(m, &f, what, &why, err);
	if (r == 0)
		r = may_pass(m, &f, &pass, err);
	*wait = !pass;
	return r;
}

int monitor_documents(struct monitor *m, struct error *err)
{
	char name[MEMORY_NAME_SIZE] = "q/";
	int r;

	while ((r = memory_next(m->memory, "q/", name, err)) == 0) {
		CLEANUP(buf_clear) struct buf bytes = {0};
		char product[65];
		const char *slash = strchr(name + 2, '/');
		bool wait = false;

		(void)snprintf(product, sizeof(product), "%.*s", (int)(slash - name - 2), name + 2);
		r = memory_get(m->memory, name, &bytes, err);
		if (r == 0 && monitor_watches(m, product))
			r = one(m, product, strtoull(slash + 1, NULL, 16), &bytes, &wait, err);
		if (r < 0)
			return r;
		if (wait) /* '0' follows '/' */
			(void)snprintf(name, sizeof(name), "q/%s0", product);
	}
	return r < 0 ? r : 0;
}
