/* SPDX-License-Identifier: Apache-2.0 */
/*
 * witness - remembers what each log showed last, and cosigns what follows from it
 *
 * C2SP tlog-witness 1.0.0, without the sockets. The data folder:
 *
 *	witness.json                       {"name": "<name of the key>"}
 *	keys/witness.pem                   Ed25519, plain PKCS#8
 *	logs                               which logs are known: a tlog-policy file, `log` lines
 *	public/<sha256 of origin>/checkpoint   what was cosigned last
 *	lock
 *
 * One file for each log, replaced by an atomic and durable rename before the
 * cosignature is given out: the file is the memory and what is served of it, at
 * once, and no log waits for another. Whoever brings back an old copy of it makes
 * the witness cosign a second history: see docs/operators.md.
 */
#ifndef REGISTRY_WITNESS_WITNESS_H
#define REGISTRY_WITNESS_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/tlog/note.h"

struct error;
struct witness;

/* Make the folder, with a new key of this name. E_EXISTS: it is a witness already. */
MUSTCHECK int witness_create(const char *data, const char *name, struct error *err);

/*
 * Add a log, which has a good vkey of its own, to the file of a witness; one that
 * is there already stays. A running witness takes it up within a second.
 */
MUSTCHECK int witness_know(const char *data, const char *vkey, struct error *err);

/*
 * Open, with the lock if it is to cosign (`serve`); to look at it needs none.
 * E_BUSY: another process has it. E_UNTRUSTED: what was cosigned last cannot be read.
 */
MUSTCHECK int witness_open(const char *data, bool serve, struct witness **out, struct error *err);
void witness_close(struct witness *w);
DEFINE_CLEANUP(struct witness *, witness_close)

int witness_data_dir(const struct witness *w);   /* descriptors; borrowed */
int witness_public_dir(const struct witness *w); /* what may be served */
const struct note_key *witness_key(const struct witness *w);

/* Each log that is known, with what was cosigned last (size 0 and time 0: nothing yet). */
typedef int (*witness_log_fn)(void *ctx, const char *origin, uint64_t size, int64_t time,
			      struct error *err);
MUSTCHECK int witness_each_log(struct witness *w, witness_log_fn each, void *ctx,
			       struct error *err);

/* Read the file of logs again if it changed. On failure the old list stays in force. */
MUSTCHECK int witness_reload(struct witness *w, struct error *err);

/*
 * Judge the body of an add-checkpoint request, at `now` by our clock, and
 * remember what is cosigned. Returns an HTTP status, an enum witness_verdict or
 * 500 or 503 for what went wrong here (the clock is behind what was signed
 * before: 503); `out` gets the cosignature (200) or the size (409), else `err`
 * says why. From any thread.
 */
unsigned witness_add(struct witness *w, const void *body, size_t len, int64_t now, struct buf *out,
		     struct error *err);

#endif
