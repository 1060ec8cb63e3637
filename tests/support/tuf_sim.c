/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tuf_sim.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "lib/tuf/repo.h"

#define SIM_START INT64_C(1893456000) /* 2030-01-01T00:00:00Z */

static void check(int r, const struct error *err)
{
	if (r == 0)
		return;
	(void)fprintf(stderr, "tuf_sim: %s\n", err->text);
	abort();
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "tuf_sim: %s\n", what);
	abort();
}

/* --- files --------------------------------------------------------------- */

static struct sim_file *find(struct sim_files *files, const char *name)
{
	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->list[i].name, name) == 0)
			return &files->list[i];
	return NULL;
}

static int put(struct sim_files *files, const char *name, const void *data, size_t len,
	       struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct sim_file *f = find(files, name);
	int r = buf_add(&bytes, data, len, err);

	if (r < 0)
		return r;
	if (!f) {
		struct sim_file *list = realloc(files->list, (files->n + 1) * sizeof(*list));
		char *copy = strdup(name);

		if (list)
			files->list = list;
		if (!list || !copy) {
			free(copy);
			return error_nomem(err);
		}
		f = &list[files->n++];
		*f = (struct sim_file){.name = copy};
	}
	buf_clear(&f->bytes);
	f->bytes = bytes;
	bytes = (struct buf){0};
	return 0;
}

void sim_put(struct sim_files *files, const char *name, const void *data, size_t len)
{
	struct error err = {0};

	check(put(files, name, data, len, &err), &err);
}

void sim_put_copy(struct tuf_sim *s, const char *name, const char *from)
{
	struct sim_file *f = find(&s->remote, from);
	CLEANUP(buf_clear) struct buf copy = {0};
	struct error err = {0};

	must(f, from);
	check(buf_add(&copy, f->bytes.data, f->bytes.len, &err), &err);
	sim_put(&s->remote, name, copy.data, copy.len);
}

void sim_forget(struct sim_files *files, const char *name)
{
	struct sim_file *f = find(files, name);

	if (!f)
		return;
	buf_clear(&f->bytes);
	free(f->name);
	*f = files->list[--files->n];
}

struct sim_file *sim_remote(struct tuf_sim *s, const char *name)
{
	return find(&s->remote, name);
}

json_t *sim_take(struct tuf_sim *s, const char *name)
{
	const struct buf *b = &sim_remote(s, name)->bytes;
	json_t *doc = json_loadb(b->data, b->len, 0, NULL);

	must(doc, name);
	return doc;
}

void sim_replace(struct tuf_sim *s, const char *name, json_t *doc_take)
{
	char *text = json_dumps(doc_take, 0);

	must(text, name);
	sim_put(&s->remote, name, text, strlen(text));
	free(text);
	json_decref(doc_take);
}

struct sim_file *sim_local(struct tuf_sim *s, const char *name)
{
	return find(&s->local, name);
}

static int read_file(struct sim_files *files, const char *name, struct buf *out, struct error *err)
{
	struct sim_file *f = find(files, name);

	if (!f)
		return error_set(err, E_NOTFOUND, "%s: not there", name);
	if (f->fail)
		return error_set(err, f->fail, "%s: fails on demand", name);
	return buf_add(out, f->bytes.data, f->bytes.len, err);
}

/* Gives one byte more than allowed of what is longer: the client has to notice. */
static int io_fetch(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	struct tuf_sim *s = ctx;
	size_t start = out->len;
	int r = buf_printf(&s->requests, err, "%s%s", s->requests.len ? " " : "", name);

	if (r == 0)
		r = read_file(&s->remote, name, out, err);
	if (r == 0 && out->len - start > max + 1)
		out->len = start + max + 1;
	return r;
}

static int io_load(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	struct tuf_sim *s = ctx;
	size_t start = out->len;
	int r = read_file(&s->local, name, out, err);

	if (r == 0 && out->len - start > max)
		return error_set(err, E_INVALID, "%s: larger than %zu bytes", name, max);
	return r;
}

static int io_save(void *ctx, const char *name, const void *data, size_t len, struct error *err)
{
	struct tuf_sim *s = ctx;
	struct sim_file *f = find(&s->local, name);

	if (f && f->fail)
		return error_set(err, f->fail, "%s: fails on demand", name);
	return put(&s->local, name, data, len, err);
}

