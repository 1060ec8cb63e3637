/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry takes, keeps waiting and refuses. */
#include "lib/base/utc.h"
#include "lib/tuf/repo.h"
#include "registry/verbs_admin.h"
#include "tests/support/town.h"
#include "tests/support/town_expect.h"
#include "tests/unit/unit.h"

static void first_root_is_published_with_its_proof(void **state)
{
	struct town *t = *state;
	struct paper root = town_root(t, 1, "vendor");
	CLEANUP(json_decrefp) json_t *reply = NULL;
	CLEANUP(freep) char *proof = NULL;
	const json_t *doc;
	struct error err = {0};

	assert_int_equal(town_post(t, &root, 1, &reply, &err), 0);
	doc = json_array_get(json_object_get(reply, "documents"), 0);
	assert_string_equal(json_string_value(json_object_get(doc, "state")), "published");
	proof = town_read(t, json_string_value(json_object_get(doc, "proof")));
	assert_non_null(proof);
	assert_non_null(strstr(proof, "c2sp.org/tlog-proof@v1"));
	assert_sound(t);
}

static void first_root_needs_its_own_threshold_or_waits(void **state)
{
	struct town *t = *state;
	struct paper root = town_root(t, 1, "vendor");
	struct paper second = paper_copy(&root);
	struct paper stranger = paper_copy(&root);

	stranger.nby = 0;
	paper_sign(&stranger, &t->maintainer, 1);
	assert_refused1(t, stranger, E_UNTRUSTED, "root 1: 0 of 2 signatures of its own root role");
	root.nby = 1;
	town_expect(t, root, "proposal");
	second.by[0] = second.by[1];
	second.nby = 1;
	town_expect(t, second, "published");
	assert_sound(t);
}

static void first_root_must_be_well_formed(void **state)
{
	struct town *t = *state;
	struct paper root = town_root(t, 2, "vendor");

	assert_refused1(t, root, E_INVALID, "root 2: signed.version: want 1 for a new product");
	root = town_root(t, 1, "vendor");
	json_object_set_new(root.body, "product", json_string("../etc"));
	assert_refused1(t, root, E_INVALID, "root 1: signed.product: want a product id");
	root = town_root(t, 1, "vendor");
	json_object_set_new(root.body, "consistent_snapshot", json_false());
	assert_refused1(t, root, E_INVALID, "root 1: signed.consistent_snapshot: want true");
	root = town_bridge(t, 1);
	assert_refused1(t, root, E_INVALID, "bridge: a first root is none");
}

static void online_roles_must_list_our_key_for_that_publisher(void **state)
{
	struct town *t = *state;
	struct paper root = town_root(t, 1, "vendor");
	json_t *x = json_object_get(root.body, "x-bequest");

	json_object_set_new(json_object_get(x, "publisher"), "id", json_string("other"));
	assert_refused1(
		t, root, E_INVALID,
		"root 1: signed.roles.timestamp: lists no key of this registry for publisher other; "
		"ask POST /v1/products/acme.x1/online-keys");
}

static void moderated_registry_stores_nothing_before_admission(void **state)
{
	struct town *t = town_new(false);
	CLEANUP(json_decrefp) json_t *reply = NULL;
	struct error err = {0};
	struct paper root = town_root(t, 1, "vendor");

	(void)state;
	assert_refused1(t, paper_copy(&root), E_DENIED, "root 1: waiting for admission");
	assert_int_equal(registry_proposals(t->r, TOWN_PRODUCT, &reply, &err), E_NOTFOUND);
	assert_int_equal(admit_product(t->dir, TOWN_PRODUCT, &err), 0);
	town_expect(t, root, "published");
	town_free(t);
}

static void same_document_again_gets_the_same_answer(void **state)
{
	struct town *t = *state;
	struct paper root = town_root(t, 1, "vendor");
	struct paper other = town_root(t, 1, "vendor");
	CLEANUP(freep) char *before = NULL;
	CLEANUP(freep) char *after = NULL;

	town_expect(t, paper_copy(&root), "published");
	before = town_read(t, "log/checkpoint");
	town_expect(t, root, "published");
	after = town_read(t, "log/checkpoint");
	assert_string_equal(before, after);
	json_object_set_new(other.body, "x-more", json_true());
	assert_refused1(t, other, E_EXISTS, "root 1: another document has this version");
}

