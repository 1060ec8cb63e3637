/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sources/treename.h"

#include "tests/unit/unit.h"

static void git_folder_is_refused_in_any_spelling(void **state)
{
	static const char *const bad[] = {
		".git",
		".GIT",
		".gIt",
		".git.",
		".git ",
		".git . .",
		".git::$INDEX",
		".git:x",
		"git~1",
		"GIT~1",
		"git~23",
		".g\xe2\x80\x8cit",
		"\xef\xbb\xbf.git",
		".git\xe2\x81\xaf",
		".g\xe2\x80\xaeit.",
		"git~1 ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!treename_fault(bad[i], strlen(bad[i])))
			fail_msg("%s is taken", bad[i]);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
	static const char *const bad[] = {"",     ".",    "..",     "a/b", "/",
					  "a\\b", "a\nb", "\x1b[m", "\x7f"};
	char longest[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(treename_fault(bad[i], strlen(bad[i])));
	assert_non_null(treename_fault("a\0b", 3));
	memset(longest, 'a', sizeof(longest));
	assert_null(treename_fault(longest, 255));
	assert_non_null(treename_fault(longest, 256));
}

static void real_names_are_taken(void **state)
{
	static const char *const good[] = {
		".gitignore",
		".gitmodules",
		".github",
		"git",
		"...",
		"a.git",
		"..a",
		"git~",
		"git~x",
		".git-foo",
		"a b ",
		"what?",
		"aux",
		"a:b",
		"\xc3\xbc",
		"\xe2\x80\x8c",
		".gitgitgitgitgitgit",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (treename_fault(good[i], strlen(good[i])))
			fail_msg("%s: %s", good[i], treename_fault(good[i], strlen(good[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(git_folder_is_refused_in_any_spelling),
		cmocka_unit_test(names_that_lead_elsewhere_are_refused),
		cmocka_unit_test(real_names_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
