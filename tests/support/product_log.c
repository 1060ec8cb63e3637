/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/product_log.h"

#include <ctype.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/base/utc.h"
#include "lib/sign/ed25519.h"
#include "lib/tlog/entries.h"
#include "lib/tuf/repo.h"

#define LEAVES "leaves.jsonl"

static void check(int r, const struct error *err)
{
	if (r >= 0)
		return;
	(void)fprintf(stderr, "product_log: %s\n", err->text);
	abort();
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "product_log: %s\n", what);
	abort();
}

/* --- people and keys ------------------------------------------------------------ */

static struct signer *person(void)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	struct signer *s = NULL;
	struct error err = {0};

	check(signer_generate("ed25519", &pem, &err), &err);
	check(signer_from_pem(pem.data, pem.len, &s, &err), &err);
	return s;
}

/* The same key as of cosignatures, for documents. */
static struct signer *signer_of_seed(const unsigned char seed[32])
{
	static const unsigned char head[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
					     0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
	CLEANUP(buf_wipe) struct buf pem = {0};
	unsigned char der[sizeof(head) + 32];
	struct signer *s = NULL;
	struct error err = {0};

	memcpy(der, head, sizeof(head));
	memcpy(der + sizeof(head), seed, 32);
	check(buf_puts(&pem, "-----BEGIN PRIVATE KEY-----\n", &err), &err);
	check(base64_encode(der, sizeof(der), &pem, &err), &err);
	check(buf_puts(&pem, "\n-----END PRIVATE KEY-----\n", &err), &err);
	check(signer_from_pem(pem.data, pem.len, &s, &err), &err);
	return s;
}

static void note_key(const char *name, int type, unsigned char seed[32], struct note_key *out)
{
	unsigned char pub[32];
	struct error err = {0};

	for (size_t i = 0; i < 32; i++) /* any seed is a key; no two alike */
		seed[i] = (unsigned char)(strlen(name) + (unsigned char)name[i % strlen(name)] + i);
	check(ed25519_public(seed, pub, &err), &err);
	check(note_key_make(name, type, pub, out, &err), &err);
}

struct product_log *plog_new(size_t witnesses)
{
	struct product_log *p = calloc(1, sizeof(*p));

	must(p, "out of memory");
	p->now = PLOG_START;
	p->witnesses = witnesses;
	for (size_t i = 0; i < PLOG_PEOPLE; i++) {
		char name[32];

		p->vendor[i] = person();
		p->trustee[i] = person();
		p->steward[i] = person();
		(void)snprintf(name, sizeof(name), "witness-%zu.example", i);
		note_key(name, NOTE_COSIGNATURE, p->witness_seed[i], &p->witness_key[i]);
		p->witness[i] = signer_of_seed(p->witness_seed[i]);
	}
	p->skew[0] = -60;
	p->stranger = person();
	note_key(PLOG_ORIGIN, NOTE_ED25519, p->log_seed, &p->log_key);
	p->tiles = tiles_new();
	return p;
}

static void drop_files(struct product_log *p)
{
	for (size_t i = 0; i < p->nfiles; i++) {
		free(p->files[i].path);
		buf_clear(&p->files[i].bytes);
	}
	for (size_t i = 0; i < p->size; i++)
		buf_clear(&p->entries[i]);
	p->nfiles = 0;
	p->size = 0;
}

void plog_free(struct product_log *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < PLOG_PEOPLE; i++) {
		signer_free(p->vendor[i]);
		signer_free(p->trustee[i]);
		signer_free(p->steward[i]);
		signer_free(p->witness[i]);
	}
	signer_free(p->stranger);
	drop_files(p);
	free(p->tiles);
	free(p);
}

static void copy_tiles(struct tiles *to, const struct tiles *from)
{
	memcpy(to->tile, from->tile, from->n * sizeof(from->tile[0]));
	to->n = from->n;
}