static void targets_wait_for_blobs_and_then_appear_whole(void **state)
{
	struct town *t = *state;
	struct paper root;
	CLEANUP(freep) char *early = NULL;

	town_settle(t, &root);
	assert_sound(t);
	struct paper next = town_targets(t, 2, "vendor");
	town_add_target(&next, "notes.txt", "some notes", NULL);
	town_expect(t, paper_copy(&next), "waiting");
	early = town_read(t, "p/" TOWN_PRODUCT "/metadata/2.targets.json");
	assert_null(early);
	town_expect(t, paper_copy(&next), "waiting"); /* again: still one batch */
	struct error err = {0};
	assert_error(town_upload(t, "other notes", &err), E_NOTFOUND, &err, "no document lists");
	assert_int_equal(town_upload(t, "some notes", &err), 0);
	town_expect(t, next, "published");
	assert_sound(t);
	paper_clear(&root);
}

static void targets_version_signature_and_expiry_are_checked(void **state)
{
	struct town *t = *state;
	struct paper root, p;

	town_settle(t, &root);
	p = town_targets(t, 3, "vendor");
	assert_refused1(t, p, E_INVALID, "targets 3: signed.version: want 2, got 3");
	p = town_targets(t, 2, "vendor");
	p.by[0] = t->maintainer;
	assert_refused1(t, p, E_UNTRUSTED, "targets 2: 0 of 1 signatures of the targets role");
	p = town_targets(t, 2, "vendor");
	json_object_set_new(p.body, "expires", json_string("2020-01-01T00:00:00Z"));
	assert_refused1(t, p, E_INVALID, "targets 2: signed.expires: lies in the past");
	p = town_targets(t, 2, "vendor");
	town_add_target(&p, "../../../etc/passwd", "x", NULL);
	assert_refused1(t, p, E_INVALID, "not a path");
	p = town_targets(t, 1, "vendor");
	assert_refused1(t, p, E_EXISTS, "targets 1: another document has this version");
	paper_clear(&root);
}

/* What the disk cannot hold, or the server does not serve, would end all publishing. */
static void targets_have_names_that_can_be_stored_and_served(void **state)
{
	struct town *t = *state;
	struct paper root, p;
	struct error err = {0};
	char name[192];

	town_settle(t, &root);
	memset(name, 'a', sizeof(name));
	name[191] = '\0';
	p = town_targets(t, 2, "vendor");
	town_add_target(&p, name, "x", NULL);
	assert_refused1(t, p, E_INVALID, "last component: want 1 to 190 bytes, got 191");
	p = town_targets(t, 2, "vendor");
	town_add_target(&p, ".tmp-x/image.bin", "x", NULL);
	assert_refused1(t, p, E_INVALID, "\".tmp-x/image.bin\": not a path");
	name[190] = '\0';
	p = town_targets(t, 2, "vendor");
	town_add_target(&p, name, "x", NULL);
	town_expect(t, paper_copy(&p), "waiting");
	assert_int_equal(town_upload(t, "x", &err), 0);
	town_expect(t, p, "published");
	assert_sound(t);
	paper_clear(&root);
}

static void publishing_policy_refuses_with_its_reason(void **state)
{
	static const struct {
		const char *version, *hardware, *part;
	} bad[] = {
		{"0.9", "acme,x1", "its version is not lower"},
		{"2.0", "acme,x2", "all of it the product's own"},
	};
	struct town *t = *state;
	struct paper root;

	town_settle(t, &root);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct paper p = town_targets(t, 2, "vendor");

		town_add_target(&p, "image.bin", "vendor image 2",
				json_pack("{s:{s:s, s:[s]}}", "bequest", "version", bad[i].version,
					  "hardware", bad[i].hardware));
		assert_refused1(t, p, E_DENIED, "targets 2: image.bin: policy publish/basic");
	}
	paper_clear(&root);
}

