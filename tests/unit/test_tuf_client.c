/* SPDX-License-Identifier: Apache-2.0 */
/* The client workflow of TUF, rule by rule (specification 1.0.34, section 5). */
#include "lib/tuf/client.h"

#include "lib/base/digest.h"
#include "tests/support/tuf_expect.h"
#include "tests/support/tuf_sim.h"
#include "tests/unit/unit.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

/* --- what is asked for ---------------------------------------------------- */

static void plain_refresh_makes_four_requests(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	assert_refreshes(s);
	assert_string_equal(sim_requests(s),
			    "2.root.json timestamp.json 1.snapshot.json 1.targets.json");
	assert_trusts(s, 1, 1, 1, 1);
	assert_int_equal(s->local.n, 4);
}

static void refresh_with_nothing_new_makes_two_requests(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	assert_refreshes(s);
	(void)sim_requests(s);
	assert_refreshes(s);
	assert_string_equal(sim_requests(s), "2.root.json timestamp.json");
}

static void without_consistent_snapshots_names_are_plain(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	(void)json_object_del(sim_role(s, "root")->body, "consistent_snapshot");
	sim_bump(s, "root");
	sim_release(s, "targets");
	assert_refreshes(s);
	assert_string_equal(sim_requests(s), "2.root.json 3.root.json timestamp.json snapshot.json "
					     "targets.json");
	assert_trusts(s, 2, 2, 2, 2);
}

static void bytes_are_stored_as_received(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	static const char *const names[] = {"timestamp.json", "snapshot.json", "targets.json"};
	static const char *const from[] = {"timestamp.json", "1.snapshot.json", "1.targets.json"};

	(void)state;
	assert_refreshes(s);
	for (size_t i = 0; i < 3; i++) {
		const struct buf *local = &sim_local(s, names[i])->bytes;
		const struct buf *remote = &sim_remote(s, from[i])->bytes;

		assert_int_equal(local->len, remote->len);
		assert_memory_equal(local->data, remote->data, local->len);
	}
}

static void unknown_fields_are_ignored(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	for (int t = 0; t < TUF_TYPES; t++)
		assert_int_equal(json_object_set_new(s->roles[t]->body, "x-custom",
						     json_pack("{s:[i]}", "a", 1)),
				 0);
	sim_bump(s, "root");
	sim_release(s, "targets");
	assert_refreshes(s);
	assert_trusts(s, 2, 2, 2, 2);
}

/* --- root ----------------------------------------------------------------- */

static void unsigned_or_broken_first_root_makes_no_request(void **state)
{
	static const char *const bad[] = {"", "{", "[]", "{\"signatures\": [], \"signed\": {}}"};
	struct tuf *t = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
		struct error err = {0};

		sim_put(&s->local, "root.json", bad[i], strlen(bad[i]));
		assert_int_equal(sim_refresh(s, &err), E_INVALID);
		assert_string_equal(sim_requests(s), "");
	}

	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct tuf_io io = sim_io(s);
	struct error err = {0};

	sim_drop_signer(sim_role(s, "root"), 0);
	sim_document(sim_role(s, "root"), &bytes);
	sim_put(&s->local, "root.json", bytes.data, bytes.len);
	assert_error(tuf_open(&io, &(struct tuf_options){.now = s->now}, &t, &err), E_UNTRUSTED,
		     &err, "root.json: 0 of 1 signatures");
	assert_null(t);
	sim_forget(&s->local, "root.json");
	assert_int_equal(tuf_open(&io, &(struct tuf_options){.now = s->now}, &t, &err), E_NOTFOUND);
	assert_string_equal(sim_requests(s), "");
}

static void root_chain_is_walked_one_by_one_to_its_end(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	for (int i = 0; i < 4; i++) {
		sim_rotate(s, "root");
		sim_bump(s, "root");
	}
	assert_refreshes(s);
	assert_string_equal(sim_requests(s),
			    "2.root.json 3.root.json 4.root.json 5.root.json 6.root.json "
			    "timestamp.json 1.snapshot.json 1.targets.json");
	assert_trusts(s, 5, 1, 1, 1);
}

