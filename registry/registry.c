/* SPDX-License-Identifier: Apache-2.0 */
/* The data folder: made, opened, closed; and the calls that are one job each. */
#include "registry/registry.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "lib/json/clone.h"
#include "lib/json/strict.h"
#include "lib/tuf/role.h"
#include "policies/statement.h"
#include "registry/blobs/blobs.h"
#include "registry/documents/reply.h"
#include "registry/documents/submit.h"
#include "registry/log/cosign.h"
#include "registry/log/sequencer.h"
#include "registry/record.h"
#include "registry/tree/metadata.h"
#include "registry/tree/outbox.h"
#include "registry/tree/render.h"

enum { BATCH_DAYS = 30 }; /* that a batch may wait */

static int write_config(int data, const struct registry_init *o, struct error *err)
{
	CLEANUP(freep) struct config *c = calloc(1, sizeof(*c));
	int e = 0;

	if (!c)
		return error_nomem(err);
	(void)snprintf(c->name, sizeof(c->name), "%s", o->name);
	(void)snprintf(c->origin, sizeof(c->origin), "%s", o->origin);
	c->open_admission = o->open_admission;
	for (size_t i = 0; i < o->nwitnesses && e == 0; i++)
		e = config_add_witness(c, o->witnesses[i], err);
	if (e == 0)
		e = config_set_threshold(c, o->threshold, err);
	return e < 0 ? e : config_save(data, c, err);
}

int registry_init(const char *data, const struct registry_init *o, struct error *err)
{
	static const char *const folders[] = {"blobs", "uploads", "public"};
	CLEANUP(registry_closep) struct registry *r = NULL;
	CLEANUP(closep) int dir = -1;
	int e = file_open_dir(AT_FDCWD, data, true, &dir, err);

	if (e < 0)
		return e;
	if (file_exists(dir, CONFIG_FILE))
		return error_set(err, E_EXISTS, "%s: is a registry already", data);
	if (strlen(o->origin) >= ORIGIN_SIZE || strlen(o->name) >= NAME_SIZE || !*o->name)
		return error_set(err, E_USAGE, "--name, --origin: want at most %d bytes",
				 NAME_SIZE - 1);
	e = keys_create(dir, err);
	for (size_t i = 0; e == 0 && i < ARRAY_LEN(folders); i++)
		e = file_mkdir(dir, folders[i], 0755, err);
	if (e == 0)
		e = write_config(dir, o, err); /* last: with it, it is a registry */
	return e < 0 ? e : registry_open(data, &r, err);
}

/* The blob of no bytes, which nobody would think of uploading. */
static int add_empty_blob(struct work *w, struct error *err)
{
	char path[BLOB_PATH_SIZE], digest[SHA256_HEX_SIZE];
	int r = 0;

	sha256_hex("", 0, digest);
	blob_path(digest, path);
	if (!file_exists(w->r->data, path)) {
		r = file_mkdir_parent(w->r->data, path, err);
		if (r == 0)
			r = file_write(w->r->data, path, "", 0, 0644, err);
	}
	return r < 0 ? r : store_blob_add(w->store, digest, 0, w->now, err);
}

/* What an empty registry has. */
static int start_job(struct work *w, void *arg, struct error *err)
{
	int r = log_start(w, err);

	(void)arg;
	if (r == 0)
		r = add_empty_blob(w, err);
	if (r == 0)
		r = record_publish(w, NULL, err);
	if (r == 0 && !file_exists(w->r->public, "products.json"))
		r = render_products(w, err);
	return r;
}

/* A log cannot witness itself. */
static int check_witnesses(const struct registry *r, struct error *err)
{
	const struct note_key *log = keys_log(r->keys);

	for (size_t i = 0; i < r->config.nwitnesses; i++)
		if (memcmp(r->config.witnesses[i].key.pub, log->pub, sizeof(log->pub)) == 0)
			return error_set(err, E_USAGE,
					 CONFIG_FILE ": witness %s: has the log's key",
					 r->config.witnesses[i].key.name);
	return 0;
}

