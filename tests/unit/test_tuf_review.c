/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tuf/review.h"

#include <stdio.h>

#include "lib/base/utc.h"
#include "lib/json/clone.h"
#include "lib/sign/signer.h"
#include "lib/tuf/reach.h"
#include "lib/tuf/repo.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1893456000) /* 2030-01-01T00:00:00Z */

/* Targets 3 with a delegation to each of these names, by one key, with these patterns. */
static json_t *delegating(const char *const *names, const char *const *patterns, size_t n)
{
	char keyid[KEYID_MAX + 1] = "";
	json_t *body = NULL, *key = NULL;
	struct error err = {0};

	/* the base point: any key that can be used will do */
	unsigned char pub[32] = {0x58};
	memset(pub + 1, 0x66, sizeof(pub) - 1);
	assert_int_equal(key_object_ed25519(pub, &key, keyid, &err), 0);
	assert_int_equal(repo_signed_new(TUF_TARGETS, NULL, 3, NOW, &body, &err), 0);
	for (size_t i = 0; i < n; i++) {
		CLEANUP(json_decrefp) json_t *paths = json_pack("[s]", patterns[i]);

		assert_int_equal(repo_delegate(body, names[i], paths, 1, &err), 0);
		assert_int_equal(repo_delegate_key(body, names[i], keyid, key, &err), 0);
	}
	json_decref(key);
	return body;
}

static int review(json_t *body_take, int64_t last, int64_t now, struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;

	assert_int_equal(envelope_new(body_take, &doc, err), 0);
	const struct buf *b = envelope_bytes(doc);
	assert_int_equal(tuf_role_parse(b->data, b->len, TUF_TARGETS, "t", &role, err), 0);
	return review_targets(role, last, now, err);
}

static void expired_or_old_targets_are_not_published(void **state)
{
	const int64_t end = NOW + INT64_C(90) * DAY_S;
	struct error err = {0};

	(void)state;
	assert_int_equal(review(delegating(NULL, NULL, 0), 2, end - 1, &err), 0);
	assert_error(review(delegating(NULL, NULL, 0), 2, end, &err), E_INVALID, &err,
		     "signed.expires: lies in the past");
	assert_error(review(delegating(NULL, NULL, 0), 3, NOW, &err), E_INVALID, &err,
		     "signed.version: want more than 3, got 3");
}

static void a_hash_that_no_client_knows_is_not_published(void **state)
{
	json_t *body = delegating(NULL, NULL, 0);
	struct error err = {0};

	(void)state;
	assert_int_equal(repo_targets_add(body, "a", 1, "aa", NULL, &err), 0);
	assert_error(review(body, 0, NOW, &err), E_INVALID, &err,
		     "signed.targets[\"a\"]: cannot check its hash \"sha256\"");
}

/* "<sha256>." stands before it, and the whole is the name of a file. */
static void paths_leave_room_for_their_hash(void **state)
{
	static const char sha256[] =
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	char name[200], path[256];
	struct error err = {0};

	(void)state;
	memset(name, 'a', sizeof(name));
	for (size_t len = 190; len <= 191; len++) {
		for (int i = 0; i < 2; i++) {
			json_t *body = delegating(NULL, NULL, 0);

			(void)snprintf(path, sizeof(path), "%s%.*s", i ? "dir/" : "", (int)len,
				       name);
			assert_int_equal(repo_targets_add(body, path, 1, sha256, NULL, &err), 0);
			if (len == 190)
				assert_int_equal(review(body, 0, NOW, &err), 0);
			else
				assert_error(review(body, 0, NOW, &err), E_INVALID, &err,
					     "last component: want 1 to 190 bytes, got 191");
		}
	}
	json_t *body = delegating(NULL, NULL, 0);
	assert_int_equal(repo_targets_add(body, "dir/", 1, sha256, NULL, &err), 0);
	assert_error(review(body, 0, NOW, &err), E_INVALID, &err,
		     "signed.targets[\"dir/\"]: last component: want 1 to 190 bytes, got 0");
}

