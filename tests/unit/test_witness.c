/* SPDX-License-Identifier: Apache-2.0 */
/* What a witness answers, by the words of C2SP tlog-witness, and what it remembers. */
#include "registry/witness/witness.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>

#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/tlog/witness.h"
#include "tests/support/logbox.h"
#include "tests/unit/unit.h"

#define NOW INT64_C(1800000000)
#define ORIGIN "log.example/a"

struct box {
	char *dir;
	struct logbox log;
	struct witness *witness;
};

static void open_box(struct box *b)
{
	assert_int_equal(witness_open(b->dir, true, &b->witness, NULL), 0);
}

static int setup(void **state)
{
	struct box *b = calloc(1, sizeof(*b));
	CLEANUP(freep) char *vkey = NULL;

	assert_non_null(b);
	assert_int_equal(file_temp_dir(false, &b->dir, NULL), 0);
	logbox_open(&b->log, ORIGIN, 1);
	logbox_grow(&b->log, 300, UINT64_MAX);
	vkey = logbox_vkey(&b->log.key);
	assert_int_equal(witness_create(b->dir, "wit.example", NULL), 0);
	assert_int_equal(witness_know(b->dir, vkey, NULL), 0);
	open_box(b);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct box *b = *state;
	int r;

	witness_close(b->witness);
	logbox_close(&b->log);
	r = file_remove_tree(AT_FDCWD, b->dir, NULL);
	free(b->dir);
	free(b);
	return r;
}

static unsigned ask_bytes(struct box *b, const struct buf *body, int64_t now, struct buf *out)
{
	struct error err = {0};
	unsigned status = witness_add(b->witness, body->data, body->len, now, out, &err);

	/* Whoever is refused is told why; what says it all by a body needs no words. */
	if (status != WITNESS_COSIGN)
		assert_true(err.code != 0 && err.text[0]);
	return status;
}

static unsigned ask(struct box *b, const struct logbox *l, uint64_t old, uint64_t size)
{
	CLEANUP(buf_clear) struct buf body = {0};
	CLEANUP(buf_clear) struct buf out = {0};

	logbox_request(l, old, size, &body);
	return ask_bytes(b, &body, NOW, &out);
}

static char *head_path(const char *origin)
{
	char sum[SHA256_HEX_SIZE], below[WITNESS_PATH_SIZE];
	struct buf path = {0};

	sha256_hex(origin, strlen(origin), sum);
	assert_int_equal(buf_printf(&path, NULL, "public/%s/checkpoint", sum), 0);
	witness_path(origin, below);
	assert_string_equal(path.data + strlen("public/"), below);
	return buf_steal(&path);
}

static void cosigns_what_follows(void **state)
{
	static const uint64_t sizes[] = {0, 0, 1, 2, 7, 255, 256, 257, 257, 300};
	struct box *b = *state;
	uint64_t old = 0;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		CLEANUP(buf_clear) struct buf body = {0};
		CLEANUP(buf_clear) struct buf note = {0};
		CLEANUP(buf_clear) struct buf line = {0};
		struct checkpoint c;
		int64_t time = 0;

		logbox_request(&b->log, old, sizes[i], &body);
		assert_int_equal(ask_bytes(b, &body, NOW + (int64_t)i, &line), WITNESS_COSIGN);
		logbox_checkpoint(&b->log, sizes[i], &note);
		assert_int_equal(buf_add(&note, line.data, line.len, NULL), 0);
		assert_int_equal(checkpoint_parse(note.data, note.len, &c, NULL), 0);
		assert_int_equal(note_verify(&c.note, witness_key(b->witness), &time, NULL), 1);
		assert_int_equal(time, NOW + (int64_t)i);
		old = sizes[i];
	}
}

