/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work - a publisher's folder: one product's metadata, and the next versions of its targets
 *
 *	publish.json        product and registry
 *	metadata/           the TUF client's store: what is published, verified
 *	draft.json          the targets metadata being made; signatures so far
 *	draft.<role>.json   the same of a delegated role, its name as in a URL
 *	files/<sha256>      the files that the drafts list
 *	lock
 *
 * Everything is written atomically; a crash leaves each draft before or after.
 * What is made is reviewed as clients will read it before it is written.
 */
#ifndef REGISTRY_PUBLISH_WORK_H
#define REGISTRY_PUBLISH_WORK_H

#include "lib/net/http.h"
#include "lib/tuf/client.h"
#include "lib/tuf/lineage.h"

struct error;

/* One role's next version; the top-level role's is called "targets". */
struct draft {
	struct draft *next;
	char *role;
	struct envelope *doc;
};

struct work {
	int dir, metadata, lock; /* descriptors; the lock is held as long as the struct lives */
	char *product, *registry;
	struct http *http;
	struct tuf *tuf;      /* the trusted metadata; set by work_trust() */
	bool bare;            /* the registry has roots of the product, and no timestamp yet */
	bool offline;         /* do not ask the registry for what is not in the folder */
	struct draft *drafts; /* the top-level one first */
};
#define WORK_NONE ((struct work){.dir = -1, .metadata = -1, .lock = -1})

/* Make the folder (or take one that is there for the same product). E_EXISTS, E_USAGE. */
MUSTCHECK int work_make(const char *path, const char *product, const char *registry,
			struct work *out, struct error *err);

/* Open a folder that `checkout` made, with its draft. E_USAGE: it is none. E_BUSY. */
MUSTCHECK int work_open(const char *path, struct work *out, struct error *err);
void work_close(struct work *w);

/*
 * Load the trusted metadata, and with `refresh` bring it up to date from the registry;
 * without, nothing is asked of the registry.
 */
MUSTCHECK int work_trust(struct work *w, bool refresh, struct error *err);

/*
 * What is published of a role, as far as work_trust() knows. E_NOTFOUND: nothing, under
 * this root; or nothing that anybody delegates to.
 */
MUSTCHECK int work_published(struct work *w, const char *role, const struct tuf_role **out,
			     struct error *err);

/* Read the drafts that are in the folder; work_make() and work_open() do. E_USAGE. */
MUSTCHECK int work_read_drafts(struct work *w, struct error *err);
void work_free_drafts(struct work *w);

/* The draft of a role; NULL: there is none. */
struct envelope *work_draft(const struct work *w, const char *role);

/* A copy of its signed part, to be edited. E_USAGE: there is no draft, and how to make one. */
MUSTCHECK int work_edit(const struct work *w, const char *role, json_t **out, struct error *err);

/*
 * Replace a draft by a document around `signed_take`, with no signatures; durable.
 * E_USAGE: clients would refuse it, or it would help nobody, and why.
 */
MUSTCHECK int work_set_draft(struct work *w, const char *role, json_t *signed_take,
			     struct error *err);
MUSTCHECK int work_save_draft(const struct work *w, const char *role, struct error *err);
MUSTCHECK int work_drop_draft(struct work *w, const char *role, struct error *err);

/*
 * Start the draft of a role: the next version of what is published, or a first one, of
 * this version.
 */
MUSTCHECK int work_start(struct work *w, const char *role, int64_t first_version,
			 struct error *err);

/* The signed part of the draft, or, where there is none, of what is published. E_NOTFOUND. */
MUSTCHECK int work_body(struct work *w, const char *role, json_t **out, struct error *err);

/* The delegations as they will be, by the same rule. */
MUSTCHECK int work_lineage(struct work *w, struct lineage **out, struct error *err);

/*
 * Whose signatures a draft needs: by the trusted root, or by the first delegation to the
 * role; cleared by the caller. E_USAGE: nobody delegates to it.
 */
MUSTCHECK int work_keys(struct work *w, const char *role, struct role_keys *out, struct error *err);

#endif
