/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/json/strict.h"
#include "registry/open/case.h"
#include "registry/open/sharebox.h"
#include "registry/registry.h"

enum { BODY_MAX = 16 * 1024 };

/* The body of POST /v1/shares. */
struct offer {
	const char *product, *deposit, *share, *approval;
	int compartment;
	int64_t number;
};

static const char *const compartments[] = {"public", "restricted", NULL};

static const struct field fields[] = {
	{"product", FIELD_TEXT, offsetof(struct offer, product), false, 1, SHARE_PRODUCT_SIZE - 1,
	 NULL},
	{"deposit", FIELD_HEX, offsetof(struct offer, deposit), false, 0, SHA256_HEX, NULL},
	{"compartment", FIELD_NAME, offsetof(struct offer, compartment), false, 0, 0, compartments},
	{"number", FIELD_INT, offsetof(struct offer, number), false, 0, 255, NULL},
	{"share", FIELD_TEXT, offsetof(struct offer, share), false, BASE64_LEN(SHARE_LEN),
	 BASE64_LEN(SHARE_LEN), NULL},
	{"approval", FIELD_HEX, offsetof(struct offer, approval), false, 0, SHA256_HEX, NULL},
};

static const struct seat *seat_of(const struct deposit *d, int64_t number)
{
	for (size_t i = 0; i < d->nseats; i++)
		if (d->seats[i].number == number)
			return &d->seats[i];
	return NULL;
}

static int take_bytes(const struct offer *o, const char *whose, const char *want, struct share *out,
		      struct error *err)
{
	CLEANUP(buf_wipe) struct buf raw = {0};
	char digest[SHA256_HEX_SIZE];
	int r = base64_decode(o->share, strlen(o->share), &raw, err);

	if (r < 0 || raw.len != SHARE_LEN)
		return error_set(err, E_INVALID, "share %" PRId64 " (%s): want %d bytes in base64",
				 o->number, whose, SHARE_LEN);
	sha256_hex(raw.data, raw.len, digest);
	if (strcmp(digest, want) != 0)
		return error_set(err, E_INVALID,
				 "share %" PRId64 " (%s): digest does not match the manifest",
				 o->number, whose);
	memcpy(out->bytes, raw.data, SHARE_LEN);
	return 0;
}

/*
 * A share has no integrity of its own; the signed manifest has its digest. Number
 * 0, where the polynomial has the secret, is the passphrase: *seat is NULL.
 */
static int check_share(const struct deposit_case *c, const struct offer *o,
		       const struct seat **seat, struct share *out, struct error *err)
{
	const char *want = c->deposit.compartments[COMPARTMENT_PUBLIC].passphrase_sha256;
	int r;

	*seat = o->number ? seat_of(&c->deposit, o->number) : NULL;
	if (o->number && !*seat)
		return error_set(err, E_INVALID,
				 "share %" PRId64 ": the manifest has no such share", o->number);
	if (*seat)
		want = (*seat)->share_sha256[COMPARTMENT_PUBLIC];
	r = take_bytes(o, *seat ? (*seat)->name : "the vendor", want, out, err);
	if (r < 0)
		return r;
	memcpy(out->deposit, o->deposit, SHA256_HEX_SIZE);
	memcpy(out->approval, o->approval, SHA256_HEX_SIZE);
	memcpy(out->product, o->product, strlen(o->product) + 1);
	out->number = o->number;
	return 0;
}

static int reply_of(const struct deposit_case *c, int data, bool open, json_t **reply,
		    struct error *err)
{
	CLEANUP(share_list_clear) struct share_list have = {0};
	const char *id = envelope_id(c->doc);
	int64_t need = c->deposit.trustees.threshold;
	const char *state = open ? "open" : "sealed";
	int64_t n = need;
	int r = open ? 0 : sharebox_read(data, id, &have, err);

	if (r < 0)
		return r;
	if (!open) {
		n = have.n && have.list[0].number == 0 ? need : (int64_t)have.n;
		state = n >= need ? "opening" : "sealed";
	}
	*reply = json_pack("{s:s, s:I, s:I, s:s}", "deposit", id, "have", (json_int_t)n, "need",
			   (json_int_t)need, "state", state);
	return *reply ? 0 : error_nomem(err);
}

/* Everything that must hold before anything of a share is kept. */
static int judge(const struct deposit_case *c, const struct offer *o, struct share *share,
		 bool *open, struct error *err)
{
	CLEANUP(evidence_clear) struct evidence e = {0};
	const struct seat *seat;
	int r;

	if (o->compartment != COMPARTMENT_PUBLIC)
		return error_set(err, E_DENIED,
				 "only shares of the public compartment are taken here");
	r = check_share(c, o, &seat, share, err);
	if (r == 0)
		r = case_released(c, &e, err);
	if (r == 0 && seat)
		r = case_approved(c, &e.chain, seat, o->approval, err);
	else if (r == 0)
		r = case_declared(&e.chain, o->approval, err);
	if (r == 0)
		r = case_is_open(c, &e.chain, open, err);
	return r;
}

static void share_wipe(struct share *s)
{
	explicit_bzero(s, sizeof(*s));
}

/* jansson keeps its own copy of the share; overwrite it before it is freed. */
static void offer_wipe(struct offer *o)
{
	char *mine;

	if (!o->share)
		return;
	memcpy(&mine, &o->share, sizeof(mine));
	explicit_bzero(mine, strlen(mine));
}

static int take(struct registry *r, const json_t *body, json_t **reply, struct error *err)
{
	CLEANUP(offer_wipe) struct offer o = {0};
	CLEANUP(share_wipe) struct share share = {0};
	CLEANUP(case_close) struct deposit_case c = {0};
	CLEANUP(closep) int lock = -1;
	int data = registry_data_dir(r);
	bool open = false;
	int e = strict_read(body, "", fields, ARRAY_LEN(fields), STRICT_CLOSED, &o, err);

	if (e == 0)
		e = case_open(registry_public_dir(r), o.product, o.deposit, &c, err);
	/* An opening ends with `release` and then wipes: nothing may slip in between. */
	if (e == 0)
		e = file_lock(data, SHARES_LOCK, true, &lock, err);
	if (e == 0)
		e = judge(&c, &o, &share, &open, err);
	if (e == 0 && !open)
		e = sharebox_put(data, &share, err);
	return e < 0 ? e : reply_of(&c, data, open, reply, err);
}

int registry_share(struct registry *r, const void *body, size_t len, json_t **reply,
		   struct error *err)
{
	json_t *json = NULL;
	int e;

	if (len > BODY_MAX)
		return error_set(err, E_INVALID, "more than %d bytes", BODY_MAX);
	e = strict_parse(body, len, "share", &json, err);
	if (e == 0)
		e = take(r, json, reply, err);
	json_decref(json);
	return e;
}