static void a_role_that_no_search_comes_to_is_not_published(void **state)
{
	static const char *const names[] = {"a", "b"};
	static const struct {
		const char *first, *second;
		bool ok;
	} cases[] = {
		{"x/*", "x/*", false},  {"x/*", "x/a", false}, {"*/*", "x/a", false},
		{"x/a", "x/*", true},   {"x/*", "y/*", true},  {"*", "x/*", true},
		{"x/a*", "x/ab", true}, /* it may be: only what is certain is refused */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *const patterns[] = {cases[i].first, cases[i].second};
		json_t *body = delegating(names, patterns, 2);
		json_t *loose = json_clone(body);
		struct error err = {0};

		assert_int_equal(review(loose, 0, NOW, &err), 0); /* none is terminating */
		assert_int_equal(repo_delegate_terminating(body, "a", true, &err), 0);
		int r = review(body, 0, NOW, &err);
		if (cases[i].ok)
			assert_int_equal(r, 0);
		else
			assert_error(r, E_INVALID, &err,
				     "signed.delegations: b: no search comes to it");
	}
}

/* One path that a search comes to is enough, wherever it stands. */
static void a_role_of_several_paths_needs_one_that_is_reached(void **state)
{
	static const char *const names[] = {"a", "b"}, *const patterns[] = {"x/*", "x/*"};
	static const struct {
		const char *one, *two;
		bool ok;
	} cases[] = {{"y", "x/a", true}, {"x/a", "y", true}, {"x/a", "x/b", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(json_decrefp)
		json_t *paths = json_pack("[s,s]", cases[i].one, cases[i].two);
		json_t *body = delegating(names, patterns, 2);
		struct error err = {0};

		assert_int_equal(repo_delegate(body, "b", paths, 1, &err), 0);
		assert_int_equal(repo_delegate_terminating(body, "a", true, &err), 0);
		assert_int_equal(review(body, 0, NOW, &err), cases[i].ok ? 0 : E_INVALID);
	}
}

static void a_search_ends_after_so_many_roles(void **state)
{
	const char *names[TUF_DELEGATIONS_MAX + 1], *patterns[TUF_DELEGATIONS_MAX + 1];
	static char text[TUF_DELEGATIONS_MAX + 1][8];
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i <= TUF_DELEGATIONS_MAX; i++) {
		(void)snprintf(text[i], sizeof(text[i]), "r%zu", i);
		names[i] = text[i];
		patterns[i] = "x/*";
	}
	assert_int_equal(review(delegating(names, patterns, TUF_DELEGATIONS_MAX), 0, NOW, &err), 0);
	assert_error(review(delegating(names, patterns, TUF_DELEGATIONS_MAX + 1), 0, NOW, &err),
		     E_INVALID, &err, "signed.delegations: r32: no search comes to it");
}

static void hash_prefixes_are_reviewed_like_paths(void **state)
{
	static const char *const names[] = {"a", "b"}, *const patterns[] = {"x", "y"};
	json_t *body = delegating(names, patterns, 2);
	CLEANUP(json_decrefp) json_t *wide = json_pack("[s]", "a");
	CLEANUP(json_decrefp) json_t *narrow = json_pack("[s,s]", "ab", "a0");
	struct error err = {0};

	(void)state;
	assert_int_equal(repo_delegate_hashed(body, "a", wide, 1, &err), 0);
	assert_int_equal(repo_delegate_hashed(body, "b", narrow, 1, &err), 0);
	assert_int_equal(repo_delegate_terminating(body, "a", true, &err), 0);
	assert_error(review(json_clone(body), 0, NOW, &err), E_INVALID, &err,
		     "signed.delegations: b: no search comes to it");
	assert_int_equal(repo_delegate_place(body, "b", 0, &err), 0);
	assert_int_equal(review(body, 0, NOW, &err), 0);
}

/* A further entry, by the key of the first. */
static void entry(json_t *body, const char *name, bool terminating, const char *rules,
		  json_t *list_take)
{
	json_t *roles = json_object_get(json_object_get(body, "delegations"), "roles");
	json_t *added = json_deep_copy(json_array_get(roles, 0));

	assert_int_equal(json_object_del(added, "paths"), 0);
	assert_int_equal(json_object_set_new(added, "name", json_string(name)), 0);
	assert_int_equal(json_object_set_new(added, "terminating", json_boolean(terminating)), 0);
	assert_int_equal(json_object_set_new(added, rules, list_take), 0);
	assert_int_equal(json_array_append_new(roles, added), 0);
}