static void delegated_role_is_found_by_its_keys_and_published_with_its_parent(void **state)
{
	struct town *t = *state;
	CLEANUP(json_decrefp) json_t *paths = json_pack("[s]", "beta/*");
	CLEANUP(freep) char *file = NULL;
	struct paper root, papers[2], again;
	struct error err = {0};

	town_settle(t, &root);
	papers[0] = town_targets(t, 2, "vendor");
	assert_int_equal(repo_delegate(papers[0].body, "beta", paths, 1, &err), 0);
	assert_int_equal(repo_delegate_key(papers[0].body, "beta",
					   key_id(signer_key(t->maintainer)),
					   key_object(signer_key(t->maintainer)), &err),
			 0);
	again = paper_copy(&papers[0]);
	assert_refused1(
		t, again, E_DENIED,
		"targets: delegates to beta, which has no metadata: post its first version in the "
		"same array");
	papers[1] = town_targets(t, 1, "stewards"); /* by the maintainer */
	assert_int_equal(town_post(t, papers, 2, NULL, &err), 0);
	file = town_read(t, "p/" TOWN_PRODUCT "/metadata/1.beta.json");
	assert_non_null(file);
	assert_sound(t);
	assert_refused1(t, town_targets(t, 3, "stewards"), E_INVALID,
			"targets 3: signed.version: want 2, got 3");
	paper_clear(&root);
}

/* --- channels --- */

/* Targets `version` by the vendor, with `name` delegated to the maintainer. */
static struct paper delegating(struct town *t, int64_t version, const char *name, const char *path)
{
	struct paper p = town_targets(t, version, "vendor");

	town_delegate(&p, name, path, t->maintainer);
	return p;
}

/* A product whose vendor has a channel "beta", at version 1; *root is for paper_clear(). */
static void open_channel(struct town *t, struct paper *root)
{
	struct paper papers[2];
	struct error err = {0};

	town_settle(t, root);
	papers[0] = delegating(t, 2, "beta", "beta/*");
	papers[1] = town_channel(t, 1, "beta", t->maintainer);
	assert_int_equal(town_post(t, papers, 2, NULL, &err), 0);
}

static void delegated_role_lists_what_was_delegated_to_it(void **state)
{
	struct town *t = *state;
	CLEANUP(freep) char *served = NULL;
	struct paper root, p;
	struct error err = {0};

	open_channel(t, &root);
	p = town_channel(t, 2, "beta", t->maintainer);
	town_add_target(&p, "image.bin", "image", NULL);
	assert_refused1(
		t, p, E_INVALID,
		"beta 2: signed.targets[\"image.bin\"]: is not among the paths that are delegated to "
		"beta");
	p = town_channel(t, 2, "beta", t->maintainer);
	town_add_target(&p, "beta/image.bin", "image", NULL);
	town_expect(t, p, "waiting");
	assert_int_equal(town_upload(t, "image", &err), 0);
	served = town_read(t, "p/" TOWN_PRODUCT "/metadata/2.beta.json");
	assert_non_null(served);
	assert_sound(t);
	paper_clear(&root);
}

/* The publication policy is that of the publisher, whoever signs for it. */
static void delegated_role_is_held_to_the_publishing_policy(void **state)
{
	struct town *t = *state;
	struct paper root, p;

	open_channel(t, &root);
	p = town_channel(t, 2, "beta", t->maintainer);
	town_add_target(&p, "beta/image.bin", "image",
			json_pack("{s:{s:s, s:[s]}}", "bequest", "version", "2.0", "hardware",
				  "other,device"));
	assert_refused1(t, p, E_DENIED,
			"beta 2: beta/image.bin: policy publish/basic: needs \"it names hardware");
	paper_clear(&root);
}

static void who_is_removed_from_a_channel_publishes_no_more(void **state)
{
	struct town *t = *state;
	struct paper root, papers[2], p;
	struct error err = {0};

	open_channel(t, &root);

	/* another's key: what the first one signed no longer stands, so the next version comes
	 * along */
	p = delegating(t, 3, "beta", "beta/*");
	assert_int_equal(repo_delegate_clear(p.body, "beta", &err), 0);
	const struct key *key = signer_key(t->trustee[0]);
	assert_int_equal(repo_delegate_key(p.body, "beta", key_id(key), key_object(key), &err), 0);
	assert_refused1(
		t, paper_copy(&p), E_DENIED,
		"beta: the current version is not signed as targets asks: post the next one in the "
		"same array");
	papers[0] = p;
	papers[1] = town_channel(t, 2, "beta", t->maintainer);
	papers[1].by[0] = t->trustee[0];
	assert_int_equal(town_post(t, papers, 2, NULL, &err), 0);
	assert_refused1(t, town_channel(t, 3, "beta", t->maintainer), E_UNTRUSTED,
			"beta 3: 0 of 1 signatures");

	/* and with the delegation goes everybody */
	town_expect(t, town_targets(t, 4, "vendor"), "published");
	p = town_channel(t, 3, "beta", t->maintainer);
	p.by[0] = t->trustee[0];
	assert_refused1(t, p, E_UNTRUSTED, "beta 3: 0 of 1 signatures");
	assert_sound(t);
	paper_clear(&root);
}

