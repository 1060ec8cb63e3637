/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/tlog/policy.h"

#include <string.h>

#include "lib/base/error.h"
#include "lib/tlog/lines.h"

enum {
	FIELDS_MAX = 3 + TLOG_POLICY_NODES_MAX,
	NOBODY = TLOG_POLICY_NODES_MAX, /* no node */
};

struct fields {
	struct text at[FIELDS_MAX];
	size_t n;
};

struct parser {
	struct tlog_policy *p; /* borrowed */
	size_t logs_cap, nodes_cap;
	bool decided; /* there was a quorum line */
	struct fields f;
};

/* --- fields ---------------------------------------------------------------- */

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* E_INVALID: too many. No field begins with '#': a comment is not to be taken for one. */
static int split(const struct text *line, struct fields *out, struct error *err)
{
	const char *at = line->data, *end = at + line->len;

	out->n = 0;
	for (;;) {
		const char *start;

		while (at < end && blank(*at))
			at++;
		if (at == end)
			return 0;
		if (*at == '#')
			return out->n ? error_set(err, E_INVALID,
						  "a comment needs a line of its own")
				      : 0;
		if (out->n == FIELDS_MAX)
			return error_set(err, E_INVALID, "more than %d fields", FIELDS_MAX);
		for (start = at; at < end && !blank(*at); at++)
			;
		out->at[out->n++] = (struct text){start, (size_t)(at - start)};
	}
}

/* A field as a string of its own. */
static int copy(const struct text *t, size_t max, char **out, struct error *err)
{
	if (t->len > max)
		return error_set(err, E_INVALID, "\"%.32s…\": longer than %zu bytes", t->data, max);
	*out = strndup(t->data, t->len);
	return *out ? 0 : error_nomem(err);
}

static int read_key(const struct text *t, struct note_key *out, struct error *err)
{
	CLEANUP(freep) char *vkey = NULL;
	int r = copy(t, NOTE_MAX, &vkey, err);

	return r < 0 ? r : note_key_parse(vkey, out, err);
}

/* An http or https URL, if the field is there. */
static int read_url(const struct fields *f, size_t i, char **out, struct error *err)
{
	struct text rest;

	if (f->n <= i)
		return 0;
	rest = f->at[i];
	if ((!text_strip(&rest, "https://") && !text_strip(&rest, "http://")) || !rest.len)
		return error_set(err, E_INVALID, "url: want http:// or https://");
	for (size_t k = 0; k < rest.len; k++)
		if ((unsigned char)rest.data[k] >= 0x7f)
			return error_set(err, E_INVALID, "url: want ASCII");
	return copy(&f->at[i], TLOG_POLICY_URL_MAX, out, err);
}

/* --- what is known already --------------------------------------------------- */

static bool same_key(const struct note_key *a, const struct note_key *b)
{
	bool known = b->type == NOTE_ED25519 || b->type == NOTE_COSIGNATURE;

	if (a->type != b->type && !known)
		return false;
	/* A log's key is no witness's: types may differ. Of an unknown type only the id is kept. */
	return known ? memcmp(a->pub, b->pub, sizeof(a->pub)) == 0
		     : memcmp(a->id, b->id, sizeof(a->id)) == 0;
}

static int check_new_key(const struct tlog_policy *p, const struct note_key *k, struct error *err)
{
	for (size_t i = 0; i < p->nlogs; i++)
		if (same_key(&p->logs[i].key, k))
			return error_set(err, E_INVALID, "key %s: is there twice", k->name);
	for (size_t i = 0; i < p->nnodes; i++)
		if (!p->nodes[i].need && same_key(&p->nodes[i].key, k))
			return error_set(err, E_INVALID, "key %s: is there twice", k->name);
	return 0;
}

static size_t find(const struct tlog_policy *p, const struct text *name)
{
	for (size_t i = 0; i < p->nnodes; i++)
		if (text_is(name, p->nodes[i].name))
			return i;
	return NOBODY;
}

/* --- lines ------------------------------------------------------------------- */

