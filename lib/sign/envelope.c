/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sign/envelope.h"

#include <assert.h>

#include "lib/base/error.h"
#include "lib/json/canon.h"
#include "lib/json/strict.h"

enum {
	TYPE_LEN_MAX = 64,
	SPEC_VERSION_MAX = 32,
};

struct envelope {
	json_t *root;       /* the whole document */
	json_t *body;       /* its `signed`, borrowed from root */
	json_t *signatures; /* likewise */
	char *name;         /* begins error texts */
	const char *type;   /* borrowed from body */
	int64_t version;
	struct buf bytes, canonical;
	char id[SHA256_HEX_SIZE], sha256[SHA256_HEX_SIZE];
};

struct envelope_fields {
	json_t *body, *signatures;
};

static const struct field envelope_table[] = {
	{.key = "signed", .kind = FIELD_OBJECT, .offset = offsetof(struct envelope_fields, body)},
	{.key = "signatures",
	 .kind = FIELD_ARRAY,
	 .offset = offsetof(struct envelope_fields, signatures),
	 .max = SIGNATURES_MAX},
};

struct body_fields {
	const char *type, *spec_version;
	int64_t version;
};

static const struct field body_table[] = {
	{.key = "_type",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct body_fields, type),
	 .min = 1,
	 .max = TYPE_LEN_MAX},
	{.key = "spec_version",
	 .kind = FIELD_TEXT,
	 .offset = offsetof(struct body_fields, spec_version),
	 .min = 1,
	 .max = SPEC_VERSION_MAX},
	{.key = "version",
	 .kind = FIELD_INT,
	 .offset = offsetof(struct body_fields, version),
	 .min = 1,
	 .max = (INT64_C(1) << 53) - 1},
};

/* Major version 1, with or without further parts: "1.0" occurs in live repositories. */
static bool spec_version_ok(const char *text)
{
	if (text[0] != '1' || (text[1] != '.' && text[1] != '\0'))
		return false;
	for (const char *p = text + 1; *p; p++) {
		bool digit = *p >= '0' && *p <= '9';

		if (!digit && (*p != '.' || p[1] < '0' || p[1] > '9'))
			return false;
	}
	return true;
}

/* Read what every signed document has. */
static int read_body(struct envelope *e, struct error *err)
{
	struct body_fields f;
	int r = strict_read(e->body, "signed", body_table, ARRAY_LEN(body_table), STRICT_OPEN, &f,
			    err);

	if (r < 0)
		return r;
	if (strspn(f.type, "abcdefghijklmnopqrstuvwxyz0123456789-_") != strlen(f.type))
		return error_set(err, E_INVALID,
				 "signed._type: want lower-case letters, digits, '-' and '_'");
	if (!spec_version_ok(f.spec_version))
		return error_set(err, E_INVALID, "signed.spec_version: want 1.x.y, got \"%s\"",
				 f.spec_version);
	e->type = f.type;
	e->version = f.version;
	return 0;
}

static const char *signature_keyid(const json_t *signatures, size_t i)
{
	return json_string_value(json_object_get(json_array_get(signatures, i), "keyid"));
}

/* The index of the signature by this key id, or the number of signatures. */
static size_t find(const json_t *signatures, const char *keyid)
{
	size_t i = 0;

	while (i < json_array_size(signatures) &&
	       strcmp(signature_keyid(signatures, i), keyid) != 0)
		i++;
	return i;
}

static int check_signatures(const json_t *signatures, struct error *err)
{
	for (size_t i = 0; i < json_array_size(signatures); i++) {
		const char *keyid = signature_keyid(signatures, i);

		if (!keyid)
			return error_set(err, E_INVALID, "signatures[%zu].keyid: want a string", i);
		if (find(signatures, keyid) != i)
			return error_set(err, E_INVALID, "signatures[%zu].keyid: repeated", i);
	}
	return 0;
}

/* Take the document apart; `root_take` is released with the envelope. */
static int open_root(struct envelope *e, json_t *root_take, struct error *err)
{
	struct envelope_fields f;
	int r;

	e->root = root_take;
	r = strict_read(e->root, "", envelope_table, ARRAY_LEN(envelope_table), STRICT_OPEN, &f,
			err);
	if (r < 0)
		return r;
	e->body = f.body;
	e->signatures = f.signatures;
	r = read_body(e, err);
	if (r == 0)
		r = check_signatures(e->signatures, err);
	if (r == 0)
		r = canon_write(e->body, &e->canonical, err);
	if (r < 0)
		return r;
	sha256_hex(e->canonical.data, e->canonical.len, e->id);
	return 0;
}

