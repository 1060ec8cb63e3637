/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an attacker who holds the network, a mirror or some keys tries against a
 * TUF client (specification 1.0.34, section 1.5.2, and the advisories against
 * other implementations), one test each. What a delegated role tries is in
 * test_delegation_attacks.c.
 */
#include <stdio.h>

#include "lib/base/hex.h"
#include "lib/tuf/client.h"
#include "tests/support/tuf_expect.h"
#include "tests/support/tuf_sim.h"
#include "tests/unit/unit.h"

enum { HOUR = 3600, DAY = 24 * HOUR, FAST_FORWARD = 1000000 };

static json_t *signatures(const json_t *doc)
{
	return json_object_get(doc, "signatures");
}

static void add_signature(const json_t *doc, json_t *object_take)
{
	assert_int_equal(json_array_append_new(signatures(doc), object_take), 0);
}

static void set(json_t *object, const char *key, json_t *value_take)
{
	assert_int_equal(json_object_set_new(object, key, value_take), 0);
}

static json_t *root_role(struct tuf_sim *s, const char *role)
{
	return json_object_get(json_object_get(sim_role(s, "root")->body, "roles"), role);
}

static void set_threshold(struct tuf_sim *s, const char *role, int n)
{
	set(root_role(s, role), "threshold", json_integer(n));
}

/* --- thresholds ------------------------------------------------------------- */

static void repeated_signature_does_not_reach_a_threshold(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	json_t *doc;

	(void)state;
	sim_add_key(s, "timestamp", "ed25519");
	set_threshold(s, "timestamp", 2);
	sim_bump(s, "root");
	sim_drop_signer(sim_role(s, "timestamp"), 1);
	sim_bump(s, "timestamp");
	assert_refuses(s, E_UNTRUSTED, "1 of 2 signatures");
	doc = sim_take(s, "timestamp.json");
	add_signature(doc, json_deep_copy(json_array_get(signatures(doc), 0)));
	sim_replace(s, "timestamp.json", doc);
	assert_refuses(s, E_INVALID, "signatures[1].keyid: repeated");
}

static void one_key_under_two_ids_counts_once(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	const struct key *key = signer_key(sim_role(s, "timestamp")->signers[0]);
	json_t *keys = json_object_get(sim_role(s, "root")->body, "keys"), *doc, *twin;

	(void)state;
	set(keys, "another-name", json_incref(key_object(key)));
	assert_int_equal(json_array_append_new(json_object_get(root_role(s, "timestamp"), "keyids"),
					       json_string("another-name")),
			 0);
	set_threshold(s, "timestamp", 2);
	sim_bump(s, "root");
	sim_bump(s, "timestamp");
	doc = sim_take(s, "timestamp.json");
	twin = json_copy(json_array_get(signatures(doc), 0));
	set(twin, "keyid", json_string("another-name"));
	add_signature(doc, twin);
	sim_replace(s, "timestamp.json", doc);
	assert_refuses(s, E_UNTRUSTED, "1 of 2 signatures");
}

#define FPR "00112233445566778899aabbccddeeff00112233"

/* An OpenPGP signature (version 4, type 0) by an Ed25519 signer, as securesystemslib has it. */
static json_t *pgp_signature(struct signer *signer, const struct buf *canonical)
{
	static const unsigned char trailer[] = {0x04, 0xff, 0, 0, 0, 35};
	static const char headers[] = "04001608001d162104" FPR "050270dbd880";
	CLEANUP(json_decrefp) json_t *plain = NULL;
	CLEANUP(buf_clear) struct buf b = {0};
	unsigned char raw[35], hash[SHA256_LEN];
	struct error err = {0};

	assert_true(hex_decode(headers, raw, sizeof(raw)));
	assert_int_equal(buf_add(&b, canonical->data, canonical->len, &err), 0);
	assert_int_equal(buf_add(&b, raw, sizeof(raw), &err), 0);
	assert_int_equal(buf_add(&b, trailer, sizeof(trailer), &err), 0);
	sha256(b.data, b.len, hash);
	assert_int_equal(signer_sign(signer, hash, sizeof(hash), &plain, &err), 0);
	return json_pack("{s:s, s:O, s:s}", "keyid", FPR, "sig", json_object_get(plain, "sig"),
			 "other_headers", headers);
}

