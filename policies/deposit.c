/* SPDX-License-Identifier: Apache-2.0 */
#include "policies/deposit.h"

#include <ctype.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/json/strict.h"
#include "policies/policy.h"

enum {
	TEXT_MAX = 1024,
	FPR = 40,    /* hex digits of an OpenPGP fingerprint */
	GIT_ID = 40, /* hex digits of a commit */
	SHARE_MAX = 255,
	SEATS_MIN = 3, /* fewer cannot have 2 <= k < n */
	DRILLS = 64,
	LIST_MAX = 4096, /* items, refs, files */
	WHERE_SIZE = 96,
	PATH_SIZE = 96, /* of the paths that a manifest must list */
};

static const char *const names[COMPARTMENTS] = {"public", "restricted"};
static const char *const outs[] = {"public", "undertaking", NULL};

#define HEX(k, at, digits, opt) \
	{ \
		.key = (k), .kind = FIELD_HEX, .offset = (at), .optional = (opt), .max = (digits) \
	}
#define OBJECT(k, at, opt) \
	{ \
		.key = (k), .kind = FIELD_OBJECT, .offset = (at), .optional = (opt), \
		.max = LIST_MAX \
	}
#define OPEN(a) \
	&(const struct field_table) \
	{ \
		(a), ARRAY_LEN(a), STRICT_OPEN \
	}

/* The parts that are read in a second step. */
struct reading {
	json_t *follows, *trustees, *compartments, *items, *refs, *policy, *files;
	int64_t support_until, refresh_by;
};

const char *compartment_name(enum compartment_kind k)
{
	return names[k];
}

static int read_follows(const json_t *src, struct deposit *d, struct error *err)
{
	static const struct field fields[] = {
		{.key = "version",
		 .kind = FIELD_INT,
		 .min = 1,
		 .max = INT32_MAX,
		 .offset = offsetof(struct deposit, follows_version)},
		HEX("id", offsetof(struct deposit, follows_id), SHA256_HEX, false),
	};
	int r = strict_read_table(src, "signed.follows_root", OPEN(fields), d, err);

	if (r < 0)
		return r;
	if (d->follows_version != d->head.root_version ||
	    strcmp(d->follows_id, d->head.root_id) != 0)
		return error_set(err, E_INVALID,
				 "signed.follows_root: want the root in signed.root");
	return 0;
}

static int read_compartment(const json_t *src, enum compartment_kind kind, struct compartment *c,
			    struct error *err)
{
	struct {
		struct compartment c;
		int out;
	} v = {.c = {.present = true}};
	const struct field fields[] = {
		{"out", FIELD_NAME, offsetof(__typeof__(v), out), false, 0, 0, outs},
		HEX("beneficiary", offsetof(__typeof__(v), c.beneficiary), FPR, true),
		HEX("sha256", offsetof(__typeof__(v), c.sha256), SHA256_HEX, false),
		{"size", FIELD_INT, offsetof(__typeof__(v), c.size), false, 0, 0, NULL},
		HEX("passphrase_sha256", offsetof(__typeof__(v), c.passphrase_sha256), SHA256_HEX,
		    false),
		HEX("salted_manifest", offsetof(__typeof__(v), c.salted_manifest), SHA256_HEX,
		    kind == COMPARTMENT_PUBLIC),
	};
	char where[WHERE_SIZE];

	(void)snprintf(where, sizeof(where), "signed.compartments.%s", names[kind]);
	int r = strict_read_table(src, where, OPEN(fields), &v, err);
	if (r < 0)
		return r;
	v.c.out = outs[v.out];
	if ((v.out == 1) != (v.c.beneficiary != NULL))
		return error_set(err, E_INVALID,
				 "%s.beneficiary: want one exactly for out \"undertaking\"", where);
	*c = v.c;
	return 0;
}