/* As repositories have them that cut their targets into bins by themselves. */
static void thousands_of_roles_are_compared(void **state)
{
	enum { BINS = 4096 };
	static const char *const names[] = {"x"}, *const patterns[] = {"x"};
	json_t *body = delegating(names, patterns, 1);
	struct error err = {0};

	(void)state;
	for (unsigned i = 0; i < BINS; i++) {
		char prefix[8];

		(void)snprintf(prefix, sizeof(prefix), "%03x", i);
		entry(body, prefix, true, "path_hash_prefixes", json_pack("[s]", prefix));
	}
	entry(body, "wide", false, "path_hash_prefixes", json_pack("[s]", "ab"));
	assert_int_equal(review(json_deep_copy(body), 0, NOW, &err), 0);
	for (int same = 0; same < 2; same++) {
		json_t *more = json_deep_copy(body);

		entry(more, "narrow", false, "path_hash_prefixes",
		      json_pack("[s]", same ? "abc" : "abcd"));
		assert_error(review(more, 0, NOW, &err), E_INVALID, &err,
			     "signed.delegations: narrow: no search comes to it");
	}
	json_decref(body);
}

/* `name` or `*` in each of twelve places: bit by bit. */
static json_t *stars(char name, unsigned bits)
{
	char pattern[24];

	for (size_t i = 0; i < 12; i++) {
		pattern[2 * i] = (char)(bits >> i & 1 ? '*' : name);
		pattern[2 * i + 1] = '/';
	}
	return json_stringn(pattern, sizeof(pattern) - 1);
}

static void rules_that_take_too_long_to_compare_are_refused(void **state)
{
	/* A rule of 23 characters and their end takes each shape of its size: "x" has another. What
	 * is found so is compared once more. */
	enum { SHAPES = 4095, ONE = 24, FIRST = 2 + SHAPES + 1 + SHAPES * ONE };
	enum { AGAIN = (REACH_COMPARED_MAX - FIRST) / (1 + (SHAPES + 1) * ONE) };
	static const char *const names[] = {"x"}, *const patterns[] = {"x"};

	(void)state;
	for (int over = 0; over < 2; over++) {
		json_t *body = delegating(names, patterns, 1);
		json_t *all = json_pack("[o]", stars('b', 0)), *again = json_array();
		struct error err = {0};

		for (unsigned i = 0; i < SHAPES; i++)
			assert_int_equal(json_array_append_new(all, stars('a', i)), 0);
		for (int i = 0; i < AGAIN + over; i++)
			assert_int_equal(json_array_append_new(again, stars('b', 0)), 0);
		entry(body, "all", true, "paths", all);
		entry(body, "again", false, "paths", again);
		assert_error(review(body, 0, NOW, &err), E_INVALID, &err,
			     over ? "signed.delegations: to compare its rules takes more than "
				    "16777216 characters: want fewer"
				  : "signed.delegations: again: no search comes to it");
	}
}

static void paths_that_take_too_long_to_compare_are_refused(void **state)
{
	enum { PATHS = 4000, RULES = DELEGATION_EFFORT / PATHS };
	CLEANUP(json_decrefp) json_t *targets = json_object();
	CLEANUP(json_decrefp) json_t *rules = json_array();
	CLEANUP(json_decrefp) json_t *rule = json_pack("{s:O}", "paths", rules);
	struct delegation d = {.name = (char[]){"a"}, .rule = rule};
	const struct descent at = {.d = &d};
	struct error err = {0};

	(void)state;
	for (int i = 0; i < PATHS; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "%d", i);
		assert_int_equal(json_object_set_new(targets, path, json_object()), 0);
	}
	/* Each is compared with the first character of all rules, and then with `*`. */
	for (int i = 0; i < RULES; i++)
		assert_int_equal(json_array_append_new(rules, json_string("x")), 0);
	assert_int_equal(json_array_append_new(rules, json_string("*")), 0);
	assert_error(review_paths(targets, &at, &err), E_INVALID, &err,
		     "signed.delegations: to compare paths with its rules takes more than "
		     "67108864 characters: want fewer");
	for (int i = 0; i < 100; i++)
		assert_int_equal(json_array_remove(rules, 0), 0);
	assert_int_equal(review_paths(targets, &at, &err), 0);
}

