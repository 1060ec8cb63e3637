/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/witness/witness.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/json/strict.h"
#include "lib/tlog/policy.h"
#include "lib/tlog/witness.h"
#include "registry/keys.h"

enum {
	CONFIG_MAX = 4096,
	KEYS_A_LOG = 8,    /* of one origin: more than one while a log changes its key */
	STRIPES = 64,      /* locks, which logs share by a hash of their origin */
	CLOCK_SLACK_S = 5, /* that a clock may be behind: it is being adjusted */
	STATUS_FAILED = 500,
	STATUS_CLOCK = 503,
};

#define CONFIG "witness.json"
#define KEYS "keys"
#define KEY_PEM KEYS "/witness.pem"
#define LOGS "logs"
#define PUBLIC "public"
#define FIRST_LINES \
	"# Logs whose checkpoints this witness cosigns, one a line: log <vkey>\n" \
	"quorum none\n"

/* 2025-01-01: a clock before that was never set. */
#define CLOCK_LEAST INT64_C(1735689600)

struct witness {
	int data, public, lock;
	struct note_signer key;
	pthread_rwlock_t logs_lock; /* of the next two */
	struct tlog_policy *logs;
	struct stat logs_at; /* of the file when it was read */
	pthread_mutex_t stripes[STRIPES];
	_Atomic int64_t latest; /* the greatest time ever signed, of the logs that are known */
};

/* --- the folder ------------------------------------------------------------ */

int witness_create(const char *data, const char *name, struct error *err)
{
	CLEANUP(json_decrefp) json_t *json = json_pack("{s:s}", "name", name);
	CLEANUP(freep) char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	CLEANUP(closep) int dir = -1;
	CLEANUP(buf_clear) struct buf file = {0};
	struct note_signer key;
	int r = text ? buf_printf(&file, err, "%s\n", text) : error_nomem(err);

	if (r == 0)
		r = file_open_dir(AT_FDCWD, data, true, &dir, err);
	if (r < 0)
		return r;
	if (file_exists(dir, CONFIG))
		return error_set(err, E_EXISTS, "%s: is a witness already", data);
	r = file_mkdir(dir, KEYS, 0700, err);
	if (r == 0)
		r = keys_create_pem(dir, KEY_PEM, err);
	if (r == 0)
		r = keys_note_signer(dir, KEY_PEM, name, NOTE_COSIGNATURE, &key, err);
	explicit_bzero(&key.seed, sizeof(key.seed));
	if (r < 0) /* the name was given on the command line */
		return r == E_INVALID
			       ? error_set(err, E_USAGE, "--name: %s: no name for a key", name)
			       : r;
	r = file_mkdir(dir, PUBLIC, 0755, err);
	if (r == 0 && !file_exists(dir, LOGS))
		r = file_write(dir, LOGS, FIRST_LINES, strlen(FIRST_LINES), 0644, err);
	if (r == 0) /* last: with it, it is a witness */
		r = file_write(dir, CONFIG, file.data, file.len, 0644, err);
	return r;
}

static int open_folder(const char *data, int *out, struct error *err)
{
	int r = file_open_dir(AT_FDCWD, data, false, out, err);

	if (r == E_NOTFOUND)
		return error_set(err, E_USAGE, "%s: is no folder", data);
	if (r == 0 && !file_exists(*out, CONFIG))
		r = error_set(err, E_USAGE, "%s: is no witness; make one with --init", data);
	return r;
}

/* The file of logs, as an operator edits it. */
static int read_logs(int dir, struct buf *text, struct tlog_policy **out, struct error *err)
{
	int r = file_read(dir, LOGS, TLOG_POLICY_MAX, text, err);

	if (r == 0)
		r = tlog_policy_parse(text->data, text->len, out, err);
	if (r == E_INVALID)
		return error_prefix(err, E_USAGE, LOGS);
	return r;
}

/* Is this very key in the list? */
static bool knows(const struct tlog_policy *p, const struct note_key *k)
{
	for (size_t i = 0; i < p->nlogs; i++)
		if (strcmp(p->logs[i].key.name, k->name) == 0 &&
		    memcmp(p->logs[i].key.id, k->id, sizeof(k->id)) == 0)
			return true;
	return false;
}