void plog_copy(struct product_log **copy, const struct product_log *of)
{
	struct product_log *p = *copy ? *copy : calloc(1, sizeof(*p));
	struct tiles *tiles = p && p->tiles ? p->tiles : tiles_new();
	struct error err = {0};

	must(p && tiles, "out of memory");
	drop_files(p);
	memcpy(p, of, offsetof(struct product_log, leaves));
	memcpy(p->leaves, of->leaves, of->nleaves * sizeof(of->leaves[0]));
	p->tiles = tiles;
	copy_tiles(tiles, of->tiles);
	for (size_t i = 0; i < of->size; i++)
		check(buf_add(&p->entries[i], of->entries[i].data, of->entries[i].len, &err), &err);
	for (size_t i = 0; i < of->nfiles; i++) {
		const struct plog_file *f = &of->files[i];

		p->files[i] = (struct plog_file){.path = strdup(f->path)};
		must(p->files[i].path, "out of memory");
		check(buf_add(&p->files[i].bytes, f->bytes.data, f->bytes.len, &err), &err);
	}
	*copy = p;
}

/* --- files ------------------------------------------------------------------------ */

static struct buf *find(struct product_log *p, const char *path)
{
	for (size_t i = 0; i < p->nfiles; i++)
		if (p->files[i].path && strcmp(p->files[i].path, path) == 0)
			return &p->files[i].bytes;
	return NULL;
}

/* The empty file of that name. */
static struct buf *make(struct product_log *p, const char *path)
{
	struct buf *b = find(p, path);

	if (!b) {
		must(p->nfiles < PLOG_FILES_MAX, "too many files");
		p->files[p->nfiles].path = strdup(path);
		must(p->files[p->nfiles].path, "out of memory");
		b = &p->files[p->nfiles++].bytes;
	}
	buf_clear(b);
	return b;
}

static void name_file(char path[256], const char *folder, const char *id, const char *ending)
{
	(void)snprintf(path, 256, "%s%s%s", folder, id, ending);
}

struct buf *plog_file(struct product_log *p, const char *folder, const char *id, const char *ending)
{
	char path[256];

	name_file(path, folder, id, ending);
	return find(p, path);
}

void plog_put(struct product_log *p, const char *folder, const char *id, const char *ending,
	      const struct buf *bytes)
{
	struct error err = {0};
	char path[256];

	name_file(path, folder, id, ending);
	check(buf_add(make(p, path), bytes->data, bytes->len, &err), &err);
}

void plog_remove(struct product_log *p, const char *folder, const char *id, const char *ending)
{
	char path[256];

	name_file(path, folder, id, ending);
	for (size_t i = 0; i < p->nfiles; i++) {
		if (!p->files[i].path || strcmp(p->files[i].path, path) != 0)
			continue;
		free(p->files[i].path);
		p->files[i].path = NULL;
		buf_clear(&p->files[i].bytes);
	}
}

static int read_file(void *ctx, const char *path, size_t max, struct buf *out, struct error *err)
{
	const struct buf *b = find(ctx, path);

	if (!b)
		return error_set(err, E_NOTFOUND, "%s: not found", path);
	if (b->len > max)
		return error_set(err, E_INVALID, "%s: too large", path);
	return buf_add(out, b->data, b->len, err);
}

/* The bundle that this is the path of, as far as the log goes. */
static int read_log(void *ctx, const char *origin, const char *path, size_t max, struct buf *out,
		    struct error *err)
{
	const struct product_log *p = ctx;
	char name[TILE_PATH_SIZE];
	size_t first = 0;

