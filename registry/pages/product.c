/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/base/utc.h"
#include "lib/json/strict.h"
#include "policies/promise.h"
#include "registry/pages/html.h"
#include "registry/pages/pages.h"

enum { INDEX_MAX = 64 * 1024 * 1024, DOCUMENT_MAX = 5 * 1024 * 1024, PATH_SIZE = 512 };

/* What a product's page is made of. */
struct product_page {
	int tree;
	const char *product;
	int64_t now;
	json_t *index;
	json_t *about, *eol; /* `signed` of the latest of each; NULL: none */
	json_t *root;        /* `signed` of the current one */
	json_t *targets;     /* array of `signed` of the latest of each targets role */
	struct html h;
};

static void page_clear(struct product_page *p)
{
	json_decref(p->index);
	json_decref(p->about);
	json_decref(p->eol);
	json_decref(p->root);
	json_decref(p->targets);
	html_clear(&p->h);
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool is(const char *a, const char *b)
{
	return a && strcmp(a, b) == 0;
}

static int read_json(const struct product_page *p, const char *path, size_t max, json_t **out,
		     struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	char whole[PATH_SIZE];
	int r;

	if (snprintf(whole, sizeof(whole), "p/%s/%s", p->product, path) >= PATH_SIZE ||
	    !file_path_ok(whole))
		return error_set(err, E_INVALID, "%s: no path", path);
	r = file_read(p->tree, whole, max, &text, err);
	return r < 0 ? r : strict_parse(text.data, text.len, whole, out, err);
}

/* The latest document of a type: the last in the index. */
static const json_t *latest(const struct product_page *p, const char *type)
{
	const json_t *list = json_object_get(p->index, "documents");

	for (size_t i = json_array_size(list); i > 0; i--) {
		const json_t *d = json_array_get(list, i - 1);

		if (is(text_of(d, "type"), type))
			return d;
	}
	return NULL;
}

/* `signed` of a document of the index, as a new reference; NULL: it cannot be read. */
static json_t *signed_of(const struct product_page *p, const json_t *document)
{
	const char *path = text_of(document, "path");
	json_t *doc = NULL, *part;
	struct error unused;

	if (!path || read_json(p, path, DOCUMENT_MAX, &doc, &unused) < 0)
		return NULL;
	part = json_incref(json_object_get(doc, "signed"));
	json_decref(doc);
	return part;
}

/* The latest top-level targets, and that of each delegated role. */
static int load_targets(struct product_page *p, struct error *err)
{
	const json_t *list = json_object_get(p->index, "documents");
	json_t *seen = json_object();
	int r = 0;

	p->targets = json_array();
	if (!p->targets || !seen)
		r = error_nomem(err);
	for (size_t i = json_array_size(list); r == 0 && i > 0; i--) {
		const json_t *d = json_array_get(list, i - 1);
		const char *role = text_of(d, "role");
		json_t *part;

		if (!is(text_of(d, "type"), "targets") || !role || json_object_get(seen, role))
			continue;
		part = signed_of(p, d);
		if (json_object_set_new(seen, role, json_true()) < 0 ||
		    (part && json_array_append_new(p->targets, part) < 0))
			r = error_nomem(err);
	}
	json_decref(seen);
	return r;
}

static int load(struct product_page *p, struct error *err)
{
	int r = read_json(p, "index.json", INDEX_MAX, &p->index, err);

	if (r < 0)
		return r;
	p->about = signed_of(p, latest(p, "product"));
	p->eol = signed_of(p, latest(p, "eol"));
	p->root = signed_of(p, latest(p, "root"));
	return load_targets(p, err);
}

static const char *publisher(const struct product_page *p)
{
	const char *name = text_of(json_object_get(p->index, "publisher"), "name");

	return name ? name : "its publisher";
}

/* "2026-11-22" of an instant's text. */
static void add_day(struct html *h, const char *at)
{
	char day[11];

	(void)snprintf(day, sizeof(day), "%s", at ? at : "");
	html_add(h, "<time datetime=\"%s\">%s</time>", day, day);
}

static void add_state(struct product_page *p)
{
	const char *state = text_of(p->index, "state");
	const char *until = text_of(p->about, "support_until");
	const char *ended = text_of(p->eol, "date");
	struct html *h = &p->h;
	int64_t end;

	html_raw(h, "<p class=\"state\">");
	if (is(state, "kept")) {
		html_add(h, "Kept by %s, who took over from the maker.", publisher(p));
	} else if (is(state, "released")) {
		html_raw(h, "Support has ended, and what was left in escrow is open.");
	} else if (is(state, "ended")) {
		html_raw(h, "Support ended");
		if (ended) {
			html_raw(h, " on ");
			add_day(h, ended);
		}
		html_raw(h, json_array_size(json_object_get(p->index, "deposits"))
				    ? ". What was left in escrow can be released."
				    : ". Nothing was left in escrow.");
	} else {
		html_add(h, "Supported by %s", publisher(p));
		if (utc_parse(until ? until : "", &end)) {
			html_raw(h, end < p->now ? ", who promised support until " : " until ");
			add_day(h, until);
		}
		html_raw(h, ".");
	}
	html_raw(h, "</p>\n");
}

/* Is a buyer promised what is the least for a device of this class? */
static void add_class(struct product_page *p)
{
	const char *name = text_of(p->about, "class");
	CLEANUP(buf_clear) struct buf lacking = {0};
	struct html *h = &p->h;
	json_t *why = NULL;
	enum answer answer;
	struct error none;

	if (!name)
		return;
	html_add(h, "<dt>Class</dt><dd>%s", name);
	if (promise_judge(name, p->about, p->root, &answer, &why, &none) == 0) {
		if (answer == ANSWER_YES)
			html_raw(h, ": it promises what such a product must at least");
		else if (policy_lacking(why, &lacking, &none) == 0)
			html_add(h, ": it promises less than such a product must; %s",
				 lacking.data);
	}
	json_decref(why);
	html_raw(h, "</dd>\n");
}

static void add_about(struct product_page *p)
{
	static const struct {
		const char *key, *label;
	} rows[] = {{"update_method", "How it updates"},
		    {"support_start", "Supported since"},
		    {"support_until", "Supported until"},
		    {"after_eol", "Without support it"},
		    {"contact", "Contact"}};
	const json_t *hardware = json_object_get(p->about, "hardware"), *one;
	struct html *h = &p->h;
	size_t i;

	html_add(h, "<dl>\n<dt>Product</dt><dd><code>%s</code></dd>\n", p->product);
	if (json_array_size(hardware)) {
		html_raw(h, "<dt>Hardware</dt><dd>");
		json_array_foreach(hardware, i, one)
			html_add(h, "<code>%s</code> ", json_string_value(one));
		html_raw(h, "</dd>\n");
	}
	for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
		const char *v = text_of(p->about, rows[k].key);
		int64_t at;

		if (!v)
			continue;
		html_add(h, "<dt>%s</dt><dd>", rows[k].label);
		if (utc_parse(v, &at))
			add_day(h, v);
		else
			html_text(h, v);
		html_raw(h, "</dd>\n");
	}
	add_class(p);
	html_raw(h, "</dl>\n");
}

