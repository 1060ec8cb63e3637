/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/pages/pages.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "registry/pages/html.h"
#include "tests/unit/unit.h"

#define EVIL "<script>alert(\\\"1\\\")</script>'&"
#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct place {
	char *path;
	int dir;
};

static int start(void **state)
{
	static struct place p;
	struct error err = {0};

	assert_int_equal(file_temp_dir(false, &p.path, &err), 0);
	assert_int_equal(file_open_dir(AT_FDCWD, p.path, false, &p.dir, &err), 0);
	assert_int_equal(file_mkdir(p.dir, "p/a/metadata", 0755, &err), 0);
	assert_int_equal(file_mkdir(p.dir, "p/a/statements", 0755, &err), 0);
	*state = &p;
	return 0;
}

static int stop(void **state)
{
	struct place *p = *state;
	struct error err = {0};

	closep(&p->dir);
	assert_int_equal(file_remove_tree(AT_FDCWD, p->path, &err), 0);
	free(p->path);
	return 0;
}

static void put(const struct place *p, const char *path, const char *text)
{
	struct error err = {0};

	assert_int_equal(file_write(p->dir, path, text, strlen(text), 0644, &err), 0);
}

static char *get(const struct place *p, const char *path)
{
	struct buf text = {0};
	struct error err = {0};

	assert_int_equal(file_read(p->dir, path, 1 << 20, &text, &err), 0);
	return buf_steal(&text);
}

/* A product about which everybody says what a browser must not hear. */
static void put_product(const struct place *p)
{
	put(p, "p/a/index.json",
	    "{\"format\":\"bequest-index/1\",\"product\":\"a\",\"state\":\"kept\","
	    "\"root_version\":3,\"publisher\":{\"id\":\"x\",\"name\":\"" EVIL "\"},\"documents\":["
	    "{\"type\":\"root\",\"version\":3,\"path\":\"metadata/3.root.json\","
	    "\"proof\":\"proofs/1.tlog-proof\",\"issued\":\"2026-01-02T00:00:00Z\"},"
	    "{\"type\":\"product\",\"version\":1,\"path\":\"statements/1.json\","
	    "\"proof\":\"proofs/2.tlog-proof\",\"issued\":\"" EVIL "\"},"
	    "{\"type\":\"targets\",\"role\":\"targets\",\"version\":1,"
	    "\"path\":\"metadata/1.targets.json\",\"proof\":\"" EVIL "\"}],"
	    "\"deposits\":[{\"id\":\"" EVIL "\",\"path\":\"" EVIL "\",\"state\":\"open\"}],"
	    "\"source\":{\"path\":\"source.git\",\"head\":\"" EVIL "\"}}");
	put(p, "p/a/metadata/3.root.json",
	    "{\"signed\":{\"roles\":{\"root\":{\"keyids\":[\"" EVIL "\"],\"threshold\":1}}}}");
	put(p, "p/a/statements/1.json",
	    "{\"signed\":{\"name\":\"" EVIL "\",\"hardware\":[\"" EVIL "\"],\"contact\":\"" EVIL
	    "\",\"support_until\":\"" EVIL "\"}}");
	put(p, "p/a/metadata/1.targets.json",
	    "{\"signed\":{\"targets\":{\"dir/" EVIL
	    "\":{\"length\":5,\"hashes\":{\"sha256\":\"" DIGEST
	    "\"},\"custom\":{\"bequest\":{\"version\":\"" EVIL "\",\"notes\":\"" EVIL
	    "\",\"fixes\":[\"" EVIL "\"],\"source\":{\"commit\":\"" EVIL "\"}}}}}}}");
}

static void text_of_others_is_escaped_everywhere(void **state)
{
	struct place *p = *state;
	struct error err = {0};
	char *page;

	put_product(p);
	put(p, "products.json",
	    "{\"products\":[{\"id\":\"a\",\"name\":\"" EVIL "\",\"state\":\"supported\","
	    "\"publisher\":{\"name\":\"" EVIL "\"},\"hardware\":[\"" EVIL "\"]}]}");
	assert_int_equal(pages_product(p->dir, "a", 0, &err), 0);
	assert_int_equal(pages_home(p->dir, 0, &err), 0);
	for (int i = 0; i < 2; i++) {
		page = get(p, i ? "index.html" : "p/a/index.html");
		assert_null(strstr(page, "<script"));
		assert_null(strstr(page, "alert(\"1"));
		assert_non_null(strstr(page, "&lt;script&gt;alert(&quot;1&quot;)"));
		assert_non_null(strstr(page, "default-src 'none'"));
		free(page);
	}
}

