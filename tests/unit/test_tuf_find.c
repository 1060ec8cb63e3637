/* SPDX-License-Identifier: Apache-2.0 */
/* Looking a target up through delegations, and naming it. */
#include <stdio.h>

#include "lib/base/digest.h"
#include "lib/tuf/client.h"
#include "lib/tuf/delegation.h"
#include "lib/tuf/repo.h"
#include "tests/support/tuf_expect.h"
#include "tests/support/tuf_sim.h"
#include "tests/unit/unit.h"

/* Publish all targets roles and what lists them. */
static void publish_all(struct tuf_sim *s)
{
	for (size_t i = TUF_TYPES; i < s->nroles; i++)
		sim_publish(s, s->roles[i]->name);
	sim_release(s, "targets");
}

/* The requests after those of the refresh of a new client. */
static const char *searched(struct tuf_sim *s)
{
	static const char start[] = "2.root.json timestamp.json 2.snapshot.json 2.targets.json";
	const char *all = sim_requests(s);

	assert_memory_equal(all, start, strlen(start));
	return all + strlen(start);
}

static void listed_target_needs_no_delegated_role(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_target(s, "targets", "dir/file", "content");
	(void)sim_delegate(s, "targets", "d", "*/*", false);
	sim_target(s, "d", "dir/file", "other");
	publish_all(s);
	assert_finds(s, "dir/file", "targets");
	assert_string_equal(searched(s), "");
	assert_misses(s, "dir/none", E_NOTFOUND, "dir/none: no such target");
}

/*
 * targets -> A, B, C; A -> D; B -> E (all match): A D B E C.
 */
static void search_is_preorder_depth_first(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	(void)sim_delegate(s, "targets", "A", "*", false);
	(void)sim_delegate(s, "targets", "B", "*", false);
	(void)sim_delegate(s, "targets", "C", "*", false);
	(void)sim_delegate(s, "A", "D", "*", false);
	(void)sim_delegate(s, "B", "E", "*", false);
	publish_all(s);
	assert_misses(s, "x", E_NOTFOUND, "x: no such target");
	assert_string_equal(searched(s), " 1.A.json 1.D.json 1.B.json 1.E.json 1.C.json");
}

static void search_stops_at_the_first_that_lists_it(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	(void)sim_delegate(s, "targets", "A", "*", false);
	(void)sim_delegate(s, "targets", "B", "*", false);
	(void)sim_delegate(s, "A", "D", "*", false);
	sim_target(s, "D", "x", "deep");
	sim_target(s, "B", "x", "wide");
	publish_all(s);
	assert_finds(s, "x", "D");
	assert_string_equal(searched(s), " 1.A.json 1.D.json");
}

static void terminating_role_ends_its_siblings_but_not_its_children(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	(void)sim_delegate(s, "targets", "A", "*", false);
	(void)sim_delegate(s, "targets", "B", "*", true);
	(void)sim_delegate(s, "targets", "C", "*", false);
	(void)sim_delegate(s, "B", "E", "*", false);
	sim_target(s, "C", "x", "unreachable");
	publish_all(s);
	assert_misses(s, "x", E_NOTFOUND, "x");
	assert_string_equal(searched(s), " 1.A.json 1.B.json 1.E.json");
}

/* A terminating delegation deep down drops what still waits above. */
static void terminating_role_clears_the_stack(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	(void)sim_delegate(s, "targets", "A", "*", false);
	(void)sim_delegate(s, "targets", "C", "*", false);
	(void)sim_delegate(s, "A", "B", "*", true);
	sim_target(s, "C", "x", "unreachable");
	publish_all(s);
	assert_misses(s, "x", E_NOTFOUND, "x");
	assert_string_equal(searched(s), " 1.A.json 1.B.json");
}

static void terminating_role_that_does_not_match_ends_nothing(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	(void)sim_delegate(s, "targets", "A", "other", true);
	(void)sim_delegate(s, "targets", "C", "*", false);
	sim_target(s, "C", "x", "reachable");
	publish_all(s);
	assert_finds(s, "x", "C");
	assert_string_equal(searched(s), " 1.C.json");
}

