/* SPDX-License-Identifier: Apache-2.0 */
/* The data folder under crashes, old backups, uploads, many threads; and what fsck finds. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "lib/tuf/repo.h"
#include "registry/internal.h"
#include "registry/log/sequencer.h"
#include "registry/tree/outbox.h"
#include "registry/verbs_admin.h"
#include "tests/support/town.h"
#include "tests/support/town_expect.h"
#include "tests/unit/unit.h"

static char *path_in(const struct town *t, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", t->dir, name) > 0);
	return path;
}

/* Between two runs of the service. */
static void copy(struct town *t, const char *from, const char *to)
{
	CLEANUP(freep) char *source = path_in(t, from);
	CLEANUP(freep) char *target = path_in(t, to);

	registry_close(t->r);
	t->r = NULL;
	assert_int_equal(file_copy(AT_FDCWD, source, AT_FDCWD, target, 0644, NULL), 0);
}

/* --- the lock, the configuration --- */

static void second_process_is_told_that_it_is_busy(void **state)
{
	struct town *t = *state;
	struct registry *other = NULL;
	struct error err = {0};

	assert_error(registry_open(t->dir, &other, &err), E_BUSY, &err, "lock");
	assert_null(other);
}

static void init_refuses_a_folder_that_is_a_registry(void **state)
{
	const struct registry_init init = {
		.name = "again", .origin = "again.example/log", .open_admission = true};
	struct town *t = *state;
	struct error err = {0};

	assert_error(registry_init(t->dir, &init, &err), E_EXISTS, &err, "is a registry already");
}

