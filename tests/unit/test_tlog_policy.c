/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tlog/policy.h"

#include <stdio.h>

#include "lib/base/hex.h"
#include "tests/support/logbox.h"
#include "tests/unit/unit.h"

enum { WITNESSES = 6 };

#define ORIGIN "log.example/a"

/* A key of type 06 (ML-DSA-44), whose 1312 bytes are all zero. */
#define ML_DSA_NAME "pq.example"

struct keys {
	struct logbox log, other;
	struct note_key key[WITNESSES];
	unsigned char seed[WITNESSES][32];
	char *log_vkey, *other_vkey, *vkey[WITNESSES];
};

static int setup(void **state)
{
	struct keys *k = calloc(1, sizeof(*k));

	assert_non_null(k);
	logbox_open(&k->log, ORIGIN, 1);
	logbox_open(&k->other, "log.example/b", 2);
	logbox_grow(&k->log, 5, UINT64_MAX);
	logbox_grow(&k->other, 5, UINT64_MAX);
	k->log_vkey = logbox_vkey(&k->log.key);
	k->other_vkey = logbox_vkey(&k->other.key);
	for (size_t i = 0; i < WITNESSES; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "wit-%c.example", (char)('a' + i));
		logbox_key((unsigned char)(10 + i), name, NOTE_COSIGNATURE, k->seed[i], &k->key[i]);
		k->vkey[i] = logbox_vkey(&k->key[i]);
	}
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	struct keys *k = *state;

	logbox_close(&k->log);
	logbox_close(&k->other);
	free(k->log_vkey);
	free(k->other_vkey);
	for (size_t i = 0; i < WITNESSES; i++)
		free(k->vkey[i]);
	free(k);
	return 0;
}

/* Replace $L and $O by the logs' keys, $a to $f by the witnesses'. */
static void fill(const struct keys *k, const char *text, struct buf *out)
{
	for (; *text; text++) {
		const char *value;

		if (*text != '$') {
			assert_int_equal(buf_add(out, text, 1, NULL), 0);
			continue;
		}
		text++;
		value = *text == 'L'   ? k->log_vkey
			: *text == 'O' ? k->other_vkey
				       : k->vkey[*text - 'a'];
		assert_int_equal(buf_puts(out, value, NULL), 0);
	}
}

static int parse(const struct keys *k, const char *text, struct tlog_policy **out,
		 struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};

	fill(k, text, &bytes);
	return tlog_policy_parse(bytes.data, bytes.len, out, err);
}

#define WITNESSES_A_TO_F \
	"witness a $a\nwitness b $b\nwitness c $c\nwitness d $d\nwitness e $e\nwitness f $f\n"

/* A checkpoint of the log, cosigned by the witnesses of these letters. */
static void cosigned(const struct keys *k, const struct logbox *log, const char *by,
		     struct buf *out)
{
	CLEANUP(buf_clear) struct buf text = {0};
	size_t len;

	logbox_checkpoint(log, 5, out);
	len = (size_t)(strstr(out->data, "\n\n") - out->data) + 1;
	assert_int_equal(buf_add(&text, out->data, len, NULL), 0);
	for (; *by; by++)
		assert_int_equal(note_sign_line(&k->key[*by - 'a'], k->seed[*by - 'a'], &text,
						1700000000, out, NULL),
				 0);
}

static int judge(const struct keys *k, const char *policy, const char *by, struct error *err)
{
	CLEANUP(tlog_policy_freep) struct tlog_policy *p = NULL;
	CLEANUP(buf_clear) struct buf note = {0};
	struct checkpoint c;

	assert_int_equal(parse(k, policy, &p, NULL), 0);
	cosigned(k, &k->log, by, &note);
	assert_int_equal(checkpoint_parse(note.data, note.len, &c, NULL), 0);
	return tlog_policy_verify(p, &c, err);
}

