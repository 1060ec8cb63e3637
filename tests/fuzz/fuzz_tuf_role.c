/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of the four roles, or a file of root-chain lines: the first byte says which. Of targets, a
 * file that is none of them does not pass for one.
 *
 * covers: lib/tuf/role.c lib/tuf/delegation.c
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/error.h"
#include "lib/tuf/chain.h"
#include "lib/tuf/client.h"
#include "lib/tuf/delegation.h"
#include "tests/fuzz/fuzz.h"

enum { CHAIN = TUF_TYPES, KINDS };

static int on_root(void *ctx, const struct tuf_root *root, struct error *err)
{
	(void)ctx;
	(void)root;
	(void)err;
	return 0;
}

/* A root that need not be signed by anybody: step from it to itself and along a chain. */
static void try_root(const uint8_t *data, size_t size)
{
	CLEANUP(tuf_root_freep) struct tuf_root *root = NULL;
	CLEANUP(tuf_root_freep) struct tuf_root *next = NULL;
	struct error err;

	if (tuf_root_parse(data, size, "root", &root, &err) < 0)
		return;
	(void)!tuf_root_self_signed(root, &err);
	(void)!tuf_root_step(root, data, size, "root", &next, &err);
}

static void try_delegations(const struct tuf_role *role)
{
	json_t *all = json_object_get(envelope_signed(role->doc), "delegations");
	static const char *const paths[] = {"", "a/b", "../x"};
	struct error err;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		CLEANUP(delegations_freep) struct delegation *d = NULL;

		if (delegations_for(json_is_object(all) ? all : NULL, paths[i], &d, &err) < 0)
			return;
		for (const struct delegation *at = d; at; at = at->next) {
			CLEANUP(role_keys_clear) struct role_keys keys = {0};

			if (delegation_keys(at, &keys, &err) == 0)
				(void)envelope_count(role->doc, &keys, NULL);
		}
	}
}

/* Zeros, as long as the target, in two pieces: its only hash may be theirs. */
static void try_targets(const struct tuf_role *role)
{
	static const unsigned char zeros[64];
	json_t *object, *targets = json_object_get(envelope_signed(role->doc), "targets");
	const char *path;

	json_object_foreach(targets, path, object)
	{
		CLEANUP(tuf_check_freep) struct tuf_check *check = NULL;
		json_int_t len = json_integer_value(json_object_get(object, "length"));
		const struct tuf_target target = {path, len, object, "targets"};
		const json_t *hashes = json_object_get(object, "hashes");
		const char *sha256 = json_string_value(json_object_get(hashes, "sha256"));
		char hex[SHA256_HEX_SIZE];

		if (tuf_check_new(&target, &check, NULL) < 0)
			continue;
		if (len > (json_int_t)sizeof(zeros))
			len = sizeof(zeros);
		sha256_hex(zeros, (size_t)len, hex);
		tuf_check_add(check, zeros, (size_t)len / 2);
		tuf_check_add(check, zeros, (size_t)(len - len / 2));
		bool fits = len == target.length && (!sha256 || strcmp(sha256, hex) == 0);
		bool only = sha256 && json_object_size(hashes) == 1;
		bool good = tuf_check_end(check, NULL) == 0;

		if (good != fits && (good || only))
			abort();
	}
}

static void try_role(const uint8_t *data, size_t size, enum tuf_type type)
{
	CLEANUP(tuf_role_freep) struct tuf_role *role = NULL;
	struct tuf_meta meta;
	struct error err;

	if (tuf_role_parse(data, size, type, "role", &role, &err) < 0)
		return;
	if (type == TUF_TARGETS) {
		try_targets(role);
		try_delegations(role);
		return;
	}
	if (tuf_role_meta(role, "snapshot.json", &meta, &err) == 0)
		(void)!tuf_meta_check(&meta, data, size, "role", &err);
}

static void try_chain(const uint8_t *data, size_t size)
{
	CLEANUP(tuf_chain_freep) struct tuf_chain *chain = NULL;
	const struct tuf_root from = {.version = 1};
	struct error err;

	if (tuf_chain_new(&from, on_root, NULL, &chain, &err) < 0)
		return;
	if (tuf_chain_feed(chain, data, size / 2, &err) == 0 &&
	    tuf_chain_feed(chain, data + size / 2, size - size / 2, &err) == 0)
		(void)!tuf_chain_end(chain, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;

	int kind = data[0] % KINDS;
	if (kind == TUF_ROOT)
		try_root(data + 1, size - 1);
	else if (kind == CHAIN)
		try_chain(data + 1, size - 1);
	else
		try_role(data + 1, size - 1, (enum tuf_type)kind);
	return 0;
}
