/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/sealing.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/folder.h"
#include "escrow/howto.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/random.h"
#include "lib/json/clone.h"
#include "lib/sign/gpg.h"

enum { MODE_FILE = 0644, MODE_DIR = 0755, PASSPHRASE_BYTES = SHARE_LEN / 2 };

/* The secrets of one compartment, while it is being sealed. */
struct secrets {
	char passphrase[SHARE_LEN + 1];
	unsigned char salt[SALT_LEN];
	struct share shares[SEATS_MAX];
};

static void secrets_wipe(struct secrets *s)
{
	explicit_bzero(s, sizeof(*s));
}

/* What sealing needs at hand. */
struct sealer {
	struct plan *plan;
	struct gpg *gpg;
	int dir;
	progress_fn progress;
	void *ctx;
	json_t *files; /* what deposit.json lists under `files` */
};

static int list_file(struct sealer *s, const char *path, int64_t size, const char *sha256,
		     struct error *err)
{
	if (json_array_append_new(s->files, json_pack("{s:s, s:I, s:s}", "path", path, "size",
						      (json_int_t)size, "sha256", sha256)) < 0)
		return error_nomem(err);
	return 0;
}

static int put_file(struct sealer *s, const char *path, const struct buf *data, struct error *err)
{
	char digest[SHA256_HEX_SIZE];
	int r = file_write(s->dir, path, data->data, data->len, MODE_FILE, err);

	if (r < 0)
		return r;
	sha256_hex(data->data, data->len, digest);
	return list_file(s, path, (int64_t)data->len, digest, err);
}

static int make_secrets(const struct plan *p, struct secrets *s, struct error *err)
{
	unsigned char raw[PASSPHRASE_BYTES];
	int r = random_bytes(raw, sizeof(raw), err);

	if (r == 0)
		r = random_bytes(s->salt, sizeof(s->salt), err);
	if (r < 0)
		return r;
	hex_encode(raw, sizeof(raw), s->passphrase);
	explicit_bzero(raw, sizeof(raw));
	return shamir_split((const unsigned char *)s->passphrase, p->k, p->n, s->shares, err);
}

/* SHA-256(HMAC-SHA-256(share, "drill-<i>")): who shows the HMAC has the share. */
static int make_drills(const struct share *share, json_t **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *list = json_array();

	for (int i = 0; list && i < DRILLS; i++) {
		unsigned char mac[SHA256_LEN];
		char text[16], digest[SHA256_HEX_SIZE];
		int len = snprintf(text, sizeof(text), "drill-%d", i);

		if (!HMAC(EVP_sha256(), share->data, SHARE_LEN, (const unsigned char *)text,
			  (size_t)len, mac, NULL))
			return error_nomem(err);
		sha256_hex(mac, sizeof(mac), digest);
		explicit_bzero(mac, sizeof(mac));
		if (json_array_append_new(list, json_string(digest)) < 0)
			return error_nomem(err);
	}
	if (!list)
		return error_nomem(err);
	*out = steal(list);
	return 0;
}

/* Encrypt a secret to somebody, into a file of the folder. */
static int put_sealed(struct sealer *s, const char *path, const struct holder *to,
		      const struct gpg_plain *what, struct error *err)
{
	CLEANUP(buf_clear) struct buf sealed = {0};
	int r = gpg_seal(s->gpg, to->encrypt, what, &sealed, err);

	if (r < 0)
		return error_prefix(err, r, "%s", to->name);
	return put_file(s, path, &sealed, err);
}

static int put_shares(struct sealer *s, enum compartment_kind kind, const struct secrets *secrets,
		      struct error *err)
{
	struct plan *p = s->plan;
	struct sealed *sealed = &p->sealed[kind];

