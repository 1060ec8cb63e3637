/* SPDX-License-Identifier: Apache-2.0 */
#include "escrow/lint.h"

#include <stdio.h>

#include "escrow/folder.h"
#include "escrow/items.h"
#include "lib/base/error.h"
#include "lib/base/utc.h"
#include "policies/promise.h"
#include "policies/publisher.h"

enum { SOON_DAYS = 30, LOGS_WANTED = 2 };

static const char *const levels[] = {"error", "warning", "note"};

int lint_init(struct lint *l, int64_t now, struct error *err)
{
	*l = (struct lint){.findings = json_array(), .now = now};
	return l->findings ? 0 : error_nomem(err);
}

void lint_clear(struct lint *l)
{
	json_decref(l->findings);
	*l = (struct lint){0};
}

/* `text_take` is taken in any case. */
static int add(struct lint *l, enum lint_level level, const char *rule, json_t *text_take,
	       struct error *err)
{
	json_t *o = json_pack("{s:s, s:s, s:o}", "level", levels[level], "rule", rule, "text",
			      text_take);

	if (level == LINT_ERROR)
		l->errors++;
	return json_array_append_new(l->findings, o) < 0 ? error_nomem(err) : 0;
}

static int lint_expiry(struct lint *l, const struct tuf_root *root, struct error *err)
{
	char at[UTC_SIZE];

	utc_format(root->expires, at);
	if (l->now >= root->expires)
		return add(l, LINT_ERROR, "expired",
			   json_sprintf("expired on %s: devices take no update until a new one is "
					"signed",
					at),
			   err);
	if (l->now + (int64_t)SOON_DAYS * DAY_S >= root->expires)
		return add(l, LINT_WARNING, "expires-soon",
			   json_sprintf("expires on %s: rotate it, then seal a new deposit", at),
			   err);
	return 0;
}

/* Who can follow this root? (as tried out with each of these clients) */
static int lint_clients(struct lint *l, const struct tuf_root *root, struct error *err)
{
	size_t unread = 0;

	for (size_t t = 0; t < TUF_TYPES; t++)
		for (size_t i = 0; i < root->role[t].n; i++)
			unread += key_portable(root->role[t].keys[i]) ? 0 : 1;
	if (unread)
		return add(
			l, LINT_WARNING, "clients",
			json_string("has OpenPGP keys: Bequest's client and python-tuf can follow "
				    "it, go-tuf, tough and tuf-js refuse it"),
			err);
	return add(l, LINT_NOTE, "clients", json_string("every TUF client can follow it"), err);
}

static int lint_roles(struct lint *l, const struct tuf_root *root, struct error *err)
{
	int r = 0;

	for (size_t t = 0; r == 0 && t < TUF_TYPES; t++) {
		const struct role_keys *k = &root->role[t];

		if ((uint64_t)k->threshold > k->n)
			r = add(l, LINT_ERROR, "threshold",
				json_sprintf("roles.%s: %zu usable keys for a threshold of %lld",
					     tuf_type_name((enum tuf_type)t), k->n,
					     (long long)k->threshold),
				err);
	}
	if (r == 0 && root->role[TUF_ROOT].threshold == 1)
		r = add(l, LINT_WARNING, "threshold-one",
			json_string("roles.root: one key alone can take the product over, and its "
				    "loss loses the product"),
			err);
	if (r == 0 && root->role[TUF_ROOT].threshold > 1 &&
	    (uint64_t)root->role[TUF_ROOT].threshold == root->role[TUF_ROOT].n)
		r = add(l, LINT_WARNING, "threshold-all",
			json_string("roles.root: the loss of one key loses the product"), err);
	return r;
}

static int lint_logs(struct lint *l, const struct tuf_root *root, struct error *err)
{
	struct publisher p;
	struct error why = {0};
	int r = publisher_read(root, "root", &p, &why);

	if (r < 0)
		return add(l, LINT_ERROR, "x-bequest", json_string(why.text), err);
	if (p.nlogs < LOGS_WANTED)
		r = add(l, LINT_WARNING, "logs",
			json_sprintf(
				"%zu log: name two, of different operators, so that one may end",
				p.nlogs),
			err);
	if (r == 0 && p.witness_threshold == 0)
		r = add(l, LINT_WARNING, "witnesses",
			json_string("no witnesses: nobody can prove how much time has passed, so a "
				    "silent release can never be judged"),
			err);
	return r;
}

int lint_root(struct lint *l, const struct tuf_root *root, struct error *err)
{
	int r = lint_expiry(l, root, err);

	if (r == 0)
		r = lint_roles(l, root, err);
	if (r == 0)
		r = lint_logs(l, root, err);
	return r < 0 ? r : lint_clients(l, root, err);
}

