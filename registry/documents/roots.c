/* SPDX-License-Identifier: Apache-2.0 */
/* Which root may become a product's first, or next. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/json/strict.h"
#include "lib/tuf/role.h"
#include "policies/evidence.h"
#include "policies/publisher.h"
#include "registry/documents/batch.h"

enum { ROTATION_WAIT_DAYS = 30, SUCCESSION_WAIT_DAYS = 14, WHY_MAX = 300 };

/* What a root is held against. */
struct step {
	struct batch *b;
	struct item *it;
	struct product_row product;
	struct tenure_row tenure;   /* the current one */
	struct tuf_root *from;      /* the current root; NULL: there is none */
	struct tuf_root *to;        /* the offered one */
	struct publisher publisher; /* of `to` */
	bool bridge;                /* `to` is the bridge of a released deposit */
	bool rotation;              /* the publisher re-keyed itself by a logged rotation */
	bool offered;               /* not signed by all yet, so what carries it comes later */
};

static void step_clear(struct step *s)
{
	tuf_root_free(s->from);
	tuf_root_free(s->to);
}

static int count(struct item *it, const struct tuf_root *root, const char *whose, bool alone,
		 struct error *err)
{
	struct role_keys keys = {0};
	int r = copy_role_keys(root, TUF_ROOT, &keys, err);

	return r < 0 ? r : item_count(it, &keys, whose, alone, err);
}

/* The online roles must list this registry's key, alone enough, or nothing could be kept fresh. */
static int check_online(const struct step *s, const struct key_use *use, struct error *err)
{
	static const enum tuf_type online[] = {TUF_TIMESTAMP, TUF_SNAPSHOT};

	for (size_t i = 0; i < ARRAY_LEN(online); i++) {
		const struct role_keys *role = &s->to->role[online[i]];
		const char *name = tuf_type_name(online[i]);
		CLEANUP(signer_freep) struct signer *signer = NULL;
		int r = keys_product(s->b->w->r->keys, use, name, &signer, err);

		if (r < 0)
			return r;
		if (!role_keys_has(role, signer_key(signer)))
			return error_set(err, E_INVALID,
					 "%s: signed.roles.%s: lists no key of this registry for "
					 "publisher %s; ask POST /v1/products/%s/online-keys",
					 s->it->name, name, use->publisher, use->product);
		if (role->threshold != 1)
			return error_set(err, E_INVALID,
					 "%s: signed.roles.%s.threshold: want 1, got %" PRId64,
					 s->it->name, name, role->threshold);
	}
	return 0;
}

/* A role that names keys which nobody lists, or more than it has, could never be used. */
static int check_keyids(const struct step *s, enum tuf_type type, struct error *err)
{
	const json_t *body = envelope_signed(s->to->doc), *keys = json_object_get(body, "keys");
	const char *name = tuf_type_name(type);
	const json_t *ids =
		json_object_get(json_object_get(json_object_get(body, "roles"), name), "keyids");
	size_t n = json_array_size(ids);

	for (size_t i = 0; i < n; i++)
		if (!json_object_get(keys, json_string_value(json_array_get(ids, i))))
			return error_set(err, E_INVALID,
					 "%s: signed.roles.%s.keyids[%zu]: is not in signed.keys",
					 s->it->name, name, i);
	if (s->to->role[type].threshold > (int64_t)n)
		return error_set(err, E_INVALID,
				 "%s: signed.roles.%s.threshold: want 1 to %zu, got %" PRId64,
				 s->it->name, name, n, s->to->role[type].threshold);
	return 0;
}