static void what_was_cosigned_is_served(void **state)
{
	CLEANUP(freep) char *path = head_path(ORIGIN);
	CLEANUP(buf_clear) struct buf want = {0};
	CLEANUP(buf_clear) struct buf body = {0};
	CLEANUP(buf_clear) struct buf line = {0};
	CLEANUP(buf_clear) struct buf file = {0};
	struct box *b = *state;

	logbox_request(&b->log, 0, 9, &body);
	assert_int_equal(ask_bytes(b, &body, NOW, &line), WITNESS_COSIGN);
	logbox_checkpoint(&b->log, 9, &want);
	assert_int_equal(buf_add(&want, line.data, line.len, NULL), 0);
	assert_int_equal(file_read(witness_data_dir(b->witness), path, NOTE_MAX, &file, NULL), 0);
	assert_string_equal(file.data, want.data);
}

/* A line by somebody else in the request is not passed on. */
static void only_the_log_and_the_witness_are_remembered(void **state)
{
	CLEANUP(freep) char *path = head_path(ORIGIN);
	CLEANUP(buf_clear) struct buf body = {0};
	CLEANUP(buf_clear) struct buf line = {0};
	CLEANUP(buf_clear) struct buf file = {0};
	struct box *b = *state;

	logbox_request(&b->log, 0, 9, &body);
	assert_int_equal(buf_puts(&body, "\xe2\x80\x94 other AAAAAAAA\n", NULL), 0);
	assert_int_equal(ask_bytes(b, &body, NOW, &line), WITNESS_COSIGN);
	assert_int_equal(file_read(witness_data_dir(b->witness), path, NOTE_MAX, &file, NULL), 0);
	assert_null(strstr(file.data, "other"));
}

/* Nobody needs a key to say what the log said sixty times. */
static void repeated_lines_leave_room_for_the_witness(void **state)
{
	CLEANUP(freep) char *path = head_path(ORIGIN);
	CLEANUP(buf_clear) struct buf body = {0};
	CLEANUP(buf_clear) struct buf more = {0};
	CLEANUP(buf_clear) struct buf line = {0};
	CLEANUP(buf_clear) struct buf file = {0};
	struct box *b = *state;
	struct checkpoint c;
	const char *log;

	logbox_request(&b->log, 0, 9, &body);
	log = strstr(body.data, "\xe2\x80\x94 ");
	assert_non_null(log);
	assert_int_equal(buf_puts(&more, log, NULL), 0);
	for (size_t i = 1; i < NOTE_SIGNATURES_MAX; i++)
		assert_int_equal(buf_add(&body, more.data, more.len, NULL), 0);
	assert_int_equal(ask_bytes(b, &body, NOW, &line), WITNESS_COSIGN);
	assert_int_equal(file_read(witness_data_dir(b->witness), path, NOTE_MAX, &file, NULL), 0);
	assert_int_equal(checkpoint_parse(file.data, file.len, &c, NULL), 0);
	assert_int_equal(note_verify(&c.note, witness_key(b->witness), NULL, NULL), 1);
	assert_int_equal(ask(b, &b->log, 9, 10), WITNESS_COSIGN);
}

/* A first checkpoint with an extension line of this length. */
static void extended(const struct logbox *l, size_t len, struct buf *out)
{
	const struct merkle_proof none = {.n = 0};
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(buf_clear) struct buf note = {0};
	struct checkpoint c;

	logbox_checkpoint(l, 9, &note);
	assert_int_equal(checkpoint_parse(note.data, note.len, &c, NULL), 0);
	assert_int_equal(buf_add(&text, c.note.text, c.note.text_len, NULL), 0);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(buf_puts(&text, "x", NULL), 0);
	assert_int_equal(buf_puts(&text, "\n", NULL), 0);
	buf_cut(&note, 0);
	assert_int_equal(buf_printf(&note, NULL, "%s\n", text.data), 0);
	assert_int_equal(note_sign_line(&l->key, l->seed, &text, 0, &note, NULL), 0);
	if (note.len <= NOTE_MAX)
		assert_int_equal(witness_request_format(0, &none, note.data, note.len, out, NULL),
				 0);
}

