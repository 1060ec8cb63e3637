/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: whose signature each type needs, and what it may say now. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/base/utc.h"
#include "lib/tuf/role.h"
#include "policies/deposit.h"
#include "policies/ledger.h"
#include "policies/publisher.h"
#include "policies/release.h"
#include "registry/documents/batch.h"
#include "registry/tree/outbox.h"
#include "registry/tree/render.h"

enum { CLOCK_SLACK_S = DAY_S }; /* how far a signer's clock may be ahead */

/* A statement, and what it is held against. */
struct claim {
	struct batch *b;
	struct item *it;
	struct statement st;
	struct product_row product;
	struct tuf_root *root;      /* the current one */
	struct deposit_row deposit; /* that it names; id "": none */
	struct envelope *deposit_doc;
	struct deposit manifest; /* of deposit_doc */
};

static void claim_clear(struct claim *c)
{
	tuf_root_free(c->root);
	deposit_clear(&c->manifest);
	envelope_free(c->deposit_doc);
}

/* --- whose signature --- */

static int count_root(struct claim *c, const struct tuf_root *root, const char *whose, bool alone,
		      struct error *err)
{
	struct role_keys keys = {0};
	int r = copy_role_keys(root, TUF_ROOT, &keys, err);

	return r < 0 ? r : item_count(c->it, &keys, whose, alone, err);
}

/* The root that it names is the current one. */
static int by_root(struct claim *c, struct error *err)
{
	if (c->st.root_version != c->root->version ||
	    strcmp(c->st.root_id, envelope_id(c->root->doc)) != 0)
		return error_set(err, E_DENIED,
				 "%s: signed.root: want the current root %" PRId64
				 " (%.12s), got %" PRId64 " (%.12s)",
				 c->it->name, c->root->version, envelope_id(c->root->doc),
				 c->st.root_version, c->st.root_id);
	return count_root(c, c->root, "the current root role", true, err);
}

/* One key of a list, by which versions are counted. */
static int by_one_of(struct claim *c, struct role_keys *keys_take, const char *whose,
		     struct error *err)
{
	uint64_t who = 0;

	keys_take->threshold = 1;
	if (envelope_count(c->it->doc, keys_take, &who) > 1) {
		role_keys_clear(keys_take);
		return error_set(err, E_INVALID, "%s: signatures: want one of %s", c->it->name,
				 whose);
	}
	for (size_t i = 0; i < keys_take->n; i++)
		if (who & (UINT64_C(1) << i))
			(void)snprintf(c->it->row.signer, sizeof(c->it->row.signer), "%s",
				       key_id(keys_take->keys[i]));
	return item_count(c->it, keys_take, whose, true, err);
}

static int load_deposit(struct claim *c, const char *id, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct document_row row;
	struct error none;
	int r = store_deposit(c->b->w->store, id, &c->deposit, &none);

	if (r == E_NOTFOUND || (r == 0 && strcmp(c->deposit.product, c->b->product) != 0))
		return error_set(err, E_NOTFOUND, "%s: signed.deposit: no deposit %.12s of %s here",
				 c->it->name, id, c->b->product);
	if (r == 0)
		r = store_document(c->b->w->store, id, &row, &bytes, &none);
	if (r == 0)
		r = envelope_parse(bytes.data, bytes.len, "deposit", &c->deposit_doc, &none);
	if (r == 0)
		r = deposit_read(c->deposit_doc, "deposit", &c->manifest, &none);
	return r < 0 ? error_set(err, r, "%s", none.text) : 0;
}

static int by_trustee(struct claim *c, struct error *err)
{
	const struct deposit_row *d = &c->deposit;
	struct role_keys keys = {0};
	const char *state = "";
	int r = load_deposit(c, c->st.deposit, err);

	if (r == 0)
		r = deposit_state(c->b->w->store, d, envelope_id(c->root->doc), &state, err);
	if (r < 0)
		return r;
	if (strcmp(state, "void") == 0)
		return error_set(
			err, E_DENIED,
			"%s: deposit %.12s is void: the product has moved to root %" PRId64,
			c->it->name, d->id, c->root->version);
	if (c->st.bridge && strcmp(c->st.bridge, d->bridge) != 0)
		return error_set(err, E_INVALID, "%s: signed.bridge: want %.12s, the deposit's",
				 c->it->name, d->bridge);
	(void)snprintf(c->it->row.deposit, sizeof(c->it->row.deposit), "%s", d->id);
	r = role_keys_parse(
		json_object_get(json_object_get(envelope_signed(c->deposit_doc), "trustees"),
				"keys"),
		NULL, 1, "signed.trustees.keys", &keys, err);
	return r < 0 ? r : by_one_of(c, &keys, "the deposit's trustees", err);
}

