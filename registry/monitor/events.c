/* SPDX-License-Identifier: Apache-2.0 */
/* What was found: events, troubles that stand, evidence that is kept. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/hex.h"
#include "lib/base/utc.h"
#include "lib/json/strict.h"
#include "registry/monitor/monitor.h"

enum { TEXT_MAX = 1024, EVIDENCE_DIGITS = 16 };

static const char *const levels[] = {
	[LEVEL_INFO] = "info",   [LEVEL_NEWS] = "news", [LEVEL_WARNING] = "warning",
	[LEVEL_ALARM] = "alarm", [LEVELS] = NULL,
};

const char *level_name(enum level l)
{
	return levels[l];
}

bool monitor_watches(const struct monitor *m, const char *product)
{
	for (size_t i = 0; i < m->nproducts; i++)
		if (strcmp(m->products[i], product) == 0)
			return true;
	return !m->products;
}

int monitor_step(struct monitor *m, monitor_fn fn, void *arg, struct error *err)
{
	int r = memory_begin(m->memory, err);

	if (r == 0)
		r = fn(m, arg, err);
	if (r == 0)
		r = memory_commit(m->memory, err);
	if (r < 0)
		memory_rollback(m->memory);
	return r;
}

/* --- events ------------------------------------------------------------------------- */

static int set(json_t *o, const char *key, json_t *v_take, struct error *err)
{
	return json_object_set_new(o, key, v_take) < 0 ? error_nomem(err) : 0;
}

/* What comes from outside may be cut in the middle of a character. */
static json_t *text_value(const char *text)
{
	json_t *v = json_string(text);

	return v ? v : json_string("(not UTF-8)");
}

static int put_event(struct monitor *m, const struct happening *h, const char *text,
		     struct error *err)
{
	CLEANUP(json_decrefp) json_t *o = json_object();
	char name[MEMORY_NAME_SIZE], at[UTC_SIZE];
	uint64_t n = 0;
	int r = o ? memory_get_number(m->memory, "events", &n, err) : error_nomem(err);

	if (r == 0) /* first: a number that nothing has does no harm */
		r = memory_put_number(m->memory, "events", n + 1, err);
	if (r < 0)
		return r;
	utc_format(m->now, at);
	r = set(o, "at", json_string(at), err);
	if (r == 0)
		r = set(o, "level", json_string(level_name(h->level)), err);
	if (r == 0)
		r = set(o, "kind", json_string(h->kind), err);
	if (r == 0 && h->product)
		r = set(o, "product", json_string(h->product), err);
	if (r == 0 && h->scope && !h->product)
		r = set(o, "of", text_value(h->scope), err);
	if (r == 0 && h->has_index)
		r = set(o, "index", json_integer((json_int_t)h->index), err);
	if (r == 0 && h->id)
		r = set(o, "id", json_string(h->id), err);
	if (r == 0 && h->evidence)
		r = set(o, "evidence", json_string(h->evidence), err);
	if (r == 0)
		r = set(o, "text", text_value(text), err);
	(void)snprintf(name, sizeof(name), "e/%016" PRIx64, n);
	return r < 0 ? r : memory_put_json(m->memory, name, steal(o), err);
}

int monitor_tell(struct monitor *m, const struct happening *h, struct error *err, const char *fmt,
		 ...)
{
	char text[TEXT_MAX];
	va_list args;

	if (h->level == LEVEL_INFO && !m->all)
		return 0;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return put_event(m, h, text, err);
}

/* --- troubles ----------------------------------------------------------------------- */

struct trouble {
	int level;
	int64_t since, told; /* told: 0: not yet */
	int64_t patience;
	const char *product, *text; /* borrowed from the JSON; product "": none */
};

static const struct field trouble_fields[] = {
	{"level", FIELD_NAME, offsetof(struct trouble, level), .names = levels},
	{"since", FIELD_INT, offsetof(struct trouble, since), .max = INT64_MAX},
	{"told", FIELD_INT, offsetof(struct trouble, told), .max = INT64_MAX},
	{"patience", FIELD_INT, offsetof(struct trouble, patience), .max = INT64_MAX},
	{"product", FIELD_TEXT, offsetof(struct trouble, product), .min = 1},
	{"text", FIELD_TEXT, offsetof(struct trouble, text), .min = 0},
};

static int name_trouble(const char *kind, const char *scope, char name[MEMORY_NAME_SIZE],
			struct error *err)
{
	if (snprintf(name, MEMORY_NAME_SIZE, "t/%s/%s", kind, scope) > MEMORY_NAME_MAX)
		return error_set(err, E_INVALID, "%s: %.40s...: too long a name", kind, scope);
	return 0;
}

static int read_trouble(struct monitor *m, const char *name, json_t **o, struct trouble *out,
			struct error *err)
{
	int r = memory_get_json(m->memory, name, o, err);

	if (r != 0)
		return r;
	return strict_read(*o, name, trouble_fields, ARRAY_LEN(trouble_fields), STRICT_CLOSED, out,
			   err);
}