static void each_root_is_stored_before_the_next_is_fetched(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_bump(s, "root");
	sim_bump(s, "root");
	sim_bump(s, "root");
	sim_remote(s, "4.root.json")->fail = E_NET;
	assert_refuses(s, E_NET, "4.root.json");
	assert_trusts(s, 3, 0, 0, 0);
}

static void only_a_404_ends_the_root_chain(void **state)
{
	static const int codes[] = {E_NET, E_BUSY, E_INVALID, E_NOMEM};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		sim_put(&s->remote, "2.root.json", "", 0);
		sim_remote(s, "2.root.json")->fail = codes[i];
		assert_refuses(s, codes[i], "2.root.json");
		assert_string_equal(sim_requests(s), "2.root.json");
		assert_trusts(s, 1, 0, 0, 0);
	}
}

static void expired_first_and_intermediate_roots_are_fine(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(buf_clear) struct buf bytes = {0};

	(void)state;
	sim_set_expiry(sim_role(s, "root"), s->now - DAY);
	sim_document(sim_role(s, "root"), &bytes);
	sim_put(&s->local, "root.json", bytes.data, bytes.len);
	sim_bump(s, "root");
	sim_set_expiry(sim_role(s, "root"), s->now + DAY);
	sim_bump(s, "root");
	assert_refreshes(s);
	assert_trusts(s, 3, 1, 1, 1);
}

static void expired_last_root_fails_but_is_kept(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_bump(s, "root");
	sim_set_expiry(sim_role(s, "root"), s->now);
	sim_bump(s, "root");
	assert_refuses(s, E_UNTRUSTED, "root.json: expired");
	assert_trusts(s, 3, 0, 0, 0);
	assert_string_equal(sim_requests(s), "2.root.json 3.root.json 4.root.json");
}

static void chain_ends_after_its_limit_of_steps(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	for (int i = 0; i < TUF_ROOTS_MAX + 1; i++)
		sim_bump(s, "root");
	assert_refreshes(s);
	assert_int_equal(sim_trusts(s, "root"), TUF_ROOTS_MAX + 1);
	assert_refreshes(s);
	assert_int_equal(sim_trusts(s, "root"), TUF_ROOTS_MAX + 2);
}

static void keep_root_leaves_the_chain_alone(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_bump(s, "root");
	s->o.keep_root = true;
	assert_refreshes(s);
	assert_string_equal(sim_requests(s), "timestamp.json 1.snapshot.json 1.targets.json");
	assert_trusts(s, 1, 1, 1, 1);
}

/* --- keys that change ------------------------------------------------------ */

static void rotated_keys_of_each_role_are_followed(void **state)
{
	static const char *const roles[] = {"timestamp", "snapshot", "targets"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		assert_refreshes(s);
		sim_rotate(s, roles[i]);
		sim_bump(s, "root");
		sim_release(s, roles[i]);
		assert_refreshes(s);
		assert_int_equal(sim_trusts(s, roles[i]), 2);
	}
}

static void rotated_keys_without_new_metadata_are_refused(void **state)
{
	static const char *const roles[] = {"timestamp", "snapshot", "targets"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		assert_refreshes(s);
		sim_rotate(s, roles[i]);
		sim_bump(s, "root");
		assert_refuses(s, E_UNTRUSTED, "0 of 1 signatures");
	}
}

static void local_files_of_dropped_keys_no_longer_count(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_set_version(sim_role(s, "timestamp"), 9000);
	sim_publish(s, "timestamp");
	assert_refreshes(s);
	sim_rotate(s, "timestamp");
	sim_bump(s, "root");
	sim_set_version(sim_role(s, "timestamp"), 1);
	sim_publish(s, "timestamp");
	assert_refreshes(s);
	assert_trusts(s, 2, 1, 1, 1);
}

static void snapshot_promise_ends_with_the_snapshot_keys(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_set_version(sim_role(s, "snapshot"), 9000);
	sim_publish(s, "snapshot");
	sim_bump(s, "timestamp");
	assert_refreshes(s);
	sim_rotate(s, "snapshot");
	sim_bump(s, "root");
	sim_set_version(sim_role(s, "snapshot"), 2);
	sim_publish(s, "snapshot");
	sim_bump(s, "timestamp");
	/* The power is cut once the new root is there: the next session sees no change of root. */
	sim_remote(s, "timestamp.json")->fail = E_NET;
	assert_refuses(s, E_NET, "timestamp.json");
	sim_remote(s, "timestamp.json")->fail = 0;
	assert_refreshes(s);
	assert_trusts(s, 2, 3, 2, 1);
}

