/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/town.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/utc.h"
#include "lib/json/canon.h"
#include "lib/tuf/repo.h"

enum { FILE_MAX = 8 * 1024 * 1024, SEALED_FILES = 5, DRILLS = 64 };

/* Only the registry is under test: what fails here is a fault of the test. */
#define must(call) \
	do { \
		if ((call) < 0) { \
			(void)fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, \
				      must_error.text); \
			abort(); \
		} \
	} while (0)
#define MUST_ERROR struct error must_error = {0}

static struct signer *make_signer(void)
{
	CLEANUP(buf_clear) struct buf pem = {0};
	struct signer *s = NULL;
	MUST_ERROR;

	must(signer_generate("ed25519", &pem, &must_error));
	must(signer_from_pem(pem.data, pem.len, &s, &must_error));
	return s;
}

struct town *town_new(bool open_admission)
{
	const struct registry_init init = {
		.name = "town", .origin = "town.example/log", .open_admission = open_admission};
	struct town *t = calloc(1, sizeof(*t));
	MUST_ERROR;

	assert(t);
	t->now = utc_now();
	for (size_t i = 0; i < TOWN_PEOPLE; i++) {
		t->vendor[i] = make_signer();
		t->trustee[i] = make_signer();
		t->steward[i] = make_signer();
	}
	t->maintainer = make_signer();
	for (size_t i = 0; i < TOWN_PEOPLE; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "witness-%zu.example", i);
		witness_make(&t->witness[i], name);
	}
	must(file_temp_dir(false, &t->dir, &must_error));
	must(registry_init(t->dir, &init, &must_error));
	must(registry_open(t->dir, &t->r, &must_error));
	return t;
}

void town_free(struct town *t)
{
	if (!t)
		return;
	registry_close(t->r);
	for (size_t i = 0; i < TOWN_PEOPLE; i++) {
		signer_free(t->vendor[i]);
		signer_free(t->trustee[i]);
		signer_free(t->steward[i]);
	}
	signer_free(t->maintainer);
	(void)!file_remove_tree(AT_FDCWD, t->dir, NULL);
	free(t->dir);
	free(t);
}

int town_reopen(struct town *t, struct error *err)
{
	registry_close(t->r);
	t->r = NULL;
	return registry_open(t->dir, &t->r, err);
}

/* --- papers --- */

void paper_sign(struct paper *p, struct signer *const *who, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p->by[p->nby++] = who[i];
}

void paper_clear(struct paper *p)
{
	json_decref(p->body);
	*p = (struct paper){0};
}

struct paper paper_copy(const struct paper *p)
{
	struct paper copy = *p;

	copy.body = json_deep_copy(p->body);
	return copy;
}

void paper_id(const struct paper *p, char out[SHA256_HEX_SIZE])
{
	CLEANUP(buf_clear) struct buf text = {0};
	MUST_ERROR;

	must(canon_write(p->body, &text, &must_error));
	sha256_hex(text.data, text.len, out);
}

void paper_write(const struct paper *p, struct buf *out)
{
	struct envelope *e = NULL;
	MUST_ERROR;

	must(envelope_new(json_deep_copy(p->body), &e, &must_error));
	for (size_t i = 0; i < p->nby; i++)
		must(signer_sign_envelope(p->by[i], e, &must_error));
	must(buf_add(out, envelope_bytes(e)->data, envelope_bytes(e)->len, &must_error));
	envelope_free(e);
}

static void add_people(json_t *root, enum tuf_type role, struct signer *const *who, size_t n)
{
	MUST_ERROR;

	for (size_t i = 0; i < n; i++)
		must(repo_root_add_key(root, role, key_id(signer_key(who[i])),
				       key_object(signer_key(who[i])), &must_error));
}

/* The registry's log as x-bequest wants it. */
static json_t *own_log(const struct town *t)
{
	json_t *record = town_json(t, "registry.json");
	json_t *log = json_deep_copy(
		json_array_get(json_object_get(json_object_get(record, "signed"), "logs"), 0));

	assert(log);
	json_decref(record);
	json_object_set_new(log, "url", json_string("https://town.example/log/"));
	return log;
}

static void add_online(struct town *t, json_t *root, const char *publisher)
{
	static const enum tuf_type roles[] = {TUF_TIMESTAMP, TUF_SNAPSHOT};
	json_t *keys = NULL;
	MUST_ERROR;

	must(registry_online_keys(t->r, TOWN_PRODUCT, publisher, &keys, &must_error));
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		const char *id = json_string_value(json_object_get(keys, tuf_type_name(roles[i])));

		must(repo_root_add_key(root, roles[i], id,
				       json_object_get(json_object_get(keys, "keys"), id),
				       &must_error));
	}
	json_decref(keys);
}