	must(strcmp(origin, p->log_key.name) == 0 && max >= ENTRIES_BYTES_MAX, "another log");
	for (; first < p->size; first += TILE_WIDTH) {
		tile_path(-1, first / TILE_WIDTH, TILE_WIDTH, name);
		if (strncmp(path, name, strlen(name)) == 0)
			break;
	}
	if (p->no_entries || first >= p->size)
		return error_set(err, E_NOTFOUND, "%s: not found", path);
	for (size_t i = first; i < p->size && i < first + TILE_WIDTH; i++) {
		const struct buf *e = &p->entries[i];
		const unsigned char len[] = {(unsigned char)(e->len >> 8), (unsigned char)e->len};

		check(buf_add(out, len, sizeof(len), err), err);
		check(buf_add(out, e->data, e->len, err), err);
	}
	return 0;
}

struct evidence_source plog_source(struct product_log *p)
{
	return (struct evidence_source){
		.ctx = p, .read = read_file, .log = read_log, .own = p->own};
}

/* --- roots ------------------------------------------------------------------------- */

static json_t *vkey(const struct note_key *k)
{
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err = {0};

	check(note_key_format(k, &text, &err), &err);
	return json_string(text.data);
}

json_t *plog_x_bequest(struct product_log *p, const char *publisher, const char *kind)
{
	json_t *keys = json_array();
	json_t *x;

	for (size_t i = 0; i < p->witnesses; i++)
		must(json_array_append_new(keys, vkey(&p->witness_key[i])) == 0, "out of memory");
	x = json_pack("{s:{s:s, s:s, s:s}, s:[{s:s, s:o, s:s}], s:{s:o, s:I}}", "publisher", "id",
		      publisher, "name", "A Name", "kind", kind, "logs", "origin", PLOG_ORIGIN,
		      "vkey", vkey(&p->log_key), "url", "log/", "witnesses", "keys", keys,
		      "threshold", (json_int_t)(p->witnesses ? p->witnesses - 1 : 0));
	must(x, "out of memory");
	return x;
}

static void add_key(json_t *root, enum tuf_type role, const struct signer *s)
{
	const struct key *k = signer_key(s);
	struct error err = {0};

	check(repo_root_add_key(root, role, key_id(k), key_object(k), &err), &err);
}

struct tuf_root *plog_root(struct product_log *p, const struct root_spec *spec)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	struct tuf_root *root = NULL;
	struct error err = {0};
	json_t *body = NULL;

	check(repo_signed_new(TUF_ROOT, spec->product ? spec->product : PLOG_PRODUCT, spec->version,
			      p->now, &body, &err),
	      &err);
	for (size_t i = 0; i < spec->nkeys; i++)
		add_key(body, TUF_ROOT, spec->keys[i]);
	for (int t = TUF_TIMESTAMP; t < TUF_TYPES; t++)
		add_key(body, (enum tuf_type)t, spec->keys[0]);
	check(repo_root_threshold(body, TUF_ROOT, spec->threshold, &err), &err);
	must(json_object_set_new(body, "x-bequest",
				 spec->x_bequest
					 ? json_deep_copy(spec->x_bequest)
					 : plog_x_bequest(p, spec->publisher, spec->kind)) == 0,
	     "out of memory");
	check(envelope_new(body, &doc, &err), &err);
	for (size_t g = 0; g < ARRAY_LEN(spec->signers); g++)
		for (int64_t i = 0; spec->signers[g] && i < spec->threshold; i++)
			check(signer_sign_envelope(spec->signers[g][i], doc, &err), &err);
	const struct buf *bytes = envelope_bytes(doc);
	check(tuf_root_parse(bytes->data, bytes->len, "root", &root, &err), &err);
	return root;
}

struct tuf_root *plog_vendor_root(struct product_log *p)
{
	const struct root_spec spec = {.version = 1,
				       .threshold = 2,
				       .keys = p->vendor,
				       .nkeys = PLOG_PEOPLE,
				       .publisher = "acme",
				       .kind = "vendor",
				       .signers = {p->vendor, NULL}};
	return plog_root(p, &spec);
}