static void cycles_end(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(json_decrefp) json_t *back = NULL;
	json_t *body;

	(void)state;
	(void)sim_delegate(s, "targets", "A", "*", false);
	(void)sim_delegate(s, "A", "B", "*", false);
	/* B delegates to A with the very object that targets has for it. */
	body = sim_role(s, "targets")->body;
	back = json_deep_copy(json_object_get(body, "delegations"));
	assert_int_equal(json_object_set(sim_role(s, "B")->body, "delegations", back), 0);
	(void)sim_delegate(s, "targets", "C", "*", false);
	sim_target(s, "C", "y", "behind the cycle");
	publish_all(s);
	assert_misses(s, "x", E_NOTFOUND, "x: no such target");
	assert_string_equal(searched(s), " 1.A.json 1.B.json 1.C.json");
	assert_finds(s, "y", "C");
}

static void search_stops_after_its_limit_of_roles(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	size_t made = 0;
	char name[16];

	(void)state;
	for (int i = 0; i < TUF_DELEGATIONS_MAX + 2; i++) {
		(void)snprintf(name, sizeof(name), "r%02d", i);
		(void)sim_delegate(s, "targets", name, "*", false);
	}
	(void)snprintf(name, sizeof(name), "r%02d", TUF_DELEGATIONS_MAX - 1);
	sim_target(s, name, "last", "within reach");
	sim_target(s, "r32", "beyond", "out of reach");
	publish_all(s);
	assert_finds(s, "last", "r31");
	(void)sim_requests(s);
	assert_misses(s, "beyond", E_NOTFOUND, "of the first 32 delegated roles");
	for (size_t i = 0; i < s->local.n; i++)
		made += s->local.list[i].name[0] == 'r' && s->local.list[i].name[1] != 'o';
	assert_int_equal(made, TUF_DELEGATIONS_MAX);
}

static bool covers(const json_t *rule, const char *path)
{
	size_t effort = DELEGATION_EFFORT;

	return delegation_covers(rule, path, &effort);
}

static void pattern_matches_component_by_component(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool yes;
	} cases[] = {
		{"*", "a", true},
		{"*", "a/b", false},
		{"*", "", true},
		{"a/*", "a/b", true},
		{"a/*", "a/b/c", false},
		{"a/*", "a/", true},
		{"*/*", "a/b", true},
		{"a/*/c", "a/b/c", true},
		{"a/*.txt", "a/b.txt", true},
		{"a/*.txt", "a/b.TXT", false},
		{"A/*", "a/b", false},
		{"a/b?", "a/bc", true},
		{"a/b?", "a/b", false},
		{"a?b", "a/b", false},
		{"a/[bc]", "a/b", true},
		{"a/[bc]", "a/d", false},
		{"a[/]b", "a/b", false},
		{"a\\*", "a*", false},
		{"a\\*", "a\\b", true},
		{"*", ".hidden", true},
		{"/a", "a", false},
		{"a", "/a", false},
		{"a/b", "a/b", true},
		{"a/b", "a/bc", false},
		{"{a,b}", "a", false},
		{"**", "a/b", false},
		{"**", "ab", true},
		{"*a*b", "cacab", true},
		{"*a*b", "cacba", false},
		{"a*/b", "axx/b", true},
		{"a*b/*c", "a/bc", false},
		{"*", "*", true},
		{"?", "?", true},
		/* a character is one, however many bytes it has */
		{"?.bin", "\xc3\xa9.bin", true},
		{"??.bin", "\xc3\xa9.bin", false},
		{"a/?b",
		 "a/\xe2\x82\xac"
		 "b",
		 true},
		{"a?c",
		 "a\xf0\x9f\x98\x80"
		 "c",
		 true},
		{"a??c",
		 "a\xf0\x9f\x98\x80"
		 "c",
		 false},
		{"*?", "\xc3\xa9", true},
		{"?*?", "\xc3\xa9", false},
		{"\xc3\xa9*", "\xc3\xa9t\xc3\xa9", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(json_decrefp)
		json_t *rule = json_pack("{s:[s]}", "paths", cases[i].pattern);

		if (covers(rule, cases[i].path) != cases[i].yes)
			fail_msg("%s %s %s", cases[i].pattern, cases[i].yes ? "misses" : "matches",
				 cases[i].path);
	}
}

