/* SPDX-License-Identifier: Apache-2.0 */
#include "client/trust.h"

#include <inttypes.h>
#include <stdio.h>

#include "client/logged.h"
#include "client/reading.h"
#include "client/roots.h"
#include "client/why.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/random.h"
#include "lib/json/strict.h"

/* One walk. */
struct walk {
	struct device *d;
	const struct source *from;
	struct roots roots;
	struct logged log;
	struct policy *policy;
	int steps;
	bool looked; /* at the log's checkpoint, before the first step */
};

static void walk_end(struct walk *w)
{
	roots_clear(&w->roots);
	logged_clear(&w->log);
	policy_free(w->policy);
}

static void unref(json_t **j)
{
	json_decref(*j);
}

void handover_clear(struct handover *h)
{
	tuf_root_free(h->bridge);
	tuf_root_free(h->after);
	evidence_clear(&h->evidence);
	json_decref(h->why);
	json_decref(h->documents);
	*h = (struct handover){0};
}

/* What a person is told of needs no more of the chain than the documents it rests on. */
static void thin(struct evidence *e)
{
	struct leaf_chain *c = &e->chain;
	struct leaf *less;
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		const json_t *id;
		size_t k;

		json_array_foreach(e->used, k, id)
		{
			if (strcmp(json_string_value(id), c->leaves[i].id) != 0)
				continue;
			if (n != i)
				c->leaves[n] = c->leaves[i];
			n++;
			break;
		}
	}
	c->n = n;
	less = n ? realloc(c->leaves, n * sizeof(*less)) : NULL;
	if (less)
		c->leaves = less;
	else if (!n)
		leaf_chain_clear(c);
}

int trust_policy(const struct conf *c, struct policy **out, struct error *err)
{
	static const char *const ours[] = {"ask", "auto", "never", "rebuilt"};
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(unref) json_t *j = NULL;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		char name[32];

		if (strcmp(c->policy, ours[i]) != 0)
			continue;
		(void)snprintf(name, sizeof(name), "handover/%s", ours[i]);
		return policy_shipped(name, out, err);
	}
	r = file_read(c->dir, c->policy, POLICY_MAX, &text, err);
	if (r == 0)
		r = strict_parse(text.data ? text.data : "", text.len, c->policy, &j, err);
	if (r == 0)
		r = policy_parse(j, c->policy, out, err);
	if (r == E_NOTFOUND || r == E_INVALID) /* the owner's own file */
		return err ? err->code = E_USAGE : E_USAGE;
	return r;
}

/* --- one step ----------------------------------------------------------------- */

static int check_product(const struct device *d, const struct tuf_root *to, struct error *err)
{
	if (to->product && strcmp(to->product, d->conf.product) == 0)
		return 0;
	return error_set(err, E_UNTRUSTED, "root %" PRId64 ": signed.product: want %s, got %s",
			 to->version, d->conf.product, to->product ? to->product : "nothing");
}

/* Root `from` + 1 as the mirror has it, verified as TUF asks. *out NULL: there is none. */
static int next_root(struct walk *w, const struct tuf_root *from, struct tuf_root **out,
		     struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	CLEANUP(tuf_root_freep) struct tuf_root *to = NULL;
	char name[40];
	int r = roots_after(&w->roots, from, &bytes, err);

	if (r == E_NOTFOUND) {
		*out = NULL;
		return 0;
	}
	(void)snprintf(name, sizeof(name), "%" PRId64 ".root.json", from->version + 1);
	if (r == 0)
		r = tuf_root_step(from, bytes.data ? bytes.data : "", bytes.len, name, &to, err);
	if (r == 0)
		r = check_product(w->d, to, err);
	if (r == 0)
		*out = steal(to);
	return r;
}

static bool any_key_of(const struct role_keys *keys, const struct role_keys *in)
{
	for (size_t i = 0; i < keys->n; i++)
		if (role_keys_has(in, keys->keys[i]))
			return true;
	return false;
}

/* Versions may start again at 1 only if no earlier online key signs them. */
static int check_online_keys(const struct tuf_root *old, const struct tuf_root *new,
			     struct error *err)
{
	static const enum tuf_type online[] = {TUF_TIMESTAMP, TUF_SNAPSHOT};

	for (size_t i = 0; i < ARRAY_LEN(online); i++)
		for (size_t j = 0; j < ARRAY_LEN(online); j++)
			if (any_key_of(&new->role[online[i]], &old->role[online[j]]))
				return error_set(err, E_UNTRUSTED,
						 "root %" PRId64 ": its %s key is the old "
						 "publisher's %s key",
						 new->version, tuf_type_name(online[i]),
						 tuf_type_name(online[j]));
	return 0;
}