static void add_signers(struct product_page *p)
{
	static const struct {
		const char *role, *does;
	} roles[] = {{"root", "decides who may sign"},
		     {"targets", "signs updates"},
		     {"snapshot", "keeps the list of them fresh (this registry)"},
		     {"timestamp", "keeps that fresh (this registry)"}};
	const json_t *all = json_object_get(p->root, "roles");
	struct html *h = &p->h;

	html_add(h, "<h2>Who signs now</h2>\n<p>%s, by root number %d.</p>\n<dl>\n", publisher(p),
		 (int64_t)json_integer_value(json_object_get(p->index, "root_version")));
	for (size_t k = 0; k < ARRAY_LEN(roles); k++) {
		const json_t *role = json_object_get(all, roles[k].role);
		const json_t *ids = json_object_get(role, "keyids"), *id;
		size_t i;

		html_add(h, "<dt>%s</dt><dd>%s; any %d of these %d:<ul>\n", roles[k].role,
			 roles[k].does,
			 (int64_t)json_integer_value(json_object_get(role, "threshold")),
			 (int64_t)json_array_size(ids));
		json_array_foreach(ids, i, id)
			html_add(h, "<li><code>%s</code></li>\n", json_string_value(id));
		html_raw(h, "</ul></dd>\n");
	}
	html_raw(h, "</dl>\n");
}

