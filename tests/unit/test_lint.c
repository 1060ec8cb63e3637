/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "escrow/lint.h"
#include "lib/base/hex.h"

#define DIGEST "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
#define FPR "00112233445566778899aabbccddeeff00112233"

enum { NOW = 1000000 };

/* A deposit to which lint has nothing to say. */
struct world {
	struct deposit d;
	struct deposit_file files[3];
	json_t *items, *refs, *drills;
};

static const char *const paths[] = {"handover/bridge.root.json",
				    "source/x.bundle",
				    "build/make.sh",
				    "licence/MIT",
				    "sbom/x.spdx",
				    "vulnerabilities/x.json"};

static int setup(void **state)
{
	static struct world w;

	w.items = json_array();
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		json_array_append_new(w.items, json_pack("{s:s, s:i, s:s}", "path", paths[i],
							 "size", 1, "sha256", DIGEST));
	w.refs = json_pack("{s:{}}", "refs/heads/main");
	w.drills = json_array();
	w.files[0].path = "HOWTO.txt";
	w.files[1].path = "vendor/public.gpg";
	w.files[2].path = "certs/00112233445566778899AABBCCDDEEFF00112233.asc";
	w.d = (struct deposit){.items = w.items,
			       .refs = w.refs,
			       .files = w.files,
			       .nfiles = ARRAY_LEN(w.files),
			       .nseats = 1,
			       .follows_version = 1,
			       .refresh_by = NOW + 1,
			       .support_until = NOW + 1};
	w.d.seats[0] = (struct seat){.name = "Anna", .encryption_fpr = FPR};
	w.d.seats[0].drills[COMPARTMENT_PUBLIC] = w.drills;
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	json_decref(w->items);
	json_decref(w->refs);
	json_decref(w->drills);
	return 0;
}

/* The rule and level of the only finding; "" if there is none. */
static void only(const struct deposit *d, const char *level, const char *rule)
{
	CLEANUP(lint_clear) struct lint l = {0};
	struct error err = {0};

	assert_int_equal(lint_init(&l, NOW, &err), 0);
	assert_int_equal(lint_deposit(&l, d, NULL, &err), 0);
	assert_int_equal(json_array_size(l.findings), *rule ? 1 : 0);
	if (!*rule)
		return;
	const json_t *f = json_array_get(l.findings, 0);
	assert_string_equal(json_string_value(json_object_get(f, "rule")), rule);
	assert_string_equal(json_string_value(json_object_get(f, "level")), level);
	assert_int_equal(l.errors, strcmp(level, "error") == 0);
}

static void complete_deposit_has_no_findings(void **state)
{
	only(&((struct world *)*state)->d, "", "");
}

static void each_missing_kind_of_item_is_found(void **state)
{
	static const char *const rules[][2] = {
		{"error", "no-bridge"},  {"error", "no-source"}, {"error", "no-recipe"},
		{"error", "no-licence"}, {"warning", "no-sbom"}, {"note", "no-vulnerabilities"}};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		CLEANUP(json_decrefp) json_t *without = json_copy(w->items);
		struct deposit d = w->d;

		json_array_remove(without, i);
		d.items = without;
		only(&d, rules[i][0], rules[i][1]);
	}
}

static void each_missing_file_is_found(void **state)
{
	static const char *const rules[][2] = {{"error", "no-howto"},
					       {"warning", "no-vendor-copy"},
					       {"warning", "no-certificate"}};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(w->files); i++) {
		const char *path = w->files[i].path;

		w->files[i].path = "x";
		only(&w->d, rules[i][0], rules[i][1]);
		w->files[i].path = path;
	}
}

static void dates_count_from_their_very_second(void **state)
{
	struct deposit d = ((struct world *)*state)->d;

	d.refresh_by = NOW;
	only(&d, "warning", "refresh");
	d.refresh_by = NOW + 1;
	d.support_until = NOW;
	only(&d, "warning", "support-ended");
}

static void sources_without_refs_and_seats_without_drills_are_found(void **state)
{
	CLEANUP(json_decrefp) json_t *none = json_object();
	struct deposit d = ((struct world *)*state)->d;

	d.refs = none;
	only(&d, "error", "no-refs");
	d = ((struct world *)*state)->d;
	d.seats[0].drills[COMPARTMENT_PUBLIC] = NULL;
	only(&d, "warning", "no-drills");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complete_deposit_has_no_findings),
		cmocka_unit_test(each_missing_kind_of_item_is_found),
		cmocka_unit_test(each_missing_file_is_found),
		cmocka_unit_test(dates_count_from_their_very_second),
		cmocka_unit_test(sources_without_refs_and_seats_without_drills_are_found),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