static void a_policy_is_read_whole(void **state)
{
	static const char text[] = "# who watches\n"
				   "\n"
				   "  \t# a comment with blanks before it\n"
				   "log $L https://log.example/a\n"
				   "log\t$O\n"
				   "witness  a \t $a http://a.example:8080/x\n"
				   "witness b $b\n"
				   "group both all a b\n"
				   "witness c $c\n"
				   "group g 1 both c\t\n"
				   "quorum g\n";
	CLEANUP(tlog_policy_freep) struct tlog_policy *p = NULL;

	assert_int_equal(parse(*state, text, &p, NULL), 0);
	assert_int_equal(p->nlogs, 2);
	assert_string_equal(p->logs[0].key.name, ORIGIN);
	assert_string_equal(p->logs[0].url, "https://log.example/a");
	assert_null(p->logs[1].url);
	assert_int_equal(p->nnodes, 5);
	assert_string_equal(p->nodes[0].name, "a");
	assert_string_equal(p->nodes[0].url, "http://a.example:8080/x");
	assert_null(p->nodes[1].url);
	assert_int_equal(p->nodes[2].need, 2);
	assert_int_equal(p->nodes[2].members, 2);
	assert_int_equal(p->nodes[0].parent, 2);
	assert_int_equal(p->nodes[2].parent, 4);
	assert_int_equal(p->quorum, 4);
}

static void a_quorum_is_what_was_written(void **state)
{
	static const struct {
		const char *policy, *yes[4], *no[5];
	} cases[] = {
		{"log $L\nquorum none\n", {"", "a"}, {NULL}},
		{"log $L\nwitness a $a\nquorum a\n", {"a", "ab"}, {"", "b"}},
		{"log $L\n" WITNESSES_A_TO_F "group g any a b\nquorum g\n",
		 {"a", "b", "ab"},
		 {"", "c", "cdef"}},
		{"log $L\n" WITNESSES_A_TO_F "group g all a b c\nquorum g\n",
		 {"abc", "abcd"},
		 {"", "ab", "abd", "defa"}},
		{"log $L\n" WITNESSES_A_TO_F "group g 2 a b c\nquorum g\n",
		 {"ab", "ca", "bc", "abc"},
		 {"", "a", "ad", "def"}},
		{"log $L\n" WITNESSES_A_TO_F
		 "group one 2 a b c\ngroup two any d e\ngroup g all one two f\nquorum g\n",
		 {"abdf", "bcef", "abcdef"},
		 {"abcde", "adef", "abcf", "def"}},
		/* What is not below the quorum does not count. */
		{"log $L\n" WITNESSES_A_TO_F "group g any a b\ngroup h all c d\nquorum h\n",
		 {"cd", "abcd"},
		 {"ab", "abc"}},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t n = 0; n < 4 && cases[i].yes[n]; n++)
			assert_int_equal(judge(*state, cases[i].policy, cases[i].yes[n], NULL), 0);
		for (size_t n = 0; n < 5 && cases[i].no[n]; n++) {
			struct error err = {0};

			assert_error(judge(*state, cases[i].policy, cases[i].no[n], &err),
				     E_UNTRUSTED, &err, "has not cosigned");
		}
	}
}

static void the_log_must_be_one_of_the_policy(void **state)
{
	struct error err = {0};

	assert_error(judge(*state, "log $O\nquorum none\n", "", &err), E_UNTRUSTED, &err,
		     "not signed by log");
	assert_error(judge(*state, "quorum none\n", "", &err), E_UNTRUSTED, &err,
		     "not signed by log");
}

/* A signature that is there and wrong is worse than none, quorum or not. */
static void a_wrong_signature_rejects_all(void **state)
{
	static const char policy[] = "log $L\n" WITNESSES_A_TO_F "group g any a b\nquorum g\n";
	const struct keys *k = *state;
	CLEANUP(tlog_policy_freep) struct tlog_policy *p = NULL;
	struct error err = {0};

	assert_int_equal(parse(k, policy, &p, NULL), 0);
	for (const char *who = "Lf"; *who; who++) {
		CLEANUP(buf_clear) struct buf note = {0};
		struct checkpoint c;
		char *line, *last;

		cosigned(k, &k->log, "af", &note);
		line = strstr(note.data, *who == 'L' ? "\xe2\x80\x94 log" : "\xe2\x80\x94 wit-f");
		last = strchr(line, '\n') - 10;
		*last = *last == 'A' ? 'B' : 'A';
		assert_int_equal(checkpoint_parse(note.data, note.len, &c, NULL), 0);
		assert_error(tlog_policy_verify(p, &c, &err), E_UNTRUSTED, &err, "is wrong");
	}
}