static int open_files(const char *data, struct registry *r, struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	int e = file_open_dir(AT_FDCWD, data, false, &r->data, err);

	if (e == E_NOTFOUND) /* whoever gave the name, not the data */
		return error_set(err, E_USAGE, "%s: is no folder", data);
	if (e == 0 && !file_exists(r->data, CONFIG_FILE))
		e = error_set(err, E_USAGE, "%s: is no registry; make one with init", data);
	if (e == 0)
		e = file_lock(r->data, "lock", false, &r->lock, err);
	if (e == 0)
		e = config_load(r->data, &r->config, err);
	if (e == 0)
		e = file_open_dir(r->data, "public", true, &r->public, err);
	if (e == 0)
		e = keys_open(r->data, r->config.origin, &r->keys, err);
	if (e == 0)
		e = check_witnesses(r, err);
	if (e == 0)
		e = buf_printf(&path, err, "%s/registry.db", data);
	return e < 0 ? e : store_open(path.data, &r->store, err);
}

/* Batches that have their blobs, and whose publication a crash or a full disk cut short. */
enum { LEFT_MAX = 64 }; /* at a time */

struct left {
	int64_t batches[LEFT_MAX];
	size_t n;
};

static int note_left(void *ctx, int64_t n, struct error *err)
{
	struct left *l = ctx;

	(void)err;
	if (l->n < LEFT_MAX)
		l->batches[l->n++] = n;
	return 0;
}

static int find_left(struct work *w, void *arg, struct error *err)
{
	return store_batches_complete(w->store, note_left, arg, err);
}

static int finish_left(struct registry *r, struct error *err)
{
	struct left l = {0};
	int e = registry_read(r, find_left, &l, err);

	for (size_t i = 0; e == 0 && i < l.n; i++)
		e = registry_work(r, submit_again, &l.batches[i], err);
	return e;
}

int registry_open(const char *data, struct registry **out, struct error *err)
{
	CLEANUP(registry_closep) struct registry *r = calloc(1, sizeof(*r));
	pthread_condattr_t clock;
	bool more = true;
	int e;

	if (!r)
		return error_nomem(err);
	r->data = r->public = r->lock = -1;
	r->last = &r->first;
	(void)pthread_mutex_init(&r->store_lock, NULL);
	(void)pthread_mutex_init(&r->mutex, NULL);
	(void)pthread_cond_init(&r->turn, NULL);
	(void)pthread_condattr_init(&clock);
	(void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&r->shown, &clock);
	(void)pthread_condattr_destroy(&clock);
	e = open_files(data, r, err);
	if (e == 0)
		e = log_check(r, err);
	if (e == 0)
		e = outbox_apply(r, err);
	if (e == 0)
		e = registry_work(r, start_job, NULL, err);
	while (e == 0 && more)
		e = registry_work(r, log_catch_up, &more, err);
	if (e == 0)
		e = uploads_recover(r, err);
	if (e == 0)
		e = finish_left(r, err);
	if (e < 0)
		return e;
	*out = steal(r);
	return 0;
}

void registry_close(struct registry *r)
{
	if (!r)
		return;
	store_close(r->store);
	keys_close(r->keys);
	closep(&r->public);
	closep(&r->data);
	closep(&r->lock); /* last: the next one may open then */
	(void)pthread_cond_destroy(&r->shown);
	(void)pthread_cond_destroy(&r->turn);
	(void)pthread_mutex_destroy(&r->mutex);
	(void)pthread_mutex_destroy(&r->store_lock);
	free(r);
}

int registry_public_dir(const struct registry *r)
{
	return r->public;
}

int registry_data_dir(const struct registry *r)
{
	return r->data;
}

/* What a reading job is asked, and what it answers. */
struct question {
	const char *id, *other;
	json_t *reply;
};

static int ask(struct registry *r, job_fn fn, struct question *q, json_t **reply, struct error *err)
{
	int e = registry_read(r, fn, q, err);

	if (e == 0)
		*reply = q->reply;
	return e;
}

static int read_document(struct work *w, void *arg, struct error *err)
{
	struct question *q = arg;

	return reply_document(w->store, q->id, &q->reply, err);
}

int registry_document(struct registry *r, const char *id, json_t **reply, struct error *err)
{
	struct question q = {.id = id};

	return ask(r, read_document, &q, reply, err);
}

/*
 * Give the proofs of what was published just now their names, if the witnesses
 * answer in a moment. Else the answer tells where in the log each of them is.
 */