/* timestamp.json with an OpenPGP signature of the signer, too, or alone. */
static void add_pgp_signature(struct tuf_sim *s, struct signer *signer, bool alone)
{
	CLEANUP(envelope_freep) struct envelope *e = NULL;
	json_t *doc = sim_take(s, "timestamp.json");
	struct error err = {0};

	assert_int_equal(envelope_new(json_deep_copy(json_object_get(doc, "signed")), &e, &err), 0);
	if (alone)
		(void)json_array_clear(signatures(doc));
	add_signature(doc, pgp_signature(signer, envelope_canonical(e)));
	sim_replace(s, "timestamp.json", doc);
}

static void one_key_in_two_forms_counts_once(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	struct signer *signer = sim_role(s, "timestamp")->signers[0];
	json_t *keys = json_object_get(sim_role(s, "root")->body, "keys");
	json_t *keyval = json_object_get(key_object(signer_key(signer)), "keyval");

	(void)state;
	set(keys, FPR,
	    json_pack("{s:s, s:s, s:{s:s, s:{s:O}}}", "keytype", "eddsa", "scheme",
		      "pgp+eddsa-ed25519", "keyval", "private", "", "public", "q",
		      json_object_get(keyval, "public")));
	assert_int_equal(json_array_append_new(json_object_get(root_role(s, "timestamp"), "keyids"),
					       json_string(FPR)),
			 0);
	sim_bump(s, "root"); /* threshold 1: the OpenPGP form is good by itself */
	sim_bump(s, "timestamp");
	add_pgp_signature(s, signer, true);
	assert_refreshes(s);

	set_threshold(s, "timestamp", 2);
	sim_bump(s, "root");
	sim_bump(s, "timestamp");
	add_pgp_signature(s, signer, false);
	assert_refuses(s, E_UNTRUSTED, "1 of 2 signatures");
}

static void strangers_do_not_reach_a_threshold(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_add_key(s, "timestamp", "ed25519"); /* a root that lists it is never published */
	sim_drop_signer(sim_role(s, "timestamp"), 0);
	sim_bump(s, "timestamp");
	assert_refuses(s, E_UNTRUSTED, "0 of 1 signatures");
}

static void threshold_below_one_is_refused(void **state)
{
	static const int bad[] = {0, -1};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		set_threshold(s, "targets", bad[i]);
		sim_bump(s, "root");
		assert_refuses(s, E_INVALID, "signed.roles.targets.threshold");
		assert_int_equal(sim_trusts(s, "root"), 1);
	}
}

static void role_of_too_few_keys_cannot_be_satisfied(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	set_threshold(s, "targets", 2);
	sim_bump(s, "root");
	assert_refuses(s, E_UNTRUSTED, "targets.json: 1 of 2 signatures");
	assert_trusts(s, 2, 1, 1, 0);
}

static void spoilt_signatures_beside_good_ones_do_no_harm(void **state)
{
	static const char *const bad[] = {"", "zz", "00", "0", "AB"};
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	json_t *doc = sim_take(s, "timestamp.json");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char keyid[16];

		(void)snprintf(keyid, sizeof(keyid), "stranger-%zu", i);
		add_signature(doc, json_pack("{s:s, s:s}", "keyid", keyid, "sig", bad[i]));
	}
	add_signature(doc, json_pack("{s:s}", "keyid", "no sig"));
	add_signature(doc, json_pack("{s:s, s:i}", "keyid", "no text", "sig", 1));
	sim_replace(s, "timestamp.json", doc);
	assert_refreshes(s);
}