static int add_log(struct parser *s, struct error *err)
{
	struct tlog_policy *p = s->p;
	struct policy_log log = {.url = NULL};
	int r;

	if (s->f.n < 2 || s->f.n > 3)
		return error_set(err, E_INVALID, "log: want a key, and a URL at most");
	if (p->nlogs == TLOG_POLICY_LOGS_MAX)
		return error_set(err, E_INVALID, "more than %d logs", TLOG_POLICY_LOGS_MAX);
	r = read_key(&s->f.at[1], &log.key, err);
	if (r == 0 && log.key.type == NOTE_COSIGNATURE)
		r = error_set(err, E_INVALID, "log: %s is a witness's key", log.key.name);
	if (r == 0)
		r = check_new_key(p, &log.key, err);
	if (r < 0)
		return r;
	if (p->nlogs == s->logs_cap) {
		size_t cap = s->logs_cap ? 2 * s->logs_cap : 4;
		void *more = realloc(p->logs, cap * sizeof(*p->logs));

		if (!more)
			return error_nomem(err);
		p->logs = more;
		s->logs_cap = cap;
	}
	r = read_url(&s->f, 2, &log.url, err);
	if (r == 0)
		p->logs[p->nlogs++] = log;
	return r;
}

/* The next node, with its name; it does not count before p->nnodes does. */
static int new_node(struct parser *s, const struct text *name, struct policy_node **out,
		    struct error *err)
{
	struct tlog_policy *p = s->p;

	if (name->len > NOTE_NAME_MAX)
		return error_set(err, E_INVALID, "a name of more than %d bytes", NOTE_NAME_MAX);
	if (text_is(name, "none") || find(p, name) != NOBODY)
		return error_set(err, E_INVALID, "name %.*s: is taken", (int)name->len, name->data);
	if (p->nnodes == TLOG_POLICY_NODES_MAX)
		return error_set(err, E_INVALID, "more than %d witnesses and groups",
				 TLOG_POLICY_NODES_MAX);
	if (p->nnodes == s->nodes_cap) {
		size_t cap = s->nodes_cap ? 2 * s->nodes_cap : 8;
		void *more = realloc(p->nodes, cap * sizeof(*p->nodes));

		if (!more)
			return error_nomem(err);
		p->nodes = more;
		s->nodes_cap = cap;
	}
	*out = &p->nodes[p->nnodes];
	**out = (struct policy_node){.parent = NOBODY};
	memcpy((*out)->name, name->data, name->len);
	return 0;
}

static int add_witness(struct parser *s, struct error *err)
{
	struct policy_node *w = NULL;
	int r;

	if (s->f.n < 3 || s->f.n > 4)
		return error_set(err, E_INVALID,
				 "witness: want a name and a key, and a URL at most");
	r = new_node(s, &s->f.at[1], &w, err);
	if (r == 0)
		r = read_key(&s->f.at[2], &w->key, err);
	if (r == 0 && w->key.type == NOTE_ED25519)
		r = error_set(err, E_INVALID, "witness: %s is a log's key", w->key.name);
	if (r == 0)
		r = check_new_key(s->p, &w->key, err);
	if (r == 0)
		r = read_url(&s->f, 3, &w->url, err);
	if (r == 0)
		s->p->nnodes++;
	return r;
}

static int read_need(const struct text *t, size_t members, size_t *out, struct error *err)
{
	uint64_t k = 0;

	if (text_is(t, "any"))
		k = 1;
	else if (text_is(t, "all"))
		k = members;
	else if (!text_decimal(t, &k))
		k = 0;
	if (k < 1 || k > members)
		return error_set(err, E_INVALID, "group: want all, any, or 1 to %zu", members);
	*out = (size_t)k;
	return 0;
}

static int add_group(struct parser *s, struct error *err)
{
	struct tlog_policy *p = s->p;
	const struct fields *f = &s->f;
	struct policy_node *g = NULL;
	int r;

	if (f->n < 4)
		return error_set(err, E_INVALID, "group: want a name, how many, and members");
	r = new_node(s, &f->at[1], &g, err);
	if (r == 0)
		r = read_need(&f->at[2], f->n - 3, &g->need, err);
	for (size_t i = 3; i < f->n && r == 0; i++) {
		size_t member = find(p, &f->at[i]);

		if (member == NOBODY)
			r = error_set(err, E_INVALID, "group: %.*s: not defined above",
				      (int)f->at[i].len, f->at[i].data);
		else if (p->nodes[member].parent != NOBODY)
			r = error_set(err, E_INVALID, "group: %.*s: is a member already",
				      (int)f->at[i].len, f->at[i].data);
		else
			p->nodes[member].parent = p->nnodes;
	}
	if (r < 0)
		return r;
	g->members = f->n - 3;
	p->nnodes++;
	return 0;
}

static int set_quorum(struct parser *s, struct error *err)
{
	const struct text *name = &s->f.at[1];

	if (s->f.n != 2)
		return error_set(err, E_INVALID, "quorum: want one name, or none");
	if (s->decided)
		return error_set(err, E_INVALID, "quorum: is there twice");
	s->decided = true;
	if (text_is(name, "none"))
		return 0;
	s->p->quorum = find(s->p, name);
	if (s->p->quorum == NOBODY)
		return error_set(err, E_INVALID, "quorum: %.*s: not defined above", (int)name->len,
				 name->data);
	return 0;
}

