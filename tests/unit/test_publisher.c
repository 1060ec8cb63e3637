/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/publisher.h"

#include "lib/sign/ed25519.h"
#include "tests/support/product_log.h"
#include "tests/unit/unit.h"

/* People a to i are vendor, trustee, steward 0 to 2; roots are made of some of them. */
struct cast {
	struct product_log *p;
	struct signer *people[3 * PLOG_PEOPLE];
};

static int open_cast(void **state)
{
	struct cast *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->p = plog_new(3);
	for (size_t i = 0; i < PLOG_PEOPLE; i++) {
		c->people[i] = c->p->vendor[i];
		c->people[PLOG_PEOPLE + i] = c->p->trustee[i];
		c->people[2 * PLOG_PEOPLE + i] = c->p->steward[i];
	}
	*state = c;
	return 0;
}

static int close_cast(void **state)
{
	struct cast *c = *state;

	plog_free(c->p);
	free(c);
	return 0;
}

/* A root held by the people whose letters are in `who`. */
static struct tuf_root *root_of(struct cast *c, const char *who, int64_t threshold, json_t *x)
{
	struct signer *keys[ARRAY_LEN(c->people)];
	struct root_spec spec = {.version = 1,
				 .threshold = threshold,
				 .keys = keys,
				 .publisher = "acme",
				 .kind = "vendor",
				 .x_bequest = x};

	for (; *who; who++)
		keys[spec.nkeys++] = c->people[*who - 'a'];
	return plog_root(c->p, &spec);
}

static unsigned compare(const struct tuf_root *anchor, const struct tuf_root *from,
			const struct tuf_root *to)
{
	struct error err = {0};
	unsigned change = 0;

	if (publisher_compare(anchor, from, to, &change, &err) < 0)
		fail_msg("%s", err.text);
	return change;
}

static void steps_are_compared_by_key_material(void **state)
{
	static const struct {
		const char *rule;
		const char *anchor, *from, *to;
		int64_t anchor_k, from_k, to_k;
		unsigned change;
	} steps[] = {
		{"the same keys", "abc", "abc", "abc", 2, 2, 2, 0},
		{"one of three is replaced", "abc", "abc", "abd", 2, 2, 2, 0},
		{"one is added", "abc", "abc", "abcd", 2, 2, 2, 0},
		{"one is dropped", "abc", "abc", "ab", 2, 2, 2, 0},
		{"the threshold rises", "abc", "abc", "abc", 2, 2, 3, 0},
		{"two of three are replaced", "abc", "abc", "ade", 2, 2, 2,
		 CHANGE_KEYS | CHANGE_NEW_QUORUM},
		{"all are replaced", "abc", "abc", "def", 2, 2, 2, CHANGE_KEYS | CHANGE_NEW_QUORUM},
		{"two are added, who are a quorum", "abc", "abc", "abcde", 2, 2, 2,
		 CHANGE_NEW_QUORUM},
		{"two are added, and three are asked for", "abc", "abc", "abcde", 2, 2, 3, 0},
		{"the threshold falls", "abc", "abc", "abc", 2, 2, 1, CHANGE_THRESHOLD},
		{"the threshold was lowered first: nothing more is lost to the root before", "abc",
		 "abc", "ad", 2, 1, 1, CHANGE_KEYS | CHANGE_THRESHOLD | CHANGE_NEW_QUORUM},
		{"keys were added first, now the old ones go", "abc", "abcd", "abd", 2, 2, 2, 0},
		{"keys were added first, then all old ones but one", "abc", "abcd", "ad", 2, 2, 2,
		 CHANGE_KEYS},
		{"a slow drift: each step keeps two of three", "abc", "abd", "ade", 2, 2, 2,
		 CHANGE_KEYS | CHANGE_NEW_QUORUM},
		{"a slow drift that ends without the anchor", "abc", "ade", "def", 2, 2, 2,
		 CHANGE_KEYS | CHANGE_NEW_QUORUM},
		{"the threshold rose, and falls back", "abc", "abcd", "abcd", 2, 4, 2,
		 CHANGE_THRESHOLD},
		{"enough of the anchor remain, but not of the root before", "abc", "abcd", "abe", 2,
		 3, 3, CHANGE_KEYS},
		{"one of one is replaced", "a", "a", "b", 1, 1, 1, CHANGE_KEYS | CHANGE_NEW_QUORUM},
		{"a second joins one of one", "a", "a", "ab", 1, 1, 1, CHANGE_NEW_QUORUM},
		{"a second joins, and both are asked for", "a", "a", "ab", 1, 1, 2, 0},
		{"many keys, one of them kept", "abcde", "abcde", "afghi", 3, 3, 3,
		 CHANGE_KEYS | CHANGE_NEW_QUORUM},
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		CLEANUP(tuf_root_freep) struct tuf_root *anchor = NULL;
		CLEANUP(tuf_root_freep) struct tuf_root *from = NULL;
		CLEANUP(tuf_root_freep) struct tuf_root *to = NULL;

		anchor = root_of(*state, steps[i].anchor, steps[i].anchor_k, NULL);
		from = root_of(*state, steps[i].from, steps[i].from_k, NULL);
		to = root_of(*state, steps[i].to, steps[i].to_k, NULL);
		unsigned got = compare(anchor, from, to);
		if (got != steps[i].change)
			fail_msg("%s: want %u, got %u", steps[i].rule, steps[i].change, got);
	}
}