static void patterns_made_elsewhere_are_reviewed(void **state)
{
	static const char *const names[] = {"a"}, *const patterns[] = {"x"};
	json_t *body = delegating(names, patterns, 1);
	json_t *roles = json_object_get(json_object_get(body, "delegations"), "roles");
	struct error err = {0};

	(void)state;
	json_object_set_new(json_array_get(roles, 0), "paths", json_pack("[s]", "{a,b}"));
	assert_error(review(body, 0, NOW, &err), E_INVALID, &err,
		     "signed.delegations: a: \"{a,b}\": want a path of plain text");
	body = delegating(names, patterns, 1);
	roles = json_object_get(json_object_get(body, "delegations"), "roles");
	json_object_del(json_array_get(roles, 0), "paths");
	json_object_set_new(json_array_get(roles, 0), "path_hash_prefixes", json_pack("[s]", "AB"));
	assert_error(review(body, 0, NOW, &err), E_INVALID, &err,
		     "signed.delegations: a: \"AB\": want 1 to 64 lower-case hex digits");
}

/* Ours takes it for false; python-tuf, tough and tuf-js refuse the whole file. */
static void terminating_is_written_out(void **state)
{
	static const char *const names[] = {"a"}, *const patterns[] = {"x"};
	json_t *body = delegating(names, patterns, 1);
	json_t *roles = json_object_get(json_object_get(body, "delegations"), "roles");
	struct error err = {0};

	(void)state;
	json_object_del(json_array_get(roles, 0), "terminating");
	assert_error(review(json_clone(body), 0, NOW, &err), E_INVALID, &err,
		     "signed.delegations: a: terminating: want true or false");
	json_object_set_new(json_array_get(roles, 0), "terminating", json_null());
	assert_error(review(body, 0, NOW, &err), E_INVALID, &err, "a: terminating: want");
}

/* A device could not store what it has fetched. */
static void names_too_long_for_a_file_are_reviewed(void **state)
{
	static const char *const names[] = {"a"}, *const patterns[] = {"x"};
	json_t *body = delegating(names, patterns, 1);
	json_t *roles = json_object_get(json_object_get(body, "delegations"), "roles");
	char name[79] = "";
	struct error err = {0};

	(void)state;
	memset(name, '#', sizeof(name) - 1);
	json_object_set_new(json_array_get(roles, 0), "name", json_string(name));
	assert_error(review(body, 0, NOW, &err), E_INVALID, &err, "its files cannot be named so");
}

static void thresholds_count_keys_that_can_be_used(void **state)
{
	static const char *const names[] = {"a"}, *const patterns[] = {"x"};
	CLEANUP(json_decrefp)
	json_t *odd = json_pack("{s:s, s:s, s:{s:s}}", "keytype", "sphincs", "scheme", "x",
				"keyval", "public", "00");
	json_t *body = delegating(names, patterns, 1), *bins = delegating(NULL, NULL, 0);
	CLEANUP(json_decrefp) json_t *paths = json_pack("[s]", "x");
	struct error err = {0};

	(void)state;
	assert_int_equal(repo_delegate(body, "a", paths, 2, &err), 0);
	assert_int_equal(repo_delegate_key(body, "a", "odd", odd, &err), 0);
	assert_error(review(body, 0, NOW, &err), E_INVALID, &err,
		     "signed.delegations: a: 1 of its keys can be used, and its threshold is 2");
	assert_int_equal(repo_bins(bins, "bin", 3, 1, &err), 0);
	assert_error(review(bins, 0, NOW, &err), E_INVALID, &err,
		     "signed.delegations: bin-0: 0 of its keys can be used");
}

