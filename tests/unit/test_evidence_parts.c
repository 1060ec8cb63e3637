/* SPDX-License-Identifier: Apache-2.0 */
/* Logs that moved, people who say too much, and vendors who come back. */
#include <stdio.h>

#include "lib/base/utc.h"
#include "lib/json/strict.h"
#include "policies/evidence.h"
#include "policies/ledger.h"
#include "tests/support/scene.h"
#include "tests/unit/unit.h"

#define ELSEWHERE "elsewhere.example/log"

/* --- logs that moved ----------------------------------------------------------------- */

/* The scene's log goes on elsewhere; `n` witnesses say so. The id is the statement's. */
static const char *move(struct scene *s, size_t n)
{
	return plog_say(s->p, "log-move", NULL, plog_move(s->p, ELSEWHERE), s->p->witness, n);
}

static void a_log_that_witnesses_moved_counts(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 3; n++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/declared");
		CLEANUP(buf_clear) struct buf checkpoint = {0};

		const char *eol = scene_eol(&s, false);
		(void)scene_vote(&s, "approval", 0, "eol", eol);
		(void)move(&s, n);
		(void)scene_vote(&s, "approval", 1, "eol", eol);
		scene_log_bridge(&s);
		scene_judge(&s);
		if (n < 2) {
			assert_untrusted(&s, "log \"" ELSEWHERE "\" is none that root 1 names");
			continue;
		}
		assert_answer(&s, ANSWER_YES);
		assert_int_equal(json_array_size(s.e.used), 4);
	}
}

static void a_log_moves_on_from_where_it_moved(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/declared");

	(void)state;
	(void)scene_eol(&s, true);
	(void)move(&s, 2);
	(void)plog_say(s.p, "log-move", NULL, plog_move(s.p, "third.example/log"), s.p->witness, 2);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
}

/* What the thief of the old key writes into the old log from then on is no evidence. */
static void the_old_log_counts_no_further_than_it_was_moved(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/declared");
	const struct note_key old = s.p->log_key;
	unsigned char seed[32];

	(void)state;
	memcpy(seed, s.p->log_seed, sizeof(seed));
	(void)move(&s, 2);
	(void)scene_eol(&s, true);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
	s.p->log_key = old;
	memcpy(s.p->log_seed, seed, sizeof(seed));
	plog_prove_again(s.p, scene_bridge_id(&s));
	scene_judge(&s);
	assert_answer(&s, ANSWER_UNKNOWN);
}

/* The new log has every leaf of the old one: it is not smaller, and is not another tree. */
static void a_moved_log_holds_the_old_one(void **state)
{
	static const struct {
		json_int_t more;
		bool other;
		const char *text;
	} cases[] = {
		{1000, false, "is smaller than the log before it"},
		{2, true,
		 "is not the log before it"}, /* of exactly the size at which it is shown */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/declared");
		json_t *body;

		(void)scene_eol(&s, true);
		body = plog_move(s.p, ELSEWHERE);
		json_int_t size = json_integer_value(json_object_get(body, "size"));
		assert_int_equal(
			json_object_set_new(body, "size", json_integer(size + cases[i].more)), 0);
		(void)plog_say(s.p, "log-move", NULL, body, s.p->witness, 2);
		scene_log_bridge(&s);
		scene_judge(&s);
		assert_untrusted(&s, cases[i].text);
	}
}

static void a_move_that_is_withheld_leaves_it_unknown(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/declared");

	(void)state;
	(void)scene_eol(&s, true);
	const char *id = move(&s, 2);
	scene_log_bridge(&s);
	plog_remove(s.p, "statements/", id, ".json");
	scene_judge(&s);
	assert_answer(&s, ANSWER_UNKNOWN);
}

