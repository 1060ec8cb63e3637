/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole client workflow against a repository that the input drives: pairs of
 * bytes (what, which) that publish, forge, spoil, rotate, operate on a role's body
 * and let time pass, all of it signed where the "attacker" has the keys. After
 * each refresh the promises of TUF must hold.
 *
 * covers: lib/tuf/client.c lib/tuf/find.c lib/tuf/delegation.c lib/tuf/role.c
 */
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/json/strict.h"
#include "lib/tuf/repo.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/surgery.h"
#include "tests/fuzz/toy.h"
#include "tests/support/tuf_sim.h"

/* More refreshes cost more than they find: three see a state, its change, and what is left. */
enum { STEPS_MAX = 12, REFRESHES_MAX = 3, DELEGATED_MAX = 6, HOUR = 3600 };
enum { OPERATIONS = 16, SIM_NAME_MAX = 64 };

struct run {
	struct tuf_sim *sim;
	bool roles_spoilt; /* by a body from the input: keys can no longer be edited */
	bool store_spoilt; /* what the client remembered may be gone */
	int refreshes;
	int64_t root;
	int64_t stored; /* version of the timestamp that is stored */
	int64_t floor;  /* what it may not go below: 0 after a new root, whose keys may be others */
};

static void require(bool ok, const char *promise)
{
	if (ok)
		return;
	(void)fprintf(stderr, "broken promise: %s\n", promise);
	abort();
}

static struct sim_role *pick_role(const struct run *run, uint8_t which)
{
	return run->sim->roles[which % run->sim->nroles];
}

static struct sim_file *pick_file(struct sim_files *files, uint8_t which)
{
	return files->n ? &files->list[which % files->n] : NULL;
}

/* sim_trusts(), which parses the file, once for all inputs that see the same one. */
static int64_t trusts(struct run *run, enum tuf_type type)
{
	static struct {
		struct buf bytes;
		int64_t version;
	} known[TUF_TYPES];
	char name[SIM_NAME_MAX];
	const struct sim_file *f;
	struct buf *last = &known[type].bytes;
	struct error err = {0};

	(void)snprintf(name, sizeof(name), "%s.json", tuf_type_name(type));
	f = sim_local(run->sim, name);
	if (!f)
		return 0;
	if (!last->data || last->len != f->bytes.len ||
	    memcmp(last->data, f->bytes.data, last->len) != 0) {
		buf_cut(last, 0);
		require(buf_add(last, f->bytes.data, f->bytes.len, &err) == 0, "memory");
		known[type].version = sim_trusts(run->sim, tuf_type_name(type));
	}
	return known[type].version;
}

/* What the client holds after it asked, against what it held before. */
static void compare(struct run *run, bool fresh)
{
	int64_t root = trusts(run, TUF_ROOT);
	int64_t timestamp = trusts(run, TUF_TIMESTAMP);

	require(root >= run->root || run->store_spoilt, "the root is never rolled back");
	if (root != run->root || run->store_spoilt)
		run->floor = 0;
	require(timestamp >= run->floor, "no rollback without a new root");
	if (fresh || timestamp != run->stored)
		run->floor = timestamp;
	run->root = root;
	run->stored = timestamp;
}

static void refresh(struct run *run)
{
	struct error err = {0};
	int r = sim_refresh(run->sim, &err);

	run->refreshes++;
	require(r <= 0, "a status is 0 or negative");
	if (r == 0) {
		require(trusts(run, TUF_SNAPSHOT) > 0, "a snapshot is trusted");
		require(trusts(run, TUF_TARGETS) > 0, "targets are trusted");
	}
	compare(run, r == 0);
}

static void find(struct run *run)
{
	char role[SIM_ROLE_SIZE];
	struct error err = {0};

	run->refreshes++;
	compare(run, sim_find(run->sim, "a/x", role, &err) == 0);
}

static void delegate(struct run *run, uint8_t which)
{
	struct tuf_sim *s = run->sim;
	char name[16];
	size_t from = which % (s->nroles - TUF_TARGETS) + TUF_TARGETS;

	if (run->roles_spoilt || s->nroles >= TUF_TYPES + DELEGATED_MAX)
		return;
	(void)snprintf(name, sizeof(name), "d%zu", s->nroles);
	(void)sim_delegate(s, s->roles[from]->name, name, which & 1 ? "a/*" : "*/x", which & 2);
	sim_publish(s, name);
}

/* Spoil one of the files: flip a bit, cut it, forget it, or let reading it fail. */
static void spoil(struct sim_files *files, uint8_t which)
{
	struct sim_file *f = pick_file(files, which / 4);

	if (!f || f->bytes.len == 0)
		return;
	switch (which % 4) {
	case 0: f->bytes.data[which % f->bytes.len] ^= 1; break;
	case 1: f->bytes.len /= 2; break;
	case 2: sim_forget(files, f->name); break;
	default: f->fail = f->fail ? 0 : E_NET;
	}
}

