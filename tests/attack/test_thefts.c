/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every theft: for each set of stolen keys, each goal of an attacker who also
 * owns the network. What is reached has to be exactly what the table says, so a
 * defence that is lost shows, and one that is only imagined does too.
 *
 * Root and targets need two keys each, the other roles one. The thief replaces
 * missing signatures by those of keys of its own, and tries each goal twice:
 * with the roles as they are, and by a new root that lists keys of its own.
 */
#include <stdio.h>

#include "lib/tuf/client.h"
#include "tests/support/tuf_sim.h"
#include "tests/unit/unit.h"

enum { DAY = 24 * 3600 };

/* The keys that can be stolen; a set of them is a number below ALL. */
enum {
	TIMESTAMP = 1,
	SNAPSHOT = 2,
	TARGETS_1 = 4,
	TARGETS_2 = 8,
	ROOT_1 = 16,
	ROOT_2 = 32,
	CHANNEL = 64,
	ALL = 128,
	ONLINE = TIMESTAMP | SNAPSHOT,
	TARGETS = TARGETS_1 | TARGETS_2,
	ROOT = ROOT_1 | ROOT_2,
};

static const struct {
	const char *role;
	size_t nth;
	unsigned bit;
} keys[] = {{"timestamp", 0, TIMESTAMP}, {"snapshot", 0, SNAPSHOT}, {"targets", 0, TARGETS_1},
	    {"targets", 1, TARGETS_2},   {"root", 0, ROOT_1},       {"root", 1, ROOT_2},
	    {"channel", 0, CHANNEL}};

static bool has(unsigned stolen, unsigned set)
{
	return (stolen & set) == set;
}

static void set_threshold(struct tuf_sim *s, const char *role, int n)
{
	json_t *roles = json_object_get(sim_role(s, "root")->body, "roles");

	assert_int_equal(
		json_object_set_new(json_object_get(roles, role), "threshold", json_integer(n)), 0);
}

/* The expiry of each role, in days from now. */
static void renew(struct tuf_sim *s, int timestamp, int snapshot, int targets)
{
	sim_set_expiry(sim_role(s, "timestamp"), s->now + (int64_t)timestamp * DAY);
	sim_set_expiry(sim_role(s, "snapshot"), s->now + (int64_t)snapshot * DAY);
	sim_set_expiry(sim_role(s, "targets"), s->now + (int64_t)targets * DAY);
	sim_set_expiry(sim_role(s, "channel"), s->now + (int64_t)targets * DAY);
}

/* The honest world: two releases, of which a device has seen the second, or nothing yet. */
static struct tuf_sim *world(bool seen)
{
	struct tuf_sim *s = sim_new();
	struct sim_file *root;
	struct error err = {0};

	sim_add_key(s, "root", "ed25519");
	sim_add_key(s, "targets", "ed25519");
	set_threshold(s, "root", 2);
	set_threshold(s, "targets", 2);
	sim_publish(s, "root"); /* root 1, before anybody has it */
	(void)sim_delegate(s, "targets", "channel", "channel/*", false);
	renew(s, 1, 7, 90);
	sim_target(s, "targets", "old", "old image");
	sim_publish(s, "channel");
	sim_publish(s, "targets");
	sim_publish(s, "snapshot");
	sim_publish(s, "timestamp");
	sim_target(s, "targets", "new", "new image");
	sim_release(s, "targets");
	root = sim_remote(s, "1.root.json");
	sim_put(&s->local, "root.json", root->bytes.data, root->bytes.len);
	if (seen)
		assert_int_equal(sim_refresh(s, &err), 0);
	return s;
}

/* From here on, roles are signed with what was stolen, and with keys of nobody. */
static void steal_keys(struct tuf_sim *s, unsigned stolen)
{
	for (size_t i = ARRAY_LEN(keys); i-- > 0;) {
		struct sim_role *role = sim_role(s, keys[i].role);

		if (stolen & keys[i].bit)
			continue;
		sim_drop_signer(role, keys[i].nth);
		sim_add_stranger(role);
	}
}

/*
 * A root 2 that lists the thief's keys for every role. All is signed anew by
 * them, and what the channel would give is listed by targets themselves.
 */
static void take_over(struct tuf_sim *s)
{
	static const char *const roles[] = {"timestamp", "snapshot", "targets"};

	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		sim_rotate(s, roles[i]);
	set_threshold(s, "targets", 1);
	sim_bump(s, "root");
	for (int version = 1; version <= 2; version++) {
		sim_set_version(sim_role(s, "targets"), version);
		sim_publish(s, "targets");
		sim_target(s, "targets", "channel/evil", "evil image");
	}
	sim_publish(s, "snapshot");
	sim_publish(s, "timestamp");
}

static bool finds(struct tuf_sim *s, const char *path)
{
	struct error err = {0};
	char role[SIM_ROLE_SIZE];

	return sim_find(s, path, role, &err) == 0;
}

static bool refreshes(struct tuf_sim *s)
{
	struct error err = {0};

	return sim_refresh(s, &err) == 0;
}

static void release_all(struct tuf_sim *s)
{
	sim_bump(s, "channel");
	sim_release(s, "targets");
}

/* --- the goals ------------------------------------------------------------- */