/*
 * A publisher that only re-keys itself goes on with its online keys, and what they
 * signed goes on binding this device; anybody else has keys of their own.
 */
static int check_fresh(const struct device *d, const struct handover *h, struct error *err)
{
	const char *by = h->evidence.by;
	int r;

	if (!by || strcmp(by, "rotation") == 0)
		return 0;
	r = check_online_keys(d->root, h->bridge, err);
	if (r == 0)
		r = check_online_keys(d->anchor, h->bridge, err);
	if (r == 0 && h->after)
		r = check_online_keys(d->root, h->after, err);
	if (r == 0 && h->after)
		r = check_online_keys(d->anchor, h->after, err);
	return r;
}

/* The root after the bridge must be the same stewards' own. */
static int check_after(struct walk *w, const struct handover *h, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	unsigned change;
	int r = publisher_compare(h->bridge, h->bridge, h->after, &change, err);

	if (r == 0 && change) {
		r = publisher_change_text(change, &text, err);
		if (r == 0)
			r = error_set(err, E_UNTRUSTED,
				      "root %" PRId64 ": is not of those whom the bridge names: %s",
				      h->after->version, text.data);
	}
	if (r == 0)
		r = logged_root(&w->log, h->bridge, h->after, false, err);
	return r;
}

/* --- a change of publisher ---------------------------------------------------- */

static int change_facts(struct facts *f, unsigned change, struct error *err)
{
	static const struct {
		unsigned bit;
		const char *name;
	} changes[] = {{CHANGE_NAME, "name"},
		       {CHANGE_KEYS, "keys"},
		       {CHANGE_THRESHOLD, "threshold"},
		       {CHANGE_NEW_QUORUM, "new-quorum"},
		       {CHANGE_LOGS, "logs"}};
	int r = facts_set_empty(f, "change", NULL, err);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(changes); i++)
		if (change & changes[i].bit)
			r = facts_add(f, "change", changes[i].name, NULL, err);
	return r;
}

/* May this device change hands? By evidence, then by the owner's policy and word. */
static int decide(struct walk *w, struct handover *h, struct error *err)
{
	struct device *d = w->d;
	struct evidence *e = &h->evidence;
	struct facts *f = e->facts;
	struct publisher to;
	bool consent = consent_holds(&d->st, d->conf.product, &h->offer);
	CLEANUP(unref) json_t *owner = NULL;
	int r = publisher_read(h->bridge, "bridge root", &to, err);

	if (r == 0)
		r = facts_set_text(f, "action", "handover", NULL, err);
	if (r == 0)
		r = facts_set_bool(f, "consent.owner", consent, NULL, err);
	if (r == 0)
		r = facts_set_text(f, "publisher.kind", publisher_kind_name(to.kind), NULL, err);
	if (r == 0)
		r = change_facts(f, h->change, err);
	if (r == 0)
		r = policy_decide(w->policy, f, &h->allowed, &owner, err);
	if (r < 0)
		return r;
	/* An owner's policy can only ask for more than the deposit's. */
	if (e->released != ANSWER_YES && h->allowed == ANSWER_YES)
		h->allowed = e->released;
	h->why = json_pack("{s:O?, s:O}", "release", e->why, "owner", owner);
	return h->why ? 0 : error_nomem(err);
}

static void explain(const struct walk *w, struct handover *h)
{
	const char *text;

	if (!h->after)
		text = "the root after the bridge is not published yet";
	else if (h->refused)
		text = "the owner refused it: `handover accept` takes that back";
	else if (h->evidence.released == ANSWER_UNKNOWN)
		text = "the evidence for its release is not complete yet: see `why`";
	else if (h->evidence.released == ANSWER_NO)
		text = "its release is not backed by evidence: see `why`";
	else if (strcmp(w->d->conf.policy, "never") == 0)
		text = "the policy of this device says never";
	else if (h->allowed == ANSWER_NO && !w->d->st.consent.at)
		text = "the owner is asked: `handover show`, then `handover accept` or "
		       "`handover refuse`";
	else
		text = "the policy of this device does not allow it: see `why`";
	(void)snprintf(h->reason, sizeof(h->reason), "%s", text);
}

