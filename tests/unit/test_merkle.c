/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tlog/merkle.h"

#include <stdio.h>

#include "lib/base/hex.h"
#include "tests/support/tiles.h"
#include "tests/unit/unit.h"

/*
 * Leaf i is the decimal number i. Roots and proofs were made from the
 * definitions of RFC 9162 §2.1 (MTH, PATH, SUBPROOF) by another program.
 */
enum { SIZE = 70000, SMALL = 70 };

static const struct {
	uint64_t size;
	const char *root;
} roots[] = {
	{0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{1, "db3426e878068d28d269b6c87172322ce5372b65756d0789001d34835f601c03"},
	{2, "cb00989d94a569c0a678ae042b63dcd4625db96440517f37a6eb7976ea24ed4b"},
	{7, "a3e23b32ccb6bf96d092d165d8aa546e09829de8f03b0e8957581d1e16b92bdf"},
	{255, "32f85bcaa87d7bcd05728f09e9aeba350ba6a2f733830087f0597682848be5cb"},
	{256, "828515d033c19d8c901f37eccb8aed919667703486f8d2fff1cf7040321c5db1"},
	{257, "1eda049a4351d86f76252bd7ec0b7746ad75b7fa0316ad5f541dbda458a312c4"},
	{65536, "f025d06ed804859fd274a1bdacadd6e48ea87634aa91e1edb20143f9498cd02b"},
	{70000, "1a4cdfcb66374a0c0dcbef49acbd4976d13ee864fb3cb241fc943cad04f02f7e"},
};

static struct hash leaf_of(uint64_t i)
{
	struct hash h;
	char text[24];

	merkle_leaf(text, (size_t)snprintf(text, sizeof(text), "%u", (unsigned)i), &h);
	return h;
}

/* What every test reads: a tree of SIZE, appended in uneven batches. */
static int grow(void **state)
{
	struct tiles *t = tiles_new();
	struct merkle_store s = tiles_store(t);
	uint64_t size = 0;

	for (size_t batch = 1; size < SIZE; batch = batch * 3 % 1009) {
		struct hash leaves[1009];
		size_t n = SIZE - size < batch ? (size_t)(SIZE - size) : batch;

		for (size_t i = 0; i < n; i++)
			leaves[i] = leaf_of(size + i);
		if (merkle_append(&s, size, leaves, n, NULL) < 0)
			return -1;
		size += n;
	}
	*state = t;
	return 0;
}

static int drop(void **state)
{
	free(*state);
	return 0;
}

static struct hash root_of(void *state, uint64_t size)
{
	struct merkle_store s = tiles_store(state);
	struct hash h;

	assert_int_equal(merkle_root(&s, size, &h, NULL), 0);
	return h;
}

static void assert_hash(const struct hash *h, const char *want)
{
	char hex[SHA256_HEX_SIZE];

	hex_encode(h->b, sizeof(h->b), hex);
	assert_string_equal(hex, want);
}

static void roots_are_those_of_the_definition(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		struct hash h = root_of(*state, roots[i].size);

		assert_hash(&h, roots[i].root);
	}
}