struct tuf_root *plog_bridge(struct product_log *p)
{
	const struct root_spec spec = {.version = 2,
				       .threshold = 2,
				       .keys = p->steward,
				       .nkeys = PLOG_PEOPLE,
				       .publisher = "stewards",
				       .kind = "stewards",
				       .signers = {p->vendor, p->steward}};
	return plog_root(p, &spec);
}

struct tuf_root *plog_stewards_root(struct product_log *p)
{
	const struct root_spec spec = {.version = 3,
				       .threshold = 2,
				       .keys = p->steward,
				       .nkeys = PLOG_PEOPLE,
				       .publisher = "stewards",
				       .kind = "stewards",
				       .signers = {p->steward, NULL}};
	return plog_root(p, &spec);
}

/* --- documents ------------------------------------------------------------------------ */

static void put_absent(json_t *body, const char *key, json_t *v_take)
{
	if (json_object_get(body, key))
		json_decref(v_take);
	else
		must(json_object_set_new(body, key, v_take) == 0, "out of memory");
}

struct envelope *plog_statement(struct product_log *p, const char *type,
				const struct tuf_root *root, json_t *body_take,
				struct signer *const *by, size_t n)
{
	struct envelope *doc = NULL;
	struct error err = {0};
	char at[UTC_SIZE];

	must(body_take, "no body");
	utc_format(p->now, at);
	put_absent(body_take, "_type", json_string(type));
	put_absent(body_take, "spec_version", json_string("1.0"));
	put_absent(body_take, "product", json_string(PLOG_PRODUCT));
	put_absent(body_take, "version", json_integer(++p->statements));
	put_absent(body_take, "issued", json_string(at));
	if (root)
		put_absent(body_take, "root",
			   json_pack("{s:I, s:s}", "version", (json_int_t)root->version, "id",
				     envelope_id(root->doc)));
	check(envelope_new(body_take, &doc, &err), &err);
	for (size_t i = 0; i < n; i++)
		check(signer_sign_envelope(by[i], doc, &err), &err);
	return doc;
}

static void number(char out[SHA256_HEX_SIZE], const char *what, size_t i)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s %zu", what, i);
	sha256_hex(text, strlen(text), out);
}

static json_t *seat(const struct signer *s, size_t i, json_t *files)
{
	char share[SHA256_HEX_SIZE], fpr[SHA256_HEX_SIZE], name[16], path[128];

	number(share, "share", i);
	number(fpr, "fingerprint", i);
	fpr[40] = '\0';
	(void)snprintf(name, sizeof(name), "trustee-%zu", i + 1);
	(void)snprintf(path, sizeof(path), "public/shares/%s.gpg", fpr);
	for (char *c = path + strlen("public/shares/"); *c != '.'; c++)
		*c = (char)toupper((unsigned char)*c);
	must(json_array_append_new(files, json_pack("{s:s, s:i, s:s}", "path", path, "size", 300,
						    "sha256", share)) == 0,
	     "out of memory");
	return json_pack("{s:s, s:s, s:s, s:i, s:{s:s}}", "name", name, "keyid",
			 key_id(signer_key(s)), "encryption_fingerprint", fpr, "number", (int)i + 1,
			 "shares", "public", share);
}