/* Versions start again at 1, so nothing that an earlier online key signed may still count. */
static int check_fresh(const struct step *s, struct error *err)
{
	static const enum tuf_type online[] = {TUF_TIMESTAMP, TUF_SNAPSHOT};

	for (int64_t v = 1; v <= s->from->version; v++) {
		CLEANUP(tuf_root_freep) struct tuf_root *old = NULL;
		int r = load_root(s->b->w->store, s->b->product, v, &old, err);

		if (r < 0)
			return r;
		for (size_t i = 0; i < ARRAY_LEN(online) * ARRAY_LEN(online); i++) {
			enum tuf_type is = online[i / ARRAY_LEN(online)];
			const struct role_keys *was = &old->role[online[i % ARRAY_LEN(online)]];

			for (size_t k = 0; k < was->n; k++)
				if (role_keys_has(&s->to->role[is], was->keys[k]))
					return error_set(err, E_INVALID,
							 "%s: signed.roles.%s: lists an online key "
							 "of root %" PRId64
							 ": another publisher needs new ones",
							 s->it->name, tuf_type_name(is), v);
		}
	}
	return 0;
}

/* What every root of a product must be. */
static int check_form(struct step *s, struct error *err)
{
	int r = publisher_read(s->to, s->it->name, &s->publisher, err);

	if (r < 0)
		return r;
	if (strlen(s->publisher.id) >= PRODUCT_SIZE)
		return error_set(err, E_INVALID,
				 "%s: signed.x-bequest.publisher.id: want at most %d bytes",
				 s->it->name, PRODUCT_SIZE - 1);
	if (!s->to->consistent_snapshot)
		return error_set(err, E_INVALID, "%s: signed.consistent_snapshot: want true",
				 s->it->name);
	for (int t = TUF_ROOT; r == 0 && t < TUF_TYPES; t++)
		r = check_keyids(s, (enum tuf_type)t, err);
	return r;
}

static int accept(struct step *s, int64_t tenure, struct error *err)
{
	struct batch *b = s->b;
	int r;

	(void)snprintf(s->it->row.role, sizeof(s->it->row.role), "root");
	s->it->row.issued = b->w->now;
	r = batch_accept(b, s->it, err);
	if (r == 0)
		r = store_product_root(b->w->store, b->product, s->to->version, tenure, err);
	if (r < 0)
		return r;
	if (!b->first_root)
		b->first_root = s->to->version;
	b->last_root = s->to->version;
	b->bridge_open = s->bridge;
	return 0;
}

static int begin_tenure(struct step *s, struct error *err)
{
	struct tenure_row t = {
		.n = s->product.tenure + 1, .first_root = s->to->version, .anchor = s->to->version};
	struct store *store = s->b->w->store;
	int r;

	(void)snprintf(t.product, sizeof(t.product), "%s", s->b->product);
	(void)snprintf(t.publisher, sizeof(t.publisher), "%s", s->publisher.id);
	r = store_tenure_count(store, t.product, t.publisher, &t.epoch, err);
	if (r == 0)
		r = store_tenure_add(store, &t, err);
	if (r == 0 && s->product.tenure) {
		r = store_tenure_end(store, t.product, s->product.tenure, s->from->version, err);
		s->b->ended = s->product.tenure;
	}
	return r < 0 ? r : accept(s, t.n, err);
}

/* --- the first root --- */

static int judge_first(struct step *s, struct error *err)
{
	struct key_use use = {s->b->product, s->publisher.id, 0};
	int r;

	if (s->to->version != 1)
		return error_set(err, E_INVALID, "%s: signed.version: want 1 for a new product",
				 s->it->name);
	if (s->publisher.bridge)
		return error_set(err, E_INVALID,
				 "%s: signed.x-bequest.bridge: a first root is none", s->it->name);
	if (!s->product.id[0] && !s->b->w->r->config.open_admission)
		return error_set(err, E_DENIED,
				 "%s: waiting for admission: the operator has to run "
				 "bequest-registry admit %s",
				 s->it->name, s->b->product);
	r = count(s->it, s->to, "its own root role", true, err);
	if (r == 0)
		r = check_online(s, &use, err);
	if (r == 0)
		r = store_product_add(s->b->w->store, s->b->product, s->b->w->now, err);
	return r < 0 ? r : begin_tenure(s, err);
}