static int by_online(struct claim *c, struct error *err)
{
	const struct key *key = signer_key(keys_online(c->b->w->r->keys));
	struct role_keys keys = {0};
	json_t *list = json_pack("{s:O}", key_id(key), key_object(key));
	int r = list ? role_keys_parse(list, NULL, 1, "online", &keys, err) : error_nomem(err);

	json_decref(list);
	if (r == 0)
		r = load_deposit(c, c->st.deposit, err);
	if (r < 0) {
		role_keys_clear(&keys);
		return r;
	}
	(void)snprintf(c->it->row.deposit, sizeof(c->it->row.deposit), "%s", c->deposit.id);
	return item_count(c->it, &keys, "this registry's online key", true, err);
}

/* The root that `to` names: offered in this array, or waiting as a proposal. */
static int load_offered(struct claim *c, struct tuf_root **out, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct error none;
	int r = batch_find(c->b, c->st.to, &doc, &none);

	if (r == E_NOTFOUND)
		return error_set(err, E_NOTFOUND,
				 "%s: signed.to: root %.12s is not here: post it with the "
				 "signatures that it has, before",
				 c->it->name, c->st.to);
	if (r == 0)
		r = tuf_root_parse(envelope_bytes(doc)->data, envelope_bytes(doc)->len, "signed.to",
				   out, &none);
	return r < 0 ? error_set(err, r, "%s", none.text) : 0;
}

static int by_step(struct claim *c, const struct tuf_root *from, const char *whose,
		   struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *to = NULL;
	int r;

	if (strcmp(c->st.from, envelope_id(c->root->doc)) != 0)
		return error_set(err, E_DENIED, "%s: signed.from: want the current root %.12s",
				 c->it->name, envelope_id(c->root->doc));
	r = count_root(c, from, whose, true, err);
	if (r == 0 && c->st.type == ST_SUCCESSION)
		r = load_offered(c, &to, err);
	return r < 0 || !to ? r : count_root(c, to, "the next root's root role", false, err);
}

static int by_both_roots(struct claim *c, struct error *err)
{
	return by_step(c, c->root, "the current root role", err);
}

static int by_anchor(struct claim *c, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *anchor = NULL;
	struct tenure_row tenure;
	int r = store_tenure(c->b->w->store, c->b->product, c->product.tenure, &tenure, err);

	if (r == 0)
		r = load_root(c->b->w->store, c->b->product, tenure.anchor, &anchor, err);
	return r < 0 ? r : by_step(c, anchor, "the anchor's root role", err);
}

/* Rebuilders and auditors are listed by the root. */
static int by_listed(struct claim *c, struct error *err)
{
	const char *whom = c->st.type == ST_REBUILD ? "rebuilders" : "auditors";
	struct role_keys set = {0};
	char whose[64];
	int r = publisher_listed(c->root, whom, &set, err);

	(void)snprintf(whose, sizeof(whose), "the root's %s", whom);
	return r < 0 ? error_prefix(err, r, "%s", c->it->name) : by_one_of(c, &set, whose, err);
}

static int by_witnesses(struct claim *c, struct error *err)
{
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	struct role_keys keys = {0};
	int r = who ? publisher_read(c->root, "root.json", who, err) : error_nomem(err);

	if (r == 0)
		r = publisher_witness_keys(who, &keys, err);
	if (r < 0)
		return error_prefix(err, r, "%s", c->it->name);
	return item_count(c->it, &keys, "the root's witnesses", true, err);
}

static int by_registry_root(struct claim *c, struct error *err)
{
	return error_set(err, E_DENIED, "%s: is made by the registry itself", c->it->name);
}