static json_t *witness_list(const struct town *t)
{
	json_t *keys = json_array();

	for (size_t i = 0; i < t->witnesses; i++)
		json_array_append_new(keys, witness_vkey(&t->witness[i]));
	return keys;
}

static struct paper people_root(struct town *t, int64_t version, const char *kind,
				const char *publisher, struct signer *const *who)
{
	bool vendor = strcmp(kind, "vendor") == 0;
	struct paper p = {0};
	MUST_ERROR;

	must(repo_signed_new(TUF_ROOT, TOWN_PRODUCT, version, t->now, &p.body, &must_error));
	json_object_set_new(p.body, "x-bequest",
			    json_pack("{s:{s:s, s:s, s:s}, s:[o], s:{s:o, s:i}}", "publisher", "id",
				      publisher, "name", vendor ? "Acme" : "Friends of Acme",
				      "kind", kind, "logs", own_log(t), "witnesses", "keys",
				      witness_list(t), "threshold",
				      t->witnesses ? (int)t->witnesses - 1 : 0));
	add_people(p.body, TUF_ROOT, who, TOWN_PEOPLE);
	must(repo_root_threshold(p.body, TUF_ROOT, TOWN_THRESHOLD, &must_error));
	add_people(p.body, TUF_TARGETS, vendor ? t->vendor : &t->maintainer, 1);
	must(repo_root_threshold(p.body, TUF_TARGETS, 1, &must_error));
	must(repo_root_threshold(p.body, TUF_TIMESTAMP, 1, &must_error));
	must(repo_root_threshold(p.body, TUF_SNAPSHOT, 1, &must_error));
	return p;
}

static struct paper new_root(struct town *t, int64_t version, bool vendor)
{
	return people_root(t, version, vendor ? "vendor" : "stewards",
			   vendor ? "acme" : "acme.stewards", vendor ? t->vendor : t->steward);
}

struct paper town_root_of(struct town *t, int64_t version, const char *kind, const char *publisher,
			  struct signer *const *who)
{
	struct paper p = people_root(t, version, kind, publisher, who);

	add_online(t, p.body, publisher);
	return p;
}

struct paper town_root(struct town *t, int64_t version, const char *kind)
{
	bool vendor = strcmp(kind, "vendor") == 0;
	struct paper p = new_root(t, version, vendor);

	add_online(t, p.body, vendor ? "acme" : "acme.stewards");
	paper_sign(&p, vendor ? t->vendor : t->steward, TOWN_THRESHOLD);
	return p;
}

struct paper town_bridge(struct town *t, int64_t version)
{
	struct paper p = new_root(t, version, false);
	struct signer *thrown_away[2] = {make_signer(), make_signer()};

	json_object_set_new(json_object_get(p.body, "x-bequest"), "bridge", json_true());
	add_people(p.body, TUF_TIMESTAMP, &thrown_away[0], 1);
	add_people(p.body, TUF_SNAPSHOT, &thrown_away[1], 1);
	signer_free(thrown_away[0]);
	signer_free(thrown_away[1]);
	paper_sign(&p, t->vendor, TOWN_THRESHOLD);
	return p;
}

struct paper town_targets(struct town *t, int64_t version, const char *kind)
{
	struct paper p = {0};
	MUST_ERROR;

	must(repo_signed_new(TUF_TARGETS, TOWN_PRODUCT, version, t->now, &p.body, &must_error));
	paper_sign(&p, strcmp(kind, "vendor") == 0 ? t->vendor : &t->maintainer, 1);
	return p;
}

void town_delegate(struct paper *targets, const char *name, const char *path,
		   const struct signer *to)
{
	CLEANUP(json_decrefp) json_t *paths = json_pack("[s]", path);
	const struct key *key = signer_key(to);
	MUST_ERROR;

	must(repo_delegate(targets->body, name, paths, 1, &must_error));
	must(repo_delegate_key(targets->body, name, key_id(key), key_object(key), &must_error));
}

struct paper town_channel(struct town *t, int64_t version, const char *name, struct signer *by)
{
	struct paper p = town_targets(t, version, "stewards");

	p.by[0] = by;
	if (json_object_set_new(p.body, "x-bequest", json_pack("{s:s}", "role", name)) < 0)
		abort();
	return p;
}

void town_add_target(struct paper *targets, const char *path, const char *content,
		     json_t *custom_take)
{
	char digest[SHA256_HEX_SIZE];
	MUST_ERROR;

	sha256_hex(content, strlen(content), digest);
	must(repo_targets_add(targets->body, path, (int64_t)strlen(content), digest, custom_take,
			      &must_error));
	json_decref(custom_take);
}

