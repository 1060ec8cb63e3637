/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sign/signer_spec.h"

#include <fcntl.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/sign/gpg.h"

enum { SEALED_FILE_MAX = 64 * 1024 };

/* A GnuPG home and the signer in it, to be released together. */
struct gpg_pair {
	struct gpg *g;
	struct signer *inner;
};

static int pair_sign(void *self, const void *data, size_t len, json_t **signature,
		     struct error *err)
{
	const struct gpg_pair *p = self;

	return signer_sign(p->inner, data, len, signature, err);
}

static void pair_free(void *self)
{
	struct gpg_pair *p = self;

	if (!p)
		return;
	signer_free(p->inner);
	gpg_close(p->g);
	free(p);
}

static void pair_freep(struct gpg_pair *const *p)
{
	pair_free(*p);
}

static const struct signer_ops pair_ops = {.sign = pair_sign, .free = pair_free};

static int open_gpg(const char *who, const char *home, struct signer **out, struct error *err)
{
	CLEANUP(pair_freep) struct gpg_pair *p = calloc(1, sizeof(*p));
	struct key *key = NULL;
	int r = p ? gpg_open(home, &p->g, err) : error_nomem(err);

	if (r == 0)
		r = gpg_signer(p->g, who, &p->inner, err);
	if (r < 0)
		return r;

	const struct key *inner = signer_key(p->inner);
	r = key_parse(key_id(inner), key_object(inner), "gpg", &key, err);
	return r < 0 ? r : signer_new(&pair_ops, steal(p), key, out, err);
}

static int open_sealed(const char *path, const char *home, struct signer **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf sealed = {0};
	CLEANUP(gpg_closep) struct gpg *g = NULL;
	int r = file_read(AT_FDCWD, path, SEALED_FILE_MAX, &sealed, err);

	if (r == 0)
		r = gpg_open(home, &g, err);
	if (r < 0)
		return r;
	r = gpg_signer_sealed(g, sealed.data, sealed.len, out, err);
	return r < 0 ? error_prefix(err, r, "%s", path) : 0;
}

/* The rest of `spec` after `prefix`, or NULL. */
static const char *after(const char *spec, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(spec, prefix, len) == 0 && spec[len] ? spec + len : NULL;
}

int signer_open_spec(const char *spec, const char *gnupg_home, struct signer **out,
		     struct error *err)
{
	const char *pem = after(spec, "pem:"), *sealed = after(spec, "sealed:");
	const char *who = after(spec, "gpg:");
	int r;

	if (pem)
		r = signer_from_file(AT_FDCWD, pem, out, err);
	else if (sealed)
		r = open_sealed(sealed, gnupg_home, out, err);
	else if (who)
		r = open_gpg(who, gnupg_home, out, err);
	else
		r = error_set(err, E_USAGE, "key: want " SIGNER_SPEC_ARG ", got \"%.100s\"", spec);
	if (r != E_INVALID)
		return r;
	/* It is the person's own file: theirs to put right. */
	if (err)
		err->code = E_USAGE;
	return E_USAGE;
}