/* The authority of every statement, in one place; roots and targets have judges of their own. */
static int (*const authority[])(struct claim *c, struct error *err) = {
	[BY_ROOT] = by_root,           [BY_TRUSTEE] = by_trustee,
	[BY_ONLINE] = by_online,       [BY_BOTH_ROOTS] = by_both_roots,
	[BY_ANCHOR] = by_anchor,       [BY_LISTED] = by_listed,
	[BY_WITNESSES] = by_witnesses, [BY_REGISTRY_ROOT] = by_registry_root,
};

/* --- what it may say --- */

static int check_version(struct claim *c, struct error *err)
{
	struct document_row last = c->it->row;
	struct error none;
	int64_t version = envelope_version(c->it->doc);
	int r;

	(void)snprintf(last.product, sizeof(last.product), "%s", c->b->product);
	(void)snprintf(last.type, sizeof(last.type), "%s", envelope_type(c->it->doc));
	r = store_document_latest(c->b->w->store, &last, NULL, &none);
	if (r == E_NOTFOUND)
		return 0;
	if (r < 0)
		return error_set(err, r, "%s", none.text);
	if (version > last.version)
		return 0;
	if (version == last.version)
		return error_set(err, E_EXISTS, "%s: another document has this version",
				 c->it->name);
	return error_set(err, E_DENIED,
			 "%s: signed.version: want more than %" PRId64 ", got %" PRId64,
			 c->it->name, last.version, version);
}

/* Nobody may say so much that the others' words cannot be read any more (policies/ledger.h). */
static int check_words(struct claim *c, struct error *err)
{
	static const int64_t most[ST_TYPES] = {
		[ST_HEARTBEAT] = LEDGER_HEARTBEATS, [ST_PRODUCT] = LEDGER_VENDOR_WORDS,
		[ST_EOL] = LEDGER_VENDOR_WORDS,     [ST_OBJECTION] = LEDGER_VENDOR_WORDS,
		[ST_NOTICE] = LEDGER_SEAT_WORDS,    [ST_APPROVAL] = LEDGER_SEAT_WORDS,
		[ST_REFUSAL] = LEDGER_SEAT_WORDS,
	};
	const struct document_row *row = &c->it->row;
	struct store *store = c->b->w->store;
	int64_t limit = most[c->st.type], n = 0;
	int r = 0;

	if (!limit)
		return 0;
	if (statement_signer(c->st.type) == BY_TRUSTEE)
		r = store_signer_count(store, row->deposit, row->signer, &n, err);
	else
		r = store_type_count(store, c->b->product, envelope_type(c->it->doc),
				     envelope_id(c->root->doc), &n, err);
	if (r == 0 && n >= limit)
		r = error_set(err, E_DENIED,
			      "%s: %" PRId64 " such statements are in the log: as many as count",
			      c->it->name, n);
	return r;
}

static int check_rival(void *ctx, const struct deposit_row *row, struct error *err)
{
	const struct claim *c = ctx;
	struct claim other = {.b = c->b, .it = c->it};
	int r = load_deposit(&other, row->id, err);
	const char *what = r == 0 ? deposit_differs(other.deposit_doc, c->it->doc) : NULL;

	if (what)
		r = error_set(err, E_DENIED,
			      "%s: signed.%s: differs from deposit %.12s on the same root: that "
			      "takes a new root first",
			      c->it->name, what, row->id);
	claim_clear(&other);
	return r;
}

static int want_files(struct claim *c, const struct deposit *d, struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	const char *id = envelope_id(c->it->doc);
	int r = buf_printf(&path, err, "p/%s/deposits/%s/deposit.json", c->b->product, id);

	if (r == 0)
		r = outbox_put(c->b->w, STAGE_FILES, path.data, envelope_bytes(c->it->doc), err);
	for (size_t i = 0; r == 0 && i < d->nfiles; i++) {
		path.len = 0;
		r = buf_printf(&path, err, "p/%s/deposits/%s/%s", c->b->product, id,
			       d->files[i].path);
		if (r == 0)
			r = batch_blob(c->b, path.data, d->files[i].sha256, d->files[i].size, err);
		if (r < 0)
			r = error_prefix(err, r, "%s: signed.files[%zu]", c->it->name, i);
	}
	return r;
}