static void root_roles_can_be_satisfied(void **state)
{
	json_t *body = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(repo_signed_new(TUF_ROOT, NULL, 1, NOW, &body, &err), 0);
	for (int t = 0; t < TUF_TYPES; t++) {
		CLEANUP(buf_wipe) struct buf pem = {0};
		CLEANUP(signer_freep) struct signer *s = NULL;

		assert_int_equal(signer_generate("ed25519", &pem, &err), 0);
		assert_int_equal(signer_from_pem(pem.data, pem.len, &s, &err), 0);
		assert_int_equal(repo_root_add_key(body, (enum tuf_type)t, key_id(signer_key(s)),
						   key_object(signer_key(s)), &err),
				 0);
	}
	assert_int_equal(repo_root_threshold(body, TUF_SNAPSHOT, 2, &err), 0);
	for (int pass = 0; pass < 2; pass++) {
		CLEANUP(envelope_freep) struct envelope *e = NULL;
		CLEANUP(tuf_root_freep) struct tuf_root *made = NULL;

		assert_int_equal(envelope_new(json_clone(body), &e, &err), 0);
		const struct buf *b = envelope_bytes(e);
		assert_int_equal(tuf_root_parse(b->data, b->len, "r", &made, &err), 0);
		if (pass == 0) {
			assert_error(review_root(made, NOW, &err), E_INVALID, &err,
				     "signed.roles.snapshot: 1 of its keys can be used, and its "
				     "threshold is 2");
			assert_int_equal(repo_root_threshold(body, TUF_SNAPSHOT, 1, &err), 0);
			continue;
		}
		assert_int_equal(review_root(made, NOW, &err), 0);
		assert_int_equal(review_root(made, NOW + INT64_C(365) * DAY_S - 1, &err), 0);
		assert_error(review_root(made, NOW + INT64_C(365) * DAY_S, &err), E_INVALID, &err,
			     "signed.expires: lies in the past");
	}
	json_decref(body);
}

/* python-tuf and tuf-js refuse a root with any other role, such as the mirrors of old. */
static void a_root_has_four_roles(void **state)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	json_t *body = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(repo_signed_new(TUF_ROOT, NULL, 1, NOW, &body, &err), 0);
	json_object_set_new(json_object_get(body, "roles"), "mirrors",
			    json_pack("{s:[], s:i}", "keyids", "threshold", 1));
	assert_int_equal(envelope_new(body, &doc, &err), 0);
	const struct buf *b = envelope_bytes(doc);
	assert_int_equal(tuf_root_parse(b->data, b->len, "r", &root, &err), 0);
	assert_error(review_root(root, NOW, &err), E_INVALID, &err,
		     "signed.roles: want root, timestamp, snapshot, targets and no other, got 5");
}

/* python-tuf and tuf-js fetch 512000 bytes of a root, and no more. */
static void a_root_fits_into_what_other_clients_fetch(void **state)
{
	(void)state;
	for (int over = 0; over < 2; over++) {
		CLEANUP(envelope_freep) struct envelope *doc = NULL;
		CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
		CLEANUP(freep) char *filler = NULL;
		json_t *body = NULL;
		struct error err = {0};
		size_t len;

		assert_int_equal(repo_signed_new(TUF_ROOT, NULL, 1, NOW, &body, &err), 0);
		json_object_set_new(body, "x", json_string(""));
		assert_int_equal(envelope_new(json_clone(body), &doc, &err), 0);
		len = REVIEW_ROOT_MAX - envelope_bytes(doc)->len + (size_t)over;
		filler = calloc(1, len + 1);
		assert_non_null(filler);
		memset(filler, 'x', len);
		json_object_set_new(body, "x", json_string(filler));
		envelope_free(doc);
		doc = NULL;
		assert_int_equal(envelope_new(body, &doc, &err), 0);
		const struct buf *b = envelope_bytes(doc);
		assert_int_equal(b->len, REVIEW_ROOT_MAX + over);
		assert_int_equal(tuf_root_parse(b->data, b->len, "r", &root, &err), 0);
		assert_error(review_root(root, NOW, &err), E_INVALID, &err,
			     over ? "has 512001 bytes, and clients take no more than 512000"
				  : "signed.roles.root: 0 of its keys can be used");
	}
}

/* --- from the top down ---------------------------------------------------- */

/* a and b by targets; a has c below, with narrower paths, and b also has c; c has a again. */
struct tree {
	json_t *bodies;
	size_t loads;
};

static int load(void *ctx, const char *role, const struct descent *at, json_t **out,
		struct error *err)
{
	struct tree *t = ctx;
	json_t *body = json_object_get(t->bodies, role);

	t->loads++;
	assert_string_equal(at ? at->d->name : "targets", role);
	assert_true(!at || at->first);
	if (!body)
		return error_set(err, E_NOTFOUND, "%s", role);
	*out = json_incref(body);
	return 0;
}

static struct tree tree_new(void)
{
	static const char *const ab[] = {"a", "b"}, *const c[] = {"c"}, *const a[] = {"a"};
	static const char *const top[] = {"x/*", "y/*"}, *const mid[] = {"x/1*"},
				 *const back[] = {"*/*"};
	json_t *first = delegating(ab, top, 2);
	struct error err = {0};

