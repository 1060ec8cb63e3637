/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sign/ed25519.h"

#include "lib/base/hex.h"
#include "tests/unit/unit.h"

/* RFC 8032 §7.1, tests 1 and 3. */
static const struct {
	const char *seed, *pub, *message, *sig;
} rfc8032[] = {
	{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
	 "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
	 "f9b46bd25bf5f0595bbe24655141438e7a100b"},
	{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	 "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "\xaf\x82",
	 "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76098"
	 "4dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

static void unhex(const char *text, unsigned char *out, size_t len)
{
	assert_true(hex_decode(text, out, len));
}

static void signatures_are_those_of_rfc8032(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rfc8032); i++) {
		unsigned char seed[32], pub[32], sig[64], made_pub[32], made[64];
		size_t len = strlen(rfc8032[i].message);

		unhex(rfc8032[i].seed, seed, sizeof(seed));
		unhex(rfc8032[i].pub, pub, sizeof(pub));
		unhex(rfc8032[i].sig, sig, sizeof(sig));
		assert_int_equal(ed25519_public(seed, made_pub, NULL), 0);
		assert_memory_equal(made_pub, pub, sizeof(pub));
		assert_int_equal(ed25519_sign(seed, rfc8032[i].message, len, made, NULL), 0);
		assert_memory_equal(made, sig, sizeof(sig));
		assert_true(ed25519_verify(pub, rfc8032[i].message, len, sig));
	}
}

static void any_change_breaks_a_signature(void **state)
{
	unsigned char pub[32], sig[64], zero[64] = {0};

	(void)state;
	unhex(rfc8032[1].pub, pub, sizeof(pub));
	unhex(rfc8032[1].sig, sig, sizeof(sig));
	assert_false(ed25519_verify(pub, "\xaf\x83", 2, sig));
	assert_false(ed25519_verify(pub, "\xaf\x82", 1, sig));
	assert_false(ed25519_verify(pub, "\xaf\x82", 2, zero));
	for (size_t i = 0; i < sizeof(sig); i++) {
		sig[i] ^= 1;
		assert_false(ed25519_verify(pub, "\xaf\x82", 2, sig));
		sig[i] ^= 1;
	}
	assert_true(ed25519_verify(pub, "\xaf\x82", 2, sig));
}

static void keys_of_low_order_verify_nothing(void **state)
{
	static const char *const bad[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		/* spelled with y >= p */
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	/* Under the identity, R = 1 and s = 0 hold for every message. */
	unsigned char forged[64] = {1};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		unsigned char pub[32];

		unhex(bad[i], pub, sizeof(pub));
		assert_false(ed25519_usable(pub));
		assert_false(ed25519_verify(pub, "any", 3, forged));
	}
}

static void usable_keys_end_just_below_p(void **state)
{
	unsigned char pub[32];

	(void)state;
	unhex("ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", pub, 32);
	assert_true(ed25519_usable(pub));
	unhex(rfc8032[0].pub, pub, 32);
	assert_true(ed25519_usable(pub));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_are_those_of_rfc8032),
		cmocka_unit_test(any_change_breaks_a_signature),
		cmocka_unit_test(keys_of_low_order_verify_nothing),
		cmocka_unit_test(usable_keys_end_just_below_p),
	};

	return cmocka_run_group_tests_name("ed25519", tests, NULL, NULL);
}
