/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/proc.h"
#include "lib/base/scratch.h"
#include "lib/sign/gpg.h"
#include "lib/sign/signer_spec.h"
#include "tests/unit/unit.h"

/* A folder with a PEM key, the same key sealed to Ann, and Ann's home. */
struct desk {
	struct scratch folder;
	char *home;
	char fpr[PGP_FPR_HEX_SIZE];
	char keyid[KEYID_MAX + 1]; /* of the PEM key */
};

static int set_up(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));
	CLEANUP(buf_wipe) struct buf pem = {0};
	CLEANUP(buf_clear) struct buf sealed = {0};
	CLEANUP(signer_freep) struct signer *s = NULL;
	CLEANUP(gpg_closep) struct gpg *g = NULL;
	struct gpg_subkeys sub;

	assert_non_null(d);
	assert_int_equal(scratch_open(NULL, &d->folder, NULL), 0);
	assert_int_equal(mkdirat(d->folder.fd, "gnupg", 0700), 0);
	assert_int_equal(scratch_path(&d->folder, "gnupg", &d->home, NULL), 0);
	assert_int_equal(gpg_open(d->home, &g, NULL), 0);
	assert_int_equal(gpg_generate(g, "ed25519", "Ann <ann@example.org>", d->fpr, NULL), 0);
	assert_int_equal(gpg_subkeys(g, d->fpr, &sub, NULL), 0);
	assert_int_equal(signer_generate("ed25519", &pem, NULL), 0);
	assert_int_equal(signer_from_pem(pem.data, pem.len, &s, NULL), 0);
	strcpy(d->keyid, key_id(signer_key(s)));
	assert_int_equal(gpg_encrypt(g, sub.encrypt, pem.data, pem.len, NULL, &sealed, NULL), 0);
	assert_int_equal(file_write(d->folder.fd, "k.pem", pem.data, pem.len, 0600, NULL), 0);
	assert_int_equal(file_write(d->folder.fd, "k.gpg", sealed.data, sealed.len, 0600, NULL), 0);
	assert_int_equal(file_write(d->folder.fd, "bad", "x", 1, 0600, NULL), 0);
	assert_int_equal(chdir(d->folder.path), 0);
	*state = d;
	return 0;
}

static int tear_down(void **state)
{
	struct desk *d = *state;
	const char *const argv[] = {"gpgconf", "--homedir", d->home, "--kill", "all", NULL};

	assert_int_equal(proc_run(argv, NULL, NULL, NULL, 4096, NULL), 0);
	assert_int_equal(chdir("/"), 0);
	scratch_close(&d->folder);
	free(d->home);
	free(d);
	return 0;
}

/* Open, sign a document, check it. */
static void check_spec(const struct desk *d, const char *spec, const char *keyid)
{
	CLEANUP(signer_freep) struct signer *s = NULL;
	CLEANUP(envelope_freep) struct envelope *e = NULL;
	CLEANUP(role_keys_clear) struct role_keys keys = {0};
	json_auto_t *list = json_object();
	struct error err = {0};

	assert_int_equal(signer_open_spec(spec, d->home, &s, &err), 0);
	assert_string_equal(key_id(signer_key(s)), keyid);
	assert_int_equal(envelope_new(json_pack("{s:s,s:s,s:i}", "_type", "x", "spec_version",
						"1.0", "version", 1),
				      &e, NULL),
			 0);
	assert_int_equal(signer_sign_envelope(s, e, &err), 0);
	assert_int_equal(json_object_set(list, keyid, key_object(signer_key(s))), 0);
	assert_int_equal(role_keys_parse(list, NULL, 1, "", &keys, NULL), 0);
	assert_int_equal(envelope_verify(e, &keys, "the signer", &err), 0);
}

static void a_spec_opens_each_of_the_three_places(void **state)
{
	const struct desk *d = *state;

	check_spec(d, "pem:k.pem", d->keyid);
	check_spec(d, "sealed:k.gpg", d->keyid);
	check_spec(d, "gpg:ann@example.org", d->fpr);
}

static void a_spec_that_is_none_is_the_persons_fault(void **state)
{
	static const struct {
		const char *spec;
		int code;
		const char *complaint;
	} bad[] = {
		{"", E_USAGE, "key: want pem:FILE|sealed:FILE|gpg:WHO, got \"\""},
		{"k.pem", E_USAGE, "key: want"},
		{"pem:", E_USAGE, "key: want"},
		{"gpg:", E_USAGE, "key: want"},
		{"PEM:k.pem", E_USAGE, "key: want"},
		{"pem:bad", E_USAGE, "bad: want an unencrypted private key"},
		{"pem:k.gpg", E_USAGE, "k.gpg: want"},
		{"pem:absent", E_NOTFOUND, "absent"},
		{"sealed:absent", E_NOTFOUND, "absent"},
		{"gpg:eve@example.org", E_NOTFOUND, "eve@example.org"},
	};
	const struct desk *d = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct signer *s = NULL;
		struct error err = {0};

		assert_error(signer_open_spec(bad[i].spec, d->home, &s, &err), bad[i].code, &err,
			     bad[i].complaint);
		assert_null(s);
	}

	struct signer *s = NULL;
	assert_int_not_equal(signer_open_spec("sealed:k.pem", d->home, &s, NULL), 0);
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_spec_opens_each_of_the_three_places),
		cmocka_unit_test(a_spec_that_is_none_is_the_persons_fault),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
