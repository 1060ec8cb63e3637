/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tlog/checkpoint.h"

#include <stdio.h>

#include "lib/sign/ed25519.h"
#include "tests/support/tiles.h"
#include "tests/unit/unit.h"

#define DASH "\xe2\x80\x94 "
#define LOG_KEY "log.example/a+870806f8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
#define HEAD "log.example/a\n257\nHtoEmkNR2G92JSvX7At3Rq11t/oDFq1fVB29pFijEsQ=\n"
#define BY_LOG \
	DASH "log.example/a hwgG+Ci+YF9eaxBpy+3MDvsrJWmZZa8FuwkbPEwV3LM8y8fic1CeM+puZKPKCQ4Do4Sj05" \
	     "tch0vZMROpgf7fn+nDRQY=\n"
#define BY_1 \
	DASH "wit-1.example mRvdkQAAAABlU/IsbQGejtAlBQvkizTusxdYsXR7HiXRKppBPa5y7bZD8Li1mjMtt6tM4P" \
	     "pnxbDHlK0vwNGinLZrDUkHaxK2OvP3Cw==\n"
#define BY_2 \
	DASH "wit-2.example NG1/kQAAAABlU/FkMu1Un5tuQlZobvNWIDaJvxIB4fVUcptLUkxUsACyQNthnf0DLzG3RL" \
	     "HXhgpl9MNE373C9ql2q651Z5gF/DOvAA==\n"
#define BY_3 \
	DASH "wit-3.example LqiVgAAAAABlU/HIxdQuyQwskaVZVe+W3ixIW8ia8JgVamP4t41s8CBs7Dfj1ERFs7Yd7Q" \
	     "NaDNPoCyXD7tNGw15phzGppHs5UE9uAw==\n"

/* Made by another program: witnesses at 1700000300, 1700000100 and 1700000200. */
#define GOLDEN HEAD "\n" BY_LOG BY_1 BY_2 BY_3

static const char *const witness_keys[] = {
	"wit-1.example+991bdd91+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU",
	"wit-2.example+346d7f91+BO1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR",
	"wit-3.example+2ea89580+BMqTrBcFGHBx1nuDx/8O/oEI6OxFMFdddyaHkzPb2r58",
};

static struct log_policy policy(struct note_key witnesses[3], size_t threshold)
{
	struct log_policy p = {.witnesses = witnesses, .n = 3, .threshold = threshold};

	assert_int_equal(note_key_parse(LOG_KEY, &p.log, NULL), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(note_key_parse(witness_keys[i], &witnesses[i], NULL), 0);
	return p;
}

static struct checkpoint parsed(const char *text)
{
	struct checkpoint c;

	assert_int_equal(checkpoint_parse(text, strlen(text), &c, NULL), 0);
	return c;
}

static void seed_key(unsigned char fill, const char *name, int type, unsigned char seed[32],
		     struct note_key *out)
{
	unsigned char pub[32];

	memset(seed, fill, 32);
	assert_int_equal(ed25519_public(seed, pub, NULL), 0);
	assert_int_equal(note_key_make(name, type, pub, out, NULL), 0);
}

static void a_checkpoint_by_another_program_is_read(void **state)
{
	struct note_key w[3];
	struct log_policy p = policy(w, 2);
	struct checkpoint c = parsed(GOLDEN);
	struct witnessed when;

	(void)state;
	assert_string_equal(c.origin, "log.example/a");
	assert_int_equal(c.size, 257);
	assert_int_equal(c.root.b[0], 0x1e);
	assert_int_equal(c.root.b[31], 0xc4);
	assert_int_equal(checkpoint_verify(&c, &p, &when, NULL), 0);
	assert_int_equal(checkpoint_verify(&c, &p, NULL, NULL), 0);
}

static void what_is_signed_is_written_alike(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};
	struct checkpoint c = parsed(GOLDEN);

	(void)state;
	assert_int_equal(checkpoint_format("log.example/a", 257, &c.root, &out, NULL), 0);
	assert_string_equal(out.data, HEAD);
	assert_int_equal(checkpoint_format("", 1, &c.root, &out, NULL), E_INVALID);
	assert_int_equal(checkpoint_format("a\nb", 1, &c.root, &out, NULL), E_INVALID);
	assert_int_equal(checkpoint_format("a", (uint64_t)INT64_MAX + 1, &c.root, &out, NULL),
			 E_INVALID);
	assert_string_equal(out.data, HEAD);
}

