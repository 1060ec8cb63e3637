/* SPDX-License-Identifier: Apache-2.0 */
#include "client/handover.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/utc.h"

static void unref(json_t **j)
{
	json_decref(*j);
}

/* --- as JSON ------------------------------------------------------------------ */

static json_t *key_ids(const struct role_keys *keys)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < keys->n; i++) {
		if (json_array_append_new(list, json_string(key_id(keys->keys[i]))) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Who holds the root role in `root`; NULL: not published. */
static int describe_side(const struct tuf_root *root, json_t **out, struct error *err)
{
	CLEANUP(freep) struct publisher *who = calloc(1, sizeof(*who));
	int r;

	if (!root) {
		*out = json_null();
		return 0;
	}
	r = who ? publisher_read(root, "root", who, err) : error_nomem(err);
	if (r < 0)
		return r;
	*out = json_pack("{s:{s:s, s:s, s:s}, s:I, s:s, s:o, s:I}", "publisher", "id", who->id,
			 "name", who->name, "kind", publisher_kind_name(who->kind), "root_version",
			 (json_int_t)root->version, "root", envelope_id(root->doc), "keys",
			 key_ids(&root->role[TUF_ROOT]), "threshold",
			 (json_int_t)root->role[TUF_ROOT].threshold);
	return *out ? 0 : error_nomem(err);
}

/* What is worth telling of one document that the decision rests on. */
static json_t *describe_document(const struct evidence *e, const struct envelope *doc)
{
	const json_t *s = envelope_signed(doc);
	const struct seat *seat = deposit_signer(&e->deposit, doc);
	const struct leaf *leaf = leaf_chain_find(&e->chain, envelope_id(doc));
	static const char *const told[] = {"reason",    "date",  "ground", "last_security_update",
					   "successor", "issued"};
	json_t *out = json_pack("{s:s, s:s, s:s*, s:o*}", "type", envelope_type(doc), "id",
				envelope_id(doc), "by", seat ? seat->name : NULL, "log_index",
				leaf ? json_integer((json_int_t)leaf->index) : NULL);

	for (size_t i = 0; out && i < ARRAY_LEN(told); i++) {
		json_t *text = json_object_get(s, told[i]);

		if (json_is_string(text) && json_object_set(out, told[i], text) < 0) {
			json_decref(out);
			return NULL;
		}
	}
	return out;
}

/* The document by its id, from what was read on the way; NULL: it was not. */
static json_t *document(const struct handover *h, const char *id)
{
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	char path[SHA256_HEX_SIZE + 32];
	const json_t *text;
	struct error ignored = {0};

	(void)snprintf(path, sizeof(path), "statements/%s.json", id);
	text = json_object_get(h->documents, path);
	/* By its id it is the one that was verified. */
	if (!text ||
	    envelope_parse(json_string_value(text), json_string_length(text), path, &doc,
			   &ignored) < 0 ||
	    strcmp(envelope_id(doc), id) != 0)
		return NULL;
	return describe_document(&h->evidence, doc);
}

static int describe_documents(const struct handover *h, json_t **out, struct error *err)
{
	CLEANUP(unref) json_t *list = json_array();
	const json_t *id;
	size_t i;

	if (!list)
		return error_nomem(err);
	json_array_foreach(h->evidence.used, i, id)
	{
		const char *text = json_string_value(id);
		json_t *one = text ? document(h, text) : NULL;

		if (one && json_array_append_new(list, one) < 0)
			return error_nomem(err);
	}
	*out = steal(list);
	return 0;
}

int handover_describe(const struct device *d, const struct handover *h, json_t **out,
		      struct error *err)
{
	CLEANUP(buf_clear) struct buf change = {0};
	CLEANUP(unref) json_t *documents = NULL;
	CLEANUP(unref) json_t *from = NULL;
	CLEANUP(unref) json_t *to = NULL;
	const struct evidence *e = &h->evidence;
	int r = publisher_change_text(h->change, &change, err);

	if (r == 0)
		r = describe_documents(h, &documents, err);
	if (r == 0)
		r = describe_side(d->root, &from, err);
	if (r == 0)
		r = describe_side(h->after ? h->after : h->bridge, &to, err);
	if (r < 0)
		return r;

	json_t *deposit =
		e->deposit_doc ? json_pack("{s:s, s:I, s:I}", "id", envelope_id(e->deposit_doc),
					   "trustees", (json_int_t)e->deposit.trustees.n,
					   "threshold", (json_int_t)e->deposit.trustees.threshold)
			       : json_null();
	*out = json_pack("{s:O, s:O, s:s, s:s, s:s, s:o, s:O, s:s, s:s, s:b, s:s}", "from", from,
			 "to", to, "bridge", h->offer.bridge, "after", h->offer.after, "change",
			 change.data ? change.data : "", "deposit", deposit, "documents", documents,
			 "released", answer_name(e->released), "allowed", answer_name(h->allowed),
			 "refused", h->refused, "reason", h->reason);
	return *out ? 0 : error_nomem(err);
}

/* --- for people --------------------------------------------------------------- */

/* Text from documents, of any kind, so that a terminal can bear it. */
static void put(const char *before, const char *text, const char *after)
{
	(void)fputs(before, stdout);
	log_escaped(stdout, text ? text : "?");
	(void)fputs(after, stdout);
}

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void print_side(const char *title, const json_t *side)
{
	const json_t *who = json_object_get(side, "publisher");
	const json_t *key;
	size_t i;

	put(title, text_of(who, "name"), "");
	put(" (", text_of(who, "id"), "");
	put(", ", text_of(who, "kind"), ")");
	(void)printf(", root %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT " of these keys:\n",
		     json_integer_value(json_object_get(side, "root_version")),
		     json_integer_value(json_object_get(side, "threshold")));
	json_array_foreach(json_object_get(side, "keys"), i, key)
		put("                ", json_string_value(key), "\n");
}

static void print_document(const json_t *doc)
{
	static const char *const told[] = {"reason", "date", "ground", "last_security_update",
					   "successor"};
	const json_t *index = json_object_get(doc, "log_index");

	put("  ", text_of(doc, "type"), "");
	if (text_of(doc, "by"))
		put(" by ", text_of(doc, "by"), "");
	if (text_of(doc, "issued"))
		put(", ", text_of(doc, "issued"), "");
	if (index)
		(void)printf(", log index %" JSON_INTEGER_FORMAT, json_integer_value(index));
	(void)putchar('\n');
	for (size_t i = 0; i < ARRAY_LEN(told); i++) {
		if (!text_of(doc, told[i]))
			continue;
		(void)printf("      %s: ", told[i]);
		put("", text_of(doc, told[i]), "\n");
	}
	put("      id: ", text_of(doc, "id"), "\n");
}

static size_t approvals(const json_t *documents)
{
	const json_t *doc;
	size_t i, n = 0;

	json_array_foreach(documents, i, doc) n +=
		text_of(doc, "type") && strcmp(text_of(doc, "type"), "approval") == 0;
	return n;
}

static void print_checks(const struct handover *h, const json_t *j)
{
	const json_t *deposit = json_object_get(j, "deposit");

	(void)puts("checked:");
	(void)puts("  the new root is signed by a threshold of the old keys and of the new ones");
	if (h->evidence.released != ANSWER_UNKNOWN)
		(void)puts("  it is the first root of its version in the product's log, which has\n"
			   "  everything above, without a gap, under the old root's keys");
	if (json_is_object(deposit))
		(void)printf(
			"  the deposit names exactly this step; %zu approvals of its %" JSON_INTEGER_FORMAT
			" trustees, %" JSON_INTEGER_FORMAT " are needed without a release by "
			"the publisher\n",
			approvals(json_object_get(j, "documents")),
			json_integer_value(json_object_get(deposit, "trustees")),
			json_integer_value(json_object_get(deposit, "threshold")));
	(void)printf("  the deposit's release policy says: %s\n", text_of(j, "released"));
	(void)printf("  this device's policy says: %s\n", answer_name(h->allowed));
}

int handover_print(const struct device *d, const struct handover *h, struct error *err)
{
	CLEANUP(unref) json_t *j = NULL;
	const json_t *doc;
	size_t i;
	int r = handover_describe(d, h, &j, err);

	if (r < 0)
		return r;
	(void)printf("%s: another publisher offers to take over\n", d->conf.product);
	print_side("  trusted now:  ", json_object_get(j, "from"));
	print_side("  offered:      ", json_object_get(j, "to"));
	put("  what changes: ", text_of(j, "change"), "\n");
	(void)puts("why:");
	json_array_foreach(json_object_get(j, "documents"), i, doc) print_document(doc);
	print_checks(h, j);
	(void)puts("if it is accepted:");
	(void)puts("  updates come from the new publisher, and no longer from the old one");
	(void)puts("  what is installed stays until the next update, and can be gone back to");
	put("fingerprints:\n  trusted root  ", h->offer.from, "\n");
	put("  bridge root   ", h->offer.bridge, "\n");
	put("  new root      ", h->offer.after[0] ? h->offer.after : "not published yet", "\n");
	put("  evidence      ", h->offer.evidence, "\n");
	put("state: ", h->reason[0] ? h->reason : "nothing stands against it", "\n");
	return 0;
}