static void a_move_is_of_this_product_and_of_a_log_that_counts(void **state)
{
	static const char *const edits[][2] = {
		{"product", "other.x1"},
		{"origin", "stranger.example/log"},
		{"vkey", NULL}, /* a witness as a log would vouch for itself */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		CLEANUP(scene_clear) struct scene s = scene_open(3, "release/declared");
		CLEANUP(buf_clear) struct buf witness = {0};
		struct note_key key = s.p->witness_key[0];
		struct error err = {0};
		json_t *body;

		(void)scene_eol(&s, true);
		body = plog_move(s.p, ELSEWHERE);
		(void)snprintf(key.name, sizeof(key.name), "%s", ELSEWHERE);
		assert_int_equal(note_key_make(ELSEWHERE, NOTE_ED25519, key.pub, &key, &err), 0);
		assert_int_equal(note_key_format(&key, &witness, &err), 0);
		assert_int_equal(
			json_object_set_new(body, edits[i][0],
					    json_string(edits[i][1] ? edits[i][1] : witness.data)),
			0);
		(void)plog_say(s.p, "log-move", NULL, body, s.p->witness, 3);
		scene_log_bridge(&s);
		scene_judge(&s);
		assert_untrusted(&s, "is none that root 1 names");
	}
}

static void nobody_moves_a_log_without_witnesses(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	(void)scene_eol(&s, true);
	(void)move(&s, 3);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_untrusted(&s, "is none that root 1 names");
}

static void a_changed_move_is_untrusted(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/declared");

	(void)state;
	const char *eol = scene_eol(&s, true);
	const char *id = move(&s, 2);
	scene_log_bridge(&s);
	const struct buf *other = plog_file(s.p, "statements/", eol, ".json");
	struct buf *file = plog_file(s.p, "statements/", id, ".json");
	buf_clear(file);
	assert_int_equal(buf_add(file, other->data, other->len, NULL), 0);
	scene_judge(&s);
	assert_untrusted(&s, "is another document");
}

/* --- who says too much --------------------------------------------------------------- */

/* One trustee who never stops does not drown the others. */
static void a_trustee_has_so_many_words(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	const char *eol = scene_eol(&s, false);
	for (int i = 0; i < LEDGER_SEAT_WORDS; i++)
		(void)scene_vote(&s, i % 2 ? "approval" : "refusal", 2, "eol", eol);
	(void)scene_vote(&s, "refusal", 2, "eol", eol); /* one too many */
	(void)scene_vote(&s, "approval", 0, "eol", eol);
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_YES);
	assert_int_equal(json_array_size(s.e.used), 4);
}

/* Nor does a vendor, whatever it says over and over. */
static void a_vendor_has_so_many_words_of_each_kind(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");

	(void)state;
	for (int i = 0; i < LEDGER_VENDOR_WORDS; i++)
		(void)plog_say(s.p, "eol", s.root,
			       json_pack("{s:s}", "date", "2030-01-31T00:00:00Z"), s.p->vendor, 2);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_NO);
	(void)scene_eol(&s, true); /* by its own fault */
	scene_judge_deposit(&s);
	assert_int_not_equal(s.e.released, ANSWER_YES);
}

/* No number of updates or heartbeats takes the place of what matters. */
static void signs_of_life_are_not_records(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(0, "release/declared");
	CLEANUP(ledger_close) struct ledger h = {0};
	const struct evidence_query q = {.product = PLOG_PRODUCT, .from = s.root, .to = s.bridge};
	const struct evidence_source source = plog_source(s.p);
	const char *lacking = NULL;
	struct error err = {0};

	(void)state;
	for (int i = 0; i < 5; i++) {
		scene_publish(&s);
		scene_heartbeat(&s);
	}
	(void)scene_eol(&s, true);
	scene_log_bridge(&s);
	scene_judge(&s);
	assert_answer(&s, ANSWER_YES);
	h = (struct ledger){.source = &source, .query = &q, .chain = &s.e.chain};
	assert_int_equal(ledger_open(&h, &lacking, &err), 0);
	assert_null(lacking);
	size_t reads = h.reads;
	assert_int_equal(ledger_collect(&h, &s.e.deposit, h.end, &err), 0);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.reads - reads, 1);
	assert_int_equal(h.nlife, 10);
}