static void snapshot_promise_ends_within_the_session_that_sees_the_keys_go(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_set_version(sim_role(s, "snapshot"), 9000);
	sim_publish(s, "snapshot");
	sim_bump(s, "timestamp");
	assert_refreshes(s);
	sim_rotate(s, "snapshot");
	sim_bump(s, "root");
	sim_set_version(sim_role(s, "snapshot"), 2);
	sim_publish(s, "snapshot");
	sim_bump(s, "timestamp");
	assert_refreshes(s);
	assert_trusts(s, 2, 3, 2, 1);
}

/* Only keys that went end it: not a file that was lost or spoilt. */
static void snapshot_promise_outlives_the_local_snapshot(void **state)
{
	(void)state;
	for (int spoilt = 0; spoilt < 2; spoilt++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		sim_release(s, "snapshot");
		assert_refreshes(s);
		sim_forget(&s->local, "snapshot.json");
		if (spoilt)
			sim_put(&s->local, "snapshot.json", "{", 1);
		sim_set_version(sim_role(s, "snapshot"), 1);
		sim_publish(s, "snapshot");
		sim_bump(s, "timestamp");
		assert_refuses(s, E_UNTRUSTED, "timestamp.json: snapshot.json at version 1, was 2");
	}
}

/* --- timestamp ------------------------------------------------------------- */

static void equal_timestamp_version_keeps_the_old_bytes_and_goes_on(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	char before[SHA256_HEX_SIZE], after[SHA256_HEX_SIZE];

	(void)state;
	sim_remote(s, "1.snapshot.json")->fail = E_NET; /* stop after the timestamp is stored */
	assert_refuses(s, E_NET, "1.snapshot.json");
	sim_remote(s, "1.snapshot.json")->fail = 0;
	sha256_hex(sim_local(s, "timestamp.json")->bytes.data,
		   sim_local(s, "timestamp.json")->bytes.len, before);
	sim_set_expiry(sim_role(s, "timestamp"), s->now + 2 * DAY);
	sim_publish(s, "timestamp");
	assert_refreshes(s);
	assert_trusts(s, 1, 1, 1, 1);
	sha256_hex(sim_local(s, "timestamp.json")->bytes.data,
		   sim_local(s, "timestamp.json")->bytes.len, after);
	assert_string_equal(before, after);
}

static void expired_local_timestamp_still_counts_for_rollback(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_set_version(sim_role(s, "timestamp"), 5);
	sim_set_expiry(sim_role(s, "timestamp"), s->now + HOUR);
	sim_publish(s, "timestamp");
	assert_refreshes(s);
	s->now += 2 * HOUR;
	sim_set_expiry(sim_role(s, "timestamp"), s->now + HOUR);
	sim_set_version(sim_role(s, "timestamp"), 4);
	sim_publish(s, "timestamp");
	assert_refuses(s, E_UNTRUSTED, "timestamp.json: version 4, was 5");
	sim_set_version(sim_role(s, "timestamp"), 6);
	sim_publish(s, "timestamp");
	assert_refreshes(s);
	assert_trusts(s, 1, 6, 1, 1);
}

/* Expired means `now >= expires`, for each role, and what is expired is not stored. */
static void expiry_is_reached_at_its_very_second(void **state)
{
	static const char *const roles[] = {"timestamp", "snapshot", "targets"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		sim_set_expiry(sim_role(s, roles[i]), s->now);
		sim_release(s, roles[i]);
		assert_refuses(s, E_UNTRUSTED, "expired at 2030-01-01T00:00:00Z");
		assert_int_equal(sim_trusts(s, roles[i]), 0);
		sim_set_expiry(sim_role(s, roles[i]), s->now + 1);
		sim_release(s, roles[i]);
		assert_refreshes(s);
	}
}