int monitor_trouble(struct monitor *m, const struct happening *h, struct error *err,
		    const char *fmt, ...)
{
	CLEANUP(json_decrefp) json_t *old = NULL;
	struct trouble t = {.since = m->now};
	char name[MEMORY_NAME_SIZE], text[TEXT_MAX];
	va_list args;
	int r;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	r = name_trouble(h->kind, h->scope, name, err);
	if (r == 0)
		r = read_trouble(m, name, &old, &t, err);
	if (r < 0)
		return r;
	/* A clock that was put back is no reason to be silent. */
	if (t.since > m->now)
		t.since = m->now;
	if (m->now - t.since >= h->patience &&
	    (!t.told || t.level < (int)h->level || t.told > m->now ||
	     m->now - t.told >= m->limits.remind)) {
		r = put_event(m, h, text, err);
		t.told = m->now;
	}
	if (r < 0)
		return r;
	return memory_put_json(m->memory, name,
			       json_pack("{s:s, s:I, s:I, s:I, s:s, s:o}", "level",
					 level_name(h->level), "since", (json_int_t)t.since, "told",
					 (json_int_t)t.told, "patience", (json_int_t)h->patience,
					 "product", h->product ? h->product : "-", "text",
					 text_value(text)),
			       err);
}

int monitor_fine(struct monitor *m, const char *kind, const char *scope, struct error *err)
{
	struct happening over = {.level = LEVEL_NEWS, .kind = kind, .scope = scope};
	CLEANUP(json_decrefp) json_t *old = NULL;
	char name[MEMORY_NAME_SIZE];
	struct trouble t = {0};
	int r = name_trouble(kind, scope, name, err);

	if (r == 0)
		r = read_trouble(m, name, &old, &t, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (strcmp(t.product, "-") != 0)
		over.product = t.product;
	if (t.told)
		r = monitor_tell(m, &over, err, "over: %s", t.text);
	return r < 0 ? r : memory_drop(m->memory, name, err);
}

int monitor_stands(struct monitor *m, const char *kind, const char *scope, bool *out,
		   struct error *err)
{
	CLEANUP(json_decrefp) json_t *o = NULL;
	char name[MEMORY_NAME_SIZE];
	struct trouble t = {0};
	int r = name_trouble(kind, scope, name, err);

	if (r == 0)
		r = read_trouble(m, name, &o, &t, err);
	*out = r == 0 && t.told;
	return r < 0 ? r : 0;
}

/* Of a product or a vantage point that nobody asks about any more it is no matter. */
static bool concerns(const struct monitor *m, const struct trouble *t, const char *scope)
{
	if (strcmp(t->product, "-") != 0)
		return monitor_watches(m, t->product);
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->vantage[i].url, scope) == 0)
			return true;
	return !strstr(scope, "://");
}

int monitor_standing(struct monitor *m, json_t **out, enum level *worst, struct error *err)
{
	CLEANUP(json_decrefp) json_t *all = json_array();
	char name[MEMORY_NAME_SIZE] = "t/";
	int r = all ? 0 : error_nomem(err);

	*worst = LEVEL_INFO;
	while (r == 0) {
		CLEANUP(json_decrefp) json_t *o = NULL;
		struct trouble t = {0};
		char since[UTC_SIZE];
		const char *slash;

		r = memory_next(m->memory, "t/", name, err);
		if (r == 0)
			r = read_trouble(m, name, &o, &t, err);
		if (r != 0)
			break;
		slash = strchr(name + 2, '/');
		if (!t.told || !concerns(m, &t, slash ? slash + 1 : ""))
			continue;
		if (t.level > (int)*worst)
			*worst = (enum level)t.level;
		utc_format(t.since, since);
		if (json_array_append_new(all, json_pack("{s:s, s:s%, s:s, s:s, s:s}", "level",
							 level_name((enum level)t.level), "kind",
							 name + 2,
							 (size_t)(slash ? slash - name - 2 : 0),
							 "of", slash ? slash + 1 : "", "since",
							 since, "text", t.text)) < 0)
			r = error_nomem(err);
	}
	if (r < 0)
		return r;
	*out = steal(all);
	return 0;
}

/* --- evidence ----------------------------------------------------------------------- */

int monitor_keep(struct monitor *m, const char *kind, const struct exhibit *files, size_t n,
		 char folder[EVIDENCE_SIZE], struct error *err)
{
	CLEANUP(digest_freep) struct digest *d = NULL;
	CLEANUP(closep) int dir = -1;
	char id[SHA256_HEX_SIZE];
	int r = digest_new(&d, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		digest_add(d, files[i].name, strlen(files[i].name) + 1);
		digest_add(d, files[i].data, files[i].len);
	}
	digest_finish_hex(d, id);
	(void)snprintf(folder, EVIDENCE_SIZE, "evidence/%.48s-%.*s", kind, EVIDENCE_DIGITS, id);
	r = file_open_dir(m->dir, folder, true, &dir, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!file_exists(dir, files[i].name))
			r = file_write(dir, files[i].name, files[i].data, files[i].len, 0644, err);
	return r;
}