/* Or a log could make what is remembered of it unreadable. */
static void what_could_not_be_read_again_is_not_cosigned(void **state)
{
	struct box *b = *state;
	unsigned refused = 0, status = 0;

	for (size_t len = NOTE_MAX; status != WITNESS_COSIGN; len -= 16) {
		CLEANUP(buf_clear) struct buf body = {0};
		CLEANUP(buf_clear) struct buf out = {0};

		extended(&b->log, len, &body);
		if (!body.len)
			continue;
		status = ask_bytes(b, &body, NOW, &out);
		assert_true(status == WITNESS_MALFORMED || status == WITNESS_COSIGN);
		refused += status == WITNESS_MALFORMED;
	}
	assert_true(refused > 3);
	assert_int_equal(ask(b, &b->log, 9, 10), WITNESS_COSIGN);
}

static void a_disk_that_fails_forgets_nothing(void **state)
{
	CLEANUP(freep) char *path = head_path(ORIGIN);
	CLEANUP(freep) char *aside = NULL;
	CLEANUP(buf_clear) struct buf name = {0};
	struct box *b = *state;
	int dir = witness_data_dir(b->witness);

	assert_int_equal(ask(b, &b->log, 0, 9), WITNESS_COSIGN);
	assert_int_equal(buf_printf(&name, NULL, "%s.aside", path), 0);
	aside = buf_steal(&name);
	assert_int_equal(renameat(dir, path, dir, aside), 0);
	assert_int_equal(symlinkat("checkpoint", dir, path), 0); /* ELOOP, as good as EIO */
	assert_int_equal(ask(b, &b->log, 0, 10), 500);
	assert_int_equal(unlinkat(dir, path, 0), 0);
	assert_int_equal(renameat(dir, aside, dir, path), 0);
	assert_int_equal(ask(b, &b->log, 9, 10), WITNESS_COSIGN);
}

static void unknown_logs_are_not_found(void **state)
{
	struct box *b = *state;
	struct logbox other;

	logbox_open(&other, "log.example/b", 1);
	logbox_grow(&other, 3, UINT64_MAX);
	assert_int_equal(ask(b, &other, 0, 3), WITNESS_UNKNOWN);
	logbox_close(&other);
}

static void the_log_must_have_signed(void **state)
{
	struct box *b = *state;
	struct logbox thief; /* the same name, another key */

	logbox_open(&thief, ORIGIN, 2);
	logbox_grow(&thief, 3, UINT64_MAX);
	assert_int_equal(ask(b, &thief, 0, 3), WITNESS_UNSIGNED);
	logbox_close(&thief);
}

/* One signature by the key that is known, over something else. */
static void a_wrong_signature_of_the_log_is_refused(void **state)
{
	CLEANUP(buf_clear) struct buf body = {0};
	CLEANUP(buf_clear) struct buf out = {0};
	struct box *b = *state;
	char *size;

	logbox_request(&b->log, 0, 3, &body);
	size = strstr(body.data, ORIGIN "\n3\n");
	assert_non_null(size);
	size[strlen(ORIGIN) + 1] = '4';
	assert_int_equal(ask_bytes(b, &body, NOW, &out), WITNESS_UNSIGNED);
	assert_int_equal(out.len, 0);
}

static void nothing_smaller_is_started_from_more(void **state)
{
	CLEANUP(buf_clear) struct buf note = {0};
	CLEANUP(buf_clear) struct buf body = {0};
	CLEANUP(buf_clear) struct buf out = {0};
	const struct merkle_proof none = {.n = 0};
	struct box *b = *state;

	assert_int_equal(ask(b, &b->log, 0, 9), WITNESS_COSIGN);
	logbox_checkpoint(&b->log, 8, &note);
	assert_int_equal(witness_request_format(9, &none, note.data, note.len, &body, NULL), 0);
	assert_int_equal(ask_bytes(b, &body, NOW, &out), WITNESS_MALFORMED);
}

