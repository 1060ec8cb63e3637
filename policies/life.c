/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/life.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/tuf/client.h"
#include "lib/tuf/delegation.h"

enum {
	FIRST_ROOM = 16,
	DEPTH_MAX = 4, /* of delegations below the targets role */
};

static bool is_update(const struct leaf *leaf)
{
	return strcmp(leaf->kind, "targets") == 0;
}

int life_list(struct ledger *h, struct error *err)
{
	size_t room = 0;

	for (size_t i = h->begin; i < h->end; i++) {
		const struct leaf *leaf = &h->chain->leaves[i];

		if (ledger_repeated(h, leaf) ||
		    (!is_update(leaf) && strcmp(leaf->kind, statement_name(ST_HEARTBEAT)) != 0))
			continue;
		if (h->nlife == room) {
			size_t more = room ? room * 2 : FIRST_ROOM;
			struct sign_of_life *p = realloc(h->life, more * sizeof(*p));

			if (!p)
				return error_nomem(err);
			h->life = p;
			room = more;
		}
		h->life[h->nlife++] =
			(struct sign_of_life){.leaf = leaf, .update = is_update(leaf)};
	}
	return 0;
}

/* --- updates ------------------------------------------------------------------------- */

static bool is_top(const struct leaf *leaf)
{
	return strcmp(leaf->role, "targets") == 0;
}

/* The very bytes that were logged, if they are at this path. */
static int read_logged(struct ledger *h, const struct leaf *leaf, const char *path, struct buf *out,
		       bool *had, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	char digest[SHA256_HEX_SIZE];
	int r = ledger_file(h, path, TUF_TARGETS_MAX, &bytes, err);

	if (r != 0)
		return r < 0 ? r : 0;
	sha256_hex(bytes.data, bytes.len, digest);
	*had = strcmp(digest, leaf->sha256) == 0;
	return *had ? buf_add(out, bytes.data, bytes.len, err) : 0;
}

/* Where a mirror has the targets of this leaf; or, `held`, has kept them for those of root N. */
static int name_targets(const struct ledger *h, const struct leaf *leaf, bool held, struct buf *out,
			struct error *err)
{
	CLEANUP(freep) char *quoted = NULL;
	int r = tuf_quote(leaf->role, false, &quoted, err);

	if (r == 0 && held)
		r = buf_printf(out, err, "metadata/held/%" PRId64 "/", h->query->from->version);
	else if (r == 0)
		r = buf_puts(out, "metadata/", err);
	if (r < 0)
		return r;
	/* An own tree is files, not URLs. */
	return buf_printf(out, err, "%" PRId64 ".%s.json", leaf->version,
			  h->source->own ? leaf->role : quoted);
}

/*
 * The targets of this leaf: *doc stays NULL if they are not served (*had is false), or are no
 * targets. Another publisher's file of the same name may have taken their place.
 */
static int read_targets(struct ledger *h, const struct leaf *leaf, struct envelope **doc, bool *had,
			struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct error why;
	int r = 0;

	*had = false;
	if (h->updates++ >= LIFE_UPDATES_MAX)
		return 0;
	for (int held = 0; r == 0 && held < 2 && !*had; held++) {
		CLEANUP(buf_clear) struct buf path = {0};

		r = name_targets(h, leaf, held, &path, err);
		if (r == 0)
			r = read_logged(h, leaf, path.data, &bytes, had, err);
	}
	if (r < 0 || !*had)
		return r;
	r = envelope_parse(bytes.data, bytes.len, "targets", doc, &why);
	return r == E_NOMEM ? error_nomem(err) : 0;
}

/* Is it what its leaf says, of this product? */
static bool matches(const struct ledger *h, const struct leaf *leaf, const struct envelope *doc)
{
	const char *product = json_string_value(json_object_get(envelope_signed(doc), "product"));

	return strcmp(envelope_id(doc), leaf->id) == 0 &&
	       strcmp(envelope_type(doc), leaf->kind) == 0 &&
	       envelope_version(doc) == leaf->version && product &&
	       strcmp(product, h->query->product) == 0;
}

/* Does `parent` give this role keys that signed `doc`? Sets *yes. */
static int delegates(const struct envelope *parent, const char *role, const struct envelope *doc,
		     bool *yes, struct error *err)
{
	CLEANUP(delegations_freep) struct delegation *list = NULL;
	json_t *object = json_object_get(envelope_signed(parent), "delegations");
	struct error why;
	int r = object ? delegations_check(object, &why) : E_NOTFOUND;

	if (r == 0)
		r = delegations_for(object, NULL, &list, &why);
	for (const struct delegation *d = list; r == 0 && d && !*yes; d = d->next) {
		CLEANUP(role_keys_clear) struct role_keys keys = {0};

		if (strcmp(d->name, role) != 0)
			continue;
		r = delegation_keys(d, &keys, &why);
		if (r == 0)
			r = envelope_verify(doc, &keys, role, &why);
		*yes = r == 0;
		r = r == E_NOMEM ? r : 0;
	}
	return r == E_NOMEM ? error_nomem(err) : 0;
}

/* What is found out of an update. */
enum worth { NOTHING, GENUINE, UNKNOWN };

/* Whose word an update is. */
struct question {
	struct ledger *h;
	const struct leaf *leaf;
	const struct envelope *doc;
	int depth; /* of delegations so far */
};

static int weigh(const struct question *q, enum worth *out, struct error *err);