static void stale_metadata_is_accepted_for_as_long_as_asked(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	struct tuf_io io = sim_io(s);
	struct tuf_options o = {.stale_s = 7 * DAY};
	struct error err = {0};

	(void)state;
	sim_set_expiry(sim_role(s, "timestamp"), s->now + DAY);
	sim_bump(s, "timestamp");
	o.now = s->now + DAY - 1;
	assert_int_equal(tuf_open(&io, &o, &t, &err), 0);
	assert_int_equal(tuf_refresh(t, &err), 0);
	assert_false(tuf_is_stale(t));
	tuf_close(t);
	t = NULL;
	o.now = s->now + 8 * DAY - 1;
	assert_int_equal(tuf_open(&io, &o, &t, &err), 0);
	assert_int_equal(tuf_refresh(t, &err), 0);
	assert_true(tuf_is_stale(t));
	tuf_close(t);
	t = NULL;
	o.now = s->now + 8 * DAY;
	assert_int_equal(tuf_open(&io, &o, &t, &err), 0);
	assert_error(tuf_refresh(t, &err), E_UNTRUSTED, &err, "timestamp.json: expired");
}

/* --- snapshot and targets --------------------------------------------------- */

static void listed_length_and_hashes_are_optional(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	s->listing_hashes = false;
	sim_release(s, "targets");
	assert_refreshes(s);
	assert_trusts(s, 1, 2, 2, 2);
}