static void a_conflict_tells_the_size(void **state)
{
	static const uint64_t wrong[] = {0, 8, 10};
	struct box *b = *state;

	assert_int_equal(ask(b, &b->log, 0, 9), WITNESS_COSIGN);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		CLEANUP(buf_clear) struct buf body = {0};
		CLEANUP(buf_clear) struct buf out = {0};

		logbox_request(&b->log, wrong[i], 20, &body);
		assert_int_equal(ask_bytes(b, &body, NOW, &out), WITNESS_CONFLICT);
		assert_string_equal(out.data, "9\n");
	}
	assert_int_equal(ask(b, &b->log, 9, 20), WITNESS_COSIGN);
}

static void a_fork_is_not_cosigned(void **state)
{
	static const uint64_t sizes[] = {9, 10, 20};
	struct box *b = *state;
	struct logbox fork; /* by the log's own key */

	logbox_open(&fork, ORIGIN, 1);
	logbox_grow(&fork, 20, 8);
	assert_int_equal(ask(b, &b->log, 0, 9), WITNESS_COSIGN);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		assert_int_equal(ask(b, &fork, 9, sizes[i]), WITNESS_UNPROVEN);
	assert_int_equal(ask(b, &b->log, 9, 10), WITNESS_COSIGN);
	logbox_close(&fork);
}

/* The request for `size` from `old`, with its proof taken to pieces. */
static unsigned ask_with(struct box *b, uint64_t old, uint64_t size, const struct merkle_proof *p)
{
	CLEANUP(buf_clear) struct buf note = {0};
	CLEANUP(buf_clear) struct buf body = {0};
	CLEANUP(buf_clear) struct buf out = {0};

	logbox_checkpoint(&b->log, size, &note);
	assert_int_equal(witness_request_format(old, p, note.data, note.len, &body, NULL), 0);
	return ask_bytes(b, &body, NOW, &out);
}

static void proofs_are_exact(void **state)
{
	struct box *b = *state;
	const struct merkle_store s = tiles_store(b->log.tiles);
	struct merkle_proof p, one = {.n = 1};

	/* From nothing there is nothing to prove, at the same size neither. */
	assert_int_equal(ask_with(b, 0, 9, &one), WITNESS_UNPROVEN);
	assert_int_equal(ask_with(b, 0, 0, &one), WITNESS_UNPROVEN);
	assert_int_equal(ask(b, &b->log, 0, 9), WITNESS_COSIGN);
	assert_int_equal(ask_with(b, 9, 9, &one), WITNESS_UNPROVEN);
	assert_int_equal(merkle_prove_consistency(&s, 9, 257, &p, NULL), 0);
	p.n--;
	assert_int_equal(ask_with(b, 9, 257, &p), WITNESS_UNPROVEN);
	p.n += 2;
	assert_int_equal(ask_with(b, 9, 257, &p), WITNESS_UNPROVEN);
	p.n--;
	for (size_t i = 0; i < p.n; i++) {
		p.hash[i].b[5] ^= 4;
		assert_int_equal(ask_with(b, 9, 257, &p), WITNESS_UNPROVEN);
		p.hash[i].b[5] ^= 4;
	}
	assert_int_equal(ask_with(b, 9, 257, &p), WITNESS_COSIGN);
}

/* The empty tree has one root. */
static void nothing_has_one_root(void **state)
{
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(buf_clear) struct buf note = {0};
	CLEANUP(buf_clear) struct buf body = {0};
	CLEANUP(buf_clear) struct buf out = {0};
	const struct merkle_proof none = {.n = 0};
	const struct hash zero = {{0}};
	struct box *b = *state;

	assert_int_equal(checkpoint_format(ORIGIN, 0, &zero, &text, NULL), 0);
	assert_int_equal(buf_printf(&note, NULL, "%s\n", text.data), 0);
	assert_int_equal(note_sign_line(&b->log.key, b->log.seed, &text, 0, &note, NULL), 0);
	assert_int_equal(witness_request_format(0, &none, note.data, note.len, &body, NULL), 0);
	assert_int_equal(ask_bytes(b, &body, NOW, &out), WITNESS_UNPROVEN);
}

