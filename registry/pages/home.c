/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/json/strict.h"
#include "registry/pages/html.h"
#include "registry/pages/pages.h"

enum { LIST_MAX = 64 * 1024 * 1024, RECORD_MAX = 512 * 1024 };

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int read_json(int tree, const char *path, size_t max, json_t **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = file_read(tree, path, max, &text, err);

	return r < 0 ? r : strict_parse(text.data, text.len, path, out, err);
}

static void add_state(struct html *h, const char *state, const char *publisher)
{
	if (!state)
		return;
	if (strcmp(state, "supported") == 0)
		html_add(h, "supported by %s", publisher);
	else if (strcmp(state, "kept") == 0)
		html_add(h, "kept by %s", publisher);
	else if (strcmp(state, "released") == 0)
		html_raw(h, "its escrow is open");
	else
		html_raw(h, "support has ended");
}

static void add_product(struct html *h, const json_t *p)
{
	const char *id = text_of(p, "id");
	const char *publisher = text_of(json_object_get(p, "publisher"), "name");
	const json_t *hardware = json_object_get(p, "hardware");
	const json_t *one;
	char path[96];
	size_t i;

	if (!id)
		return;
	(void)snprintf(path, sizeof(path), "p/%s/", id);
	html_raw(h, "<li>");
	html_link(h, path, text_of(p, "name") ? text_of(p, "name") : id);
	html_raw(h, " – ");
	add_state(h, text_of(p, "state"), publisher ? publisher : "its publisher");
	html_add(h, "<br><span class=\"dim\"><code>%s</code>", id);
	json_array_foreach(hardware, i, one)
		html_add(h, " · <code>%s</code>", json_string_value(one));
	html_raw(h, "</span></li>\n");
}

/* Many products come in pages of their own, by first letter. */
static void add_list(struct html *h, int tree, const json_t *list)
{
	const json_t *products = json_object_get(list, "products");
	json_t *pages = json_object_get(list, "pages");
	const char *letter;
	const json_t *one;
	json_t *path;
	size_t i;

	json_array_foreach(products, i, one) add_product(h, one);
	json_object_foreach(pages, letter, path)
	{
		struct error unused;
		json_t *page = NULL;

		(void)letter;
		if (!json_string_value(path) || !file_path_ok(json_string_value(path)) ||
		    read_json(tree, json_string_value(path), LIST_MAX, &page, &unused) < 0)
			continue; /* no product begins with it */
		products = json_object_get(page, "products");
		json_array_foreach(products, i, one) add_product(h, one);
		json_decref(page);
	}
}

int pages_home(int public, int64_t now, struct error *err)
{
	CLEANUP(html_clear) struct html h = {0};
	json_t *list = NULL, *record = NULL;
	const char *name;
	struct error unused;
	int r = read_json(public, "products.json", LIST_MAX, &list, err);

	(void)now;
	if (r < 0)
		return r;
	(void)!read_json(public, "registry.json", RECORD_MAX, &record, &unused);
	name = text_of(json_object_get(record, "signed"), "name");
	html_begin(&h, name ? name : "A Bequest registry", "");
	html_raw(
		&h,
		"<p>Products whose makers left something behind: the right to sign updates, and the "
		"sources, kept in escrow until support ends. Then the community can carry on, and "
		"devices can follow if their owners agree.</p>\n<h2>Products</h2>\n<ul>\n");
	add_list(&h, public, list);
	html_raw(&h, "</ul>\n<h2>For programs</h2>\n<ul>\n<li>");
	html_link(&h, "products.json", "products.json");
	html_raw(&h, ": this list</li>\n<li>");
	html_link(&h, "registry.json", "registry.json");
	html_raw(&h, ": who runs this, its log and its keys, signed</li>\n</ul>\n");
	html_end(&h, "");
	json_decref(list);
	json_decref(record);
	r = html_write(&h, public, "index.html", err);
	return r < 0 ? r : html_style(public, err);
}