/* --- the next root --- */

/* TUF 5.3: version N + 1, signed under N and under itself. */
static int check_step(struct step *s, struct error *err)
{
	int r;

	if (s->to->version <= s->from->version)
		return error_set(err, E_EXISTS, "%s: another document has this version",
				 s->it->name);
	if (s->to->version != s->from->version + 1)
		return error_set(err, E_INVALID,
				 "%s: signed.version: want %" PRId64 ", got %" PRId64, s->it->name,
				 s->from->version + 1, s->to->version);
	r = count(s->it, s->from, "the current root role", true, err);
	return r < 0 ? r : count(s->it, s->to, "its own root role", false, err);
}

struct bridges {
	struct step *s;
	char deposit[SHA256_HEX_SIZE];  /* one whose bridge is the offered root; "" */
	char why[WHY_MAX];              /* that one is not released */
	char released[SHA256_HEX_SIZE]; /* bridge of a released one; "" */
};

/* What a person needs to know of the tree of a decision. */
static void why_text(const json_t *why, char out[WHY_MAX])
{
	CLEANUP(buf_clear) struct buf text = {0};
	struct error none;

	out[0] = '\0';
	if (why && policy_lacking(why, &text, &none) == 0)
		(void)snprintf(out, WHY_MAX, "%s", text.data ? text.data : "");
}

/* One deposit may be refreshed after another with the same bridge was released. */
static int try_bridge(void *ctx, const struct deposit_row *row, struct error *err)
{
	struct bridges *x = ctx;
	struct step *s = x->s;
	CLEANUP(evidence_clear) struct evidence found = {0};
	int r;

	if (s->bridge || strcmp(row->bridge, envelope_id(s->it->doc)) != 0)
		return 0;
	memcpy(x->deposit, row->id, sizeof(x->deposit));
	r = work_evidence(s->b->w, s->b->product, s->from, row->id, &found, err);
	if (r < 0)
		return error_prefix(err, r, "%s", s->it->name);
	s->bridge = found.released == ANSWER_YES;
	why_text(found.why, x->why);
	return 0;
}

/* Older roots, whose keys a vendor that returns must not have. */
struct earlier {
	struct tuf_root **roots; /* owned */
	size_t n;
};

static void earlier_clear(struct earlier *e)
{
	for (size_t i = 0; i < e->n; i++)
		tuf_root_free(e->roots[i]);
	free(e->roots);
}

static int load_earlier(const struct step *s, struct earlier *out, struct error *err)
{
	out->roots = calloc((size_t)s->from->version, sizeof(struct tuf_root *));
	if (!out->roots)
		return error_nomem(err);
	for (int64_t v = 1; v < s->from->version; v++) {
		int r = load_root(s->b->w->store, s->b->product, v, &out->roots[out->n], err);

		if (r < 0)
			return r;
		out->n++;
	}
	return 0;
}

/* What the log says of this step; nothing that carries it leaves *out without `by`. */
static int find_statement(const struct step *s, struct evidence *out, struct error *err)
{
	CLEANUP(earlier_clear) struct earlier old = {0};
	CLEANUP(tuf_root_freep) struct tuf_root *anchor = NULL;
	int r = load_earlier(s, &old, err);

	if (r == 0)
		r = load_root(s->b->w->store, s->b->product, s->tenure.anchor, &anchor, err);
	if (r < 0)
		return r;
	const struct evidence_query q = {.product = s->b->product,
					 .from = s->from,
					 .to = s->to,
					 .anchor = anchor,
					 .earlier = (const struct tuf_root *const *)old.roots,
					 .nearlier = old.n};
	r = work_step(s->b->w, &q, out, err);
	if (r == E_UNTRUSTED) /* everything in our own log was signed as it has to be */
		r = err->code = E_DENIED;
	return r < 0 ? error_prefix(err, r, "%s", s->it->name) : 0;
}