struct tuf_io sim_io(struct tuf_sim *s)
{
	return (struct tuf_io){.ctx = s, .fetch = io_fetch, .load = io_load, .save = io_save};
}

const char *sim_requests(struct tuf_sim *s)
{
	buf_clear(&s->told);
	s->told = s->requests;
	s->requests = (struct buf){0};
	return s->told.data ? s->told.data : "";
}

/* --- roles --------------------------------------------------------------- */

struct sim_role *sim_role(struct tuf_sim *s, const char *name)
{
	for (size_t i = 0; i < s->nroles; i++)
		if (strcmp(s->roles[i]->name, name) == 0)
			return s->roles[i];
	must(false, name);
	return NULL;
}

int64_t sim_version(const struct sim_role *role)
{
	return json_integer_value(json_object_get(role->body, "version"));
}

void sim_set_version(struct sim_role *role, int64_t version)
{
	must(json_object_set_new(role->body, "version", json_integer(version)) == 0, "no memory");
}

void sim_set_expiry(struct sim_role *role, int64_t at)
{
	char text[UTC_SIZE];

	utc_format(at, text);
	must(json_object_set_new(role->body, "expires", json_string(text)) == 0, "no memory");
}

void sim_document(const struct sim_role *role, struct buf *out)
{
	CLEANUP(envelope_freep) struct envelope *e = NULL;
	struct error err = {0};

	check(envelope_new(json_deep_copy(role->body), &e, &err), &err);
	for (size_t i = 0; i < role->nsigners; i++)
		check(signer_sign_envelope(role->signers[i], e, &err), &err);
	check(buf_add(out, envelope_bytes(e)->data, envelope_bytes(e)->len, &err), &err);
}

static void write_role(const struct tuf_sim *s, const struct sim_role *role, struct buf *out)
{
	if (s->write)
		must(s->write(role->body, role->signers, role->nsigners, out), role->name);
	else
		sim_document(role, out);
}

static void note(struct tuf_sim *s, enum tuf_type by, const struct sim_role *role,
		 const struct buf *bytes)
{
	json_t *body = s->roles[by]->body;
	CLEANUP(buf_clear) struct buf file = {0};
	struct error err = {0};
	json_t *entry;

	check(buf_printf(&file, &err, "%s.json", role->name), &err);
	check(repo_meta_set(body, file.data, sim_version(role), bytes->data, bytes->len, &err),
	      &err);
	entry = json_object_get(json_object_get(body, "meta"), file.data);
	if (!s->listing_hashes) {
		(void)json_object_del(entry, "length");
		(void)json_object_del(entry, "hashes");
	}
}

void sim_publish(struct tuf_sim *s, const char *name)
{
	const struct sim_role *role = sim_role(s, name);
	bool consistent =
		json_is_true(json_object_get(s->roles[TUF_ROOT]->body, "consistent_snapshot"));
	CLEANUP(buf_clear) struct buf bytes = {0};
	CLEANUP(buf_clear) struct buf file = {0};
	CLEANUP(freep) char *quoted = NULL;
	struct error err = {0};

	write_role(s, role, &bytes);
	check(tuf_quote(name, false, &quoted, &err), &err);
	if (role->type == TUF_ROOT || (consistent && role->type != TUF_TIMESTAMP))
		check(buf_printf(&file, &err, "%" PRId64 ".", sim_version(role)), &err);
	check(buf_printf(&file, &err, "%s.json", quoted), &err);
	sim_put(&s->remote, file.data, bytes.data, bytes.len);
	if (role->type == TUF_TARGETS)
		note(s, TUF_SNAPSHOT, role, &bytes);
	if (role->type == TUF_SNAPSHOT)
		note(s, TUF_TIMESTAMP, role, &bytes);
}

void sim_bump(struct tuf_sim *s, const char *name)
{
	struct sim_role *role = sim_role(s, name);

	sim_set_version(role, sim_version(role) + 1);
	sim_publish(s, name);
}

void sim_release(struct tuf_sim *s, const char *name)
{
	sim_bump(s, name);
	if (strcmp(name, "snapshot") != 0 && strcmp(name, "timestamp") != 0)
		sim_bump(s, "snapshot");
	if (strcmp(name, "timestamp") != 0)
		sim_bump(s, "timestamp");
}