static void number_of_signatures_is_bounded(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	json_t *doc = sim_take(s, "timestamp.json");

	(void)state;
	while (json_array_size(signatures(doc)) < SIGNATURES_MAX) {
		char keyid[16];

		(void)snprintf(keyid, sizeof(keyid), "k%zu", json_array_size(signatures(doc)));
		add_signature(doc, json_pack("{s:s, s:s}", "keyid", keyid, "sig", "00"));
	}
	sim_replace(s, "timestamp.json", json_incref(doc));
	assert_refreshes(s);
	add_signature(doc, json_pack("{s:s, s:s}", "keyid", "one too many", "sig", "00"));
	sim_replace(s, "timestamp.json", doc);
	assert_refuses(s, E_INVALID, "signatures: want 0 to 128 elements");
}

/* --- root --------------------------------------------------------------------- */

static void root_versions_cannot_be_skipped(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_bump(s, "root");
	sim_bump(s, "root");
	sim_put_copy(s, "2.root.json", "3.root.json");
	assert_refuses(s, E_UNTRUSTED, "2.root.json: version 3, want 2");
	assert_trusts(s, 1, 0, 0, 0);
}

static void root_cannot_be_rolled_back(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_bump(s, "root");
	assert_refreshes(s);
	sim_put_copy(s, "3.root.json", "1.root.json");
	assert_refuses(s, E_UNTRUSTED, "3.root.json: version 1, want 3");
	sim_put_copy(s, "3.root.json", "2.root.json");
	assert_refuses(s, E_UNTRUSTED, "3.root.json: version 2, want 3");
	assert_int_equal(sim_trusts(s, "root"), 2);
}

static void root_of_another_repository_is_refused(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(sim_freep) struct tuf_sim *other = sim_new();
	const struct buf *b;

	(void)state;
	sim_bump(other, "root");
	b = &sim_remote(other, "2.root.json")->bytes;
	sim_put(&s->remote, "2.root.json", b->data, b->len);
	assert_refuses(s, E_UNTRUSTED,
		       "2.root.json: 0 of 1 signatures of the root role of "
		       "version 1");
}

static void stolen_old_root_keys_are_worth_nothing_after_a_rotation(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_rotate(s, "root");
	sim_bump(s, "root");
	assert_refreshes(s);
	sim_drop_signer(sim_role(s, "root"), 1); /* the thief has the first key only */
	sim_bump(s, "root");
	assert_refuses(s, E_UNTRUSTED, "0 of 1 signatures of the root role of version 2");
	assert_int_equal(sim_trusts(s, "root"), 2);
}

static void endless_data_is_cut_at_the_limit_of_its_role(void **state)
{
	static const struct {
		const char *name;
		size_t max;
	} files[] = {{"2.root.json", TUF_ROOT_MAX}, {"timestamp.json", TUF_TIMESTAMP_MAX}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
		CLEANUP(freep) char *spaces = malloc(files[i].max + 1);

		memset(spaces, ' ', files[i].max + 1);
		sim_put(&s->remote, files[i].name, spaces, files[i].max + 1);
		assert_refuses(s, E_INVALID, "larger than");
	}
}

static void listed_length_bounds_what_is_fetched(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	const struct buf *b = &sim_remote(s, "1.snapshot.json")->bytes;
	CLEANUP(freep) char *longer = malloc(b->len + 1);

	(void)state;
	memcpy(longer, b->data, b->len);
	longer[b->len] = '\n';
	sim_put(&s->remote, "1.snapshot.json", longer, b->len + 1);
	assert_refuses(s, E_INVALID, "1.snapshot.json: larger than");
	assert_trusts(s, 1, 1, 0, 0);
}

/* --- freeze, rollback, mix-and-match ------------------------------------------- */

static void replayed_timestamp_cannot_freeze_beyond_its_expiry(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_set_expiry(sim_role(s, "timestamp"), s->now + DAY);
	sim_bump(s, "timestamp");
	assert_refreshes(s);
	s->now += DAY - 1;
	assert_refreshes(s);
	s->now += 1;
	assert_refuses(s, E_UNTRUSTED, "timestamp.json: expired");
}