/* Is the leaf `parent` one that delegates to the role, with keys that signed, and is genuine? */
static int weigh_parent(const struct question *q, const struct leaf *parent, enum worth *out,
			struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	bool had, yes = false;
	int r = read_targets(q->h, parent, &doc, &had, err);

	*out = had ? NOTHING : UNKNOWN;
	if (r < 0 || !doc || !matches(q->h, parent, doc))
		return r;
	r = delegates(doc, q->leaf->role, q->doc, &yes, err);
	if (r < 0 || !yes)
		return r;
	const struct question above = {q->h, parent, doc, q->depth + 1};
	return weigh(&above, out, err);
}

/*
 * Go back through the leaves that may be the parent: those of the targets role, or all others.
 * One that is logged after the child is the later sign of life itself.
 */
static int find_parent(const struct question *q, bool top, enum worth *out, struct error *err)
{
	const struct leaf_chain *c = q->h->chain;
	int r = 0;

	for (size_t i = (size_t)(q->leaf - c->leaves); r == 0 && *out != GENUINE && i-- > 0;) {
		const struct leaf *leaf = &c->leaves[i];
		enum worth worth = NOTHING;

		if (!is_update(leaf) || is_top(leaf) != top || ledger_repeated(q->h, leaf) ||
		    strcmp(leaf->role, q->leaf->role) == 0)
			continue;
		r = weigh_parent(q, leaf, &worth, err);
		if (worth == GENUINE || ledger_thinned(q->h, i))
			*out = worth == GENUINE ? GENUINE : UNKNOWN;
		else if (worth == UNKNOWN)
			*out = UNKNOWN;
		if (q->h->updates >= LIFE_UPDATES_MAX && *out != GENUINE) {
			*out = UNKNOWN;
			return r;
		}
	}
	return r;
}

static int weigh(const struct question *q, enum worth *out, struct error *err)
{
	struct error why;

	*out = NOTHING;
	if (is_top(q->leaf)) {
		int r = envelope_verify(q->doc, &q->h->query->from->role[TUF_TARGETS],
					"the targets role", &why);

		*out = r == 0 ? GENUINE : NOTHING;
		return r == E_NOMEM ? error_nomem(err) : 0;
	}
	if (q->depth == DEPTH_MAX) {
		*out = UNKNOWN;
		return 0;
	}
	int r = find_parent(q, true, out, err);
	if (r == 0 && *out != GENUINE)
		r = find_parent(q, false, out, err);
	return r;
}

static int read_update(struct ledger *h, struct sign_of_life *l, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	size_t i = (size_t)(l->leaf - h->chain->leaves);
	enum worth worth = NOTHING;
	bool had;
	int r = read_targets(h, l->leaf, &doc, &had, err);

	if (r == 0 && doc && matches(h, l->leaf, doc)) {
		const struct question q = {.h = h, .leaf = l->leaf, .doc = doc};

		r = weigh(&q, &worth, err);
	}
	l->counts = worth == GENUINE;
	/* Of those that were left out before it one may be. */
	l->missing = !l->counts && (!had || worth == UNKNOWN || ledger_thinned(h, i));
	return r;
}

/* --- signs of life ---------------------------------------------------------------------- */

static int read_heartbeat(struct ledger *h, struct sign_of_life *l, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct error why = {0};
	struct statement st;
	unsigned before = h->missing;
	int r;

	h->missing = 0; /* what a deposit's records lack is another matter */
	r = ledger_read(h, l->leaf, &doc, err);
	l->missing = h->missing != 0;
	h->missing = before;
	if (r < 0 || !doc)
		return r;
	r = ledger_read_own(h, doc, l->leaf, &st, &why, err);
	if (r == 0 && !why.code)
		r = ledger_by_root(h, doc, &st, &why);
	if (why.code)
		return why.code == E_NOMEM ? error_nomem(err) : 0;
	l->counts = r == 0;
	l->issued = st.issued;
	return r;
}

static int read_life(struct ledger *h, struct sign_of_life *l, struct error *err)
{
	enum proof_state state = PROOF_UNREAD;
	struct shown shown;

	if (l->read)
		return 0;
	int r = l->update ? read_update(h, l, err) : read_heartbeat(h, l, err);
	if (r == 0 && l->counts)
		r = ledger_prove(h, l->leaf, &state, &shown, err);
	if (r == 0 && state == PROOF_GOOD)
		l->when = shown.when;
	l->read = r == 0;
	return r;
}

int ledger_life(struct ledger *h, size_t end, bool updates_only, int64_t until,
		struct last_life *out, struct error *err)
{
	for (size_t i = h->nlife; i > 0; i--) {
		struct sign_of_life *l = &h->life[i - 1];

		if (l->leaf >= h->chain->leaves + end || (updates_only && !l->update))
			continue;
		int r = read_life(h, l, err);
		if (r < 0)
			return r;
		if (!l->counts && !l->missing)
			continue;
		bool late = !l->update && l->when.known && l->when.low > until;
		if (late && l->issued > until)
			continue;
		*out = (struct last_life){.sign = l, .at = late ? l->issued : l->when.low};
		return 0;
	}
	*out = (struct last_life){.sign = NULL};
	return 0;
}

int ledger_updated(struct ledger *h, const struct leaf *after, const struct leaf *before, bool *out,
		   struct error *err)
{
	*out = false;
	for (size_t i = h->nlife; i > 0 && !*out; i--) {
		struct sign_of_life *l = &h->life[i - 1];

		if (!l->update || l->leaf >= before)
			continue;
		if (l->leaf <= after)
			break;
		int r = read_life(h, l, err);
		if (r < 0)
			return r;
		*out = l->counts || l->missing;
	}
	return 0;
}
