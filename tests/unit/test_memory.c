/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much memory reading metadata takes, at the most. This program's malloc() counts: all of ours,
 * jansson's, libcrypto's and the C library's goes through it, with what the allocator adds.
 */
#include <inttypes.h>
#include <malloc.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdatomic.h>
#include <stdio.h>

#include "lib/json/canon.h"
#include "lib/json/strict.h"
#include "lib/sign/signer.h"
#include "lib/tuf/client.h"
#include "tests/unit/unit.h"

#ifdef __SANITIZE_ADDRESS__ /* which has a malloc() of its own */
int main(void)
{
	return 0;
}
#else

static atomic_size_t now, peak;

static void *taken(void *p)
{
	size_t size = p ? malloc_usable_size(p) + sizeof(size_t) : 0;
	size_t sum = atomic_fetch_add(&now, size) + size;

	if (sum > atomic_load(&peak))
		atomic_store(&peak, sum);
	return p;
}

static void given(void *p)
{
	if (p)
		atomic_fetch_sub(&now, malloc_usable_size(p) + sizeof(size_t));
}

/* glibc's own, under the names that it keeps for programs that replace malloc(). */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void __libc_free(void *p);

void *malloc(size_t size)
{
	return taken(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
	return taken(__libc_calloc(n, size));
}

void free(void *p)
{
	given(p);
	__libc_free(p);
}

/* As the worst allocator does it: both are there while one is copied. */
void *realloc(void *p, size_t size)
{
	void *more = malloc(size);

	if (more && p) {
		size_t had = malloc_usable_size(p);

		memcpy(more, p, had < size ? had : size);
		free(p);
	}
	return more;
}

static size_t start(void)
{
	atomic_store(&peak, atomic_load(&now));
	return atomic_load(&now);
}

/* --- JSON ---------------------------------------------------------------- */

/* `head`, then `unit` over and over up to about `len` bytes, then `tail`. %d counts. */
static struct buf text_of(const char *head, const char *unit, const char *tail, size_t len)
{
	struct buf b = {0};
	char one[512];

	assert_int_equal(buf_puts(&b, head, NULL), 0);
	for (int i = 0; b.len < len; i++) {
		const char *at = strstr(unit, "%d");

		if (at)
			(void)snprintf(one, sizeof(one), "%.*s%d%s", (int)(at - unit), unit, i,
				       at + 2);
		else
			(void)snprintf(one, sizeof(one), "%s", unit);
		assert_int_equal(buf_printf(&b, NULL, "%s%s", i ? "," : "", one), 0);
	}
	assert_int_equal(buf_puts(&b, tail, NULL), 0);
	return b;
}

static void a_tree_takes_no_more_than_it_may(void **state)
{
	static const struct {
		const char *head, *unit, *tail;
		bool taken;
	} texts[] = {
		{"[", "[]", "]", false},
		{"[", "{}", "]", false},
		{"[", "1", "]", false},
		{"[\"\\\"\",", "[]", "]", false}, /* that quote ends nothing, and begins nothing */
		{"[\"\\\\\",", "[]", "]", false}, /* and this one does */
		{"[", "\"\"", "]", false},
		{"[", "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", "]", false},
		{"[", "1                ", "]", true},
		{"[", "123456", "]", true},
		{"[", "\"123456\"", "]", true},
		{"[", "\"\\u00e9\\u00e9\"", "]", true},
		{"[", "[        ]", "]", true},
		{"{", "\"%d\":{}", "}", false},
		{"{", "\"%d\":0", "}", true},
		{"{", "\"%d.json\":{\"version\":1}", "}", true},
		{"{", "\"name-%d\":{\"length\":1,\"hashes\":{\"sha256\":\"00\"}}", "}", true},
		{"[\"", "a long text %d", "\"]", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		for (size_t len = 1024; len <= 1024 * 1024; len *= 32) {
			struct buf b = text_of(texts[i].head, texts[i].unit, texts[i].tail, len);
			size_t before = start();
			struct error err = {0};
			json_t *v = NULL;
			int r = strict_parse(b.data, b.len, NULL, &v, &err);
			size_t took = atomic_load(&peak) - before;

			if (r == 0 || took > 0)
				assert_true(took <= JSON_TREE_FREE + JSON_TREE_FACTOR * b.len);
			if (len > JSON_TREE_FREE) {
				assert_int_equal(r, texts[i].taken ? 0 : E_INVALID);
				/* Refused before anything was made of it. */
				assert_true(r == 0 || took == 0);
			}
			json_decref(v);
			buf_clear(&b);
		}
	}
}

static void weight_is_refused_from_its_bound_on(void **state)
{
	enum { COST_ARRAY = 128, COST_NEXT = 48 };
	struct error err = {0};
	json_t *v = NULL;
	char text[1024];
	size_t n = 0, sum = 0;

	(void)state;
	/* [[],[],...]: the first text that weighs more than it may. */
	while (sum <= JSON_TREE_FREE + JSON_TREE_FACTOR * (3 * n + 1)) {
		n++;
		sum = COST_ARRAY + n * COST_ARRAY + (n - 1) * COST_NEXT;
	}
	for (size_t m = n - 1; m <= n; m++) {
		size_t len = 0;

		text[len++] = '[';
		for (size_t i = 0; i < m; i++) {
			memcpy(text + len, "[],", 3);
			len += 3;
		}
		text[len - 1] = ']';
		if (m < n) {
			assert_int_equal(strict_parse(text, len, "x", &v, &err), 0);
			json_decref(v);
		} else {
			assert_error(strict_parse(text, len, "x", &v, &err), E_INVALID, &err,
				     "x: so many small values");
		}
	}
}

/* --- a repository, and a device that keeps nothing ----------------------- */

enum { FILES_MAX = 16, RSA_LEN = 8192 / 8, DELEGATED = TUF_DELEGATIONS_MAX };

#define EXPIRES "2031-01-01T00:00:00Z"
#define NOW INT64_C(1893456000) /* 2030-01-01T00:00:00Z */

struct repo {
	struct signer *signer;
	struct buf keys, keyids; /* of every role, as JSON: `signer`, and as many more as fit */
	struct {
		char name[64];
		struct buf bytes;
	} files[FILES_MAX];
	size_t n;
	int64_t roots;    /* the last root's version */
	size_t root_size; /* of all but the first */
};

static struct buf *file_of(struct repo *w, const char *name)
{
	size_t i = 0;

	while (i < w->n && strcmp(w->files[i].name, name) != 0)
		i++;
	if (i == FILES_MAX)
		return NULL;
	if (i == w->n) {
		w->n++;
		(void)snprintf(w->files[i].name, sizeof(w->files[i].name), "%s", name);
	}
	return &w->files[i].bytes;
}

/* Write a signed document of about `size` bytes: after `members`, `unit` in a member of its own. */
static void publish(const struct repo *w, struct buf *out, const char *members, const char *unit,
		    size_t size)
{
	size_t used = strlen(members) + 1024;
	struct buf filler = text_of("{", unit, "}", size > used ? size - used : 0);
	struct buf body = {0}, canonical = {0};
	struct error err = {0};
	json_t *tree = NULL, *signature = NULL;
	char *sig;

	assert_int_equal(buf_printf(&body, NULL,
				    "{\"spec_version\":\"1.0\",\"expires\":\"" EXPIRES
				    "\",%s,\"x\":%s}",
				    members, filler.data),
			 0);
	tree = json_loadb(body.data, body.len, 0, NULL);
	assert_non_null(tree);
	assert_int_equal(canon_write(tree, &canonical, NULL), 0);
	assert_int_equal(signer_sign(w->signer, canonical.data, canonical.len, &signature, &err),
			 0);
	sig = json_dumps(signature, JSON_COMPACT);
	assert_non_null(sig);
	buf_clear(out);
	assert_int_equal(
		buf_printf(out, NULL, "{\"signed\":%s,\"signatures\":[%s]}", body.data, sig), 0);
	assert_in_range(out->len, 0, size);
	free(sig);
	json_decref(signature);
	json_decref(tree);
	buf_clear(&canonical);
	buf_clear(&body);
	buf_clear(&filler);
}

/* Nearly the most memory that a byte of text may take: padded, or it would be too much. */
#define DENSE "\"%d\":{}      "

static void publish_root(const struct repo *w, int64_t version, struct buf *out, size_t size)
{
	static const char *const roles[] = {"root", "timestamp", "snapshot", "targets"};
	struct buf members = {0};

	assert_int_equal(buf_printf(&members, NULL,
				    "\"_type\":\"root\",\"version\":%" PRId64
				    ",\"consistent_snapshot\":true,\"keys\":{%s},\"roles\":{",
				    version, w->keys.data),
			 0);
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		assert_int_equal(buf_printf(&members, NULL,
					    "%s\"%s\":{\"keyids\":[%s],\"threshold\":1}",
					    i ? "," : "", roles[i], w->keyids.data),
				 0);
	assert_int_equal(buf_puts(&members, "}", NULL), 0);
	publish(w, out, members.data, DENSE, size);
	buf_clear(&members);
}

/* Targets that delegate to all roles of the snapshot, in files as large as allowed. */
static void publish_targets(struct repo *w, const char *name, int64_t version, size_t size)
{
	struct buf members = {0};
	char file[64];

	(void)snprintf(file, sizeof(file), "%" PRId64 ".%s.json", version, name);
	assert_int_equal(buf_printf(&members, NULL,
				    "\"_type\":\"targets\",\"version\":%" PRId64
				    ",\"targets\":{},\"delegations\":{\"keys\":{%s},\"roles\":[",
				    version, w->keys.data),
			 0);
	for (int i = 0; i < DELEGATED; i++)
		assert_int_equal(buf_printf(&members, NULL,
					    "%s{\"name\":\"r%d\",\"keyids\":[%s],\"threshold\":1,"
					    "\"terminating\":false,\"paths\":[\"*\"]}",
					    i ? "," : "", i, w->keyids.data),
				 0);
	assert_int_equal(buf_puts(&members, "]}", NULL), 0);
	publish(w, file_of(w, file), members.data, DENSE, size);
	buf_clear(&members);
}

/* Everything at one version; each file as large and as dense as it may be, at most `size`. */
static void publish_all(struct repo *w, int64_t version, size_t size)
{
	struct buf members = {0};
	char name[64];

	publish_targets(w, "targets", version, size < TUF_TARGETS_MAX ? size : TUF_TARGETS_MAX);
	(void)snprintf(name, sizeof(name), "%" PRId64 ".snapshot.json", version);
	assert_int_equal(buf_printf(&members, NULL,
				    "\"_type\":\"snapshot\",\"version\":%" PRId64
				    ",\"meta\":{\"targets.json\":{\"version\":%" PRId64 "}",
				    version, version),
			 0);
	for (int i = 0; i < DELEGATED; i++)
		assert_int_equal(buf_printf(&members, NULL, ",\"r%d.json\":{\"version\":1}", i), 0);
	assert_int_equal(buf_puts(&members, "}", NULL), 0);
	publish(w, file_of(w, name), members.data, DENSE,
		size < TUF_SNAPSHOT_MAX ? size : TUF_SNAPSHOT_MAX);
	buf_clear(&members);
	assert_int_equal(buf_printf(&members, NULL,
				    "\"_type\":\"timestamp\",\"version\":%" PRId64
				    ",\"meta\":{\"snapshot.json\":{\"version\":%" PRId64 "}}",
				    version, version),
			 0);
	publish(w, file_of(w, "timestamp.json"), members.data, DENSE,
		size < TUF_TIMESTAMP_MAX ? size : TUF_TIMESTAMP_MAX);
	buf_clear(&members);
}

/* A key that signed nothing and is costly to hold: RSA of 8192 bits. */
static void add_costly_key(struct repo *w, unsigned char serial)
{
	unsigned char raw[RSA_LEN];
	BIGNUM *n, *e = BN_new();
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *pkey = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	struct error err = {0};
	char keyid[KEYID_MAX + 1], *pem, *text;
	json_t *object;

	memset(raw, 0xd3, sizeof(raw));
	raw[RSA_LEN / 2] = serial;
	n = BN_bin2bn(raw, sizeof(raw), NULL);
	assert_int_equal(BN_set_word(e, 65537), 1);
	assert_int_equal(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n), 1);
	assert_int_equal(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e), 1);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
	assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
	assert_int_equal(BIO_write(bio, "", 1), 1);
	(void)BIO_get_mem_data(bio, &pem);
	assert_int_equal(key_object_pem(pem, &object, keyid, &err), 0);
	text = json_dumps(object, JSON_COMPACT);
	assert_int_equal(buf_printf(&w->keys, NULL, ",\"%s\":%s", keyid, text), 0);
	assert_int_equal(buf_printf(&w->keyids, NULL, ",\"%s\"", keyid), 0);
	free(text);
	json_decref(object);
	(void)BIO_free(bio);
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
}

