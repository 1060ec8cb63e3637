/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A product's log that the input writes: pairs of bytes (what, which) let the vendor,
 * trustees and a stranger speak, truly or with cuts in what they say, let days pass,
 * and let the mirror spoil or withhold files. Then a device is asked whether the
 * handover was released, or whether a step to the next root was: a handover, the vendor's
 * rotation, or the stewards' succession. Who did not say so must not have released it.
 *
 * covers: policies/evidence.c policies/ledger.c policies/release.c policies/statement.c
 * policies/deposit.c policies/leaf.c policies/decide.c policies/facts.c
 */
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/json/strict.h"
#include "policies/evidence.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/surgery.h"
#include "tests/fuzz/toy.h"
#include "tests/support/product_log.h"

/* Ten steps reach what sixteen did, and two answers what five did, in half the time. */
enum { STEPS_MAX = 10, JUDGED_MAX = 2, DAY = 86400, OPERATIONS = 16, DECIDERS = 2 };

static const char *const policies[] = {"release/standard", "release/strict"};

/* What is asked: whether a deposit is released; or whether a step may be taken, and of what kind.
 */
enum question { ASK_DEPOSIT, ASK_HANDOVER, ASK_ROTATION, ASK_SUCCESSION, QUESTIONS };

struct run {
	struct product_log *p;
	enum question question;
	struct tuf_root *root, *bridge; /* borrowed: from, and to */
	struct feed in;
	char deposit[SHA256_HEX_SIZE];
	char eol[SHA256_HEX_SIZE], notice[SHA256_HEX_SIZE];
	bool vendor_spoke; /* so as to release it, perhaps */
	bool both_spoke;   /* the stewards and who comes after them */
	bool spoilt;       /* the mirror changed or withheld something */
	unsigned approvers, judged;
	bool released; /* by the answer so far */
	char digest[SHA256_HEX_SIZE];
};

static void require(bool ok, const char *promise)
{
	if (ok)
		return;
	(void)fprintf(stderr, "broken promise: %s\n", promise);
	abort();
}

static void keep_id(char out[SHA256_HEX_SIZE], const char *id)
{
	(void)snprintf(out, SHA256_HEX_SIZE, "%s", id);
}

static unsigned count(unsigned bits)
{
	unsigned n = 0;

	for (; bits; bits &= bits - 1)
		n++;
	return n;
}

/* --- people -------------------------------------------------------------------- */

static void say_deposit(struct run *run, uint8_t which)
{
	json_t *policy = policy_shipped_json(policies[which % ARRAY_LEN(policies)]);
	json_t *body = plog_deposit_body(run->p, run->root, envelope_id(run->bridge->doc), policy);
	keep_id(run->deposit, plog_say(run->p, "deposit", run->root, body, run->p->vendor, 2));
	run->released = false; /* what was asked about is another one */
}

static json_t *eol(const struct run *run, bool release)
{
	return json_pack("{s:s, s:{s:s, s:s}, s:b}", "date", "2030-01-31T00:00:00Z", "final",
			 "root", envelope_id(run->root->doc), "bridge",
			 envelope_id(run->bridge->doc), "release", release);
}

static json_t *about(const struct run *run, const char *key, const char *id)
{
	return json_pack("{s:s, s:s, s:s}", "deposit", run->deposit, "bridge",
			 envelope_id(run->bridge->doc), key, id);
}

static json_t *notice(const struct run *run)
{
	return json_pack("{s:s, s:s, s:s, s:[]}", "deposit", run->deposit, "bridge",
			 envelope_id(run->bridge->doc), "ground", "silence", "evidence");
}

static json_t *change(const struct run *run)
{
	return json_pack("{s:s, s:s}", "from", envelope_id(run->root->doc), "to",
			 envelope_id(run->bridge->doc));
}

/* A rotation or a succession, for objections to name; `which`: signed by both sides, or not. */
static void say_change(struct run *run, uint8_t which)
{
	struct product_log *p = run->p;
	struct signer *const both[] = {p->steward[0], p->steward[1], p->trustee[0], p->trustee[1]};
	const char *id;

	if (run->question == ASK_ROTATION) {
		run->vendor_spoke = true;
		id = plog_say(p, "rotation", NULL, change(run), p->vendor, 2);
	} else {
		run->both_spoke |= which & 1;
		id = plog_say(p, "succession", NULL, change(run), both, which & 1 ? 4 : 2);
	}
	keep_id(run->notice, id);
}