/* The next line of the input, a JSON object, becomes part of a role's body. */
static size_t edit(struct run *run, uint8_t which, const uint8_t *data, size_t size)
{
	static const char *const parts[] = {"meta", "targets", "delegations", "keys", "roles"};
	const uint8_t *end = memchr(data, '\n', size);
	size_t len = end ? (size_t)(end - data) : size;
	const struct sim_role *role = pick_role(run, which);
	json_t *value = NULL;

	if (strict_parse(data, len, NULL, &value, NULL) == 0 && json_is_object(value)) {
		run->roles_spoilt = true;
		(void)json_object_set(role->body, parts[which % ARRAY_LEN(parts)], value);
	}
	json_decref(value);
	return end ? len + 1 : len;
}

/* List what was forged where it is looked up; the version that it claims may be any. */
static void list_forged(struct tuf_sim *s, enum tuf_type by, const char *role, int64_t version,
			const struct buf *bytes)
{
	char file[SIM_NAME_MAX];
	struct error err;

	(void)snprintf(file, sizeof(file), "%s.json", role);
	(void)!repo_meta_set(s->roles[by]->body, file, version, bytes->data, bytes->len, &err);
	sim_bump(s, tuf_type_name(by));
}

/*
 * A role's next version with one or two cuts in its body, signed by those who may: what
 * a thief of the keys could publish. The role's own body stays whole.
 */
static size_t forge(struct run *run, uint8_t which, const uint8_t *data, size_t size)
{
	const struct sim_role *role = pick_role(run, which);
	CLEANUP(json_decrefp) json_t *body = json_deep_copy(role->body);
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct feed f = {data, data + size};
	int64_t version = sim_version(role) + 1;
	char file[SIM_NAME_MAX];

	(void)json_object_set_new(body, "version", json_integer(version));
	surgery(body, &f);
	if (which & 0x80)
		surgery(body, &f);
	if (!toy_document(body, role->signers, role->nsigners, &bytes))
		return (size_t)(f.at - data);
	(void)snprintf(file, sizeof(file), "%lld.%s.json", (long long)version, role->name);
	sim_put(&run->sim->remote, role->type == TUF_TIMESTAMP ? "timestamp.json" : file,
		bytes.data, bytes.len);
	if (role->type == TUF_TARGETS)
		list_forged(run->sim, TUF_SNAPSHOT, role->name, version, &bytes);
	else if (role->type == TUF_SNAPSHOT)
		list_forged(run->sim, TUF_TIMESTAMP, role->name, version, &bytes);
	if (role->type == TUF_TARGETS)
		sim_bump(run->sim, "timestamp");
	return (size_t)(f.at - data);
}

static void rotate(struct run *run, uint8_t which)
{
	const char *name = run->sim->roles[which % TUF_TYPES]->name;

	if (run->roles_spoilt || run->sim->roles[TUF_ROOT]->nsigners >= SIM_SIGNERS_MAX)
		return;
	sim_rotate(run->sim, name);
	sim_bump(run->sim, "root");
}

/* One step; gives how much of the rest of the input it took. */
static size_t step(struct run *run, uint8_t what, uint8_t which, const uint8_t *data, size_t size)
{
	struct sim_role *role = pick_role(run, which);
	struct tuf_sim *s = run->sim;
	const struct sim_file *from, *to;

	switch (what % OPERATIONS) {
	case 0: sim_release(s, role->name); break;
	case 1: sim_bump(s, role->name); break;
	case 2:
		sim_set_version(role, which / 8 + 1);
		sim_publish(s, role->name);
		break;
	case 3: rotate(run, which); break;
	case 4: s->now += (int64_t)which * HOUR; break;
	case 5: spoil(&s->remote, which); break;
	case 6:
		spoil(&s->local, which);
		run->store_spoilt = true;
		break;
	case 7:
		sim_target(s, s->roles[TUF_TARGETS]->name, which & 1 ? "a/x" : "b", "content");
		break;
	case 8: delegate(run, which); break;
	case 9: return edit(run, which, data, size);
	case 10:
		from = pick_file(&s->remote, which % 16);
		to = pick_file(&s->remote, which / 16);
		if (from && to && from != to)
			sim_put_copy(s, to->name, from->name);
		break;
	case 11:
		if (run->refreshes < REFRESHES_MAX - 1)
			find(run);
		break;
	default: return forge(run, which, data, size);
	}
	return 0;
}

/* What every input starts from: made once, and its documents as short as they can be. */
static struct tuf_sim *start(void)
{
	static struct tuf_sim *first;
	static unsigned keys;

	if (!first) {
		toy_reset();
		first = sim_new();
		first->write = toy_document;
		sim_publish(first, "root");
		sim_publish(first, "targets");
		sim_publish(first, "snapshot");
		sim_publish(first, "timestamp");
		const struct sim_file *root = sim_remote(first, "1.root.json");
		sim_put(&first->local, "root.json", root->bytes.data, root->bytes.len);
		keys = toy_keys();
	}
	toy_resume(keys);
	return sim_copy(first);
}

/* A refresh follows such a step, too: the first time half of them, the second a few, then none. */
static const unsigned early[REFRESHES_MAX] = {0x80, 0xf0, 0x100};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.sim = start(), .root = 1};
	size_t at = 0;

	for (int i = 0; i < STEPS_MAX && at + 2 <= size; i++) {
		uint8_t what = data[at], which = data[at + 1];

		at += 2;
		at += step(&run, what, which, data + at, size - at);
		if (what >= early[run.refreshes])
			refresh(&run);
	}
	refresh(&run);
	sim_free(run.sim);
	return 0;
}