static void repo_start(struct repo *w, int keys)
{
	CLEANUP(buf_clear) struct buf pem = {0};
	struct error err = {0};
	char *text;

	*w = (struct repo){0};
	assert_int_equal(signer_generate("ed25519", &pem, &err), 0);
	assert_int_equal(signer_from_pem(pem.data, pem.len, &w->signer, &err), 0);
	text = json_dumps(key_object(signer_key(w->signer)), JSON_COMPACT);
	assert_int_equal(
		buf_printf(&w->keys, NULL, "\"%s\":%s", key_id(signer_key(w->signer)), text), 0);
	assert_int_equal(buf_printf(&w->keyids, NULL, "\"%s\"", key_id(signer_key(w->signer))), 0);
	free(text);
	for (int i = 1; i < keys; i++)
		add_costly_key(w, (unsigned char)i);
}

static void repo_end(struct repo *w)
{
	for (size_t i = 0; i < w->n; i++)
		buf_clear(&w->files[i].bytes);
	buf_clear(&w->keys);
	buf_clear(&w->keyids);
	signer_free(w->signer);
}

static int io_fetch(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	struct repo *w = ctx;
	const struct buf *bytes = NULL;
	int64_t version;

	/* A chain of roots is made as it is asked for. */
	if (strstr(name, ".root.json")) {
		version = strtoll(name, NULL, 10);
		if (version > w->roots)
			return error_set(err, E_NOTFOUND, "%s", name);
		publish_root(w, version, file_of(w, "root"), w->root_size);
		bytes = file_of(w, "root");
	} else if (strcmp(name, "timestamp.json") == 0 || name[1] == '.') {
		/* Delegated roles are all alike. */
		bytes = file_of(w, name[2] == 'r' ? "1.r.json" : name);
	}
	if (!bytes || bytes->len == 0)
		return error_set(err, E_NOTFOUND, "%s", name);
	if (bytes->len > max)
		return error_set(err, E_INVALID, "%s: larger than %zu bytes", name, max);
	return buf_add(out, bytes->data, bytes->len, err);
}

