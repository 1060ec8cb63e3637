/* SPDX-License-Identifier: Apache-2.0 */
#include "client/why.h"

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/json/strict.h"

#define WHY_FILE "why.json"
enum { WHY_MAX = 512 * 1024, WHY_MODE = 0644 };

static void unref(json_t **j)
{
	json_decref(*j);
}

int why_read(const struct device *d, json_t **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	json_t *j = NULL;
	int r = d->dir < 0 ? E_NOTFOUND : file_read(d->dir, WHY_FILE, WHY_MAX, &text, err);

	if (r == 0)
		r = strict_parse(text.data ? text.data : "", text.len, WHY_FILE, &j, err);
	if (r < 0 && r != E_NOTFOUND && r != E_INVALID)
		return r;
	if (!j || !json_is_object(j)) { /* none yet, or spoilt: it decides nothing */
		json_decref(j);
		j = json_pack("{s:n, s:n}", "handover", "update");
	}
	if (!j)
		return error_nomem(err);
	*out = j;
	return 0;
}

static int put(const struct device *d, const char *key, json_t *value_take, struct error *err)
{
	CLEANUP(unref) json_t *value = value_take;
	CLEANUP(unref) json_t *all = NULL;
	CLEANUP(freep) char *text = NULL;
	int r = value ? why_read(d, &all, err) : error_nomem(err);

	if (r < 0 || json_equal(json_object_get(all, key), value))
		return r;
	if (json_object_set(all, key, value) < 0)
		return error_nomem(err);
	text = json_dumps(all, JSON_COMPACT);
	if (!text)
		return error_nomem(err);
	return file_write(d->dir, WHY_FILE, text, strlen(text), WHY_MODE, err);
}

int why_handover(const struct device *d, json_t *why, struct error *err)
{
	return put(d, "handover", why ? json_incref(why) : json_null(), err);
}

int why_update(const struct device *d, json_t *targets, json_t *policy, struct error *err)
{
	return put(d, "update", json_pack("{s:O?, s:O?}", "targets", targets, "policy", policy),
		   err);
}