static const char *vote(struct run *run, const char *type, uint8_t which)
{
	size_t who = which % PLOG_PEOPLE;
	bool on_eol = which & 0x80 && *run->eol;

	if (strcmp(type, "approval") == 0)
		run->approvers |= 1U << who;
	return plog_say(run->p, type, NULL,
			about(run, on_eol ? "eol" : "notice", on_eol ? run->eol : run->notice),
			&run->p->trustee[who], 1);
}

/* What statements of a type say, more or less. */
static json_t *words(const struct run *run, const char *type)
{
	if (strcmp(type, "eol") == 0)
		return eol(run, true);
	if (strcmp(type, "notice") == 0)
		return notice(run);
	if (strcmp(type, "rotation") == 0 || strcmp(type, "succession") == 0)
		return change(run);
	return about(run, "notice", run->notice);
}

/* Is this document there already, with other signatures? Its file can be one of both only. */
static bool is_signed_anew(struct product_log *p, const struct envelope *doc)
{
	const struct buf *bytes = envelope_bytes(doc);
	const struct buf *there = plog_file(p, "statements/", envelope_id(doc), ".json");

	return there &&
	       (there->len != bytes->len || memcmp(there->data, bytes->data, bytes->len) != 0);
}

/* A statement with a cut or two, by one who may be entitled to such things. */
static void forge(struct run *run, uint8_t which)
{
	static const char *const types[] = {"eol",       "approval",  "refusal", "notice",
					    "objection", "heartbeat", "deposit", "product",
					    "rotation",  "succession"};
	const char *type = types[which % ARRAY_LEN(types)];
	uint8_t who = which / ARRAY_LEN(types);
	struct signer *const *by = &run->p->stranger;
	size_t n = 1;
	CLEANUP(envelope_freep) struct envelope *plain = NULL;
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(json_decrefp) json_t *body = NULL;
	CLEANUP(buf_clear) struct buf bytes = {0};
	const char *product;
	struct error err;

	if (who % 4 == 1) {
		by = run->p->vendor;
		n = 2;
		run->vendor_spoke = true;
	} else if (who % 4 == 2) {
		by = &run->p->trustee[who / 4 % PLOG_PEOPLE];
		run->approvers |= 1U << who / 4 % PLOG_PEOPLE;
	} else if (who % 4 == 3) {
		by = run->p->steward;
		n = 2;
	}
	plain = plog_statement(run->p, type, run->root, words(run, type), NULL, 0);
	body = json_deep_copy(envelope_signed(plain));
	surgery(body, &run->in);
	if (which & 1)
		surgery(body, &run->in);
	/* What is no document at all never gets into a log. */
	if (!toy_document(body, by, n, &bytes) ||
	    envelope_parse(bytes.data, bytes.len, "forged", &doc, &err) < 0 ||
	    strcmp(envelope_type(doc), "root") == 0 || strcmp(envelope_type(doc), "targets") == 0)
		return;
	/* Nor does another product's, or one that is there, but into one that lies. */
	product = json_string_value(json_object_get(body, "product"));
	run->spoilt |= product && strcmp(product, PLOG_PRODUCT) != 0;
	run->spoilt |= is_signed_anew(run->p, doc);
	plog_add(run->p, doc);
}

/* --- the mirror ------------------------------------------------------------------ */

/* What is true of the log, but not all of it, or not as it was first told. */
static void mislead(struct run *run, uint8_t which)
{
	struct product_log *p = run->p;

	run->spoilt = true;
	plog_prove_again(p, p->leaves[which % p->nleaves].id);
	p->hidden = which / 8 % 4 < p->nleaves ? which / 8 % 4 : 0;
	p->no_entries = which & 0x80;
	plog_write_leaves(p);
}

static void spoil(struct run *run, uint8_t which)
{
	struct plog_file *f = &run->p->files[which % run->p->nfiles];
	size_t len = f->bytes.len;
	uint8_t at = feed_byte(&run->in);

	if (!f->path || len == 0)
		return;
	run->spoilt = true;
	switch (at % 3) {
	case 0: f->bytes.data[(size_t)at * len / 256] ^= 1; break;
	case 1: buf_cut(&f->bytes, (size_t)at * len / 256); break;
	default:
		free(f->path);
		f->path = NULL;
		buf_clear(&f->bytes);
	}
}

/* --- the device ------------------------------------------------------------------- */

/* Those without whom it cannot be released. */
static bool may_be(const struct run *run)
{
	if (run->question == ASK_SUCCESSION)
		return run->both_spoke;
	return run->vendor_spoke || count(run->approvers) >= DECIDERS;
}

