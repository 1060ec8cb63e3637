/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole client workflow against a repository that the input drives: pairs of
 * bytes (what, which) that publish, forge, spoil, rotate and let time pass, all
 * of it truly signed where the "attacker" has the keys. After each refresh the
 * promises of TUF must hold.
 */
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/json/strict.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/tuf_sim.h"

enum { STEPS_MAX = 16, DELEGATED_MAX = 6, HOUR = 3600 };

struct run {
	struct tuf_sim *sim;
	bool roles_spoilt; /* by a body from the input: keys can no longer be edited */
	bool store_spoilt; /* what the client remembered may be gone */
	int64_t root, timestamp;
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

static void refresh(struct run *run)
{
	struct error err = {0};
	int r = sim_refresh(run->sim, &err);
	int64_t root = sim_trusts(run->sim, "root");
	int64_t timestamp = sim_trusts(run->sim, "timestamp");

	require(r <= 0, "a status is 0 or negative");
	require(root >= run->root || run->store_spoilt, "the root is never rolled back");
	if (root == run->root && !run->store_spoilt)
		require(timestamp >= run->timestamp, "no rollback without a new root");
	if (r == 0) {
		require(sim_trusts(run->sim, "snapshot") > 0, "a snapshot is trusted");
		require(sim_trusts(run->sim, "targets") > 0, "targets are trusted");
	}
	run->root = root;
	run->timestamp = timestamp;
}

static void find(struct run *run)
{
	char role[64];
	struct error err = {0};

	(void)sim_find(run->sim, "a/x", role, &err);
	run->root = sim_trusts(run->sim, "root");
	run->timestamp = sim_trusts(run->sim, "timestamp");
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

	switch (what % 12) {
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
	default: find(run);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.sim = sim_new(), .root = 1};
	size_t at = 0;

	for (int i = 0; i < STEPS_MAX && at + 2 <= size; i++) {
		uint8_t what = data[at], which = data[at + 1];

		at += 2;
		at += step(&run, what, which, data + at, size - at);
		if (what & 0x80)
			refresh(&run);
	}
	refresh(&run);
	sim_free(run.sim);
	return 0;
}