static struct signer *new_signer(const char *kind)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	struct signer *signer = NULL;
	struct error err = {0};

	check(signer_generate(kind, &pem, &err), &err);
	check(signer_from_pem(pem.data, pem.len, &signer, &err), &err);
	return signer;
}

/* A signer more for the role; its key is for the caller to list. */
static const struct key *add_signer(struct sim_role *role, const char *kind)
{
	must(role->nsigners < SIM_SIGNERS_MAX, "too many signers");
	role->signers[role->nsigners] = new_signer(kind);
	return signer_key(role->signers[role->nsigners++]);
}

void sim_drop_signer(struct sim_role *role, size_t i)
{
	if (i >= role->lent)
		signer_free(role->signers[i]);
	else
		role->lent--;
	role->nsigners--;
	memmove(&role->signers[i], &role->signers[i + 1],
		(role->nsigners - i) * sizeof(role->signers[0]));
}

void sim_add_stranger(struct sim_role *role)
{
	(void)add_signer(role, "ed25519");
}

void sim_add_key(struct tuf_sim *s, const char *name, const char *kind)
{
	struct sim_role *role = sim_role(s, name);
	const struct key *key = add_signer(role, kind);
	struct error err = {0};

	check(repo_root_add_key(s->roles[TUF_ROOT]->body, role->type, key_id(key), key_object(key),
				&err),
	      &err);
}

void sim_rotate(struct tuf_sim *s, const char *name)
{
	struct sim_role *role = sim_role(s, name);
	struct error err = {0};

	check(repo_root_clear_role(s->roles[TUF_ROOT]->body, role->type, &err), &err);
	if (role->type != TUF_ROOT) /* the next root is signed by the old keys, too */
		while (role->nsigners)
			sim_drop_signer(role, 0);
	sim_add_key(s, name, "ed25519");
}

static struct sim_role *add_role(struct tuf_sim *s, enum tuf_type type, const char *name)
{
	struct sim_role *role = calloc(1, sizeof(*role));
	struct error err = {0};

	must(role && s->nroles < SIM_ROLES_MAX, "too many roles");
	role->name = strdup(name);
	role->type = type;
	check(repo_signed_new(type, NULL, 1, s->now, &role->body, &err), &err);
	sim_set_expiry(role, s->now + (int64_t)TUF_ROOT_DAYS * DAY_S);
	s->roles[s->nroles++] = role;
	return role;
}

void sim_target(struct tuf_sim *s, const char *role, const char *path, const char *content)
{
	char hash[SHA256_HEX_SIZE];
	struct error err = {0};

	sha256_hex(content, strlen(content), hash);
	check(repo_targets_add(sim_role(s, role)->body, path, (int64_t)strlen(content), hash, NULL,
			       &err),
	      &err);
}

struct sim_role *sim_delegate(struct tuf_sim *s, const char *from, const char *name,
			      const char *patterns, bool terminating)
{
	CLEANUP(json_decrefp) json_t *paths = json_array();
	CLEANUP(json_decrefp) json_t *any = json_pack("[s]", "*");
	json_t *body = sim_role(s, from)->body, *roles, *entry;
	struct sim_role *role = add_role(s, TUF_TARGETS, name);
	const struct key *key = add_signer(role, "ed25519");
	struct error err = {0};

	for (const char *p = patterns; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ','))
		must(json_array_append_new(paths, json_stringn(p, strcspn(p, ","))) == 0,
		     "no memory");
	/* the patterns are the test's, whatever the editor thinks of them */
	check(repo_delegate(body, name, any, 1, &err), &err);
	check(repo_delegate_key(body, name, key_id(key), key_object(key), &err), &err);
	roles = json_object_get(json_object_get(body, "delegations"), "roles");
	entry = json_array_get(roles, json_array_size(roles) - 1);
	must(json_object_set_new(entry, "terminating", json_boolean(terminating)) == 0 &&
		     json_object_set(entry, "paths", paths) == 0,
	     "no memory");
	return role;
}

/* --- the whole ----------------------------------------------------------- */

struct tuf_sim *sim_new(void)
{
	struct tuf_sim *s = calloc(1, sizeof(*s));

