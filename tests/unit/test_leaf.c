/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/leaf.h"

#include <stdio.h>

#include "lib/base/hex.h"
#include "tests/unit/unit.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define Z64 "0000000000000000000000000000000000000000000000000000000000000000"

/* The first leaf of a product; its hash is by another program. */
#define FIRST \
	"{\"id\":\"" A64 "\",\"kind\":\"root\",\"prev\":\"" Z64 "\",\"product\":\"lego.nxt\"," \
	"\"role\":\"root\",\"seq\":1,\"sha256\":\"" B64 "\",\"version\":1}"
#define FIRST_HASH "28ded42c2162236d982a62eeea4b3218d226f30feccb5c50502e0d822434d455"
#define SECOND \
	"{\"id\":\"" B64 "\",\"kind\":\"eol\",\"prev\":\"" FIRST_HASH \
	"\",\"product\":\"lego.nxt\"," \
	"\"seq\":2,\"sha256\":\"" B64 "\",\"version\":1}"
#define SECOND_HASH "45c42f264ecb9de36be4014ac97e3315a991ce1cec00c94b8ffcb1066663dd83"
#define LINE1 "{\"index\":0,\"leaf\":" FIRST "}\n"
#define LINE2 "{\"index\":7,\"leaf\":" SECOND "}\n"

static struct leaf parsed(const char *text)
{
	struct leaf l;

	assert_int_equal(leaf_parse(text, strlen(text), &l, NULL), 0);
	return l;
}

static void assert_hash(const struct hash *h, const char *want)
{
	char hex[SHA256_HEX_SIZE];

	hex_encode(h->b, sizeof(h->b), hex);
	assert_string_equal(hex, want);
}

static void a_leaf_is_read_whole(void **state)
{
	struct leaf l = parsed(FIRST);

	(void)state;
	assert_string_equal(l.kind, "root");
	assert_string_equal(l.role, "root");
	assert_string_equal(l.product, "lego.nxt");
	assert_string_equal(l.id, A64);
	assert_string_equal(l.sha256, B64);
	assert_int_equal(l.version, 1);
	assert_int_equal(l.seq, 1);
	assert_hash(&l.prev, Z64);
	assert_hash(&l.hash, FIRST_HASH);
	l = parsed(SECOND);
	assert_string_equal(l.role, "");
	assert_hash(&l.prev, FIRST_HASH);
	assert_hash(&l.hash, SECOND_HASH);
}

static void a_leaf_is_written_as_it_is_read(void **state)
{
	static const char *const texts[] = {FIRST, SECOND};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(buf_clear) struct buf out = {0};
		struct leaf l = parsed(texts[i]);
		struct hash hash = l.hash;

		memset(&l.hash, 0, sizeof(l.hash));
		assert_int_equal(buf_puts(&out, "x", NULL), 0);
		assert_int_equal(leaf_write(&l, &out, NULL), 0);
		assert_string_equal(out.data + 1, texts[i]);
		assert_memory_equal(&l.hash, &hash, sizeof(hash));
	}
}

#define LEAF(kind, prev, product, rest) \
	"{\"id\":\"" A64 "\",\"kind\":\"" kind "\",\"prev\":\"" prev "\",\"product\":\"" product \
	"\"," rest "}"
#define TAIL "\"seq\":1,\"sha256\":\"" B64 "\",\"version\":1"