/* Any role that could list it does. */
static bool an_image_of_the_thief(struct tuf_sim *s)
{
	sim_target(s, "targets", "evil", "evil image");
	sim_target(s, "channel", "evil", "evil image");
	release_all(s);
	return finds(s, "evil");
}

/* The same, with all that the vendor has signed left as it is. */
static bool an_image_of_the_thief_in_the_channel(struct tuf_sim *s)
{
	sim_target(s, "channel", "channel/evil", "evil image");
	sim_bump(s, "channel");
	sim_release(s, "snapshot");
	return finds(s, "channel/evil");
}

static void list_first_targets(struct tuf_sim *s)
{
	json_t *meta = json_object_get(sim_role(s, "snapshot")->body, "meta");

	assert_int_equal(
		json_object_set_new(meta, "targets.json", json_pack("{s:i}", "version", 1)), 0);
	sim_release(s, "snapshot");
}

/* The first release, which the vendor did sign. */
static bool an_old_release(struct tuf_sim *s)
{
	list_first_targets(s);
	return refreshes(s) && sim_trusts(s, "targets") == 1;
}

/* Nothing but new dates: is the newest release still the newest, so many days later? */
static bool no_news(struct tuf_sim *s, int days, void (*sign_anew)(struct tuf_sim *))
{
	s->now += (int64_t)days * DAY;
	renew(s, 1, 7, 90);
	sign_anew(s);
	return refreshes(s) && finds(s, "new");
}

static void sign_timestamp(struct tuf_sim *s)
{
	sim_bump(s, "timestamp");
}

static void sign_snapshot(struct tuf_sim *s)
{
	sim_release(s, "snapshot");
}

static bool no_news_after_a_day(struct tuf_sim *s)
{
	return no_news(s, 2, sign_timestamp);
}

static bool no_news_after_a_week(struct tuf_sim *s)
{
	return no_news(s, 8, sign_snapshot);
}

static bool no_news_after_ninety_days(struct tuf_sim *s)
{
	return no_news(s, 91, release_all);
}

static bool a_root_of_the_thief(struct tuf_sim *s)
{
	if (sim_trusts(s, "root") == 1 && !sim_remote(s, "2.root.json"))
		sim_bump(s, "root");
	(void)refreshes(s);
	return sim_trusts(s, "root") == 2;
}

/* What sets of keys are good for. The root's threshold is good for all of it. */
static const struct goal {
	const char *name;
	bool (*reached)(struct tuf_sim *s);
	bool seen;          /* the device has seen the second release */
	unsigned enough[2]; /* either set is; 0: none is */
} goals[] = {
	{"an image", an_image_of_the_thief, true, {TARGETS | ONLINE}},
	{"an image for a new device", an_image_of_the_thief, false, {TARGETS | ONLINE}},
	{"an image in the channel", an_image_of_the_thief_in_the_channel, true, {CHANNEL | ONLINE}},
	{"an old release", an_old_release, true, {0}},
	{"an old release for a new device", an_old_release, false, {ONLINE}},
	{"no news after a day", no_news_after_a_day, true, {TIMESTAMP}},
	{"no news after a week", no_news_after_a_week, true, {ONLINE}},
	{"no news after ninety days", no_news_after_ninety_days, true, {TARGETS | ONLINE}},
	{"a root", a_root_of_the_thief, true, {0}},
};

static bool reached(const struct goal *g, unsigned stolen, bool new_root)
{
	CLEANUP(sim_freep) struct tuf_sim *s = world(g->seen);

	steal_keys(s, stolen);
	if (new_root)
		take_over(s);
	return g->reached(s);
}

/* With the roles as they are, only the keys below root matter. */
static unsigned wrong_without_a_new_root(const struct goal *g)
{
	unsigned wrong = 0;

	for (unsigned stolen = 0; stolen < ALL; stolen++) {
		bool want = false;

		if (stolen & ROOT || (stolen & TARGETS) == TARGETS_2) /* as good as the other */
			continue;
		for (size_t i = 0; i < ARRAY_LEN(g->enough); i++)
			want |= g->enough[i] && has(stolen, g->enough[i]);
		if (reached(g, stolen, false) == want)
			continue;
		print_error("%s, with keys 0x%02x: want %s\n", g->name, stolen,
			    want ? "reached" : "refused");
		wrong++;
	}
	return wrong;
}

/* By a new root all other keys are the thief's own, so only the root's matter. */
static unsigned wrong_with_a_new_root(const struct goal *g)
{
	static const unsigned sets[] = {0, ROOT_1, ROOT_2, ROOT, ALL - 1 - ROOT, ALL - 1 - ROOT_2};
	unsigned wrong = 0;

	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		bool want = has(sets[i], ROOT);

		if (reached(g, sets[i], true) == want)
			continue;
		print_error("%s, by a new root with keys 0x%02x: want %s\n", g->name, sets[i],
			    want ? "reached" : "refused");
		wrong++;
	}
	return wrong;
}

static void stolen_keys_reach_what_the_table_says_and_nothing_else(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(goals); i++)
		wrong += wrong_without_a_new_root(&goals[i]) + wrong_with_a_new_root(&goals[i]);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stolen_keys_reach_what_the_table_says_and_nothing_else),
	};

	return cmocka_run_group_tests_name("thefts", tests, NULL, NULL);
}