static void hostile_pattern_takes_no_time(void **state)
{
	CLEANUP(json_decrefp) json_t *rule = NULL;
	char pattern[401], path[256];

	(void)state;
	for (size_t i = 0; i < 200; i++)
		memcpy(pattern + 2 * i, "*a", 2);
	memcpy(pattern + 398, "*b", 3);
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	rule = json_pack("{s:[s]}", "paths", pattern);
	for (int i = 0; i < 100; i++)
		assert_false(covers(rule, path));
	json_object_set_new(rule, "paths", json_pack("[s+]", pattern, "[c]"));
	for (int i = 0; i < 100; i++)
		assert_false(covers(rule, path));
}

/* A text of `n` times `c`, then `end`. */
static char *long_text(char c, size_t n, const char *end)
{
	char *text = malloc(n + strlen(end) + 1);

	assert_non_null(text);
	memset(text, c, n);
	memcpy(text + n, end, strlen(end) + 1);
	return text;
}

/* As much of each as metadata has room for: the product would take hours. */
static void comparing_rules_and_paths_has_an_end(void **state)
{
	enum { LONG = 4 * 1024 * 1024 };
	CLEANUP(freep) char *path = long_text('a', LONG, "");
	CLEANUP(freep) char *tail = long_text('a', LONG / 2, "b");
	CLEANUP(freep) char *brackets = long_text('*', LONG / 2, "[b]");

	(void)state;
	for (int i = 0; i < 2; i++) {
		CLEANUP(json_decrefp)
		json_t *rule = json_pack("{s:[s+,s]}", "paths", "*", i ? brackets : tail, "*");
		CLEANUP(delegations_freep) struct delegation *found = NULL;
		CLEANUP(json_decrefp) json_t *all = NULL;
		size_t effort = DELEGATION_EFFORT;
		struct error err = {0};

		/* Nothing behind it counts any more, and whoever asked is told. */
		assert_false(delegation_covers(rule, path, &effort));
		assert_int_equal(effort, 0);
		assert_error(delegation_effort_left(effort, &err), E_INVALID, &err,
			     "signed.delegations: to compare paths with its rules takes more than "
			     "67108864 characters: want fewer");
		all = json_pack("{s:{}, s:[{s:s, s:[], s:i, s:b, s:O}]}", "keys", "roles", "name",
				"a", "keyids", "threshold", 1, "terminating", 0, "paths",
				json_object_get(rule, "paths"));
		assert_error(delegations_for(all, path, &found, &err), E_INVALID, &err,
			     "to compare paths with its rules");
		assert_null(found);
		assert_int_equal(delegations_for(all, "aab", &found, &err), 0);
		assert_non_null(found);
	}
}

static void hash_prefix_is_of_the_paths_sha256(void **state)
{
	/* sha256("file.txt") */
	static const char whole[] =
		"aadf327c8267c09d6fffd87a1a80ad3c798469ff332b7a57b9e8c045d46b2af7";
	static const char *const yes[] = {"aa", "a", "aadf327c82", whole};
	static const char *const no[] = {"ab", "AADF", "df", "aadf327c83"};
	char hex[SHA256_HEX_SIZE];

	(void)state;
	sha256_hex("file.txt", 8, hex);
	assert_string_equal(hex, whole);
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		CLEANUP(json_decrefp)
		json_t *rule = json_pack("{s:[s,s]}", "path_hash_prefixes", "0000", yes[i]);
		assert_true(covers(rule, "file.txt"));
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		CLEANUP(json_decrefp)
		json_t *rule = json_pack("{s:[s]}", "path_hash_prefixes", no[i]);
		assert_false(covers(rule, "file.txt"));
	}
}