static void private_keys_are_private(void **state)
{
	static const char *const names[] = {"keys/root.pem", "keys/online.pem", "keys/log.pem",
					    "keys/products.key"};
	struct town *t = *state;
	struct stat st;

	assert_int_equal(fstatat(registry_data_dir(t->r), "keys", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(fstatat(registry_data_dir(t->r), names[i], &st, 0), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

static void configuration_is_the_operators_file(void **state)
{
	struct town *t = *state;
	CLEANUP(freep) char *config = path_in(t, "config.json");
	struct error err = {0};

	assert_int_equal(file_write(AT_FDCWD, config, "{\"name\":\"x\"}", 12, 0644, NULL), 0);
	assert_error(town_reopen(t, &err), E_USAGE, &err, "config.json");
}

static void online_keys_are_stable_and_differ_by_product_publisher_and_role(void **state)
{
	static const char *const uses[][2] = {{"a", "v"}, {"b", "v"}, {"a", "w"}};
	struct town *t = *state;
	char seen[6][65] = {{0}};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
		json_t *one = NULL, *again = NULL;

		assert_int_equal(registry_online_keys(t->r, uses[i][0], uses[i][1], &one, NULL), 0);
		assert_int_equal(registry_online_keys(t->r, uses[i][0], uses[i][1], &again, NULL),
				 0);
		assert_true(json_equal(one, again));
		(void)snprintf(seen[n++], 65, "%s",
			       json_string_value(json_object_get(one, "timestamp")));
		(void)snprintf(seen[n++], 65, "%s",
			       json_string_value(json_object_get(one, "snapshot")));
		json_decref(one);
		json_decref(again);
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(seen[i], seen[k]);
}

/* --- crashes --- */

/* Everything a commit decided, put back into the outbox as if none of it had been done. */
static void outbox_left_undone_is_done_when_opened(void **state)
{
	struct town *t = *state;
	struct paper root;
	CLEANUP(freep) char *data = path_in(t, "public/p/" TOWN_PRODUCT "/index.json");
	struct store *s = NULL;
	CLEANUP(freep) char *db = path_in(t, "registry.db");
	struct error err = {0};

	town_settle(t, &root);
	registry_close(t->r);
	t->r = NULL;
	/* The process died after its commit: the row is there, the file is not yet. */
	assert_int_equal(store_open(db, &s, NULL), 0);
	const struct outbox_row rows[] = {
		{.stage = STAGE_INDEX, .kind = "put", .path = "p/" TOWN_PRODUCT "/index.json"},
		{.stage = STAGE_METADATA, .kind = "stage", .path = TOWN_PRODUCT},
		{.stage = STAGE_METADATA,
		 .kind = "put",
		 .path = "p/" TOWN_PRODUCT "/" TREE_STAGED "/9.root.json"},
		{.stage = STAGE_METADATA, .kind = "swap", .path = TOWN_PRODUCT},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(store_outbox_add(s, &rows[i], "{}", 2, NULL), 0);
	store_close(s);
	assert_int_equal(file_remove(AT_FDCWD, data, NULL), 0);
	assert_int_equal(registry_open(t->dir, &t->r, &err), 0);

	CLEANUP(freep) char *index = town_read(t, "p/" TOWN_PRODUCT "/index.json");
	CLEANUP(freep) char *swapped = town_read(t, "p/" TOWN_PRODUCT "/metadata/9.root.json");
	CLEANUP(freep) char *kept = town_read(t, "p/" TOWN_PRODUCT "/metadata/1.root.json");
	assert_string_equal(index, "{}");
	assert_string_equal(swapped, "{}");
	assert_non_null(kept);
	paper_clear(&root);
}

static void swap_cut_short_is_done_again(void **state)
{
	struct town *t = *state;
	struct paper root;
	CLEANUP(freep) char *db = path_in(t, "registry.db");
	CLEANUP(freep)
	char *staged = path_in(t, "public/p/" TOWN_PRODUCT "/" TREE_STAGED "/half.json");
	struct store *s = NULL;
	struct error err = {0};

	town_settle(t, &root);
	registry_close(t->r);
	t->r = NULL;
	/* It died while it was making the copy. */
	assert_int_equal(file_mkdir_parent(AT_FDCWD, staged, NULL), 0);
	assert_int_equal(file_write(AT_FDCWD, staged, "half", 4, 0644, NULL), 0);
	assert_int_equal(store_open(db, &s, NULL), 0);
	const struct outbox_row rows[] = {
		{.stage = STAGE_METADATA, .kind = "stage", .path = TOWN_PRODUCT},
		{.stage = STAGE_METADATA, .kind = "swap", .path = TOWN_PRODUCT},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(store_outbox_add(s, &rows[i], "", 0, NULL), 0);
	store_close(s);
	assert_int_equal(registry_open(t->dir, &t->r, &err), 0);
	CLEANUP(freep) char *half = town_read(t, "p/" TOWN_PRODUCT "/metadata/half.json");
	assert_null(half);
	assert_false(file_exists(AT_FDCWD, staged));
	assert_sound(t);
	paper_clear(&root);
}

/* --- old backups --- */

static void restored_backup_refuses_to_fork_the_log(void **state)
{
	struct town *t = *state;
	CLEANUP(freep) char *db = path_in(t, "registry.db");
	CLEANUP(freep) char *head = path_in(t, "log.head");
	CLEANUP(freep) char *published = path_in(t, "public/log/checkpoint");
	struct paper root;
	struct error err = {0};

	town_settle(t, &root);
	copy(t, "registry.db", "backup.db");
	assert_int_equal(town_reopen(t, &err), 0);
	town_expect(t, town_statement(t, "heartbeat", 1, &root), "published");
	copy(t, "backup.db", "registry.db");
	assert_error(
		town_reopen(t, &err), E_UNTRUSTED, &err,
		"registry.db: has 3 leaves, but log.head was signed for 4: this is an old copy, "
		"and going on from it would fork the log; put the newest registry.db back, or "
		"start another log with init in a new folder");
	/* Each of the two witnesses is enough. */
	assert_int_equal(file_remove(AT_FDCWD, head, NULL), 0);
	assert_error(registry_open(t->dir, &t->r, &err), E_UNTRUSTED, &err,
		     "has 3 leaves, but log/checkpoint was signed for 4");
	assert_true(file_exists(AT_FDCWD, published));
	assert_true(file_exists(AT_FDCWD, db));
	paper_clear(&root);
}

static void other_history_of_the_same_length_is_found(void **state)
{
	struct town *t = *state;
	CLEANUP(freep) char *head = path_in(t, "log.head");
	CLEANUP(freep) char *mine = path_in(t, "head.of.the.first");
	CLEANUP(freep) char *tree = path_in(t, "public/log/checkpoint");
	struct paper root;
	struct error err = {0};

	town_settle(t, &root);
	copy(t, "registry.db", "backup.db");
	assert_int_equal(town_reopen(t, &err), 0);
	town_expect(t, town_statement(t, "heartbeat", 1, &root), "published");
	copy(t, "log.head", "head.of.the.first");
	copy(t, "backup.db", "registry.db");
	assert_int_equal(file_remove(AT_FDCWD, head, NULL), 0);
	assert_int_equal(file_remove(AT_FDCWD, tree, NULL), 0);
	assert_int_equal(town_reopen(t, &err), 0); /* nothing is left that knows better */
	town_expect(t, town_statement(t, "heartbeat", 2, &root), "published");
	assert_int_equal(file_copy(AT_FDCWD, mine, AT_FDCWD, head, 0600, NULL), 0);
	assert_error(town_reopen(t, &err), E_UNTRUSTED, &err, "the log was forked");
	paper_clear(&root);
}

/* --- uploads --- */

static void upload_resumes_where_it_stopped(void **state)
{
	static const char text[] = "a long enough text";
	struct town *t = *state;
	struct paper root, p;
	struct upload *u = NULL, *second = NULL;
	char digest[SHA256_HEX_SIZE];
	uint64_t size = 0, have = 0;
	bool complete = true;
	struct error err = {0};

	town_settle(t, &root);
	p = town_targets(t, 2, "vendor");
	town_add_target(&p, "notes.txt", text, NULL);
	town_expect(t, p, "waiting");
	sha256_hex(text, strlen(text), digest);
	assert_int_equal(registry_blob_begin(t->r, digest, 0, &u, &err), 0);
	assert_error(registry_blob_begin(t->r, digest, 0, &second, &err), E_BUSY, &err,
		     "is being uploaded");
	assert_int_equal(registry_blob_write(u, text, 7, &err), 0);
	assert_int_equal(registry_blob_end(u, &complete, &err), 0);
	assert_false(complete);
	assert_int_equal(town_reopen(t, &err), 0);
	assert_int_equal(registry_blob_status(t->r, digest, &size, &have, &err), 0);
	assert_int_equal(size, strlen(text));
	assert_int_equal(have, 7);
	assert_error(registry_blob_begin(t->r, digest, 6, &u, &err), E_INVALID, &err,
		     "offset: want 0 or 7, got 6");
	assert_int_equal(registry_blob_begin(t->r, digest, 7, &u, &err), 0);
	assert_int_equal(registry_blob_write(u, text + 7, strlen(text) - 7, &err), 0);
	assert_int_equal(registry_blob_end(u, &complete, &err), 0);
	assert_true(complete);
	assert_int_equal(registry_blob_status(t->r, digest, &size, &have, &err), 0);
	assert_int_equal(have, size);
	assert_sound(t);
	paper_clear(&root);
}

static void upload_that_died_at_its_last_byte_is_finished_when_asked_about(void **state)
{
	static const char text[] = "all of it";
	struct town *t = *state;
	CLEANUP(freep) char *part = NULL;
	CLEANUP(freep) char *targets = NULL;
	struct paper root, p;
	char digest[SHA256_HEX_SIZE], name[128];
	uint64_t size = 0, have = 0;
	struct error err = {0};

	town_settle(t, &root);
	p = town_targets(t, 2, "vendor");
	town_add_target(&p, "notes.txt", text, NULL);
	town_expect(t, p, "waiting");
	sha256_hex(text, strlen(text), digest);
	(void)snprintf(name, sizeof(name), "uploads/%s.part", digest);
	part = path_in(t, name);
	assert_int_equal(file_write(AT_FDCWD, part, "other bit", strlen(text), 0600, NULL), 0);
	assert_int_equal(registry_blob_status(t->r, digest, &size, &have, &err), 0);
	assert_int_equal(have, 0); /* as long, but wrong */
	assert_int_equal(file_write(AT_FDCWD, part, text, strlen(text), 0600, NULL), 0);
	assert_int_equal(registry_blob_status(t->r, digest, &size, &have, &err), 0);
	assert_int_equal(have, size);
	targets = town_read(t, "p/" TOWN_PRODUCT "/metadata/2.targets.json");
	assert_non_null(targets);
	assert_sound(t);
	paper_clear(&root);
}

static void batch_that_has_its_blobs_is_published_when_opened(void **state)
{
	static const char text[] = "here already";
	struct town *t = *state;
	CLEANUP(freep) char *db = path_in(t, "registry.db");
	CLEANUP(freep) char *targets = NULL;
	CLEANUP(freep) char *blob = NULL;
	struct paper root, p;
	struct store *s = NULL;
	char digest[SHA256_HEX_SIZE], name[128];
	struct error err = {0};

	town_settle(t, &root);
	p = town_targets(t, 2, "vendor");
	town_add_target(&p, "notes.txt", text, NULL);
	town_expect(t, p, "waiting");
	registry_close(t->r);
	t->r = NULL;
	/* The blob's arrival was committed; then the process died. */
	sha256_hex(text, strlen(text), digest);
	(void)snprintf(name, sizeof(name), "blobs/%.2s/%s", digest, digest);
	blob = path_in(t, name);
	assert_int_equal(file_mkdir_parent(AT_FDCWD, blob, NULL), 0);
	assert_int_equal(file_write(AT_FDCWD, blob, text, strlen(text), 0644, NULL), 0);
	assert_int_equal(store_open(db, &s, NULL), 0);
	assert_int_equal(store_blob_add(s, digest, (int64_t)strlen(text), 1, NULL), 0);
	store_close(s);
	assert_int_equal(registry_open(t->dir, &t->r, &err), 0);
	targets = town_read(t, "p/" TOWN_PRODUCT "/metadata/2.targets.json");
	assert_non_null(targets);
	assert_sound(t);
	paper_clear(&root);
}

static void wrong_bytes_are_refused_and_not_kept(void **state)
{
	static const char text[] = "what was promised";
	struct town *t = *state;
	struct paper root, p;
	struct upload *u = NULL;
	char digest[SHA256_HEX_SIZE];
	uint64_t size = 0, have = 1;
	bool complete = true;
	struct error err = {0};

	town_settle(t, &root);
	p = town_targets(t, 2, "vendor");
	town_add_target(&p, "notes.txt", text, NULL);
	town_expect(t, p, "waiting");
	sha256_hex(text, strlen(text), digest);
	assert_int_equal(registry_blob_begin(t->r, digest, 0, &u, &err), 0);
	assert_int_equal(registry_blob_write(u, "what was not prom", strlen(text), &err), 0);
	assert_error(registry_blob_end(u, &complete, &err), E_UNTRUSTED, &err,
		     "what came has digest");
	assert_false(complete);
	assert_int_equal(registry_blob_status(t->r, digest, &size, &have, &err), 0);
	assert_int_equal(have, 0);
	assert_int_equal(registry_blob_begin(t->r, digest, 0, &u, &err), 0);
	assert_error(registry_blob_write(u, "what was promised, and more", 27, &err), E_INVALID,
		     &err, "longer than the 17 bytes");
	assert_int_equal(registry_blob_end(u, &complete, &err), 0);
	assert_int_equal(registry_blob_status(t->r, digest, &size, &have, &err), 0);
	assert_int_equal(have, 0);
	paper_clear(&root);
}

static void one_blob_settles_however_many_batches_wait_for_it(void **state)
{
	static const char text[] = "what all wait for";
	enum { MANY = 70 };
	struct town *t = *state;
	struct paper root;
	CLEANUP(json_decrefp) json_t *reply = NULL;
	char id[SHA256_HEX_SIZE];
	struct error err = {0};

	town_settle(t, &root);
	for (int64_t i = 0; i < MANY; i++) {
		struct paper p = town_targets(t, 2, "vendor"); /* only one of them can be it */

		town_add_target(&p, "notes.txt", text, NULL);
		json_object_set_new(p.body, "x-n", json_integer(i));
		paper_id(&p, id);
		town_expect(t, p, "waiting");
	}
	if (town_upload(t, text, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(registry_document(t->r, id, &reply, &err), 0);
	assert_string_equal(json_string_value(json_object_get(reply, "state")), "refused");
	paper_clear(&root);
}

/* --- the batch that is refused when its last blob comes --- */

static void batch_that_no_longer_fits_is_refused_with_a_reason(void **state)
{
	struct town *t = *state;
	struct paper root, late, other;
	CLEANUP(json_decrefp) json_t *reply = NULL;
	char id[SHA256_HEX_SIZE];
	struct error err = {0};

	town_settle(t, &root);
	late = town_targets(t, 2, "vendor");
	town_add_target(&late, "late.txt", "late", NULL);
	paper_id(&late, id);
	town_expect(t, late, "waiting");
	other = town_targets(t, 2, "vendor");
	town_expect(t, other, "published");
	assert_int_equal(town_upload(t, "late", &err), 0);
	assert_int_equal(registry_document(t->r, id, &reply, &err), 0);
	assert_string_equal(json_string_value(json_object_get(reply, "state")), "refused");
	assert_string_equal(json_string_value(json_object_get(reply, "reason")),
			    "targets 2: another document has this version");
	assert_sound(t);
	paper_clear(&root);
}

/* --- many at once, and the log's tiles --- */

enum { THREADS = 8, EACH = 40 };

struct poster {
	struct town *t;
	struct buf bodies[EACH];
	size_t failed;
};

static void *post_all(void *arg)
{
	struct poster *p = arg;

	for (size_t i = 0; i < EACH; i++) {
		json_t *reply = NULL;
		struct error err = {0};

		if (registry_submit(p->t->r, p->bodies[i].data, p->bodies[i].len, &reply, &err) < 0)
			p->failed++;
		json_decref(reply);
	}
	return NULL;
}

/* Audits are listed nowhere; drills of one trustee each count versions of their own. */
static struct paper drill(struct town *t, const char *deposit, size_t who, int64_t version)
{
	struct paper p = town_statement(t, "drill", version, NULL);

	json_object_set_new(p.body, "deposit", json_string(deposit));
	json_object_set_new(p.body, "compartment", json_string("public"));
	json_object_set_new(p.body, "number", json_integer((json_int_t)who + 1));
	json_object_set_new(p.body, "drill", json_integer((json_int_t)(version % 64)));
	json_object_set_new(p.body, "value", json_string(deposit));
	json_object_set_new(p.body, "checkpoint", json_object());
	paper_sign(&p, &t->trustee[who], 1);
	return p;
}

static void many_threads_get_one_unbroken_log(void **state)
{
	struct town *t = *state;
	struct poster posters[THREADS] = {{0}};
	pthread_t threads[THREADS];
	struct paper root, bridge;
	char deposit[SHA256_HEX_SIZE];
	uint64_t size = 0;

	town_settle(t, &root);
	bridge = town_bridge(t, 2);
	town_seal(t, &root, &bridge, deposit);
	for (size_t i = 0; i < THREADS; i++) {
		posters[i].t = t;
		for (size_t k = 0; k < EACH; k++) {
			/* three trustees: of the same one's versions only rising ones are taken */
			struct paper p =
				drill(t, deposit, i % TOWN_PEOPLE, (int64_t)(k * THREADS + i + 1));

			paper_write(&p, &posters[i].bodies[k]);
			paper_clear(&p);
		}
	}
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_all, &posters[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		for (size_t k = 0; k < EACH; k++)
			buf_clear(&posters[i].bodies[k]);
	}
	assert_int_equal(store_log_size(t->r->store, &size, NULL), 0);
	assert_true(size >= 4 + EACH); /* whoever was overtaken was refused, and said so */
	assert_sound(t);
	paper_clear(&root);
	paper_clear(&bridge);
}

static void log_grows_over_a_tile_and_old_proofs_stay_good(void **state)
{
	struct town *t = *state;
	struct paper root;
	CLEANUP(freep) char *full = NULL;

	town_settle(t, &root);
	for (int64_t v = 1; v <= 60; v++) {
		struct paper five[5];
		struct error err = {0};

		for (int64_t k = 0; k < 5; k++)
			five[k] = town_statement(t, "heartbeat", (v - 1) * 5 + k + 1, &root);
		if (town_post(t, five, 5, NULL, &err) < 0)
			fail_msg("%s", err.text);
	}
	full = town_read(t, "log/tile/0/000");
	assert_non_null(full);
	assert_sound(t);
	paper_clear(&root);
}

/* --- renewal --- */

static void online_roles_are_renewed_at_half_their_time(void **state)
{
	static const char path[] = "p/" TOWN_PRODUCT "/metadata/timestamp.json";
	struct town *t = *state;
	CLEANUP(freep) char *first = NULL;
	CLEANUP(freep) char *early = NULL;
	CLEANUP(freep) char *late = NULL;
	struct paper root;
	struct error err = {0};

	town_settle(t, &root);
	first = town_read(t, path);
	assert_int_equal(registry_tick(t->r, t->now + DAY_S / 2 - 60, &err), 0);
	early = town_read(t, path);
	assert_string_equal(first, early);
	assert_int_equal(registry_tick(t->r, t->now + DAY_S / 2 + 60, &err), 0);
	late = town_read(t, path);
	assert_string_not_equal(first, late);
	assert_int_equal(registry_tick(t->r, t->now + INT64_C(4) * DAY_S, &err), 0);
	CLEANUP(freep) char *snapshot = town_read(t, "p/" TOWN_PRODUCT "/metadata/2.snapshot.json");
	assert_non_null(snapshot);
	assert_sound(t);
	paper_clear(&root);
}

/* --- fsck --- */

/* With the log's present size where a path has %u. */
static void log_path(struct town *t, const char *fmt, char *out, size_t size)
{
	CLEANUP(freep) char *checkpoint = town_read(t, "log/checkpoint");
	const char *at = strchr(fmt, '%');

	assert_non_null(checkpoint);
	(void)snprintf(out, size, "%s", fmt);
	if (at)
		(void)snprintf(out + (at - fmt), size - (size_t)(at - fmt), "%lu",
			       strtoul(strchr(checkpoint, '\n') + 1, NULL, 10));
}

static void fsck_finds_and_repairs_a_changed_file(void **state)
{
	static const char path[] = "p/" TOWN_PRODUCT "/metadata/1.root.json";
	struct town *t = *state;
	CLEANUP(json_decrefp) json_t *report = NULL;
	CLEANUP(json_decrefp) json_t *again = NULL;
	struct paper root;
	struct error err = {0};

	town_settle(t, &root);
	assert_int_equal(file_write(registry_public_dir(t->r), path, "{}", 2, 0644, NULL), 0);
	assert_int_equal(registry_fsck(t->r, false, &report, &err), E_UNTRUSTED);
	assert_int_equal(json_array_size(json_object_get(report, "problems")), 1);
	assert_int_equal(registry_fsck(t->r, true, &again, &err), 0);
	assert_int_equal(json_integer_value(json_object_get(again, "repaired")), 1);
	assert_sound(t);
	paper_clear(&root);
}

/* Whatever is public of the log follows from the database. */
static void fsck_makes_the_files_of_the_log_anew(void **state)
{
	static const char *const files[] = {"log/tile/0/000.p/%u", "log/tile/entries/000.p/%u",
					    "log/checkpoint", "p/" TOWN_PRODUCT "/leaves.jsonl"};
	struct town *t = *state;
	struct paper root;
	char id[SHA256_HEX_SIZE], proof[256];

	town_settle(t, &root);
	paper_id(&root, id);
	(void)snprintf(proof, sizeof(proof), "p/" TOWN_PRODUCT "/proofs/%s.tlog-proof", id);
	for (size_t i = 0; i <= ARRAY_LEN(files); i++) {
		CLEANUP(json_decrefp) json_t *report = NULL;
		CLEANUP(json_decrefp) json_t *again = NULL;
		CLEANUP(freep) char *before = NULL;
		CLEANUP(freep) char *after = NULL;
		char path[256];
		struct error err = {0};

		if (i < ARRAY_LEN(files))
			log_path(t, files[i], path, sizeof(path));
		else
			(void)snprintf(path, sizeof(path), "%s", proof);
		before = town_read(t, path);
		assert_non_null(before);
		assert_int_equal(file_remove(registry_public_dir(t->r), path, NULL), 0);
		assert_int_equal(registry_fsck(t->r, false, &report, &err), E_UNTRUSTED);
		assert_int_equal(json_array_size(json_object_get(report, "problems")), 1);
		assert_int_equal(registry_fsck(t->r, true, &again, &err), 0);
		after = town_read(t, path);
		assert_non_null(after);
		if (i < ARRAY_LEN(files))
			assert_string_equal(before, after);
		assert_sound(t);
	}
	paper_clear(&root);
}

/* Admitted is not registered: there is no leaf chain to miss. */
static void fsck_finds_nothing_wrong_with_an_admitted_product(void **state)
{
	struct town *t = *state;

	assert_int_equal(admit_product(t->dir, "acme.y1", NULL), 0);
	assert_sound(t);
}

static void fsck_finds_a_damaged_blob_and_proof(void **state)
{
	struct town *t = *state;
	CLEANUP(json_decrefp) json_t *report = NULL;
	char digest[SHA256_HEX_SIZE], id[SHA256_HEX_SIZE], path[256];
	struct paper root;
	struct error err = {0};

	town_settle(t, &root);
	sha256_hex("vendor image 1", 14, digest);
	(void)snprintf(path, sizeof(path), "blobs/%.2s/%s", digest, digest);
	assert_int_equal(
		file_write(registry_data_dir(t->r), path, "vendor image 2", 14, 0644, NULL), 0);
	paper_id(&root, id);
	(void)snprintf(path, sizeof(path), "p/" TOWN_PRODUCT "/proofs/%s.tlog-proof", id);
	assert_int_equal(file_write(registry_public_dir(t->r), path, "x", 1, 0644, NULL), 0);
	assert_error(registry_fsck(t->r, true, &report, &err), E_UNTRUSTED, &err, "damaged");
	assert_int_equal(json_array_size(json_object_get(report, "problems")), 2);
	paper_clear(&root);
}

#define IN_TOWN(test) cmocka_unit_test_setup_teardown(test, open_town, close_town)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TOWN(second_process_is_told_that_it_is_busy),
		IN_TOWN(init_refuses_a_folder_that_is_a_registry),
		IN_TOWN(private_keys_are_private),
		IN_TOWN(configuration_is_the_operators_file),
		IN_TOWN(online_keys_are_stable_and_differ_by_product_publisher_and_role),
		IN_TOWN(outbox_left_undone_is_done_when_opened),
		IN_TOWN(swap_cut_short_is_done_again),
		IN_TOWN(restored_backup_refuses_to_fork_the_log),
		IN_TOWN(other_history_of_the_same_length_is_found),
		IN_TOWN(upload_resumes_where_it_stopped),
		IN_TOWN(upload_that_died_at_its_last_byte_is_finished_when_asked_about),
		IN_TOWN(batch_that_has_its_blobs_is_published_when_opened),
		IN_TOWN(wrong_bytes_are_refused_and_not_kept),
		IN_TOWN(one_blob_settles_however_many_batches_wait_for_it),
		IN_TOWN(batch_that_no_longer_fits_is_refused_with_a_reason),
		IN_TOWN(many_threads_get_one_unbroken_log),
		IN_TOWN(log_grows_over_a_tile_and_old_proofs_stay_good),
		IN_TOWN(online_roles_are_renewed_at_half_their_time),
		IN_TOWN(fsck_finds_and_repairs_a_changed_file),
		IN_TOWN(fsck_makes_the_files_of_the_log_anew),
		IN_TOWN(fsck_finds_nothing_wrong_with_an_admitted_product),
		IN_TOWN(fsck_finds_a_damaged_blob_and_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
