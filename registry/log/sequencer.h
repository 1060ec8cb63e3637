/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequencer - the log: leaves in one order, one signed checkpoint for each batch
 *
 * Its state is in the store (leaves, tiles, checkpoint), so that a document and
 * its leaf are one commit; the files below log/ follow through the outbox.
 *
 * A checkpoint is signed with each batch, and shown to the world, with the
 * proofs under it, once enough witnesses have cosigned it (cosign.h): at once
 * where none are asked for.
 *
 * The greatest checkpoint ever signed is also in DIR/log.head. A database from a backup is behind
 * them: going on from it would sign a second history, so log_check() refuses.
 */
#ifndef REGISTRY_LOG_SEQUENCER_H
#define REGISTRY_LOG_SEQUENCER_H

#include "registry/internal.h"

struct error;

#define LOG_HEAD "log.head"
#define LOG_CHECKPOINT "log/checkpoint"

/* Give the document its leaf; fills doc->index and doc->seq. The row is in the store already. */
MUSTCHECK int log_add(struct work *w, struct document_row *doc, struct error *err);

/*
 * Sign a checkpoint over all leaves that this transaction added, if any; ask for
 * tiles, entries and the leaf chains of their products to be written, and, where
 * no witness has to cosign, for checkpoint and proofs. E_BUSY: the log was forked.
 */
MUSTCHECK int log_seal(struct work *w, struct error *err);

/*
 * Ask for `note`, a checkpoint over `size` leaves that may be shown, and for the
 * proofs under it to be written; not so many of them that a job is long: *more says
 * that the same call is to be made again. A no-op if a later one is shown already.
 */
MUSTCHECK int log_publish(struct work *w, uint64_t size, const struct buf *note, bool *more,
			  struct error *err);

/* A job, for the start: what may be shown and is not. `more` as above, a bool *. */
MUSTCHECK int log_catch_up(struct work *w, void *more, struct error *err);

/* The checkpoint of the empty log; a no-op if there is one already. */
MUSTCHECK int log_start(struct work *w, struct error *err);

/* Nobody has seen more of this log than the store knows. E_UNTRUSTED says what to do. */
MUSTCHECK int log_check(struct registry *r, struct error *err);

/*
 * The same for one checkpoint that our key has signed; `who` has it. In a job,
 * or with the store's lock held.
 */
struct checkpoint;
MUSTCHECK int log_compare(struct registry *r, const struct checkpoint *head, const char *who,
			  struct error *err);

/* Remember the store's checkpoint in DIR/log.head: after a commit, before anyone sees it. */
MUSTCHECK int log_remember(struct registry *r, struct error *err);

/*
 * Every file of the log at its present size, as it must be: tiles and entries
 * (of partial ones those in use now), the checkpoint that is shown, leaf chains. `path` is below
 * public/; stop by returning a negative code.
 */
typedef int (*log_file_fn)(void *ctx, const char *path, const struct buf *content,
			   struct error *err);
MUSTCHECK int log_each_file(struct store *s, log_file_fn each, void *ctx, struct error *err);

/* Append the proof file of a leaf under the checkpoint `note`, which is over `size` leaves. */
MUSTCHECK int log_prove(struct store *s, uint64_t index, uint64_t size, const struct buf *note,
			struct buf *out, struct error *err);

/* Reads tiles from a `struct store *`, for proofs. */
struct merkle_store log_tiles(struct store *s);

#endif