static void malformed_leaves_are_refused(void **state)
{
	static const struct {
		const char *text, *part;
	} bad[] = {
		{"", "leaf"},
		{"[]", "leaf"},
		{"{}", "leaf: kind"},
		{LEAF("", Z64, "lego.nxt", TAIL), "kind"},
		{LEAF("a234567890123456789012345678901234", Z64, "p", TAIL), "kind"},
		{LEAF("eol\\u0001", Z64, "p", TAIL), "control"},
		{LEAF("eol", Z64, "", TAIL), "product"},
		{LEAF("eol", Z64, "Lego", TAIL), "not a product id"},
		{LEAF("eol", Z64, ".nxt", TAIL), "not a product id"},
		{LEAF("eol", "00", "p", TAIL), "prev"},
		{LEAF("eol", A64, "p", TAIL), "prev: want 64 zeros for seq 1"},
		{LEAF("eol", Z64, "p", "\"seq\":2,\"sha256\":\"" B64 "\",\"version\":1"),
		 "prev: want 64 zeros for seq 1, and only there"},
		{LEAF("eol", Z64, "p", "\"seq\":0,\"sha256\":\"" B64 "\",\"version\":1"), "seq"},
		{LEAF("eol", Z64, "p", "\"seq\":1,\"sha256\":\"" B64 "\",\"version\":0"),
		 "version"},
		{LEAF("eol", Z64, "p", "\"seq\":1,\"sha256\":\"" B64 "\""), "version"},
		{LEAF("eol", Z64, "p", "\"seq\":1,\"sha256\":\"BB\",\"version\":1"), "sha256"},
		{LEAF("eol", Z64, "p", "\"role\":\"root\"," TAIL), "role: want one for a TUF"},
		{LEAF("eol", Z64, "p", "\"role\":null," TAIL), "role: want a text"},
		{LEAF("targets", Z64, "p", TAIL), "role: want one for a TUF"},
		{LEAF("targets", Z64, "p", "\"role\":\"\"," TAIL), "role"},
		{LEAF("targets", Z64, "p", "\"role\":\"a\\nb\"," TAIL), "control"},
		{LEAF("eol", Z64, "p", TAIL ",\"x\":1"), "x"},
		{LEAF("eol", Z64, "p", TAIL) "\n", "not canonical"},
		{" " LEAF("eol", Z64, "p", TAIL), "not canonical"},
		{LEAF("\\u0065ol", Z64, "p", TAIL), "not canonical"},
		{LEAF("eol", Z64, "p", "\"sha256\":\"" B64 "\",\"seq\":1,\"version\":1"),
		 "not canonical"}, /* order */
		{LEAF("eol", Z64, "p", TAIL ",\"version\":1"), ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct leaf l = {.seq = 77};
		struct error err = {0};

		assert_error(leaf_parse(bad[i].text, strlen(bad[i].text), &l, &err), E_INVALID,
			     &err, bad[i].part);
		assert_int_equal(l.seq, 77);
	}
}

static void a_leaf_that_could_not_be_read_is_not_written(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};
	const struct leaf good = parsed(FIRST);
	struct leaf bad[6];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = good;
	bad[0].id[0] = '\0';
	bad[1].sha256[63] = 'G';
	bad[2].version = 0;
	bad[3].seq = 2;
	bad[4].role[0] = '\0';
	bad[5].kind[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(leaf_write(&bad[i], &out, NULL), E_INVALID);
	assert_int_equal(out.len, 0);
}

static void leaves_are_bounded(void **state)
{
	char text[LEAF_MAX + 1];
	struct error err = {0};
	struct leaf l;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, FIRST, strlen(FIRST));
	assert_error(leaf_parse(text, LEAF_MAX, &l, &err), E_INVALID, &err, "not canonical");
	assert_error(leaf_parse(text, LEAF_MAX + 1, &l, &err), E_INVALID, &err, "longer than");
}

static void a_chain_is_read_in_order(void **state)
{
	CLEANUP(leaf_chain_clear) struct leaf_chain c = {0};

	(void)state;
	assert_int_equal(leaf_chain_parse(LINE1 LINE2, strlen(LINE1 LINE2), "lego.nxt", &c, NULL),
			 0);
	assert_int_equal(c.n, 2);
	assert_int_equal(c.leaves[0].index, 0);
	assert_int_equal(c.leaves[1].index, 7);
	assert_hash(&c.leaves[1].hash, SECOND_HASH);
	assert_ptr_equal(leaf_chain_find(&c, A64), &c.leaves[0]);
	assert_ptr_equal(leaf_chain_find(&c, B64), &c.leaves[1]);
	assert_null(leaf_chain_find(&c, Z64));
	assert_ptr_equal(leaf_chain_first_root(&c, 1), &c.leaves[0]);
	assert_null(leaf_chain_first_root(&c, 2));
}

static void a_chain_of_none_is_a_chain(void **state)
{
	struct leaf_chain c = {.n = 7};

	(void)state;
	assert_int_equal(leaf_chain_parse("", 0, "lego.nxt", &c, NULL), 0);
	assert_int_equal(c.n, 0);
	assert_int_equal(leaf_chain_parse(NULL, 0, "lego.nxt", &c, NULL), 0);
	assert_int_equal(c.n, 0);
	leaf_chain_clear(&c);
}