static void a_steward_for_a_while_publishes_until_then(void **state)
{
	struct town *t = *state;
	struct paper root, papers[2];
	struct error err = {0};

	town_settle(t, &root);
	papers[0] = delegating(t, 2, "beta", "beta/*");
	assert_int_equal(repo_delegate_until(papers[0].body, "beta", 1700000000, &err), 0);
	papers[1] = town_channel(t, 1, "beta", t->maintainer);
	assert_refused(t, papers, 2, E_DENIED,
		       "beta 1: what is delegated to the beta role ended on 2023-11-14T22:13:20Z");
	papers[0] = delegating(t, 2, "beta", "beta/*");
	assert_int_equal(repo_delegate_until(papers[0].body, "beta", INT64_C(4102444800), &err), 0);
	papers[1] = town_channel(t, 1, "beta", t->maintainer);
	assert_int_equal(town_post(t, papers, 2, NULL, &err), 0);
	town_expect(t, town_channel(t, 2, "beta", t->maintainer), "published");
	paper_clear(&root);
}

static void role_names_are_file_names(void **state)
{
	static const char odd[] = "Jörg's #1 & 2?";
	static const char *const bad[] = {"a/b", "..", ".hidden", "a\\b", "a\nb"};
	struct town *t = *state;
	struct paper root, papers[2];
	CLEANUP(freep) char *file = NULL;
	struct error err = {0};

	town_settle(t, &root);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		papers[0] = delegating(t, 2, bad[i], "beta/*");
		papers[1] = town_channel(t, 1, bad[i], t->maintainer);
		assert_refused(t, papers, 2, E_UNTRUSTED, "0 of 1 signatures of the targets role");
	}
	papers[0] = delegating(t, 2, odd, "beta/*");
	papers[1] = town_channel(t, 1, odd, t->maintainer);
	assert_int_equal(town_post(t, papers, 2, NULL, &err), 0);
	file = town_read(t, "p/" TOWN_PRODUCT "/metadata/1.Jörg's #1 & 2?.json");
	assert_non_null(file);
	assert_sound(t);
	paper_clear(&root);
}

static void hash_bins_are_published_together(void **state)
{
	struct town *t = *state;
	struct paper root, papers[5], p;
	const struct key *key = signer_key(t->maintainer);
	struct error err = {0};

	town_settle(t, &root);
	for (int i = 0; i < 4; i++) {
		char name[8];

		(void)snprintf(name, sizeof(name), "bin-%d", i);
		papers[i + 1] = town_channel(t, 1, name, t->maintainer);
	}
	papers[0] = town_targets(t, 2, "vendor");
	assert_int_equal(repo_bins(papers[0].body, "bin", 2, 1, &err), 0);
	assert_int_equal(repo_bins_key(papers[0].body, key_id(key), key_object(key), &err), 0);
	p = paper_copy(&papers[0]);
	assert_refused1(t, p, E_DENIED, "targets: delegates to bin-0, which has no metadata");
	assert_int_equal(town_post(t, papers, 5, NULL, &err), 0);
	p = town_channel(t, 2, "bin-1", t->maintainer);
	town_add_target(&p, "file.txt", "text", NULL); /* sha256 begins with aa: the third bin */
	assert_refused1(t, p, E_INVALID, "is not among the paths that are delegated to bin-1");
	p = town_channel(t, 2, "bin-2", t->maintainer);
	town_add_target(&p, "file.txt", "text", NULL);
	town_expect(t, p, "waiting");
	assert_int_equal(town_upload(t, "text", &err), 0);
	assert_sound(t);
	paper_clear(&root);
}

static void what_clients_would_refuse_is_not_published(void **state)
{
	struct town *t = *state;
	CLEANUP(json_decrefp) json_t *paths = json_pack("[s]", "beta/*");
	struct paper root, p;
	struct error err = {0};

	town_settle(t, &root);
	p = delegating(t, 2, "beta", "beta/*");
	assert_int_equal(repo_delegate(p.body, "beta", paths, 2, &err), 0);
	assert_refused1(
		t, p, E_INVALID,
		"targets 2: signed.delegations: beta: 1 of its keys can be used, and its threshold "
		"is 2");
	p = town_root(t, 2, "vendor");
	json_object_set_new(p.body, "expires", json_string("2020-01-01T00:00:00Z"));
	assert_refused1(t, p, E_INVALID, "root 2: signed.expires: lies in the past");
	paper_clear(&root);
}

