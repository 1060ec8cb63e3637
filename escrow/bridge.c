/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/bridge.h"

#include "escrow/desk.h"
#include "lib/base/error.h"
#include "policies/publisher.h"

/* Are the timestamp and snapshot keys new? Else version numbers could not start again. */
static int check_online(const struct tuf_root *root, const struct tuf_root *bridge,
			struct error *err)
{
	static const enum tuf_type online[] = {TUF_TIMESTAMP, TUF_SNAPSHOT};

	for (size_t i = 0; i < ARRAY_LEN(online); i++) {
		const struct role_keys *keys = &bridge->role[online[i]];

		for (size_t j = 0; j < keys->n; j++)
			for (size_t t = 0; t < TUF_TYPES; t++)
				if (role_keys_has(&root->role[t], keys->keys[j]))
					return error_set(
						err, E_USAGE,
						"%s: want keys that root %lld does not have",
						tuf_type_name(online[i]), (long long)root->version);
	}
	return 0;
}

static int check_publisher(const struct tuf_root *root, const struct tuf_root *bridge,
			   struct error *err)
{
	struct publisher p;
	unsigned change = 0;
	int r = publisher_read(bridge, "bridge", &p, err);

	if (r == 0)
		r = publisher_compare(root, root, bridge, &change, err);
	if (r < 0)
		return r;
	if (!p.bridge || p.kind != PUBLISHER_STEWARDS)
		return error_set(err, E_USAGE,
				 "signed.x-bequest: want a bridge, of the kind \"stewards\"");
	if (change & CHANGE_LOGS)
		return error_set(err, E_USAGE,
				 "signed.x-bequest: drops logs or witnesses of root %lld",
				 (long long)root->version);
	return 0;
}

int bridge_check(const struct tuf_root *root, const struct tuf_root *bridge, struct error *err)
{
	const struct role_keys *stewards = &bridge->role[TUF_ROOT];
	int r;

	if (bridge->version != root->version + 1)
		return error_set(err, E_USAGE, "signed.version: want %lld, got %lld",
				 (long long)root->version + 1, (long long)bridge->version);
	if (!bridge->product || !root->product || strcmp(bridge->product, root->product) != 0)
		return error_set(err, E_USAGE, "signed.product: not that of the root");
	r = check_publisher(root, bridge, err);
	if (r == 0)
		r = check_online(root, bridge, err);
	if (r < 0)
		return r;
	if (envelope_count(bridge->doc, stewards, NULL) >= (size_t)stewards->threshold)
		return error_set(err, E_USAGE,
				 "the stewards have signed already: whoever reads it could use it");
	r = envelope_verify(bridge->doc, &root->role[TUF_ROOT], "the vendor's root role", err);
	return desk_usage(r, err);
}

int bridge_two_locks(const struct tuf_root *bridge, const struct role_keys *trustees,
		     struct error *err)
{
	const struct role_keys *stewards = &bridge->role[TUF_ROOT];
	int64_t both = 0;

	for (size_t i = 0; i < trustees->n; i++)
		both += role_keys_has(stewards, trustees->keys[i]) ? 1 : 0;
	if (both > trustees->threshold)
		both = trustees->threshold;
	if (both >= stewards->threshold)
		return error_set(err, E_DENIED,
				 "%lld of %lld trustees who open are %lld stewards, enough to sign "
				 "the bridge: the two locks would be one (--one-lock allows it)",
				 (long long)trustees->threshold, (long long)trustees->n,
				 (long long)both);
	return 0;
}