static int take_line(struct parser *s, const struct text *line, struct error *err)
{
	static const struct {
		const char *word;
		int (*take)(struct parser *s, struct error *err);
	} kinds[] = {{"log", add_log},
		     {"witness", add_witness},
		     {"group", add_group},
		     {"quorum", set_quorum}};
	int r = split(line, &s->f, err);

	if (r < 0 || !s->f.n)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (text_is(&s->f.at[0], kinds[i].word))
			return kinds[i].take(s, err);
	return error_set(err, E_INVALID, "want log, witness, group or quorum");
}

int tlog_policy_parse(const void *data, size_t len, struct tlog_policy **out, struct error *err)
{
	const char *start = len ? data : ""; /* of nothing, data may be NULL */
	CLEANUP(tlog_policy_freep) struct tlog_policy *p = calloc(1, sizeof(*p));
	CLEANUP(freep) struct parser *s = calloc(1, sizeof(*s));
	struct lines at = {start, start + len};
	struct text line;
	size_t n = 0;

	if (!p || !s)
		return error_nomem(err);
	if (len > TLOG_POLICY_MAX)
		return error_set(err, E_INVALID, "longer than %d bytes", TLOG_POLICY_MAX);
	if (!text_plain(start, len, "\n\t"))
		return error_set(err, E_INVALID, "not UTF-8, or with control characters");
	s->p = p;
	p->quorum = NOBODY;
	while (lines_next(&at, &line)) {
		int r = take_line(s, &line, err);

		n++;
		if (r < 0)
			return error_prefix(err, r, "line %zu", n);
	}
	if (at.at != at.end)
		return error_set(err, E_INVALID, "line %zu: does not end", n + 1);
	if (!s->decided)
		return error_set(err, E_INVALID, "no quorum line");
	*out = steal(p);
	return 0;
}

void tlog_policy_free(struct tlog_policy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->nlogs; i++)
		free(p->logs[i].url);
	for (size_t i = 0; i < p->nnodes; i++)
		free(p->nodes[i].url);
	free(p->logs);
	free(p->nodes);
	free(p);
}

/* --- judging ----------------------------------------------------------------- */

static int check_log(const struct tlog_policy *p, const struct checkpoint *c, struct error *err)
{
	bool any = false;

	for (size_t i = 0; i < p->nlogs; i++) {
		const struct note_key *k = &p->logs[i].key;
		int r;

		if (strcmp(k->name, c->origin) != 0)
			continue;
		r = note_verify(&c->note, k, NULL, err);
		if (r < 0)
			return r;
		any |= r == 1;
	}
	return any ? 0 : error_set(err, E_UNTRUSTED, "not signed by log %s", c->origin);
}

/* Members come before their group, so one pass is enough. */
static int check_quorum(const struct tlog_policy *p, const struct checkpoint *c, struct error *err)
{
	size_t have[TLOG_POLICY_NODES_MAX] = {0};
	bool quorum = p->quorum == NOBODY;

	for (size_t i = 0; i < p->nnodes; i++) {
		const struct policy_node *node = &p->nodes[i];
		bool yes = have[i] >= node->need;

		if (!node->need) {
			int r = note_verify(&c->note, &node->key, NULL, err);

			if (r < 0)
				return r;
			yes = r == 1;
		}
		if (yes && node->parent != NOBODY)
			have[node->parent]++;
		quorum |= yes && i == p->quorum;
	}
	if (quorum)
		return 0;
	return error_set(err, E_UNTRUSTED, "the quorum, %s, has not cosigned",
			 p->nodes[p->quorum].name);
}

int tlog_policy_verify(const struct tlog_policy *p, const struct checkpoint *c, struct error *err)
{
	struct hash empty;
	int r = check_log(p, c, err);

	if (r == 0)
		r = check_quorum(p, c, err);
	merkle_empty(&empty);
	if (r == 0 && c->size == 0 && memcmp(c->root.b, empty.b, SHA256_LEN) != 0)
		r = error_set(err, E_UNTRUSTED, "wrong root of size 0");
	return r < 0 ? error_prefix(err, r, "checkpoint") : 0;
}

size_t tlog_policy_log_keys(const struct tlog_policy *p, const char *origin, struct note_key *out,
			    size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nlogs; i++) {
		if (strcmp(p->logs[i].key.name, origin) != 0)
			continue;
		if (n < max)
			out[n] = p->logs[i].key;
		n++;
	}
	return n;
}