/* What `edit` makes of the x-bequest of the root that is offered. */
static unsigned change_by(struct cast *c, void (*edit)(json_t *x), void (*before)(json_t *x))
{
	CLEANUP(json_decrefp) json_t *x = plog_x_bequest(c->p, "acme", "vendor");
	CLEANUP(json_decrefp) json_t *y = plog_x_bequest(c->p, "acme", "vendor");
	CLEANUP(tuf_root_freep) struct tuf_root *from = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *to = NULL;

	if (before)
		before(x);
	edit(y);
	from = root_of(c, "abc", 2, x);
	to = root_of(c, "abc", 2, y);
	return compare(from, from, to);
}

static void put(json_t *x, const char *object, const char *key, json_t *v)
{
	assert_int_equal(json_object_set_new(json_object_get(x, object), key, v), 0);
}

static json_t *witness_keys(json_t *x)
{
	return json_object_get(json_object_get(x, "witnesses"), "keys");
}

static void other_id(json_t *x)
{
	put(x, "publisher", "id", json_string("acme2"));
}
static void other_kind(json_t *x)
{
	put(x, "publisher", "kind", json_string("stewards"));
}
static void other_words(json_t *x)
{
	put(x, "publisher", "name", json_string("ACME Holding"));
	put(x, "publisher", "contact", json_string("mailto:new@acme.example"));
}
static void no_log(json_t *x)
{
	assert_int_equal(json_object_set_new(x, "logs", json_array()), 0);
}
static void moved_log(json_t *x)
{
	json_t *log = json_array_get(json_object_get(x, "logs"), 0);

	assert_int_equal(json_object_set_new(log, "url", json_string("https://new.example/")), 0);
}
/* Replace the log by one of this origin and key (NULL: its own). */
static void replace_log(json_t *x, const char *origin, const unsigned char *pub)
{
	json_t *log = json_array_get(json_object_get(x, "logs"), 0);
	CLEANUP(buf_clear) struct buf vkey = {0};
	struct note_key old, new;
	struct error err = {0};

	assert_int_equal(
		note_key_parse(json_string_value(json_object_get(log, "vkey")), &old, &err), 0);
	assert_int_equal(note_key_make(origin, NOTE_ED25519, pub ? pub : old.pub, &new, &err), 0);
	assert_int_equal(note_key_format(&new, &vkey, &err), 0);
	assert_int_equal(json_object_set_new(log, "origin", json_string(origin)), 0);
	assert_int_equal(json_object_set_new(log, "vkey", json_string(vkey.data)), 0);
}
static void log_of_another_key(json_t *x)
{
	static const unsigned char seed[ED25519_LEN] = {7};
	unsigned char pub[ED25519_LEN];

	assert_int_equal(ed25519_public(seed, pub, NULL), 0);
	replace_log(x, PLOG_ORIGIN, pub);
}
static void log_of_another_origin(json_t *x)
{
	replace_log(x, "another.example/log", NULL);
}
static void no_witnesses(json_t *x)
{
	assert_int_equal(json_object_del(x, "witnesses"), 0);
}
static void fewer_witnesses(json_t *x)
{
	assert_int_equal(json_array_remove(witness_keys(x), 2), 0);
}
static void lower_threshold(json_t *x)
{
	put(x, "witnesses", "threshold", json_integer(1));
}
static void higher_threshold(json_t *x)
{
	put(x, "witnesses", "threshold", json_integer(3));
}
static void one_witness(json_t *x)
{
	assert_int_equal(json_array_remove(witness_keys(x), 2), 0);
	assert_int_equal(json_array_remove(witness_keys(x), 1), 0);
	lower_threshold(x);
}
static void two_witnesses(json_t *x)
{
	assert_int_equal(json_array_remove(witness_keys(x), 2), 0);
	lower_threshold(x);
}
static void as_it_was(json_t *x)
{
	(void)x;
}

