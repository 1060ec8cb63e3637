/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/proc.h"
#include "lib/base/scratch.h"
#include "lib/sign/gpg.h"
#include "tests/unit/unit.h"

static const char message[] = "{\"_type\":\"approval\"}";
enum { MESSAGE_LEN = sizeof(message) - 1, OUTPUT_MAX = 1 << 20 };

/* Two people's homes in one folder: Ann has an Ed25519 key, Bob an RSA one. */
struct people {
	struct scratch folder;
	struct gpg *ann, *bob;
	char ann_fpr[PGP_FPR_HEX_SIZE], bob_fpr[PGP_FPR_HEX_SIZE];
};

/* What a person's configuration may do to us. */
static const char hostile_conf[] = "digest-algo SHA512\n"
				   "default-sig-expire 1y\n"
				   "encrypt-to bob@example.org\n"
				   "compress-algo bzip2\n"
				   "armor\n";

static struct gpg *make_home(const struct people *p, const char *name, const char *conf)
{
	char path[64];
	CLEANUP(freep) char *home = NULL;
	struct gpg *g = NULL;

	assert_int_equal(mkdirat(p->folder.fd, name, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/gpg.conf", name);
	assert_int_equal(file_write(p->folder.fd, path, conf, strlen(conf), 0600, NULL), 0);
	assert_int_equal(scratch_path(&p->folder, name, &home, NULL), 0);
	assert_int_equal(gpg_open(home, &g, NULL), 0);
	return g;
}

static int set_up(void **state)
{
	struct people *p = calloc(1, sizeof(*p));
	CLEANUP(buf_clear) struct buf cert = {0};
	char fpr[PGP_FPR_HEX_SIZE];

	assert_non_null(p);
	assert_int_equal(scratch_open(NULL, &p->folder, NULL), 0);
	p->ann = make_home(p, "ann", hostile_conf);
	p->bob = make_home(p, "bob", "");
	assert_int_equal(gpg_generate(p->ann, "ed25519", "Ann <ann@example.org>", p->ann_fpr, NULL),
			 0);
	assert_int_equal(gpg_generate(p->bob, "rsa2048", "Bob <bob@example.org>", p->bob_fpr, NULL),
			 0);
	assert_int_equal(gpg_export(p->bob, "bob@example.org", true, &cert, NULL), 0);
	assert_non_null(strstr(cert.data, "BEGIN PGP PUBLIC KEY BLOCK"));
	assert_int_equal(gpg_import(p->ann, cert.data, cert.len, fpr, NULL), 0);
	assert_string_equal(fpr, p->bob_fpr);
	*state = p;
	return 0;
}

static void kill_agent(const struct gpg *g)
{
	const char *const argv[] = {"gpgconf", "--homedir", gpg_home_path(g),
				    "--kill",  "all",       NULL};

	assert_int_equal(proc_run(argv, NULL, NULL, NULL, OUTPUT_MAX, NULL), 0);
}

static int tear_down(void **state)
{
	struct people *p = *state;

	kill_agent(p->ann);
	kill_agent(p->bob);
	gpg_close(p->ann);
	gpg_close(p->bob);
	scratch_close(&p->folder);
	free(p);
	return 0;
}

/* Run gpg itself in a home, as people do. */
static void run_gpg(const struct gpg *g, const char *const *args, const struct buf *in,
		    struct buf *out)
{
	const char *argv[32] = {"gpg",      "--homedir",    gpg_home_path(g),
				"--batch",  "--yes",        "--pinentry-mode",
				"loopback", "--passphrase", ""};
	struct error err = {0};
	size_t n = 9;

	while (*args)
		argv[n++] = *args++;
	int r = proc_run(argv, NULL, in, out, OUTPUT_MAX, &err);
	if (r)
		print_message("%s\n", err.text);
	assert_int_equal(r, 0);
}
#define RUN_GPG(g, in, out, ...) run_gpg(g, (const char *const[]){__VA_ARGS__, NULL}, in, out)

/* Sign by GnuPG, check as a device without GnuPG does. */
static void check_signer(struct gpg *g, const char *who, enum key_kind kind, const char *keyid)
{
	CLEANUP(signer_freep) struct signer *s = NULL;
	CLEANUP(key_freep) struct key *k = NULL;
	json_auto_t *object = NULL, *signature = NULL;
	char id[KEYID_MAX + 1];
	struct error err = {0};

	assert_int_equal(gpg_key_object(g, who, &object, id, NULL), 0);
	assert_string_equal(id, keyid);
	assert_int_equal(key_parse(id, object, "k", &k, NULL), 0);
	assert_int_equal(key_kind(k), kind);
	assert_false(key_portable(k));
	assert_int_equal(gpg_signer(g, who, &s, &err), 0);
	assert_string_equal(key_id(signer_key(s)), keyid);
	int r = signer_sign(s, message, MESSAGE_LEN, &signature, &err);
	if (r)
		print_message("%s\n", err.text);
	assert_int_equal(r, 0);

	struct signature made = {
		.keyid = json_string_value(json_object_get(signature, "keyid")),
		.sig = json_string_value(json_object_get(signature, "sig")),
		.other_headers = json_string_value(json_object_get(signature, "other_headers")),
	};
	assert_string_equal(made.keyid, keyid);
	assert_true(key_verify(k, message, MESSAGE_LEN, &made));
	assert_false(key_verify(k, message, MESSAGE_LEN - 1, &made));
}

static void a_persons_configuration_does_not_change_what_is_signed(void **state)
{
	const struct people *p = *state;

	check_signer(p->ann, "ann@example.org", KEY_PGP_ED25519, p->ann_fpr);
	check_signer(p->bob, p->bob_fpr, KEY_PGP_RSA, p->bob_fpr);
}

static void gpg_signs_with_the_signing_subkey(void **state)
{
	const struct people *p = *state;
	CLEANUP(buf_clear) struct buf list = {0};
	struct gpg_subkeys sub;
	char primary[PGP_FPR_HEX_SIZE];

	RUN_GPG(p->bob, NULL, NULL, "--quick-generate-key", "Cy <cy@example.org>", "ed25519",
		"cert", "never");
	assert_int_equal(gpg_subkeys(p->bob, "cy@example.org", &sub, NULL), 0);
	assert_string_equal(sub.sign, "");
	assert_string_equal(sub.encrypt, "");
	strcpy(primary, sub.primary);

	struct error err = {0};
	struct signer *s = NULL;
	assert_error(gpg_signer(p->bob, "cy@example.org", &s, &err), E_USAGE, &err, "cannot sign");

	RUN_GPG(p->bob, NULL, NULL, "--quick-add-key", primary, "ed25519", "sign", "never");
	assert_int_equal(gpg_subkeys(p->bob, "cy@example.org", &sub, NULL), 0);
	assert_string_equal(sub.primary, primary);
	assert_string_not_equal(sub.sign, primary);
	check_signer(p->bob, "cy@example.org", KEY_PGP_ED25519, sub.sign);
}

static void gpg_says_whom_it_does_not_know(void **state)
{
	const struct people *p = *state;
	CLEANUP(buf_clear) struct buf cert = {0};
	struct gpg_subkeys sub;
	struct signer *s = NULL;
	struct error err = {0};

	assert_error(gpg_subkeys(p->ann, "eve@example.org", &sub, &err), E_NOTFOUND, &err,
		     "no key of eve@example.org");
	assert_error(gpg_export(p->ann, "eve@example.org", false, &cert, &err), E_NOTFOUND, &err,
		     "eve");
	assert_error(gpg_subkeys(p->ann, "example.org", &sub, &err), E_USAGE, &err,
		     "2 keys of example.org");
	assert_error(gpg_subkeys(p->ann, "", &sub, &err), E_USAGE, &err, "whose");
	/* Bob's certificate is here, his secret is not. */
	assert_error(gpg_signer(p->ann, "bob@example.org", &s, &err), E_NOTFOUND, &err,
		     "no secret key of bob@example.org");
	assert_null(s);
	assert_int_equal(gpg_open("/nonexistent/home", &(struct gpg *){NULL}, NULL), E_NOTFOUND);
}

static void import_wants_exactly_one_certificate(void **state)
{
	const struct people *p = *state;
	CLEANUP(gpg_closep) struct gpg *g = NULL;
	CLEANUP(buf_clear) struct buf two = {0};
	char fpr[PGP_FPR_HEX_SIZE] = "untouched";

	assert_int_equal(gpg_open_private(&g, NULL), 0);
	assert_int_equal(gpg_import(g, "rubbish", 7, fpr, NULL), E_INVALID);
	assert_int_equal(gpg_import(g, "", 0, fpr, NULL), E_INVALID);
	assert_int_equal(gpg_export(p->ann, p->ann_fpr, false, &two, NULL), 0);
	assert_int_equal(gpg_export(p->bob, p->bob_fpr, false, &two, NULL), 0);
	assert_int_equal(gpg_import(g, two.data, two.len, fpr, NULL), E_INVALID);
	assert_string_equal(fpr, "untouched");
}

static void encryption_is_to_one_subkey_and_names_the_file(void **state)
{
	const struct people *p = *state;
	CLEANUP(buf_clear) struct buf sealed = {0};
	CLEANUP(buf_clear) struct buf listing = {0};
	CLEANUP(buf_wipe) struct buf plain = {0};
	CLEANUP(freep) char *name = NULL;
	struct gpg_subkeys sub;
	struct error err = {0};

	assert_int_equal(gpg_subkeys(p->ann, p->bob_fpr, &sub, NULL), 0);
	assert_string_not_equal(sub.encrypt, p->bob_fpr);
	assert_int_equal(gpg_encrypt(p->ann, sub.encrypt, "share", 5, "share.001", &sealed, &err),
			 0);
	assert_int_equal(gpg_decrypt(p->bob, sealed.data, sealed.len, &plain, &name, NULL), 0);
	assert_string_equal(plain.data, "share");
	assert_string_equal(name, "share.001");
	buf_clear(&plain);
	assert_int_equal(gpg_decrypt(p->ann, sealed.data, sealed.len, &plain, NULL, &err),
			 E_NOTFOUND);
	assert_int_equal(plain.len, 0);

	/* No recipient beside, although ann's configuration adds one; no compression. */
	buf_clear(&sealed);
	assert_int_equal(gpg_subkeys(p->ann, p->ann_fpr, &sub, NULL), 0);
	assert_int_equal(gpg_encrypt(p->ann, sub.encrypt, "x", 1, NULL, &sealed, NULL), 0);
	RUN_GPG(p->ann, &sealed, &listing, "--list-packets");
	assert_non_null(strstr(listing.data, ":pubkey enc packet:"));
	assert_null(strstr(strstr(listing.data, ":pubkey enc packet:") + 1, ":pubkey enc packet:"));
	assert_null(strstr(listing.data, ":compressed packet:"));

	assert_error(gpg_encrypt(p->ann, "bob@example.org", "x", 1, NULL, &sealed, &err), E_INVALID,
		     &err, "want a fingerprint");
}

static void decryption_refuses_damage_and_what_was_never_encrypted(void **state)
{
	const struct people *p = *state;
	CLEANUP(buf_clear) struct buf sealed = {0};
	CLEANUP(buf_clear) struct buf stored = {0};
	CLEANUP(buf_wipe) struct buf plain = {0};
	struct buf text = {.data = (char[]){"text"}, .len = 4};
	struct gpg_subkeys sub;
	struct error err = {0};

	assert_int_equal(gpg_subkeys(p->bob, p->bob_fpr, &sub, NULL), 0);
	assert_int_equal(gpg_encrypt(p->bob, sub.encrypt, "share", 5, NULL, &sealed, NULL), 0);
	sealed.data[sealed.len - 3] ^= 1;
	assert_int_equal(gpg_decrypt(p->bob, sealed.data, sealed.len, &plain, NULL, &err),
			 E_UNTRUSTED);
	sealed.data[sealed.len - 3] ^= 1;
	assert_int_not_equal(gpg_decrypt(p->bob, sealed.data, sealed.len - 3, &plain, NULL, &err),
			     0);
	assert_int_not_equal(gpg_decrypt(p->bob, "rubbish", 7, &plain, NULL, &err), 0);
	assert_int_not_equal(gpg_decrypt(p->bob, "", 0, &plain, NULL, &err), 0);
	RUN_GPG(p->bob, &text, &stored, "--store");
	assert_int_equal(gpg_decrypt(p->bob, stored.data, stored.len, &plain, NULL, &err),
			 E_UNTRUSTED);
	assert_int_equal(plain.len, 0);
	assert_int_equal(gpg_decrypt(p->bob, sealed.data, sealed.len, &plain, NULL, &err), 0);
}

/* Compressed by a thousand, it would fill the memory. */
static void a_bomb_is_not_decrypted_into_memory(void **state)
{
	enum { BOMB_LEN = 17 * 1024 * 1024 };
	const struct people *p = *state;
	CLEANUP(buf_clear) struct buf zeros = {0};
	CLEANUP(buf_clear) struct buf sealed = {0};
	CLEANUP(buf_wipe) struct buf plain = {0};
	struct error err = {0};

	assert_int_equal(buf_reserve(&zeros, BOMB_LEN, NULL), 0);
	memset(zeros.data, 0, BOMB_LEN);
	zeros.len = BOMB_LEN;
	RUN_GPG(p->bob, &zeros, &sealed, "--trust-model", "always", "-z", "9", "-e", "-r",
		"bob@example.org");
	assert_true(sealed.len < BOMB_LEN / 100);
	assert_int_equal(gpg_decrypt(p->bob, sealed.data, sealed.len, &plain, NULL, &err),
			 E_INVALID);
	assert_int_equal(plain.len, 0);
}

static void a_sealed_key_signs_as_its_pem_does(void **state)
{
	const struct people *p = *state;
	CLEANUP(buf_wipe) struct buf pem = {0};
	CLEANUP(buf_clear) struct buf sealed = {0};
	CLEANUP(signer_freep) struct signer *direct = NULL;
	CLEANUP(signer_freep) struct signer *opened = NULL;
	struct gpg_subkeys sub;

	assert_int_equal(signer_generate("ed25519", &pem, NULL), 0);
	assert_int_equal(signer_from_pem(pem.data, pem.len, &direct, NULL), 0);
	assert_int_equal(gpg_subkeys(p->ann, p->ann_fpr, &sub, NULL), 0);
	assert_int_equal(gpg_encrypt(p->ann, sub.encrypt, pem.data, pem.len, NULL, &sealed, NULL),
			 0);
	assert_int_equal(gpg_signer_sealed(p->ann, sealed.data, sealed.len, &opened, NULL), 0);
	assert_string_equal(key_id(signer_key(opened)), key_id(signer_key(direct)));
}

/* --- streams --- */

static int temp_file(const struct people *p, const char *name, const void *data, size_t len)
{
	assert_int_equal(file_write(p->folder.fd, name, data, len, 0600, NULL), 0);
	int fd = openat(p->folder.fd, name, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

#define PASSPHRASE "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void streams_are_sealed_and_opened_by_the_passphrase(void **state)
{
	const struct people *p = *state;
	CLEANUP(gpg_closep) struct gpg *g = NULL;
	CLEANUP(freep) char *plain = malloc(OUTPUT_MAX);
	CLEANUP(closep) int in = -1;
	CLEANUP(closep) int sealed = -1;
	CLEANUP(closep) int opened = -1;
	CLEANUP(buf_clear) struct buf bytes = {0};
	size_t count = 0;
	struct error err = {0};

	assert_non_null(plain);
	memset(plain, 'p', OUTPUT_MAX);
	in = temp_file(p, "in", plain, OUTPUT_MAX);
	sealed = temp_file(p, "sealed", "", 0);
	opened = temp_file(p, "opened", "", 0);
	assert_int_equal(gpg_open_private(&g, NULL), 0);
	assert_int_equal(gpg_encrypt_stream(g, PASSPHRASE, in, sealed, &err), 0);
	assert_int_equal(lseek(sealed, 0, SEEK_SET), 0);
	assert_int_equal(gpg_decrypt_stream(g, PASSPHRASE, sealed, opened, &err), 0);
	assert_int_equal(file_read(p->folder.fd, "opened", 2 * OUTPUT_MAX, &bytes, NULL), 0);
	assert_int_equal(bytes.len, OUTPUT_MAX);
	assert_memory_equal(bytes.data, plain, OUTPUT_MAX);

	buf_clear(&bytes);
	assert_int_equal(file_read(p->folder.fd, "sealed", 2 * OUTPUT_MAX, &bytes, NULL), 0);
	assert_true(bytes.len > OUTPUT_MAX); /* not compressed */
	assert_int_equal(pgp_s2k_count(bytes.data, bytes.len, &count, NULL), 0);
	assert_int_equal(count, 65536);
	assert_int_equal(bytes.data[0] & 0xff, 0x8c); /* old format, tag 3 */
	assert_int_equal(bytes.data[3], 9);           /* AES-256 */
	assert_int_equal(bytes.data[5], 8);           /* SHA-256 */

	assert_int_equal(lseek(sealed, 0, SEEK_SET), 0);
	assert_error(gpg_decrypt_stream(g, "wrong", sealed, opened, &err), E_UNTRUSTED, &err,
		     "decrypt");
	/* The agent did not keep the right one. */
	assert_int_equal(lseek(sealed, 0, SEEK_SET), 0);
	assert_int_not_equal(gpg_decrypt_stream(g, "", sealed, opened, &err), 0);
	bytes.data[bytes.len / 2] ^= 1;
	CLEANUP(closep) int damaged = temp_file(p, "damaged", bytes.data, bytes.len);
	assert_int_equal(gpg_decrypt_stream(g, PASSPHRASE, damaged, opened, &err), E_UNTRUSTED);
	CLEANUP(closep) int cut = temp_file(p, "cut", bytes.data, bytes.len / 2);
	assert_int_not_equal(gpg_decrypt_stream(g, PASSPHRASE, cut, opened, &err), 0);
}

static void a_stream_opens_with_stock_gpg(void **state)
{
	const struct people *p = *state;
	CLEANUP(buf_clear) struct buf sealed = {0};
	CLEANUP(buf_clear) struct buf plain = {0};
	CLEANUP(closep) int in = temp_file(p, "in", "hello", 5);
	CLEANUP(closep) int out = temp_file(p, "sealed", "", 0);
	const char *const argv[] = {"gpg",
				    "--homedir",
				    gpg_home_path(p->ann),
				    "--batch",
				    "--pinentry-mode",
				    "loopback",
				    "--passphrase",
				    PASSPHRASE,
				    "-d",
				    NULL};

	/* Also from a person's home, whose configuration says other things. */
	assert_int_equal(gpg_encrypt_stream(p->ann, PASSPHRASE, in, out, NULL), 0);
	assert_int_equal(file_read(p->folder.fd, "sealed", OUTPUT_MAX, &sealed, NULL), 0);
	assert_int_equal(proc_run(argv, NULL, &sealed, &plain, OUTPUT_MAX, NULL), 0);
	assert_string_equal(plain.data, "hello");
}

/* --- homes --- */

static void a_private_home_is_ours_alone_and_gone_after_close(void **state)
{
	struct gpg *g = NULL;
	CLEANUP(freep) char *path = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(gpg_open_private(&g, NULL), 0);
	path = strdup(gpg_home_path(g));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	gpg_close(g);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(errno, ENOENT);
}

/* Does a process run with `path` among its arguments? */
static bool in_use(const char *path)
{
	DIR *proc = opendir("/proc");
	bool found = false;

	assert_non_null(proc);
	for (struct dirent *d = readdir(proc); d && !found; d = readdir(proc)) {
		char name[300], args[4096] = "";

		if (d->d_name[0] < '0' || d->d_name[0] > '9')
			continue;
		(void)snprintf(name, sizeof(name), "/proc/%s/cmdline", d->d_name);
		FILE *f = fopen(name, "r");
		if (!f)
			continue;
		size_t n = fread(args, 1, sizeof(args) - 1, f);
		(void)fclose(f);
		found = memmem(args, n, path, strlen(path)) != NULL;
	}
	(void)closedir(proc);
	return found;
}

/* In a child: start an agent in a private home, tell its path, wait to be killed. */
static void run_until_killed(int tell)
{
	struct gpg *g = NULL;
	char fpr[PGP_FPR_HEX_SIZE];

	/* A shell's background job, or nohup, ignores these, and so would we. */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	if (gpg_open_private(&g, NULL) < 0 || gpg_generate(g, "ed25519", "x", fpr, NULL) < 0)
		_exit(1);
	(void)!write(tell, gpg_home_path(g), strlen(gpg_home_path(g)));
	(void)close(tell);
	for (;;)
		(void)pause();
}

static void a_private_home_and_its_agent_do_not_outlive_a_signal(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGKILL};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		const struct timespec tick = {.tv_nsec = 10 * 1000 * 1000};
		char path[256] = "";
		int ends[2], tries = 0;

		assert_int_equal(pipe(ends), 0);
		pid_t pid = fork();
		if (pid == 0)
			run_until_killed(ends[1]);
		(void)close(ends[1]);
		assert_true(read(ends[0], path, sizeof(path) - 1) > 0);
		(void)close(ends[0]);
		assert_true(in_use(path));
		assert_int_equal(kill(pid, signals[i]), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		while ((in_use(path) || access(path, F_OK) == 0) && tries++ < 500)
			(void)nanosleep(&tick, NULL);
		assert_true(tries < 500);
	}
}

/* The folder that the home's socket was redirected to. */
static void remove_socket_folder(const char *home)
{
	static const char head[] = "%Assuan%\nsocket=";
	CLEANUP(buf_clear) struct buf path = {0};
	CLEANUP(buf_clear) struct buf text = {0};
	char *folder, *end;

	assert_int_equal(buf_printf(&path, NULL, "%s/S.gpg-agent", home), 0);
	assert_int_equal(file_read(AT_FDCWD, path.data, 4096, &text, NULL), 0);
	assert_memory_equal(text.data, head, strlen(head));
	folder = text.data + strlen(head);
	end = strstr(folder, "/S.gpg-agent");
	assert_non_null(end);
	*end = '\0';
	assert_int_equal(file_remove_tree(AT_FDCWD, folder, NULL), 0);
}

static void a_home_with_a_long_path_gets_a_short_socket(void **state)
{
	const struct people *p = *state;
	CLEANUP(buf_clear) struct buf path = {0};
	char fpr[PGP_FPR_HEX_SIZE];
	struct error err = {0};

	assert_int_equal(buf_printf(&path, NULL, "%s/%0100d/gnupg", p->folder.path, 0), 0);
	assert_int_equal(file_mkdir(AT_FDCWD, path.data, 0700, NULL), 0);
	for (int again = 0; again < 2; again++) {
		CLEANUP(gpg_closep) struct gpg *g = NULL;

		assert_int_equal(gpg_open(path.data, &g, &err), 0);
		if (!again)
			assert_int_equal(
				gpg_generate(g, "ed25519", "Deep <deep@example.org>", fpr, &err),
				0);
		check_signer(g, "deep@example.org", KEY_PGP_ED25519, fpr);
		kill_agent(g);
		/* Whatever cleans /tmp: the next one makes it again. */
		remove_socket_folder(path.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_persons_configuration_does_not_change_what_is_signed),
		cmocka_unit_test(gpg_says_whom_it_does_not_know),
		cmocka_unit_test(gpg_signs_with_the_signing_subkey),
		cmocka_unit_test(import_wants_exactly_one_certificate),
		cmocka_unit_test(encryption_is_to_one_subkey_and_names_the_file),
		cmocka_unit_test(decryption_refuses_damage_and_what_was_never_encrypted),
		cmocka_unit_test(a_bomb_is_not_decrypted_into_memory),
		cmocka_unit_test(a_sealed_key_signs_as_its_pem_does),
		cmocka_unit_test(streams_are_sealed_and_opened_by_the_passphrase),
		cmocka_unit_test(a_stream_opens_with_stock_gpg),
		cmocka_unit_test(a_private_home_is_ours_alone_and_gone_after_close),
		cmocka_unit_test(a_private_home_and_its_agent_do_not_outlive_a_signal),
		cmocka_unit_test(a_home_with_a_long_path_gets_a_short_socket),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
