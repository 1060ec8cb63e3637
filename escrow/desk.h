/* SPDX-License-Identifier: Apache-2.0 */
/*
 * desk - what the verbs of this program have in common
 *
 * The options that many of them take, documents read from files or from a
 * registry, and what becomes of a document that was made here: it is signed,
 * then written to a file or sent.
 */
#ifndef ESCROW_DESK_H
#define ESCROW_DESK_H

#include "lib/base/cli.h"
#include "lib/base/utc.h"
#include "lib/net/api.h"
#include "lib/sign/envelope.h"
#include "lib/sign/key_file.h"
#include "lib/tuf/role.h"
#include "policies/statement.h"

struct error;

/* Embedded in the options of the verbs, as `common`. */
struct common {
	const char *product, *registry, *gnupg_home, *root, *out;
	struct cli_list keys;
	bool allow_http;
};
/* The options of a verb that has no others. */
struct common_only {
	struct common common;
};
#define OPT_PRODUCT(type, kind) \
	kind(type, common.product, CLI_TEXT, "product", "ID", "the product, such as lego.nxt")
#define OPT_REGISTRY(type, kind) \
	kind(type, common.registry, CLI_TEXT, "registry", "URL", "the registry's address")
#define OPT_ALLOW_HTTP(type) \
	CLI_OPT(type, common.allow_http, CLI_FLAG, "allow-http", NULL, \
		"accept http:// beyond this machine")
#define OPT_HOME(type) \
	CLI_OPT(type, common.gnupg_home, CLI_TEXT, "gnupg-home", "DIR", \
		"the GnuPG home to use instead of the default")
#define OPT_KEYS(type, kind) \
	kind(type, common.keys, CLI_LIST, "key", "SPEC", \
	     "sign with pem:FILE, sealed:FILE or gpg:WHO; may repeat")
#define OPT_ROOT(type, kind) \
	kind(type, common.root, CLI_TEXT, "root", "FILE", "the root that is in force")
#define OPT_PORTABLE(type) \
	CLI_OPT(type, portable, CLI_FLAG, "portable", NULL, \
		"refuse keys that not all TUF clients read")
#define OPT_OUT(type, kind, help) kind(type, common.out, CLI_TEXT, "out", "FILE", help)

enum { DOCUMENT_MAX = 512 * 1024 }; /* bytes of a statement or a root */

/* A registry, or a mirror of its tree (file:// too). */
struct desk {
	struct http *http;
	struct api api;
};
MUSTCHECK int desk_open(const struct common *c, struct desk *out, struct error *err);
void desk_close(struct desk *d);

/* Append a file of the public tree, such as "p/lego.nxt/index.json". E_NOTFOUND. */
MUSTCHECK int desk_get(const struct desk *d, const char *path, size_t max, struct buf *out,
		       struct error *err);
MUSTCHECK int desk_get_json(const struct desk *d, const char *path, size_t max, json_t **out,
			    struct error *err);

/*
 * What the person gave is theirs to mend: E_NOTFOUND, E_INVALID and E_UNTRUSTED
 * become E_USAGE, the text stays; other results are given back.
 */
MUSTCHECK int desk_usage(int r, struct error *err);

/* Files that a person names: E_USAGE instead of E_NOTFOUND and E_INVALID. */
MUSTCHECK int desk_read(const char *path, size_t max, struct buf *out, struct error *err);
MUSTCHECK int desk_read_json(const char *path, json_t **out, struct error *err);
MUSTCHECK int desk_read_envelope(const char *path, struct envelope **out, struct error *err);
MUSTCHECK int desk_read_root(const char *path, struct tuf_root **out, struct error *err);

/*
 * The signed part of a statement: _type, spec_version, product, version, issued
 * (now), and `root` {"version", "id"} unless NULL. The caller owns *out.
 */
MUSTCHECK int desk_statement(enum statement_type type, const char *product, int64_t version,
			     const struct tuf_root *root, json_t **out, struct error *err);

/* Set members of an object: the new values are taken in any case; NULL is E_NOMEM. */
MUSTCHECK int json_put(json_t *object, const char *key, json_t *value_take, struct error *err);

/* Is `text` an instant, or a date (which becomes its midnight)? E_USAGE names the option. */
MUSTCHECK int desk_time(const char *option, const char *text, char out[UTC_SIZE],
			struct error *err);

/* Sign with every --key. */
MUSTCHECK int desk_sign(const struct common *c, struct envelope *doc, struct error *err);

/* Write a document to a file, atomically. */
MUSTCHECK int desk_write(const char *path, const struct envelope *doc, struct error *err);

/*
 * Sign, then write to --out, or send to the registry; print what happened. With
 * neither it is E_USAGE.
 */
MUSTCHECK int desk_finish(const struct cli_call *call, const struct common *c, struct envelope *doc,
			  struct error *err);

/* Send documents as one array and print the outcome for each. */
MUSTCHECK int desk_submit(const struct cli_call *call, const struct desk *d,
			  const struct envelope *const *docs, size_t n, struct error *err);

#endif