/* A client runs over the result before it is public: here over a store that forgot a version. */
static void nothing_is_published_that_a_client_refuses(void **state)
{
	struct town *t = *state;
	CLEANUP(json_decrefp) json_t *before = NULL;
	CLEANUP(json_decrefp) json_t *after = NULL;
	struct paper root;

	town_settle(t, &root);
	town_expect(t, town_targets(t, 2, "vendor"), "published");
	town_expect(t, town_targets(t, 3, "vendor"), "published");
	before = town_json(t, "p/" TOWN_PRODUCT "/metadata/timestamp.json");
	town_sql(t, "UPDATE online SET version = 1 WHERE type = 'timestamp'");
	assert_refused1(t, town_targets(t, 4, "vendor"), E_DENIED,
			"clients would refuse it: timestamp.json: version 2");
	after = town_json(t, "p/" TOWN_PRODUCT "/metadata/timestamp.json");
	assert_true(json_equal(before, after));
	town_sql(t, "UPDATE online SET version = 3 WHERE type = 'timestamp'");
	town_expect(t, town_targets(t, 4, "vendor"), "published");
	paper_clear(&root);
}

static void fsck_verifies_delegated_roles(void **state)
{
	struct town *t = *state;
	CLEANUP(json_decrefp) json_t *report = NULL;
	CLEANUP(freep) char *text = NULL;
	struct paper root;
	struct error err = {0};

	open_channel(t, &root);
	town_sql(t, "UPDATE document SET role = 'alpha' WHERE role = 'beta'");
	assert_int_equal(registry_fsck(t->r, false, &report, &err), E_UNTRUSTED);
	text = json_dumps(report, 0);
	assert_non_null(strstr(text, "nobody delegated to the alpha role"));
	town_sql(t, "UPDATE document SET role = 'beta' WHERE role = 'alpha'");
	assert_sound(t);
	paper_clear(&root);
}

static void statements_name_the_current_root_and_rise(void **state)
{
	struct town *t = *state;
	struct paper root, p, second;

	town_settle(t, &root);
	town_expect(t, town_statement(t, "heartbeat", 2, &root), "published");
	assert_refused1(t, town_statement(t, "heartbeat", 1, &root), E_DENIED,
			"heartbeat 1: signed.version: want more than 2, got 1");
	p = town_statement(t, "heartbeat", 2, &root);
	json_object_set_new(p.body, "x", json_true());
	assert_refused1(t, p, E_EXISTS, "heartbeat 2: another document has this version");
	p = town_statement(t, "heartbeat", 3, &root);
	p.by[0] = p.by[1] = t->maintainer;
	p.nby = 1;
	assert_refused1(t, p, E_UNTRUSTED,
			"heartbeat 3: 0 of 2 signatures of the current root role");
	p = town_statement(t, "heartbeat", 3, &root);
	json_object_set_new(p.body, "issued", json_string("2999-01-01T00:00:00Z"));
	assert_refused1(t, p, E_INVALID, "heartbeat 3: signed.issued: lies in the future");
	second = town_root(t, 2, "vendor");
	town_expect(t, paper_copy(&second), "published");
	assert_refused1(t, town_statement(t, "heartbeat", 3, &root), E_DENIED,
			"heartbeat 3: signed.root: want the current root 2");
	town_expect(t, town_statement(t, "heartbeat", 3, &second), "published");
	assert_sound(t);
	paper_clear(&root);
	paper_clear(&second);
}

static void registry_makes_some_documents_itself(void **state)
{
	struct town *t = *state;
	struct paper root, p;

	town_settle(t, &root);
	p = town_statement(t, "timestamp", 9, NULL);
	assert_refused1(t, p, E_DENIED, "timestamp 9: is made by the registry itself");
	p = town_statement(t, "gossip", 1, &root);
	assert_refused1(t, p, E_INVALID, "gossip 1: signed._type: unknown");
	paper_clear(&root);
}