json_t *plog_deposit_body(struct product_log *p, const struct tuf_root *follows, const char *bridge,
			  json_t *policy_take)
{
	json_t *keys = json_object(), *seats = json_array(), *files = json_array();
	char digest[SHA256_HEX_SIZE];
	json_t *body;

	number(digest, "payload", 0);
	for (size_t i = 0; i < PLOG_PEOPLE; i++) {
		const struct key *k = signer_key(p->trustee[i]);

		must(json_object_set(keys, key_id(k), key_object(k)) == 0 &&
			     json_array_append_new(seats, seat(p->trustee[i], i, files)) == 0,
		     "out of memory");
	}
	must(json_array_append_new(files,
				   json_pack("{s:s, s:i, s:s}", "path", "public/payload.tar.gpg",
					     "size", 9000, "sha256", digest)) == 0,
	     "out of memory");
	body = json_pack("{s:{s:I, s:s}, s:s, s:s, s:s, s:{s:o, s:i, s:o}, s:{s:{s:s, s:s, s:i, "
			 "s:s}}, s:[{s:s, s:i, s:s}], s:{s:{s:s, s:s}}, s:o, s:o}",
			 "follows_root", "version", (json_int_t)follows->version, "id",
			 envelope_id(follows->doc), "bridge", bridge, "support_until",
			 "2030-02-01T00:00:00Z", "refresh_by", "2031-01-01T00:00:00Z", "trustees",
			 "keys", keys, "threshold", 2, "seats", seats, "compartments", "public",
			 "out", "public", "sha256", digest, "size", 9000, "passphrase_sha256",
			 digest, "items", "path", "handover/bridge.root.json", "size", 4000,
			 "sha256", digest, "refs", "refs/heads/main", "commit",
			 "0123456789012345678901234567890123456789", "swhid",
			 "swh:1:rev:0123456789012345678901234567890123456789", "release_policy",
			 policy_take, "files", files);
	must(body, "out of memory");
	return body;
}

/* --- the log ------------------------------------------------------------------------------ */

static void sign_checkpoint(const struct product_log *p, const struct hash *root, struct buf *out)
{
	CLEANUP(buf_clear) struct buf text = {0};
	struct error err = {0};

	check(checkpoint_format(p->log_key.name, p->size, root, &text, &err), &err);
	check(buf_add(out, text.data, text.len, &err), &err);
	check(buf_puts(out, "\n", &err), &err);
	check(note_sign_line(&p->log_key, p->log_seed, &text, 0, out, &err), &err);
	for (size_t i = 0; i < p->witnesses; i++)
		check(note_sign_line(&p->witness_key[i], p->witness_seed[i], &text,
				     p->now + p->skew[i], out, &err),
		      &err);
}

void plog_checkpoint(struct product_log *p, struct buf *out)
{
	const struct merkle_store store = tiles_store(p->tiles);
	struct error err = {0};
	struct hash root;

	check(merkle_root(&store, p->size, &root, &err), &err);
	sign_checkpoint(p, &root, out);
}

static void write_proof(struct product_log *p, const char *id, uint64_t index)
{
	const struct merkle_store store = tiles_store(p->tiles);
	CLEANUP(buf_clear) struct buf checkpoint = {0};
	struct merkle_proof siblings;
	struct error err = {0};
	char path[256];

	check(merkle_prove_inclusion(&store, index, p->size, &siblings, &err), &err);
	plog_checkpoint(p, &checkpoint);
	name_file(path, "proofs/", id, ".tlog-proof");
	check(tlog_proof_format(index, &siblings, checkpoint.data, checkpoint.len, make(p, path),
				&err),
	      &err);
}

void plog_write_leaves(struct product_log *p)
{
	struct buf *out = make(p, LEAVES);
	struct error err = {0};

	p->served = p->nleaves - p->hidden;
	for (size_t i = 0; i < p->served; i++)
		check(leaf_line(&p->leaves[i], out, &err), &err);
}

/* The last leaf, which is new. */
static void serve_leaf(struct product_log *p)
{
	struct buf *out = find(p, LEAVES);
	struct error err = {0};

	if (!out || p->hidden || p->served + 1 != p->nleaves) {
		plog_write_leaves(p);
		return;
	}
	check(leaf_line(&p->leaves[p->served++], out, &err), &err);
}

static struct hash append(struct product_log *p, const struct buf *entry)
{
	const struct merkle_store store = tiles_store(p->tiles);
	struct error err = {0};
	struct hash hash;