static json_t *root_ref(const struct paper *root)
{
	char id[SHA256_HEX_SIZE];

	paper_id(root, id);
	return json_pack("{s:O, s:s}", "version", json_object_get(root->body, "version"), "id", id);
}

struct paper town_statement(struct town *t, const char *type, int64_t version,
			    const struct paper *root)
{
	char issued[UTC_SIZE];
	struct paper p = {0};

	utc_format(t->now, issued);
	p.body = json_pack("{s:s, s:s, s:s, s:I, s:s}", "_type", type, "spec_version", "1.0",
			   "product", TOWN_PRODUCT, "version", (json_int_t)version, "issued",
			   issued);
	if (root) {
		json_object_set_new(p.body, "root", root_ref(root));
		paper_sign(&p, t->vendor, TOWN_THRESHOLD);
	}
	return p;
}

struct paper town_product(struct town *t, int64_t version, const struct paper *root)
{
	struct paper p = town_statement(t, "product", version, root);

	json_object_set_new(p.body, "name", json_string("Acme X1"));
	json_object_set_new(p.body, "hardware", json_pack("[s]", "acme,x1"));
	return p;
}

/* The sealed files: payload, and a share for each trustee; their text is their path. */
static void sealed_path(size_t i, char out[96])
{
	if (i == 0)
		(void)snprintf(out, 96, "public/payload.tar.gpg");
	else
		(void)snprintf(out, 96, "public/shares/%040zu.gpg", i);
}

static json_t *sealed_files(void)
{
	json_t *files = json_array();

	for (size_t i = 0; i < SEALED_FILES - 1; i++) {
		char path[96], digest[SHA256_HEX_SIZE];

		sealed_path(i, path);
		sha256_hex(path, strlen(path), digest);
		json_array_append_new(files, json_pack("{s:s, s:i, s:s}", "path", path, "size",
						       (int)strlen(path), "sha256", digest));
	}
	return files;
}

static json_t *drill_values(const char *digest)
{
	json_t *list = json_array();

	for (size_t i = 0; i < DRILLS; i++)
		json_array_append_new(list, json_string(digest));
	return list;
}

static json_t *trustees_part(const struct town *t, const char *digest)
{
	json_t *keys = json_object(), *seats = json_array();

	for (size_t i = 0; i < TOWN_PEOPLE; i++) {
		const struct key *k = signer_key(t->trustee[i]);
		char fpr[41], name[32];

		(void)snprintf(fpr, sizeof(fpr), "%040zu", i + 1);
		(void)snprintf(name, sizeof(name), "trustee-%zu", i + 1);
		json_object_set(keys, key_id(k), key_object(k));
		json_array_append_new(seats,
				      json_pack("{s:s, s:s, s:s, s:i, s:{s:s}, s:{s:o}}", "name",
						name, "keyid", key_id(k), "encryption_fingerprint",
						fpr, "number", (int)i + 1, "shares", "public",
						digest, "drills", "public", drill_values(digest)));
	}
	return json_pack("{s:o, s:i, s:o}", "keys", keys, "threshold", TOWN_THRESHOLD, "seats",
			 seats);
}

struct paper town_deposit(struct town *t, int64_t version, const struct paper *root,
			  const struct paper *bridge)
{
	struct paper p = town_statement(t, "deposit", version, root);
	json_t *files = sealed_files();
	const json_t *payload = json_array_get(files, 0);
	const char *digest = json_string_value(json_object_get(payload, "sha256"));
	char id[SHA256_HEX_SIZE], later[UTC_SIZE];
	json_t *more;

	paper_id(bridge, id);
	utc_format(t->now + INT64_C(365) * DAY_S, later);
	more = json_pack(
		"{s:o, s:s, s:s, s:s, s:o, s:{s:{s:s, s:s, s:O, s:s}}, s:[], s:{}, s:o, s:o}",
		"follows_root", root_ref(root), "bridge", id, "support_until", later, "refresh_by",
		later, "trustees", trustees_part(t, digest), "compartments", "public", "out",
		"public", "sha256", digest, "size", json_object_get(payload, "size"),
		"passphrase_sha256", digest, "items", "refs", "release_policy",
		json_pack("{s:s, s:i, s:s, s:{s:[{s:s}, {s:[{s:s}, {s:{s:s}}]}]}}", "policy",
			  "release/declared", "version", 1, "title", "declared", "allow", "any",
			  "fact", "eol.release", "all", "fact", "eol.final", "approvals",
			  "at_least", "threshold"),
		"files", files);
	assert(more);
	json_object_update(p.body, more);
	json_decref(more);
	return p;
}