int witness_know(const char *data, const char *vkey, struct error *err)
{
	CLEANUP(tlog_policy_freep) struct tlog_policy *logs = NULL;
	CLEANUP(tlog_policy_freep) struct tlog_policy *more = NULL;
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(closep) int dir = -1;
	struct note_key key;
	int r = note_key_parse(vkey, &key, err);

	if (r == 0 && key.type != NOTE_ED25519)
		r = error_set(err, E_INVALID, "%s: of type %d, want %d", key.name, key.type,
			      NOTE_ED25519);
	if (r < 0)
		return error_prefix(err, E_USAGE, "--log");
	r = open_folder(data, &dir, err);
	if (r == 0)
		r = read_logs(dir, &text, &logs, err);
	if (r < 0)
		return r;
	assert(logs);
	if (knows(logs, &key))
		return 0;
	r = buf_printf(&text, err, "log %s\n", vkey);
	if (r == 0)
		r = tlog_policy_parse(text.data, text.len, &more, err);
	if (r == E_INVALID)
		return error_prefix(err, E_USAGE, "--log");
	return r < 0 ? r : file_write(dir, LOGS, text.data, text.len, 0644, err);
}

/* --- what was cosigned last -------------------------------------------------- */

/* Ours, or a failure: guessing would be to forget. *time: when it was cosigned. */
static int read_head(const struct witness *w, const char *origin, struct witness_head *out,
		     int64_t *time, struct error *err)
{
	CLEANUP(buf_clear) struct buf note = {0};
	struct checkpoint c;
	char path[WITNESS_PATH_SIZE];
	int r;

	*out = (struct witness_head){.size = 0};
	*time = 0;
	witness_path(origin, path);
	r = file_read(w->public, path, NOTE_MAX, &note, err);
	if (r == E_NOTFOUND) /* and nothing else: a disk that fails is no reason to forget */
		return 0;
	if (r == 0)
		r = checkpoint_parse(note.data, note.len, &c, err);
	if (r == 0 && strcmp(c.origin, origin) != 0)
		r = error_set(err, E_INVALID, "of log %s", c.origin);
	if (r == 0) {
		r = note_verify(&c.note, &w->key.key, time, err);
		if (r == 0)
			r = error_set(err, E_UNTRUSTED, "not cosigned by %s", w->key.key.name);
	}
	if (r < 0)
		return error_prefix(err, r == E_INVALID ? E_UNTRUSTED : r, PUBLIC "/%s", path);
	*out = (struct witness_head){c.size, c.root};
	return 0;
}

static void note_time(struct witness *w, int64_t time)
{
	int64_t was = atomic_load(&w->latest);

	while (time > was && !atomic_compare_exchange_weak(&w->latest, &was, time))
		;
}

/* --- opening ------------------------------------------------------------------- */

/* The file is read anew if it is another one, or its time or length differ. */
static bool unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int witness_reload(struct witness *w, struct error *err)
{
	CLEANUP(tlog_policy_freep) struct tlog_policy *logs = NULL;
	CLEANUP(buf_clear) struct buf text = {0};
	struct tlog_policy *old;
	struct stat at;
	int r;

	if (fstatat(w->data, LOGS, &at, 0) < 0)
		return error_errno(err, errno, LOGS);
	if (w->logs && unchanged(&at, &w->logs_at))
		return 0;
	r = read_logs(w->data, &text, &logs, err);
	for (size_t i = 0; r == 0 && i < logs->nlogs; i++) {
		struct witness_head head;
		int64_t time = 0;

		r = read_head(w, logs->logs[i].key.name, &head, &time, err);
		if (r == 0)
			note_time(w, time);
	}
	if (r < 0)
		return r;
	(void)pthread_rwlock_wrlock(&w->logs_lock);
	old = w->logs;
	w->logs = steal(logs);
	w->logs_at = at;
	(void)pthread_rwlock_unlock(&w->logs_lock);
	tlog_policy_free(old);
	return 0;
}