/* Present the offer: a new one gets a new nonce, which voids what was agreed to before. */
static int present(struct device *d, struct handover *h, struct error *err)
{
	unsigned char nonce[SHA256_LEN];
	struct offer *o = &h->offer;
	int r = random_bytes(nonce, sizeof(nonce), err);

	if (r < 0)
		return r;
	memcpy(o->from, envelope_id(d->root->doc), SHA256_HEX_SIZE);
	memcpy(o->bridge, envelope_id(h->bridge->doc), SHA256_HEX_SIZE);
	if (h->after)
		memcpy(o->after, envelope_id(h->after->doc), SHA256_HEX_SIZE);
	memcpy(o->evidence, h->evidence.digest, SHA256_HEX_SIZE);
	o->shown = d->clock;
	hex_encode(nonce, sizeof(nonce), o->nonce);
	if (offer_same(&d->st.offer, o)) {
		*o = d->st.offer;
		return 0;
	}
	d->st.offer = *o;
	d->st.consent = (struct consent){0};
	return 0;
}

static int take_over(struct walk *w, struct handover *h, struct error *err)
{
	struct device *d = w->d;
	struct consent c = d->st.consent;
	int r;

	if (!consent_holds(&d->st, d->conf.product, &h->offer)) {
		c = (struct consent){.to = h->offer, .at = d->clock};
		(void)snprintf(c.product, sizeof(c.product), "%s", d->conf.product);
		(void)snprintf(c.by, sizeof(c.by), "policy %s", policy_name(w->policy));
	}
	/* The decision that is acted on, not the one before the owner's word. */
	r = why_handover(d, h->why, err);
	if (r == 0)
		r = device_switch(d, &c, steal(h->after), err);
	handover_clear(h);
	return r;
}

/* The root that would be trusted: a bridge only leads to it, any other change is one itself. */
static int find_target(struct walk *w, struct handover *h, bool bridge, struct error *err)
{
	const struct buf *bytes = envelope_bytes(h->bridge->doc);
	int r;

	if (!bridge)
		return tuf_root_parse(bytes->data, bytes->len, "root", &h->after, err);
	r = next_root(w, h->bridge, &h->after, err);
	return r == 0 && h->after ? check_after(w, h, err) : r;
}

/* Whom this product ever had, as far as this device knows: the factory's, if it is still there. */
static int gather(struct walk *w, struct reading *in, struct handover *h, struct error *err)
{
	struct device *d = w->d;
	const struct evidence_source source = reading_source(in);
	CLEANUP(tuf_root_freep) struct tuf_root *factory = NULL;
	struct evidence_query q = {
		.product = d->conf.product, .from = d->root, .to = h->bridge, .anchor = d->anchor};
	int r = device_factory_root(d, &factory, err);
	const struct tuf_root *const earlier[] = {factory};

	if (r == E_NOTFOUND) /* it is needed to begin anew, not to go on */
		r = 0;
	q.earlier = earlier;
	q.nearlier = factory ? ARRAY_LEN(earlier) : 0;
	if (r == 0)
		r = evidence_gather(&source, &q, &h->evidence, err);
	return r == 0 ? reading_texts(in, h->evidence.used, &h->documents, err) : r;
}

/*
 * Everything that must hold before policy and owner are asked. The chain is large: there is one
 * at a time, which goes from the log to the evidence and is lent back.
 */
static int examine(struct walk *w, bool bridge, struct handover *h, struct error *err)
{
	CLEANUP(reading_clear) struct reading in = {0};
	struct evidence *e = &h->evidence;
	int r = reading_init(&in, w->from, w->d, err);

	if (r < 0)
		return r;
	logged_give(&w->log, &in.ready);
	r = gather(w, &in, h, err);
	if (r == 0 && e->chain.n)
		logged_lend(&w->log, &e->chain);
	/* The log of the evidence is the log that this device knows, and binds it from now on. */
	if (r == 0 && e->proven)
		r = logged_leaf(&w->log, w->d->root, &e->chain, &e->chain.leaves[e->proven - 1],
				err);
	if (r == 0)
		r = find_target(w, h, bridge, err);
	if (r == 0)
		r = check_fresh(w->d, h, err);
	logged_lend(&w->log, NULL);
	thin(e);
	return r;
}

/* A step that cannot be true is no reason to go without updates of those who are trusted. */
static int reject(struct device *d, struct handover *h, const struct error *why, struct error *err)
{
	evidence_clear(&h->evidence);
	h->wrong = *why;
	h->allowed = ANSWER_NO;
	(void)snprintf(h->reason, sizeof(h->reason), "%.*s", STATE_REASON_MAX, why->text);
	state_wait(&d->st, WAITING_HANDOVER, envelope_id(h->bridge->doc), "%s", h->reason);
	return device_save(d, err);
}

/* The step from our root to `offered_take` changes the publisher. */
static int consider(struct walk *w, struct tuf_root *offered_take, bool bridge, unsigned change,
		    struct handover *h, struct error *err)
{
	struct device *d = w->d;
	struct error why = {0};
	int r;

