/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused is in tests/policy/statements/deposit.json; see test_statement.c. */
#include "policies/deposit.h"

#include "tests/support/product_log.h"
#include "tests/unit/unit.h"

struct desk {
	struct product_log *p;
	struct tuf_root *root;
	struct envelope *doc;
	struct deposit d;
};

static int open_desk(void **state)
{
	struct desk *k = calloc(1, sizeof(*k));
	char bridge[SHA256_HEX_SIZE];

	assert_non_null(k);
	sha256_hex("bridge", 6, bridge);
	k->p = plog_new(0);
	k->root = plog_vendor_root(k->p);
	k->doc = plog_statement(
		k->p, "deposit", k->root,
		plog_deposit_body(k->p, k->root, bridge, policy_shipped_json("release/standard")),
		k->p->vendor, 2);
	assert_int_equal(deposit_read(k->doc, "deposit.json", &k->d, NULL), 0);
	*state = k;
	return 0;
}

static int close_desk(void **state)
{
	struct desk *k = *state;

	deposit_clear(&k->d);
	envelope_free(k->doc);
	tuf_root_free(k->root);
	plog_free(k->p);
	free(k);
	return 0;
}

static void a_manifest_is_read_whole(void **state)
{
	const struct desk *k = *state;
	const struct deposit *d = &k->d;

	assert_int_equal(d->head.type, ST_DEPOSIT);
	assert_int_equal(d->follows_version, 1);
	assert_string_equal(d->follows_id, envelope_id(k->root->doc));
	assert_int_equal(strlen(d->bridge), SHA256_HEX);
	assert_int_equal(d->support_until, PLOG_START + 31 * 86400);
	assert_int_equal(d->trustees.n, 3);
	assert_int_equal(d->trustees.threshold, 2);
	assert_int_equal(d->nseats, 3);
	assert_string_equal(d->seats[2].name, "trustee-3");
	assert_int_equal(d->seats[2].number, 3);
	assert_int_equal(strlen(d->seats[2].encryption_fpr), 40);
	assert_non_null(d->seats[2].share_sha256[COMPARTMENT_PUBLIC]);
	assert_null(d->seats[2].share_sha256[COMPARTMENT_RESTRICTED]);
	assert_null(d->seats[2].drills[COMPARTMENT_PUBLIC]);
	assert_true(d->compartments[COMPARTMENT_PUBLIC].present);
	assert_false(d->compartments[COMPARTMENT_RESTRICTED].present);
	assert_string_equal(d->compartments[COMPARTMENT_PUBLIC].out, "public");
	assert_null(d->compartments[COMPARTMENT_PUBLIC].beneficiary);
	assert_int_equal(d->compartments[COMPARTMENT_PUBLIC].size, 9000);
	assert_int_equal(json_array_size(d->items), 1);
	assert_int_equal(json_object_size(d->refs), 1);
	assert_int_equal(d->nfiles, 4);
	assert_string_equal(d->files[3].path, "public/payload.tar.gpg");
	assert_int_equal(d->files[3].size, 9000);
	assert_string_equal(compartment_name(COMPARTMENT_RESTRICTED), "restricted");
}

static struct envelope *approval(struct desk *k, struct signer *const *by, size_t n)
{
	return plog_statement(k->p, "approval", NULL,
			      json_pack("{s:s, s:s, s:s}", "deposit", envelope_id(k->doc), "bridge",
					k->d.bridge, "notice", k->d.bridge),
			      by, n);
}

static void trustees_are_told_by_their_signatures(void **state)
{
	struct desk *k = *state;
	struct signer *const *t = k->p->trustee;
	struct signer *mixed[] = {k->p->stranger, t[2], k->p->vendor[0]};
	CLEANUP(envelope_freep) struct envelope *one = approval(k, &t[1], 1);
	CLEANUP(envelope_freep) struct envelope *two = approval(k, &t[1], 2);
	CLEANUP(envelope_freep) struct envelope *third = approval(k, mixed, 3);
	CLEANUP(envelope_freep) struct envelope *stranger = approval(k, k->p->vendor, 3);
	CLEANUP(envelope_freep) struct envelope *none = approval(k, NULL, 0);

	assert_int_equal(deposit_signers(&k->d, one), 2);
	assert_string_equal(deposit_signer(&k->d, one)->name, "trustee-2");
	assert_int_equal(deposit_signers(&k->d, two), 6);
	assert_int_equal(deposit_signers(&k->d, third), 4);
	assert_string_equal(deposit_signer(&k->d, third)->name, "trustee-3");
	assert_int_equal(deposit_signers(&k->d, stranger), 0);
	assert_null(deposit_signer(&k->d, stranger));
	assert_null(deposit_signer(&k->d, none));
}

static void another_statement_is_no_deposit(void **state)
{
	struct desk *k = *state;
	CLEANUP(envelope_freep) struct envelope *doc = approval(k, k->p->trustee, 1);
	struct deposit d = {.nseats = 7};
	struct error err = {0};

	assert_error(deposit_read(doc, "deposit.json", &d, &err), E_INVALID, &err,
		     "deposit.json: signed._type: want \"deposit\", got \"approval\"");
	assert_int_equal(d.nseats, 7);
}

static void lack_of_memory_leaks_nothing(void **state)
{
	struct desk *k = *state;
	bool fired = true;

	json_set_alloc_funcs(oom_malloc, free);
	for (long n = 0; fired; n++) {
		struct deposit d = {0};

		oom_after(n);
		int r = deposit_read(k->doc, "deposit.json", &d, NULL);
		fired = oom_fired();
		assert_true(fired || r == 0);
		deposit_clear(&d);
	}
	json_set_alloc_funcs(malloc, free);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manifest_is_read_whole),
		cmocka_unit_test(trustees_are_told_by_their_signatures),
		cmocka_unit_test(another_statement_is_no_deposit),
		cmocka_unit_test(lack_of_memory_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, open_desk, close_desk);
}