static int read_name(int dir, char out[NOTE_NAME_MAX + 1], struct error *err)
{
	CLEANUP(json_decrefp) json_t *json = NULL;
	CLEANUP(buf_clear) struct buf text = {0};
	const char *name = NULL;
	const struct field fields[] = {{"name", FIELD_TEXT, 0, false, 1, NOTE_NAME_MAX, NULL}};
	int r = file_read(dir, CONFIG, CONFIG_MAX, &text, err);

	if (r == 0)
		r = strict_parse(text.data, text.len, CONFIG, &json, err);
	if (r == 0)
		r = strict_read(json, CONFIG, fields, ARRAY_LEN(fields), STRICT_CLOSED, &name, err);
	if (r == E_INVALID)
		err->code = r = E_USAGE;
	if (r == 0)
		(void)snprintf(out, NOTE_NAME_MAX + 1, "%s", name);
	return r;
}

int witness_open(const char *data, bool serve, struct witness **out, struct error *err)
{
	CLEANUP(witness_closep) struct witness *w = calloc(1, sizeof(*w));
	char name[NOTE_NAME_MAX + 1];
	int r;

	if (!w)
		return error_nomem(err);
	w->data = w->public = w->lock = -1;
	(void)pthread_rwlock_init(&w->logs_lock, NULL);
	for (size_t i = 0; i < STRIPES; i++)
		(void)pthread_mutex_init(&w->stripes[i], NULL);
	r = open_folder(data, &w->data, err);
	if (r == 0 && serve)
		r = file_lock(w->data, "lock", false, &w->lock, err);
	if (r == 0)
		r = read_name(w->data, name, err);
	if (r == 0)
		r = keys_note_signer(w->data, KEY_PEM, name, NOTE_COSIGNATURE, &w->key, err);
	if (r == 0)
		r = file_open_dir(w->data, PUBLIC, true, &w->public, err);
	if (r == 0)
		r = witness_reload(w, err);
	if (r < 0)
		return r;
	*out = steal(w);
	return 0;
}

void witness_close(struct witness *w)
{
	if (!w)
		return;
	tlog_policy_free(w->logs);
	closep(&w->public);
	closep(&w->data);
	closep(&w->lock); /* last: the next one may open then */
	for (size_t i = 0; i < STRIPES; i++)
		(void)pthread_mutex_destroy(&w->stripes[i]);
	(void)pthread_rwlock_destroy(&w->logs_lock);
	explicit_bzero(&w->key, sizeof(w->key));
	free(w);
}

int witness_data_dir(const struct witness *w)
{
	return w->data;
}

int witness_public_dir(const struct witness *w)
{
	return w->public;
}

const struct note_key *witness_key(const struct witness *w)
{
	return &w->key.key;
}

int witness_each_log(struct witness *w, witness_log_fn each, void *ctx, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < w->logs->nlogs && r == 0; i++) {
		const char *origin = w->logs->logs[i].key.name;
		struct witness_head head;
		int64_t time = 0;

		r = read_head(w, origin, &head, &time, err);
		if (r == 0)
			r = each(ctx, origin, head.size, time, err);
	}
	return r;
}

/* --- cosigning ------------------------------------------------------------------- */

static pthread_mutex_t *stripe_of(struct witness *w, const char *origin)
{
	unsigned char sum[SHA256_LEN];

	sha256(origin, strlen(origin), sum);
	return &w->stripes[sum[0] % STRIPES];
}

/*
 * What to sign: never a time before one that was signed. Nobody is served by a
 * witness whose clock is wrong, so it says no until somebody has looked.
 */
static int choose_time(const struct witness *w, int64_t now, int64_t *out, struct error *err)
{
	int64_t latest = atomic_load(&w->latest);

	if (now < CLOCK_LEAST)
		return error_set(err, E_BUSY, "the clock of this witness is not set");
	if (now < latest - CLOCK_SLACK_S)
		return error_set(err, E_BUSY,
				 "the clock of this witness is %" PRId64
				 " s behind what it has signed",
				 latest - now);
	*out = now < latest ? latest : now;
	return 0;
}

/* The keys of one log. */
struct known {
	struct note_key keys[KEYS_A_LOG];
	size_t n;
};

static void find_keys(struct witness *w, const char *origin, struct known *out)
{
	(void)pthread_rwlock_rdlock(&w->logs_lock);
	out->n = tlog_policy_log_keys(w->logs, origin, out->keys, KEYS_A_LOG);
	(void)pthread_rwlock_unlock(&w->logs_lock);
	if (out->n > KEYS_A_LOG)
		out->n = KEYS_A_LOG;
}

