/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene - one product in a log of its own, and a step of it to judge
 *
 * On top of product_log.h: what vendor, trustees and stewards say about one deposit,
 * and what evidence_gather() makes of it.
 */
#ifndef TESTS_SUPPORT_SCENE_H
#define TESTS_SUPPORT_SCENE_H

#include "lib/base/error.h"
#include "tests/support/product_log.h"

struct scene {
	struct product_log *p;
	struct tuf_root *root, *bridge, *next; /* N, the offered N+1, and the one after */
	char deposit[SHA256_HEX_SIZE];         /* the last one logged */
	struct evidence e;
	struct error err;
	int r;
};
void scene_clear(struct scene *s);

#define assert_answer(s, want) \
	do { \
		if ((s)->r != 0) \
			fail_msg("%s", (s)->err.text); \
		assert_string_equal(answer_name((s)->e.released), answer_name(want)); \
	} while (0)
#define assert_untrusted(s, part) assert_error((s)->r, E_UNTRUSTED, &(s)->err, part)

/* Vendor's root 1 and a deposit of the bridge are logged. `policy`: see scene_deposit(). */
struct scene scene_open(size_t witnesses, const char *policy);
/* 200 days of silence, a notice, `days` later two approvals. */
struct scene scene_silent(int64_t days, char notice[SHA256_HEX_SIZE]);
/* The stewards' root 3, and a step to root 4 of other people, carried by a statement. */
void scene_succession(struct scene *s, size_t witnesses);
/* The vendor re-keys itself: root 2 has other keys and the same name. */
struct scene scene_rotation(size_t witnesses, const char *publisher);

const char *scene_bridge_id(const struct scene *s);

/* A further deposit. `policy` is the name of a shipped one, or what a policy of its own allows. */
void scene_deposit(struct scene *s, const char *policy);
const char *scene_eol(struct scene *s, bool release);
/* "approval" or "refusal", by trustee `who`, of the "notice" or "eol" `id`. */
const char *scene_vote(struct scene *s, const char *type, size_t who, const char *key,
		       const char *id);
json_t *scene_about(const struct scene *s, const char *key, const char *id);
const char *scene_notice(struct scene *s, size_t who, const char *ground);
const char *scene_objection(struct scene *s, const char *notice);
void scene_heartbeat(struct scene *s);
void scene_publish(struct scene *s); /* a new targets version */
void scene_log_bridge(struct scene *s);
void scene_say_succession(struct scene *s, bool both);
const char *scene_say_rotation(struct scene *s, size_t signers);
void scene_pass_days(struct scene *s, int64_t days);

void scene_gather(struct scene *s, const struct evidence_query *q);
void scene_judge(struct scene *s);         /* the step from root N to the offered one */
void scene_judge_deposit(struct scene *s); /* is the deposit released at all? */
bool scene_used(const struct scene *s, const char *id);

#endif