static int lint_items(struct lint *l, const struct deposit *d, struct error *err)
{
	static const struct {
		const char *prefix, *rule, *text;
		enum lint_level level;
	} wanted[] = {
		{FOLDER_BRIDGE, "no-bridge", "no bridge root: the deposit cannot move a device",
		 LINT_ERROR},
		{"source/", "no-source", "no sources: nobody can fix anything", LINT_ERROR},
		{"build/", "no-recipe", "no build recipe: sources alone have rarely been enough",
		 LINT_ERROR},
		{"licence/", "no-licence", "no licence: nobody may use what is in here",
		 LINT_ERROR},
		{"sbom/", "no-sbom",
		 "no list of parts: third-party blobs would be noticed too late", LINT_WARNING},
		{"vulnerabilities/", "no-vulnerabilities",
		 "no list of known holes for whoever carries on", LINT_NOTE},
	};
	CLEANUP(items_clear) struct items items = {0};
	int r = items_add_json(&items, d->items, err);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(wanted); i++)
		if (!items_has_below(&items, wanted[i].prefix))
			r = add(l, wanted[i].level, wanted[i].rule, json_string(wanted[i].text),
				err);
	if (r == 0 && items_has_below(&items, "source/") && json_object_size(d->refs) == 0)
		r = add(l, LINT_ERROR, "no-refs",
			json_string("refs: the manifest vouches for no branch or tag"), err);
	return r;
}

/* What a buyer of such a device may expect, and is not promised. */
static int lint_class(struct lint *l, const char *name, const json_t *about, const json_t *root,
		      struct error *err)
{
	CLEANUP(json_decrefp) json_t *why = NULL;
	CLEANUP(buf_clear) struct buf lacking = {0};
	enum answer answer;
	struct error none = {0};
	int r = promise_judge(name, about, root, &answer, &why, &none);

	if (r == E_NOTFOUND)
		return add(l, LINT_WARNING, "class",
			   json_sprintf("%s: no such class is known", name), err);
	if (r < 0)
		return error_set(err, r, "%s", none.text);
	if (answer == ANSWER_YES)
		return add(l, LINT_NOTE, "class",
			   json_sprintf("promises what a product of class %s must", name), err);
	r = policy_lacking(why, &lacking, err);
	return r < 0 ? r
		     : add(l, LINT_WARNING, "class",
			   json_sprintf("class %s %s", name, lacking.data), err);
}

static int lint_support(struct lint *l, const struct statement *about, struct error *err)
{
	char at[UTC_SIZE];

	if (!about->support_until)
		return add(l, LINT_WARNING, "support",
			   json_string("support_until: no end of support is promised"), err);
	utc_format(about->support_until, at);
	if (l->now < about->support_until)
		return 0;
	return add(l, LINT_WARNING, "support-ended",
		   json_sprintf("support was promised until %s", at), err);
}

int lint_product(struct lint *l, const struct statement *about, const struct tuf_root *root,
		 const char *device_class, struct error *err)
{
	const json_t *body = envelope_signed(about->doc);
	const char *name =
		device_class ? device_class : json_string_value(json_object_get(body, "class"));
	int r = lint_support(l, about, err);

	if (r < 0)
		return r;
	if (!name)
		return add(l, LINT_NOTE, "class",
			   json_string("class: names none, so nobody can say what it must promise"),
			   err);
	return lint_class(l, name, body, root ? envelope_signed(root->doc) : NULL, err);
}

static bool listed(const struct deposit *d, const char *path)
{
	for (size_t i = 0; i < d->nfiles; i++)
		if (strcmp(d->files[i].path, path) == 0)
			return true;
	return false;
}

static int lint_files(struct lint *l, const struct deposit *d, struct error *err)
{
	char path[FOLDER_PATH_SIZE];
	int r = 0;

	if (!listed(d, FOLDER_HOWTO))
		r = add(l, LINT_ERROR, "no-howto",
			json_string("no " FOLDER_HOWTO ": a stranger will not know how to open it"),
			err);
	folder_vendor(COMPARTMENT_PUBLIC, path);
	if (r == 0 && !listed(d, path))
		r = add(l, LINT_WARNING, "no-vendor-copy",
			json_sprintf("no %s: the vendor cannot open its own deposit", path), err);
	for (size_t i = 0; r == 0 && i < d->nseats; i++) {
		folder_cert(d->seats[i].encryption_fpr, path);
		if (!listed(d, path))
			r = add(l, LINT_WARNING, "no-certificate",
				json_sprintf("no %s, the certificate of %s", path,
					     d->seats[i].name),
				err);
		else if (!d->seats[i].drills[COMPARTMENT_PUBLIC])
			r = add(l, LINT_WARNING, "no-drills",
				json_sprintf("%s cannot prove to hold the share", d->seats[i].name),
				err);
	}
	return r;
}

static int lint_age(struct lint *l, const struct deposit *d, const struct tuf_root *root,
		    struct error *err)
{
	char at[UTC_SIZE];
	int r = 0;

	if (root && (root->version != d->follows_version ||
		     strcmp(envelope_id(root->doc), d->follows_id) != 0))
		r = add(l, LINT_ERROR, "stale-root",
			json_sprintf(
				"its bridge follows root %lld, and the product is at root %lld: "
				"seal a new one",
				(long long)d->follows_version, (long long)root->version),
			err);
	utc_format(d->refresh_by, at);
	if (r == 0 && l->now >= d->refresh_by)
		r = add(l, LINT_WARNING, "refresh", json_sprintf("a new deposit was due by %s", at),
			err);
	utc_format(d->support_until, at);
	if (r == 0 && l->now >= d->support_until)
		r = add(l, LINT_WARNING, "support-ended",
			json_sprintf("support was promised until %s", at), err);
	return r;
}

int lint_deposit(struct lint *l, const struct deposit *d, const struct tuf_root *root,
		 struct error *err)
{
	int r = lint_items(l, d, err);

	if (r == 0)
		r = lint_files(l, d, err);
	return r < 0 ? r : lint_age(l, d, root, err);
}