static void a_withheld_heartbeat_leaves_silence_unknown(void **state)
{
	CLEANUP(scene_clear) struct scene s = scene_open(3, "release/standard");

	(void)state;
	scene_pass_days(&s, 20);
	scene_heartbeat(&s);
	const char *beat = s.p->leaves[s.p->nleaves - 1].id;
	scene_pass_days(&s, 175);
	const char *notice = scene_notice(&s, 0, "silence");
	scene_pass_days(&s, 31);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	plog_remove(s.p, "statements/", beat, ".json");
	scene_judge_deposit(&s);
	assert_answer(&s, ANSWER_UNKNOWN);
}

/* --- vendors who come back -------------------------------------------------------------- */

/* Root 4 gives the product to a vendor of these keys, by a succession fourteen days old. */
static void judge_return(struct signer *const *keys, struct scene *s)
{
	const struct root_spec spec = {.version = 4,
				       .threshold = 2,
				       .keys = keys,
				       .nkeys = 3,
				       .publisher = "acme",
				       .kind = "vendor",
				       .signers = {s->p->steward, keys}};
	struct signer *by[] = {s->p->steward[0], s->p->steward[1], keys[0], keys[1]};
	CLEANUP(tuf_root_freep) struct tuf_root *vendor = plog_vendor_root(s->p);
	const struct tuf_root *const earlier[] = {vendor};

	tuf_root_free(s->bridge);
	s->bridge = plog_root(s->p, &spec);
	(void)plog_say(s->p, "succession", NULL,
		       json_pack("{s:s, s:s, s:s}", "from", envelope_id(s->root->doc), "to",
				 scene_bridge_id(s), "reason", "the vendor is back"),
		       by, 4);
	scene_pass_days(s, 15);
	scene_log_bridge(s);
	const struct evidence_query q = {.product = PLOG_PRODUCT,
					 .from = s->root,
					 .to = s->bridge,
					 .earlier = earlier,
					 .nearlier = 1};
	scene_gather(s, &q);
}

static void a_vendor_returns_with_new_keys_only(void **state)
{
	(void)state;
	for (int c = 0; c < 3; c++) {
		CLEANUP(scene_clear) struct scene s = {.p = NULL};

		scene_succession(&s, 3);
		struct signer *const *trustee = s.p->trustee;
		struct signer *const one_old[] = {trustee[0], trustee[1], s.p->vendor[2]};
		struct signer *const one_steward[] = {trustee[0], trustee[1], s.p->steward[2]};
		judge_return(c == 0 ? trustee : c == 1 ? one_old : one_steward, &s);
		if (c == 0)
			assert_answer(&s, ANSWER_YES);
		else
			assert_untrusted(&s, c == 1 ? "root 1 has one of these"
						    : "root 3 has one of these");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_that_witnesses_moved_counts),
		cmocka_unit_test(a_log_moves_on_from_where_it_moved),
		cmocka_unit_test(the_old_log_counts_no_further_than_it_was_moved),
		cmocka_unit_test(a_moved_log_holds_the_old_one),
		cmocka_unit_test(a_move_that_is_withheld_leaves_it_unknown),
		cmocka_unit_test(a_move_is_of_this_product_and_of_a_log_that_counts),
		cmocka_unit_test(nobody_moves_a_log_without_witnesses),
		cmocka_unit_test(a_changed_move_is_untrusted),
		cmocka_unit_test(a_trustee_has_so_many_words),
		cmocka_unit_test(a_vendor_has_so_many_words_of_each_kind),
		cmocka_unit_test(signs_of_life_are_not_records),
		cmocka_unit_test(a_withheld_heartbeat_leaves_silence_unknown),
		cmocka_unit_test(a_vendor_returns_with_new_keys_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