	h->present = true;
	h->bridge = offered_take;
	h->change = change;
	r = examine(w, bridge, h, &why);
	if (r == E_UNTRUSTED || r == E_INVALID)
		return reject(d, h, &why, err);
	if (r < 0)
		return error_set(err, r, "%s", why.text);
	r = present(d, h, err);
	if (r == 0)
		r = decide(w, h, err);
	if (r < 0)
		return r;
	h->refused = offer_same_step(&d->st.refused, &h->offer);
	if (h->after && !h->refused && h->allowed == ANSWER_YES)
		return take_over(w, h, err);
	explain(w, h);
	state_wait(&d->st, WAITING_HANDOVER, h->offer.bridge, "%s", h->reason);
	return device_save(d, err);
}

/* --- the walk ----------------------------------------------------------------- */

/*
 * A root of the same publisher. One that the log does not show as it should is not followed, and
 * is no reason either to go without updates of those who are trusted: whoever wants to hide it
 * from this device need not even show it.
 */
static int follow(struct walk *w, struct tuf_root *to_take, const struct publisher *who,
		  struct trust *out, bool *more, struct error *err)
{
	CLEANUP(tuf_root_freep) struct tuf_root *to = to_take;
	struct device *d = w->d;
	struct error why = {0};
	int r = logged_root(&w->log, d->root, to, true, &why);

	if (r == E_NOTYET || (r < 0 && w->log.late)) {
		out->log = why;
		return 0;
	}
	if (r < 0)
		return error_set(err, r, "%s", why.text);
	*more = true;
	r = device_note(d, "root", err, "root %" PRId64 " of %s is trusted now", to->version,
			who->id);
	return r == 0 ? device_advance(d, steal(to), err) : r;
}

/* One step; *more says whether there was one. */
static int step(struct walk *w, struct trust *out, bool *more, struct error *err)
{
	struct handover *h = &out->handover;
	struct device *d = w->d;
	CLEANUP(tuf_root_freep) struct tuf_root *to = NULL;
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	unsigned change;
	int r = who ? next_root(w, d->root, &to, err) : error_nomem(err);

	*more = false;
	if (r < 0 || !to)
		return r;
	r = publisher_read(to, "root", who, err);
	if (r == 0)
		r = publisher_compare(d->anchor, d->root, to, &change, err);
	if (r != 0)
		return error_prefix(err, r, "root %" PRId64, to->version);
	if (!w->looked) {
		w->looked = true;
		r = logged_look(&w->log, d->root, err);
	}
	if (r < 0)
		return r;
	if (change || who->bridge) {
		r = consider(w, steal(to), who->bridge, change, h, err);
		*more = r == 0 && !h->present; /* it was taken */
		return r;
	}
	return follow(w, steal(to), who, out, more, err);
}

/*
 * The log's checkpoint tells the time, if there are witnesses, and says whether a folder
 * is older than what was seen. Else it costs a request, and is left for when a root follows.
 */
static int look(struct walk *w, struct error *err)
{
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	int r = who ? publisher_read(w->d->root, "root.json", who, err) : error_nomem(err);

	if (r < 0 || (!who->witness_threshold && !w->from->folder))
		return r;
	w->looked = true;
	r = logged_look(&w->log, w->d->root, err);
	if (r == 0 && w->from->folder)
		r = logged_demand(&w->log, w->d->root, err);
	return r;
}

int trust_walk(struct device *d, const struct source *from, struct elsewhere *elsewhere,
	       struct trust *out, struct error *err)
{
	CLEANUP(walk_end) struct walk w = {.d = d, .from = from};
	int64_t before = d->root->version;
	bool more = true;
	int r = trust_policy(&d->conf, &w.policy, err);

	roots_init(&w.roots, from, conf_root_max(&d->conf));
	logged_init(&w.log, from, elsewhere, &d->st);
	if (r == 0)
		r = look(&w, err);
	for (; r == 0 && more; w.steps++) {
		if (w.steps == TUF_ROOTS_MAX)
			return error_set(err, E_UNTRUSTED, "more than %d roots", TUF_ROOTS_MAX);
		r = step(&w, out, &more, err);
	}
	/* Another root, perhaps other witnesses. */
	if (r == 0 && d->root->version != before)
		r = look(&w, err);
	if (r == 0 && !out->handover.present && d->st.waiting.kind == WAITING_HANDOVER)
		state_wait(&d->st, WAITING_NOTHING, "", "%s", "");
	if (!out->log.code)
		out->log = w.log.behind;
	return r;
}