/* TAP 15: the top bits of the path's hash, as zero-padded hexadecimal. */
static void hash_bin_is_named_by_the_top_bits(void **state)
{
	static const struct {
		int bits;
		const char *path, *name;
	} cases[] = {
		{1, "file.txt", "bin-1"},
		{2, "file.txt", "bin-2"},
		{4, "file.txt", "bin-a"},
		{5, "file.txt", "bin-15"},
		{8, "file.txt", "bin-aa"},
		{9, "file.txt", "bin-155"},
		{14, "file.txt", "bin-2ab7"},
		{16, "file.txt", "bin-aadf"},
		{32, "file.txt", "bin-aadf327c"},
		{4, "f8", "bin-0"}, /* 0c079a15... */
		{5, "f8", "bin-01"},
		{8, "f8", "bin-0c"},
		{9, "f8", "bin-018"},
		{32, "f8", "bin-0c079a15"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(delegations_freep) struct delegation *d = NULL;
		CLEANUP(json_decrefp)
		json_t *object = json_pack("{s:{}, s:{s:[], s:i, s:i, s:s}}", "keys",
					   "succinct_roles", "keyids", "threshold", 1, "bit_length",
					   cases[i].bits, "name_prefix", "bin");
		struct error err = {0};

		assert_int_equal(delegations_check(object, &err), 0);
		assert_int_equal(delegations_for(object, cases[i].path, &d, &err), 0);
		assert_non_null(d);
		assert_null(d->next);
		assert_string_equal(d->name, cases[i].name);
		assert_true(d->terminating);
	}
}

/* Who looks for a role is told of one bin, or of as many as a search looks into. */
static void hash_bin_is_known_by_its_name(void **state)
{
	static const struct {
		int bits;
		const char *name;
		bool is;
	} cases[] = {
		{1, "bin-0", true},
		{1, "bin-1", true},
		{1, "bin-2", false},
		{5, "bin-1f", true},
		{5, "bin-20", false},
		{5, "bin-f", false},
		{5, "bin-01", true},
		{5, "bin-001", false},
		{8, "bin-aa", true},
		{8, "bin-AA", false},
		{8, "bin-0xa", false},
		{8, "bin-+1", false},
		{8, "bin- 1", false},
		{8, "bin-", false},
		{8, "bin", false},
		{8, "binaa", false},
		{8, "bin-aa ", false},
		{8, "", false},
		{32, "bin-ffffffff", true},
		{32, "bin-100000000", false},
		{32, "bin-ffffffffffffffffff", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(delegations_freep) struct delegation *list = NULL;
		CLEANUP(json_decrefp)
		json_t *object = json_pack("{s:{}, s:{s:[], s:i, s:i, s:s}}", "keys",
					   "succinct_roles", "keyids", "threshold", 1, "bit_length",
					   cases[i].bits, "name_prefix", "bin");
		struct error err = {0};
		size_t n = 0;

		assert_int_equal(delegations_towards(object, cases[i].name, &list, &err), 0);
		for (const struct delegation *d = list; d; d = d->next)
			n++;
		if (cases[i].is) {
			assert_int_equal(n, 1);
			assert_string_equal(list->name, cases[i].name);
			assert_int_equal(list->bin,
					 strtoul(strchr(cases[i].name, '-') + 1, NULL, 16));
		} else {
			assert_int_equal(n, cases[i].bits < 5 ? 2 : TUF_DELEGATIONS_MAX);
		}
	}
}

static void target_in_a_hash_bin_is_found(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	struct sim_role *bin;
	json_t *d, *roles, *entry;

	(void)state;
	bin = sim_delegate(s, "targets", "bin-aa", "*", false);
	d = json_object_get(sim_role(s, "targets")->body, "delegations");
	roles = json_object_get(d, "roles");
	entry = json_array_get(roles, 0);
	assert_int_equal(
		json_object_set_new(d, "succinct_roles",
				    json_pack("{s:O, s:i, s:i, s:s}", "keyids",
					      json_object_get(entry, "keyids"), "threshold", 1,
					      "bit_length", 8, "name_prefix", "bin")),
		0);
	(void)json_object_del(d, "roles");
	sim_target(s, bin->name, "file.txt", "binned");
	publish_all(s);
	assert_finds(s, "file.txt", "bin-aa");
	assert_misses(s, "other.txt", E_UNTRUSTED, "snapshot.json: does not list bin-");
}

static void unusual_role_names_are_quoted(void **state)
{
	static const struct {
		const char *name, *remote, *local;
	} cases[] = {
		{"?", "1.%3F.json", "%3F.json"},
		{"#", "1.%23.json", "%23.json"},
		{"/delegatedrole", "1.%2Fdelegatedrole.json", "%2Fdelegatedrole.json"},
		{"../delegatedrole", "1...%2Fdelegatedrole.json", "..%2Fdelegatedrole.json"},
		{"a b%\xc3\xa9", "1.a%20b%25%C3%A9.json", "a%20b%25%C3%A9.json"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		(void)sim_delegate(s, "targets", cases[i].name, "*", false);
		sim_target(s, cases[i].name, "x", "content");
		publish_all(s);
		assert_finds(s, "x", cases[i].name);
		assert_string_equal(searched(s) + 1, cases[i].remote);
		assert_non_null(sim_local(s, cases[i].local));
	}
}

static void delegated_role_in_the_store_is_not_fetched_again(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	(void)sim_delegate(s, "targets", "d", "*", false);
	sim_target(s, "d", "x", "content");
	publish_all(s);
	assert_finds(s, "x", "d");
	(void)sim_requests(s);
	assert_finds(s, "x", "d");
	assert_string_equal(sim_requests(s), "2.root.json timestamp.json");
	sim_bump(s, "d");
	sim_release(s, "snapshot");
	assert_finds(s, "x", "d");
	assert_string_equal(sim_requests(s), "2.root.json timestamp.json 3.snapshot.json 2.d.json");
}

/* One session, several names: each role is fetched once. */
static void session_remembers_delegated_roles(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	struct tuf_io io = sim_io(s);
	struct tuf_target a, b;
	struct error err = {0};

	(void)state;
	(void)sim_delegate(s, "targets", "d", "*", false);
	sim_target(s, "d", "a", "first");
	sim_target(s, "d", "b", "second");
	publish_all(s);
	assert_int_equal(tuf_open(&io, &(struct tuf_options){.now = s->now}, &t, &err), 0);
	assert_int_equal(tuf_refresh(t, &err), 0);
	assert_int_equal(tuf_find(t, "a", &a, &err), 0);
	assert_string_equal(searched(s), " 1.d.json");
	sim_forget(&s->local, "d.json");
	assert_int_equal(tuf_find(t, "b", &b, &err), 0);
	assert_string_equal(sim_requests(s), "");
	assert_ptr_equal(a.role, b.role);
	assert_string_equal(a.path, "a");
	assert_int_equal(b.length, 6);
}

static int collect(void *ctx, const struct tuf_target *target)
{
	struct buf *out = ctx;

	return buf_printf(out, NULL, "%s:%s ", target->role, target->path);
}

static int stop(void *ctx, const struct tuf_target *target)
{
	(void)target;
	return ++*(int *)ctx;
}

static void every_target_of_a_role_is_told_within_its_paths(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	CLEANUP(buf_clear) struct buf seen = {0};
	struct tuf_io io = sim_io(s);
	struct error err = {0};
	int calls = 0;

	(void)state;
	sim_target(s, "targets", "top", "content");
	(void)sim_delegate(s, "targets", "unrelated", "u/*", false);
	(void)sim_delegate(s, "targets", "line", "a/*", false);
	(void)sim_delegate(s, "line", "inner", "*/x,*/y", false);
	sim_target(s, "line", "a/x", "entitled");
	sim_target(s, "line", "b/x", "not entitled");
	sim_target(s, "inner", "a/y", "entitled");
	sim_target(s, "inner", "a/z", "not by line's word");
	sim_target(s, "inner", "b/y", "not by targets' word");
	publish_all(s);
	assert_int_equal(tuf_open(&io, &(struct tuf_options){.now = s->now}, &t, &err), 0);
	assert_int_equal(tuf_each_target(t, "targets", collect, &seen, &err), E_NOTYET);
	assert_int_equal(tuf_refresh(t, &err), 0);
	assert_int_equal(tuf_each_target(t, "targets", collect, &seen, &err), 0);
	assert_string_equal(seen.data, "targets:top ");
	assert_string_equal(searched(s), "");
	seen.len = 0;
	assert_int_equal(tuf_each_target(t, "line", collect, &seen, &err), 0);
	assert_string_equal(seen.data, "line:a/x ");
	assert_string_equal(sim_requests(s), "1.line.json");
	seen.len = 0;
	assert_int_equal(tuf_each_target(t, "inner", collect, &seen, &err), 0);
	assert_string_equal(seen.data, "inner:a/y ");
	assert_error(tuf_each_target(t, "nobody", collect, &seen, &err), E_NOTFOUND, &err,
		     "nobody: no such delegated role");
	assert_int_equal(tuf_each_target(t, "targets", stop, &calls, &err), 1);
	assert_int_equal(calls, 1);
}

static void listing_targets_takes_no_longer_than_comparing_may(void **state)
{
	enum { LONG = 4 * 1024 * 1024 };
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	CLEANUP(buf_clear) struct buf seen = {0};
	CLEANUP(freep) char *path = long_text('a', LONG, "");
	CLEANUP(freep) char *pattern = long_text('a', LONG / 2, "b");
	struct tuf_io io = sim_io(s);
	struct error err = {0};

	(void)state;
	pattern[0] = '*';
	(void)sim_delegate(s, "targets", "line", pattern, false);
	sim_target(s, "line", path, "content");
	publish_all(s);
	assert_int_equal(tuf_open(&io, &(struct tuf_options){.now = s->now}, &t, &err), 0);
	assert_int_equal(tuf_refresh(t, &err), 0);
	assert_error(tuf_each_target(t, "line", collect, &seen, &err), E_INVALID, &err,
		     "line: signed.delegations: to compare paths with its rules");
	assert_int_equal(seen.len, 0);
}

static void role_is_found_level_by_level_with_the_earliest_end_on_the_way(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	struct tuf_io io = sim_io(s);
	struct tuf_delegated found;
	struct error err = {0};

	(void)state;
	(void)sim_delegate(s, "targets", "A", "*", false);
	(void)sim_delegate(s, "A", "B", "*", false);
	(void)sim_delegate(s, "B", "C", "*", false);
	assert_int_equal(repo_delegate_until(sim_role(s, "targets")->body, "A", s->now + 30, &err),
			 0);
	assert_int_equal(repo_delegate_until(sim_role(s, "A")->body, "B", s->now + 20, &err), 0);
	assert_int_equal(repo_delegate_until(sim_role(s, "B")->body, "C", s->now + 40, &err), 0);
	publish_all(s);
	assert_int_equal(tuf_open(&io, &(struct tuf_options){.now = s->now}, &t, &err), 0);
	assert_int_equal(tuf_delegated(t, "C", &found, &err), E_NOTYET);
	assert_int_equal(tuf_refresh(t, &err), 0);
	assert_int_equal(tuf_delegated(t, "A", &found, &err), 0);
	assert_int_equal(found.until, s->now + 30);
	assert_string_equal(searched(s), " 1.A.json");
	assert_int_equal(tuf_delegated(t, "C", &found, &err), 0);
	assert_int_equal(found.until, s->now + 20);
	assert_int_equal(found.role->version, 1);
	assert_string_equal(sim_requests(s), "1.B.json 1.C.json");
	assert_error(tuf_delegated(t, "D", &found, &err), E_NOTFOUND, &err,
		     "D: no such delegated role");
}

/* It is looked for in as many roles as a target is. */
static void role_is_looked_for_in_so_many_roles(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	struct tuf_io io = sim_io(s);
	struct tuf_delegated found;
	struct error err = {0};
	char name[16];

	(void)state;
	for (int i = 0; i <= TUF_DELEGATIONS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "r%02d", i);
		(void)sim_delegate(s, "targets", name, "*", false);
	}
	(void)sim_delegate(s, "r31", "within", "*", false);
	(void)sim_delegate(s, "r32", "beyond", "*", false);
	publish_all(s);
	assert_int_equal(tuf_open(&io, &(struct tuf_options){.now = s->now}, &t, &err), 0);
	assert_int_equal(tuf_refresh(t, &err), 0);
	assert_int_equal(tuf_delegated(t, "within", &found, &err), 0);
	assert_int_equal(tuf_delegated(t, "beyond", &found, &err), E_NOTFOUND);
	assert_null(sim_local(s, "r32.json"));
}

static void quoting_leaves_only_unreserved_characters(void **state)
{
	static const struct {
		const char *text, *whole, *with_slash;
	} cases[] = {
		{"", "", ""},
		{"azAZ09_.~-", "azAZ09_.~-", "azAZ09_.~-"},
		{"a/b", "a%2Fb", "a/b"},
		{"../../etc/passwd", "..%2F..%2Fetc%2Fpasswd", "../../etc/passwd"},
		{" ?#%&+;:@\\\"", "%20%3F%23%25%26%2B%3B%3A%40%5C%22",
		 "%20%3F%23%25%26%2B%3B%3A%40%5C%22"},
		{"\xc3\xa9\x01\x7f", "%C3%A9%01%7F", "%C3%A9%01%7F"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(freep) char *whole = NULL;
		CLEANUP(freep) char *with_slash = NULL;
		struct error err = {0};

		assert_int_equal(tuf_quote(cases[i].text, false, &whole, &err), 0);
		assert_int_equal(tuf_quote(cases[i].text, true, &with_slash, &err), 0);
		assert_string_equal(whole, cases[i].whole);
		assert_string_equal(with_slash, cases[i].with_slash);
	}
}

static void target_url_has_the_hash_in_its_last_component(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	CLEANUP(freep) char *url = NULL;
	CLEANUP(freep) char *sha512 = NULL;
	CLEANUP(freep) char *plain = NULL;
	struct tuf_io io = sim_io(s);
	struct tuf_target target;
	struct error err = {0};

	(void)state;
	sim_target(s, "targets", "long", "abc");
	(void)json_object_set_new(
		json_object_get(json_object_get(sim_role(s, "targets")->body, "targets"), "long"),
		"hashes",
		json_pack("{s:s}", "sha512",
			  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a"
			  "274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"));
	sim_target(s, "targets", "dir/my file", "abc");
	sim_target(s, "targets", "odd", "abc");
	(void)json_object_set_new(
		json_object_get(json_object_get(sim_role(s, "targets")->body, "targets"), "odd"),
		"hashes", json_pack("{s:s}", "md5", "900150983cd24fb0d6963f7d28e17f72"));
	publish_all(s);
	assert_int_equal(tuf_open(&io, &(struct tuf_options){.now = s->now}, &t, &err), 0);
	assert_int_equal(tuf_refresh(t, &err), 0);
	assert_int_equal(tuf_find(t, "dir/my file", &target, &err), 0);
	assert_int_equal(tuf_target_url(t, &target, &url, &err), 0);
	assert_string_equal(url, "dir/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2001"
				 "5ad.my%20file");
	assert_int_equal(tuf_find(t, "odd", &target, &err), 0);
	assert_int_equal(tuf_target_url(t, &target, &url, &err), E_UNTRUSTED);
	assert_int_equal(tuf_find(t, "long", &target, &err), 0);
	assert_int_equal(tuf_target_url(t, &target, &sha512, &err), 0);
	assert_string_equal(sha512,
			    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d3"
			    "9a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca"
			    "49f.long");
	tuf_close(t);
	t = NULL;

	(void)json_object_set_new(sim_role(s, "root")->body, "consistent_snapshot", json_false());
	sim_bump(s, "root");
	sim_release(s, "targets");
	assert_int_equal(tuf_open(&io, &(struct tuf_options){.now = s->now}, &t, &err), 0);
	assert_int_equal(tuf_refresh(t, &err), 0);
	assert_int_equal(tuf_find(t, "dir/my file", &target, &err), 0);
	assert_int_equal(tuf_target_url(t, &target, &plain, &err), 0);
	assert_string_equal(plain, "dir/my%20file");
}

static void target_file_must_match_in_length_and_hash(void **state)
{
	CLEANUP(json_decrefp)
	json_t *object =
		json_pack("{s:{s:s}}", "hashes", "sha256",
			  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	const struct tuf_target target = {.path = "x", .length = 3, .object = object};
	static const struct {
		const char *content, *complaint;
	} bad[] = {{"ab", "x: shorter than 3 bytes"},
		   {"abcd", "x: longer than 3 bytes"},
		   {"abd", "x: its sha256 is"},
		   {"", "shorter"}};
	struct error err = {0};
	FILE *f = tmpfile();

	(void)state;
	assert_non_null(f);
	assert_int_equal(fputs("abc", f) < 0 || fflush(f) != 0, 0);
	assert_int_equal(tuf_target_check_fd(&target, fileno(f), &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		FILE *g = tmpfile();

		assert_non_null(g);
		assert_int_equal(fputs(bad[i].content, g) < 0 || fflush(g) != 0, 0);
		assert_error(tuf_target_check_fd(&target, fileno(g), &err), E_UNTRUSTED, &err,
			     bad[i].complaint);
		(void)fclose(g);
	}
	json_object_clear(json_object_get(object, "hashes"));
	assert_error(tuf_target_check_fd(&target, fileno(f), &err), E_UNTRUSTED, &err,
		     "x: no hash is listed for it");
	(void)fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listed_target_needs_no_delegated_role),
		cmocka_unit_test(search_is_preorder_depth_first),
		cmocka_unit_test(search_stops_at_the_first_that_lists_it),
		cmocka_unit_test(terminating_role_ends_its_siblings_but_not_its_children),
		cmocka_unit_test(terminating_role_clears_the_stack),
		cmocka_unit_test(terminating_role_that_does_not_match_ends_nothing),
		cmocka_unit_test(cycles_end),
		cmocka_unit_test(search_stops_after_its_limit_of_roles),
		cmocka_unit_test(pattern_matches_component_by_component),
		cmocka_unit_test(hostile_pattern_takes_no_time),
		cmocka_unit_test(comparing_rules_and_paths_has_an_end),
		cmocka_unit_test(hash_prefix_is_of_the_paths_sha256),
		cmocka_unit_test(hash_bin_is_named_by_the_top_bits),
		cmocka_unit_test(hash_bin_is_known_by_its_name),
		cmocka_unit_test(target_in_a_hash_bin_is_found),
		cmocka_unit_test(unusual_role_names_are_quoted),
		cmocka_unit_test(delegated_role_in_the_store_is_not_fetched_again),
		cmocka_unit_test(session_remembers_delegated_roles),
		cmocka_unit_test(every_target_of_a_role_is_told_within_its_paths),
		cmocka_unit_test(listing_targets_takes_no_longer_than_comparing_may),
		cmocka_unit_test(role_is_found_level_by_level_with_the_earliest_end_on_the_way),
		cmocka_unit_test(role_is_looked_for_in_so_many_roles),
		cmocka_unit_test(quoting_leaves_only_unreserved_characters),
		cmocka_unit_test(target_url_has_the_hash_in_its_last_component),
		cmocka_unit_test(target_file_must_match_in_length_and_hash),
	};

	return cmocka_run_group_tests_name("tuf_find", tests, NULL, NULL);
}