static void replayed_snapshot_cannot_freeze_beyond_its_expiry(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_set_expiry(sim_role(s, "snapshot"), s->now + DAY);
	sim_release(s, "snapshot");
	assert_refreshes(s);
	s->now += DAY;
	sim_bump(s, "timestamp"); /* by a thief of the timestamp's key */
	assert_refuses(s, E_UNTRUSTED, "snapshot.json: expired");
}

static void timestamp_cannot_be_rolled_back(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(buf_clear) struct buf old = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(buf_add(&old, sim_remote(s, "timestamp.json")->bytes.data,
				 sim_remote(s, "timestamp.json")->bytes.len, &err),
			 0);
	sim_release(s, "timestamp");
	assert_refreshes(s);
	sim_put(&s->remote, "timestamp.json", old.data, old.len);
	assert_refuses(s, E_UNTRUSTED, "timestamp.json: version 1, was 2 before");
	assert_int_equal(sim_trusts(s, "timestamp"), 2);
}

/* CVE-2025-2888: the timestamp that promises less must not be kept, or it blocks the client. */
static void timestamp_cannot_promise_an_older_snapshot(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_release(s, "snapshot");
	assert_refreshes(s);
	sim_set_version(sim_role(s, "snapshot"), 1);
	sim_publish(s, "snapshot");
	sim_bump(s, "timestamp");
	assert_refuses(s, E_UNTRUSTED, "timestamp.json: snapshot.json at version 1, was 2");
	assert_trusts(s, 1, 2, 2, 1);
	sim_set_version(sim_role(s, "snapshot"), 3);
	sim_publish(s, "snapshot");
	sim_bump(s, "timestamp");
	assert_refreshes(s);
	assert_trusts(s, 1, 4, 3, 1);
}

static void snapshot_cannot_lower_the_version_of_targets(void **state)
{
	(void)state;
	for (int hashes = 0; hashes < 2; hashes++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		s->listing_hashes = hashes;
		sim_release(s, "targets");
		assert_refreshes(s);
		sim_set_version(sim_role(s, "targets"), 1);
		sim_publish(s, "targets");
		sim_release(s, "snapshot");
		assert_refuses(s, E_UNTRUSTED, "targets.json at version 1, was 2 before");
		assert_trusts(s, 1, 3, 2, 2);
	}
}

/* The local snapshot counts even where the new timestamp's hash is not its own. */
static void rollback_is_seen_past_a_local_snapshot_of_another_hash(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	s->listing_hashes = false;
	sim_set_version(sim_role(s, "targets"), 2);
	sim_publish(s, "targets");
	sim_release(s, "snapshot");
	assert_refreshes(s);
	s->listing_hashes = true;
	sim_set_version(sim_role(s, "targets"), 1);
	sim_publish(s, "targets");
	sim_release(s, "snapshot");
	assert_refuses(s, E_UNTRUSTED, "targets.json at version 1, was 2 before");
}

static void snapshot_cannot_drop_a_file(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	(void)sim_delegate(s, "targets", "line", "*", false);
	sim_publish(s, "line");
	sim_release(s, "targets");
	assert_refreshes(s);
	(void)json_object_del(json_object_get(sim_role(s, "snapshot")->body, "meta"), "line.json");
	sim_release(s, "snapshot");
	assert_refuses(s, E_UNTRUSTED, "line.json was listed before, and is not now");
}

static void snapshot_that_omits_targets_is_refused(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	(void)json_object_del(json_object_get(sim_role(s, "snapshot")->body, "meta"),
			      "targets.json");
	sim_release(s, "snapshot");
	assert_refuses(s, E_INVALID, "snapshot.json: does not list targets.json");
	sim_publish(s, "targets");
	(void)json_object_clear(json_object_get(sim_role(s, "timestamp")->body, "meta"));
	sim_bump(s, "timestamp");
	assert_refuses(s, E_INVALID, "timestamp.json: does not list snapshot.json");
}

