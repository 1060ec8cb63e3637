/* SPDX-License-Identifier: Apache-2.0 */
/* log-move: witnesses say that a log goes on under another key. */
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/verbs.h"
#include "escrow/view.h"
#include "lib/base/error.h"
#include "lib/base/hex.h"
#include "lib/tlog/checkpoint.h"

enum { VERSION_MAX = 1000000, TILE_BYTES = TILE_WIDTH * SHA256_LEN };

struct options {
	struct common common;
	const char *last, *vkey, *url;
	int64_t version;
};

static const struct cli_option options[] = {
	OPT_PRODUCT(struct options, CLI_NEED),
	OPT_REGISTRY(struct options, CLI_NEED),
	OPT_ALLOW_HTTP(struct options),
	OPT_ROOT(struct options, CLI_OPT),
	CLI_NEED(struct options, last, CLI_TEXT, "last", "FILE",
		 "the last checkpoint of the old log"),
	CLI_NEED(struct options, vkey, CLI_TEXT, "vkey", "VKEY", "the new log's key"),
	CLI_OPT(struct options, url, CLI_TEXT, "url", "URL", "where the new log is"),
	CLI_RANGE(struct options, version, 1, VERSION_MAX, "version", "N",
		  "of this statement (the registry's next)"),
	OPT_KEYS(struct options, CLI_OPT),
	OPT_HOME(struct options),
	OPT_OUT(struct options, CLI_OPT, "write it, for others to sign, instead of sending it"),
	{0},
};

/* The new log as the registry serves it. */
struct remote {
	const struct desk *desk;
	uint64_t size;
};

/* Of a tile as wide as it is by now. */
static int read_tile(void *ctx, unsigned level, uint64_t n, unsigned width, struct hash *out,
		     struct error *err)
{
	const struct remote *log = ctx;
	uint64_t there = (log->size >> (TILE_HEIGHT * level)) - n * TILE_WIDTH;
	CLEANUP(buf_clear) struct buf bytes = {0};
	char path[TILE_PATH_SIZE + 8] = "log/";

	tile_path((int)level, n, there < TILE_WIDTH ? (unsigned)there : TILE_WIDTH,
		  path + strlen(path));
	int r = desk_get(log->desk, path, TILE_BYTES, &bytes, err);
	if (r < 0)
		return r;
	if (bytes.len < (size_t)width * SHA256_LEN)
		return error_set(err, E_INVALID, "%s: want %u hashes", path, width);
	memcpy(out, bytes.data, (size_t)width * SHA256_LEN);
	return 0;
}

static int read_new(const struct options *o, const struct desk *desk, struct remote *out,
		    struct error *err)
{
	CLEANUP(buf_clear) struct buf bytes = {0};
	struct log_policy policy = {.threshold = 0};
	struct checkpoint now = {.size = 0};
	int r = desk_usage(note_key_parse(o->vkey, &policy.log, err), err);

	if (r < 0)
		return error_prefix(err, r, "--vkey");
	r = desk_get(desk, "log/checkpoint", NOTE_MAX, &bytes, err);
	if (r == 0)
		r = checkpoint_parse(bytes.data, bytes.len, &now, err);
	if (r == 0)
		r = checkpoint_verify(&now, &policy, NULL, err);
	if (r < 0)
		return error_prefix(err, r, "the new log");
	*out = (struct remote){desk, now.size};
	return 0;
}

/* What witnesses vouch for: the new log begins with all that the old one had. */
static int check_same(const struct options *o, const struct desk *desk,
		      const struct checkpoint *last, struct error *err)
{
	struct remote remote = {.size = 0};
	struct hash root;
	const struct merkle_store store = {.ctx = &remote, .read = read_tile};
	int r = read_new(o, desk, &remote, err);

	if (r == 0 && remote.size < last->size)
		r = error_set(err, E_UNTRUSTED,
			      "the new log: has %llu leaves, and the old one had %llu",
			      (unsigned long long)remote.size, (unsigned long long)last->size);
	if (r == 0)
		r = merkle_root(&store, last->size, &root, err);
	if (r == 0 && memcmp(root.b, last->root.b, sizeof(root.b)) != 0)
		r = error_set(err, E_UNTRUSTED,
			      "the new log: its first %llu leaves are not those of the old one",
			      (unsigned long long)last->size);
	return r;
}

static int make_body(const struct options *o, const struct view *v, const struct checkpoint *last,
		     json_t **out, struct error *err)
{
	int64_t version = o->version ? o->version : view_next_version(v, ST_LOG_MOVE);
	CLEANUP(json_decrefp) json_t *body = NULL;
	char digest[SHA256_HEX_SIZE];
	int r = desk_statement(ST_LOG_MOVE, o->common.product, version, NULL, &body, err);

	hex_encode(last->root.b, sizeof(last->root.b), digest);
	if (r == 0)
		r = json_put(body, "origin", json_string(last->origin), err);
	if (r == 0)
		r = json_put(body, "size", json_integer((json_int_t)last->size), err);
	if (r == 0)
		r = json_put(body, "hash", json_string(digest), err);
	if (r == 0)
		r = json_put(body, "vkey", json_string(o->vkey), err);
	if (r == 0 && o->url)
		r = json_put(body, "url", json_string(o->url), err);
	if (r == 0)
		*out = steal(body);
	return r;
}

/* Under which log was it? Its key is one that the root in force names. */
static int check_last(const struct view *v, const struct checkpoint *last, struct error *err)
{
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	struct log_policy policy = {.threshold = 0};
	int r = who ? publisher_read(view_root(v), "the root in force", who, err)
		    : error_nomem(err);

	for (size_t i = 0; r == 0 && i < who->nlogs; i++) {
		if (strcmp(who->logs[i].origin, last->origin) != 0)
			continue;
		policy.log = who->logs[i].key;
		return checkpoint_verify(last, &policy, NULL, err);
	}
	return r < 0 ? r
		     : error_set(err, E_UNTRUSTED, "log \"%.80s\" is none that root %lld names",
				 last->origin, (long long)view_root(v)->version);
}

static int run(const struct cli_call *call, struct error *err)
{
	const struct options *o = call->opt;
	CLEANUP(desk_close) struct desk d = {0};
	CLEANUP(view_close) struct view v = {0};
	CLEANUP(buf_clear) struct buf bytes = {0};
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	json_t *body = NULL;
	struct checkpoint last = {.size = 0};
	int r = desk_open(&o->common, &d, err);

	if (r == 0)
		r = view_open(&d, &o->common, &v, err);
	if (r == 0)
		r = desk_read(o->last, NOTE_MAX, &bytes, err);
	if (r == 0)
		r = checkpoint_parse(bytes.data ? bytes.data : "", bytes.len, &last, err);
	if (r == 0)
		r = check_last(&v, &last, err);
	if (r < 0)
		return error_prefix(err, desk_usage(r, err), "%s", o->last);
	r = check_same(o, &d, &last, err);
	if (r == 0)
		r = make_body(o, &v, &last, &body, err);
	if (r == 0)
		r = envelope_new(body, &doc, err);
	return r < 0 ? r : desk_finish(call, &o->common, doc, err);
}

const struct cli_verb escrow_log_move = {
	.name = "log-move",
	.help = "say, as a witness, that a log goes on under another key",
	.options = options,
	.size = sizeof(struct options),
	.run = run,
};