static int io_load(void *ctx, const char *name, size_t max, struct buf *out, struct error *err)
{
	struct repo *w = ctx;
	const struct buf *bytes = file_of(w, "trusted");

	(void)max;
	if (strcmp(name, "root.json") != 0)
		return error_set(err, E_NOTFOUND, "%s", name);
	return buf_add(out, bytes->data, bytes->len, err);
}

static int io_save(void *ctx, const char *name, const void *data, size_t len, struct error *err)
{
	(void)ctx;
	(void)name;
	(void)data;
	(void)len;
	(void)err;
	return 0;
}

static const struct tuf_io io = {.fetch = io_fetch, .load = io_load, .save = io_save};

static struct tuf *open_session(struct repo *w, size_t text_max)
{
	struct tuf_io mine = io;
	const struct tuf_options o = {.now = NOW, .text_max = text_max};
	struct error err = {0};
	struct tuf *t = NULL;

	mine.ctx = w;
	if (tuf_open(&mine, &o, &t, &err) < 0)
		fail_msg("%s", err.text);
	return t;
}

static void refresh(struct tuf *t)
{
	struct error err = {0};

	if (tuf_refresh(t, &err) < 0)
		fail_msg("%s", err.text);
}

static void assert_within(const char *what, size_t before, size_t text_max)
{
	size_t most = TUF_MEMORY_BASE + TUF_MEMORY_FACTOR * text_max;
	size_t took = atomic_load(&peak) - before;

	print_message("%s: %zu KiB of %zu KiB\n", what, took / 1024, most / 1024);
	assert_true(took <= most);
}