static int judge_deposit(struct claim *c, struct error *err)
{
	struct deposit_row row = {0};
	struct deposit d = {0};
	int r = deposit_read(c->it->doc, c->it->name, &d, err);

	if (r == 0 && (d.follows_version != c->root->version ||
		       strcmp(d.follows_id, envelope_id(c->root->doc)) != 0))
		r = error_set(err, E_DENIED,
			      "%s: signed.follows_root: want the current root %" PRId64 " (%.12s)",
			      c->it->name, c->root->version, envelope_id(c->root->doc));
	if (r == 0)
		r = store_deposits(c->b->w->store, c->b->product, d.follows_id, check_rival, c,
				   err);
	if (r == 0)
		r = want_files(c, &d, err);
	if (r == 0) {
		memcpy(row.id, envelope_id(c->it->doc), sizeof(row.id));
		(void)snprintf(row.product, sizeof(row.product), "%s", c->b->product);
		(void)snprintf(row.follows, sizeof(row.follows), "%s", d.follows_id);
		(void)snprintf(row.bridge, sizeof(row.bridge), "%s", d.bridge);
	}
	deposit_clear(&d);
	if (r == 0)
		r = batch_accept(c->b, c->it, err);
	return r < 0 ? r : store_deposit_add(c->b->w->store, &row, err);
}

static int find_bridge(void *ctx, const struct deposit_row *row, struct error *err)
{
	const char **bridge = ctx;

	(void)err;
	return strcmp(row->bridge, *bridge) == 0 ? 1 : 0;
}

/*
 * A final one names the current root and the bridge that the world may expect. What
 * is final stays so: the latest one tells which roots may follow (roots.c).
 */
static int judge_eol(struct claim *c, struct error *err)
{
	const char *bridge = c->st.final_bridge;
	char declared[SHA256_HEX_SIZE];
	int r = batch_final_bridge(c->b, envelope_id(c->root->doc), declared, err);

	if (r == 0 && declared[0] && (!bridge || strcmp(bridge, declared) != 0))
		return error_set(err, E_DENIED,
				 "%s: signed.final: want bridge %.12s, as the one before: a final "
				 "end of life cannot be taken back",
				 c->it->name, declared);
	if (r < 0 || !bridge)
		return r < 0 ? r : batch_accept(c->b, c->it, err);
	if (strcmp(c->st.final_root, envelope_id(c->root->doc)) != 0)
		return error_set(err, E_DENIED,
				 "%s: signed.final.root: want the current root %.12s", c->it->name,
				 envelope_id(c->root->doc));
	r = store_deposits(c->b->w->store, c->b->product, c->st.final_root, find_bridge, &bridge,
			   err);
	if (r == 0)
		return error_set(err, E_DENIED,
				 "%s: signed.final.bridge: no accepted deposit has bridge %.12s",
				 c->it->name, bridge);
	return r < 0 ? r : batch_accept(c->b, c->it, err);
}

/* May a statement of this type be for one of that type? */
static bool is_target(enum statement_type type, enum statement_type target)
{
	if (target == ST_NOTICE)
		return true;
	return target == (type == ST_OBJECTION ? ST_ROTATION : ST_EOL);
}

/* What an approval, refusal or objection is for is here, and about the same deposit. */
static int check_target(struct claim *c, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct statement target = {0};
	struct error none;
	const char *about;
	int r = batch_find(c->b, c->st.target, &doc, &none);

	if (r == 0)
		r = statement_read(doc, "target", &target, &none);
	if (r == E_NOTFOUND || r == E_INVALID ||
	    (r == 0 &&
	     (strcmp(target.product, c->b->product) != 0 || !is_target(c->st.type, target.type))))
		return error_set(err, E_NOTFOUND, "%s: names no notice%s of %s: %.12s", c->it->name,
				 c->st.type == ST_OBJECTION ? " or rotation" : " or eol",
				 c->b->product, c->st.target);
	if (r < 0)
		return error_set(err, r, "%s", none.text);
	if (c->st.type == ST_OBJECTION) {
		if (target.deposit)
			(void)snprintf(c->it->row.deposit, sizeof(c->it->row.deposit), "%s",
				       target.deposit);
		return 0;
	}
	about = target.type == ST_NOTICE ? target.bridge : target.final_bridge;
	if (!about || !c->st.bridge || strcmp(about, c->st.bridge) != 0)
		return error_set(err, E_DENIED, "%s: the %s %.12s is about another bridge",
				 c->it->name, statement_name(target.type), c->st.target);
	return 0;
}

