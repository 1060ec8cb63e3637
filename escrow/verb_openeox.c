/* SPDX-License-Identifier: Apache-2.0 */
/* openeox: a logged end of life, as others read it. */
#include <fcntl.h>
#include <stdio.h>

#include "escrow/desk.h"
#include "escrow/openeox.h"
#include "escrow/verbs.h"
#include "escrow/view.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/json/print.h"

enum { MODE_FILE = 0644 };

static const struct cli_option options[] = {
	OPT_PRODUCT(struct common_only, CLI_OPT),
	OPT_REGISTRY(struct common_only, CLI_OPT),
	OPT_ALLOW_HTTP(struct common_only),
	OPT_ROOT(struct common_only, CLI_OPT),
	OPT_OUT(struct common_only, CLI_OPT, "where to write it (standard output)"),
	{0},
};

/* The one of the highest version is in force. */
static int find_eol(const struct common *c, struct envelope **out, struct error *err)
{
	CLEANUP(desk_close) struct desk d = {0};
	CLEANUP(view_close) struct view v = {0};
	struct entry best = {0}, one;
	struct statement ignored;
	int r;

	if (!c->product || !c->registry)
		return error_set(err, E_USAGE, "want an EOL file, or --product and --registry");
	r = desk_open(c, &d, err);
	if (r == 0)
		r = view_open(&d, c, &v, err);
	if (r < 0)
		return r;
	for (size_t i = 0; view_entry(&v, ST_EOL, i, &one); i++)
		if (one.version > best.version)
			best = one;
	if (!best.id)
		return error_set(err, E_NOTFOUND, "%s: no end of life is declared", c->product);
	return view_statement(&v, best.id, out, &ignored, err);
}

static struct openeox_date date(int64_t at)
{
	return (struct openeox_date){.present = true, .at = at};
}

/* What a statement does not say is not known yet. */
static int convert(const struct envelope *doc, json_t **out, struct error *err)
{
	const char *updates =
		json_string_value(json_object_get(envelope_signed(doc), "last_security_update"));
	struct openeox core = {.end_of_security_support = {.present = true, .tba = true}};
	struct statement st;
	int64_t at;
	int r = desk_usage(statement_read(doc, "eol", &st, err), err);

	if (r == 0 && st.type != ST_EOL)
		r = error_set(err, E_USAGE, "want an eol, got a %s", statement_name(st.type));
	if (r < 0)
		return r;
	core.end_of_life = date(st.date);
	core.last_updated = date(st.issued);
	if (updates && utc_parse(updates, &at))
		core.end_of_security_support = date(at);
	return desk_usage(openeox_write(&core, out, err), err);
}

static int run(const struct cli_call *call, struct error *err)
{
	const struct common_only *o = call->opt;
	CLEANUP(envelope_freep) struct envelope *doc = NULL;
	CLEANUP(json_decrefp) json_t *core = NULL;
	CLEANUP(freep) char *text = NULL;
	int r = call->nargs ? desk_read_envelope(call->args[0], &doc, err)
			    : find_eol(&o->common, &doc, err);

	if (r == 0)
		r = convert(doc, &core, err);
	if (r < 0)
		return r;
	if (!o->common.out)
		return json_print(steal(core), err);
	text = json_dumps(core, JSON_INDENT(1));
	return text ? file_write(AT_FDCWD, o->common.out, text, strlen(text), MODE_FILE, err)
		    : error_nomem(err);
}

const struct cli_verb escrow_openeox = {
	.name = "openeox",
	.args = "[EOL]",
	.help = "write a declared end of life as an OpenEoX core",
	.options = options,
	.size = sizeof(struct common_only),
	.max_args = 1,
	.run = run,
};