static void malformed_requests_are_refused(void **state)
{
	static const char *const heads[] = {"",
					    "old\n\n",
					    "old -1\n\n",
					    "old 01\n\n",
					    "old 1 \n\n",
					    "Old 0\n\n",
					    "old 9223372036854775808\n\n",
					    "old 0\n",
					    "old 0\nx\n\n",
					    "old 0\r\n\n"};
	struct box *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		CLEANUP(buf_clear) struct buf body = {0};
		CLEANUP(buf_clear) struct buf out = {0};

		assert_int_equal(buf_puts(&body, heads[i], NULL), 0);
		logbox_checkpoint(&b->log, 3, &body);
		assert_int_equal(ask_bytes(b, &body, NOW, &out), WITNESS_MALFORMED);
	}
}

static void requests_are_bounded(void **state)
{
	CLEANUP(buf_clear) struct buf note = {0};
	struct box *b = *state;

	logbox_checkpoint(&b->log, 3, &note);
	for (size_t n = MERKLE_PROOF_MAX; n <= MERKLE_PROOF_MAX + 1; n++) {
		CLEANUP(buf_clear) struct buf body = {0};
		CLEANUP(buf_clear) struct buf out = {0};

		assert_int_equal(buf_puts(&body, "old 0\n", NULL), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(buf_puts(&body,
						  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
						  NULL),
					 0);
		assert_int_equal(buf_printf(&body, NULL, "\n%s", note.data), 0);
		assert_int_equal(ask_bytes(b, &body, NOW, &out),
				 n > MERKLE_PROOF_MAX ? WITNESS_MALFORMED : WITNESS_UNPROVEN);
	}
}

static void a_restart_forgets_nothing(void **state)
{
	struct box *b = *state;

	assert_int_equal(ask(b, &b->log, 0, 9), WITNESS_COSIGN);
	witness_close(b->witness);
	open_box(b);
	assert_int_equal(ask(b, &b->log, 0, 9), WITNESS_CONFLICT);
	assert_int_equal(ask(b, &b->log, 9, 10), WITNESS_COSIGN);
}

/* What cannot be read is not taken for nothing. */
static void damage_stops_the_witness(void **state)
{
	CLEANUP(freep) char *path = head_path(ORIGIN);
	struct box *b = *state;
	struct witness *again = NULL;
	struct error err = {0};
	static const char *const damaged[] = {"", "x", ORIGIN "\n9\n"};

	assert_int_equal(ask(b, &b->log, 0, 9), WITNESS_COSIGN);
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		assert_int_equal(file_write(witness_data_dir(b->witness), path, damaged[i],
					    strlen(damaged[i]), 0644, NULL),
				 0);
		assert_int_equal(ask(b, &b->log, 9, 10), 500);
		assert_int_equal(ask(b, &b->log, 0, 10), 500);
	}
	witness_close(b->witness);
	b->witness = NULL;
	assert_error(witness_open(b->dir, true, &again, &err), E_UNTRUSTED, &err, "checkpoint");
}

/* Somebody else's cosignature is none of ours. */
static void a_head_by_another_key_stops_the_witness(void **state)
{
	CLEANUP(freep) char *path = head_path(ORIGIN);
	CLEANUP(buf_clear) struct buf note = {0};
	struct box *b = *state;

	logbox_checkpoint(&b->log, 9, &note);
	assert_int_equal(file_mkdir_parent(witness_data_dir(b->witness), path, NULL), 0);
	assert_int_equal(
		file_write(witness_data_dir(b->witness), path, note.data, note.len, 0644, NULL), 0);
	assert_int_equal(ask(b, &b->log, 9, 10), 500);
}

