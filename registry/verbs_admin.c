/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/verbs_admin.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/utc.h"
#include "lib/json/print.h"
#include "policies/statement.h"
#include "registry/config.h"
#include "registry/registry.h"
#include "registry/store/store.h"

const struct cli_option init_options[] = {
	CLI_NEED(struct init_options, data, CLI_TEXT, "data", "DIR", "the data folder to make"),
	CLI_OPT(struct init_options, name, CLI_TEXT, "name", "TEXT",
		"the registry's name, for people"),
	CLI_OPT(struct init_options, origin, CLI_TEXT, "origin", "NAME",
		"the log's name, such as example.org/log"),
	CLI_OPT(struct init_options, admission, CLI_TEXT, "admission", "open|moderated",
		"who may register a product (moderated)"),
	CLI_OPT(struct init_options, witnesses, CLI_LIST, "witness", "VKEY=URL",
		"a witness that is to cosign each checkpoint; may repeat"),
	CLI_RANGE(struct init_options, threshold, 1, WITNESSES_MAX, "witness-threshold", "N",
		  "how many of them must have, before it is shown (more than half)"),
	{0},
};

const struct cli_option data_options[] = {
	CLI_NEED(struct data_options, data, CLI_TEXT, "data", "DIR", "the data folder"),
	{0},
};

const struct cli_option fsck_options[] = {
	CLI_NEED(struct data_options, data, CLI_TEXT, "data", "DIR", "the data folder"),
	CLI_OPT(struct data_options, repair, CLI_FLAG, "repair", NULL,
		"write files of the public tree again where the database has them"),
	{0},
};

/* Two quorums have a witness in common. */
static size_t majority(size_t n)
{
	return n ? n / 2 + 1 : 0;
}

int admin_init(const struct cli_call *call, struct error *err)
{
	const struct init_options *o = call->opt;
	struct registry_init init = {.name = o->name ? o->name : "a Bequest registry",
				     .origin = o->origin ? o->origin : "localhost/bequest-log"};
	int r;

	if (o->admission && strcmp(o->admission, "open") != 0 &&
	    strcmp(o->admission, "moderated") != 0)
		return error_set(err, E_USAGE, "--admission: want open or moderated, got %s",
				 o->admission);
	init.open_admission = o->admission && strcmp(o->admission, "open") == 0;
	init.witnesses = o->witnesses.items;
	init.nwitnesses = o->witnesses.n;
	init.threshold = o->threshold ? (size_t)o->threshold : majority(o->witnesses.n);
	r = registry_init(o->data, &init, err);
	if (r == E_EXISTS) {
		err->code = E_USAGE;
		return E_USAGE;
	}
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s, s:s}", "ok", 1, "data", o->data, "origin",
					    init.origin),
				  err);
	printf("%s: ready; run: %s serve --data %s\n", o->data, call->program, o->data);
	return 0;
}

/*
 * The operator's verbs work beside a running service: they open the database
 * alone, and SQLite serialises them with it.
 */
static int open_store(const char *data, struct store **out, struct error *err)
{
	CLEANUP(buf_clear) struct buf path = {0};
	int r = buf_printf(&path, err, "%s/registry.db", data);

	if (r == 0 && !file_exists(AT_FDCWD, path.data))
		r = error_set(err, E_USAGE, "--data: %s: is no registry; make one with init", data);
	return r < 0 ? r : store_open(path.data, out, err);
}

int admit_product(const char *data, const char *product, struct error *err)
{
	CLEANUP(store_closep) struct store *s = NULL;
	int r;

	if (!product_id_ok(product))
		return error_set(err, E_USAGE, "%s: want a product id: a-z 0-9 . - and at most 63",
				 product);
	r = open_store(data, &s, err);
	return r < 0 ? r : store_product_add(s, product, utc_now(), err);
}

int admin_admit(const struct cli_call *call, struct error *err)
{
	const struct data_options *o = call->opt;
	const char *product = call->args[0];
	int r = admit_product(o->data, product, err);

	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:s}", "ok", 1, "product", product), err);
	printf("%s: may be registered\n", product);
	return 0;
}

static int add_listing(void *ctx, const char *text, struct error *err)
{
	if (json_array_append_new(ctx, json_loads(text, 0, NULL)) < 0)
		return error_nomem(err);
	return 0;
}

static void print_products(const json_t *products)
{
	const json_t *p;
	size_t i;

	json_array_foreach(products, i, p)
	{
		log_escaped(stdout, json_string_value(json_object_get(p, "id")));
		printf("  %s, root %" JSON_INTEGER_FORMAT "\n",
		       json_string_value(json_object_get(p, "state")),
		       json_integer_value(json_object_get(p, "root_version")));
	}
}

int admin_status(const struct cli_call *call, struct error *err)
{
	const struct data_options *o = call->opt;
	CLEANUP(json_decrefp) json_t *products = json_array();
	CLEANUP(store_closep) struct store *s = NULL;
	uint64_t leaves = 0;
	int r = products ? open_store(o->data, &s, err) : error_nomem(err);

	if (r == 0)
		r = store_log_size(s, &leaves, err);
	if (r == 0)
		r = store_listings(s, "", add_listing, products, err);
	if (r < 0)
		return r;
	if (call->json)
		return json_print(json_pack("{s:b, s:I, s:O}", "ok", 1, "leaves",
					    (json_int_t)leaves, "products", products),
				  err);
	printf("%zu products, %" PRIu64 " leaves in the log\n", json_array_size(products), leaves);
	print_products(products);
	return 0;
}