static void judge(struct run *run)
{
	const struct evidence_source source = plog_source(run->p);
	bool asks_deposit = run->question == ASK_DEPOSIT;
	const struct evidence_query q = {.product = PLOG_PRODUCT,
					 .from = run->root,
					 .to = asks_deposit ? NULL : run->bridge,
					 .deposit = asks_deposit ? run->deposit : NULL};
	CLEANUP(evidence_clear) struct evidence e = {0};
	struct error err = {0};

	run->judged++;
	int r = evidence_gather(&source, &q, &e, &err);
	bool yes = r == 0 && e.released == ANSWER_YES;

	require(r <= 0, "a status is 0 or negative");
	if (yes)
		require(may_be(run), "what nobody released is not released");
	if (run->released && !run->spoilt) {
		require(yes, "a yes stays when more is logged");
		require(strcmp(run->digest, e.digest) == 0, "and what it rests on");
	}
	run->released = yes && !run->spoilt;
	keep_id(run->digest, yes ? e.digest : "");
}

static void step(struct run *run, uint8_t what, uint8_t which)
{
	struct product_log *p = run->p;

	switch (what % OPERATIONS) {
	case 1:
		if (run->question >= ASK_ROTATION) {
			say_change(run, which);
			break;
		}
		/* fallthrough */
	case 0:
		run->vendor_spoke |= which & 1;
		keep_id(run->eol, plog_say(p, "eol", run->root, eol(run, which & 1), p->vendor, 2));
		break;
	case 2:
	case 3: (void)vote(run, "approval", which); break;
	case 4: (void)vote(run, "refusal", which); break;
	case 5:
	case 6:
		keep_id(run->notice, plog_say(p, "notice", NULL, notice(run),
					      &p->trustee[which % PLOG_PEOPLE], 1));
		break;
	case 7:
		(void)plog_say(p, "objection", run->root, json_pack("{s:s}", "notice", run->notice),
			       p->vendor, 2);
		break;
	case 8: (void)plog_say(p, "heartbeat", run->root, json_object(), p->vendor, 2); break;
	case 9: say_deposit(run, which); break;
	case 10: /* and others' entries */
		for (int i = 0; i < which % 4; i++)
			plog_add_other(p);
		/* fallthrough */
	case 11: p->now += (int64_t)which * DAY; break;
	case 12:
		if (which % 4 == 0)
			mislead(run, which);
		else
			spoil(run, which);
		break;
	case 13: plog_add(p, run->bridge->doc); break;
	default: forge(run, which);
	}
}

/* The roots that the question is about. */
static void make_roots(struct run *run)
{
	struct product_log *p = run->p;
	bool succession = run->question == ASK_SUCCESSION;
	const struct root_spec next = {.version = succession ? 4 : 2,
				       .threshold = 2,
				       .keys = succession ? p->trustee : p->steward,
				       .nkeys = PLOG_PEOPLE,
				       .publisher = succession ? "others" : "acme",
				       .kind = succession ? "stewards" : "vendor",
				       .signers = {succession ? p->steward : p->vendor,
						   succession ? p->trustee : p->steward}};

	run->root = succession ? plog_stewards_root(p) : plog_vendor_root(p);
	run->bridge = run->question >= ASK_ROTATION ? plog_root(p, &next) : plog_bridge(p);
}

/* A log with a root and a deposit, of which every input gets a copy. */
static const struct run *start(uint8_t witnesses, uint8_t policy)
{
	static struct run kept[PLOG_PEOPLE + 1][ARRAY_LEN(policies)][QUESTIONS];
	struct run *run = &kept[witnesses % (PLOG_PEOPLE + 1)][policy % ARRAY_LEN(policies)]
			       [policy / 64 % QUESTIONS];

	if (run->p)
		return run;
	toy_reset();
	run->p = plog_new(witnesses % (PLOG_PEOPLE + 1));
	run->question = (enum question)(policy / 64 % QUESTIONS);
	make_roots(run);
	keep_id(run->notice, envelope_id(run->root->doc));
	plog_add(run->p, run->root->doc);
	say_deposit(run, policy);
	return run;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct product_log *p;
	struct feed in = {data, data + size};
	uint8_t witnesses = feed_byte(&in), policy = feed_byte(&in);
	const struct run *first = start(witnesses, policy);
	struct run run = *first;

	plog_copy(&p, first->p);
	run.p = p;
	run.in = in;
	for (int i = 0; i < STEPS_MAX && run.in.at < run.in.end; i++) {
		uint8_t what = feed_byte(&run.in), which = feed_byte(&run.in);

		step(&run, what, which);
		if (what >= 0xc0 && run.judged < JUDGED_MAX - 1)
			judge(&run);
	}
	judge(&run);
	return 0;
}