static void every_listed_hash_must_match_and_be_known(void **state)
{
	static const struct {
		const char *algo, *hash, *complaint;
	} bad[] = {
		{"sha512", "00", "cannot check its hash \"sha512\""},
		{"sha3-256", "00", "cannot check its hash \"sha3-256\""},
		{"sha256", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
		 "cannot check"},
		{"sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		 "its sha256 is"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
		json_t *meta = json_object_get(sim_role(s, "snapshot")->body, "meta");
		json_t *hashes;

		sim_bump(s, "targets");
		hashes = json_object_get(json_object_get(meta, "targets.json"), "hashes");
		assert_int_equal(json_object_set_new(hashes, bad[i].algo, json_string(bad[i].hash)),
				 0);
		sim_bump(s, "snapshot");
		sim_bump(s, "timestamp");
		assert_refuses(s, E_UNTRUSTED, bad[i].complaint);
		assert_trusts(s, 1, 2, 2, 0);
	}
}

static void what_is_missing_is_a_network_error_and_the_rest_stays(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_forget(&s->remote, "1.targets.json");
	assert_refuses(s, E_NET, "1.targets.json: the repository does not have it");
	assert_trusts(s, 1, 1, 1, 0);
	sim_forget(&s->remote, "timestamp.json");
	assert_refuses(s, E_NET, "timestamp.json");
}

static void spoilt_local_files_heal(void **state)
{
	static const char *const names[] = {"timestamp.json", "snapshot.json", "targets.json"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

		assert_refreshes(s);
		sim_put(&s->local, names[i], "{\"signed\": ", 11);
		assert_refreshes(s);
		assert_trusts(s, 1, 1, 1, 1);
		sim_local(s, names[i])->fail = E_SYS;
		assert_int_equal(sim_refresh(s, NULL), E_SYS); /* it cannot be written either */
	}
}

static void a_store_that_cannot_be_written_fails_the_refresh(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	assert_refreshes(s);
	sim_local(s, "timestamp.json")->fail = E_FULL;
	sim_release(s, "timestamp");
	assert_refuses(s, E_FULL, "timestamp.json");
}

/* --- this project's own rules ------------------------------------------------ */

static void product_is_demanded_of_every_role(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(buf_clear) struct buf bytes = {0};

	(void)state;
	s->o.product = "acme.x1";
	assert_refuses(s, E_UNTRUSTED, "root.json: signed.product: want \"acme.x1\", got \"\"");
	for (int t = 0; t < TUF_TYPES; t++)
		assert_int_equal(
			json_object_set_new(s->roles[t]->body, "product", json_string("acme.x1")),
			0);
	sim_document(sim_role(s, "root"), &bytes);
	sim_put(&s->local, "root.json", bytes.data, bytes.len);
	assert_refuses(s, E_UNTRUSTED, "timestamp.json: signed.product");
	sim_bump(s, "timestamp");
	assert_refuses(s, E_UNTRUSTED, "snapshot.json: signed.product");
	sim_release(s, "snapshot");
	assert_refuses(s, E_UNTRUSTED, "targets.json: signed.product");
	sim_release(s, "targets");
	assert_refreshes(s);
	assert_int_equal(
		json_object_set_new(sim_role(s, "root")->body, "product", json_string("acme.x2")),
		0);
	sim_bump(s, "root");
	assert_refuses(s, E_UNTRUSTED, "2.root.json: signed.product");
	assert_int_equal(sim_trusts(s, "root"), 1);
}

static void version_jumps_have_the_limit_that_was_asked_for(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	s->o.version_jump_max = 100;
	sim_set_version(sim_role(s, "timestamp"), 100);
	sim_publish(s, "timestamp");
	assert_refreshes(s);
	sim_set_version(sim_role(s, "timestamp"), 201);
	sim_publish(s, "timestamp");
	assert_refuses(s, E_UNTRUSTED, "timestamp.json: version 201 is too far ahead of 100");
	sim_set_version(sim_role(s, "timestamp"), 200);
	sim_publish(s, "timestamp");
	assert_refreshes(s);
	sim_set_version(sim_role(s, "targets"), 102);
	sim_publish(s, "targets");
	sim_release(s, "snapshot");
	assert_refuses(s, E_UNTRUSTED, "102.targets.json: version 102 is too far ahead of 1");
	sim_set_version(sim_role(s, "targets"), 3);
	sim_rotate(s, "snapshot"); /* or it is a rollback */
	sim_bump(s, "root");
	(void)sim_delegate(s, "targets", "d", "*", false);
	sim_target(s, "d", "x", "content");
	sim_set_version(sim_role(s, "d"), 100);
	sim_publish(s, "d");
	sim_release(s, "targets");
	assert_finds(s, "x", "d");
	sim_set_version(sim_role(s, "d"), 201);
	sim_publish(s, "d");
	sim_release(s, "snapshot");
	assert_misses(s, "x", E_UNTRUSTED, "201.d.json: version 201 is too far ahead of 100");
	sim_set_version(sim_role(s, "d"), 200);
	sim_rotate(s, "snapshot");
	sim_bump(s, "root");
	sim_publish(s, "d");
	sim_release(s, "snapshot");
	assert_finds(s, "x", "d");
}

static void session_opens_offline_on_what_is_stored(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	struct tuf_io io = sim_io(s);
	struct tuf_options o = {.now = s->now};
	struct tuf_target target;
	struct error err = {0};

	(void)state;
	assert_int_equal(tuf_open(&io, &o, &t, &err), 0);
	assert_null(tuf_trusted(t, TUF_TIMESTAMP));
	assert_error(tuf_find(t, "a", &target, &err), E_NOTYET, &err, "refresh it first");
	tuf_close(t);
	t = NULL;
	sim_target(s, "targets", "a", "content");
	sim_release(s, "targets");
	assert_refreshes(s);
	(void)sim_requests(s);
	assert_int_equal(tuf_open(&io, &o, &t, &err), 0);
	assert_int_equal(tuf_trusted(t, TUF_TARGETS)->version, 2);
	assert_int_equal(tuf_trusted_root(t)->version, 1);
	assert_int_equal(tuf_find(t, "a", &target, &err), 0);
	assert_int_equal(target.length, 7);
	assert_string_equal(sim_requests(s), "");
	tuf_close(t);
	t = NULL;
	o.now += 400 * DAY;
	assert_int_equal(tuf_open(&io, &o, &t, &err), 0);
	assert_int_equal(tuf_find(t, "a", &target, &err), E_NOTYET);
}

/* What an interrupted refresh left behind, or a root past its time, does not do without a network.
 */
static void stored_files_that_do_not_fit_or_are_expired_are_not_complete(void **state)
{
	enum { TIMESTAMP_NEW, SNAPSHOT_NEW, ROOT_EXPIRED, CASES };

	(void)state;
	for (int i = 0; i < CASES; i++) {
		CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
		CLEANUP(tuf_closep) struct tuf *t = NULL;
		struct tuf_io io = sim_io(s);
		struct tuf_options o = {.now = s->now};
		struct tuf_target target;
		struct error err = {0};

		sim_target(s, "targets", "a", "content");
		sim_set_expiry(sim_role(s, "root"), s->now + HOUR);
		sim_bump(s, "root");
		sim_release(s, "targets");
		assert_refreshes(s);
		sim_release(s, "targets");
		if (i == TIMESTAMP_NEW)
			sim_forget(&s->remote, "3.snapshot.json");
		if (i == SNAPSHOT_NEW)
			sim_forget(&s->remote, "3.targets.json");
		if (i == ROOT_EXPIRED)
			o.now += HOUR;
		else
			assert_refuses(s, E_NET, "the repository does not have it");
		(void)sim_requests(s);
		assert_int_equal(tuf_open(&io, &o, &t, &err), 0);
		assert_error(tuf_find(t, "a", &target, &err), E_NOTYET, &err, "refresh it first");
		assert_string_equal(sim_requests(s), "");
	}
}

static void staleness_begins_with_the_first_that_expires(void **state)
{
	static const char *const roles[] = {"targets", "snapshot", "timestamp"};
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		CLEANUP(tuf_closep) struct tuf *t = NULL;
		struct tuf_io io = sim_io(s);
		struct error err = {0};

		for (size_t k = 0; k < ARRAY_LEN(roles); k++)
			sim_set_expiry(sim_role(s, roles[k]), s->now + (k == i ? HOUR : 2 * HOUR));
		sim_release(s, "targets");
		assert_refreshes(s);
		struct tuf_options o = {.now = s->now + 3 * HOUR, .stale_s = DAY};
		assert_int_equal(tuf_open(&io, &o, &t, &err), 0);
		assert_int_equal(tuf_stale_since(t), s->now + HOUR);
		assert_int_equal(tuf_refresh(t, &err), 0);
		assert_int_equal(tuf_stale_since(t), s->now + HOUR);
	}
}