/* One line of each key: anybody can repeat those of the log, and leave no room for ours. */
static int add_log_line(const struct note *n, const struct note_key *k, struct buf *out,
			struct error *err)
{
	CLEANUP(buf_clear) struct buf lines = {0};
	int r = note_lines_of(n, k, &lines, err);
	const char *end = r == 0 && lines.len ? memchr(lines.data, '\n', lines.len) : NULL;

	return end ? buf_add(out, lines.data, (size_t)(end - lines.data) + 1, err) : r;
}

/*
 * The checkpoint as it is to be remembered and served: the log's lines and ours.
 * E_INVALID: it could not be read again, as a log may make one that is large.
 */
static int make_note(const struct checkpoint *c, const struct known *log, const struct buf *line,
		     struct buf *out, struct error *err)
{
	struct checkpoint again;
	int r = buf_add(out, c->note.text, c->note.text_len, err);

	if (r == 0)
		r = buf_puts(out, "\n", err);
	for (size_t i = 0; i < log->n && r == 0; i++)
		if (log->keys[i].type == NOTE_ED25519)
			r = add_log_line(&c->note, &log->keys[i], out, err);
	if (r == 0)
		r = buf_add(out, line->data, line->len, err);
	if (r == 0 && out->len > NOTE_MAX)
		r = error_set(err, E_INVALID, "checkpoint: leaves no room for a cosignature");
	return r < 0 ? r : checkpoint_parse(out->data, out->len, &again, err);
}

/* Sign, remember durably, and only then give the line out. */
static int cosign(struct witness *w, const struct checkpoint *c, const struct known *log,
		  int64_t now, struct buf *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	CLEANUP(buf_clear) struct buf line = {0};
	CLEANUP(buf_clear) struct buf note = {0};
	char path[WITNESS_PATH_SIZE];
	int r = buf_add(&text, c->note.text, c->note.text_len, err);

	witness_path(c->origin, path);
	if (r == 0)
		r = note_sign_line(&w->key.key, w->key.seed, &text, now, &line, err);
	if (r == 0)
		r = make_note(c, log, &line, &note, err);
	if (r == 0)
		r = file_mkdir_parent(w->public, path, err);
	if (r == 0)
		r = file_write(w->public, path, note.data, note.len, 0644, err);
	if (r < 0)
		return r;
	note_time(w, now);
	return buf_add(out, line.data, line.len, err);
}

/* With the log's lock held. */
static int judge(struct witness *w, const struct witness_request *q, int64_t now, struct buf *out,
		 struct error *err)
{
	const char *origin = q->checkpoint.origin;
	struct witness_head last;
	struct known log;
	int64_t time;
	int r;

	find_keys(w, origin, &log);
	r = read_head(w, origin, &last, &time, err);
	if (r == 0)
		r = witness_judge(q, log.keys, log.n, &last, err);
	if (r == WITNESS_CONFLICT) {
		int e = buf_printf(out, err, "%" PRIu64 "\n", last.size);

		return e < 0 ? e : r;
	}
	if (r != WITNESS_COSIGN)
		return r;
	r = choose_time(w, now, &time, err);
	if (r == 0)
		r = cosign(w, &q->checkpoint, &log, time, out, err);
	if (r == E_INVALID)
		return WITNESS_MALFORMED;
	return r < 0 ? r : WITNESS_COSIGN;
}

unsigned witness_add(struct witness *w, const void *body, size_t len, int64_t now, struct buf *out,
		     struct error *err)
{
	struct witness_request q;
	pthread_mutex_t *lock;
	int r = witness_request_parse(body, len, &q, err);

	if (r < 0)
		return r == E_INVALID ? WITNESS_MALFORMED : STATUS_FAILED;
	lock = stripe_of(w, q.checkpoint.origin);
	(void)pthread_mutex_lock(lock);
	r = judge(w, &q, now, out, err);
	(void)pthread_mutex_unlock(lock);
	if (r < 0)
		return r == E_BUSY ? STATUS_CLOCK : STATUS_FAILED;
	return (unsigned)r;
}