int envelope_parse(const void *data, size_t len, const char *name, struct envelope **out,
		   struct error *err)
{
	CLEANUP(envelope_freep) struct envelope *e = calloc(1, sizeof(*e));
	json_t *root = NULL;
	int r = e ? strict_parse(data, len, name, &root, err) : error_nomem(err);

	if (r < 0)
		return r;
	r = open_root(e, root, err);
	if (r < 0)
		return error_prefix(err, r, "%s", name);
	e->name = strdup(name);
	if (!e->name)
		return error_nomem(err);
	r = buf_add(&e->bytes, data, len, err);
	if (r < 0)
		return r;
	sha256_hex(data, len, e->sha256);
	*out = steal(e);
	return 0;
}

/*
 * Write the document around `signatures` as people and git can read it: sorted
 * members, one a line. Not the canonical form, whose raw newlines are no JSON.
 */
static int write_bytes(json_t *root, json_t *signatures, struct buf *out, struct error *err)
{
	json_auto_t *copy = json_copy(root);
	CLEANUP(freep) char *text = NULL;
	int r;

	/* json_copy() leaves out what it has no memory for */
	if (!copy || json_object_size(copy) != json_object_size(root) ||
	    json_object_set(copy, "signatures", signatures) < 0)
		return error_nomem(err);
	text = json_dumps(copy, JSON_SORT_KEYS | JSON_INDENT(1));
	if (!text)
		return error_nomem(err);
	r = buf_puts(out, text, err);
	return r < 0 ? r : buf_puts(out, "\n", err);
}

/* Replace the signatures; the envelope is as it was if that fails. */
static int set_signatures(struct envelope *e, json_t *signatures, struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	int r = write_bytes(e->root, signatures, &bytes, err);

	if (r < 0)
		return r;
	if (json_object_set(e->root, "signatures", signatures) < 0)
		return error_nomem(err);
	e->signatures = signatures;
	buf_clear(&e->bytes);
	e->bytes = bytes;
	bytes = (struct buf){0};
	sha256_hex(e->bytes.data, e->bytes.len, e->sha256);
	return 0;
}

int envelope_new(json_t *signed_take, struct envelope **out, struct error *err)
{
	json_auto_t *body = signed_take;
	CLEANUP(envelope_freep) struct envelope *e = calloc(1, sizeof(*e));
	json_t *root = body ? json_pack("{s:[], s:O}", "signatures", "signed", body) : NULL;
	int r;

	if (!e || !root) {
		json_decref(root);
		return error_nomem(err);
	}
	r = open_root(e, root, err);
	if (r < 0)
		return r;
	e->name = strdup(e->type);
	if (!e->name)
		return error_nomem(err);
	r = set_signatures(e, e->signatures, err);
	if (r < 0)
		return r;
	*out = steal(e);
	return 0;
}

void envelope_free(struct envelope *e)
{
	if (!e)
		return;
	json_decref(e->root);
	buf_clear(&e->bytes);
	buf_clear(&e->canonical);
	free(e->name);
	free(e);
}

json_t *envelope_signed(const struct envelope *e)
{
	return e->body;
}

const char *envelope_type(const struct envelope *e)
{
	return e->type;
}

int64_t envelope_version(const struct envelope *e)
{
	return e->version;
}

const char *envelope_id(const struct envelope *e)
{
	return e->id;
}

const char *envelope_sha256(const struct envelope *e)
{
	return e->sha256;
}

const struct buf *envelope_bytes(const struct envelope *e)
{
	return &e->bytes;
}

const struct buf *envelope_canonical(const struct envelope *e)
{
	return &e->canonical;
}

size_t envelope_signatures(const struct envelope *e)
{
	return json_array_size(e->signatures);
}

struct signature envelope_signature(const struct envelope *e, size_t i)
{
	const json_t *object = json_array_get(e->signatures, i);
	const char *sig = json_string_value(json_object_get(object, "sig"));

	return (struct signature){
		.keyid = signature_keyid(e->signatures, i),
		.sig = sig ? sig : "",
		.other_headers = json_string_value(json_object_get(object, "other_headers")),
	};
}

/* Is there a signature under this key's own id, and does it hold? */
static bool signed_by(const struct envelope *e, const struct key *k)
{
	size_t i = find(e->signatures, key_id(k));

	if (i == json_array_size(e->signatures))
		return false;

	struct signature s = envelope_signature(e, i);
	return key_verify(k, e->canonical.data, e->canonical.len, &s);
}

