/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/rebuild.h"

#include <stdlib.h>

#include "lib/base/error.h"
#include "tests/support/product_log.h"
#include "tests/unit/unit.h"

#define IMAGE "1111111111111111111111111111111111111111111111111111111111111111"
#define OTHER "2222222222222222222222222222222222222222222222222222222222222222"
#define COMMIT "3333333333333333333333333333333333333333"
#define OTHER_COMMIT "4444444444444444444444444444444444444444"

/* A root that lists the three trustees' keys as rebuilders, of whom two are enough. */
struct bench {
	struct product_log *p;
	struct tuf_root *root;
	struct facts *f;
	struct error err;
};

static void bench_clear(struct bench *b)
{
	facts_free(b->f);
	tuf_root_free(b->root);
	plog_free(b->p);
}

static struct tuf_root *make_root(struct product_log *p, bool listed)
{
	CLEANUP(json_decrefp) json_t *x = plog_x_bequest(p, "acme", "vendor");
	const struct root_spec spec = {.version = 1,
				       .threshold = 2,
				       .keys = p->vendor,
				       .nkeys = PLOG_PEOPLE,
				       .publisher = "acme",
				       .kind = "vendor",
				       .signers = {p->vendor, NULL},
				       .x_bequest = x};
	json_t *keys = json_object();

	for (size_t i = 0; listed && i < PLOG_PEOPLE; i++) {
		const struct key *k = signer_key(p->trustee[i]);

		assert_int_equal(json_object_set(keys, key_id(k), key_object(k)), 0);
	}
	json_t *list = json_pack("{s:o, s:i}", "keys", keys, "threshold", 2);
	assert_non_null(list);
	if (listed)
		assert_int_equal(json_object_set(x, "rebuilders", list), 0);
	json_decref(list);
	return plog_root(p, &spec);
}

static struct bench bench_open(bool listed)
{
	struct bench b = {.p = plog_new(0)};

	b.root = make_root(b.p, listed);
	plog_add(b.p, b.root->doc);
	return b;
}

static const char *say(struct bench *b, size_t who, const char *commit, const char *image)
{
	json_t *body =
		json_pack("{s:s, s:s, s:s}", "commit", commit, "recipe", "make", "sha256", image);

	return plog_say(b->p, "rebuild", NULL, body, &b->p->trustee[who], 1);
}

static int ask(struct bench *b, const char *commit)
{
	const struct evidence_source source = plog_source(b->p);
	const struct rebuild_query q = {
		.product = PLOG_PRODUCT, .root = b->root, .sha256 = IMAGE, .commit = commit};

	facts_free(b->f);
	b->f = NULL;
	b->err = (struct error){0};
	assert_int_equal(facts_new(&b->f, NULL), 0);
	return rebuild_facts(&source, &q, b->f, &b->err);
}

static struct fact_value get(const struct bench *b, const char *name)
{
	return facts_get(b->f, fact_find(name));
}

static void assert_found(struct bench *b, size_t n)
{
	int r = ask(b, COMMIT);

	if (r < 0)
		fail_msg("%s", b->err.text);
	assert_int_equal(get(b, "rebuilds.threshold").number, 2);
	assert_true(get(b, "rebuilds").known);
	assert_int_equal(json_array_size(get(b, "rebuilds").set), n);
}

static void assert_unknown(struct bench *b, const char *commit, const char *why_not)
{
	assert_int_equal(ask(b, commit), 0);
	assert_false(get(b, "rebuilds").known);
	assert_non_null(strstr(get(b, "rebuilds").why_not, why_not));
}

static void each_listed_rebuilder_counts_once(void **state)
{
	CLEANUP(bench_clear) struct bench b = bench_open(true);

	(void)state;
	const char *first = say(&b, 0, COMMIT, IMAGE);
	assert_found(&b, 1);
	(void)say(&b, 0, COMMIT, IMAGE);
	assert_found(&b, 1);
	(void)say(&b, 2, COMMIT, IMAGE);
	assert_found(&b, 2);

	bool seen = false;
	for (size_t i = 0; i < 2; i++) {
		const json_t *one = json_array_get(get(&b, "rebuilds").from, i);
		const char *id = json_string_value(json_object_get(one, "source"));

		assert_true(json_is_integer(json_object_get(one, "index")));
		seen = seen || strcmp(id, first) == 0;
	}
	assert_false(seen); /* the latest of each */
}

static void only_this_image_of_this_source_by_those_listed_counts(void **state)
{
	CLEANUP(bench_clear) struct bench b = bench_open(true);
	struct signer *strangers[] = {b.p->stranger};

	(void)state;
	(void)say(&b, 0, COMMIT, OTHER);
	(void)say(&b, 1, OTHER_COMMIT, IMAGE);
	(void)plog_say(
		b.p, "rebuild", NULL,
		json_pack("{s:s, s:s, s:s}", "commit", COMMIT, "recipe", "make", "sha256", IMAGE),
		strangers, 1);
	(void)plog_say(b.p, "rebuild", NULL,
		       json_pack("{s:s, s:s, s:s, s:s}", "commit", COMMIT, "recipe", "make",
				 "sha256", IMAGE, "product", "acme.x2"),
		       b.p->trustee, 1);
	(void)plog_say(b.p, "rebuild", NULL,
		       json_pack("{s:s, s:s}", "commit", COMMIT, "sha256", IMAGE), b.p->trustee, 1);
	assert_found(&b, 0);
}

