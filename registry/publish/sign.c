/* SPDX-License-Identifier: Apache-2.0 */
/* bequest-publish sign: add my signature to the draft. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/json/print.h"
#include "lib/sign/signer_spec.h"
#include "registry/publish/verbs.h"
#include "registry/publish/work.h"

struct options {
	const char *dir, *key, *home;
};

static const struct cli_option options[] = {
	CLI_NEED(struct options, dir, CLI_TEXT, "dir", "DIR", "the work folder"),
	CLI_NEED(struct options, key, CLI_TEXT, "key", "SPEC", "pem:FILE, sealed:FILE or gpg:WHO"),
	CLI_OPT(struct options, home, CLI_TEXT, "gnupg-home", "DIR",
		"GnuPG home of the key; default: yours"),
	{0},
};

static int run(const struct cli_call *call, struct error *err)
{
	CLEANUP(work_close) struct work w = WORK_NONE;
	CLEANUP(signer_freep) struct signer *signer = NULL;
	const struct options *o = call->opt;
	const struct role_keys *role;
	const struct tuf_root *root;
	json_t *unused;
	int r = work_open(o->dir, &w, err);

	if (r == 0)
		r = work_signed(&w, &unused, err);
	if (r == 0)
		r = work_trust(&w, false, err);
	if (r == 0)
		r = signer_open_spec(o->key, o->home, &signer, err);
	if (r < 0)
		return r;
	root = tuf_trusted_root(w.tuf);
	role = &root->role[TUF_TARGETS];
	if (!role_keys_has(role, signer_key(signer)))
		return error_set(err, E_USAGE,
				 "--key: %s is no targets key of root %" PRId64 " of %s",
				 key_id(signer_key(signer)), root->version, w.product);
	r = signer_sign_envelope(signer, w.draft, err);
	if (r == 0)
		r = work_save_draft(&w, err);
	if (r < 0)
		return r;

	size_t have = envelope_count(w.draft, role, NULL);
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:I, s:I}", "ok", 1, "keyid",
					    key_id(signer_key(signer)), "have", (json_int_t)have,
					    "need", (json_int_t)role->threshold),
				  err);
	(void)printf("targets %" PRId64 ": signed by %s; %zu of %" PRId64 " signatures\n",
		     envelope_version(w.draft), key_id(signer_key(signer)), have, role->threshold);
	return 0;
}

const struct cli_verb verb_sign = {
	.name = "sign",
	.args = "",
	.help = "add a signature to the draft",
	.options = options,
	.size = sizeof(struct options),
	.run = run,
};