static void print_report(const json_t *report)
{
	const json_t *p;
	size_t i;

	json_array_foreach(json_object_get(report, "problems"), i, p)
	{
		log_escaped(stdout, json_string_value(json_object_get(p, "where")));
		(void)fputs(": ", stdout);
		log_escaped(stdout, json_string_value(json_object_get(p, "what")));
		(void)puts(json_is_true(json_object_get(p, "repaired")) ? " (repaired)" : "");
	}
	printf("%" JSON_INTEGER_FORMAT " documents, %" JSON_INTEGER_FORMAT
	       " leaves, %" JSON_INTEGER_FORMAT " blobs checked\n",
	       json_integer_value(json_object_get(report, "documents")),
	       json_integer_value(json_object_get(report, "leaves")),
	       json_integer_value(json_object_get(report, "blobs")));
}

int admin_fsck(const struct cli_call *call, struct error *err)
{
	const struct data_options *o = call->opt;
	CLEANUP(registry_closep) struct registry *registry = NULL;
	CLEANUP(json_decrefp) json_t *report = NULL;
	int r = registry_open(o->data, &registry, err);
	int printed;

	if (r < 0)
		return r;
	r = registry_fsck(registry, o->repair, &report, err);
	if (!report)
		return r;
	if (!call->json) {
		print_report(report);
		return r;
	}
	printed = json_print(json_incref(report), err);
	/* The one object of --json is the report; it says what is wrong. */
	if (printed < 0 || r == 0)
		return printed;
	return EXIT_UNTRUSTED;
}

/* --- witnesses --- */

const struct cli_option witnesses_options[] = {
	CLI_NEED(struct witnesses_options, data, CLI_TEXT, "data", "DIR", "the data folder"),
	CLI_OPT(struct witnesses_options, add, CLI_LIST, "add", "VKEY=URL",
		"have this witness cosign, too; may repeat"),
	CLI_OPT(struct witnesses_options, drop, CLI_LIST, "drop", "NAME",
		"ask the witness of this name no more; may repeat"),
	CLI_OPT(struct witnesses_options, threshold, CLI_TEXT, "threshold", "N",
		"how many must have cosigned, before a checkpoint is shown; 0: none"),
	{0},
};

static int edit_witnesses(const struct witnesses_options *o, struct config *c, struct error *err)
{
	size_t threshold = c->threshold;
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->drop.n; i++)
		r = config_drop_witness(c, o->drop.items[i], err);
	for (size_t i = 0; r == 0 && i < o->add.n; i++)
		r = config_add_witness(c, o->add.items[i], err);
	if (r == 0 && o->threshold) {
		if (!o->threshold[0] || strlen(o->threshold) > 2 ||
		    strspn(o->threshold, "0123456789") != strlen(o->threshold))
			return error_set(err, E_USAGE, "--threshold: want a number, got %s",
					 o->threshold);
		threshold = (size_t)strtoul(o->threshold, NULL, 10);
	}
	return r < 0 ? r : config_set_threshold(c, threshold, err);
}

static int print_witnesses(const struct cli_call *call, const struct config *c, struct error *err)
{
	CLEANUP(json_decrefp) json_t *list = json_array();

	for (size_t i = 0; i < c->nwitnesses; i++) {
		CLEANUP(buf_clear) struct buf vkey = {0};
		int r = note_key_format(&c->witnesses[i].key, &vkey, err);

		if (r < 0)
			return r;
		if (!call->json)
			printf("%s  %s\n", vkey.data, c->witnesses[i].url);
		if (json_array_append_new(list, json_pack("{s:s, s:s}", "vkey", vkey.data, "url",
							  c->witnesses[i].url)) < 0)
			return error_nomem(err);
	}
	if (call->json)
		return json_print(json_pack("{s:b, s:O, s:I}", "ok", 1, "keys", list, "threshold",
					    (json_int_t)c->threshold),
				  err);
	printf("%zu of %zu must cosign\n", c->threshold, c->nwitnesses);
	return 0;
}

int admin_witnesses(const struct cli_call *call, struct error *err)
{
	const struct witnesses_options *o = call->opt;
	CLEANUP(freep) struct config *c = calloc(1, sizeof(*c));
	CLEANUP(closep) int dir = -1;
	bool edit = o->add.n || o->drop.n || o->threshold;
	int r = c ? file_open_dir(AT_FDCWD, o->data, false, &dir, err) : error_nomem(err);

	if (r == 0)
		r = config_load(dir, c, err);
	if (r == E_NOTFOUND)
		return error_set(err, E_USAGE, "--data: %s: is no registry; make one with init",
				 o->data);
	if (r == 0 && edit)
		r = edit_witnesses(o, c, err);
	if (r == 0 && edit)
		r = config_save(dir, c, err);
	if (r < 0)
		return r;
	if (edit && !call->json)
		printf("in force when the registry starts the next time\n");
	return print_witnesses(call, c, err);
}