/* New names for old files: the version inside decides, where no hash is listed. */
static void old_files_under_new_names_are_refused(void **state)
{
	(void)state;
	for (int hashes = 0; hashes < 2; hashes++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		s->listing_hashes = hashes;
		sim_release(s, "targets");
		sim_put_copy(s, "2.targets.json", "1.targets.json");
		assert_refuses(s, E_UNTRUSTED, "2.targets.json: ");
		assert_trusts(s, 1, 2, 2, 0);
		sim_put_copy(s, "2.snapshot.json", "1.snapshot.json");
		sim_forget(&s->local, "snapshot.json");
		assert_refuses(s, E_UNTRUSTED, "2.snapshot.json: ");
	}
}

/* Nor new ones: what is in the file is what its lister and its name say. */
static void new_files_under_old_names_are_refused(void **state)
{
	static const char *const roles[] = {"snapshot", "targets"};
	char want[32], newer[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		s->listing_hashes = false;
		sim_release(s, "targets");
		sim_bump(s, roles[i]);
		(void)snprintf(want, sizeof(want), "2.%s.json", roles[i]);
		(void)snprintf(newer, sizeof(newer), "3.%s.json", roles[i]);
		sim_put_copy(s, want, newer);
		assert_refuses(s, E_UNTRUSTED, "version 3, want 2");
		assert_int_equal(sim_trusts(s, roles[i]), 0);
		assert_int_equal(sim_trusts(s, "timestamp"), 2);
	}
}

/* Two snapshots of one version, both truly signed: only the one that the timestamp means. */
static void other_snapshot_of_the_same_version_is_refused(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(buf_clear) struct buf other = {0};

	(void)state;
	set(sim_role(s, "snapshot")->body, "x-other", json_integer(1));
	sim_document(sim_role(s, "snapshot"), &other);
	sim_put(&s->remote, "1.snapshot.json", other.data, other.len);
	assert_int_equal(sim_refresh(s, NULL) < 0, 1);
	assert_trusts(s, 1, 1, 0, 0);
	/* Not from the client's own store either. */
	sim_put(&s->local, "snapshot.json", other.data, other.len);
	sim_publish(s, "snapshot");
	(void)json_object_del(sim_role(s, "snapshot")->body, "x-other");
	sim_publish(s, "snapshot");
	(void)sim_requests(s);
	assert_refreshes(s);
	assert_non_null(strstr(sim_requests(s), "1.snapshot.json"));
	assert_int_not_equal(sim_local(s, "snapshot.json")->bytes.len, other.len);
}

static void file_of_one_role_is_not_taken_for_another(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	const struct key *shared = signer_key(sim_role(s, "snapshot")->signers[0]);
	json_t *ids = json_object_get(root_role(s, "timestamp"), "keyids");

	(void)state;
	assert_int_equal(json_array_append_new(ids, json_string(key_id(shared))), 0);
	sim_bump(s, "root"); /* the snapshot's key may sign timestamps, too */
	sim_set_version(sim_role(s, "snapshot"), 7);
	sim_publish(s, "snapshot");
	sim_put_copy(s, "timestamp.json", "7.snapshot.json");
	assert_refuses(s, E_INVALID, "signed._type: want \"timestamp\", got \"snapshot\"");
}

static void key_of_one_role_does_not_sign_for_another(void **state)
{
	static const char *const roles[] = {"root", "timestamp", "snapshot", "targets"};

	(void)state;
	for (size_t i = 1; i < ARRAY_LEN(roles); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
		struct sim_role *role = sim_role(s, roles[i]), *thief = sim_role(s, roles[i - 1]);
		struct signer *own = role->signers[0];

		role->signers[0] = thief->signers[0];
		sim_publish(s, roles[i]);
		if (role->type == TUF_TARGETS)
			sim_publish(s, "snapshot");
		role->signers[0] = own;
		if (role->type != TUF_TIMESTAMP)
			sim_bump(s, "timestamp");
		assert_refuses(s, E_UNTRUSTED, "0 of 1 signatures");
	}
}

