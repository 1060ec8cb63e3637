/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootdoc - making roots: keys into roles, and what Bequest adds to them
 */
#ifndef ESCROW_ROOTDOC_H
#define ESCROW_ROOTDOC_H

#include "escrow/desk.h"
#include "lib/tuf/role.h"

struct error;

/* Give a role these keys, from files of `key export`, and a threshold; what it had is gone. */
MUSTCHECK int rootdoc_role(json_t *root, enum tuf_type role, const struct cli_list *files,
			   int64_t threshold, struct error *err);

/*
 * Ask a registry for the online keys of this product and publisher, and put
 * them into timestamp and snapshot.
 */
MUSTCHECK int rootdoc_online(json_t *root, const struct desk *desk, const char *product,
			     const char *publisher, struct error *err);

/* The same with keys that nobody has: made here, and only their public halves kept. */
MUSTCHECK int rootdoc_throwaway(json_t *root, struct error *err);

/* The registry's logs and witnesses, from its registry.json, into signed["x-bequest"]. */
MUSTCHECK int rootdoc_logs(json_t *x_bequest, const struct desk *desk, struct error *err);

/* E_USAGE if a key in it is of a kind that not all TUF clients read: names the key. */
MUSTCHECK int rootdoc_portable(const struct tuf_root *root, struct error *err);

/* Parse what was made here, as a check of it. E_USAGE: a role that its keys cannot satisfy. */
MUSTCHECK int rootdoc_check(const struct envelope *doc, const char *name, struct tuf_root **out,
			    struct error *err);

#endif