static void delegated_role_that_is_used_makes_stale(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	struct tuf_io io = sim_io(s);
	struct tuf_options o = {.now = s->now + HOUR, .stale_s = DAY};
	struct tuf_target target;
	struct error err = {0};

	(void)state;
	(void)sim_delegate(s, "targets", "d", "*", false);
	sim_target(s, "d", "x", "content");
	sim_set_expiry(sim_role(s, "d"), o.now);
	sim_publish(s, "d");
	sim_release(s, "targets");
	assert_int_equal(tuf_open(&io, &o, &t, &err), 0);
	assert_int_equal(tuf_refresh(t, &err), 0);
	assert_false(tuf_is_stale(t));
	assert_int_equal(tuf_find(t, "x", &target, &err), 0);
	assert_int_equal(tuf_stale_since(t), o.now);
}

/* The sum of the files' sizes, TUF_FILE_EXTRA for each, is what text_max has to be. */
static void text_max_counts_every_file_that_is_held(void **state)
{
	static const char *const names[] = {"1.root.json", "timestamp.json", "1.snapshot.json",
					    "1.targets.json"};
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	s->o.text_max = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		s->o.text_max += sim_remote(s, names[i])->bytes.len + TUF_FILE_EXTRA;
	s->o.text_max--;
	assert_refuses(s, E_INVALID, "1.targets.json: larger than");
	assert_trusts(s, 1, 1, 1, 0);
	sim_forget(&s->local, "timestamp.json"); /* or they, and what replaces them, are held */
	sim_forget(&s->local, "snapshot.json");
	s->o.text_max++;
	assert_refreshes(s);
	assert_trusts(s, 1, 1, 1, 1);
}

static void targets_found_outlive_a_second_refresh(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	struct tuf_io io = sim_io(s);
	struct tuf_options o = {.now = s->now};
	struct tuf_target target;
	struct error err = {0};

	(void)state;
	sim_target(s, "targets", "a", "content");
	sim_release(s, "targets");
	assert_int_equal(tuf_open(&io, &o, &t, &err), 0);
	assert_int_equal(tuf_refresh(t, &err), 0);
	assert_int_equal(tuf_find(t, "a", &target, &err), 0);
	sim_target(s, "targets", "a", "longer content");
	sim_release(s, "targets");
	assert_int_equal(tuf_refresh(t, &err), 0);
	assert_string_equal(target.path, "a");
	assert_int_equal(target.length, 7);
	assert_int_equal(tuf_find(t, "a", &target, &err), 0);
	assert_int_equal(target.length, 14);
}