	must(s, "no memory");
	s->now = SIM_START;
	s->listing_hashes = true;
	for (int t = 0; t < TUF_TYPES; t++)
		(void)add_role(s, (enum tuf_type)t, tuf_type_name((enum tuf_type)t));
	for (int t = 0; t < TUF_TYPES; t++)
		sim_add_key(s, tuf_type_name((enum tuf_type)t), "ed25519");
	sim_publish(s, "root");
	sim_publish(s, "targets");
	sim_publish(s, "snapshot");
	sim_publish(s, "timestamp");

	struct sim_file *root = sim_remote(s, "1.root.json");
	sim_put(&s->local, "root.json", root->bytes.data, root->bytes.len);
	return s;
}

static void copy_files(struct sim_files *to, const struct sim_files *from)
{
	to->list = calloc(from->n, sizeof(*to->list));
	must(to->list || !from->n, "no memory");
	for (size_t i = 0; i < from->n; i++) {
		const struct sim_file *f = &from->list[i];
		struct sim_file *copy = &to->list[to->n++];
		struct error err = {0};

		*copy = (struct sim_file){.name = strdup(f->name), .fail = f->fail};
		must(copy->name, "no memory");
		check(buf_add(&copy->bytes, f->bytes.data, f->bytes.len, &err), &err);
	}
}

struct tuf_sim *sim_copy(const struct tuf_sim *of)
{
	struct tuf_sim *s = calloc(1, sizeof(*s));

	must(s, "no memory");
	s->now = of->now;
	s->write = of->write;
	s->listing_hashes = of->listing_hashes;
	s->o = of->o;
	for (; s->nroles < of->nroles; s->nroles++) {
		struct sim_role *role = calloc(1, sizeof(*role));

		must(role, "no memory");
		*role = *of->roles[s->nroles];
		role->name = strdup(role->name);
		role->body = json_deep_copy(role->body);
		must(role->name && role->body, "no memory");
		role->lent = role->nsigners;
		s->roles[s->nroles] = role;
	}
	copy_files(&s->remote, &of->remote);
	copy_files(&s->local, &of->local);
	return s;
}

static void files_clear(struct sim_files *files)
{
	while (files->n)
		sim_forget(files, files->list[0].name);
	free(files->list);
}

void sim_free(struct tuf_sim *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nroles; i++) {
		while (s->roles[i]->nsigners)
			sim_drop_signer(s->roles[i], 0);
		json_decref(s->roles[i]->body);
		free(s->roles[i]->name);
		free(s->roles[i]);
	}
	files_clear(&s->remote);
	files_clear(&s->local);
	buf_clear(&s->requests);
	buf_clear(&s->told);
	free(s);
}

static int open_and_refresh(struct tuf_sim *s, struct tuf **out, struct error *err)
{
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	struct tuf_io io = sim_io(s);
	struct tuf_options o = s->o;
	int r;

	o.now = s->now;
	r = tuf_open(&io, &o, &t, err);
	if (r == 0)
		r = tuf_refresh(t, err);
	if (r == 0)
		*out = steal(t);
	return r;
}

int sim_refresh(struct tuf_sim *s, struct error *err)
{
	CLEANUP(tuf_closep) struct tuf *t = NULL;

	return open_and_refresh(s, &t, err);
}

int sim_find(struct tuf_sim *s, const char *path, char role[SIM_ROLE_SIZE], struct error *err)
{
	CLEANUP(tuf_closep) struct tuf *t = NULL;
	struct tuf_target found;
	int r = open_and_refresh(s, &t, err);

	if (r == 0)
		r = tuf_find(t, path, &found, err);
	if (r == 0)
		(void)snprintf(role, 64, "%s", found.role);
	return r;
}

int64_t sim_trusts(struct tuf_sim *s, const char *name)
{
	CLEANUP(json_decrefp) json_t *doc = NULL;
	CLEANUP(freep) char *quoted = NULL;
	CLEANUP(buf_clear) struct buf file = {0};
	struct error err = {0};
	struct sim_file *f;

	check(tuf_quote(name, false, &quoted, &err), &err);
	check(buf_printf(&file, &err, "%s.json", quoted), &err);
	f = sim_local(s, file.data);
	if (f)
		doc = json_loadb(f->bytes.data, f->bytes.len, 0, NULL);
	return json_integer_value(json_object_get(json_object_get(doc, "signed"), "version"));
}