static void lines_are_written_as_they_are_read(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};
	struct leaf first = parsed(FIRST), second = parsed(SECOND);

	(void)state;
	second.index = 7;
	assert_int_equal(leaf_line(&first, &out, NULL), 0);
	assert_int_equal(leaf_line(&second, &out, NULL), 0);
	assert_string_equal(out.data, LINE1 LINE2);
	second.seq = 0;
	assert_int_equal(leaf_line(&second, &out, NULL), E_INVALID);
	assert_string_equal(out.data, LINE1 LINE2);
}

static void broken_chains_are_untrusted(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *part;
	} bad[] = {
		{LINE2, E_UNTRUSTED, "line 1: seq: want 1, got 2"},
		{LINE1 LINE1, E_UNTRUSTED, "line 2: two leaves with seq 1"},
		{LINE1 LINE2 LINE2, E_UNTRUSTED, "line 3: two leaves with seq 2"},
		{LINE1 LINE2 LINE1, E_UNTRUSTED, "line 3: seq: want 3, got 1"},
		{LINE1 "{\"index\":7,\"leaf\":" LEAF("eol", B64, "lego.nxt",
						     "\"seq\":2,\"sha256\":\"" B64
						     "\",\"version\":1") "}\n",
		 E_UNTRUSTED, "line 2: prev: not the hash"},
		{LINE1 "{\"index\":0,\"leaf\":" SECOND "}\n", E_UNTRUSTED, "index: not above"},
		{"{\"index\":0,\"leaf\":" LEAF("eol", Z64, "other", TAIL) "}\n", E_UNTRUSTED,
		 "a leaf of product other"},
		{"\n", E_INVALID, "line 1"},
		{LINE1 "\n", E_INVALID, "line 2"},
		{"{\"index\":0,\"leaf\":" FIRST "}", E_INVALID, "line 1: cut short"},
		{"{\"index\":-1,\"leaf\":" FIRST "}\n", E_INVALID, "index"},
		{"{\"leaf\":" FIRST "}\n", E_INVALID, "index"},
		{"{\"index\":0}\n", E_INVALID, "leaf"},
		{"{\"index\":0,\"leaf\":[]}\n", E_INVALID, "leaf"},
		{"{\"index\":0,\"leaf\":" FIRST ",\"x\":1}\n", E_INVALID, "x"},
		{"{\"index\":0,\"leaf\":{\"id\":1}}\n", E_INVALID, "leaf"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct leaf_chain c = {.n = 77};
		struct error err = {0};

		assert_error(
			leaf_chain_parse(bad[i].text, strlen(bad[i].text), "lego.nxt", &c, &err),
			bad[i].code, &err, bad[i].part);
		assert_int_equal(c.n, 77);
	}
}

/* One changed byte anywhere in a leaf that others follow breaks the chain. */
static void nothing_in_a_chain_can_be_changed(void **state)
{
	static const char *const changes[][2] = {
		{"aaaa", "aaab"},
		{"\"seq\":1", "\"seq\":3"},
		{"bbbb", "bbba"},
		{"\"version\":1", "\"version\":2"},
		{"\"role\":\"root\"", "\"role\":\"boot\""},
	};
	struct leaf_chain c = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		char text[] = LINE1 LINE2;

		memcpy(strstr(text, changes[i][0]), changes[i][1], strlen(changes[i][1]));
		assert_true(leaf_chain_parse(text, strlen(text), "lego.nxt", &c, NULL) < 0);
	}
}

/* Append the lines of `n` leaves. */
static void make_chain(size_t n, struct buf *out)
{
	struct leaf l = parsed(FIRST);

	for (size_t i = 0; i < n; i++) {
		l.seq = (int64_t)i + 1;
		l.index = i;
		l.version = (int64_t)(i / 2) + 1; /* each root version twice */
		assert_int_equal(leaf_line(&l, out, NULL), 0);
		CLEANUP(buf_clear) struct buf bytes = {0};
		assert_int_equal(leaf_write(&l, &bytes, NULL), 0);
		l.prev = l.hash;
	}
}

static void the_first_root_of_a_version_counts(void **state)
{
	CLEANUP(leaf_chain_clear) struct leaf_chain c = {0};
	CLEANUP(buf_clear) struct buf text = {0};

	(void)state;
	make_chain(100, &text);
	assert_int_equal(leaf_chain_parse(text.data, text.len, "lego.nxt", &c, NULL), 0);
	assert_int_equal(c.n, 100);
	for (int64_t v = 1; v <= 50; v++)
		assert_int_equal(leaf_chain_first_root(&c, v)->seq, 2 * v - 1);
}