/*
 * Whatever runs out, the refresh fails closed and the next one succeeds. It is
 * not always E_NOMEM: jansson's lexer drops what it has no memory for, and then
 * the syntax is wrong or the signature does not match.
 */
static void every_allocation_may_fail(void **state)
{
	CLEANUP(sim_freep) struct tuf_sim *s = sim_new();

	(void)state;
	sim_bump(s, "root");
	for (long n = 0;; n++) {
		struct error err = {0};
		int r;

		oom_after(n);
		r = sim_refresh(s, &err);
		if (!oom_fired())
			break;
		if (r < 0 && r != E_INVALID && r != E_UNTRUSTED)
			assert_int_equal(r, E_NOMEM);
	}
	assert_refreshes(s);
	assert_trusts(s, 2, 1, 1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_refresh_makes_four_requests),
		cmocka_unit_test(refresh_with_nothing_new_makes_two_requests),
		cmocka_unit_test(without_consistent_snapshots_names_are_plain),
		cmocka_unit_test(bytes_are_stored_as_received),
		cmocka_unit_test(unknown_fields_are_ignored),
		cmocka_unit_test(unsigned_or_broken_first_root_makes_no_request),
		cmocka_unit_test(root_chain_is_walked_one_by_one_to_its_end),
		cmocka_unit_test(each_root_is_stored_before_the_next_is_fetched),
		cmocka_unit_test(only_a_404_ends_the_root_chain),
		cmocka_unit_test(expired_first_and_intermediate_roots_are_fine),
		cmocka_unit_test(expired_last_root_fails_but_is_kept),
		cmocka_unit_test(chain_ends_after_its_limit_of_steps),
		cmocka_unit_test(keep_root_leaves_the_chain_alone),
		cmocka_unit_test(rotated_keys_of_each_role_are_followed),
		cmocka_unit_test(rotated_keys_without_new_metadata_are_refused),
		cmocka_unit_test(local_files_of_dropped_keys_no_longer_count),
		cmocka_unit_test(snapshot_promise_ends_with_the_snapshot_keys),
		cmocka_unit_test(snapshot_promise_ends_within_the_session_that_sees_the_keys_go),
		cmocka_unit_test(snapshot_promise_outlives_the_local_snapshot),
		cmocka_unit_test(equal_timestamp_version_keeps_the_old_bytes_and_goes_on),
		cmocka_unit_test(expired_local_timestamp_still_counts_for_rollback),
		cmocka_unit_test(expiry_is_reached_at_its_very_second),
		cmocka_unit_test(stale_metadata_is_accepted_for_as_long_as_asked),
		cmocka_unit_test(listed_length_and_hashes_are_optional),
		cmocka_unit_test(every_listed_hash_must_match_and_be_known),
		cmocka_unit_test(what_is_missing_is_a_network_error_and_the_rest_stays),
		cmocka_unit_test(spoilt_local_files_heal),
		cmocka_unit_test(a_store_that_cannot_be_written_fails_the_refresh),
		cmocka_unit_test(product_is_demanded_of_every_role),
		cmocka_unit_test(version_jumps_have_the_limit_that_was_asked_for),
		cmocka_unit_test(session_opens_offline_on_what_is_stored),
		cmocka_unit_test(stored_files_that_do_not_fit_or_are_expired_are_not_complete),
		cmocka_unit_test(staleness_begins_with_the_first_that_expires),
		cmocka_unit_test(delegated_role_that_is_used_makes_stale),
		cmocka_unit_test(text_max_counts_every_file_that_is_held),
		cmocka_unit_test(targets_found_outlive_a_second_refresh),
		cmocka_unit_test(every_allocation_may_fail),
	};

	json_set_alloc_funcs(oom_malloc, free);
	return cmocka_run_group_tests_name("tuf_client", tests, NULL, NULL);
}
