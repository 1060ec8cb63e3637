/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/sign/signer.h"
#include "tests/unit/unit.h"

static void signer_refuses_what_is_no_private_key(void **state)
{
	static const char *const bad[] = {
		"rubbish",
		"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\n"
		"MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=\n"
		"-----END PUBLIC KEY-----\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct signer *s = NULL;
		struct error err = {0};

		assert_error(signer_from_pem(bad[i], strlen(bad[i]), &s, &err), E_INVALID, &err,
			     "want an unencrypted private key in PEM");
		assert_null(s);
	}

	struct signer *s = NULL;
	assert_int_equal(signer_from_pem("", 0, &s, NULL), E_INVALID);
	assert_null(s);
}

/* Write an RSA key, encrypted or short, as PKCS#8. */
static void write_rsa(unsigned bits, const char *passphrase, struct buf *out)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;

	assert_true(PEM_write_bio_PKCS8PrivateKey(
		bio, pkey, passphrase ? EVP_aes_128_cbc() : NULL, passphrase,
		passphrase ? (int)strlen(passphrase) : 0, NULL, NULL));
	long len = BIO_get_mem_data(bio, &text);
	assert_int_equal(buf_add(out, text, (size_t)len, NULL), 0);
	BIO_free_all(bio);
	EVP_PKEY_free(pkey);
}

static void signer_asks_for_no_passphrase(void **state)
{
	CLEANUP(buf_clear) struct buf pem = {0};
	struct signer *s = NULL;
	struct error err = {0};

	(void)state;
	write_rsa(2048, "secret", &pem);
	assert_error(signer_from_pem(pem.data, pem.len, &s, &err), E_INVALID, &err, "unencrypted");
	assert_null(s);
}

static void signer_refuses_a_key_that_nobody_could_verify(void **state)
{
	CLEANUP(buf_clear) struct buf pem = {0};
	struct signer *s = NULL;
	struct error err = {0};

	(void)state;
	write_rsa(1024, NULL, &pem);
	assert_error(signer_from_pem(pem.data, pem.len, &s, &err), E_INVALID, &err,
		     "want a key of kind Ed25519, P-256, or RSA of 2048 to 8192 bits");
	assert_null(s);
}

static void signer_generates_only_kinds_it_knows(void **state)
{
	CLEANUP(buf_clear) struct buf pem = {0};
	struct error err = {0};

	(void)state;
	assert_error(signer_generate("dsa", &pem, &err), E_USAGE, &err, "got \"dsa\"");
	assert_int_equal(pem.len, 0);
}

static void signer_from_file_is_the_key_of_the_file(void **state)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	CLEANUP(freep) char *folder = NULL;
	CLEANUP(closep) int dir = -1;
	CLEANUP(signer_freep) struct signer *from_text = NULL;
	CLEANUP(signer_freep) struct signer *from_file = NULL;
	struct signer *none = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(file_temp_dir(false, &folder, NULL), 0);
	assert_int_equal(file_open_dir(AT_FDCWD, folder, false, &dir, NULL), 0);
	assert_int_equal(signer_generate("ecdsa", &pem, NULL), 0);
	assert_int_equal(file_write(dir, "key.pem", pem.data, pem.len, 0600, NULL), 0);
	assert_int_equal(file_write(dir, "bad.pem", "x", 1, 0600, NULL), 0);
	assert_int_equal(signer_from_pem(pem.data, pem.len, &from_text, NULL), 0);
	assert_int_equal(signer_from_file(dir, "key.pem", &from_file, NULL), 0);
	assert_string_equal(key_id(signer_key(from_file)), key_id(signer_key(from_text)));
	assert_error(signer_from_file(dir, "bad.pem", &none, &err), E_INVALID, &err,
		     "bad.pem: want");
	assert_int_equal(signer_from_file(dir, "absent.pem", &none, NULL), E_NOTFOUND);
	assert_null(none);
	assert_int_equal(file_remove_tree(AT_FDCWD, folder, NULL), 0);
}

static int never_sign(void *self, const void *data, size_t len, json_t **out, struct error *err)
{
	(void)data, (void)len, (void)out;
	++*(int *)self;
	return error_set(err, E_DENIED, "no");
}

static void count_free(void *self)
{
	*(int *)self += 100;
}

static void signer_failure_leaves_the_document_unsigned(void **state)
{
	static const struct signer_ops ops = {.sign = never_sign, .free = count_free};
	CLEANUP(envelope_freep) struct envelope *e = NULL;
	struct signer *s = NULL;
	int calls = 0;

	(void)state;
	assert_int_equal(envelope_new(json_pack("{s:s,s:s,s:i}", "_type", "x", "spec_version",
						"1.0", "version", 1),
				      &e, NULL),
			 0);
	assert_int_equal(signer_new(&ops, &calls, NULL, &s, NULL), 0);
	assert_int_equal(signer_sign_envelope(s, e, NULL), E_DENIED);
	assert_int_equal(envelope_signatures(e), 0);
	signer_free(s);
	assert_int_equal(calls, 101);
	oom_after(0);
	assert_int_equal(signer_new(&ops, &calls, NULL, &s, NULL), E_NOMEM);
	assert_true(oom_fired());
	assert_int_equal(calls, 201);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signer_refuses_what_is_no_private_key),
		cmocka_unit_test(signer_asks_for_no_passphrase),
		cmocka_unit_test(signer_refuses_a_key_that_nobody_could_verify),
		cmocka_unit_test(signer_generates_only_kinds_it_knows),
		cmocka_unit_test(signer_from_file_is_the_key_of_the_file),
		cmocka_unit_test(signer_failure_leaves_the_document_unsigned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