static void out_of_memory_is_reported(void **state)
{
	CLEANUP(buf_clear) struct buf text = {0};
	long n = 0;
	int r;

	(void)state;
	make_chain(17, &text); /* one more than the first allocation holds */
	for (;; n++) {
		struct leaf_chain c = {.n = 77};
		struct leaf l;

		oom_after(n);
		r = leaf_chain_parse(text.data, text.len, "lego.nxt", &c, NULL);
		if (r == 0) {
			leaf_chain_clear(&c);
			r = leaf_parse(FIRST, strlen(FIRST), &l, NULL);
		}
		if (!oom_fired())
			break;
		assert_int_equal(r, E_NOMEM);
	}
	assert_int_equal(r, 0);
	assert_true(n > 17);
}

struct heard {
	int64_t seq;
	int answer;
};

static int hear(void *ctx, const struct leaf *l, struct error *err)
{
	struct heard *h = ctx;

	h->seq = l->seq;
	return h->answer < 0 ? error_set(err, h->answer, "enough") : 0;
}

static void a_chain_may_come_in_any_pieces(void **state)
{
	static const char text[] = LINE1 LINE2;
	const size_t size = strlen(text);

	(void)state;
	for (size_t cut = 0; cut <= size; cut++) {
		CLEANUP(leaf_reader_freep) struct leaf_reader *r = NULL;
		struct heard h = {0};
		const struct leaf_sink sink = {hear, &h};

		assert_int_equal(leaf_reader_new("lego.nxt", &sink, &r, NULL), 0);
		assert_int_equal(leaf_reader_feed(r, text, cut, NULL), 0);
		assert_int_equal(h.seq, cut == size ? 2 : cut >= strlen(LINE1));
		assert_int_equal(leaf_reader_end(r, NULL),
				 cut == 0 || cut == strlen(LINE1) || cut == size ? 0 : E_INVALID);
		assert_int_equal(leaf_reader_feed(r, text + cut, size - cut, NULL), 0);
		assert_int_equal(h.seq, 2);
		assert_int_equal(leaf_reader_end(r, NULL), 0);
	}
}

static void whoever_takes_leaves_may_end_it(void **state)
{
	CLEANUP(leaf_reader_freep) struct leaf_reader *r = NULL;
	struct heard h = {.answer = E_FULL};
	const struct leaf_sink sink = {hear, &h};
	struct error err = {0};

	(void)state;
	assert_int_equal(leaf_reader_new("lego.nxt", &sink, &r, NULL), 0);
	assert_error(leaf_reader_feed(r, LINE1 LINE2, strlen(LINE1 LINE2), &err), E_FULL, &err,
		     "enough");
	assert_int_equal(h.seq, 1);
}

static void a_line_that_never_ends_is_bounded(void **state)
{
	CLEANUP(leaf_reader_freep) struct leaf_reader *r = NULL;
	struct heard h = {0};
	const struct leaf_sink sink = {hear, &h};
	char block[512];
	struct error err = {0};
	size_t fed = 0;

	(void)state;
	memset(block, ' ', sizeof(block));
	assert_int_equal(leaf_reader_new("lego.nxt", &sink, &r, NULL), 0);
	for (; fed < LEAF_MAX && leaf_reader_feed(r, block, sizeof(block), &err) == 0;)
		fed += sizeof(block);
	assert_int_equal(fed, LEAF_MAX);
	assert_error(leaf_reader_feed(r, block, sizeof(block), &err), E_INVALID, &err,
		     "line 1: longer than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_is_read_whole),
		cmocka_unit_test(a_leaf_is_written_as_it_is_read),
		cmocka_unit_test(malformed_leaves_are_refused),
		cmocka_unit_test(a_leaf_that_could_not_be_read_is_not_written),
		cmocka_unit_test(leaves_are_bounded),
		cmocka_unit_test(a_chain_is_read_in_order),
		cmocka_unit_test(a_chain_of_none_is_a_chain),
		cmocka_unit_test(lines_are_written_as_they_are_read),
		cmocka_unit_test(broken_chains_are_untrusted),
		cmocka_unit_test(nothing_in_a_chain_can_be_changed),
		cmocka_unit_test(the_first_root_of_a_version_counts),
		cmocka_unit_test(a_chain_may_come_in_any_pieces),
		cmocka_unit_test(whoever_takes_leaves_may_end_it),
		cmocka_unit_test(a_line_that_never_ends_is_bounded),
		cmocka_unit_test(out_of_memory_is_reported),
	};

	return cmocka_run_group_tests_name("leaf", tests, NULL, NULL);
}
