/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/http/place.h"

#include "tests/unit/unit.h"

static void path_is_decoded_below_the_tree(void **state)
{
	static const struct {
		const char *url, *path;
	} good[] = {
		{"/", "index.html"},
		{"/p/a/", "p/a/index.html"},
		{"/registry.json", "registry.json"},
		{"/p/a/targets/00.b%20c%c3%bc", "p/a/targets/00.b c\xc3\xbc"},
		{"/a%2Eb", "a.b"},
		{"/...", "..."},
		{"/.gitignore", ".gitignore"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char out[PLACE_MAX];

		assert_true(place_of(good[i].url, out));
		assert_string_equal(out, good[i].path);
	}
}

static void path_that_could_leave_the_tree_is_refused(void **state)
{
	static const char *const bad[] = {
		"",          "a",          "//",     "//etc/passwd", "/..",        "/../a",
		"/a/../b",   "/a/..",      "/a/./b", "/a//b",        "/%2e%2e/a",  "/%2E./a",
		"/a%2fb",    "/a%2Fb",     "/a%00b", "/%",           "/%4",        "/%zz",
		"/a%0ab",    "/a%7fb",     "/a\tb",  "/./",          "/.tmp-0011", "/a/.tmp-0",
		"/%2etmp-1", "/a/%2e%2e/", "/%00",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char out[PLACE_MAX];

		if (place_of(bad[i], out))
			fail_msg("%s is taken", bad[i]);
	}
}

static void longest_path_fits_and_one_more_does_not(void **state)
{
	char url[PLACE_MAX + 2], out[PLACE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(url); i++)
		url[i] = i % 100 == 0 ? '/' : 'a';
	url[PLACE_MAX] = '\0';
	assert_true(place_of(url, out));
	assert_int_equal(strlen(out), PLACE_MAX - 1);
	url[PLACE_MAX] = 'a';
	url[PLACE_MAX + 1] = '\0';
	assert_false(place_of(url, out));
}

static void what_changes_is_cached_for_a_short_time(void **state)
{
	static const char *const changing[] = {
		"registry.json",
		"products.json",
		"index.html",
		"hardware/acme,x1.json",
		"log/checkpoint",
		"p/a/index.json",
		"p/a/index.html",
		"p/a/leaves.jsonl",
		"p/a/metadata/timestamp.json",
		"p/a/metadata/held/1/timestamp.json",
		"p/a/metadata/root-chain.jsonl",
		"p/a/source.git/HEAD",
		"p/a/source.git/info/refs",
		"p/a/source.git/packed-refs",
		"p/a/source.git/objects/info/packs",
	};
	static const char *const for_ever[] = {
		"p/a/metadata/1.root.json",
		"p/a/metadata/held/1/3.snapshot.json",
		"p/a/targets/00.index.json",
		"p/a/statements/00.json",
		"p/a/proofs/00.tlog-proof",
		"p/a/deposits/00/deposit.json",
		"p/a/source.git/objects/pack/pack-00.pack",
		"log/tile/0/000",
		"log/tile/0/000.p/3",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
		assert_null(strstr(place_kind(changing[i]).cache_control, "immutable"));
	for (size_t i = 0; i < sizeof(for_ever) / sizeof(for_ever[0]); i++)
		assert_non_null(strstr(place_kind(for_ever[i]).cache_control, "immutable"));
}

static void html_of_others_is_only_bytes(void **state)
{
	(void)state;
	assert_true(place_kind("p/a/index.html").page);
	assert_string_equal(place_kind("index.html").content_type, "text/html; charset=utf-8");
	assert_false(place_kind("p/a/targets/00.index.html").page);
	assert_string_equal(place_kind("p/a/targets/00.index.html").content_type,
			    "application/octet-stream");
	assert_false(place_kind("p/a/deposits/00/open/docs/index.html").page);
	assert_string_equal(place_kind("p/a/deposits/00/open/docs/a.svg").content_type,
			    "application/octet-stream");
	assert_string_equal(place_kind("p/a/metadata/1.root.json").content_type,
			    "application/json");
	assert_string_equal(place_kind("log/checkpoint").content_type, "text/plain; charset=utf-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_is_decoded_below_the_tree),
		cmocka_unit_test(path_that_could_leave_the_tree_is_refused),
		cmocka_unit_test(longest_path_fits_and_one_more_does_not),
		cmocka_unit_test(what_changes_is_cached_for_a_short_time),
		cmocka_unit_test(html_of_others_is_only_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