static int complete(struct registry *r, json_t *reply, struct error *err)
{
	json_t *documents = json_object_get(reply, "documents"), *doc;
	json_int_t size = 0;
	size_t i;

	json_array_foreach(documents, i, doc)
	{
		json_int_t index = json_integer_value(json_object_get(doc, "log_index"));

		if (json_object_get(doc, "log_index") && index >= size)
			size = index + 1;
	}
	if (!size || !cosign_await(r, (uint64_t)size))
		return 0;
	json_array_foreach(documents, i, doc)
	{
		json_t *now = NULL;
		int e;

		if (!json_object_get(doc, "log_index"))
			continue;
		e = registry_document(r, json_string_value(json_object_get(doc, "id")), &now, err);
		if (e < 0)
			return e;
		if (json_array_set_new(documents, i, now) < 0)
			return error_nomem(err);
	}
	return 0;
}

int registry_submit(struct registry *r, const void *body, size_t len, json_t **reply,
		    struct error *err)
{
	struct submission s = {.body = body, .len = len};
	int e = registry_work(r, submit_body, &s, err);

	if (e == 0 && r->config.threshold)
		e = complete(r, s.reply, err);
	if (e < 0)
		json_decref(s.reply); /* it was judged, and could not be made durable */
	else
		*reply = s.reply;
	return e;
}

static int read_proposals(struct work *w, void *arg, struct error *err)
{
	struct question *q = arg;

	return reply_proposals(w, q->id, &q->reply, err);
}

int registry_proposals(struct registry *r, const char *product, json_t **reply, struct error *err)
{
	struct question q = {.id = product};

	return ask(r, read_proposals, &q, reply, err);
}

static int read_product(struct work *w, void *arg, struct error *err)
{
	struct question *q = arg;
	struct product_row row;
	int64_t waiting = 0;
	int r = store_product(w->store, q->id, &row, err);

	if (r < 0)
		return error_prefix(err, r, "%s", q->id);
	if (row.root == 0) {
		q->reply = json_pack("{s:s, s:s, s:i}", "product", q->id, "state", "admitted",
				     "root_version", 0);
		return q->reply ? 0 : error_nomem(err);
	}
	r = render_index(w->store, q->id, &q->reply, err);
	if (r == 0)
		r = store_batch_count(w->store, q->id, &waiting, err);
	if (r == 0 && json_object_set_new(q->reply, "waiting", json_integer(waiting)) < 0)
		r = error_nomem(err);
	if (r < 0)
		json_decref(q->reply);
	return r;
}

int registry_product(struct registry *r, const char *product, json_t **reply, struct error *err)
{
	struct question q = {.id = product};

	return ask(r, read_product, &q, reply, err);
}

/* --- online keys --- */

/* The epoch of a publisher's next root: the tenure that lasts, or one more than it has had. */
static int find_epoch(struct store *s, const char *product, const char *publisher, int64_t *out,
		      struct error *err)
{
	struct tenure_row tenure = {0};
	struct product_row row = {0};
	struct error none;
	int r = store_product(s, product, &row, &none);

	*out = 0;
	if (r == E_NOTFOUND || (r == 0 && row.tenure == 0))
		return 0;
	if (r == 0)
		r = store_tenure(s, product, row.tenure, &tenure, &none);
	if (r < 0)
		return error_set(err, r, "%s", none.text);
	if (strcmp(tenure.publisher, publisher) == 0) {
		*out = tenure.epoch;
		return 0;
	}
	return store_tenure_count(s, product, publisher, out, err);
}

static int add_key(const struct registry *r, const struct key_use *use, const char *role,
		   json_t *keys, json_t *reply, struct error *err)
{
	CLEANUP(signer_freep) struct signer *signer = NULL;
	int e = keys_product(r->keys, use, role, &signer, err);
	const struct key *key;

	if (e < 0)
		return e;
	key = signer_key(signer);
	if (json_object_set(keys, key_id(key), key_object(key)) < 0 ||
	    json_object_set_new(reply, role, json_string(key_id(key))) < 0)
		return error_nomem(err);
	return 0;
}

static int read_online_keys(struct work *w, void *arg, struct error *err)
{
	struct question *q = arg;
	CLEANUP(json_decrefp) json_t *keys = json_object();
	CLEANUP(json_decrefp) json_t *reply = NULL;
	struct key_use use = {q->id, q->other, 0};
	int r = find_epoch(w->store, q->id, q->other, &use.epoch, err);

	if (r < 0)
		return r;
	reply = json_pack("{s:s, s:s, s:O}", "product", q->id, "publisher", q->other, "keys", keys);
	if (!reply)
		return error_nomem(err);
	r = add_key(w->r, &use, "timestamp", keys, reply, err);
	if (r == 0)
		r = add_key(w->r, &use, "snapshot", keys, reply, err);
	if (r == 0)
		q->reply = steal(reply);
	return r;
}