static void names_logs_and_witnesses_are_compared(void **state)
{
	static const struct {
		void (*before)(json_t *x), (*edit)(json_t *x);
		unsigned change;
	} steps[] = {
		{NULL, as_it_was, 0},
		{NULL, other_id, CHANGE_NAME},
		{NULL, other_kind, CHANGE_NAME},
		{NULL, other_words, 0},
		{NULL, no_log, CHANGE_LOGS},
		{no_log, as_it_was, 0}, /* a log joins */
		{NULL, moved_log, 0},
		{NULL, log_of_another_key, CHANGE_LOGS}, /* under the name of the old one */
		{NULL, log_of_another_origin, CHANGE_LOGS},
		{NULL, no_witnesses, CHANGE_LOGS},
		{no_witnesses, as_it_was, 0}, /* witnesses where there were none */
		{NULL, fewer_witnesses, CHANGE_LOGS},
		{NULL, lower_threshold, CHANGE_LOGS},
		{NULL, higher_threshold, 0},
		{fewer_witnesses, as_it_was, 0}, /* one joins two of two */
		/* one of one, and one of two: the newcomer alone is a quorum */
		{one_witness, two_witnesses, CHANGE_LOGS},
		/* one of one, and two of three: so are the newcomers */
		{one_witness, as_it_was, CHANGE_LOGS},
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		unsigned got = change_by(*state, steps[i].edit, steps[i].before);

		if (got != steps[i].change)
			fail_msg("step %zu: want %u, got %u", i, steps[i].change, got);
	}
}

/* The anchor is remembered where each step alone loses nothing. */
static void logs_are_compared_with_the_anchor_too(void **state)
{
	struct cast *c = *state;
	CLEANUP(json_decrefp) json_t *bare = plog_x_bequest(c->p, "acme", "vendor");
	CLEANUP(tuf_root_freep) struct tuf_root *anchor = root_of(c, "abc", 2, NULL);
	CLEANUP(tuf_root_freep) struct tuf_root *from = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *to = NULL;

	no_witnesses(bare);
	from = root_of(c, "abc", 2, bare);
	to = root_of(c, "abc", 2, bare);
	assert_int_equal(compare(from, from, to), 0);
	assert_int_equal(compare(anchor, from, to), CHANGE_LOGS);
	assert_int_equal(compare(from, anchor, to), CHANGE_LOGS);
}

static void a_publisher_is_read_whole(void **state)
{
	struct cast *c = *state;
	CLEANUP(tuf_root_freep) struct tuf_root *root = root_of(c, "abc", 2, NULL);
	struct publisher p;

	assert_int_equal(publisher_read(root, "root.json", &p, NULL), 0);
	assert_string_equal(p.id, "acme");
	assert_string_equal(p.name, "A Name");
	assert_null(p.contact);
	assert_int_equal(p.kind, PUBLISHER_VENDOR);
	assert_false(p.bridge);
	assert_int_equal(p.nlogs, 1);
	assert_string_equal(p.logs[0].origin, PLOG_ORIGIN);
	assert_string_equal(p.logs[0].url, "log/");
	assert_int_equal(p.nwitnesses, 3);
	assert_int_equal(p.witness_threshold, 2);
	assert_null(p.mirrors);
	assert_string_equal(publisher_kind_name(PUBLISHER_STEWARDS), "stewards");
}

static void a_malformed_publisher_is_refused(void **state)
{
	static const struct {
		const char *key, *json, *complaint;
	} bad[] = {
		{"publisher", "1", "signed.x-bequest.publisher"},
		{"publisher", "{\"id\":\"A\",\"name\":\"A\",\"kind\":\"vendor\"}", "publisher.id"},
		{"publisher", "{\"id\":\"a\",\"name\":\"\",\"kind\":\"vendor\"}", "publisher.name"},
		{"publisher", "{\"id\":\"a\",\"name\":\"A\",\"kind\":\"buyer\"}", "publisher.kind"},
		{"publisher", "{\"id\":\"a\",\"name\":\"A\"}", "publisher.kind"},
		{"bridge", "\"yes\"", "signed.x-bequest.bridge"},
		{"mirrors", "[1]", "mirrors[0]"},
		{"logs", "[{\"origin\":\"o\",\"vkey\":\"o+00000000+AA==\",\"url\":\"u\"}]",
		 "logs[0].vkey"},
		{"logs", "[{\"origin\":\"o\",\"url\":\"u\"}]", "logs[0].vkey"},
		{"witnesses", "{\"keys\":[]}", "witnesses.threshold"},
		{"witnesses", "{\"keys\":[],\"threshold\":1}", "witnesses.threshold: want 0 to 0"},
		{"witnesses", "{\"keys\":[7],\"threshold\":0}", "witnesses.keys[0]: want text"},
		{"rebuilders", "{\"keys\":{},\"threshold\":0}", "rebuilders.threshold"},
		{"rebuilders", "{\"keys\":{\"k\":1},\"threshold\":1}", "rebuilders.keys"},
	};
	struct cast *c = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(json_decrefp) json_t *x = plog_x_bequest(c->p, "acme", "vendor");
		json_t *v = json_loads(bad[i].json, JSON_DECODE_ANY, NULL);
		CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
		struct publisher p = {.id = "untouched"};
		struct error err = {0};

		assert_int_equal(json_object_set_new(x, bad[i].key, v), 0);
		root = root_of(c, "abc", 2, x);
		assert_error(publisher_read(root, "root.json", &p, &err), E_INVALID, &err,
			     bad[i].complaint);
		assert_memory_equal(err.text, "root.json: ", strlen("root.json: "));
		assert_string_equal(p.id, "untouched");
	}
}