/* Every file as large as it may be, all keys, two refreshes, and delegated roles until full. */
static void largest_metadata_stays_within_the_bound(void **state)
{
	static struct repo w;
	struct tuf_target target;
	struct error err = {0};
	size_t before;
	struct tuf *t;

	(void)state;
	repo_start(&w, KEYS_MAX);
	w.root_size = TUF_ROOT_MAX;
	publish_root(&w, 1, file_of(&w, "trusted"), TUF_ROOT_MAX);
	publish_targets(&w, "r", 1, TUF_TARGETS_MAX);
	publish_all(&w, 1, TUF_TARGETS_MAX);

	before = start();
	t = open_session(&w, 0);
	refresh(t);
	assert_within("a refresh", before,
		      TUF_ROOT_MAX + TUF_TIMESTAMP_MAX + TUF_SNAPSHOT_MAX + TUF_TARGETS_MAX +
			      4 * TUF_FILE_EXTRA);
	/* Some more of 5 MiB fit, and the next one is refused. */
	assert_error(tuf_find(t, "x", &target, &err), E_INVALID, &err, ".json: larger than");
	assert_within("a search", before, TUF_TEXT_MAX);
	tuf_close(t);
	repo_end(&w);
}

static void options_set_the_bound(void **state)
{
	static const size_t sizes[] = {256 * 1024, 1024 * 1024};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		size_t max = sizes[i], before;
		struct tuf_target target;
		struct error err = {0};
		struct tuf *t;
		struct repo w;

		repo_start(&w, 4);
		w.root_size = max / 8;
		publish_root(&w, 1, file_of(&w, "trusted"), max / 8);
		publish_targets(&w, "r", 1, max / 8);
		publish_all(&w, 1, max / 8);
		before = start();
		t = open_session(&w, max);
		refresh(t);
		publish_all(&w, 2, max / 8);
		refresh(t);
		assert_error(tuf_find(t, "x", &target, &err), E_INVALID, &err,
			     ".json: larger than");
		tuf_close(t);

		before = start();
		t = open_session(&w, max);
		refresh(t);
		assert_error(tuf_find(t, "x", &target, &err), E_INVALID, &err,
			     ".json: larger than");
		assert_within("a small session", before, max);
		tuf_close(t);
		/* Too little for this repository. */
		t = open_session(&w, max / 4);
		assert_error(tuf_refresh(t, &err), E_INVALID, &err, "larger than");
		tuf_close(t);
		repo_end(&w);
	}
}