/* The leaves and roots of the Certificate Transparency test suite. */
static void roots_are_those_of_certificate_transparency(void **state)
{
	static const struct {
		const char *leaf;
		size_t len;
		const char *root;
	} ct[] = {
		{"", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
		{"\0", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
		{"\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
		{"\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
		{"\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
		{"\x40\x41\x42\x43", 4,
		 "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
		{"\x50\x51\x52\x53\x54\x55\x56\x57", 8,
		 "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
		{"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
		 "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
	};
	CLEANUP(freep) struct tiles *t = tiles_new();
	struct merkle_store s = tiles_store(t);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ct); i++) {
		struct hash h;

		merkle_leaf(ct[i].leaf, ct[i].len, &h);
		assert_int_equal(merkle_append(&s, i, &h, 1, NULL), 0);
		assert_int_equal(merkle_root(&s, i + 1, &h, NULL), 0);
		assert_hash(&h, ct[i].root);
	}
}

static void assert_proof(const struct merkle_proof *p, size_t n, const char *sha256_of_all)
{
	char hex[SHA256_HEX_SIZE];

	assert_int_equal(p->n, n);
	sha256_hex(p->hash, p->n * sizeof(p->hash[0]), hex);
	assert_string_equal(hex, sha256_of_all);
}

static void inclusion_proofs_are_those_of_the_definition(void **state)
{
	static const struct {
		uint64_t index;
		size_t n;
		const char *sum;
	} want[] = {
		{0, 17, "834e90bf94e0793f400559c4912e0ea1e6265be0e53eb0ef946aceac71f62881"},
		{69999, 9, "06840adeb9aef6246e85c1dd08b547ca4a0b6f7c20da6a20ceed1be00bebfe4c"},
		{65535, 17, "f28ab759f69c32d0a5668eb3e45b21dd05ae827916cd894222a106d20f8f61d8"},
		{65536, 14, "f38ccfccec8efb20ea1159d3bf46d806713aef674afc0b136298c85d170dac07"},
	};
	struct merkle_store s = tiles_store(*state);

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct merkle_proof p;

		assert_int_equal(merkle_prove_inclusion(&s, want[i].index, SIZE, &p, NULL), 0);
		assert_proof(&p, want[i].n, want[i].sum);
	}
}

static void consistency_proofs_are_those_of_the_definition(void **state)
{
	static const struct {
		uint64_t old;
		size_t n;
		const char *sum;
	} want[] = {
		{1, 17, "834e90bf94e0793f400559c4912e0ea1e6265be0e53eb0ef946aceac71f62881"},
		{7, 18, "68b3450b9bf6ad57329ea9668ee4a9e4a9c7fdc437aaace2b4de5f9c10089744"},
		{256, 9, "7ba523d54a784f421a1d5af22742ebafb01bedf4c5b4375b6eef8a49090e9116"},
		{65535, 18, "6b601bcdffd786cc87e031f47e1bff054df8b8ab3b492bbcd329133ac0a36b3a"},
		{65536, 1, "08c5072bb2047f204fc175859dde7118068845dfd749145d47cc2d450b1f351b"},
		{69888, 4, "5dbd23145eadc0e26751ee326eef31aba642ad711b63c7b719104c1e7f2af966"},
		{69999, 10, "ca14402a1c3a57366260e6ec029e1d346ee0f5bfffa146bd3830ed20d20fcc01"},
	};
	struct merkle_store s = tiles_store(*state);

	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		struct merkle_proof p;

		assert_int_equal(merkle_prove_consistency(&s, want[i].old, SIZE, &p, NULL), 0);
		assert_proof(&p, want[i].n, want[i].sum);
	}
}

/* A proof must fail once anything about it is different. */
static void assert_only_this_inclusion(const struct hash *leaf, uint64_t index, uint64_t size,
				       struct merkle_proof *p, const struct hash *root)
{
	struct hash other = leaf_of(SIZE + 1);
	struct error err = {0};

	assert_int_equal(merkle_check_inclusion(leaf, index, size, p, root, NULL), 0);
	assert_error(merkle_check_inclusion(&other, index, size, p, root, &err), E_UNTRUSTED, &err,
		     "inclusion proof");
	assert_int_equal(merkle_check_inclusion(leaf, index, size, p, &other, NULL), E_UNTRUSTED);
	assert_int_equal(merkle_check_inclusion(leaf, index + 1, size, p, root, NULL), E_UNTRUSTED);
	assert_int_equal(merkle_check_inclusion(leaf, index - 1, size, p, root, NULL), E_UNTRUSTED);
	assert_int_equal(merkle_check_inclusion(leaf, index, 0, p, root, NULL), E_UNTRUSTED);
	for (size_t i = 0; i < p->n; i++) {
		p->hash[i].b[31] ^= 1;
		assert_error(merkle_check_inclusion(leaf, index, size, p, root, &err), E_UNTRUSTED,
			     &err, "another root");
		p->hash[i].b[31] ^= 1;
	}
	if (p->n) {
		p->n--;
		assert_error(merkle_check_inclusion(leaf, index, size, p, root, &err), E_UNTRUSTED,
			     &err, "too short");
		p->n++;
	}
	p->hash[p->n++] = other;
	assert_error(merkle_check_inclusion(leaf, index, size, p, root, &err), E_UNTRUSTED, &err,
		     "too long");
	p->n--;
}

static void every_leaf_of_small_trees_is_proved(void **state)
{
	struct merkle_store s = tiles_store(*state);

	for (uint64_t size = 1; size <= SMALL; size++) {
		struct hash root = root_of(*state, size);

		for (uint64_t i = 0; i < size; i++) {
			struct hash leaf = leaf_of(i);
			struct merkle_proof p;

			assert_int_equal(merkle_prove_inclusion(&s, i, size, &p, NULL), 0);
			assert_only_this_inclusion(&leaf, i, size, &p, &root);
		}
	}
}

/* Sizes beside each boundary of a tile, and what differs there. */
static const uint64_t edges[] = {1,   2,   7,    254,   255,   256,   257,   258,
				 511, 512, 4095, 65535, 65536, 65537, 69888, 70000};

static void leaves_around_tile_edges_are_proved(void **state)
{
	struct merkle_store s = tiles_store(*state);

	for (size_t e = 0; e < ARRAY_LEN(edges); e++) {
		struct hash root = root_of(*state, edges[e]);

		for (size_t k = 0; k < ARRAY_LEN(edges) && edges[k] <= edges[e]; k++) {
			struct hash leaf = leaf_of(edges[k] - 1);
			struct merkle_proof p;

			assert_int_equal(
				merkle_prove_inclusion(&s, edges[k] - 1, edges[e], &p, NULL), 0);
			assert_only_this_inclusion(&leaf, edges[k] - 1, edges[e], &p, &root);
		}
	}
}

static void assert_only_this_growth(uint64_t old, const struct hash *old_root, uint64_t size,
				    const struct hash *root, struct merkle_proof *p)
{
	struct hash other = leaf_of(SIZE + 1);
	struct error err = {0};

	assert_int_equal(merkle_check_consistency(old, old_root, size, root, p, NULL), 0);
	assert_error(merkle_check_consistency(old, &other, size, root, p, &err), E_UNTRUSTED, &err,
		     "consistency proof");
	if (old)
		assert_int_equal(merkle_check_consistency(old, old_root, size, &other, p, NULL),
				 E_UNTRUSTED);
	for (size_t i = 0; i < p->n; i++) {
		p->hash[i].b[0] ^= 0x80;
		assert_int_equal(merkle_check_consistency(old, old_root, size, root, p, NULL),
				 E_UNTRUSTED);
		p->hash[i].b[0] ^= 0x80;
	}
	if (p->n) {
		p->n--;
		assert_error(merkle_check_consistency(old, old_root, size, root, p, &err),
			     E_UNTRUSTED, &err, "too short");
		p->n++;
	}
	p->hash[p->n++] = other;
	assert_error(merkle_check_consistency(old, old_root, size, root, p, &err), E_UNTRUSTED,
		     &err, "too long");
	p->n--;
	if (old < size)
		assert_error(merkle_check_consistency(size, root, old, old_root, p, &err),
			     E_UNTRUSTED, &err, "the tree went from");
}

static void every_growth_of_small_trees_is_proved(void **state)
{
	struct merkle_store s = tiles_store(*state);

	for (uint64_t size = 0; size <= SMALL; size++) {
		struct hash root = root_of(*state, size);

		for (uint64_t old = 0; old <= size; old++) {
			struct hash old_root = root_of(*state, old);
			struct merkle_proof p;

			assert_int_equal(merkle_prove_consistency(&s, old, size, &p, NULL), 0);
			assert_only_this_growth(old, &old_root, size, &root, &p);
		}
	}
}

static void growth_across_tile_edges_is_proved(void **state)
{
	struct merkle_store s = tiles_store(*state);

	for (size_t e = 0; e < ARRAY_LEN(edges); e++) {
		struct hash root = root_of(*state, edges[e]);

		for (size_t k = 0; k <= e; k++) {
			struct hash old_root = root_of(*state, edges[k]);
			struct merkle_proof p;

			assert_int_equal(merkle_prove_consistency(&s, edges[k], edges[e], &p, NULL),
					 0);
			assert_only_this_growth(edges[k], &old_root, edges[e], &root, &p);
		}
	}
}

/* An old root that is not what the proof says must not pass because the new one is right. */
static void a_fork_is_not_consistent(void **state)
{
	struct merkle_store s = tiles_store(*state);
	struct hash root = root_of(*state, 257), fork;
	struct merkle_proof p;

	merkle_node(&root, &root, &fork);
	for (uint64_t old = 1; old < 257; old++) {
		assert_int_equal(merkle_prove_consistency(&s, old, 257, &p, NULL), 0);
		assert_int_equal(merkle_check_consistency(old, &fork, 257, &root, &p, NULL),
				 E_UNTRUSTED);
	}
}

static void what_is_out_of_range_is_refused(void **state)
{
	struct merkle_store s = tiles_store(*state);
	struct hash h = leaf_of(0);
	struct merkle_proof p;
	uint64_t over = (uint64_t)INT64_MAX + 1;

	assert_int_equal(merkle_prove_inclusion(&s, 5, 5, &p, NULL), E_INVALID);
	assert_int_equal(merkle_prove_inclusion(&s, 0, 0, &p, NULL), E_INVALID);
	assert_int_equal(merkle_prove_consistency(&s, 6, 5, &p, NULL), E_INVALID);
	assert_int_equal(merkle_root(&s, over, &h, NULL), E_INVALID);
	assert_int_equal(merkle_append(&s, over, &h, 1, NULL), E_INVALID);
	assert_int_equal(merkle_append(&s, INT64_MAX, &h, 1, NULL), E_INVALID);
}

static void one_leaf_costs_the_edge_tiles_only(void **state)
{
	CLEANUP(freep) struct tiles *t = tiles_new();
	struct merkle_store s = tiles_store(t);
	unsigned most = 0;

	(void)state;
	for (uint64_t i = 0; i < 70000; i++) {
		struct hash h = leaf_of(i);
		unsigned before = t->reads + t->writes;

		assert_int_equal(merkle_append(&s, i, &h, 1, NULL), 0);
		if (t->reads + t->writes - before > most)
			most = t->reads + t->writes - before;
	}
	assert_int_equal(most, 5); /* at 65536: read and fill two tiles, start a third */
	assert_in_range(t->writes, 70000, 70000 + 274);
	assert_in_range(t->reads, 0, 70000 + 274);
	assert_int_equal(t->n, 274 + 2 + 1);
}

static void a_proof_reads_few_tiles(void **state)
{
	struct tiles *t = *state;
	struct merkle_store s = tiles_store(t);
	struct merkle_proof p;
	unsigned before = t->reads;

	assert_int_equal(merkle_prove_inclusion(&s, 12345, SIZE, &p, NULL), 0);
	assert_in_range(t->reads - before, 1, 8);
	before = t->reads;
	assert_int_equal(merkle_prove_consistency(&s, 12345, SIZE, &p, NULL), 0);
	assert_in_range(t->reads - before, 1, 8);
}

static void errors_of_the_store_are_passed_on(void **state)
{
	CLEANUP(freep) struct tiles *t = tiles_new();
	CLEANUP(freep) struct hash *leaves = calloc(600, sizeof(*leaves));
	struct merkle_store s = tiles_store(t);
	struct merkle_proof p = {.n = 99};
	struct hash root = {{7}};
	struct error err = {0};

	(void)state;
	assert_int_equal(merkle_append(&s, 0, leaves, 600, NULL), 0);
	for (unsigned calls = 0; calls < 2; calls++) {
		t->fail_after = t->reads + t->writes + calls;
		assert_error(merkle_root(&s, 600, &root, &err), E_SYS, &err, "cannot be read");
		t->fail_after = t->reads + t->writes + calls;
		assert_error(merkle_prove_inclusion(&s, 3, 600, &p, &err), E_SYS, &err, "read");
		t->fail_after = t->reads + t->writes + calls;
		assert_error(merkle_prove_consistency(&s, 3, 600, &p, &err), E_SYS, &err, "read");
		t->fail_after = t->reads + t->writes + calls;
		assert_error(merkle_append(&s, 600, leaves, 300, &err), E_SYS, &err, "cannot be");
	}
	assert_int_equal(p.n, 99); /* untouched */
	assert_int_equal(root.b[0], 7);
}

static void out_of_memory_is_reported(void **state)
{
	struct merkle_store s = tiles_store(*state);
	struct hash h = leaf_of(0);
	struct merkle_proof p;

	oom_after(0);
	assert_int_equal(merkle_root(&s, 9, &h, NULL), E_NOMEM);
	oom_after(0);
	assert_int_equal(merkle_prove_inclusion(&s, 1, 9, &p, NULL), E_NOMEM);
	oom_after(0);
	assert_int_equal(merkle_prove_consistency(&s, 1, 9, &p, NULL), E_NOMEM);
	for (long n = 0; n < 2; n++) {
		oom_after(n);
		assert_int_equal(merkle_append(&s, SIZE, &h, 1, NULL), E_NOMEM);
		assert_int_equal(oom_fired(), 1);
	}
}

static void tile_paths_group_digits_by_three(void **state)
{
	static const struct {
		int level;
		uint64_t n;
		unsigned width;
		const char *path;
	} want[] = {
		{0, 0, 256, "tile/0/000"},
		{1, 0, 17, "tile/1/000.p/17"},
		{0, 273, 112, "tile/0/273.p/112"},
		{0, 999, 256, "tile/0/999"},
		{0, 1000, 256, "tile/0/x001/000"},
		{0, 1234067, 256, "tile/0/x001/x234/067"},
		{7, 1000000, 1, "tile/7/x001/x000/000.p/1"},
		{-1, 1234067, 256, "tile/entries/x001/x234/067"},
		{-1, 5, 255, "tile/entries/005.p/255"},
		{-1, UINT64_MAX, 255, "tile/entries/x018/x446/x744/x073/x709/x551/615.p/255"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		char path[TILE_PATH_SIZE];

		tile_path(want[i].level, want[i].n, want[i].width, path);
		assert_string_equal(path, want[i].path);
	}
}

/* From any leaf on, its proof and the leaves behind it give the root, and nothing else does. */
static void a_proof_and_what_follows_make_the_tree(void **state)
{
	const struct merkle_store s = tiles_store(*state);

	for (uint64_t size = 1; size <= SMALL; size++) {
		struct hash want, got;

		assert_int_equal(merkle_root(&s, size, &want, NULL), 0);
		for (uint64_t i = 0; i < size; i++) {
			const struct hash leaf = leaf_of(i);
			struct merkle_proof p;
			struct merkle_edge e;

			assert_int_equal(merkle_prove_inclusion(&s, i, size, &p, NULL), 0);
			merkle_edge_of_proof(&leaf, i, size, &p, &e);
			for (uint64_t k = i + 1; k < size; k++) {
				const struct hash next = leaf_of(k);

				assert_int_equal(e.size, k);
				merkle_edge_add(&e, &next);
			}
			merkle_edge_root(&e, &got);
			assert_int_equal(e.size, size);
			assert_memory_equal(&got, &want, sizeof(got));
			merkle_edge_add(&e, &leaf);
			merkle_edge_root(&e, &got);
			assert_memory_not_equal(&got, &want, sizeof(got));
		}
	}
}

static void an_edge_of_nothing_is_the_empty_tree(void **state)
{
	const struct merkle_edge none = {.size = 0};
	struct hash want, got;

	(void)state;
	merkle_empty(&want);
	merkle_edge_root(&none, &got);
	assert_memory_equal(&got, &want, sizeof(got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_are_those_of_the_definition),
		cmocka_unit_test(roots_are_those_of_certificate_transparency),
		cmocka_unit_test(inclusion_proofs_are_those_of_the_definition),
		cmocka_unit_test(consistency_proofs_are_those_of_the_definition),
		cmocka_unit_test(every_leaf_of_small_trees_is_proved),
		cmocka_unit_test(leaves_around_tile_edges_are_proved),
		cmocka_unit_test(every_growth_of_small_trees_is_proved),
		cmocka_unit_test(growth_across_tile_edges_is_proved),
		cmocka_unit_test(a_fork_is_not_consistent),
		cmocka_unit_test(what_is_out_of_range_is_refused),
		cmocka_unit_test(one_leaf_costs_the_edge_tiles_only),
		cmocka_unit_test(a_proof_reads_few_tiles),
		cmocka_unit_test(errors_of_the_store_are_passed_on),
		cmocka_unit_test(out_of_memory_is_reported),
		cmocka_unit_test(a_proof_and_what_follows_make_the_tree),
		cmocka_unit_test(an_edge_of_nothing_is_the_empty_tree),
		cmocka_unit_test(tile_paths_group_digits_by_three),
	};

	return cmocka_run_group_tests_name("merkle", tests, grow, drop);
}