	must(p->size < PLOG_LEAVES_MAX, "too many entries");
	merkle_leaf(entry->data, entry->len, &hash);
	check(merkle_append(&store, p->size, &hash, 1, &err), &err);
	check(buf_add(&p->entries[p->size++], entry->data, entry->len, &err), &err);
	return hash;
}

void plog_add_other(struct product_log *p)
{
	CLEANUP(buf_clear) struct buf entry = {0};
	struct error err = {0};

	check(buf_printf(&entry, &err, "entry %zu is none of this product's", p->size), &err);
	(void)append(p, &entry);
}

void plog_add(struct product_log *p, const struct envelope *doc)
{
	const char *kind = envelope_type(doc);
	bool role = strcmp(kind, "root") == 0 || strcmp(kind, "targets") == 0;

	plog_add_role(p, doc, role ? kind : "");
}

void plog_add_role(struct product_log *p, const struct envelope *doc, const char *role)
{
	CLEANUP(buf_clear) struct buf entry = {0};
	const struct buf *bytes = envelope_bytes(doc);
	const char *kind = envelope_type(doc);
	struct leaf *l = &p->leaves[p->nleaves];
	struct error err = {0};
	char path[256];

	must(p->nleaves < PLOG_LEAVES_MAX, "too many leaves");
	*l = (struct leaf){
		.version = envelope_version(doc), .seq = (int64_t)p->nleaves + 1, .index = p->size};
	(void)snprintf(l->kind, sizeof(l->kind), "%s", kind);
	(void)snprintf(l->product, sizeof(l->product), "%s", PLOG_PRODUCT);
	(void)snprintf(l->role, sizeof(l->role), "%s", role);
	memcpy(l->id, envelope_id(doc), sizeof(l->id));
	memcpy(l->sha256, envelope_sha256(doc), sizeof(l->sha256));
	if (p->nleaves)
		l->prev = p->leaves[p->nleaves - 1].hash;
	check(leaf_write(l, &entry, &err), &err);
	(void)append(p, &entry);
	p->nleaves++;
	/* Beside a document lies the proof of its first leaf, however often it is logged. */
	name_file(path, "proofs/", l->id, ".tlog-proof");
	if (!find(p, path))
		write_proof(p, l->id, l->index);
	serve_leaf(p);
	if (*role)
		(void)snprintf(path, sizeof(path), "metadata/%lld.%s.json", (long long)l->version,
			       l->role);
	else
		name_file(path, "statements/", l->id, ".json");
	check(buf_add(make(p, path), bytes->data, bytes->len, &err), &err);
}

const char *plog_say(struct product_log *p, const char *type, const struct tuf_root *root,
		     json_t *body_take, struct signer *const *by, size_t n)
{
	CLEANUP(envelope_freep)
	struct envelope *doc = plog_statement(p, type, root, body_take, by, n);

	plog_add(p, doc);
	return p->leaves[p->nleaves - 1].id; /* lives as long as the log */
}

void plog_prove_again(struct product_log *p, const char *id)
{
	for (size_t i = 0; i < p->nleaves; i++)
		if (strcmp(p->leaves[i].id, id) == 0)
			write_proof(p, id, p->leaves[i].index);
}

json_t *plog_move(struct product_log *p, const char *origin)
{
	const struct merkle_store store = tiles_store(p->tiles);
	char old[NOTE_NAME_MAX + 1], digest[SHA256_HEX_SIZE];
	struct error err = {0};
	struct hash root;
	json_t *body;

	(void)snprintf(old, sizeof(old), "%s", p->log_key.name);
	note_key(origin, NOTE_ED25519, p->log_seed, &p->log_key);
	check(merkle_root(&store, p->size, &root, &err), &err);
	hex_encode(root.b, sizeof(root.b), digest);
	body = json_pack("{s:s, s:I, s:s, s:o}", "origin", old, "size", (json_int_t)p->size, "hash",
			 digest, "vkey", vkey(&p->log_key));
	must(body, "out of memory");
	return body;
}