static int judge_answer(struct claim *c, struct error *err)
{
	int r = check_target(c, err);

	return r < 0 ? r : batch_accept(c->b, c->it, err);
}

static int collect_text(void *ctx, const char *text, struct error *err)
{
	return json_array_append_new(ctx, json_string(text)) < 0 ? error_nomem(err) : 0;
}

/* The product's hardware ids are those of its latest product statement. */
static int judge_product(struct claim *c, struct error *err)
{
	const json_t *hardware = json_object_get(envelope_signed(c->it->doc), "hardware"), *id;
	CLEANUP(json_decrefp) json_t *changed = json_array();
	struct store *store = c->b->w->store;
	size_t i;
	int r = batch_accept(c->b, c->it, err);

	if (r == 0)
		r = store_hardware_ids(store, c->b->product, collect_text, changed, err);
	if (r == 0)
		r = store_hardware_clear(store, c->b->product, err);
	json_array_foreach(hardware, i, id)
	{
		if (r == 0)
			r = store_hardware_add(store, c->b->product, json_string_value(id), err);
		if (r == 0)
			r = collect_text(changed, json_string_value(id), err);
	}
	return r < 0 ? r : render_hardware(c->b->w, changed, err);
}

static int judge_release(struct claim *c, struct error *err)
{
	int r;

	if (c->deposit.release[0])
		return error_set(err, E_EXISTS, "%s: deposit %.12s has its release", c->it->name,
				 c->deposit.id);
	r = batch_accept(c->b, c->it, err);
	return r < 0 ? r
		     : store_deposit_release(c->b->w->store, c->deposit.id, envelope_id(c->it->doc),
					     err);
}

static int judge_type(struct claim *c, struct error *err)
{
	switch (c->st.type) {
	case ST_DEPOSIT: return judge_deposit(c, err);
	case ST_EOL: return judge_eol(c, err);
	case ST_APPROVAL:
	case ST_REFUSAL:
	case ST_OBJECTION: return judge_answer(c, err);
	case ST_PRODUCT: return judge_product(c, err);
	case ST_RELEASE: return judge_release(c, err);
	default: return batch_accept(c->b, c->it, err);
	}
}

static int put_file(struct claim *c, struct error *err)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "p/%s/statements/%s.json", c->b->product,
		       envelope_id(c->it->doc));
	return outbox_put(c->b->w, STAGE_FILES, path, envelope_bytes(c->it->doc), err);
}

int judge_statement(struct batch *b, struct item *it, struct error *err)
{
	CLEANUP(claim_clear) struct claim c = {.b = b, .it = it};
	int r = statement_read(it->doc, it->name, &c.st, err);

	if (r < 0)
		return r;
	if (statement_signer(c.st.type) == BY_REGISTRY_ROOT)
		return by_registry_root(&c, err);
	if (c.st.issued > b->w->now + CLOCK_SLACK_S)
		return error_set(err, E_INVALID, "%s: signed.issued: lies in the future", it->name);
	if ((c.st.type == ST_NOTICE || c.st.type == ST_APPROVAL) &&
	    c.st.issued < b->w->now - (int64_t)DATED_LATE_DAYS * DAY_S)
		return error_set(err, E_INVALID,
				 "%s: signed.issued: want one of the last %d days, for periods "
				 "are counted from it: make and sign it anew",
				 it->name, DATED_LATE_DAYS);
	r = store_product(b->w->store, b->product, &c.product, err);
	if (r == 0)
		r = load_root(b->w->store, b->product, c.product.root, &c.root, err);
	if (r < 0)
		return error_prefix(err, r, "%s: %s", it->name, b->product);
	it->row.issued = c.st.issued;
	r = authority[statement_signer(c.st.type)](&c, err);
	if (r == 0)
		r = check_version(&c, err);
	if (r == 0)
		r = check_words(&c, err);
	if (r == 0)
		r = judge_type(&c, err);
	return r < 0 ? r : put_file(&c, err);
}