size_t envelope_count(const struct envelope *e, const struct role_keys *by, uint64_t *who)
{
	uint64_t seen = 0;
	size_t count = 0;

	assert(by->n <= KEYS_MAX);
	for (size_t i = 0; i < by->n; i++)
		if (signed_by(e, by->keys[i]))
			seen |= UINT64_C(1) << i;
	for (size_t i = 0; i < by->nalso; i++) {
		uint64_t bit = UINT64_C(1) << role_keys_index(by, by->also[i]);

		if (!(seen & bit) && signed_by(e, by->also[i]))
			seen |= bit;
	}
	for (uint64_t left = seen; left; left &= left - 1)
		count++;
	if (who)
		*who = seen;
	return count;
}

int envelope_verify(const struct envelope *e, const struct role_keys *by, const char *whose,
		    struct error *err)
{
	size_t count = envelope_count(e, by, NULL);

	if (by->threshold < 1 || (uint64_t)by->threshold > count)
		return error_set(err, E_UNTRUSTED, "%s: %zu of %lld signatures of %s", e->name,
				 count, (long long)by->threshold, whose);
	return 0;
}

/* Sort by key id, so that the order in which people sign leaves no trace in the bytes. */
static json_t *sorted(const json_t *signatures)
{
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(signatures) && out; i++) {
		const char *keyid = signature_keyid(signatures, i);
		size_t at = 0;

		while (at < json_array_size(out) && strcmp(signature_keyid(out, at), keyid) < 0)
			at++;
		if (json_array_insert(out, at, json_array_get(signatures, i)) < 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

/* Add those of `more` to the envelope; `replace` says who wins if both have one. */
static int add_all(struct envelope *e, const json_t *more, bool replace, struct error *err)
{
	json_auto_t *all = json_copy(e->signatures);
	json_auto_t *ordered = NULL;

	if (!all || json_array_size(all) != json_array_size(e->signatures))
		return error_nomem(err);
	for (size_t i = 0; i < json_array_size(more); i++) {
		json_t *s = json_array_get(more, i);
		size_t at = find(all, signature_keyid(more, i));
		int failed = 0;

		if (at == json_array_size(all))
			failed = json_array_append(all, s);
		else if (replace)
			failed = json_array_set(all, at, s);
		if (failed)
			return error_nomem(err);
	}
	if (json_array_size(all) > SIGNATURES_MAX)
		return error_set(err, E_INVALID, "%s: more than %d signatures", e->name,
				 SIGNATURES_MAX);
	ordered = sorted(all);
	return ordered ? set_signatures(e, ordered, err) : error_nomem(err);
}

int envelope_add(struct envelope *e, json_t *signature, struct error *err)
{
	json_auto_t *one = json_pack("[O]", signature);
	int r = one ? check_signatures(one, err) : error_nomem(err);

	return r < 0 ? r : add_all(e, one, true, err);
}

int envelope_merge(struct envelope *e, const struct envelope *from, struct error *err)
{
	if (strcmp(e->id, from->id) != 0)
		return error_set(err, E_INVALID, "%s: not the same document as %s", from->name,
				 e->name);
	return add_all(e, from->signatures, false, err);
}

/* Is signature `i` by one of these keys, under its own id, and does it hold? */
static bool counts(const struct envelope *e, size_t i, const struct role_keys *by)
{
	struct signature s = envelope_signature(e, i);

	for (size_t k = 0; k < by->n + by->nalso; k++) {
		const struct key *key = k < by->n ? by->keys[k] : by->also[k - by->n];

		if (strcmp(key_id(key), s.keyid) == 0)
			return key_verify(key, e->canonical.data, e->canonical.len, &s);
	}
	return false;
}

int envelope_merge_counting(struct envelope *e, const struct envelope *from,
			    const struct role_keys *by, struct error *err)
{
	json_auto_t *taken = json_array();

	if (strcmp(e->id, from->id) != 0)
		return error_set(err, E_INVALID, "%s: not the same document as %s", from->name,
				 e->name);
	for (size_t i = 0; taken && i < json_array_size(from->signatures); i++) {
		size_t at = find(e->signatures, signature_keyid(from->signatures, i));

		if (!counts(from, i, by) ||
		    (at < json_array_size(e->signatures) && counts(e, at, by)))
			continue;
		if (json_array_append(taken, json_array_get(from->signatures, i)) < 0)
			return error_nomem(err);
	}
	return taken ? add_all(e, taken, true, err) : error_nomem(err);
}