static void one_statement_of_two_is_two(void **state)
{
	CLEANUP(bench_clear) struct bench b = bench_open(true);

	(void)state;
	(void)plog_say(
		b.p, "rebuild", NULL,
		json_pack("{s:s, s:s, s:s}", "commit", COMMIT, "recipe", "make", "sha256", IMAGE),
		b.p->trustee, 2);
	assert_found(&b, 2);
}

static void what_cannot_be_found_out_stays_unknown(void **state)
{
	CLEANUP(bench_clear) struct bench none = bench_open(false);
	CLEANUP(bench_clear) struct bench b = bench_open(true);

	(void)state;
	assert_unknown(&none, COMMIT, "the current root lists none");
	assert_false(get(&none, "rebuilds.threshold").known);
	(void)say(&b, 0, COMMIT, IMAGE);
	assert_unknown(&b, NULL, "the commit in the image's metadata");
	assert_unknown(&b, "", "the commit in the image's metadata");
	assert_int_equal(get(&b, "rebuilds.threshold").number, 2);
}

static void what_is_withheld_is_noticed_unless_there_is_enough(void **state)
{
	CLEANUP(bench_clear) struct bench b = bench_open(true);

	(void)state;
	(void)say(&b, 0, COMMIT, IMAGE);
	plog_remove(b.p, "statements/", say(&b, 1, COMMIT, IMAGE), ".json");
	assert_unknown(&b, COMMIT, "a logged rebuild that was not served");
	(void)say(&b, 2, COMMIT, IMAGE);
	assert_found(&b, 2);
}

static void without_its_proof_it_is_nothing(void **state)
{
	CLEANUP(bench_clear) struct bench b = bench_open(true);

	(void)state;
	plog_remove(b.p, "proofs/", say(&b, 0, COMMIT, IMAGE), ".tlog-proof");
	(void)say(&b, 1, COMMIT, IMAGE);
	assert_found(&b, 1);
}

static void without_the_chain_it_is_unknown_and_a_broken_one_is_an_attack(void **state)
{
	CLEANUP(bench_clear) struct bench b = bench_open(true);
	CLEANUP(bench_clear) struct bench gone = bench_open(true);

	(void)state;
	const char *id = say(&b, 0, COMMIT, IMAGE);
	struct buf *doc = plog_file(b.p, "statements/", id, ".json");
	const char *at = strstr(doc->data, IMAGE);

	assert_non_null(at);
	doc->data[at - doc->data] = '9';
	assert_error(ask(&b, COMMIT), E_UNTRUSTED, &b.err, "was changed since it was logged");
	b.p->leaves[1].version++;
	plog_write_leaves(b.p);
	assert_int_equal(ask(&b, COMMIT), E_UNTRUSTED);
	plog_remove(gone.p, "", "leaves.jsonl", "");
	assert_unknown(&gone, COMMIT, "the product's leaf chain");
}

static void lack_of_memory_is_said(void **state)
{
	CLEANUP(bench_clear) struct bench b = bench_open(true);
	bool fired = true;

	(void)state;
	(void)say(&b, 0, COMMIT, IMAGE);
	(void)say(&b, 1, COMMIT, IMAGE);
	for (long n = 1; fired; n++) {
		const struct evidence_source source = plog_source(b.p);
		const struct rebuild_query q = {
			.product = PLOG_PRODUCT, .root = b.root, .sha256 = IMAGE, .commit = COMMIT};
		CLEANUP(facts_freep) struct facts *f = NULL;

		assert_int_equal(facts_new(&f, NULL), 0);
		oom_after(n);
		int r = rebuild_facts(&source, &q, f, NULL);
		fired = oom_fired();
		size_t found = json_array_size(facts_get(f, fact_find("rebuilds")).set);
		assert_true(fired ? r < 0 || found <= 2 : r == 0 && found == 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_listed_rebuilder_counts_once),
		cmocka_unit_test(only_this_image_of_this_source_by_those_listed_counts),
		cmocka_unit_test(one_statement_of_two_is_two),
		cmocka_unit_test(what_cannot_be_found_out_stays_unknown),
		cmocka_unit_test(what_is_withheld_is_noticed_unless_there_is_enough),
		cmocka_unit_test(without_its_proof_it_is_nothing),
		cmocka_unit_test(without_the_chain_it_is_unknown_and_a_broken_one_is_an_attack),
		cmocka_unit_test(lack_of_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