/*
 * Has it waited? By the witnesses that devices go by, where the root names any: else it would
 * be in the log before a device may follow it.
 */
static int check_waited(const struct step *s, const struct evidence *e, struct error *err)
{
	bool succession = strcmp(e->by, statement_name(ST_SUCCESSION)) == 0;
	int days = succession ? SUCCESSION_WAIT_DAYS : ROTATION_WAIT_DAYS;
	const char *id = json_string_value(json_array_get(e->used, 0));
	const struct fact_value objection = facts_get(e->facts, fact_find("objection"));
	CLEANUP(freep) struct publisher *from = calloc(1, sizeof(*from));
	struct document_row row;
	struct error none;
	int r = from ? publisher_read(s->from, "root.json", from, err) : error_nomem(err);

	if (r < 0 || e->released == ANSWER_YES)
		return r;
	if (!succession && objection.flag)
		return error_set(err, E_DENIED, "%s: its %s was objected to", s->it->name, e->by);
	r = store_document(s->b->w->store, id, &row, NULL, &none);
	if (r < 0)
		return error_set(err, r, "%s", none.text);
	if (from->witness_threshold == 0 && s->b->w->now - row.received >= (int64_t)days * DAY_S)
		return 0;
	return error_set(err, E_NOTYET, "%s: its %s has to be in the log for %d %sdays",
			 s->it->name, e->by, days, from->witness_threshold ? "witnessed " : "");
}

/* What stewards still sign may be what a succession, which names it, is about to be made for. */
static int note_offer(struct step *s, struct error *err)
{
	CLEANUP(freep) struct publisher *from = calloc(1, sizeof(*from));
	int r = from ? publisher_read(s->from, "root.json", from, err) : error_nomem(err);

	s->offered = r == 0 && from->kind == PUBLISHER_STEWARDS && s->it->state == ITEM_PROPOSAL;
	return r;
}

/*
 * A step that hands the product to somebody else: the bridge of a released
 * deposit; after the first handover, one by a succession; or a publisher that
 * re-keys itself by a rotation.
 */
static int check_change(struct step *s, unsigned change, struct error *err)
{
	CLEANUP(buf_clear) struct buf what = {0};
	CLEANUP(evidence_clear) struct evidence found = {0};
	struct bridges x = {.s = s};
	int r = store_deposits(s->b->w->store, s->b->product, envelope_id(s->from->doc), try_bridge,
			       &x, err);

	if (r < 0 || s->bridge)
		return r;
	if (x.deposit[0])
		return error_set(err, E_DENIED,
				 "%s: is the bridge of deposit %.12s, which is not released: %s",
				 s->it->name, x.deposit, x.why);
	r = note_offer(s, err);
	if (r == 0 && !s->offered)
		r = find_statement(s, &found, err);
	if (r < 0 || s->offered)
		return r;
	if (found.by) {
		s->rotation = strcmp(found.by, statement_name(ST_ROTATION)) == 0;
		return check_waited(s, &found, err);
	}
	r = publisher_change_text(change, &what, err);
	if (r < 0)
		return r;
	return error_set(err, E_DENIED,
			 "%s: changes the publisher (%s): only the bridge of an accepted, released "
			 "deposit may",
			 s->it->name, what.data);
}

static int note_released(void *ctx, const struct deposit_row *row, struct error *err)
{
	struct bridges *x = ctx;
	CLEANUP(evidence_clear) struct evidence found = {0};
	int64_t approvals = 0;
	int r = store_deposit_count(x->s->b->w->store, row->id, "approval", &approvals, err);

	if (r < 0 || approvals == 0)
		return r;
	r = work_evidence(x->s->b->w, x->s->b->product, x->s->from, row->id, &found, err);
	if (r == 0 && found.released == ANSWER_YES)
		memcpy(x->released, row->bridge, sizeof(x->released));
	return r;
}