	assert_int_equal(repo_delegate_until(first, "a", NOW, &err), 0);
	return (struct tree){.bodies = json_pack("{s:o, s:o, s:o, s:o}", "targets", first, "a",
						 delegating(c, mid, 1), "b", delegating(c, top, 1),
						 "c", delegating(a, back, 1))};
}

static void delegations_come_level_by_level_and_cycles_end(void **state)
{
	static const char *const order[] = {"a", "b", "c", "c", "a"};
	static const size_t rank[] = {0, 1, 2, 3, 3};
	struct tree t = tree_new();
	struct lineage *l = NULL;
	const struct descent *at = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(lineage_new(load, &t, &l, &err), 0);
	assert_int_equal(t.loads, 1);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		assert_int_equal(lineage_next(l, &at, &err), 0);
		assert_string_equal(at->d->name, order[i]);
		assert_int_equal(at->rank, rank[i]);
		assert_int_equal(at->first, i < 3);
		if (i < 2)
			assert_int_equal(t.loads, 1);
	}
	assert_int_equal(lineage_next(l, &at, &err), E_NOTFOUND);
	assert_int_equal(t.loads, 4); /* each role once */
	lineage_free(l);
	json_decref(t.bodies);
}

static void everyone_on_the_way_must_be_trusted(void **state)
{
	struct tree t = tree_new();
	struct lineage *l = NULL;
	const struct descent *at = NULL;
	CLEANUP(json_decrefp) json_t *files = json_pack("{s:{}, s:{}}", "x/1", "x/12");
	size_t effort = DELEGATION_EFFORT;
	struct error err = {0};

	(void)state;
	assert_int_equal(lineage_new(load, &t, &l, &err), 0);
	assert_int_equal(lineage_find(l, "c", &at, &err), 0);
	assert_string_equal(at->up->d->name, "a");
	assert_true(descent_trusts(at, "x/12", &effort));
	assert_false(descent_trusts(at, "x/2", &effort));
	assert_false(descent_trusts(at, "y/1", &effort));
	assert_int_equal(descent_until(at), NOW);
	assert_int_equal(review_paths(files, at, &err), 0);
	json_object_set_new(files, "y/1", json_object());
	assert_error(review_paths(files, at, &err), E_INVALID, &err,
		     "signed.targets[\"y/1\"]: is not among the paths that are delegated to c");
	assert_int_equal(lineage_find(l, "c", &at, &err), 0); /* by the other way */
	assert_string_equal(at->up->d->name, "b");
	assert_false(descent_trusts(at, "x/1", &effort));
	assert_int_equal(descent_until(at), INT64_MAX);
	assert_error(lineage_find(l, "zz", &at, &err), E_NOTFOUND, &err,
		     "zz: no such delegated role");
	lineage_free(l);
	json_decref(t.bodies);
}

static void delegated_roles_are_counted(void **state)
{
	static const char *const names[] = {"c"}, *const patterns[] = {"x"};
	json_t *bins = delegating(NULL, NULL, 0);
	struct tree t = {.bodies = json_pack("{s:o}", "targets", bins)};
	const struct descent *at = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(repo_bins(bins, "bin", 16, 1, &err), 0);
	for (int over = 0; over < 2; over++) {
		CLEANUP(lineage_freep) struct lineage *l = NULL;

		assert_int_equal(lineage_new(load, &t, &l, &err), 0);
		if (over)
			assert_error(lineage_find(l, "c", &at, &err), E_INVALID, &err,
				     "more than 65536 delegated roles");
		else
			assert_int_equal(lineage_find(l, "bin-ffff", &at, &err), 0);
		json_object_set_new(t.bodies, "bin-0000", delegating(names, patterns, 1));
	}
	json_decref(t.bodies);
}