static void add_update(struct product_page *p, const char *name, const json_t *target)
{
	const json_t *b = json_object_get(json_object_get(target, "custom"), "bequest");
	const char *digest = text_of(json_object_get(target, "hashes"), "sha256");
	const json_t *fixes = json_object_get(b, "fixes"), *one;
	const char *slash = strrchr(name, '/');
	struct html *h = &p->h;
	char path[PATH_SIZE];
	size_t i;

	if (!digest)
		return;
	/* Consistent snapshots: the digest goes before the last part of the path. */
	(void)snprintf(path, sizeof(path), "targets/%.*s%s.%s", slash ? (int)(slash + 1 - name) : 0,
		       name, digest, slash ? slash + 1 : name);
	html_raw(h, "<li>");
	if (text_of(b, "version"))
		html_add(h, "<strong>%s</strong> ", text_of(b, "version"));
	html_link(h, path, name);
	html_add(h, " <span class=\"dim\">%d bytes</span>",
		 (int64_t)json_integer_value(json_object_get(target, "length")));
	if (json_array_size(fixes)) {
		html_raw(h, "<br>Fixes");
		json_array_foreach(fixes, i, one) html_add(h, " %s", json_string_value(one));
	}
	if (text_of(b, "notes"))
		html_add(h, "<br>%s", text_of(b, "notes"));
	if (text_of(json_object_get(b, "source"), "commit"))
		html_add(h, "<br>From commit <code>%s</code>",
			 text_of(json_object_get(b, "source"), "commit"));
	html_add(h, "<br><span class=\"dim\">SHA-256 <code>%s</code></span></li>\n", digest);
}

static void add_updates(struct product_page *p)
{
	const json_t *role;
	size_t i;

	html_raw(&p->h, "<h2>Updates</h2>\n");
	if (!json_array_size(p->targets)) {
		html_raw(&p->h, "<p>None has been published yet.</p>\n");
		return;
	}
	html_raw(&p->h, "<ul>\n");
	json_array_foreach(p->targets, i, role)
	{
		json_t *list = json_object_get(role, "targets"), *target;
		const char *name;

		json_object_foreach(list, name, target) add_update(p, name, target);
	}
	html_raw(&p->h, "</ul>\n");
}

static void add_moving(struct product_page *p)
{
	const char *state = text_of(p->index, "state");
	struct html *h = &p->h;

	html_raw(h, "<h2>Moving a device over</h2>\n");
	if (!is(state, "kept")) {
		html_raw(h, "<p>There is nothing to do: devices follow their maker. Should others "
			    "take over, a device asks its owner first.</p>\n");
		return;
	}
	html_raw(h, "<p>A device that finds the new keys checks all of the evidence, keeps its old "
		    "software, and asks its owner:</p>\n"
		    "<pre>bequest-client handover show --config client.conf\n"
		    "bequest-client handover accept --config client.conf</pre>\n"
		    "<p>Until then it goes on as it was.</p>\n");
}

