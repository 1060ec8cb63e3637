/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a delegated role is, and that no delegate can stand in another's way. */
#include <stdio.h>

#include "lib/tuf/repo.h"
#include "registry/documents/delegations.h"
#include "tests/support/town.h"
#include "tests/support/town_expect.h"
#include "tests/unit/unit.h"

/* Who holds the channels that the vendor delegates to. */
#define ALPHA(t) ((t)->trustee[0])
#define BETA(t) ((t)->trustee[1])
#define OTHER(t) ((t)->trustee[2])

/* Targets `version` by the vendor with both channels. */
static struct paper two_channels(struct town *t, int64_t version)
{
	struct paper p = town_targets(t, version, "vendor");

	town_delegate(&p, "alpha", "alpha/*", ALPHA(t));
	town_delegate(&p, "beta", "beta/*", BETA(t));
	return p;
}

static void open_channels(struct town *t)
{
	struct paper root, papers[3];
	struct error err = {0};

	town_settle(t, &root);
	paper_clear(&root);
	papers[0] = two_channels(t, 2);
	papers[1] = town_channel(t, 1, "alpha", ALPHA(t));
	papers[2] = town_channel(t, 1, "beta", BETA(t));
	assert_int_equal(town_post(t, papers, 3, NULL, &err), 0);
}