static void witnessed_time_is_the_thresholds(void **state)
{
	static const int64_t low[] = {1700000100, 1700000200, 1700000300};
	static const int64_t high[] = {1700000300, 1700000200, 1700000100};
	struct checkpoint c = parsed(GOLDEN);
	struct note_key w[3];
	struct witnessed when;

	(void)state;
	for (size_t t = 1; t <= 3; t++) {
		struct log_policy p = policy(w, t);

		assert_int_equal(checkpoint_verify(&c, &p, &when, NULL), 0);
		assert_true(when.known);
		assert_int_equal(when.low, low[t - 1]);
		assert_int_equal(when.high, high[t - 1]);
	}
}

static void without_a_threshold_no_time_is_known(void **state)
{
	struct note_key w[3];
	struct log_policy p = policy(w, 0);
	struct checkpoint c = parsed(GOLDEN);
	struct witnessed when = {.known = true};

	(void)state;
	assert_int_equal(checkpoint_verify(&c, &p, &when, NULL), 0);
	assert_false(when.known);
}

static void too_few_witnesses_are_refused(void **state)
{
	static const struct {
		const char *text;
		size_t have;
	} few[] = {
		{HEAD "\n" BY_LOG, 0},
		{HEAD "\n" BY_LOG BY_2, 1},
		{HEAD "\n" BY_LOG BY_3 BY_1, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(few); i++) {
		struct checkpoint c = parsed(few[i].text);
		struct note_key w[3];

		for (size_t t = 0; t <= 4; t++) {
			struct log_policy p = policy(w, t);
			struct error err = {0};
			char part[40];

			if (t <= few[i].have) {
				assert_int_equal(checkpoint_verify(&c, &p, NULL, NULL), 0);
				continue;
			}
			(void)snprintf(part, sizeof(part), "%zu of %zu witnesses", few[i].have, t);
			assert_error(checkpoint_verify(&c, &p, NULL, &err), E_UNTRUSTED, &err,
				     part);
		}
	}
}

static void the_log_itself_must_have_signed(void **state)
{
	struct checkpoint c = parsed(HEAD "\n" BY_1 BY_2 BY_3);
	struct checkpoint whole = parsed(GOLDEN);
	struct note_key w[3];
	struct log_policy p = policy(w, 1);
	struct error err = {0};

	(void)state;
	assert_error(checkpoint_verify(&c, &p, NULL, &err), E_UNTRUSTED, &err,
		     "not signed by log log.example/a");
	assert_int_equal(note_key_parse(witness_keys[0], &p.log, NULL), 0);
	assert_error(checkpoint_verify(&whole, &p, NULL, &err), E_UNTRUSTED, &err,
		     "of log log.example/a, not wit-1.example");
	/* A cosigner cannot stand in for the log, even under the origin's name. */
	memcpy(p.log.name, "log.example/a", sizeof("log.example/a"));
	assert_error(checkpoint_verify(&whole, &p, NULL, &err), E_UNTRUSTED, &err, "not signed");
}

static void a_log_does_not_cosign_for_itself(void **state)
{
	unsigned char seed[32];
	struct log_policy p = {.n = 0};
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(buf_clear) struct buf note = {0};
	struct hash root = {{1}};
	struct checkpoint c;
	struct error err = {0};

	(void)state;
	seed_key(1, "log", NOTE_COSIGNATURE, seed, &p.log);
	assert_int_equal(checkpoint_format("log", 5, &root, &text, NULL), 0);
	assert_int_equal(buf_printf(&note, NULL, "%s\n", text.data), 0);
	assert_int_equal(note_sign_line(&p.log, seed, &text, 5, &note, NULL), 0);
	c = parsed(note.data);
	assert_error(checkpoint_verify(&c, &p, NULL, &err), E_UNTRUSTED, &err, "not signed by log");
}

static void one_wrong_signature_of_a_known_key_rejects_all(void **state)
{
	static const char *const bad[] = {
		/* the time of witness 1 with the signature of another time */
		HEAD "\n" BY_LOG DASH
		     "wit-1.example mRvdkQAAAABlU/ItbQGejtAlBQvkizTusxdYsXR7HiXRKppBPa5y7bZD8Li1mj"
		     "Mtt6tM4PpnxbDHlK0vwNGinLZrDUkHaxK2OvP3Cw==\n" BY_2 BY_3,
		/* all zero */
		HEAD "\n" BY_LOG BY_2 BY_3 DASH
		     "wit-1.example mRvdkQAAAABlU/IsAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\n",
		/* another size, the log's and all cosignatures kept */
		"log.example/a\n258\nHtoEmkNR2G92JSvX7At3Rq11t/oDFq1fVB29pFijEsQ=\n\n" BY_LOG BY_1,
		"log.example/a\n257\nHtoEmkNR2G92JSvX7At3Rq11t/oDFq1fVB29pFijEsU=\n\n" BY_LOG BY_1,
		HEAD "extension\n\n" BY_LOG BY_1,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct note_key w[3];
		struct log_policy p = policy(w, 1);
		struct checkpoint c;

		c = parsed(bad[i]);
		assert_int_equal(checkpoint_verify(&c, &p, NULL, NULL), E_UNTRUSTED);
	}
}

/* Names and keys that are given twice, and what they count for a threshold of 2. */
static void one_key_is_one_witness(void **state)
{
	unsigned char log_seed[32], wit_seed[32], other_seed[32];
	struct note_key w[4];
	struct log_policy p = {.witnesses = w, .n = 3, .threshold = 2};
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(buf_clear) struct buf note = {0};
	struct hash root = {{1}};
	struct witnessed when;
	struct checkpoint c;
	struct error err = {0};

	(void)state;
	seed_key(1, "log", NOTE_ED25519, log_seed, &p.log);
	seed_key(2, "ann", NOTE_COSIGNATURE, wit_seed, &w[0]);
	seed_key(2, "ann-again", NOTE_COSIGNATURE, wit_seed, &w[1]);
	seed_key(1, "the-log", NOTE_COSIGNATURE, log_seed, &w[2]);
	seed_key(3, "bob", NOTE_COSIGNATURE, other_seed, &w[3]);
	assert_int_equal(checkpoint_format("log", 5, &root, &text, NULL), 0);
	assert_int_equal(buf_printf(&note, NULL, "%s\n", text.data), 0);
	assert_int_equal(note_sign_line(&p.log, log_seed, &text, 0, &note, NULL), 0);
	assert_int_equal(note_sign_line(&w[0], wit_seed, &text, 100, &note, NULL), 0);
	assert_int_equal(note_sign_line(&w[1], wit_seed, &text, 200, &note, NULL), 0);
	assert_int_equal(note_sign_line(&w[2], log_seed, &text, 300, &note, NULL), 0);
	assert_int_equal(note_sign_line(&w[3], other_seed, &text, 400, &note, NULL), 0);
	c = parsed(note.data);
	assert_error(checkpoint_verify(&c, &p, NULL, &err), E_UNTRUSTED, &err, "1 of 2 witnesses");
	p.n = 4;
	assert_int_equal(checkpoint_verify(&c, &p, &when, NULL), 0);
	assert_int_equal(when.low, 400);
	assert_int_equal(when.high, 100);
}

static void a_plain_signature_is_no_cosignature(void **state)
{
	unsigned char log_seed[32], seed[32];
	struct note_key w;
	struct log_policy p = {.witnesses = &w, .n = 1, .threshold = 1};
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(buf_clear) struct buf note = {0};
	struct hash root = {{1}};
	struct checkpoint c;
	struct error err = {0};

	(void)state;
	seed_key(1, "log", NOTE_ED25519, log_seed, &p.log);
	seed_key(2, "ann", NOTE_ED25519, seed, &w);
	assert_int_equal(checkpoint_format("log", 5, &root, &text, NULL), 0);
	assert_int_equal(buf_printf(&note, NULL, "%s\n", text.data), 0);
	assert_int_equal(note_sign_line(&p.log, log_seed, &text, 0, &note, NULL), 0);
	assert_int_equal(note_sign_line(&w, seed, &text, 0, &note, NULL), 0);
	c = parsed(note.data);
	assert_error(checkpoint_verify(&c, &p, NULL, &err), E_UNTRUSTED, &err, "0 of 1 witnesses");
}

static void the_empty_tree_has_one_root(void **state)
{
	unsigned char seed[32];
	struct log_policy p = {.n = 0};
	struct hash root;

	(void)state;
	seed_key(1, "log", NOTE_ED25519, seed, &p.log);
	merkle_empty(&root);
	for (int wrong = 0; wrong < 2; wrong++) {
		CLEANUP(buf_clear) struct buf text = {0};
		CLEANUP(buf_clear) struct buf note = {0};
		struct checkpoint c;

		root.b[5] ^= (unsigned char)wrong;
		assert_int_equal(checkpoint_format("log", 0, &root, &text, NULL), 0);
		assert_int_equal(buf_printf(&note, NULL, "%s\n", text.data), 0);
		assert_int_equal(note_sign_line(&p.log, seed, &text, 0, &note, NULL), 0);
		c = parsed(note.data);
		assert_int_equal(checkpoint_verify(&c, &p, NULL, NULL), wrong ? E_UNTRUSTED : 0);
	}
}

#define ROOT "HtoEmkNR2G92JSvX7At3Rq11t/oDFq1fVB29pFijEsQ="

static void malformed_checkpoints_are_refused(void **state)
{
	static const struct {
		const char *text, *part;
	} bad[] = {
		{"", "no empty line"},
		{"log\n\n" BY_LOG, "size: want a number"},
		{"\n1\n" ROOT "\n\n" BY_LOG, "origin"},
		{"log\n\n1\n" ROOT "\n\n" BY_LOG, "size: want a number"},
		{"log\n01\n" ROOT "\n\n" BY_LOG, "size: want a number"},
		{"log\n+1\n" ROOT "\n\n" BY_LOG, "size: want a number"},
		{"log\n-1\n" ROOT "\n\n" BY_LOG, "size: want a number"},
		{"log\n 1\n" ROOT "\n\n" BY_LOG, "size: want a number"},
		{"log\n0x1\n" ROOT "\n\n" BY_LOG, "size: want a number"},
		{"log\n9223372036854775808\n" ROOT "\n\n" BY_LOG, "size: want a number"},
		{"log\n18446744073709551617\n" ROOT "\n\n" BY_LOG, "size: want a number"},
		{"log\n1\n\n" BY_LOG, "no root"},
		{"log\n1\nHtoE\n\n" BY_LOG, "root: not a hash"},
		{"log\n1\n" ROOT "=\n\n" BY_LOG, "root: not a hash"},
		{"log\n1\nHtoEmkNR2G92JSvX7At3Rq11t/oDFq1fVB29pFijEsQA\n\n" BY_LOG,
		 "root: not a hash"}, /* 33 bytes */
		{"log\n1\nHtoEmkNR2G92JSvX7At3Rq11t/oDFq1fVB29pFijEsR=\n\n" BY_LOG, "base64"},
		{"log\n1\n" ROOT "\n\nmore\n\n" BY_LOG, "an empty line in it"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct checkpoint c = {.size = 77};
		struct error err = {0};

		assert_error(checkpoint_parse(bad[i].text, strlen(bad[i].text), &c, &err),
			     E_INVALID, &err, bad[i].part);
		assert_non_null(strstr(err.text, "checkpoint: "));
		assert_int_equal(c.size, 77);
	}
}

static void sizes_reach_to_the_end(void **state)
{
	struct checkpoint c = parsed("log\n9223372036854775807\n" ROOT "\nextension\n\n" BY_LOG);

	(void)state;
	assert_true(c.size == INT64_MAX);
	assert_int_equal(parsed("log\n0\n" ROOT "\n\n" BY_LOG).size, 0);
}

/* --- proofs ---------------------------------------------------------------- */

/* The tree of 257 decimal numbers whose root GOLDEN has. */
static void grow(struct tiles *t)
{
	struct merkle_store s = tiles_store(t);
	struct hash leaves[257];

	for (unsigned i = 0; i < ARRAY_LEN(leaves); i++) {
		char text[12];

		merkle_leaf(text, (size_t)snprintf(text, sizeof(text), "%u", i), &leaves[i]);
	}
	assert_int_equal(merkle_append(&s, 0, leaves, ARRAY_LEN(leaves), NULL), 0);
}

static void a_written_proof_is_read_and_holds(void **state)
{
	CLEANUP(freep) struct tiles *t = tiles_new();
	struct merkle_store s = tiles_store(t);
	struct note_key w[3];
	struct log_policy p = policy(w, 2);

	(void)state;
	grow(t);
	for (unsigned i = 0; i < 257; i += 16) {
		CLEANUP(buf_clear) struct buf file = {0};
		struct merkle_proof siblings;
		struct tlog_proof proof;
		struct witnessed when = {.known = false};
		struct hash leaf;
		char text[12];

		merkle_leaf(text, (size_t)snprintf(text, sizeof(text), "%u", i), &leaf);
		assert_int_equal(merkle_prove_inclusion(&s, i, 257, &siblings, NULL), 0);
		assert_int_equal(
			tlog_proof_format(i, &siblings, GOLDEN, strlen(GOLDEN), &file, NULL), 0);
		assert_int_equal(tlog_proof_parse(file.data, file.len, &proof, NULL), 0);
		assert_int_equal(proof.index, i);
		assert_int_equal(tlog_proof_verify(&proof, &leaf, &p, &when, NULL), 0);
		assert_true(when.known);

		struct error err = {0};
		struct hash other = leaf;
		other.b[0] ^= 1;
		assert_error(tlog_proof_verify(&proof, &other, &p, &when, &err), E_UNTRUSTED, &err,
			     "log proof: inclusion proof");
		proof.index ^= 1;
		assert_int_equal(tlog_proof_verify(&proof, &leaf, &p, &when, NULL), E_UNTRUSTED);
		proof.index ^= 1;
		p.threshold = 4;
		assert_error(tlog_proof_verify(&proof, &leaf, &p, &when, &err), E_UNTRUSTED, &err,
			     "3 of 4 witnesses");
		p.threshold = 2;
	}
}

#define PROOF "c2sp.org/tlog-proof@v1\n"

static void proofs_are_written_as_specified(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};
	struct merkle_proof siblings = {.n = 1};
	struct checkpoint c = parsed(GOLDEN);

	(void)state;
	siblings.hash[0] = c.root;
	assert_int_equal(tlog_proof_format(0, &siblings, GOLDEN, strlen(GOLDEN), &out, NULL), 0);
	assert_string_equal(out.data, PROOF "index 0\n" ROOT "\n\n" GOLDEN);
}

static void what_was_read_is_written_again(void **state)
{
	static const char *const files[] = {
		PROOF "index 0\n\n" GOLDEN,
		PROOF "index 3\n" ROOT "\n" ROOT "\n\n" GOLDEN,
		PROOF "extra AAAA\nindex 9223372036854775807\n\n" GOLDEN,
		PROOF "extra AAA=\nindex 7\n" ROOT "\n\n" GOLDEN,
		PROOF "extra \nindex 7\n\n" GOLDEN,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		CLEANUP(buf_clear) struct buf out = {0};
		struct tlog_proof p;

		assert_int_equal(tlog_proof_parse(files[i], strlen(files[i]), &p, NULL), 0);
		assert_int_equal(tlog_proof_write(&p, &out, NULL), 0);
		assert_string_equal(out.data, files[i]);
	}
}

static void the_extra_is_kept_and_proves_nothing(void **state)
{
	static const char text[] = PROOF "extra AAAA\nindex 9223372036854775807\n\n" GOLDEN;
	static const char without[] = PROOF "index 9223372036854775807\n\n" GOLDEN;
	struct tlog_proof p;

	(void)state;
	assert_int_equal(tlog_proof_parse(text, strlen(text), &p, NULL), 0);
	assert_int_equal(p.extra_len, 4);
	assert_memory_equal(p.extra, "AAAA", 4);
	assert_true(p.index == INT64_MAX);
	assert_int_equal(p.siblings.n, 0);
	assert_int_equal(tlog_proof_parse(without, strlen(without), &p, NULL), 0);
	assert_null(p.extra);
}

static void malformed_proofs_are_refused(void **state)
{
	static const struct {
		const char *text, *part;
	} bad[] = {
		{"", "first line"},
		{"c2sp.org/tlog-proof@v1", "first line"},
		{"c2sp.org/tlog-proof@v2\nindex 1\n\n" GOLDEN, "first line"},
		{"c2sp.org/tlog-proof@v11\nindex 1\n\n" GOLDEN, "first line"},
		{PROOF, "no index"},
		{PROOF "\n" GOLDEN, "index: want"},
		{PROOF "index 01\n\n" GOLDEN, "index: want"},
		{PROOF "index -1\n\n" GOLDEN, "index: want"},
		{PROOF "index  1\n\n" GOLDEN, "index: want"},
		{PROOF "index 9223372036854775808\n\n" GOLDEN, "index: want"},
		{PROOF "extra !\nindex 1\n\n" GOLDEN, "extra: base64"},
		{PROOF "extra AAAA\n", "no index"},
		{PROOF "extra AAAA\nextra AAAA\nindex 1\n\n" GOLDEN, "index: want"},
		{PROOF "index 1\n" ROOT "\n", "no empty line"},
		{PROOF "index 1\n" ROOT "\nAAAA\n\n" GOLDEN, "hash 1: not a hash"},
		{PROOF "index 1\n" ROOT " \n\n" GOLDEN, "hash 0: not a hash"},
		{PROOF "index 1\n\n", "checkpoint"},
		{PROOF "index 1\n\n\n" GOLDEN, "origin"},
		{PROOF "index 1\n" GOLDEN, "hash 0: not a hash"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct tlog_proof p = {.index = 77};
		struct error err = {0};

		assert_error(tlog_proof_parse(bad[i].text, strlen(bad[i].text), &p, &err),
			     E_INVALID, &err, bad[i].part);
		assert_int_equal(p.index, 77);
	}
}

static void nothing_is_no_proof(void **state)
{
	struct checkpoint c;
	struct tlog_proof p;

	(void)state;
	assert_int_equal(checkpoint_parse(NULL, 0, &c, NULL), E_INVALID);
	assert_int_equal(tlog_proof_parse(NULL, 0, &p, NULL), E_INVALID);
}

static void proofs_are_bounded(void **state)
{
	CLEANUP(buf_clear) struct buf text = {0};
	struct tlog_proof p;
	struct error err = {0};

	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		buf_clear(&text);
		assert_int_equal(buf_puts(&text, PROOF "index 1\n", NULL), 0);
		for (int i = 0; i < MERKLE_PROOF_MAX + extra; i++)
			assert_int_equal(buf_puts(&text, ROOT "\n", NULL), 0);
		assert_int_equal(buf_puts(&text, "\n" GOLDEN, NULL), 0);
		assert_int_equal(tlog_proof_parse(text.data, text.len, &p, &err),
				 extra ? E_INVALID : 0);
	}
	assert_non_null(strstr(err.text, "more than 63 hashes"));
	assert_int_equal(buf_reserve(&text, TLOG_PROOF_MAX + 1, NULL), 0);
	memset(text.data + text.len, 'x', TLOG_PROOF_MAX + 1 - text.len);
	assert_error(tlog_proof_parse(text.data, TLOG_PROOF_MAX + 1, &p, &err), E_INVALID, &err,
		     "longer than");
}

static void out_of_memory_is_reported(void **state)
{
	static const char text[] = PROOF "extra AAAA\nindex 1\n" ROOT "\n\n" GOLDEN;
	struct merkle_proof siblings = {.n = 5};
	struct note_key w[3];
	struct log_policy policy_ = policy(w, 3);
	struct hash root = {{0}};
	long n = 0;
	int r;

	(void)state;
	for (;; n++) {
		CLEANUP(buf_clear) struct buf out = {0};
		struct tlog_proof p;

		oom_after(n);
		r = tlog_proof_parse(text, strlen(text), &p, NULL);
		if (r == 0)
			r = checkpoint_verify(&p.checkpoint, &policy_, NULL, NULL);
		if (r == 0)
			r = checkpoint_format("log", 1, &root, &out, NULL);
		if (r == 0)
			r = tlog_proof_format(1, &siblings, GOLDEN, strlen(GOLDEN), &out, NULL);
		if (!oom_fired())
			break;
		assert_int_equal(r, E_NOMEM);
	}
	assert_int_equal(r, 0);
	assert_true(n > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_checkpoint_by_another_program_is_read),
		cmocka_unit_test(what_is_signed_is_written_alike),
		cmocka_unit_test(witnessed_time_is_the_thresholds),
		cmocka_unit_test(without_a_threshold_no_time_is_known),
		cmocka_unit_test(too_few_witnesses_are_refused),
		cmocka_unit_test(the_log_itself_must_have_signed),
		cmocka_unit_test(a_log_does_not_cosign_for_itself),
		cmocka_unit_test(one_wrong_signature_of_a_known_key_rejects_all),
		cmocka_unit_test(one_key_is_one_witness),
		cmocka_unit_test(a_plain_signature_is_no_cosignature),
		cmocka_unit_test(the_empty_tree_has_one_root),
		cmocka_unit_test(malformed_checkpoints_are_refused),
		cmocka_unit_test(sizes_reach_to_the_end),
		cmocka_unit_test(a_written_proof_is_read_and_holds),
		cmocka_unit_test(proofs_are_written_as_specified),
		cmocka_unit_test(what_was_read_is_written_again),
		cmocka_unit_test(the_extra_is_kept_and_proves_nothing),
		cmocka_unit_test(malformed_proofs_are_refused),
		cmocka_unit_test(nothing_is_no_proof),
		cmocka_unit_test(proofs_are_bounded),
		cmocka_unit_test(out_of_memory_is_reported),
	};

	return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