/* --- recovery from a fast-forward attack ---------------------------------------- */

static void timestamp_recovers_from_fast_forward_by_a_new_key(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_set_version(sim_role(s, "timestamp"), FAST_FORWARD);
	sim_publish(s, "timestamp");
	assert_refreshes(s);
	sim_set_version(sim_role(s, "timestamp"), 2);
	sim_publish(s, "timestamp");
	assert_refuses(s, E_UNTRUSTED, "was 1000000 before");
	sim_rotate(s, "timestamp");
	sim_bump(s, "root");
	sim_publish(s, "timestamp");
	assert_refreshes(s);
	assert_trusts(s, 2, 2, 1, 1);
}

static void snapshot_recovers_from_fast_forward_by_new_keys(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_set_version(sim_role(s, "snapshot"), FAST_FORWARD);
	sim_publish(s, "snapshot");
	sim_bump(s, "timestamp");
	assert_refreshes(s);
	sim_rotate(s, "snapshot");
	sim_rotate(s, "timestamp");
	sim_bump(s, "root");
	sim_set_version(sim_role(s, "snapshot"), 1);
	sim_publish(s, "snapshot");
	sim_set_version(sim_role(s, "timestamp"), 1);
	sim_publish(s, "timestamp");
	assert_refreshes(s);
	assert_trusts(s, 2, 1, 1, 1);
}

static void targets_recover_from_fast_forward_by_a_new_snapshot_key(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_set_version(sim_role(s, "targets"), FAST_FORWARD);
	sim_publish(s, "targets");
	sim_release(s, "snapshot");
	assert_refreshes(s);
	sim_rotate(s, "snapshot");
	sim_bump(s, "root");
	sim_set_version(sim_role(s, "targets"), 2);
	sim_publish(s, "targets");
	sim_release(s, "snapshot");
	assert_refreshes(s);
	assert_int_equal(sim_trusts(s, "targets"), 2);
}

/* --- garbage ----------------------------------------------------------------------- */

/* Whatever a mirror does to one byte of one file, the client ends in what it knew or in the truth.
 */
static void changed_bytes_are_refused(void **state)
{
	static const char *const names[] = {"2.root.json", "timestamp.json", "1.snapshot.json",
					    "2.targets.json"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		sim_bump(s, "root");
		sim_bump(s, "targets");
		sim_publish(s, "snapshot");
		sim_publish(s, "timestamp");

		struct buf *b = &sim_remote(s, names[i])->bytes;
		for (size_t at = 0; at < b->len; at += 3) {
			char kept = b->data[at];
			struct error err = {0};
			int r;

			sim_forget(&s->local, "timestamp.json");
			sim_forget(&s->local, "snapshot.json");
			sim_forget(&s->local, "targets.json");
			sim_put(&s->local, "root.json", sim_remote(s, "1.root.json")->bytes.data,
				sim_remote(s, "1.root.json")->bytes.len);
			b = &sim_remote(s, names[i])->bytes;
			b->data[at] = (char)(b->data[at] ^ (1 << (at % 7)));
			r = sim_refresh(s, &err);
			if (r == 0) /* white space, or a signature's own bytes */
				assert_int_equal(sim_trusts(s, "targets"), 2);
			b = &sim_remote(s, names[i])->bytes;
			b->data[at] = kept;
		}
	}
}

static void cut_off_files_are_refused(void **state)
{
	static const char *const names[] = {"2.root.json", "timestamp.json", "1.snapshot.json",
					    "1.targets.json"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		sim_bump(s, "root");
		struct buf *b = &sim_remote(s, names[i])->bytes;
		size_t whole = b->len;

		for (size_t len = 0; len + 1 < whole;
		     len += 11) { /* the last byte is a line feed */
			b->len = len;
			assert_true(sim_refresh(s, NULL) < 0);
		}
		b->len = whole;
		assert_refreshes(s);
	}
}