static void add_sources(struct product_page *p)
{
	const json_t *source = json_object_get(p->index, "source");
	const json_t *deposits = json_object_get(p->index, "deposits"), *d;
	struct html *h = &p->h;
	size_t i;

	if (json_is_object(source))
		html_add(h,
			 "<h2>Sources</h2>\n<p>A git repository: clone <code>source.git</code> "
			 "below the address of this page. Its head is <code>%s</code>.</p>\n",
			 text_of(source, "head"));
	html_raw(h, "<h2>Escrow</h2>\n");
	if (!json_array_size(deposits)) {
		html_raw(h, "<p>Nothing was left in escrow: if the publisher stops, nobody can "
			    "carry on.</p>\n");
		return;
	}
	html_raw(h, "<ul>\n");
	json_array_foreach(deposits, i, d)
	{
		const char *path = text_of(d, "path"), *state = text_of(d, "state");
		char file[PATH_SIZE];

		html_raw(h, "<li>");
		(void)snprintf(file, sizeof(file), "%s/deposit.json", path ? path : "");
		html_link(h, file, "Deposit");
		html_raw(h, is(state, "open")     ? ", open"
			    : is(state, "notice") ? ", sealed; its trustees have been called"
			    : is(state, "void")   ? ", void: the publisher has new keys since"
						  : ", sealed");
		html_raw(h, ". ");
		(void)snprintf(file, sizeof(file), "%s/HOWTO.txt", path ? path : "");
		html_link(h, file, "Opening it by hand");
		html_add(h, "<br><span class=\"dim\"><code>%s</code></span></li>\n",
			 text_of(d, "id"));
	}
	html_raw(h, "</ul>\n");
}

static const char *in_words(const char *type)
{
	static const struct {
		const char *type, *words;
	} table[] = {
		{"root", "Keys"},
		{"targets", "Updates signed"},
		{"product", "Product described"},
		{"heartbeat", "Sign of life from the publisher"},
		{"deposit", "Deposit in escrow"},
		{"eol", "End of life declared"},
		{"notice", "A trustee starts a release"},
		{"approval", "A trustee approves the release"},
		{"refusal", "A trustee refuses the release"},
		{"objection", "The publisher objects"},
		{"release", "Escrow opened"},
		{"rotation", "Publisher changes its own keys"},
		{"succession", "Handed on to another publisher"},
		{"audit", "An auditor looked into the deposit"},
		{"rebuild", "Rebuilt from source by others"},
		{"drill", "A trustee showed that a share still exists"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (is(type, table[i].type))
			return table[i].words;
	return type ? type : "Document";
}

static void add_time_line(struct product_page *p)
{
	const json_t *list = json_object_get(p->index, "documents");
	struct html *h = &p->h;

	html_raw(h, "<h2>What happened</h2>\n<ol class=\"line\" reversed>\n");
	for (size_t i = json_array_size(list); i > 0; i--) {
		const json_t *d = json_array_get(list, i - 1);
		const char *path = text_of(d, "path"), *proof = text_of(d, "proof");

		html_raw(h, "<li>");
		add_day(h, text_of(d, "issued"));
		html_raw(h, " ");
		html_link(h, path ? path : "", in_words(text_of(d, "type")));
		html_add(h, " <span class=\"dim\">version %d, ",
			 (int64_t)json_integer_value(json_object_get(d, "version")));
		html_link(h, proof ? proof : "", "proof");
		html_raw(h, "</span></li>\n");
	}
	html_raw(h, "</ol>\n<p>All of it for programs: ");
	html_link(h, "index.json", "index.json");
	html_raw(h, ", ");
	html_link(h, "leaves.jsonl", "leaves.jsonl");
	html_raw(h, ".</p>\n");
}

int pages_product(int public, const char *product, int64_t now, struct error *err)
{
	CLEANUP(page_clear)
	struct product_page p = {.tree = public, .product = product, .now = now};
	char path[PATH_SIZE];
	const char *name;
	int r = load(&p, err);

	if (r < 0)
		return r;
	name = text_of(p.about, "name");
	html_begin(&p.h, name ? name : product, "../../");
	add_state(&p);
	add_about(&p);
	add_updates(&p);
	add_moving(&p);
	add_signers(&p);
	add_sources(&p);
	add_time_line(&p);
	html_end(&p.h, "../../");
	(void)snprintf(path, sizeof(path), "p/%s/index.html", product);
	r = html_write(&p.h, public, path, err);
	return r < 0 ? r : html_style(public, err);
}