/* A few bytes can say that there are 2^16 roles with long names. */
static void number_of_hash_bins_costs_no_memory(void **state)
{
	enum { TEXT = 64 * 1024, PREFIX = 195 };
	char prefix[PREFIX + 1], name[PREFIX + 16];
	struct buf members = {0};
	struct tuf_delegated found;
	struct error err = {0};
	struct repo w;
	struct tuf *t;
	size_t before;

	(void)state;
	repo_start(&w, 1);
	publish_root(&w, 1, file_of(&w, "trusted"), TEXT / 8);
	publish_targets(&w, "r", 1, TEXT / 8);
	publish_all(&w, 1, TEXT / 8);
	memset(prefix, 'r', PREFIX);
	prefix[PREFIX] = '\0';
	assert_int_equal(
		buf_printf(&members, NULL,
			   "\"_type\":\"targets\",\"version\":1,\"targets\":{},"
			   "\"delegations\":{\"keys\":{%s},\"succinct_roles\":{\"keyids\":[%s],"
			   "\"threshold\":1,\"bit_length\":16,\"name_prefix\":\"%s\"}}",
			   w.keys.data, w.keyids.data, prefix),
		0);
	publish(&w, file_of(&w, "1.targets.json"), members.data, DENSE, TEXT / 8);
	buf_clear(&members);
	before = start();
	t = open_session(&w, TEXT);
	refresh(t);
	(void)snprintf(name, sizeof(name), "%s-ffff", prefix);
	assert_error(tuf_delegated(t, name, &found, &err), E_UNTRUSTED, &err,
		     "snapshot.json: does not list rrr");
	assert_int_equal(tuf_delegated(t, "another", &found, &err), E_UNTRUSTED);
	assert_within("many hash bins", before, TEXT);
	tuf_close(t);
	repo_end(&w);
}

static void length_of_a_root_chain_costs_no_memory(void **state)
{
	enum { ROOT_SIZE = 2048, TEXT = 32 * 1024 };
	struct repo w;
	struct tuf *t;
	size_t before;

	(void)state;
	repo_start(&w, 1);
	w.root_size = ROOT_SIZE;
	w.roots = TUF_ROOTS_MAX + 1;
	publish_root(&w, 1, file_of(&w, "trusted"), ROOT_SIZE);
	publish_all(&w, 1, ROOT_SIZE * 4); /* what delegates takes some */
	publish_root(&w, 1, file_of(&w, "root"), ROOT_SIZE);
	before = start();
	t = open_session(&w, TEXT);
	refresh(t);
	assert_int_equal(tuf_trusted_root(t)->version, TUF_ROOTS_MAX + 1);
	assert_within("a chain", before, TEXT);
	tuf_close(t);
	assert_true(atomic_load(&now) < before + 64 * 1024);
	repo_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_takes_no_more_than_it_may),
		cmocka_unit_test(weight_is_refused_from_its_bound_on),
		cmocka_unit_test(largest_metadata_stays_within_the_bound),
		cmocka_unit_test(options_set_the_bound),
		cmocka_unit_test(number_of_hash_bins_costs_no_memory),
		cmocka_unit_test(length_of_a_root_chain_costs_no_memory),
	};

	/* What libcrypto takes for itself, once, is nobody's session. */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