static void proposals_keep_only_signatures_that_count(void **state)
{
	struct town *t = *state;
	CLEANUP(json_decrefp) json_t *reply = NULL;
	struct paper root, p, junk;
	const json_t *list, *first;
	struct error err = {0};

	town_settle(t, &root);
	p = town_statement(t, "heartbeat", 1, &root);
	junk = paper_copy(&p);
	p.by[1] = t->maintainer;
	town_expect(t, p, "proposal");
	junk.nby = 0;
	paper_sign(&junk, &t->steward[0], 1);
	town_expect(t, paper_copy(&junk), "proposal"); /* adds nothing to what waits */
	json_object_set_new(junk.body, "x", json_true());
	assert_refused1(t, junk, E_UNTRUSTED,
			"heartbeat 1: 0 of 2 signatures of the current root role");
	assert_int_equal(registry_proposals(t->r, TOWN_PRODUCT, &reply, &err), 0);
	list = json_object_get(reply, "proposals");
	assert_int_equal(json_array_size(list), 1);
	first = json_array_get(list, 0);
	assert_int_equal(json_integer_value(json_object_get(first, "have")), 1);
	assert_int_equal(json_integer_value(json_object_get(first, "need")), 2);
	assert_int_equal(json_array_size(json_object_get(first, "signed_by")), 1);
	paper_clear(&root);
}

static void array_is_taken_all_or_none(void **state)
{
	struct town *t = *state;
	struct paper root, papers[2];
	CLEANUP(freep) char *before = NULL;
	CLEANUP(freep) char *after = NULL;
	struct error err = {0};

	town_settle(t, &root);
	before = town_read(t, "log/checkpoint");
	papers[0] = town_statement(t, "heartbeat", 1, &root);
	papers[1] = town_targets(t, 7, "vendor");
	assert_error(town_post(t, papers, 2, NULL, &err), E_INVALID, &err, "targets 7");
	after = town_read(t, "log/checkpoint");
	assert_string_equal(before, after);
	papers[0] = town_statement(t, "heartbeat", 1, &root);
	papers[1] = town_statement(t, "heartbeat", 1, &root);
	assert_error(town_post(t, papers, 2, NULL, &err), E_INVALID, &err,
		     "heartbeat 1: is in the array twice");
	paper_clear(&root);
}

static void body_must_be_documents(void **state)
{
	static const char *const bad[] = {"",       "[]",    "[1]",  "{}", "{\"signed\":{}}",
					  "[{},{}", "{} {}", "\"x\""};
	struct town *t = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		json_t *reply = NULL;
		struct error err = {0};

		assert_int_equal(registry_submit(t->r, bad[i], strlen(bad[i]), &reply, &err),
				 E_INVALID);
		assert_null(reply);
	}
}

#define IN_TOWN(test) cmocka_unit_test_setup_teardown(test, open_town, close_town)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TOWN(first_root_is_published_with_its_proof),
		IN_TOWN(first_root_needs_its_own_threshold_or_waits),
		IN_TOWN(first_root_must_be_well_formed),
		IN_TOWN(online_roles_must_list_our_key_for_that_publisher),
		cmocka_unit_test(moderated_registry_stores_nothing_before_admission),
		IN_TOWN(same_document_again_gets_the_same_answer),
		IN_TOWN(targets_wait_for_blobs_and_then_appear_whole),
		IN_TOWN(targets_version_signature_and_expiry_are_checked),
		IN_TOWN(targets_have_names_that_can_be_stored_and_served),
		IN_TOWN(publishing_policy_refuses_with_its_reason),
		IN_TOWN(delegated_role_is_found_by_its_keys_and_published_with_its_parent),
		IN_TOWN(delegated_role_lists_what_was_delegated_to_it),
		IN_TOWN(delegated_role_is_held_to_the_publishing_policy),
		IN_TOWN(who_is_removed_from_a_channel_publishes_no_more),
		IN_TOWN(a_steward_for_a_while_publishes_until_then),
		IN_TOWN(role_names_are_file_names),
		IN_TOWN(hash_bins_are_published_together),
		IN_TOWN(what_clients_would_refuse_is_not_published),
		IN_TOWN(nothing_is_published_that_a_client_refuses),
		IN_TOWN(fsck_verifies_delegated_roles),
		IN_TOWN(statements_name_the_current_root_and_rise),
		IN_TOWN(registry_makes_some_documents_itself),
		IN_TOWN(proposals_keep_only_signatures_that_count),
		IN_TOWN(array_is_taken_all_or_none),
		IN_TOWN(body_must_be_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