static void product_page_says_who_signs_and_links_proofs(void **state)
{
	struct place *p = *state;
	struct error err = {0};
	char *page;

	put_product(p);
	assert_int_equal(pages_product(p->dir, "a", 0, &err), 0);
	page = get(p, "p/a/index.html");
	assert_non_null(strstr(page, "Kept by "));
	assert_non_null(strstr(page, "by root number 3."));
	assert_non_null(strstr(page, "any 1 of these 1"));
	assert_non_null(strstr(page, "href=\"proofs/1.tlog-proof\""));
	assert_non_null(strstr(page, "href=\"metadata/3.root.json\""));
	assert_non_null(strstr(page, "href=\"targets/dir/%3Cscript%3E"));
	assert_non_null(strstr(page, "href=\"../../style.css\""));
	assert_non_null(strstr(page, "<html lang=\"en\">"));
	free(page);
}

static void product_page_holds_promises_against_the_class(void **state)
{
	static const struct {
		const char *about, *text;
	} cases[] = {
		{"\"class\":\"toy\",\"updatable\":true,\"after_eol\":\"works\","
		 "\"support_start\":\"2025-01-01T00:00:00Z\","
		 "\"support_until\":\"2027-01-01T00:00:00Z\"",
		 "toy: it promises what such a product must at least</dd>"},
		{"\"class\":\"toy\",\"updatable\":true,\"after_eol\":\"stops\","
		 "\"support_start\":\"2025-01-01T00:00:00Z\","
		 "\"support_until\":\"2027-01-01T00:00:00Z\"",
		 "toy: it promises less than such a product must; needs &quot;after the end of "
		 "support it&quot; to be works</dd>"},
		{"\"class\":\"<b>\"", "<dt>Class</dt><dd>&lt;b&gt;</dd>"},
	};
	struct place *p = *state;
	struct error err = {0};

	put_product(p);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_clear) struct buf doc = {0};
		CLEANUP(freep) char *page = NULL;

		assert_int_equal(
			buf_printf(&doc, NULL, "{\"signed\":{\"name\":\"n\",%s}}", cases[i].about),
			0);
		put(p, "p/a/statements/1.json", doc.data);
		assert_int_equal(pages_product(p->dir, "a", 0, &err), 0);
		page = get(p, "p/a/index.html");
		if (!strstr(page, cases[i].text))
			fail_msg("no \"%s\" in\n%s", cases[i].text, page);
	}
}

static void page_of_a_bare_product_is_whole(void **state)
{
	struct place *p = *state;
	struct error err = {0};
	char *page;

	put(p, "p/a/index.json", "{\"state\":\"supported\",\"documents\":[],\"deposits\":[]}");
	assert_int_equal(pages_product(p->dir, "a", 0, &err), 0);
	page = get(p, "p/a/index.html");
	assert_non_null(strstr(page, "Supported by its publisher."));
	assert_non_null(strstr(page, "Nothing was left in escrow"));
	assert_non_null(strstr(page, "</html>"));
	free(page);
}

static void unchanged_page_is_not_written_again(void **state)
{
	struct place *p = *state;
	struct error err = {0};
	struct stat before, after;

	put_product(p);
	assert_int_equal(pages_product(p->dir, "a", 0, &err), 0);
	assert_int_equal(fstatat(p->dir, "p/a/index.html", &before, 0), 0);
	assert_int_equal(pages_product(p->dir, "a", 0, &err), 0);
	assert_int_equal(fstatat(p->dir, "p/a/index.html", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void no_index_is_no_page(void **state)
{
	struct place *p = *state;
	struct error err = {0};

	assert_int_equal(pages_product(p->dir, "a", 0, &err), E_NOTFOUND);
	assert_int_equal(pages_home(p->dir, 0, &err), E_NOTFOUND);
	put(p, "p/a/index.json", "{");
	assert_int_equal(pages_product(p->dir, "a", 0, &err), E_INVALID);
	assert_false(file_exists(p->dir, "p/a/index.html"));
}

#define each(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each(text_of_others_is_escaped_everywhere),
		each(product_page_says_who_signs_and_links_proofs),
		each(product_page_holds_promises_against_the_class),
		each(page_of_a_bare_product_is_whole),
		each(unchanged_page_is_not_written_again),
		each(no_index_is_no_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
