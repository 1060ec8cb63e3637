/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scene.h"

#include "lib/base/utc.h"

void scene_clear(struct scene *s)
{
	evidence_clear(&s->e);
	tuf_root_free(s->root);
	tuf_root_free(s->bridge);
	tuf_root_free(s->next);
	plog_free(s->p);
}

const char *scene_bridge_id(const struct scene *s)
{
	return envelope_id(s->bridge->doc);
}

/* `policy` is the name of a shipped one, or what a policy of its own allows. */
void scene_deposit(struct scene *s, const char *policy)
{
	json_t *own = json_loads(policy, 0, NULL);
	json_t *whole =
		own ? json_pack("{s:s, s:i, s:o}", "policy", "own", "version", 1, "allow", own)
		    : policy_shipped_json(policy);
	json_t *body = plog_deposit_body(s->p, s->root, scene_bridge_id(s), whole);

	memcpy(s->deposit, plog_say(s->p, "deposit", s->root, body, s->p->vendor, 2),
	       sizeof(s->deposit));
}

struct scene scene_open(size_t witnesses, const char *policy)
{
	struct scene s = {.p = plog_new(witnesses)};

	s.root = plog_vendor_root(s.p);
	s.bridge = plog_bridge(s.p);
	s.next = plog_stewards_root(s.p);
	plog_add(s.p, s.root->doc);
	scene_deposit(&s, policy);
	return s;
}

void scene_gather(struct scene *s, const struct evidence_query *q)
{
	const struct evidence_source source = plog_source(s->p);

	evidence_clear(&s->e);
	s->err = (struct error){0};
	s->r = evidence_gather(&source, q, &s->e, &s->err);
}

/* The step from root 1 to the bridge. */
void scene_judge(struct scene *s)
{
	const struct evidence_query q = {.product = PLOG_PRODUCT, .from = s->root, .to = s->bridge};

	scene_gather(s, &q);
}

/* Is the deposit released at all? */
void scene_judge_deposit(struct scene *s)
{
	const struct evidence_query q = {
		.product = PLOG_PRODUCT, .from = s->root, .deposit = s->deposit};

	scene_gather(s, &q);
}

/* --- what people say ------------------------------------------------------------- */

const char *scene_eol(struct scene *s, bool release)
{
	return plog_say(s->p, "eol", s->root,
			json_pack("{s:s, s:{s:s, s:s}, s:b}", "date", "2030-01-31T00:00:00Z",
				  "final", "root", envelope_id(s->root->doc), "bridge",
				  scene_bridge_id(s), "release", release),
			s->p->vendor, 2);
}

json_t *scene_about(const struct scene *s, const char *key, const char *id)
{
	return json_pack("{s:s, s:s, s:s}", "deposit", s->deposit, "bridge", scene_bridge_id(s),
			 key, id);
}

/* approval or refusal */
const char *scene_vote(struct scene *s, const char *type, size_t who, const char *key,
		       const char *id)
{
	return plog_say(s->p, type, NULL, scene_about(s, key, id), &s->p->trustee[who], 1);
}

const char *scene_notice(struct scene *s, size_t who, const char *ground)
{
	json_t *body = json_pack("{s:s, s:s, s:s, s:[]}", "deposit", s->deposit, "bridge",
				 scene_bridge_id(s), "ground", ground, "evidence");

	return plog_say(s->p, "notice", NULL, body, &s->p->trustee[who], 1);
}

const char *scene_objection(struct scene *s, const char *notice)
{
	return plog_say(s->p, "objection", s->root, json_pack("{s:s}", "notice", notice),
			s->p->vendor, 2);
}

void scene_heartbeat(struct scene *s)
{
	(void)plog_say(s->p, "heartbeat", s->root, json_object(), s->p->vendor, 2);
}

/* A new targets version. */
void scene_publish(struct scene *s)
{
	CLEANUP(envelope_freep)
	struct envelope *targets =
		plog_statement(s->p, "targets", NULL, json_object(), s->p->vendor, 1);

	plog_add(s->p, targets);
}

void scene_log_bridge(struct scene *s)
{
	plog_add(s->p, s->bridge->doc);
}

void scene_pass_days(struct scene *s, int64_t days)
{
	s->p->now += days * DAY_S;
}

bool scene_used(const struct scene *s, const char *id)
{
	for (size_t i = 0; i < json_array_size(s->e.used); i++)
		if (strcmp(json_string_value(json_array_get(s->e.used, i)), id) == 0)
			return true;
	return false;
}

/* 200 days of silence, a notice, `days` later two approvals. */
struct scene scene_silent(int64_t days, char notice[SHA256_HEX_SIZE])
{
	struct scene s = scene_open(3, "release/standard");

	scene_pass_days(&s, 200);
	memcpy(notice, scene_notice(&s, 0, "silence"), SHA256_HEX_SIZE);
	scene_pass_days(&s, days);
	(void)scene_vote(&s, "approval", 0, "notice", notice);
	(void)scene_vote(&s, "approval", 1, "notice", notice);
	return s;
}

/* The stewards' root 3, and a step to root 4 of other people, carried by a statement. */
void scene_succession(struct scene *s, size_t witnesses)
{
	*s = (struct scene){.p = plog_new(witnesses)};
	const struct root_spec spec = {.version = 4,
				       .threshold = 2,
				       .keys = s->p->trustee,
				       .nkeys = 3,
				       .publisher = "others",
				       .kind = "stewards",
				       .signers = {s->p->steward, s->p->trustee}};

	s->root = plog_stewards_root(s->p);
	s->bridge = plog_root(s->p, &spec);
	plog_add(s->p, s->root->doc);
}

void scene_say_succession(struct scene *s, bool both)
{
	struct signer *by[] = {s->p->steward[0], s->p->steward[1], s->p->trustee[0],
			       s->p->trustee[1]};

	(void)plog_say(s->p, "succession", NULL,
		       json_pack("{s:s, s:s}", "from", envelope_id(s->root->doc), "to",
				 scene_bridge_id(s)),
		       by, both ? 4 : 2);
}

/* The vendor re-keys itself: root 2 has other keys and the same name. */
struct scene scene_rotation(size_t witnesses, const char *publisher)
{
	struct scene s = {.p = plog_new(witnesses)};
	const struct root_spec spec = {.version = 2,
				       .threshold = 2,
				       .keys = s.p->steward,
				       .nkeys = 3,
				       .publisher = publisher,
				       .kind = "vendor",
				       .signers = {s.p->vendor, s.p->steward}};

	s.root = plog_vendor_root(s.p);
	s.bridge = plog_root(s.p, &spec);
	plog_add(s.p, s.root->doc);
	return s;
}

const char *scene_say_rotation(struct scene *s, size_t signers)
{
	return plog_say(s->p, "rotation", NULL,
			json_pack("{s:s, s:s}", "from", envelope_id(s->root->doc), "to",
				  scene_bridge_id(s)),
			s->p->vendor, signers);
}