static int read_compartments(const json_t *src, struct deposit *d, struct error *err)
{
	for (size_t k = 0; k < COMPARTMENTS; k++) {
		const json_t *c = json_object_get(src, names[k]);

		/* The bridge is in the public one, so there is no deposit without it. */
		if (!c && k != COMPARTMENT_PUBLIC)
			continue;
		int r = read_compartment(c, (enum compartment_kind)k, &d->compartments[k], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_shares(const json_t *shares, const json_t *drills, const char *where,
		       struct deposit *d, struct error *err)
{
	struct seat *s = &d->seats[d->nseats];

	for (size_t k = 0; k < COMPARTMENTS; k++) {
		if (!d->compartments[k].present)
			continue;
		s->share_sha256[k] = json_string_value(json_object_get(shares, names[k]));
		if (!hex_is(s->share_sha256[k], SHA256_HEX))
			return error_set(err, E_INVALID,
					 "%s.shares.%s: want %d lower-case hex digits", where,
					 names[k], SHA256_HEX);
		s->drills[k] = json_object_get(drills, names[k]);
		if (!s->drills[k])
			continue;
		size_t n = json_array_size(s->drills[k]);
		for (size_t i = 0; n == DRILLS && i < n; i++)
			if (!hex_is(json_string_value(json_array_get(s->drills[k], i)), SHA256_HEX))
				n = 0;
		if (n != DRILLS)
			return error_set(err, E_INVALID, "%s.drills.%s: want %d digests", where,
					 names[k], DRILLS);
	}
	return 0;
}

static int read_seat(const json_t *src, const json_t *keys, struct deposit *d, struct error *err)
{
	struct {
		struct seat s;
		json_t *shares, *drills;
	} v = {0};
	static const struct field fields[] = {
		{"name", FIELD_TEXT, offsetof(__typeof__(v), s.name), false, 1, TEXT_MAX, NULL},
		{"keyid", FIELD_TEXT, offsetof(__typeof__(v), s.keyid), false, 1, KEYID_MAX, NULL},
		HEX("encryption_fingerprint", offsetof(__typeof__(v), s.encryption_fpr), FPR,
		    false),
		{"number", FIELD_INT, offsetof(__typeof__(v), s.number), false, 1, SHARE_MAX, NULL},
		OBJECT("shares", offsetof(__typeof__(v), shares), false),
		OBJECT("drills", offsetof(__typeof__(v), drills), true),
	};
	char where[WHERE_SIZE];

	(void)snprintf(where, sizeof(where), "signed.trustees.seats[%zu]", d->nseats);
	int r = strict_read_table(src, where, OPEN(fields), &v, err);
	if (r < 0)
		return r;
	if (!json_object_get(keys, v.s.keyid))
		return error_set(err, E_INVALID, "%s.keyid: is not in signed.trustees.keys", where);
	for (size_t i = 0; i < d->nseats; i++)
		if (strcmp(d->seats[i].name, v.s.name) == 0 ||
		    strcmp(d->seats[i].keyid, v.s.keyid) == 0 ||
		    strcmp(d->seats[i].encryption_fpr, v.s.encryption_fpr) == 0 ||
		    d->seats[i].number == v.s.number)
			return error_set(err, E_INVALID,
					 "%s: repeats name, key, fingerprint or number of seat %zu",
					 where, i);
	d->seats[d->nseats] = v.s;
	r = read_shares(v.shares, v.drills, where, d, err);
	d->nseats++;
	return r;
}

static int read_trustees(const json_t *src, struct deposit *d, struct error *err)
{
	struct {
		json_t *keys, *seats;
		int64_t threshold;
	} v = {0};
	const struct field lists[] = {
		{"keys", FIELD_OBJECT, offsetof(__typeof__(v), keys), false, SEATS_MIN, SEATS_MAX,
		 NULL},
		{"seats", FIELD_ARRAY, offsetof(__typeof__(v), seats), false, SEATS_MIN, SEATS_MAX,
		 NULL},
	};
	const char *where = "signed.trustees";
	json_t *seat;
	size_t i;

	int r = strict_read_table(src, where, OPEN(lists), &v, err);
	if (r < 0)
		return r;
	/* k = 1 would be one person's decision, and k = n one person's veto. */
	const struct field threshold[] = {
		{"threshold", FIELD_INT, offsetof(__typeof__(v), threshold), false, 2,
		 (int64_t)json_array_size(v.seats) - 1, NULL},
	};
	r = strict_read_table(src, where, OPEN(threshold), &v, err);
	if (r < 0)
		return r;
	r = role_keys_parse(v.keys, NULL, v.threshold, "signed.trustees", &d->trustees, err);
	if (r < 0)
		return r;
	if (json_array_size(v.seats) != json_object_size(v.keys) ||
	    d->trustees.n != json_object_size(v.keys))
		return error_set(err, E_INVALID,
				 "signed.trustees: want as many seats as different keys");
	json_array_foreach(v.seats, i, seat)
	{
		r = read_seat(seat, v.keys, d, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Would a folder on the way to `path` be one of the files? */
static bool below_a_file(const json_t *seen, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
		if (json_object_getn(seen, path, (size_t)(slash - path)))
			return true;
	return false;
}

/* All of them have to fit into one folder. */
static int check_tree(json_t *seen, const char *key, struct error *err)
{
	const char *path;
	json_t *file;

	json_object_foreach(seen, path, file)
	{
		if (below_a_file(seen, path))
			return error_set(err, E_INVALID, "signed.%s: \"%.80s\" lies below a file",
					 key, path);
	}
	return 0;
}

/* What the registry itself puts beside the files: the manifest, and what was opened. */
static bool is_taken(const char *path)
{
	static const char *const own[] = {"deposit.json", "open"};
	size_t len = strcspn(path, "/");

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (strlen(own[i]) == len && strncmp(path, own[i], len) == 0)
			return true;
	return false;
}

/* {"path", "size", "sha256"}, with a path that is not in `seen` yet. */
static int read_file(json_t *src, const char *where, json_t *seen, struct deposit_file *out,
		     struct error *err)
{
	static const struct field fields[] = {
		{.key = "path",
		 .kind = FIELD_TEXT,
		 .min = 1,
		 .max = TEXT_MAX,
		 .offset = offsetof(struct deposit_file, path)},
		{.key = "size", .kind = FIELD_INT, .offset = offsetof(struct deposit_file, size)},
		HEX("sha256", offsetof(struct deposit_file, sha256), SHA256_HEX, false),
	};
	int r = strict_read_table(src, where, OPEN(fields), out, err);

	if (r < 0)
		return r;
	if (!file_path_ok(out->path))
		return error_set(err, E_INVALID, "%s.path: want a path below the folder", where);
	if (json_object_get(seen, out->path))
		return error_set(err, E_INVALID, "%s.path: repeats \"%.80s\"", where, out->path);
	return json_object_set(seen, out->path, src) < 0 ? error_nomem(err) : 0;
}

/* `files` NULL: only check them. `seen` gets each entry under its path. */
static int read_files(const json_t *src, const char *key, json_t *seen, struct deposit_file *files,
		      struct error *err)
{
	json_t *entry;
	size_t i;

	json_array_foreach(src, i, entry)
	{
		struct deposit_file f = {0};
		char where[WHERE_SIZE];

		(void)snprintf(where, sizeof(where), "signed.%s[%zu]", key, i);
		int r = read_file(entry, where, seen, &f, err);
		if (r < 0)
			return r;
		if (files && is_taken(f.path))
			return error_set(err, E_INVALID, "%s.path: \"%.80s\" is not for a file",
					 where, f.path);
		if (files)
			files[i] = f;
	}
	return check_tree(seen, key, err);
}

/* `file` may be NULL; if not, it was read before. */
static bool payload_is(const json_t *file, const struct compartment *c)
{
	const char *digest = json_string_value(json_object_get(file, "sha256"));

	return digest && strcmp(digest, c->sha256) == 0 &&
	       json_integer_value(json_object_get(file, "size")) == c->size;
}

/* Without its payload, or without a trustee's share, a deposit would be kept for nothing. */
static int check_listed(const struct deposit *d, const json_t *seen, struct error *err)
{
	for (size_t k = 0; k < COMPARTMENTS; k++) {
		const struct compartment *c = &d->compartments[k];
		char path[PATH_SIZE];

		if (!c->present)
			continue;
		(void)snprintf(path, sizeof(path), "%s/payload.tar.gpg", names[k]);
		if (!payload_is(json_object_get(seen, path), c))
			return error_set(err, E_INVALID,
					 "signed.files: want %s with the digest and size in "
					 "compartments",
					 path);
		for (size_t i = 0; i < d->nseats; i++) {
			char fpr[FPR + 1];

			for (size_t j = 0; j <= FPR; j++)
				fpr[j] =
					(char)toupper((unsigned char)d->seats[i].encryption_fpr[j]);
			(void)snprintf(path, sizeof(path), "%s/shares/%s.gpg", names[k], fpr);
			if (!json_object_get(seen, path))
				return error_set(err, E_INVALID, "signed.files: want %s", path);
		}
	}
	return 0;
}

static int read_lists(const struct reading *v, struct deposit *d, struct error *err)
{
	CLEANUP(json_decrefp) json_t *items = json_object();
	CLEANUP(json_decrefp) json_t *files = json_object();

	d->nfiles = json_array_size(v->files);
	d->files = calloc(d->nfiles + 1, sizeof(*d->files));
	if (!items || !files || !d->files)
		return error_nomem(err);
	d->items = v->items;
	int r = read_files(v->items, "items", items, NULL, err);
	if (r == 0)
		r = read_files(v->files, "files", files, d->files, err);
	return r < 0 ? r : check_listed(d, files, err);
}

static int read_refs(json_t *src, struct deposit *d, struct error *err)
{
	struct {
		const char *commit, *swhid;
	} v;
	static const struct field fields[] = {
		HEX("commit", offsetof(__typeof__(v), commit), GIT_ID, false),
		{"swhid", FIELD_TEXT, offsetof(__typeof__(v), swhid), true, 1, TEXT_MAX, NULL},
	};
	const char *name;
	json_t *ref;

	d->refs = src;
	json_object_foreach(src, name, ref)
	{
		char where[TEXT_MAX];

		if (strlen(name) > TEXT_MAX / 2 ||
		    (strncmp(name, "refs/", strlen("refs/")) != 0 && strcmp(name, "HEAD") != 0) ||
		    !file_path_ok(name))
			return error_set(err, E_INVALID, "signed.refs: \"%.80s\" is no ref name",
					 name);
		(void)snprintf(where, sizeof(where), "signed.refs.%s", name);
		int r = strict_read_table(ref, where, OPEN(fields), &v, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_body(const struct envelope *doc, struct deposit *d, struct error *err)
{
	static const struct field fields[] = {
		OBJECT("follows_root", offsetof(struct reading, follows), false),
		{.key = "support_until",
		 .kind = FIELD_TIME,
		 .offset = offsetof(struct reading, support_until)},
		{.key = "refresh_by",
		 .kind = FIELD_TIME,
		 .offset = offsetof(struct reading, refresh_by)},
		OBJECT("trustees", offsetof(struct reading, trustees), false),
		OBJECT("compartments", offsetof(struct reading, compartments), false),
		{.key = "items",
		 .kind = FIELD_ARRAY,
		 .max = LIST_MAX,
		 .offset = offsetof(struct reading, items)},
		OBJECT("refs", offsetof(struct reading, refs), false),
		OBJECT("release_policy", offsetof(struct reading, policy), false),
		{.key = "files",
		 .kind = FIELD_ARRAY,
		 .max = LIST_MAX,
		 .offset = offsetof(struct reading, files)},
	};
	struct reading v = {0};
	int r = strict_read_table(envelope_signed(doc), "signed", OPEN(fields), &v, err);

	if (r < 0)
		return r;
	d->support_until = v.support_until;
	d->refresh_by = v.refresh_by;
	r = read_follows(v.follows, d, err);
	if (r == 0)
		r = read_compartments(v.compartments, d, err);
	if (r == 0)
		r = read_trustees(v.trustees, d, err);
	if (r == 0)
		r = read_lists(&v, d, err);
	if (r == 0)
		r = read_refs(v.refs, d, err);
	if (r == 0)
		r = policy_parse(v.policy, "signed.release_policy", &d->release_policy, err);
	return r;
}

int deposit_read(const struct envelope *doc, const char *name, struct deposit *out,
		 struct error *err)
{
	struct deposit d = {0};
	int r = statement_read(doc, name, &d.head, err);

	if (r < 0)
		return r;
	if (d.head.type != ST_DEPOSIT)
		return error_set(err, E_INVALID, "%s: signed._type: want \"deposit\", got \"%s\"",
				 name, statement_name(d.head.type));
	d.bridge = d.head.bridge;
	r = read_body(doc, &d, err);
	if (r < 0) {
		deposit_clear(&d);
		return error_prefix(err, r, "%s", name);
	}
	*out = d;
	return 0;
}

void deposit_clear(struct deposit *d)
{
	role_keys_clear(&d->trustees);
	free(d->files);
	policy_free(d->release_policy);
	*d = (struct deposit){0};
}

uint64_t deposit_signers(const struct deposit *d, const struct envelope *doc)
{
	uint64_t keys = 0, seats = 0;

	(void)envelope_count(doc, &d->trustees, &keys);
	for (size_t i = 0; i < d->nseats; i++)
		for (size_t k = 0; k < d->trustees.n; k++)
			if ((keys >> k & 1) &&
			    strcmp(key_id(d->trustees.keys[k]), d->seats[i].keyid) == 0)
				seats |= UINT64_C(1) << i;
	return seats;
}

const struct seat *deposit_signer(const struct deposit *d, const struct envelope *doc)
{
	uint64_t seats = deposit_signers(d, doc);

	for (size_t i = 0; i < d->nseats; i++)
		if (seats >> i & 1)
			return &d->seats[i];
	return NULL;
}

const char *deposit_differs(const struct envelope *first, const struct envelope *later)
{
	static const char *const fixed[] = {"bridge", "release_policy"};
	const json_t *was = json_object_get(envelope_signed(first), "trustees"),
		     *is = json_object_get(envelope_signed(later), "trustees");

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (!json_equal(json_object_get(envelope_signed(first), fixed[i]),
				json_object_get(envelope_signed(later), fixed[i])))
			return fixed[i];
	if (!json_equal(json_object_get(was, "threshold"), json_object_get(is, "threshold")))
		return "trustees.threshold";
	return json_equal(json_object_get(was, "keys"), json_object_get(is, "keys"))
		       ? NULL
		       : "trustees.keys";
}
