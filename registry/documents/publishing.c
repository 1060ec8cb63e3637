/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/documents/publishing.h"

#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/version.h"
#include "policies/policy.h"
#include "registry/sources/sources.h"

enum { WHY_MAX = 300 };

static const json_t *bequest_part(const json_t *entry)
{
	return json_object_get(json_object_get(entry, "custom"), "bequest");
}

/* Is `text` in this array? */
static bool lists(const json_t *array, const char *text)
{
	const json_t *v;
	size_t i;

	json_array_foreach(array, i, v)
	{
		if (json_is_string(v) && text && strcmp(json_string_value(v), text) == 0)
			return true;
	}
	return false;
}

static int add_text(void *ctx, const char *text, struct error *err)
{
	return json_array_append_new(ctx, json_string(text)) < 0 ? error_nomem(err) : 0;
}

/* Names hardware, all of it in the product statement. */
static int hardware_listed(const struct offer *o, const json_t *part, bool *out, struct error *err)
{
	const json_t *hardware = json_object_get(part, "hardware"), *v;
	CLEANUP(json_decrefp) json_t *own = json_array();
	size_t i;
	int r;

	if (!own)
		return error_nomem(err);
	r = store_hardware_ids(o->b->w->store, o->b->product, add_text, own, err);
	if (r < 0)
		return r;
	*out = json_array_size(hardware) > 0;
	json_array_foreach(hardware, i, v)
	{
		if (!lists(own, json_string_value(v)))
			*out = false;
	}
	return 0;
}

static bool same_hardware(const json_t *a, const json_t *b)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(a, "hardware"), i, v)
	{
		if (lists(json_object_get(b, "hardware"), json_string_value(v)))
			return true;
	}
	return false;
}

/* No installable of the version before, for the same hardware, has a later version. */
static bool not_older(const struct offer *o, const json_t *part)
{
	const char *version = json_string_value(json_object_get(part, "version"));
	const char *path;
	json_t *entry;

	if (!version_ok(version))
		return false;
	/* jansson iterates without changing the object, but asks for one it may change */
	for (void *at = json_object_iter((json_t *)(uintptr_t)o->previous); at;
	     at = json_object_iter_next((json_t *)(uintptr_t)o->previous, at)) {
		const char *published;

		path = json_object_iter_key(at);
		entry = json_object_iter_value(at);
		published = json_string_value(json_object_get(bequest_part(entry), "version"));
		if (path && version_ok(published) && same_hardware(bequest_part(entry), part) &&
		    version_compare(version, published) < 0)
			return false;
	}
	return true;
}

static int source_facts(const struct offer *o, const json_t *part, struct facts *f,
			struct error *err)
{
	const json_t *source = json_object_get(part, "source");
	const char *commit = json_string_value(json_object_get(source, "commit"));
	char repo[PATH_SIZE];
	bool has = false;
	int r = 0;

	(void)snprintf(repo, sizeof(repo), "p/%s/source.git", o->b->product);
	if (commit)
		r = sources_has_commit(o->b->w->r->public, repo, commit, &has, err);
	if (r == 0)
		r = facts_set_bool(f, "source.in_repository", has, commit, err);
	if (r == 0)
		r = facts_set_bool(f, "source.swhid",
				   json_string_length(json_object_get(source, "swhid")) > 0, NULL,
				   err);
	if (r == 0)
		r = facts_set_bool(f, "source.location",
				   json_array_size(json_object_get(source, "locations")) > 0, NULL,
				   err);
	return r;
}

static int signer_facts(const struct offer *o, struct facts *f, struct error *err)
{
	uint64_t who = 0;
	int r = facts_set_empty(f, "signers", NULL, err);

	(void)envelope_count(o->it->doc, o->keys, &who);
	if (r == 0)
		r = facts_set_int(f, "signers.threshold", o->keys->threshold, NULL, err);
	for (size_t i = 0; r == 0 && i < o->keys->n; i++)
		if (who & (UINT64_C(1) << i))
			r = facts_add(f, "signers", key_id(o->keys->keys[i]), NULL, err);
	/* A proposal is judged as if it had them all: its own threshold is checked elsewhere. */
	for (size_t i = 0; r == 0 && o->it->state == ITEM_PROPOSAL && i < o->keys->n; i++)
		r = facts_add(f, "signers", key_id(o->keys->keys[i]), NULL, err);
	return r;
}

static int gather(const struct offer *o, const json_t *part, struct facts *f, struct error *err)
{
	const char *sbom = json_string_value(json_object_get(part, "sbom"));
	bool listed = false;
	int r = hardware_listed(o, part, &listed, err);

	/* A blob is stored under the digest and length that it was checked for. */
	if (r == 0)
		r = facts_set_bool(f, "target.digest_matches", true, NULL, err);
	if (r == 0)
		r = facts_set_bool(f, "target.length_matches", true, NULL, err);
	if (r == 0)
		r = facts_set_bool(f, "target.hardware_listed", listed, NULL, err);
	if (r == 0)
		r = facts_set_bool(f, "target.not_older", not_older(o, part), NULL, err);
	if (r == 0)
		r = facts_set_bool(f, "target.sbom", sbom && json_object_get(o->targets, sbom),
				   NULL, err);
	if (r == 0)
		r = source_facts(o, part, f, err);
	return r < 0 ? r : signer_facts(o, f, err);
}

static int refuse(const struct offer *o, const char *path, const struct policy *p,
		  const json_t *why, struct error *err)
{
	CLEANUP(buf_clear) struct buf text = {0};
	int r = policy_lacking(why, &text, err);

	if (r < 0)
		return r;
	return error_set(err, E_DENIED, "%s: %.80s: policy %s: %.*s", o->it->name, path,
			 policy_name(p), WHY_MAX, text.data ? text.data : "no");
}

int publishing_check(const struct offer *o, const char *path, const json_t *entry,
		     struct error *err)
{
	const char *name = o->kind == PUBLISHER_VENDOR ? "publish/basic" : "publish/open-source";
	const json_t *part = bequest_part(entry);
	CLEANUP(policy_freep) struct policy *p = NULL;
	CLEANUP(facts_freep) struct facts *f = NULL;
	CLEANUP(json_decrefp) json_t *why = NULL;
	enum answer answer = ANSWER_UNKNOWN;
	int r;

	if (!part)
		return 0;
	r = policy_shipped(name, &p, err);
	if (r == 0)
		r = facts_new(&f, err);
	if (r == 0)
		r = gather(o, part, f, err);
	if (r == 0)
		r = policy_decide(p, f, &answer, &why, err);
	if (r < 0 || answer == ANSWER_YES)
		return r;
	return refuse(o, path, p, why, err);
}