/* One key under two names, a log among the witnesses, a log twice or under another name. */
static void one_key_has_one_name_and_one_office(void **state)
{
	struct cast *c = *state;
	struct note_key twin, log_as_witness;
	struct error err = {0};
	struct publisher p;

	assert_int_equal(note_key_make("twin.example", NOTE_COSIGNATURE, c->p->witness_key[0].pub,
				       &twin, NULL),
			 0);
	assert_int_equal(note_key_make("log.example", NOTE_COSIGNATURE, c->p->log_key.pub,
				       &log_as_witness, NULL),
			 0);
	const struct {
		const struct note_key *witness;
		const char *complaint;
	} bad[] = {
		{&twin, "witnesses.keys[3]: repeats witness 0"},
		{&c->p->witness_key[1], "witnesses.keys[3]: repeats witness 1"},
		{&log_as_witness, "witnesses.keys[3]: is the key of a log"},
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(json_decrefp) json_t *x = plog_x_bequest(c->p, "acme", "vendor");
		CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
		CLEANUP(buf_clear) struct buf vkey = {0};

		assert_int_equal(note_key_format(bad[i].witness, &vkey, NULL), 0);
		assert_int_equal(json_array_append_new(witness_keys(x), json_string(vkey.data)), 0);
		root = root_of(c, "abc", 2, x);
		assert_error(publisher_read(root, "root.json", &p, &err), E_INVALID, &err,
			     bad[i].complaint);
	}

	CLEANUP(json_decrefp) json_t *x = plog_x_bequest(c->p, "acme", "vendor");
	CLEANUP(tuf_root_freep) struct tuf_root *twice = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *renamed = NULL;
	json_t *logs = json_object_get(x, "logs"), *log = json_array_get(logs, 0);
	assert_int_equal(json_array_append_new(logs, json_deep_copy(log)), 0);
	twice = root_of(c, "abc", 2, x);
	assert_error(publisher_read(twice, "root.json", &p, &err), E_INVALID, &err,
		     "logs[1]: repeats log 0");
	assert_int_equal(json_array_remove(logs, 1), 0);
	assert_int_equal(json_object_set_new(log, "origin", json_string("other")), 0);
	renamed = root_of(c, "abc", 2, x);
	assert_error(publisher_read(renamed, "root.json", &p, &err), E_INVALID, &err,
		     "logs[0].vkey: want a key named like the origin");
}

/* Any other TUF root has no publisher, so nothing can be compared with it. */
static void a_root_without_a_publisher_cannot_be_compared(void **state)
{
	struct cast *c = *state;
	CLEANUP(json_decrefp) json_t *none = json_null();
	CLEANUP(tuf_root_freep) struct tuf_root *bare = root_of(c, "abc", 2, none);
	CLEANUP(tuf_root_freep) struct tuf_root *root = root_of(c, "abc", 2, NULL);
	struct error err = {0};
	unsigned change = 99;

	assert_error(publisher_compare(root, root, bare, &change, &err), E_INVALID, &err,
		     "offered root: signed.x-bequest");
	assert_error(publisher_compare(root, bare, root, &change, &err), E_INVALID, &err,
		     "trusted root: signed.x-bequest");
	assert_int_equal(change, 99);
}

static void changes_are_told_in_words(void **state)
{
	CLEANUP(buf_clear) struct buf text = {0};

	(void)state;
	assert_int_equal(publisher_change_text(CHANGE_THRESHOLD | CHANGE_LOGS, &text, NULL), 0);
	assert_string_equal(text.data,
			    "the root threshold falls; logs or witnesses are dropped or outvoted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_compared_by_key_material),
		cmocka_unit_test(names_logs_and_witnesses_are_compared),
		cmocka_unit_test(logs_are_compared_with_the_anchor_too),
		cmocka_unit_test(a_publisher_is_read_whole),
		cmocka_unit_test(a_malformed_publisher_is_refused),
		cmocka_unit_test(one_key_has_one_name_and_one_office),
		cmocka_unit_test(a_root_without_a_publisher_cannot_be_compared),
		cmocka_unit_test(changes_are_told_in_words),
	};

	return cmocka_run_group_tests(tests, open_cast, close_cast);
}