/* Each path falls into one bin, and what the bins are called is what the search asks for. */
static void each_path_is_trusted_to_the_bin_it_falls_into(void **state)
{
	json_t *body = delegating(NULL, NULL, 0);
	struct delegation *all = NULL, *one = NULL;
	size_t n = 0, trusted = 0, effort = DELEGATION_EFFORT;
	struct error err = {0};

	(void)state;
	assert_int_equal(repo_bins(body, "bin", 5, 1, &err), 0);
	json_t *object = json_object_get(body, "delegations");
	assert_int_equal(delegations_for(object, NULL, &all, &err), 0);
	assert_int_equal(delegations_for(object, "file.txt", &one, &err), 0);
	assert_string_equal(one->name, "bin-15");
	for (const struct delegation *d = all; d; d = d->next, n++) {
		bool is = strcmp(d->name, one->name) == 0;

		assert_int_equal(delegation_trusts(d, "file.txt", &effort), is);
		trusted += is;
	}
	assert_int_equal(n, 32);
	assert_int_equal(trusted, 1);
	assert_string_equal(all->name, "bin-00");
	delegations_free(all);
	delegations_free(one);
	json_decref(body);
}

/* Edit, review and walk, as a publisher does; 0 or an E_ code. */
static int publish_once(json_t *body, const struct tree *t, struct error *err)
{
	CLEANUP(json_decrefp) json_t *paths = json_pack("[s]", "z/*");
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
	CLEANUP(lineage_freep) struct lineage *l = NULL;
	struct tree own = *t;
	const struct descent *at = NULL;
	int r = paths ? repo_delegate(body, "b", paths, 1, err) : E_NOMEM;

	if (r == 0)
		r = repo_delegate_until(body, "b", NOW + DAY_S, err);
	if (r == 0)
		r = repo_delegate_place(body, "b", 0, err);
	if (r == 0)
		r = envelope_new(json_clone(body), &doc, err);
	if (r == 0)
		r = tuf_role_parse(envelope_bytes(doc)->data, envelope_bytes(doc)->len, TUF_TARGETS,
				   "t", &role, err);
	if (r == 0)
		r = review_targets(role, 0, NOW, err);
	if (r == 0)
		r = lineage_new(load, &own, &l, err);
	return r < 0 ? r : lineage_find(l, "c", &at, err);
}

static void running_out_of_memory_is_reported(void **state)
{
	static const char *const ab[] = {"a", "b"}, *const paths[] = {"x/*", "y/*"};
	struct tree t = tree_new();
	int fired = 1;
	long n;

	(void)state;
	json_set_alloc_funcs(oom_malloc, free);
	for (n = 0; fired; n++) {
		CLEANUP(json_decrefp) json_t *body = delegating(ab, paths, 2);
		struct error err = {0};
		int r;

		oom_after(n);
		r = publish_once(body, &t, &err);
		fired = oom_fired();
		assert_true(fired ? r < 0 : r == 0);
	}
	json_set_alloc_funcs(malloc, free);
	assert_true(n > 50);
	json_decref(t.bodies);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expired_or_old_targets_are_not_published),
		cmocka_unit_test(a_hash_that_no_client_knows_is_not_published),
		cmocka_unit_test(paths_leave_room_for_their_hash),
		cmocka_unit_test(a_role_that_no_search_comes_to_is_not_published),
		cmocka_unit_test(a_role_of_several_paths_needs_one_that_is_reached),
		cmocka_unit_test(a_search_ends_after_so_many_roles),
		cmocka_unit_test(hash_prefixes_are_reviewed_like_paths),
		cmocka_unit_test(thousands_of_roles_are_compared),
		cmocka_unit_test(rules_that_take_too_long_to_compare_are_refused),
		cmocka_unit_test(paths_that_take_too_long_to_compare_are_refused),
		cmocka_unit_test(patterns_made_elsewhere_are_reviewed),
		cmocka_unit_test(terminating_is_written_out),
		cmocka_unit_test(names_too_long_for_a_file_are_reviewed),
		cmocka_unit_test(thresholds_count_keys_that_can_be_used),
		cmocka_unit_test(root_roles_can_be_satisfied),
		cmocka_unit_test(a_root_has_four_roles),
		cmocka_unit_test(a_root_fits_into_what_other_clients_fetch),
		cmocka_unit_test(delegations_come_level_by_level_and_cycles_end),
		cmocka_unit_test(everyone_on_the_way_must_be_trusted),
		cmocka_unit_test(delegated_roles_are_counted),
		cmocka_unit_test(each_path_is_trusted_to_the_bin_it_falls_into),
		cmocka_unit_test(running_out_of_memory_is_reported),
	};

	return cmocka_run_group_tests_name("tuf_review", tests, NULL, NULL);
}