struct paper town_approval(struct town *t, size_t who, int64_t version, const char *deposit,
			   const char *bridge, const char *eol)
{
	struct paper p = town_statement(t, "approval", version, NULL);

	json_object_set_new(p.body, "deposit", json_string(deposit));
	json_object_set_new(p.body, "bridge", json_string(bridge));
	json_object_set_new(p.body, "eol", json_string(eol));
	json_object_set_new(p.body, "seat", json_integer((json_int_t)who)); /* or all had one id */
	paper_sign(&p, &t->trustee[who], 1);
	return p;
}

/* --- posting --- */

int town_post(struct town *t, struct paper *papers, size_t n, json_t **reply, struct error *err)
{
	CLEANUP(buf_clear) struct buf body = {0};
	json_t *answer = NULL;
	MUST_ERROR;
	int r;

	if (n > 1)
		must(buf_puts(&body, "[", &must_error));
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			must(buf_puts(&body, ",", &must_error));
		paper_write(&papers[i], &body);
		paper_clear(&papers[i]);
	}
	if (n > 1)
		must(buf_puts(&body, "]", &must_error));
	r = registry_submit(t->r, body.data, body.len, &answer, err);
	if (reply && r == 0)
		*reply = answer;
	else
		json_decref(answer);
	return r;
}

int town_post1(struct town *t, struct paper p, struct error *err)
{
	return town_post(t, &p, 1, NULL, err);
}

void town_expect(struct town *t, struct paper p, const char *state)
{
	json_t *reply = NULL;
	const char *got;
	MUST_ERROR;

	must(town_post(t, &p, 1, &reply, &must_error));
	got = json_string_value(
		json_object_get(json_array_get(json_object_get(reply, "documents"), 0), "state"));
	if (!got || strcmp(got, state) != 0) {
		(void)fprintf(stderr, "state: want %s, got %s\n", state, got ? got : "nothing");
		abort();
	}
	json_decref(reply);
}

int town_upload(struct town *t, const char *content, struct error *err)
{
	char digest[SHA256_HEX_SIZE];
	struct upload *u = NULL;
	bool complete = false;
	int r;

	sha256_hex(content, strlen(content), digest);
	r = registry_blob_begin(t->r, digest, 0, &u, err);
	if (r < 0)
		return r;
	r = registry_blob_write(u, content, strlen(content), err);
	if (r < 0) {
		(void)!registry_blob_end(u, &complete, NULL);
		return r;
	}
	return registry_blob_end(u, &complete, err);
}

char *town_read(const struct town *t, const char *path)
{
	struct buf b = {0};

	if (file_read(registry_public_dir(t->r), path, FILE_MAX, &b, NULL) < 0) {
		buf_clear(&b);
		return NULL;
	}
	return buf_steal(&b);
}

json_t *town_json(const struct town *t, const char *path)
{
	CLEANUP(freep) char *text = town_read(t, path);

	return text ? json_loads(text, 0, NULL) : NULL;
}

/* --- the story so far --- */

void town_settle(struct town *t, struct paper *root)
{
	struct paper targets;
	MUST_ERROR;

	*root = town_root(t, 1, "vendor");
	town_expect(t, paper_copy(root), "published");
	town_expect(t, town_product(t, 1, root), "published");
	targets = town_targets(t, 1, "vendor");
	town_add_target(&targets, "image.bin", "vendor image 1",
			json_pack("{s:{s:s, s:[s], s:s}}", "bequest", "version", "1.0", "hardware",
				  "acme,x1", "kind", "image"));
	town_expect(t, targets, "waiting");
	must(town_upload(t, "vendor image 1", &must_error));
}

void town_seal(struct town *t, const struct paper *root, const struct paper *bridge,
	       char id[SHA256_HEX_SIZE])
{
	struct paper deposit = town_deposit(t, 1, root, bridge);
	MUST_ERROR;

	paper_id(&deposit, id);
	town_expect(t, deposit, "waiting");
	for (size_t i = 0; i < SEALED_FILES - 1; i++) {
		char path[96];

		sealed_path(i, path);
		must(town_upload(t, path, &must_error));
	}
}

