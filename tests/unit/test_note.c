/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tlog/note.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/hex.h"
#include "lib/sign/ed25519.h"
#include "tests/unit/unit.h"

#define DASH "\xe2\x80\x94 "

/* From the documentation of Go's golang.org/x/mod/sumdb/note. */
#define NEUMANN_KEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define NEUMANN_TEXT \
	"If you think cryptography is the answer to your problem,\n" \
	"then you don't know what your problem is.\n"
#define NEUMANN_LINE \
	DASH "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqd" \
	     "ngotpRZb6KE6RyyBwJnAM=\n"
#define NEUMANN NEUMANN_TEXT "\n" NEUMANN_LINE

static struct note_key key(const char *vkey)
{
	struct note_key k;

	assert_int_equal(note_key_parse(vkey, &k, NULL), 0);
	return k;
}

static struct note_key made(unsigned char seed, const char *name, int type)
{
	unsigned char raw[32], pub[32];
	struct note_key k;

	memset(raw, seed, sizeof(raw));
	assert_int_equal(ed25519_public(raw, pub, NULL), 0);
	assert_int_equal(note_key_make(name, type, pub, &k, NULL), 0);
	return k;
}

static void sign(struct buf *note, size_t text_len, unsigned char seed, const struct note_key *k,
		 int64_t time)
{
	CLEANUP(buf_clear) struct buf text = {0};
	unsigned char raw[32];

	memset(raw, seed, sizeof(raw));
	assert_int_equal(buf_add(&text, note->data, text_len, NULL), 0);
	assert_int_equal(note_sign_line(k, raw, &text, time, note, NULL), 0);
}

static struct note parsed(const struct buf *b)
{
	struct note n;

	assert_int_equal(note_parse(b->data, b->len, &n, NULL), 0);
	return n;
}

static void keys_survive_writing(void **state)
{
	static const char *const vkeys[] = {
		NEUMANN_KEY,
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"wit-1.example+991bdd91+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vkeys); i++) {
		CLEANUP(buf_clear) struct buf out = {0};
		struct note_key k = key(vkeys[i]);

		assert_int_equal(note_key_format(&k, &out, NULL), 0);
		assert_string_equal(out.data, vkeys[i]);
	}
}

static void keys_are_made_as_other_programs_make_them(void **state)
{
	struct note_key log = made(1, "log.example/a", NOTE_ED25519);
	struct note_key wit = made(2, "wit-1.example", NOTE_COSIGNATURE);
	CLEANUP(buf_clear) struct buf out = {0};

	(void)state;
	assert_int_equal(note_key_format(&log, &out, NULL), 0);
	assert_int_equal(buf_puts(&out, " ", NULL), 0);
	assert_int_equal(note_key_format(&wit, &out, NULL), 0);
	assert_string_equal(out.data,
			    "log.example/a+870806f8+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c "
			    "wit-1.example+991bdd91+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU");
}

