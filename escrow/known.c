/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/known.h"

#include <fcntl.h>
#include <jansson.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/json/strict.h"

#define FILE_NAME "bequest-roots.json" /* {"<product>": "<id of its first root>"} */

enum { FILE_BYTES_MAX = 1024 * 1024, MODE = 0600 };

static int open_home(const char *home, int *out, struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	const char *set = home ? home : getenv("GNUPGHOME");
	const char *user = getenv("HOME");
	int r = set && *set ? buf_puts(&path, set, err)
			    : buf_printf(&path, err, "%s/.gnupg", user ? user : "");

	return r < 0 ? r : file_open_dir(AT_FDCWD, path.data, false, out, err);
}

static int load(int dir, json_t **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r;

	if (!file_exists(dir, FILE_NAME)) {
		*out = json_object();
		return *out ? 0 : error_nomem(err);
	}
	r = file_read(dir, FILE_NAME, FILE_BYTES_MAX, &text, err);
	return r < 0 ? r : strict_parse(text.data, text.len, FILE_NAME, out, err);
}

static int check(const json_t *known, const char *product, const char *id, struct error *err)
{
	const char *met = json_string_value(json_object_get(known, product));

	if (!met)
		return error_set(err, E_NOTFOUND, "%s: no root of it was met before", product);
	if (strcmp(met, id) != 0)
		return error_set(err, E_UNTRUSTED,
				 "%s: its first root is %.16s, but %.16s was met before (" FILE_NAME
				 " in the GnuPG home)",
				 product, id, met);
	return 0;
}

int known_check(const char *home, const char *product, const char *id, struct error *err)
{
	CLEANUP(closep) int dir = -1;
	json_auto_t *known = NULL;
	int r = open_home(home, &dir, err);

	if (r == 0)
		r = load(dir, &known, err);
	return r < 0 ? r : check(known, product, id, err);
}

int known_meet(const char *home, const char *product, const char *id, struct error *err)
{
	CLEANUP(closep) int dir = -1;
	CLEANUP(freep) char *text = NULL;
	json_auto_t *known = NULL;
	struct error why = {0};
	int r = open_home(home, &dir, err);

	if (r == 0)
		r = load(dir, &known, err);
	if (r < 0)
		return r;
	r = check(known, product, id, &why);
	if (r != E_NOTFOUND)
		return r < 0 ? error_set(err, r, "%s", why.text) : 0;
	if (json_object_set_new(known, product, json_string(id)) < 0)
		return error_nomem(err);
	text = json_dumps(known, JSON_SORT_KEYS | JSON_INDENT(1));
	return text ? file_write(dir, FILE_NAME, text, strlen(text), MODE, err) : error_nomem(err);
}