static unsigned ask_at(struct box *b, uint64_t old, uint64_t size, int64_t now, struct buf *out)
{
	CLEANUP(buf_clear) struct buf body = {0};

	logbox_request(&b->log, old, size, &body);
	return ask_bytes(b, &body, now, out);
}

static int64_t time_of(struct box *b, uint64_t size, const struct buf *line)
{
	CLEANUP(buf_clear) struct buf note = {0};
	struct checkpoint c;
	int64_t time = -1;

	logbox_checkpoint(&b->log, size, &note);
	assert_int_equal(buf_add(&note, line->data, line->len, NULL), 0);
	assert_int_equal(checkpoint_parse(note.data, note.len, &c, NULL), 0);
	assert_int_equal(note_verify(&c.note, witness_key(b->witness), &time, NULL), 1);
	return time;
}

static void time_never_goes_back(void **state)
{
	CLEANUP(buf_clear) struct buf first = {0};
	CLEANUP(buf_clear) struct buf same = {0};
	CLEANUP(buf_clear) struct buf no = {0};
	struct box *b = *state;

	assert_int_equal(ask_at(b, 0, 1, NOW, &first), WITNESS_COSIGN);
	/* A clock that is being set right: the last time again. */
	assert_int_equal(ask_at(b, 1, 2, NOW - 5, &same), WITNESS_COSIGN);
	assert_int_equal(time_of(b, 2, &same), NOW);
	assert_int_equal(ask_at(b, 2, 3, NOW - 6, &no), 503);
	assert_int_equal(no.len, 0);
	witness_close(b->witness);
	open_box(b);
	assert_int_equal(ask_at(b, 2, 3, NOW - 6, &no), 503);
	assert_int_equal(ask_at(b, 2, 3, NOW, &no), WITNESS_COSIGN);
}

static void a_clock_that_was_never_set_signs_nothing(void **state)
{
	CLEANUP(buf_clear) struct buf out = {0};
	struct box *b = *state;

	assert_int_equal(ask_at(b, 0, 1, 0, &out), 503);
	assert_int_equal(ask_at(b, 0, 1, INT64_C(1735689599), &out), 503);
	assert_int_equal(ask_at(b, 0, 1, INT64_C(1735689600), &out), WITNESS_COSIGN);
}

static void a_log_may_be_added_meanwhile(void **state)
{
	CLEANUP(freep) char *vkey = NULL;
	struct box *b = *state;
	struct logbox other;

	logbox_open(&other, "log.example/b", 7);
	logbox_grow(&other, 3, UINT64_MAX);
	vkey = logbox_vkey(&other.key);
	assert_int_equal(ask(b, &other, 0, 3), WITNESS_UNKNOWN);
	assert_int_equal(witness_know(b->dir, vkey, NULL), 0);
	assert_int_equal(witness_know(b->dir, vkey, NULL), 0); /* once is enough */
	assert_int_equal(witness_reload(b->witness, NULL), 0);
	assert_int_equal(ask(b, &other, 0, 3), WITNESS_COSIGN);
	assert_int_equal(ask(b, &b->log, 0, 3), WITNESS_COSIGN);
	logbox_close(&other);
}

static void a_spoilt_list_leaves_the_old_one(void **state)
{
	static const char bad[] = "quorum none\nlog nonsense\n";
	struct box *b = *state;
	struct error err = {0};

	assert_int_equal(
		file_write(witness_data_dir(b->witness), "logs", bad, strlen(bad), 0644, NULL), 0);
	assert_error(witness_reload(b->witness, &err), E_USAGE, &err, "logs: line 2");
	assert_int_equal(ask(b, &b->log, 0, 3), WITNESS_COSIGN);
}

