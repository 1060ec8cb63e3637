/* SPDX-License-Identifier: Apache-2.0 */
/*
 * root-chain.jsonl of five roots that follow each other, with cuts at places that the
 * input chooses: in the lines, in what a root says, signed again or not. Roots that
 * nobody signed are never handed out.
 *
 * covers: lib/tuf/chain.c lib/tuf/role.c lib/sign/envelope.c
 */
#include <assert.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/tuf/chain.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/surgery.h"
#include "tests/fuzz/toy.h"
#include "tests/support/tuf_sim.h"

enum { ROOTS = 5 };

/* The true chain: made once, the same for every input. */
struct truth {
	struct tuf_sim *sim;
	struct tuf_root *first;
	struct buf bytes[ROOTS];
	json_t *doc[ROOTS]; /* the same as JSON */
	char id[ROOTS][SHA256_HEX_SIZE];
};

static void keep_id(const struct buf *document, char id[SHA256_HEX_SIZE])
{
	CLEANUP(envelope_freep) struct envelope *e = NULL;
	struct error err = {0};

	if (envelope_parse(document->data, document->len, "root", &e, &err) < 0)
		abort();
	memcpy(id, envelope_id(e), SHA256_HEX_SIZE);
}

static const struct truth *truth(void)
{
	static struct truth t;
	struct error err = {0};

	if (t.sim)
		return &t;
	toy_reset();
	t.sim = sim_new();
	for (int i = 0; i < ROOTS; i++) {
		const struct sim_role *root = sim_role(t.sim, "root");

		if (i > 0) {
			sim_rotate(t.sim, i % 2 ? "root" : "timestamp");
			sim_bump(t.sim, "root");
		}
		if (!toy_document(root->body, root->signers, root->nsigners, &t.bytes[i]))
			abort();
		t.doc[i] = json_loadb(t.bytes[i].data, t.bytes[i].len, 0, NULL);
		keep_id(&t.bytes[i], t.id[i]);
	}
	if (tuf_root_parse(t.bytes[0].data, t.bytes[0].len, "first", &t.first, &err) < 0)
		abort();
	return &t;
}

struct walk {
	const struct truth *t;
	bool signed_anew; /* by those who may: then anything can be true */
	int64_t reached;
};

static int on_root(void *ctx, const struct tuf_root *root, struct error *err)
{
	struct walk *w = ctx;

	(void)err;
	assert(root->version == w->reached + 1);
	w->reached++;
	if (w->signed_anew)
		return 0;

	/* Not the same bytes, perhaps, but the same words. */
	assert(w->reached <= ROOTS);
	assert(strcmp(envelope_id(root->doc), w->t->id[w->reached - 1]) == 0);
	return 0;
}

/* The bytes of a root, after an operation or none. */
static void root_bytes(const struct truth *t, size_t i, uint8_t how, struct feed *in,
		       struct walk *w, struct buf *out)
{
	const struct sim_role *role = sim_role(t->sim, "root");
	json_t *doc;
	CLEANUP(freep) char *text = NULL;
	struct error err;

	if (how % 4 == 1) {
		json_t *body = json_deep_copy(json_object_get(t->doc[i], "signed"));

		surgery(body, in);
		w->signed_anew = true;
		(void)!toy_document(body, role->signers, role->nsigners, out);
		json_decref(body);
		return;
	}
	if (how % 4 != 2) {
		(void)!buf_add(out, t->bytes[i].data, t->bytes[i].len, &err);
		return;
	}
	doc = json_deep_copy(t->doc[i]);
	surgery(doc, in);
	text = json_dumps(doc, JSON_COMPACT);
	(void)!buf_puts(out, text ? text : "", &err);
	json_decref(doc);
}

static void add_line(const struct truth *t, struct feed *in, struct walk *w, struct buf *out)
{
	uint8_t which = feed_byte(in), how = feed_byte(in);
	CLEANUP(buf_clear) struct buf root = {0};
	CLEANUP(buf_clear) struct buf line = {0};
	struct error err;
	size_t i = which % ROOTS;

	root_bytes(t, i, how, in, w, &root);
	if (tuf_chain_line((int64_t)i + 1 + (how > 0xf0), root.data ? root.data : "", root.len,
			   &line, &err) < 0)
		return;
	if (how % 4 == 3 && line.len)
		line.data[feed_byte(in) * line.len / 256] = (char)feed_byte(in);
	(void)!buf_add(out, line.data, line.len, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct truth *t = truth();
	struct walk w = {.t = t, .reached = 1};
	CLEANUP(tuf_chain_freep) struct tuf_chain *chain = NULL;
	CLEANUP(buf_clear) struct buf file = {0};
	struct feed in = {data, data + size};
	size_t cut;
	struct error err;

	for (int i = 0; i < ROOTS && in.at < in.end; i++)
		add_line(t, &in, &w, &file);
	cut = feed_byte(&in) * file.len / 256;
	if (tuf_chain_new(t->first, on_root, &w, &chain, &err) < 0)
		abort();
	if (tuf_chain_feed(chain, file.data ? file.data : "", cut, &err) == 0 &&
	    tuf_chain_feed(chain, file.data ? file.data + cut : "", file.len - cut, &err) == 0)
		(void)!tuf_chain_end(chain, &err);
	assert(tuf_chain_root(chain)->version == w.reached);
	return 0;
}