	for (size_t i = 0; i < p->n; i++) {
		const struct share *share = &secrets->shares[i];
		char path[FOLDER_PATH_SIZE], name[16];
		int r;

		sha256_hex(share->data, SHARE_LEN, sealed->share_sha256[i]);
		r = make_drills(share, &sealed->drills[i], err);
		if (r < 0)
			return r;
		/* Its number is nowhere else in the file, and gfcombine needs it. */
		(void)snprintf(name, sizeof(name), "share.%03d", share->number);
		folder_share(kind, p->seats[i].encrypt, path);
		r = put_sealed(s, path, &p->seats[i],
			       &(struct gpg_plain){share->data, SHARE_LEN, name}, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_payload(struct sealer *s, enum compartment_kind kind, const struct secrets *secrets,
		       struct error *err)
{
	const struct items *items = &s->plan->items[kind];
	struct sealed *sealed = &s->plan->sealed[kind];
	const struct payload_key key = {.gpg = s->gpg,
					.passphrase = secrets->passphrase,
					.progress = s->progress,
					.ctx = s->ctx};
	const unsigned char *salt = kind == COMPARTMENT_RESTRICTED ? secrets->salt : NULL;
	CLEANUP(buf_wipe) struct buf manifest = {0};
	CLEANUP(closep) int fd = -1;
	char path[FOLDER_PATH_SIZE];
	int r = 0;

	if (salt) {
		r = items_text(items, &manifest, err);
		if (r == 0)
			r = payload_salted(salt, &manifest, sealed->salted_manifest, err);
	}
	folder_payload(kind, path);
	if (r < 0)
		return r;
	fd = openat(s->dir, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, MODE_FILE);
	if (fd < 0)
		return error_errno(err, errno, "%s", path);
	r = payload_seal(items, salt, &key, fd, &sealed->payload, err);
	if (r < 0)
		return error_prefix(err, r, "%s", path);
	return list_file(s, path, sealed->payload.size, sealed->payload.sha256, err);
}

static int seal_compartment(struct sealer *s, enum compartment_kind kind, struct error *err)
{
	CLEANUP(secrets_wipe) struct secrets secrets;
	char path[FOLDER_PATH_SIZE];
	int r = make_secrets(s->plan, &secrets, err);

	if (r < 0)
		return r;
	sha256_hex(secrets.passphrase, SHARE_LEN, s->plan->sealed[kind].passphrase_sha256);
	(void)snprintf(path, sizeof(path), "%s/shares", compartment_name(kind));
	r = file_mkdir(s->dir, path, MODE_DIR, err);
	if (r == 0)
		r = put_shares(s, kind, &secrets, err);
	folder_vendor(kind, path);
	if (r == 0)
		r = put_sealed(s, path, &s->plan->vendor,
			       &(struct gpg_plain){secrets.passphrase, SHARE_LEN, "passphrase"},
			       err);
	return r < 0 ? r : put_payload(s, kind, &secrets, err);
}

static int put_certs(struct sealer *s, struct error *err)
{
	const struct plan *p = s->plan;
	char path[FOLDER_PATH_SIZE];
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->n; i++) {
		folder_cert(p->seats[i].encrypt, path);
		r = put_file(s, path, &p->seats[i].cert, err);
	}
	if (r == 0 && plan_has(p, COMPARTMENT_RESTRICTED)) {
		folder_cert(p->beneficiary.encrypt, path);
		/* A trustee may be the one to carry on. */
		if (!file_exists(s->dir, path))
			r = put_file(s, path, &p->beneficiary.cert, err);
	}
	return r;
}

static int put_howto(struct sealer *s, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = howto_write(s->plan, &text, err);

	return r < 0 ? r : put_file(s, FOLDER_HOWTO, &text, err);
}

/* An object with a member for each compartment, which `each` makes; NULL: no memory. */
static json_t *by_compartment(const struct plan *p, size_t seat,
			      json_t *(*each)(const struct plan *, enum compartment_kind, size_t))
{
	json_t *o = json_object();

	for (size_t k = 0; o && k < COMPARTMENTS; k++)
		if (plan_has(p, (enum compartment_kind)k) &&
		    json_object_set_new(o, compartment_name((enum compartment_kind)k),
					each(p, (enum compartment_kind)k, seat)) < 0) {
			json_decref(o);
			o = NULL;
		}
	return o;
}

static json_t *share_digest(const struct plan *p, enum compartment_kind k, size_t seat)
{
	return json_string(p->sealed[k].share_sha256[seat]);
}

static json_t *drill_list(const struct plan *p, enum compartment_kind k, size_t seat)
{
	return json_incref(p->sealed[k].drills[seat]);
}

static json_t *compartment(const struct plan *p, enum compartment_kind k, size_t seat)
{
	const struct sealed *s = &p->sealed[k];
	json_t *o = json_pack("{s:s, s:s, s:I, s:s}", "out",
			      k == COMPARTMENT_PUBLIC ? "public" : "undertaking", "sha256",
			      s->payload.sha256, "size", (json_int_t)s->payload.size,
			      "passphrase_sha256", s->passphrase_sha256);

	(void)seat;
	if (k == COMPARTMENT_RESTRICTED &&
	    (json_object_set_new(o, "beneficiary", json_string(p->beneficiary.encrypt)) < 0 ||
	     json_object_set_new(o, "salted_manifest", json_string(s->salted_manifest)) < 0)) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static int trustees(const struct plan *p, json_t **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *keys = json_object();
	CLEANUP(json_decrefp) json_t *seats = json_array();

	for (size_t i = 0; i < p->n; i++) {
		const struct holder *h = &p->seats[i];

		if (json_object_set(keys, h->keyid, h->key) < 0 ||
		    json_array_append_new(
			    seats, json_pack("{s:s, s:s, s:s, s:I, s:o, s:o}", "name", h->name,
					     "keyid", h->keyid, "encryption_fingerprint",
					     h->encrypt, "number", (json_int_t)i + 1, "shares",
					     by_compartment(p, i, share_digest), "drills",
					     by_compartment(p, i, drill_list))) < 0)
			return error_nomem(err);
	}
	*out = json_pack("{s:o, s:I, s:o}", "keys", steal(keys), "threshold", (json_int_t)p->k,
			 "seats", steal(seats));
	return *out ? 0 : error_nomem(err);
}

static int manifest(struct sealer *s, struct envelope **out, struct error *err)
{
	const struct plan *p = s->plan;
	CLEANUP(json_decrefp) json_t *doc = NULL;
	json_t *part = NULL;
	int r = desk_statement(ST_DEPOSIT, p->product, p->version, p->root, &doc, err);

	if (r == 0)
		r = json_put(doc, "follows_root", json_clone(json_object_get(doc, "root")), err);
	if (r == 0)
		r = json_put(doc, "bridge", json_string(envelope_id(p->bridge->doc)), err);
	if (r == 0)
		r = json_put(doc, "support_until", json_string(p->support_until), err);
	if (r == 0)
		r = json_put(doc, "refresh_by", json_string(p->refresh_by), err);
	if (r == 0)
		r = trustees(p, &part, err);
	if (r == 0)
		r = json_put(doc, "trustees", part, err);
	if (r == 0)
		r = json_put(doc, "compartments", by_compartment(p, 0, compartment), err);
	if (r == 0)
		r = items_json(&p->items[COMPARTMENT_PUBLIC], &part, err);
	if (r == 0)
		r = json_put(doc, "items", part, err);
	if (r == 0)
		r = json_put(doc, "refs", json_incref(p->refs), err);
	if (r == 0)
		r = json_put(doc, "release_policy", json_incref(p->policy), err);
	if (r == 0)
		r = json_put(doc, "files", json_incref(s->files), err);
	return r < 0 ? r : envelope_new(steal(doc), out, err);
}

int seal_folder(struct plan *p, struct gpg *gpg, int dir, const struct seal_progress *progress,
		struct envelope **out, struct error *err)
{
	CLEANUP(json_decrefp) json_t *files = json_array();
	struct sealer s = {.plan = p,
			   .gpg = gpg,
			   .dir = dir,
			   .progress = progress->fn,
			   .ctx = progress->ctx,
			   .files = files};
	int r = 0;

	if (!files)
		return error_nomem(err);
	r = file_mkdir(dir, "vendor", MODE_DIR, err);
	if (r == 0)
		r = file_mkdir(dir, "certs", MODE_DIR, err);
	for (size_t k = 0; r == 0 && k < COMPARTMENTS; k++)
		if (plan_has(p, (enum compartment_kind)k))
			r = seal_compartment(&s, (enum compartment_kind)k, err);
	if (r == 0)
		r = put_certs(&s, err);
	if (r == 0)
		r = put_howto(&s, err);
	return r < 0 ? r : manifest(&s, out, err);
}
