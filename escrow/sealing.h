/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealing - carry out a plan: passphrases, shares, archives, manifest
 */
#ifndef ESCROW_SEALING_H
#define ESCROW_SEALING_H

#include "escrow/plan.h"

struct error;
struct envelope;
struct gpg;

/* Bytes of the compartment's items. */
struct seal_progress {
	progress_fn fn; /* may be NULL */
	void *ctx;
};

/*
 * Write the folder's files below `dir`, all but deposit.json, and give that
 * document, unsigned. `gpg` is a private home that has the certificates of all
 * holders. p->sealed is filled. No secret outlives the call.
 */
MUSTCHECK int seal_folder(struct plan *p, struct gpg *gpg, int dir,
			  const struct seal_progress *progress, struct envelope **out,
			  struct error *err);

#endif