static void what_a_person_gives_is_judged(void **state)
{
	CLEANUP(freep) char *cosigner = NULL;
	struct box *b = *state;
	struct error err = {0};
	struct witness *w = NULL;

	cosigner = logbox_vkey(witness_key(b->witness));
	assert_error(witness_know(b->dir, cosigner, &err), E_USAGE, &err, "--log");
	assert_error(witness_know(b->dir, "nonsense", &err), E_USAGE, &err, "--log");
	assert_error(witness_create(b->dir, "x", &err), E_EXISTS, &err, "already");
	assert_error(witness_open(b->dir, true, &w, &err), E_BUSY, &err, "lock");
	assert_error(witness_open("/nowhere", true, &w, &err), E_USAGE, &err, "no folder");
	assert_error(witness_open("/", true, &w, &err), E_USAGE, &err, "no witness");
}

static void a_name_with_a_space_is_none(void **state)
{
	CLEANUP(freep) char *dir = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(file_temp_dir(false, &dir, NULL), 0);
	assert_error(witness_create(dir, "a b", &err), E_USAGE, &err, "--name");
	assert_error(witness_create(dir, "", &err), E_USAGE, &err, "--name");
	assert_int_equal(file_remove_tree(AT_FDCWD, dir, NULL), 0);
}

/* --- two at once --- */

struct rival {
	struct box *b;
	const struct logbox *log;
	unsigned status;
};

static void *compete(void *arg)
{
	CLEANUP(buf_clear) struct buf body = {0};
	CLEANUP(buf_clear) struct buf out = {0};
	struct rival *r = arg;
	struct error err = {0};

	logbox_request(r->log, 0, 20, &body);
	r->status = witness_add(r->b->witness, body.data, body.len, NOW, &out, &err);
	return NULL;
}

static void of_two_histories_one_is_cosigned(void **state)
{
	enum { RIVALS = 8 };
	struct box *b = *state;
	struct rival rivals[RIVALS];
	pthread_t threads[RIVALS];
	struct logbox forks[RIVALS];
	size_t yes = 0;

	for (size_t i = 0; i < RIVALS; i++) {
		logbox_open(&forks[i], ORIGIN, 1);
		logbox_grow(&forks[i], 20, i);
		rivals[i] = (struct rival){.b = b, .log = &forks[i]};
	}
	for (size_t i = 0; i < RIVALS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, compete, &rivals[i]), 0);
	for (size_t i = 0; i < RIVALS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		yes += rivals[i].status == WITNESS_COSIGN;
		assert_true(rivals[i].status == WITNESS_COSIGN ||
			    rivals[i].status == WITNESS_CONFLICT);
		logbox_close(&forks[i]);
	}
	assert_int_equal(yes, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(cosigns_what_follows),
		T(what_was_cosigned_is_served),
		T(only_the_log_and_the_witness_are_remembered),
		T(repeated_lines_leave_room_for_the_witness),
		T(what_could_not_be_read_again_is_not_cosigned),
		T(a_disk_that_fails_forgets_nothing),
		T(unknown_logs_are_not_found),
		T(the_log_must_have_signed),
		T(a_wrong_signature_of_the_log_is_refused),
		T(nothing_smaller_is_started_from_more),
		T(a_conflict_tells_the_size),
		T(a_fork_is_not_cosigned),
		T(proofs_are_exact),
		T(nothing_has_one_root),
		T(malformed_requests_are_refused),
		T(requests_are_bounded),
		T(a_restart_forgets_nothing),
		T(damage_stops_the_witness),
		T(a_head_by_another_key_stops_the_witness),
		T(time_never_goes_back),
		T(a_clock_that_was_never_set_signs_nothing),
		T(a_log_may_be_added_meanwhile),
		T(a_spoilt_list_leaves_the_old_one),
		T(what_a_person_gives_is_judged),
		cmocka_unit_test(a_name_with_a_space_is_none),
		T(of_two_histories_one_is_cosigned),
	};

	return cmocka_run_group_tests_name("witness", tests, NULL, NULL);
}