/* Once the end is declared or the release complete, the publisher cannot walk away from it. */
static int check_not_ended(struct step *s, struct error *err)
{
	struct bridges x = {.s = s};
	int r = batch_final_bridge(s->b, envelope_id(s->from->doc), x.released, err);

	if (r == 0 && !x.released[0])
		r = store_deposits(s->b->w->store, s->b->product, envelope_id(s->from->doc),
				   note_released, &x, err);
	if (r < 0 || !x.released[0])
		return r;
	return error_set(err, E_DENIED,
			 "%s: the product has ended: the next root can only be its bridge %.12s",
			 s->it->name, x.released);
}

static int change_of(struct step *s, unsigned *out, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *anchor = NULL;
	int r = load_root(s->b->w->store, s->b->product, s->tenure.anchor, &anchor, err);

	return r < 0 ? r : publisher_compare(anchor, s->from, s->to, out, err);
}

/* A root that stays with the publisher; or its first own one after the bridge. */
static int take_same(struct step *s, struct error *err)
{
	struct key_use use = {s->b->product, s->tenure.publisher, s->tenure.epoch};
	int r;

	if (s->publisher.bridge)
		return error_set(err, E_INVALID,
				 "%s: signed.x-bequest.bridge: a bridge changes the publisher",
				 s->it->name);
	/* Behind a bridge the end is over. */
	r = s->b->bridge_open ? check_fresh(s, err) : check_not_ended(s, err);
	if (r == 0)
		r = check_online(s, &use, err);
	if (r == 0 && s->rotation)
		r = store_tenure_anchor(s->b->w->store, s->b->product, s->tenure.n, s->to->version,
					err);
	return r < 0 ? r : accept(s, s->product.tenure, err);
}

static int take_change(struct step *s, unsigned change, struct error *err)
{
	struct key_use use = {s->b->product, s->publisher.id, 0};
	int r = check_change(s, change, err);

	if (r < 0 || s->offered)
		return r;
	if (s->rotation)
		return take_same(s, err);
	if (s->publisher.bridge && !s->bridge)
		return error_set(err, E_INVALID,
				 "%s: signed.x-bequest.bridge: it is the bridge of no deposit",
				 s->it->name);
	r = check_fresh(s, err);
	/* A bridge lists throw-away keys: only the root after it has real ones. */
	if (r == 0 && !s->bridge) {
		r = store_tenure_count(s->b->w->store, s->b->product, use.publisher, &use.epoch,
				       err);
		if (r == 0)
			r = check_online(s, &use, err);
	}
	return r < 0 ? r : begin_tenure(s, err);
}

static int judge_next(struct step *s, struct error *err)
{
	unsigned change = 0;
	int r = load_root(s->b->w->store, s->b->product, s->product.root, &s->from, err);

	if (r == 0)
		r = store_tenure(s->b->w->store, s->b->product, s->product.tenure, &s->tenure, err);
	if (r == 0)
		r = check_step(s, err);
	if (r == 0)
		r = change_of(s, &change, err);
	if (r < 0)
		return r;
	return change ? take_change(s, change, err) : take_same(s, err);
}

int judge_root(struct batch *b, struct item *it, struct error *err)
{
	CLEANUP(step_clear) struct step s = {.b = b, .it = it};
	const struct buf *bytes = envelope_bytes(it->doc);
	struct error none;
	int r = tuf_root_parse(bytes->data, bytes->len, it->name, &s.to, err);

	if (r == 0)
		r = check_form(&s, err);
	if (r < 0)
		return r;
	r = store_product(b->w->store, b->product, &s.product, &none);
	if (r < 0 && r != E_NOTFOUND)
		return error_set(err, r, "%s", none.text);
	if (r == E_NOTFOUND)
		s.product = (struct product_row){0};
	return s.product.root ? judge_next(&s, err) : judge_first(&s, err);
}
