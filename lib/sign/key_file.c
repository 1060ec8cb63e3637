/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/sign/key_file.h"

#include <fcntl.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/json/canon.h"
#include "lib/json/strict.h"
#include "lib/sign/key.h"
#include "lib/sign/pgp_packet.h"

enum { KEY_FILE_MAX = 512 * 1024 };

/* What a person gave is theirs to mend. */
static int usage(int r, struct error *err)
{
	if (r != E_NOTFOUND && r != E_INVALID)
		return r;
	if (err)
		err->code = E_USAGE;
	return E_USAGE;
}

/* The id that writers give it; of an OpenPGP key it cannot be computed, and has only its form. */
static int check_id(const struct key *key, struct error *err)
{
	CLEANUP(buf_clear) struct buf canonical = {0};
	char id[SHA256_HEX_SIZE];
	int r = 0;

	if (!key_portable(key))
		return hex_is(key_id(key), PGP_FPR_HEX)
			       ? 0
			       : error_set(err, E_INVALID,
					   "keyid: want a fingerprint of %d lower-case hex digits",
					   PGP_FPR_HEX);
	r = canon_write(key_object(key), &canonical, err);
	if (r < 0)
		return r;
	sha256_hex(canonical.data, canonical.len, id);
	if (strcmp(key_id(key), id) != 0)
		return error_set(err, E_INVALID, "keyid: want %s, which is this key's", id);
	return 0;
}

int key_file_take(json_t *whole_take, const char *where, struct key_file *out, struct error *err)
{
	static const struct field fields[] = {
		{.key = "keyid",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(struct key_file, keyid),
		 .min = 1,
		 .max = KEYID_MAX},
		{.key = "key", .kind = FIELD_OBJECT, .offset = offsetof(struct key_file, object)},
		{.key = "name",
		 .kind = FIELD_TEXT,
		 .offset = offsetof(struct key_file, name),
		 .optional = true},
	};
	CLEANUP(key_file_clear) struct key_file k = {.whole = whole_take};
	CLEANUP(key_freep) struct key *key = NULL;
	int r = strict_read(k.whole, "", fields, ARRAY_LEN(fields), STRICT_OPEN, &k, err);

	if (r == 0)
		r = key_parse(k.keyid, k.object, "key", &key, err);
	if (r == 0 && key_kind(key) == KEY_UNKNOWN)
		r = error_set(err, E_INVALID, "key: a kind of key that cannot be used here");
	if (r == 0)
		r = check_id(key, err);
	if (r < 0)
		return error_prefix(err, usage(r, err), "%s", where);
	*out = k;
	k = (struct key_file){0};
	return 0;
}

int key_file_read(const char *path, struct key_file *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	json_t *whole = NULL;
	int r = file_read(AT_FDCWD, path, KEY_FILE_MAX, &text, err);

	if (r == 0)
		r = strict_parse(text.data, text.len, path, &whole, err);
	return r < 0 ? usage(r, err) : key_file_take(whole, path, out, err);
}

void key_file_clear(struct key_file *k)
{
	json_decref(k->whole);
	*k = (struct key_file){0};
}