static void malformed_keys_are_refused(void **state)
{
	static const struct {
		const char *vkey, *part;
	} bad[] = {
		{"", "want name+id+key"},
		{"name", "want name+id+key"},
		{"name+530d903a", "want name+id+key"},
		{"+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "want name+id+key"},
		{"a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "want name+id+key"},
		{"example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		 "want name+id+key"},
		{"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		 "lower-case hex"},
		{"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		 "of another key"},
		{"example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		 "of another key"},
		{"example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		 "of another key"}, /* the type is part of it */
		{"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k=",
		 "base64"},
		{"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2", "base64"},
		{"example.com/foo+530d903a+", "no key in it"},
		{"example.com/foo+530d903a+AQ==", "no key in it"},
		/* right ids, by sha256sum: 31 bytes of key; the key of order 1 */
		{"short+0a162702+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "want 32 bytes"},
		{"low+6e1a85db+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "unusable"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct note_key k = {.type = 77};
		struct error err = {0};

		assert_error(note_key_parse(bad[i].vkey, &k, &err), E_INVALID, &err, bad[i].part);
		assert_int_equal(k.type, 77); /* untouched */
	}
}

static void names_have_no_space_and_no_plus(void **state)
{
	static const char *const bad[] = {
		"",     "a b",          "a+b",          "a\tb",         "a\nb",
		"\x01", "a\xc2\xa0",    "\xe3\x80\x80", "\xff",         "\xc2\x85",
		"\xc3", "\xe2\x80\xa8", "\xc0\xaf",     "\xe1\x9a\x80", "\xed\xa0\x80",
	};
	char longest[NOTE_NAME_MAX + 2];
	unsigned char pub[32] = {9};
	struct note_key k;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(note_key_make(bad[i], NOTE_ED25519, pub, &k, NULL), E_INVALID);
	memset(longest, 'n', sizeof(longest));
	longest[NOTE_NAME_MAX + 1] = '\0';
	assert_int_equal(note_key_make(longest, NOTE_ED25519, pub, &k, NULL), E_INVALID);
	longest[NOTE_NAME_MAX] = '\0';
	assert_int_equal(note_key_make(longest, NOTE_ED25519, pub, &k, NULL), 0);
	assert_int_equal(note_key_make("m\xc3\xbcnchen/1", NOTE_ED25519, pub, &k, NULL), 0);
}

static void keys_of_other_types_verify_nothing(void **state)
{
	static const unsigned char pub[32] = {9};
	/* Type ff, its id by sha256sum. */
	struct note_key k = key("other+a26eac68+/wEC");
	struct note n;
	struct note_key out;

	(void)state;
	assert_int_equal(k.type, 0xff);
	assert_int_equal(note_parse(NEUMANN, strlen(NEUMANN), &n, NULL), 0);
	memcpy(k.name, "PeterNeumann", sizeof("PeterNeumann"));
	memcpy(k.id, "\xc7\x4f\x20\xa3", 4);
	assert_int_equal(note_verify(&n, &k, NULL, NULL), 0);
	assert_int_equal(note_key_make("x", 0xff, pub, &out, NULL), E_INVALID);
}

static void a_note_by_another_program_verifies(void **state)
{
	struct note_key k = key(NEUMANN_KEY);
	struct note n;

	(void)state;
	assert_int_equal(note_parse(NEUMANN, strlen(NEUMANN), &n, NULL), 0);
	assert_int_equal(n.text_len, strlen(NEUMANN_TEXT));
	assert_memory_equal(n.text, NEUMANN_TEXT, n.text_len);
	assert_int_equal(note_verify(&n, &k, NULL, NULL), 1);
}

static void text_may_hold_empty_lines(void **state)
{
	struct note_key k = made(1, "k", NOTE_ED25519);
	CLEANUP(buf_clear) struct buf b = {0};
	struct note n;

	(void)state;
	assert_int_equal(buf_puts(&b, "one\n\ntwo\n\n\nthree\n", NULL), 0);
	size_t len = b.len;
	assert_int_equal(buf_puts(&b, "\n", NULL), 0);
	sign(&b, len, 1, &k, 0);
	n = parsed(&b);
	assert_int_equal(n.text_len, len);
	assert_int_equal(note_verify(&n, &k, NULL, NULL), 1);
}

static void malformed_notes_are_refused(void **state)
{
	static const struct {
		const char *note, *part;
	} bad[] = {
		{"", "no empty line"},
		{"\n", "no empty line"},
		{"text\n" NEUMANN_LINE, "no empty line"},
		{"text\n\n", "no signature"},
		{"text\n\n" NEUMANN_LINE "\n", "no signature"},
		{"text\n\nx", "line 1 is malformed"},
		{"text\n\nx\n", "line 1 is malformed"},
		{"text\n\n\xe2\x80\x94\n", "line 1 is malformed"},
		{"text\n\n" DASH "\n", "line 1 is malformed"},
		{"text\n\n" DASH "name\n", "line 1 is malformed"},
		{"text\n\n" DASH " AAAAAAAA\n", "line 1 is malformed"},
		{"text\n\n- name AAAAAAAA\n", "line 1 is malformed"},
		{"text\n\n" DASH "na+me AAAAAAAA\n", "line 1 is malformed"},
		{"text\n\n" DASH "na\xc2\xa0me AAAAAAAA\n", "line 1 is malformed"},
		{"text\n\n" DASH "name AAAAAAAA", "line 1 is malformed"},
		{"text\n\n" NEUMANN_LINE "x\n", "line 2 is malformed"},
		{"text\n\n" DASH "name AAAAAA==\n", "name: too short"},
		{"text\n\n" DASH "name AAAAAAA\n", "base64"},
		{"text\n\n" DASH "name AAAAAAB=\n", "base64"}, /* stray bits */
		{"text\n\n" DASH "name AAAA AAA\n", "base64"},
		{"text\n\n" DASH "name  AAAAAAA\n", "base64"},
		{"te\rxt\n\n" NEUMANN_LINE, "control"},
		{"te\x01xt\n\n" NEUMANN_LINE, "control"},
		{"te\xffxt\n\n" NEUMANN_LINE, "UTF-8"},
		{"te\xc3\n\n" NEUMANN_LINE, "UTF-8"},
		{"\xe0\x80\x80\n\n" NEUMANN_LINE, "UTF-8"},
		{"\xf4\x90\x80\x80\n\n" NEUMANN_LINE, "UTF-8"},
		{"\xed\xbf\xbf\n\n" NEUMANN_LINE, "UTF-8"},
		{"\xf8\x88\x80\x80\x80\n\n" NEUMANN_LINE, "UTF-8"},
		{"\xf8\x90\x80\x80\n\n" NEUMANN_LINE, "UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct note n = {.text_len = 77};
		struct error err = {0};

		assert_error(note_parse(bad[i].note, strlen(bad[i].note), &n, &err), E_INVALID,
			     &err, bad[i].part);
		assert_int_equal(n.text_len, 77);
	}
	assert_int_equal(note_parse("te\0xt\n\n" NEUMANN_LINE, strlen("te.xt\n\n" NEUMANN_LINE),
				    &(struct note){0}, NULL),
			 E_INVALID);
}

static void length_and_signatures_are_bounded(void **state)
{
	CLEANUP(buf_clear) struct buf b = {0};
	struct error err = {0};
	struct note n;

	(void)state;
	assert_int_equal(buf_puts(&b, "text\n\n", NULL), 0);
	for (int i = 0; i < NOTE_SIGNATURES_MAX; i++)
		assert_int_equal(buf_puts(&b, DASH "n AAAAAAAA\n", NULL), 0);
	assert_int_equal(note_parse(b.data, b.len, &n, NULL), 0);
	assert_int_equal(buf_puts(&b, DASH "n AAAAAAAA\n", NULL), 0);
	assert_error(note_parse(b.data, b.len, &n, &err), E_INVALID, &err, "more than 64");

	buf_clear(&b);
	assert_int_equal(buf_reserve(&b, NOTE_MAX + 1, NULL), 0);
	memset(b.data, 'x', NOTE_MAX);
	b.len = NOTE_MAX - strlen("\n\n" NEUMANN_LINE);
	assert_int_equal(buf_puts(&b, "\n\n" NEUMANN_LINE, NULL), 0);
	assert_int_equal(note_parse(b.data, b.len, &n, NULL), 0);
	assert_error(note_parse(b.data, b.len + 1, &n, &err), E_INVALID, &err, "longer than");
}

static void unknown_keys_are_ignored(void **state)
{
	struct note_key k = key(NEUMANN_KEY);
	struct note_key namesake = made(1, "PeterNeumann", NOTE_ED25519);
	struct note_key stranger = made(1, "Stranger", NOTE_ED25519);
	CLEANUP(buf_clear) struct buf b = {0};
	struct note n;

	(void)state;
	assert_int_equal(buf_puts(&b,
				  NEUMANN_TEXT "\n" DASH "Stranger AAAAAAAA\n" DASH
					       "PeterNeumann AAAAAAAA\n" NEUMANN_LINE,
				  NULL),
			 0);
	n = parsed(&b);
	assert_int_equal(note_verify(&n, &k, NULL, NULL), 1);
	assert_int_equal(note_verify(&n, &namesake, NULL, NULL), 0);
	assert_int_equal(note_verify(&n, &stranger, NULL, NULL), 0);
}

static void a_known_key_that_fails_rejects_the_note(void **state)
{
	/* Neumann's id, with zeros; too short; too long; the true one spoilt; after the true one.
	 */
	static const char *const lines[] = {
		DASH "PeterNeumann x08gowAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		     "AAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		DASH "PeterNeumann x08gowAA\n",
		DASH
		"PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgK"
		"vqfqdngotpRZb6KE6RyyBwJnAMA\n",
		DASH
		"PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgK"
		"vqfqdngotpRZb6KE6RyyBwJnAQ=\n",
		NEUMANN_LINE DASH "PeterNeumann x08gowAA\n",
		DASH "PeterNeumann x08gowAA\n" NEUMANN_LINE,
	};
	struct note_key k = key(NEUMANN_KEY);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		CLEANUP(buf_clear) struct buf b = {0};
		struct error err = {0};
		struct note n;

		assert_int_equal(buf_printf(&b, NULL, NEUMANN_TEXT "\n%s", lines[i]), 0);
		n = parsed(&b);
		assert_error(note_verify(&n, &k, NULL, &err), E_UNTRUSTED, &err,
			     "signature of PeterNeumann is wrong");
	}
}

static void every_byte_of_the_text_counts(void **state)
{
	struct note_key k = key(NEUMANN_KEY);
	char text[] = NEUMANN;

	(void)state;
	for (size_t i = 0; i < strlen(NEUMANN_TEXT) - 1; i++) {
		struct note n;

		text[i] ^= text[i] == '\n' ? 0x2a : 1;
		assert_int_equal(note_parse(text, strlen(text), &n, NULL), 0);
		assert_int_equal(note_verify(&n, &k, NULL, NULL), E_UNTRUSTED);
		text[i] = NEUMANN[i];
	}
}

static void cosignatures_carry_their_time(void **state)
{
	struct note_key k = made(2, "wit", NOTE_COSIGNATURE);
	static const int64_t times[] = {0, 1, 1700000000, INT64_C(253402300799)};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		CLEANUP(buf_clear) struct buf b = {0};
		int64_t at = -1;
		struct note n;

		assert_int_equal(buf_puts(&b, "text\n\n", NULL), 0);
		sign(&b, 5, 2, &k, times[i]);
		n = parsed(&b);
		assert_int_equal(note_verify(&n, &k, &at, NULL), 1);
		assert_int_equal(at, times[i]);
		assert_int_equal(note_verify(&n, &k, NULL, NULL), 1);
	}
}

static void a_cosignature_is_no_plain_signature(void **state)
{
	struct note_key co = made(2, "wit", NOTE_COSIGNATURE);
	struct note_key plain = made(2, "wit", NOTE_ED25519);
	CLEANUP(buf_clear) struct buf b = {0};
	struct note n;

	(void)state;
	assert_int_equal(buf_puts(&b, "text\n\n", NULL), 0);
	sign(&b, 5, 2, &plain, 0);
	n = parsed(&b);
	assert_int_equal(note_verify(&n, &co, NULL, NULL), 0); /* another id */
	memcpy(co.id, plain.id, sizeof(co.id));
	assert_int_equal(note_verify(&n, &co, NULL, NULL), E_UNTRUSTED);
}

static void the_time_of_a_cosignature_is_signed(void **state)
{
	struct note_key k = made(2, "wit", NOTE_COSIGNATURE);
	CLEANUP(buf_clear) struct buf b = {0};
	CLEANUP(buf_clear) struct buf raw = {0};
	CLEANUP(buf_clear) struct buf forged = {0};
	struct note n;

	(void)state;
	assert_int_equal(buf_puts(&b, "text\n\n", NULL), 0);
	sign(&b, 5, 2, &k, 1700000000);
	const char *sig = strrchr(b.data, ' ') + 1;
	assert_int_equal(base64_decode(sig, strlen(sig) - 1, &raw, NULL), 0);
	for (size_t i = 4; i < 12; i++) {
		raw.data[i] ^= 1;
		buf_clear(&forged);
		assert_int_equal(buf_puts(&forged, "text\n\n" DASH "wit ", NULL), 0);
		assert_int_equal(base64_encode(raw.data, raw.len, &forged, NULL), 0);
		assert_int_equal(buf_puts(&forged, "\n", NULL), 0);
		n = parsed(&forged);
		assert_int_equal(note_verify(&n, &k, NULL, NULL), E_UNTRUSTED);
		raw.data[i] ^= 1;
	}
}

/* A cosignature of any instant and length, signed as it should be. */
static void cosign_badly(uint64_t stamp, size_t extra, struct buf *note)
{
	struct note_key k = made(2, "wit", NOTE_COSIGNATURE);
	CLEANUP(buf_clear) struct buf message = {0};
	unsigned char seed[32], raw[4 + 8 + 64 + 8] = {0};

	memset(seed, 2, sizeof(seed));
	memcpy(raw, k.id, 4);
	for (unsigned i = 0; i < 8; i++)
		raw[4 + i] = (unsigned char)(stamp >> (56 - 8 * i));
	assert_int_equal(buf_printf(&message, NULL, "cosignature/v1\ntime %" PRIi64 "\ntext\n",
				    (int64_t)stamp),
			 0);
	assert_int_equal(ed25519_sign(seed, message.data, message.len, raw + 12, NULL), 0);
	assert_int_equal(buf_puts(note, "text\n\n" DASH "wit ", NULL), 0);
	assert_int_equal(base64_encode(raw, 4 + 8 + 64 + extra, note, NULL), 0);
	assert_int_equal(buf_puts(note, "\n", NULL), 0);
}

static void a_cosignature_has_one_length_and_a_real_time(void **state)
{
	static const struct {
		uint64_t stamp;
		size_t extra;
		int r;
	} known[] = {
		{1700000000, 0, 1},
		{1700000000, 1, E_UNTRUSTED},
		{UINT64_C(253402300799), 0, 1},
		{UINT64_C(253402300800), 0, E_UNTRUSTED},
		{UINT64_MAX, 0, E_UNTRUSTED},
	};
	struct note_key k = made(2, "wit", NOTE_COSIGNATURE);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		CLEANUP(buf_clear) struct buf b = {0};
		struct note n;

		cosign_badly(known[i].stamp, known[i].extra, &b);
		n = parsed(&b);
		assert_int_equal(note_verify(&n, &k, NULL, NULL), known[i].r);
	}
}

static void of_two_cosignatures_the_first_counts(void **state)
{
	struct note_key k = made(2, "wit", NOTE_COSIGNATURE);
	CLEANUP(buf_clear) struct buf b = {0};
	struct note n;
	int64_t at = 0;

	(void)state;
	assert_int_equal(buf_puts(&b, "text\n\n", NULL), 0);
	sign(&b, 5, 2, &k, 200);
	sign(&b, 5, 2, &k, 100);
	n = parsed(&b);
	assert_int_equal(note_verify(&n, &k, &at, NULL), 1);
	assert_int_equal(at, 200);
}

static void signing_needs_a_time_that_can_be_written(void **state)
{
	struct note_key k = made(2, "wit", NOTE_COSIGNATURE);
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(buf_clear) struct buf out = {0};
	unsigned char seed[32] = {2};

	(void)state;
	assert_int_equal(buf_puts(&text, "text\n", NULL), 0);
	assert_int_equal(note_sign_line(&k, seed, &text, -1, &out, NULL), E_INVALID);
	assert_int_equal(note_sign_line(&k, seed, &text, INT64_C(253402300800), &out, NULL),
			 E_INVALID);
	k.type = 6;
	assert_int_equal(note_sign_line(&k, seed, &text, 1, &out, NULL), E_INVALID);
	assert_int_equal(note_key_format(&k, &out, NULL), E_INVALID);
	assert_int_equal(out.len, 0);
}

static void out_of_memory_is_reported(void **state)
{
	struct note_key k = made(2, "wit", NOTE_COSIGNATURE), parsed_key;
	CLEANUP(buf_clear) struct buf text = {0};
	unsigned char seed[32];
	long n = 0;
	int r;

	(void)state;
	memset(seed, 2, sizeof(seed));
	assert_int_equal(buf_puts(&text, "text\n", NULL), 0);
	for (;; n++) {
		CLEANUP(buf_clear) struct buf out = {0};
		struct note note;

		oom_after(n);
		r = note_key_parse(NEUMANN_KEY, &parsed_key, NULL);
		if (r == 0)
			r = note_key_format(&k, &out, NULL);
		buf_clear(&out);
		if (r == 0)
			r = buf_puts(&out, "text\n\n", NULL);
		if (r == 0)
			r = note_sign_line(&k, seed, &text, 1, &out, NULL);
		if (r == 0)
			r = note_parse(out.data, out.len, &note, NULL);
		if (r == 0)
			r = note_verify(&note, &k, NULL, NULL);
		if (!oom_fired())
			break;
		assert_int_equal(r, E_NOMEM);
	}
	assert_int_equal(r, 1);
	assert_true(n > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_survive_writing),
		cmocka_unit_test(keys_are_made_as_other_programs_make_them),
		cmocka_unit_test(malformed_keys_are_refused),
		cmocka_unit_test(names_have_no_space_and_no_plus),
		cmocka_unit_test(keys_of_other_types_verify_nothing),
		cmocka_unit_test(a_note_by_another_program_verifies),
		cmocka_unit_test(text_may_hold_empty_lines),
		cmocka_unit_test(malformed_notes_are_refused),
		cmocka_unit_test(length_and_signatures_are_bounded),
		cmocka_unit_test(unknown_keys_are_ignored),
		cmocka_unit_test(a_known_key_that_fails_rejects_the_note),
		cmocka_unit_test(every_byte_of_the_text_counts),
		cmocka_unit_test(cosignatures_carry_their_time),
		cmocka_unit_test(a_cosignature_is_no_plain_signature),
		cmocka_unit_test(the_time_of_a_cosignature_is_signed),
		cmocka_unit_test(a_cosignature_has_one_length_and_a_real_time),
		cmocka_unit_test(of_two_cosignatures_the_first_counts),
		cmocka_unit_test(signing_needs_a_time_that_can_be_written),
		cmocka_unit_test(out_of_memory_is_reported),
	};

	return cmocka_run_group_tests_name("note", tests, NULL, NULL);
}