static void each_rule_of_the_form_is_kept(void **state)
{
	static const struct {
		const char *text, *complaint;
	} bad[] = {
		{"", "no quorum line"},
		{"log $L\n", "no quorum line"},
		{"quorum none", "line 1: does not end"},
		{"quorum none\nquorum none\n", "line 2: quorum: is there twice"},
		{"quorum\n", "line 1: quorum: want one name"},
		{"quorum none none\n", "want one name"},
		{"quorum a\nwitness a $a\n", "line 1: quorum: a: not defined above"},
		{"Log $L\nquorum none\n", "line 1: want log, witness, group or quorum"},
		{"log\nquorum none\n", "log: want a key"},
		{"log $L https://x y\nquorum none\n", "log: want a key"},
		{"log x\nquorum none\n", "verifier key"},
		{"log $a\nquorum none\n", "is a witness's key"},
		{"log $L\nlog $L\nquorum none\n", "line 2: key " ORIGIN ": is there twice"},
		{"log $L ftp://x\nquorum none\n", "url: want http"},
		{"log $L https://\nquorum none\n", "url: want http"},
		{"log $L https://\xc3\xa4\nquorum none\n", "url: want ASCII"},
		{"witness a\nquorum none\n", "witness: want a name and a key"},
		{"witness a $a https://x y\nquorum none\n", "witness: want a name and a key"},
		{"witness a $L\nquorum none\n", "is a log's key"},
		{"witness a $a\nwitness a $b\nquorum none\n", "line 2: name a: is taken"},
		{"witness a $a\nwitness b $a\nquorum none\n", "line 2: key wit-a.example: is"},
		{"witness none $a\nquorum none\n", "name none: is taken"},
		{"witness a $a\ngroup g any\nquorum g\n", "group: want a name"},
		{"witness a $a\ngroup g 0 a\nquorum g\n", "want all, any, or 1 to 1"},
		{"witness a $a\ngroup g 2 a\nquorum g\n", "want all, any, or 1 to 1"},
		{"witness a $a\ngroup g 01 a\nquorum g\n", "want all, any, or 1 to 1"},
		{"witness a $a\ngroup g +1 a\nquorum g\n", "want all, any, or 1 to 1"},
		{"witness a $a\ngroup g most a\nquorum g\n", "want all, any, or 1 to 1"},
		{"witness a $a\ngroup a any a\nquorum a\n", "line 2: name a: is taken"},
		{"witness a $a\ngroup g any b\nwitness b $b\nquorum g\n", "b: not defined above"},
		{"witness a $a\ngroup g any g\nquorum g\n", "g: not defined above"},
		{"witness a $a\ngroup g any none\nquorum g\n", "none: not defined above"},
		{"witness a $a\ngroup g any a a\nquorum g\n", "a: is a member already"},
		{"witness a $a\ngroup g any a\ngroup h any a\nquorum g\n", "a: is a member"},
		{"witness a $a # friend\nquorum none\n", "a comment needs a line of its own"},
		{"quorum none\r\n", "control characters"},
		{"quorum\vnone\n", "control characters"},
		{"# \xff\nquorum none\n", "not UTF-8"},
		/* A no-break space is not a blank. */
		{"quorum\xc2\xa0none\n", "want log, witness"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct tlog_policy *p = NULL;
		struct error err = {0};

		assert_error(parse(*state, bad[i].text, &p, &err), E_INVALID, &err,
			     bad[i].complaint);
		assert_null(p);
	}
}

static void nul_is_no_text(void **state)
{
	static const char text[] = "quorum none\n# \0\n";
	struct tlog_policy *p = NULL;
	struct error err = {0};

	(void)state;
	assert_error(tlog_policy_parse(text, sizeof(text) - 1, &p, &err), E_INVALID, &err,
		     "control characters");
	assert_int_equal(tlog_policy_parse(NULL, 0, &p, &err), E_INVALID);
}

/* A vkey of a type that is not known here, over `len` zero bytes. */
static void strange_vkey(const char *name, int type, size_t len, struct buf *out)
{
	CLEANUP(buf_clear) struct buf raw = {0};
	unsigned char sum[SHA256_LEN];
	char hex[9];

	assert_int_equal(buf_printf(&raw, NULL, "%s\n%c", name, type), 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(buf_add(&raw, "", 1, NULL), 0);
	sha256(raw.data, raw.len, sum);
	hex_encode(sum, 4, hex);
	assert_int_equal(buf_printf(out, NULL, "%s+%s+", name, hex), 0);
	assert_int_equal(base64_encode(raw.data + strlen(name) + 1, len + 1, out, NULL), 0);
}

/* ML-DSA-44 (06) and whatever comes later: read, and never a vote. */
static void keys_of_other_types_never_count(void **state)
{
	static const int types[] = {2, 5, 6, 0xfa};
	const struct keys *k = *state;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		CLEANUP(tlog_policy_freep) struct tlog_policy *p = NULL;
		CLEANUP(tlog_policy_freep) struct tlog_policy *twice = NULL;
		CLEANUP(buf_clear) struct buf vkey = {0};
		CLEANUP(buf_clear) struct buf text = {0};
		CLEANUP(buf_clear) struct buf note = {0};
		struct checkpoint c;
		struct error err = {0};

		strange_vkey(ML_DSA_NAME, types[i], 1312, &vkey);
		assert_int_equal(buf_printf(&text, NULL,
					    "log %s\nwitness a %s\nwitness q %s\n"
					    "group g all a q\nquorum g\n",
					    k->log_vkey, k->vkey[0], vkey.data),
				 0);
		assert_int_equal(tlog_policy_parse(text.data, text.len, &p, NULL), 0);
		cosigned(k, &k->log, "a", &note);
		/* Some signature by that key, of whatever length. */
		assert_int_equal(
			buf_puts(&note, "\xe2\x80\x94 " ML_DSA_NAME " AAAAAAAAAAAA\n", NULL), 0);
		assert_int_equal(checkpoint_parse(note.data, note.len, &c, NULL), 0);
		assert_error(tlog_policy_verify(p, &c, &err), E_UNTRUSTED, &err, "quorum, g");
		assert_int_equal(buf_printf(&text, NULL, "witness r %s\n", vkey.data), 0);
		assert_error(tlog_policy_parse(text.data, text.len, &twice, &err), E_INVALID, &err,
			     "is there twice");
	}
}

/* One below, at, and one above what fits. */
static void numbers_are_bounded(void **state)
{
	(void)state;
	for (size_t n = TLOG_POLICY_NODES_MAX; n <= TLOG_POLICY_NODES_MAX + 1; n++) {
		CLEANUP(tlog_policy_freep) struct tlog_policy *p = NULL;
		CLEANUP(buf_clear) struct buf text = {0};
		struct error err = {0};
		int r;

		for (size_t i = 0; i < n; i++) {
			CLEANUP(buf_clear) struct buf vkey = {0};
			char name[32];

			(void)snprintf(name, sizeof(name), "w%u", (unsigned)i);
			strange_vkey(name, 6, 2, &vkey);
			assert_int_equal(
				buf_printf(&text, NULL, "witness %s %s\n", name, vkey.data), 0);
		}
		assert_int_equal(buf_puts(&text, "quorum w0\n", NULL), 0);
		r = tlog_policy_parse(text.data, text.len, &p, &err);
		if (n <= TLOG_POLICY_NODES_MAX)
			assert_int_equal(r, 0);
		else
			assert_error(r, E_INVALID, &err, "line 257: more than 256 witnesses");
	}
	for (size_t n = TLOG_POLICY_LOGS_MAX; n <= TLOG_POLICY_LOGS_MAX + 1; n++) {
		CLEANUP(tlog_policy_freep) struct tlog_policy *p = NULL;
		CLEANUP(buf_clear) struct buf text = {0};
		struct error err = {0};
		int r;

		for (size_t i = 0; i < n; i++) {
			char name[32];

			(void)snprintf(name, sizeof(name), "l%u", (unsigned)i);
			assert_int_equal(buf_puts(&text, "log ", NULL), 0);
			strange_vkey(name, 6, 2, &text);
			assert_int_equal(buf_puts(&text, "\n", NULL), 0);
		}
		assert_int_equal(buf_puts(&text, "quorum none\n", NULL), 0);
		r = tlog_policy_parse(text.data, text.len, &p, &err);
		if (n <= TLOG_POLICY_LOGS_MAX)
			assert_int_equal(r, 0);
		else
			assert_error(r, E_INVALID, &err, "line 4097: more than 4096 logs");
	}
}

/* A group of everybody is as large as there are members. */
static void names_and_lines_are_bounded(void **state)
{
	const struct keys *k = *state;

	for (size_t n = NOTE_NAME_MAX; n <= NOTE_NAME_MAX + 1; n++) {
		CLEANUP(tlog_policy_freep) struct tlog_policy *p = NULL;
		CLEANUP(buf_clear) struct buf text = {0};
		struct error err = {0};
		int r;

		assert_int_equal(buf_puts(&text, "witness ", NULL), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(buf_puts(&text, "x", NULL), 0);
		assert_int_equal(buf_printf(&text, NULL, " %s\nquorum none\n", k->vkey[0]), 0);
		r = tlog_policy_parse(text.data, text.len, &p, &err);
		if (n <= NOTE_NAME_MAX)
			assert_int_equal(r, 0);
		else
			assert_error(r, E_INVALID, &err, "a name of more than 255 bytes");
	}
	for (size_t n = 259; n <= 260; n++) {
		CLEANUP(tlog_policy_freep) struct tlog_policy *p = NULL;
		CLEANUP(buf_clear) struct buf text = {0};
		struct error err = {0};

		for (size_t i = 0; i < n; i++)
			assert_int_equal(buf_puts(&text, "x ", NULL), 0);
		assert_int_equal(buf_puts(&text, "\n", NULL), 0);
		assert_error(tlog_policy_parse(text.data, text.len, &p, &err), E_INVALID, &err,
			     n == 259 ? "want log" : "more than 259 fields");
	}
}

static void keys_of_a_log_are_found(void **state)
{
	const struct keys *k = *state;
	CLEANUP(tlog_policy_freep) struct tlog_policy *p = NULL;
	CLEANUP(buf_clear) struct buf text = {0};
	struct note_key found[2];

	assert_int_equal(
		buf_printf(&text, NULL, "log %s\nlog %s\nlog ", k->log_vkey, k->other_vkey), 0);
	strange_vkey(ORIGIN, 6, 9, &text);
	assert_int_equal(buf_puts(&text, "\nquorum none\n", NULL), 0);
	assert_int_equal(tlog_policy_parse(text.data, text.len, &p, NULL), 0);
	assert_int_equal(tlog_policy_log_keys(p, ORIGIN, found, 2), 2);
	assert_int_equal(found[0].type, NOTE_ED25519);
	assert_int_equal(found[1].type, 6);
	assert_int_equal(tlog_policy_log_keys(p, ORIGIN, found, 1), 2);
	assert_int_equal(tlog_policy_log_keys(p, "log.example/c", found, 2), 0);
}

static void out_of_memory_is_reported(void **state)
{
	static const char text[] = "log $L https://x\nwitness a $a https://y\n"
				   "group g all a\nquorum g\n";
	const struct keys *k = *state;
	CLEANUP(buf_clear) struct buf bytes = {0};
	bool done = false;

	fill(k, text, &bytes);
	for (long n = 0; !done; n++) {
		CLEANUP(tlog_policy_freep) struct tlog_policy *p = NULL;
		int r;

		oom_after(n);
		r = tlog_policy_parse(bytes.data, bytes.len, &p, NULL);
		done = !oom_fired();
		assert_int_equal(r, done ? 0 : E_NOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_is_read_whole),
		cmocka_unit_test(a_quorum_is_what_was_written),
		cmocka_unit_test(the_log_must_be_one_of_the_policy),
		cmocka_unit_test(a_wrong_signature_rejects_all),
		cmocka_unit_test(each_rule_of_the_form_is_kept),
		cmocka_unit_test(nul_is_no_text),
		cmocka_unit_test(keys_of_other_types_never_count),
		cmocka_unit_test(numbers_are_bounded),
		cmocka_unit_test(names_and_lines_are_bounded),
		cmocka_unit_test(keys_of_a_log_are_found),
		cmocka_unit_test(out_of_memory_is_reported),
	};

	return cmocka_run_group_tests_name("tlog_policy", tests, setup, teardown);
}