static void valid_json_of_the_wrong_shape_is_refused(void **state)
{
	static const char *const shapes[] = {
		"null",
		"true",
		"0",
		"\"\"",
		"[]",
		"{}",
		"[[[[]]]]",
		"{\"signed\": null, \"signatures\": null}",
		"{\"signed\": [], \"signatures\": {}}",
		"{\"signed\": {\"_type\": []}, \"signatures\": [null]}",
		"{\"signatures\": [{\"keyid\": []}], \"signed\": {\"_type\": \"root\", "
		"\"spec_version\": \"1.0\", \"version\": 2}}",
		"{\"signatures\": [], \"signed\": {\"_type\": \"root\", \"spec_version\": 1, "
		"\"version\": \"2\"}}",
	};
	static const char *const names[] = {"2.root.json", "timestamp.json"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		for (size_t k = 0; k < ARRAY_LEN(shapes); k++) {
			struct error err = {0};

			sim_put(&s->remote, names[i], shapes[k], strlen(shapes[k]));
			assert_int_equal(sim_refresh(s, &err), E_INVALID);
			assert_trusts(s, 1, 0, 0, 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repeated_signature_does_not_reach_a_threshold),
		cmocka_unit_test(one_key_under_two_ids_counts_once),
		cmocka_unit_test(one_key_in_two_forms_counts_once),
		cmocka_unit_test(strangers_do_not_reach_a_threshold),
		cmocka_unit_test(threshold_below_one_is_refused),
		cmocka_unit_test(role_of_too_few_keys_cannot_be_satisfied),
		cmocka_unit_test(spoilt_signatures_beside_good_ones_do_no_harm),
		cmocka_unit_test(number_of_signatures_is_bounded),
		cmocka_unit_test(root_versions_cannot_be_skipped),
		cmocka_unit_test(root_cannot_be_rolled_back),
		cmocka_unit_test(root_of_another_repository_is_refused),
		cmocka_unit_test(stolen_old_root_keys_are_worth_nothing_after_a_rotation),
		cmocka_unit_test(endless_data_is_cut_at_the_limit_of_its_role),
		cmocka_unit_test(listed_length_bounds_what_is_fetched),
		cmocka_unit_test(replayed_timestamp_cannot_freeze_beyond_its_expiry),
		cmocka_unit_test(replayed_snapshot_cannot_freeze_beyond_its_expiry),
		cmocka_unit_test(timestamp_cannot_be_rolled_back),
		cmocka_unit_test(timestamp_cannot_promise_an_older_snapshot),
		cmocka_unit_test(snapshot_cannot_lower_the_version_of_targets),
		cmocka_unit_test(rollback_is_seen_past_a_local_snapshot_of_another_hash),
		cmocka_unit_test(snapshot_cannot_drop_a_file),
		cmocka_unit_test(snapshot_that_omits_targets_is_refused),
		cmocka_unit_test(old_files_under_new_names_are_refused),
		cmocka_unit_test(new_files_under_old_names_are_refused),
		cmocka_unit_test(other_snapshot_of_the_same_version_is_refused),
		cmocka_unit_test(file_of_one_role_is_not_taken_for_another),
		cmocka_unit_test(key_of_one_role_does_not_sign_for_another),
		cmocka_unit_test(timestamp_recovers_from_fast_forward_by_a_new_key),
		cmocka_unit_test(snapshot_recovers_from_fast_forward_by_new_keys),
		cmocka_unit_test(targets_recover_from_fast_forward_by_a_new_snapshot_key),
		cmocka_unit_test(changed_bytes_are_refused),
		cmocka_unit_test(cut_off_files_are_refused),
		cmocka_unit_test(valid_json_of_the_wrong_shape_is_refused),
	};

	return cmocka_run_group_tests_name("tuf_attacks", tests, NULL, NULL);
}