void town_end(struct town *t, const struct paper *root, const struct paper *bridge,
	      const char *deposit)
{
	struct paper eol = town_statement(t, "eol", 1, root);
	char root_id[SHA256_HEX_SIZE], bridge_id[SHA256_HEX_SIZE], eol_id[SHA256_HEX_SIZE];
	char date[UTC_SIZE];

	paper_id(root, root_id);
	paper_id(bridge, bridge_id);
	utc_format(t->now, date);
	json_object_set_new(eol.body, "date", json_string(date));
	json_object_set_new(eol.body, "final",
			    json_pack("{s:s, s:s}", "root", root_id, "bridge", bridge_id));
	paper_id(&eol, eol_id);
	town_expect(t, eol, "published");
	for (size_t i = 0; i < TOWN_THRESHOLD; i++)
		town_expect(t, town_approval(t, i, 1, deposit, bridge_id, eol_id), "published");
}

/* --- what a reader relies on --- */

struct reading {
	const struct town *t;
	char *wrong;
};

static void complain(struct reading *x, const char *what, const char *path)
{
	if (!x->wrong && asprintf(&x->wrong, "%s: %s", path, what) < 0)
		x->wrong = NULL;
}

/* One entry of timestamp or snapshot: the file is there and is that one. */
static json_t *follow(struct reading *x, const char *folder, const json_t *meta, const char *name)
{
	const json_t *entry = json_object_get(meta, name);
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *text = NULL;
	char digest[SHA256_HEX_SIZE];
	const char *want;

	if (asprintf(&path, "%s/%lld.%s", folder,
		     (long long)json_integer_value(json_object_get(entry, "version")), name) < 0)
		return NULL;
	text = town_read(x->t, path);
	if (!text) {
		complain(x, "is not there", path);
		return NULL;
	}
	sha256_hex(text, strlen(text), digest);
	want = json_string_value(json_object_get(json_object_get(entry, "hashes"), "sha256"));
	if (!want || strcmp(want, digest) != 0)
		complain(x, "has another digest than is listed", path);
	return json_loads(text, 0, NULL);
}

static json_t *meta_of(const json_t *role)
{
	return json_object_get(json_object_get(role, "signed"), "meta");
}

static void follow_targets(struct reading *x, const json_t *targets)
{
	json_t *list = json_object_get(json_object_get(targets, "signed"), "targets"), *entry;
	const char *name;

	json_object_foreach(list, name, entry)
	{
		CLEANUP(freep) char *path = NULL;
		CLEANUP(freep) char *text = NULL;

		if (asprintf(&path, "p/" TOWN_PRODUCT "/targets/%s.%s",
			     json_string_value(
				     json_object_get(json_object_get(entry, "hashes"), "sha256")),
			     name) < 0)
			return;
		text = town_read(x->t, path);
		if (!text)
			complain(x, "is not there", path);
	}
}

static void follow_index(struct reading *x)
{
	json_t *index = town_json(x->t, "p/" TOWN_PRODUCT "/index.json"), *entry;
	static const char *const members[] = {"path", "proof"};
	size_t i;

	json_array_foreach(json_object_get(index, "documents"), i, entry)
	{
		for (size_t k = 0; k < ARRAY_LEN(members); k++) {
			const char *below = json_string_value(json_object_get(entry, members[k]));
			CLEANUP(freep) char *path = NULL;
			CLEANUP(freep) char *text = NULL;

			if (asprintf(&path, "p/" TOWN_PRODUCT "/%s", below) < 0)
				return;
			text = town_read(x->t, path);
			if (!text)
				complain(x, "is in the index and is not there", path);
		}
	}
	json_decref(index);
}

char *town_broken(const struct town *t)
{
	static const char folder[] = "p/" TOWN_PRODUCT "/metadata";
	struct reading x = {.t = t};
	json_t *timestamp = town_json(t, "p/" TOWN_PRODUCT "/metadata/timestamp.json");
	json_t *snapshot, *targets;

	follow_index(&x);
	if (!timestamp)
		return x.wrong;
	snapshot = follow(&x, folder, meta_of(timestamp), "snapshot.json");
	targets = snapshot ? follow(&x, folder, meta_of(snapshot), "targets.json") : NULL;
	follow_targets(&x, targets);
	json_decref(timestamp);
	json_decref(snapshot);
	json_decref(targets);
	return x.wrong;
}

static void cosign(struct town *t, int64_t at, const char *path)
{
	CLEANUP(buf_clear) struct buf full = {0};
	MUST_ERROR;

	must(buf_printf(&full, &must_error, "%s/public/%s", t->dir, path));
	for (size_t i = 0; i < t->witnesses; i++)
		witness_cosign_file(&t->witness[i], at, full.data);
}

void town_cosign(struct town *t, int64_t at, const char *const *ids, size_t n)
{
	char path[256];

	cosign(t, at, "log/checkpoint");
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "p/" TOWN_PRODUCT "/proofs/%s.tlog-proof",
			       ids[i]);
		cosign(t, at, path);
	}
}