static void post(struct town *t, struct paper *papers, size_t n)
{
	struct error err = {0};

	if (town_post(t, papers, n, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

static void a_delegate_cannot_name_anothers_role(void **state)
{
	struct town *t = *state;
	struct paper papers[2];

	open_channels(t);
	struct signer *const holders[] = {BETA(t), ALPHA(t)};
	for (size_t i = 0; i < ARRAY_LEN(holders); i++) {
		papers[0] = town_channel(t, 2, "alpha", ALPHA(t));
		town_delegate(&papers[0], "beta", "alpha/*", holders[i]);
		assert_refused1(t, papers[0], E_DENIED,
				"alpha 2: signed.delegations: beta: want a name of its own: "
				"targets delegates to that role already");
	}
	/* and so its holder may change */
	papers[0] = two_channels(t, 3);
	town_delegate(&papers[0], "beta", "beta/*", OTHER(t));
	papers[1] = town_channel(t, 2, "beta", OTHER(t));
	post(t, papers, 2);
	assert_sound(t);
}

static void a_role_is_whose_delegation_was_first(void **state)
{
	struct town *t = *state;
	struct paper papers[2];

	open_channels(t);
	papers[0] = town_channel(t, 2, "beta", BETA(t));
	town_delegate(&papers[0], "gamma", "beta/g/*", BETA(t));
	papers[1] = town_channel(t, 1, "gamma", BETA(t));
	post(t, papers, 2);

	/* alpha comes before beta, for those who look */
	papers[0] = town_channel(t, 2, "alpha", ALPHA(t));
	town_delegate(&papers[0], "gamma", "alpha/g/*", BETA(t));
	assert_refused1(t, papers[0], E_DENIED,
			"alpha 2: signed.delegations: gamma: want a name of its own: beta "
			"delegates to that role already");

	papers[0] = town_channel(t, 3, "beta", BETA(t));
	town_delegate(&papers[0], "gamma", "beta/g/*", OTHER(t));
	papers[1] = town_channel(t, 2, "gamma", OTHER(t));
	post(t, papers, 2);
	assert_sound(t);
}

static void those_above_take_a_name_over(void **state)
{
	struct town *t = *state;
	struct paper papers[2];

	open_channels(t);
	papers[0] = town_channel(t, 2, "alpha", ALPHA(t));
	town_delegate(&papers[0], "gamma", "alpha/*", ALPHA(t));
	papers[1] = town_channel(t, 1, "gamma", ALPHA(t));
	post(t, papers, 2);

	papers[0] = two_channels(t, 3);
	town_delegate(&papers[0], "gamma", "gamma/*", OTHER(t));
	papers[1] = town_channel(t, 2, "gamma", OTHER(t));
	post(t, papers, 2);
	assert_refused1(t, town_channel(t, 3, "gamma", ALPHA(t)), E_UNTRUSTED,
			"gamma 3: 0 of 1 signatures");
	town_expect(t, town_channel(t, 3, "gamma", OTHER(t)), "published");

	/* what still stands in alpha's own version hinders neither */
	papers[0] = town_channel(t, 3, "alpha", ALPHA(t));
	town_delegate(&papers[0], "gamma", "alpha/*", ALPHA(t));
	town_expect(t, papers[0], "published");
	assert_sound(t);
}

/* Whoever delegates to a key cannot make what its holder signs without a name ambiguous. */
static void a_role_without_a_name_is_the_one_nearest_to_the_top(void **state)
{
	struct town *t = *state;
	struct paper papers[2], p;

	open_channels(t);
	papers[0] = town_channel(t, 2, "alpha", ALPHA(t));
	town_delegate(&papers[0], "gamma", "alpha/*", BETA(t));
	papers[1] = town_channel(t, 1, "gamma", BETA(t));
	post(t, papers, 2);
	p = town_channel(t, 2, "beta", BETA(t));
	assert_int_equal(json_object_del(p.body, "x-bequest"), 0);
	town_expect(t, p, "published");
}

/* --- limits ----------------------------------------------------------------------------- */

/* Targets `version` with channels c0, c1, ..., all alpha's. */
static struct paper many_channels(struct town *t, int64_t version, int n)
{
	struct paper p = town_targets(t, version, "vendor");

	for (int i = 0; i < n; i++) {
		char name[16], path[16];

		(void)snprintf(name, sizeof(name), "c%d", i);
		(void)snprintf(path, sizeof(path), "c%d/*", i);
		town_delegate(&p, name, path, ALPHA(t));
	}
	return p;
}

static void what_no_client_would_come_to_is_not_published(void **state)
{
	enum { CHANNELS = TUF_DELEGATIONS_MAX + 1 };
	struct town *t = *state;
	struct paper root, papers[CHANNELS + 1];
	struct error err = {0};

	town_settle(t, &root);
	paper_clear(&root);
	papers[0] = many_channels(t, 2, CHANNELS);
	for (int i = 0; i < CHANNELS; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "c%d", i);
		papers[i + 1] = town_channel(t, 1, name, ALPHA(t));
	}
	post(t, papers, CHANNELS + 1);

	papers[0] = town_channel(t, 2, "c32", ALPHA(t));
	town_delegate(&papers[0], "x", "c32/*", ALPHA(t));
	papers[1] = town_channel(t, 1, "x", ALPHA(t));
	assert_refused(t, papers, 2, E_DENIED,
		       "c32: signed.delegations: x: no client would come to it: want no more than "
		       "32 roles before and with c32, got 33");
	papers[0] = town_channel(t, 2, "c31", ALPHA(t));
	town_delegate(&papers[0], "x", "c31/*", ALPHA(t));
	papers[1] = town_channel(t, 1, "x", ALPHA(t));
	post(t, papers, 2);

	/* nor is what is found put out of reach */
	papers[0] = many_channels(t, 3, CHANNELS);
	assert_int_equal(repo_delegate_place(papers[0].body, "c32", 0, &err), 0);
	assert_refused1(t, papers[0], E_DENIED, "c31: signed.delegations: x: no client would");
	town_expect(t, many_channels(t, 3, CHANNELS), "published");
}

/* Roles r0, r1, ... of the version and the content of alpha's, without posting each. */
static void make_roles(const struct town *t, int n)
{
	char sql[512];

	(void)snprintf(sql, sizeof(sql),
		       "WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c "
		       "WHERE i + 1 < %d) INSERT INTO role SELECT product, tenure, 'r' || i, "
		       "version, document FROM role, c WHERE name = 'alpha' AND version = 1",
		       n);
	town_sql(t, sql);
}

static void delegate_many(struct paper *p, const char *prefix, int n, const struct signer *to)
{
	for (int i = 0; i < n; i++) {
		char name[16], path[32];

		(void)snprintf(name, sizeof(name), "%s%d", prefix, i);
		(void)snprintf(path, sizeof(path), "%s%d/*", prefix, i);
		town_delegate(p, name, path, to);
	}
}

static void delegations_are_shared(void **state)
{
	enum { ROOM = DELEGATIONS_MAX - 2 }; /* but for alpha and beta */
	struct town *t = *state;
	struct paper p, papers[2];

	open_channels(t);
	make_roles(t, DELEGATIONS_MAX + 1);
	p = town_channel(t, 2, "alpha", ALPHA(t));
	delegate_many(&p, "r", DELEGATIONS_MAX + 1, ALPHA(t));
	assert_refused1(t, p, E_INVALID,
			"alpha 2: signed.delegations: want no more than 256 roles");
	p = town_channel(t, 2, "alpha", ALPHA(t));
	delegate_many(&p, "r", ROOM + 1, ALPHA(t));
	assert_refused1(t, p, E_DENIED,
			"alpha 2: signed.delegations: want no more than 256 delegations of the "
			"product in all, got 257");
	p = town_channel(t, 2, "alpha", ALPHA(t));
	delegate_many(&p, "r", ROOM, ALPHA(t));
	town_expect(t, p, "published");

	/* beta has less than an equal share; alpha goes on with what it has */
	papers[0] = town_channel(t, 2, "beta", BETA(t));
	town_delegate(&papers[0], "mine", "beta/*", BETA(t));
	papers[1] = town_channel(t, 1, "mine", BETA(t));
	post(t, papers, 2);
	p = town_channel(t, 3, "alpha", ALPHA(t));
	delegate_many(&p, "r", ROOM, ALPHA(t));
	town_expect(t, p, "published");
	papers[0] = two_channels(t, 3);
	town_delegate(&papers[0], "delta", "delta/*", OTHER(t));
	papers[1] = town_channel(t, 1, "delta", OTHER(t));
	post(t, papers, 2);
}

/* A role of about so many bytes. */
static struct paper large(struct town *t, int64_t version, const char *name, struct signer *by,
			  size_t bytes)
{
	struct paper p = town_channel(t, version, name, by);
	char *text = malloc(bytes + 1);

	assert_non_null(text);
	memset(text, 'x', bytes);
	text[bytes] = '\0';
	assert_int_equal(json_object_set_new(p.body, "x-text", json_string(text)), 0);
	free(text);
	return p;
}

static void the_size_of_roles_is_shared(void **state)
{
	enum { QUARTER = DELEGATED_BYTES_MAX / 4, SLACK = 64 * 1024 };
	struct town *t = *state;
	struct paper papers[5];

	open_channels(t);
	papers[0] = town_channel(t, 2, "alpha", ALPHA(t));
	delegate_many(&papers[0], "a", 4, ALPHA(t));
	papers[1] = large(t, 1, "a0", ALPHA(t), QUARTER);
	papers[2] = large(t, 1, "a1", ALPHA(t), QUARTER);
	papers[3] = large(t, 1, "a2", ALPHA(t), QUARTER);
	papers[4] = large(t, 1, "a3", ALPHA(t), QUARTER - SLACK);
	post(t, papers, 5);
	assert_refused1(t, large(t, 2, "a3", ALPHA(t), QUARTER), E_DENIED,
			"a3 2: want no more than 8388608 bytes of all delegated roles of the "
			"product, got 839");

	/* beta has less than an equal share; alpha goes on with what it has */
	town_expect(t, large(t, 2, "beta", BETA(t), QUARTER), "published");
	town_expect(t, large(t, 2, "a3", ALPHA(t), QUARTER - SLACK), "published");
	town_expect(t, large(t, 3, "beta", BETA(t), QUARTER + SLACK), "published");
}

static void names_are_left_for_the_top(void **state)
{
	struct town *t = *state;
	struct paper papers[2];

	open_channels(t);
	make_roles(t, DELEGATED_NAMES_MAX - 4);
	/* targets, alpha, beta and these: one is left */
	papers[0] = town_channel(t, 2, "alpha", ALPHA(t));
	town_delegate(&papers[0], "gamma", "alpha/g/*", ALPHA(t));
	papers[1] = town_channel(t, 1, "gamma", ALPHA(t));
	post(t, papers, 2);
	papers[0] = town_channel(t, 3, "alpha", ALPHA(t));
	town_delegate(&papers[0], "delta", "alpha/d/*", ALPHA(t));
	papers[1] = town_channel(t, 1, "delta", ALPHA(t));
	assert_refused(t, papers, 2, E_DENIED,
		       "delta 1: want the name of an earlier role: under this publisher there were "
		       "1024, and no more than 1024 fit");

	papers[0] = two_channels(t, 3);
	town_delegate(&papers[0], "delta", "delta/*", OTHER(t));
	papers[1] = town_channel(t, 1, "delta", OTHER(t));
	post(t, papers, 2);
	town_expect(t, town_channel(t, 2, "beta", BETA(t)), "published");
}

#define IN_TOWN(test) cmocka_unit_test_setup_teardown(test, open_town, close_town)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_TOWN(a_delegate_cannot_name_anothers_role),
		IN_TOWN(a_role_is_whose_delegation_was_first),
		IN_TOWN(those_above_take_a_name_over),
		IN_TOWN(a_role_without_a_name_is_the_one_nearest_to_the_top),
		IN_TOWN(what_no_client_would_come_to_is_not_published),
		IN_TOWN(delegations_are_shared),
		IN_TOWN(the_size_of_roles_is_shared),
		IN_TOWN(names_are_left_for_the_top),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