int registry_online_keys(struct registry *r, const char *product, const char *publisher,
			 json_t **reply, struct error *err)
{
	struct question q = {.id = product, .other = publisher};

	if (!product_id_ok(product))
		return error_set(err, E_INVALID, "product: want a product id");
	if (!product_id_ok(publisher))
		return error_set(err, E_INVALID, "publisher: want [a-z0-9][a-z0-9.-]{0,62}");
	return ask(r, read_online_keys, &q, reply, err);
}

/* --- the operator, the opener, the clock --- */

struct head_change {
	const char *product, *head;
};

static int head_job(struct work *w, void *arg, struct error *err)
{
	const struct head_change *c = arg;
	struct product_row row;
	int r = store_product(w->store, c->product, &row, err);

	if (r < 0 || strcmp(row.head, c->head) == 0)
		return r < 0 ? error_prefix(err, r, "%s", c->product) : 0;
	r = store_product_head(w->store, c->product, c->head, err);
	return r < 0 ? r : work_touch(w, c->product, err);
}

int registry_source_changed(struct registry *r, const char *product, const char *head,
			    struct error *err)
{
	struct head_change c = {product, head};

	return registry_work(r, head_job, &c, err);
}

struct release_job {
	const char *product;
	json_t *fields;
};

/* The version, the root and the instant that a release of this product has now. */
static int complete_release(struct work *w, const struct release_job *j, json_t *body,
			    struct error *err)
{
	struct document_row last = {.type = "release"};
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	struct product_row product;
	struct error none;
	char issued[UTC_SIZE];
	json_t *extra;
	int r = store_product(w->store, j->product, &product, err);

	if (r == 0)
		r = load_root(w->store, j->product, product.root, &root, err);
	if (r < 0)
		return r;
	(void)snprintf(last.product, sizeof(last.product), "%s", j->product);
	r = store_document_latest(w->store, &last, NULL, &none);
	if (r < 0 && r != E_NOTFOUND)
		return error_set(err, r, "%s", none.text);
	assert(root);
	utc_format(w->now, issued);
	extra = json_pack("{s:s, s:s, s:s, s:I, s:s, s:{s:I, s:s}}", "_type", "release",
			  "spec_version", "1.0", "product", j->product, "version",
			  (json_int_t)(r == 0 ? last.version + 1 : 1), "issued", issued, "root",
			  "version", (json_int_t)root->version, "id", envelope_id(root->doc));
	r = extra && json_object_update(body, extra) == 0 ? 0 : error_nomem(err);
	json_decref(extra);
	return r;
}

static int release_job(struct work *w, void *arg, struct error *err)
{
	struct release_job *j = arg;
	CLEANUP(json_decrefp) json_t *body = json_clone(j->fields);
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct submission s = {0};
	int r = body ? complete_release(w, j, body, err) : error_nomem(err);

	if (r == 0)
		r = envelope_new(json_incref(body), &doc, err);
	if (r == 0)
		r = signer_sign_envelope(keys_online(w->r->keys), doc, err);
	if (r < 0)
		return r;
	s.body = envelope_bytes(doc)->data;
	s.len = envelope_bytes(doc)->len;
	r = submit_body(w, &s, err);
	json_decref(s.reply);
	return r;
}

int registry_release(struct registry *r, const char *product, json_t *fields_take,
		     struct error *err)
{
	struct release_job j = {product, fields_take};
	int e = fields_take ? registry_work(r, release_job, &j, err) : error_nomem(err);

	json_decref(fields_take);
	return e;
}

struct tick {
	int64_t now;
	bool more;
};

static int tick_job(struct work *w, void *arg, struct error *err)
{
	struct tick *t = arg;

	w->now = t->now;
	return metadata_renew(w, &t->more, err);
}

static int expire_job(struct work *w, void *arg, struct error *err)
{
	const struct tick *t = arg;

	return store_batches_expire(w->store, t->now - (int64_t)BATCH_DAYS * DAY_S, err);
}

int registry_tick(struct registry *r, int64_t now, struct error *err)
{
	struct tick t = {now, true};
	int e = registry_work(r, expire_job, &t, err);

	if (e == 0)
		e = finish_left(r, err);
	while (e == 0 && t.more)
		e = registry_work(r, tick_job, &t, err);
	return e;
}
