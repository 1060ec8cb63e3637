/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor - follow a registry, believe nothing, say what its products' people must know
 *
 * One look (monitor_look()) goes through these steps, each durable by itself:
 *
 *	heads.c      which log it is, what each vantage point shows of it, and whether
 *	             that is one log that only grew
 *	walk.c       every new leaf, bound to the checkpoint; the leaf chain of each product
 *	documents.c  every new leaf's document: identity, signatures, what it means
 *	fresh.c      what devices are given now (served.c), and whether the rest is in order
 *
 * What they find are events, told once and never lost (told at least once, if the
 * monitor is killed while it tells), and troubles, which stand until they are over.
 *
 * What is believed: one log key, and for each product the first root that the log
 * has of it. No I/O of its own but the state folder: trees come through a callback.
 */
#ifndef REGISTRY_MONITOR_MONITOR_H
#define REGISTRY_MONITOR_MONITOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/tlog/policy.h"
#include "registry/monitor/memory.h"

struct error;

enum {
	VANTAGES_MAX = 8,
	WATCHED_MAX = 64,       /* products asked for by name */
	MONITOR_WITNESSES = 32, /* keys */
	MONITOR_ORIGIN_SIZE = NOTE_NAME_MAX + 1,
	TILES_CACHED = 24,
};

/* A public tree that somebody serves. */
struct vantage {
	const char *url; /* also its name in events; borrowed */
	void *ctx;
	/* Append a file of the tree; E_NOTFOUND, E_NET, E_BUSY; E_INVALID: longer than `max`. */
	int (*read)(void *ctx, const char *path, size_t max, struct buf *out, struct error *err);
	bool bare; /* there is nothing but log/checkpoint, as a witness serves it */
	/* Below: filled by heads.c. */
	bool reached;    /* there is a checkpoint by the log, as follows */
	struct buf note; /* owned */
	struct checkpoint head;
};

/* What has to be so, and from when on it is told; seconds, but for the last. */
struct monitor_limits {
	int64_t root, targets, snapshot, timestamp; /* left until it expires */
	int64_t grace;                              /* for what is on its way to the tree */
	int64_t remind;                             /* until a standing trouble is told again */
	int64_t leaves;                             /* at most, in one look */
};
extern const struct monitor_limits monitor_defaults;

struct monitor_tile {
	bool used;
	unsigned level, width;
	uint64_t n, age;
	struct hash hashes[TILE_WIDTH];
};

/* One vantage point's tiles, as many as the cache has room for. */
struct monitor_tiles {
	const struct vantage *of;
	uint64_t size; /* of the tree: tiles are asked for as wide as they are in it */
	uint64_t clock;
	struct monitor_tile tile[TILES_CACHED];
};

struct monitor {
	struct memory *memory; /* borrowed, as all of these */
	int dir;               /* of the state: evidence/ is made in it */
	int64_t now;
	struct monitor_limits limits;
	const char *const *products; /* only these; NULL: all */
	size_t nproducts;
	bool all;                         /* LEVEL_INFO, too */
	const char *vkey;                 /* given by hand; NULL: see heads.c */
	const struct tlog_policy *policy; /* given by hand; NULL: registry.json's witnesses */

	struct vantage vantage[VANTAGES_MAX];
	size_t n;

	/* Of the look under way. */
	struct note_key log;
	struct note_key witness[MONITOR_WITNESSES]; /* without a policy */
	size_t nwitness, threshold;
	json_t *online;              /* the registry's online keys; owned; NULL: not known */
	struct vantage *lead;        /* whose tree is followed; NULL: none can be */
	struct monitor_tiles *tiles; /* of the lead; owned */
	uint64_t events;             /* told or not, ever */
	bool incomplete;             /* something could not be asked, or is left for next time */
};

/*
 * One look. What was found until then is in the memory, whatever comes back. m->lead NULL: no
 * vantage point could be followed. m->incomplete: look again later.
 */
MUSTCHECK int monitor_look(struct monitor *m, struct error *err);

/* Release what a look made. */
void monitor_clear(struct monitor *m);

/* --- what was found --------------------------------------------------------------- */

enum level { LEVEL_INFO, LEVEL_NEWS, LEVEL_WARNING, LEVEL_ALARM, LEVELS };
const char *level_name(enum level l);

/* What an event or a trouble is about; only level and kind have to be given. */
struct happening {
	enum level level;
	const char *kind;     /* such as "eol", "two-leaves": see docs/PROTOCOL.md */
	const char *product;  /* NULL: of the whole log */
	const char *id;       /* of the document */
	const char *evidence; /* folder below the state folder */
	bool has_index;
	uint64_t index; /* of the leaf */
	/* Troubles: */
	const char *scope; /* what tells it from others of its kind: a product, a URL */
	int64_t patience;  /* seconds that it may stand untold */
};

MUSTCHECK int monitor_tell(struct monitor *m, const struct happening *h, struct error *err,
			   const char *fmt, ...) PRINTF(4, 5);

/* It is so (still): told when it begins, gets worse, and at every reminder. */
MUSTCHECK int monitor_trouble(struct monitor *m, const struct happening *h, struct error *err,
			      const char *fmt, ...) PRINTF(4, 5);

/* It is not so (any more). Told if it had been. */
MUSTCHECK int monitor_fine(struct monitor *m, const char *kind, const char *scope,
			   struct error *err);

/* Was this trouble told, and is not over? */
MUSTCHECK int monitor_stands(struct monitor *m, const char *kind, const char *scope, bool *out,
			     struct error *err);

/*
 * All standing troubles that were told and concern us, as an array that the caller owns; *worst is
 * their highest level.
 */
MUSTCHECK int monitor_standing(struct monitor *m, json_t **out, enum level *worst,
			       struct error *err);

/* Does this product concern us? */
bool monitor_watches(const struct monitor *m, const char *product);

/* --- evidence --------------------------------------------------------------------- */

struct exhibit {
	const char *name; /* of the file */
	const void *data;
	size_t len;
};

/*
 * Keep files in evidence/<kind>-<digest>/, once. `folder` gets the name of that folder.
 */
enum { EVIDENCE_SIZE = 96 };
MUSTCHECK int monitor_keep(struct monitor *m, const char *kind, const struct exhibit *files,
			   size_t n, char folder[EVIDENCE_SIZE], struct error *err);

/* --- the steps ---------------------------------------------------------------------- */

/* Sets m->log, ->lead, ->tiles; leaves `lead` NULL if there is none to follow. */
MUSTCHECK int monitor_heads(struct monitor *m, struct error *err);
MUSTCHECK int monitor_walk(struct monitor *m, struct error *err);
MUSTCHECK int monitor_documents(struct monitor *m, struct error *err);
MUSTCHECK int monitor_fresh(struct monitor *m, struct error *err);

/* A transaction around one step of one thing. */
typedef int (*monitor_fn)(struct monitor *m, void *arg, struct error *err);
MUSTCHECK int monitor_step(struct monitor *m, monitor_fn fn, void *arg, struct error *err);

#endif
